"""CRM records to accounting documents: a mapping as code, with its examples as tests."""
