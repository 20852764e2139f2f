"""An org with years behind it, the same for the same seed and clock.

Its modules:

    build                     the whole; plan: how much of what, and the `Sower` that everything comes from
    people, sales             accounts, contacts, leads; products, deals, orders
    messy                     what must be refused or handled
    bulk                      many records of one template, for big orgs
"""
