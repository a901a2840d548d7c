"""All that changes tests, campaigns and statuses: each service is one transaction with one cause and one trace of it."""
