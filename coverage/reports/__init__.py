"""What is printed: for one campaign, and for the whole."""
