"""Pictures of numbers, each with its table."""
