"""Salesforce and Xero on your own machine: both APIs, stateful, with their rules, limits and faults."""
