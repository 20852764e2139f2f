"""The proof of target-xero: seeded schedules of what can go wrong, and a checker that believes neither target nor ledger.

source        what the CRM holds and sends: a small world, drawn from a seed, that changes
schedule      what is done to it: runs, crashes, faults, people, time; drawn from the same seed, printable
house         carries a schedule out: the real engine, planner, ledger, executor and client on the sandbox, one thread
standins      what stands in for the machine meanwhile: clock, threads, connection, points where it all ends
ledgers       the ledger file of all schedules, whose connections stay open from seed to seed
people        hands in Xero
verdict       what must hold at the end, from the sandbox's store and journal and the source's documents alone
fuzz          many seeds on all cores; one seed told in full
designs       mistakes that loaders of this kind make; planted: each of them must be caught
"""
