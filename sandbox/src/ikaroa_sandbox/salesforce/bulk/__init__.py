"""The Bulk APIs: query and ingest jobs of 2.0, and as much of 1.0 as query clients need.

Its modules:

    query, ingest             the handlers of `jobs/query` and `jobs/ingest`; desk: what both share
    classic                   Bulk API 1.0
    jobs                      what a job is, when it runs, what is told of it
    work                      moves jobs on, as time passes or as they are looked at
    load                      an ingest job's rows to records
    pages                     a query's rows as compressed CSV
    faults                    what goes wrong with bulk jobs alone
"""
