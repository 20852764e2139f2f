"""Seeded histories of an org that changes while the tap reads it, again and again: nothing may be missed.

org       a prepared sandbox, put back for each seed; and what is in it, read from its store
person    what people and long transactions do in it
wire      the tap's way to the sandbox: no socket, and the moments at which things happen
reading   one run of the tap, which may be cut anywhere; the STATE that is left
play      one seed: a history, the runs, the verdict
designs   mistakes that taps of this kind make; planted: each of them must be caught
fuzz      many seeds; `python -m tests.histories.fuzz`
"""
