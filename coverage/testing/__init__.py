"""One test of a technique: its life, its facts, and what its page offers."""
