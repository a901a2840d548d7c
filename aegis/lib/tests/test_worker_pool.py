"""What a worker does when one of its processes dies; `coverage/tests/test_up.py` kills those of a real one."""

import os
import signal
import time

from aegis.lib.worker_pool import DEATH, MortalLock


def child(lock: MortalLock) -> int:
    """A process that holds the lock for ever."""
    reading, writing = os.pipe()
    pid = os.fork()
    if pid == 0:
        lock.acquire()
        os.write(writing, b"!")
        signal.pause()
    os.read(reading, 1)
    for descriptor in (reading, writing):
        os.close(descriptor)
    return pid


def test_lock_of_a_killed_process_is_free():
    lock = MortalLock()
    pid = child(lock)
    os.kill(pid, signal.SIGKILL)
    os.waitpid(pid, 0)
    signal.alarm(10)  # with the lock held it would never end
    with lock:
        signal.alarm(0)


def test_lock_keeps_another_process_waiting():
    lock = MortalLock()
    with lock:
        pid = os.fork()
        if pid == 0:
            with lock:
                os._exit(7)
        time.sleep(0.2)
        assert os.waitpid(pid, os.WNOHANG) == (0, 0)
    assert os.waitstatus_to_exitcode(os.waitpid(pid, 0)[1]) == 7


def test_how_a_process_died_is_what_celery_says_of_it():
    said = [
        "Worker exited prematurely: signal 11 (SIGSEGV) Job: 4.",
        "Worker exited prematurely: exitcode 3 Job: 17.",
        "Worker exited prematurely: exitcode 0.",
    ]
    assert [DEATH.search(text)[1] for text in said] == ["signal 11 (SIGSEGV)", "exitcode 3", "exitcode 0"]
