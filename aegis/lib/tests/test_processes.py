"""Programs that belong together end together, however the end comes, and leave nothing behind."""

import os
import signal
import sys
import threading
import time
from pathlib import Path

import pytest

from aegis.lib import processes
from aegis.lib.processes import Group

SLEEPS = [sys.executable, "-c", "import time; print('here'); time.sleep(60)"]
FAILS = [sys.executable, "-c", "print('oh no'); raise SystemExit(7)"]
STUBBORN = """\
import signal, subprocess, sys, time
signal.signal(signal.SIGTERM, signal.SIG_IGN)
child = subprocess.Popen([sys.executable, "-c", "import time; time.sleep(60)"])
print("child", child.pid)
time.sleep(60)
"""


def is_there(pid: int) -> bool:
    """Whether the process runs; one that has ended and was not asked for its status does not."""
    status = Path(f"/proc/{pid}/stat")
    return status.exists() and status.read_text().rpartition(")")[2].split()[0] != "Z"


def when(said: list[str], *words: str, act) -> threading.Thread:
    """Act once lines hold all of the words."""

    def wait() -> None:
        until = time.monotonic() + 20
        while not all(any(word in line for line in list(said)) for word in words) and time.monotonic() < until:
            time.sleep(0.02)
        act()

    thread = threading.Thread(target=wait)
    thread.start()
    return thread


def test_one_that_ends_takes_the_others_along(tmp_path):
    said: list[str] = []
    group = Group({"web": SLEEPS, "worker": FAILS}, folder=tmp_path, say=said.append)
    assert group.run() == 1
    assert "worker | oh no" in said
    assert "worker ended with status 7: stopping the others." in said
    assert [program.poll() for program in group._running.values()] == [-signal.SIGTERM, 7]


@pytest.mark.parametrize("number", [signal.SIGINT, signal.SIGTERM])
def test_all_end_when_it_is_told_to_stop(tmp_path, number):
    said: list[str] = []
    group = Group({"web": SLEEPS, "beat": SLEEPS}, folder=tmp_path, say=said.append)
    teller = when(said, "web  | here", "beat | here", act=lambda: os.kill(os.getpid(), number))
    assert group.run() == 0
    teller.join()
    assert "web  | here" in said
    assert [program.poll() for program in group._running.values()] == [-signal.SIGTERM] * 2


def test_one_that_will_not_end_is_ended_with_all_that_it_started(tmp_path, monkeypatch):
    monkeypatch.setattr(processes, "PATIENCE", 0.3)
    said: list[str] = []
    group = Group({"worker": [sys.executable, "-c", STUBBORN]}, folder=tmp_path, say=said.append)
    teller = when(said, "child", act=lambda: os.kill(os.getpid(), signal.SIGTERM))
    assert group.run() == 0
    teller.join()
    child = next(int(line.split()[-1]) for line in said if "child" in line)
    assert "worker is still busy after 0.3 seconds: it is ended." in said
    assert group._running["worker"].poll() == -signal.SIGKILL
    until = time.monotonic() + 5
    while is_there(child) and time.monotonic() < until:
        time.sleep(0.05)
    assert not is_there(child)
