"""Kill web workers while they answer: `[with_postgres.py] python bin/kill_web.py [--requests 2000] [--every 2] [--seed 1]`.

Starts the site as production does, and lets several clients write by the API while its workers are ended with `kill -9`. What
was answered stands in a ledger, and what was not is sent again, or looked up. At the end every write that was acknowledged
must be there, once, as it was acknowledged; the audit trail, the statuses and the evidence must be sound, and the site must
answer. Prints a line for each figure; exits 1 on a fault. On PostgreSQL through `with_postgres.py`, else on SQLite.
"""

import argparse
import sys
import tempfile
from importlib import import_module
from pathlib import Path

from own_installation import lay_out


def main() -> int:
    """Do it. Returns the exit status."""
    parser = argparse.ArgumentParser(description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter)
    parser.add_argument("--requests", type=int, default=2000, help="writes to have acknowledged")
    parser.add_argument("--clients", type=int, default=6, help="clients at once")
    parser.add_argument("--every", type=float, default=2.0, help="seconds between two kills, on average")
    parser.add_argument("--seed", type=int, default=1)
    options = parser.parse_args()
    with tempfile.TemporaryDirectory(prefix="aegis-kill-") as folder:
        lay_out(Path(folder))
        # Django has to be set up before anything of the house can be imported.
        status: int = import_module("coverage.tests.kill_web").kill_all(options, Path(folder))
        return status


if __name__ == "__main__":
    sys.exit(main())
