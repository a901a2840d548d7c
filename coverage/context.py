"""Template context of every page: the navigation."""
