"""Live mode: change events of the Pub/Sub API say which records may have changed; they are read again by their ids.

    wire          the messages of the Pub/Sub API
    channel       the connection: three calls, errors told apart
    events        Avro and bitmaps of change events, made into hints
    subscription  one topic: a thread that keeps it open, from place to place
    roots         from hints to the ids of records to read
    agenda        when each stream is polled besides
    session       the loop that writes, and what a run is bounded by

An event is a hint and the record is the truth, so what comes twice or out of order does not matter. Whatever events may
miss, polls find: one before each session, one after each subscription that began at "now", one now and then.
"""
