"""Kill imports at random points: `[with_postgres.py] python bin/kill_imports.py [--points 50] [--seed 1] [SLUG...]`.

For each source of the mirror (AEGIS_MIRROR): import it undisturbed, then so many times again into an empty catalogue while the
process that carries it out is ended with `kill -9`. After each kill the catalogue must be as empty or as full as it was, never
anything between; the next run must bring it to the digest of the undisturbed one. Prints a line per source; exits 1 on a fault.
On PostgreSQL through `with_postgres.py`, else on SQLite.
"""

import argparse
import os
import sys
import tempfile
from importlib import import_module
from pathlib import Path

from own_installation import lay_out


def main() -> int:
    """Do it. Returns the exit status."""
    parser = argparse.ArgumentParser(description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter)
    parser.add_argument("slugs", nargs="*", metavar="SLUG")
    parser.add_argument("--points", type=int, default=50)
    parser.add_argument("--seed", type=int, default=1)
    options = parser.parse_args()
    if not os.environ.get("AEGIS_MIRROR"):
        sys.exit("kill_imports.py: name the mirror in AEGIS_MIRROR")
    with tempfile.TemporaryDirectory(prefix="aegis-kill-") as folder:
        lay_out(Path(folder))
        # Django has to be set up before anything of the house can be imported.
        status: int = import_module("imports.tests.kill_points").kill_all(options, Path(folder))
        return status


if __name__ == "__main__":
    sys.exit(main())
