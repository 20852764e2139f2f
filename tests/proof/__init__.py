"""The proof of target-xero: seeded schedules of what can go wrong, and a checker that believes neither target nor ledger.

source.py      what the CRM holds and sends: a small world, drawn from a seed, that changes
schedule.py    what is done to it: runs, crashes, faults, people, time; drawn from the same seed, printable
house.py       carries a schedule out: the real engine, planner, ledger, executor and client on the sandbox, one thread
people.py      hands in Xero
verdict.py     what must hold at the end, from the sandbox's store and journal and the source's documents alone
fuzz.py        many seeds on all cores; one seed told in full
planted.py     bad designs, each of which the above must catch
"""
