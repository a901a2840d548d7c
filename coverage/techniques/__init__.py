"""One technique as we stand to it: status, page, list."""
