"""What a run would write to Xero, without writing it: rehearsed against the real books, shown, saved, approved.

rehearsal   a run inside a ledger transaction that is rolled back, with writes answered here
client      sends reads, answers writes and notes them
books       what Xero's books would be by then
document    a plan and its documents; its hash
compose     from what was noted to a plan
tables      for the terminal          page   as one HTML file          files   where plans are kept
"""
