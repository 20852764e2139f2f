"""Reading by Bulk API 2.0: a query becomes a job, its result is fetched as CSV pages and written on as JSON lines.

jobs      create, wait, abort, delete            (what Salesforce does)
pages     result pages, several at once          (bytes)
csvrows   CSV in blocks -> rows                  (texts, already escaped for JSON)
encoder   rows -> JSON lines of one shape        (the same values as by REST)
spill     sorted files on disk, merged           (bounded memory)
reader    a window of a stream -> batches        (resumes from STATE)
choice    REST or Bulk                           (how many rows, how wide)
"""
