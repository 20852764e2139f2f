"""The org's rows, and the rules of Salesforce around every write.

Its modules:

    database                  SQLite in memory: columns, values, savepoints, and notes of changes
    context                   what every rule is given
    accept                    from a JSON body to values, and whether a row may be saved
    records                   create, change, upsert: check, derive, stamp, write
    people, sales             what happens before and after a save, by object; derive: the sums behind it
    deletion                  to the bin, out of it, for good
    merging                   merging duplicates, converting leads
"""
