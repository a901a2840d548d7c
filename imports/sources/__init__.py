"""One file per upstream: where it is, which files are records, how one file is read. No Django in here."""
