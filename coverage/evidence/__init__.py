"""What proves a test: where it lies and how it leaves."""
