"""The objects and fields of an org.

Its modules:

    model                     what an object and a field are
    load                      from the files in `objects/` to these
    describe                  as the describe calls tell them
"""
