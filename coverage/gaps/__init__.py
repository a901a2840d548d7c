"""What is not proven: ranked, by what could be done about it, and planned."""
