"""Snapshots of sources in one signed file, for a network that reaches no upstream.

A bundle is a tar archive of three kinds of members in this order: `aegis-bundle.json` says what follows, `aegis-bundle.sig`
signs it (Ed25519), and `<source>.snapshot.gz` is each snapshot as `imports.snapshots` packs it. Nothing is ever extracted
under a name from the archive.
"""
