"""Singer tap for Salesforce: every object, whole aggregates, no row missed."""
