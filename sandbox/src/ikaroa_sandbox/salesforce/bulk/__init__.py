"""The Bulk APIs: query and ingest jobs of 2.0, and as much of 1.0 as query clients need."""
