"""Feeds: from the bytes of RSS, Atom and the NVD to items of intelligence, each feed for itself."""
