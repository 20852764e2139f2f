"""Change data capture: what was changed, as events on a bus that keeps them for three days.

    store.Database     notes every change of a captured object, inside the transaction that makes it
    capture.drain      turns the notes of one committed transaction into change events
    log.EventLog       keeps them under opaque replay ids, forgets them after the retention
    avro               the schema of an object's change event, and an event in binary

No sockets here: the Pub/Sub server (`ikaroa_sandbox.salesforce.pubsub`) reads the log.
"""
