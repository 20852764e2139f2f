"""The REST resources below `/services/data/vNN.0`: one handler a method and path, each takes a `call.Call`.

Its modules, by what is asked for:

    query                     query, queryAll and the pages that follow
    rows                      single records; collections, tree: many at once
    composite                 several requests in one
    replication               updated and deleted
    meta                      versions, resources, describe, limits
"""
