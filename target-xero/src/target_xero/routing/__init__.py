"""Several Xero organisations from one source: which one a document belongs to, and a run on all of them."""
