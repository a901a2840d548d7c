"""Eight writers at once: one chain, no forks, no gaps."""

from threading import Barrier, Thread
from time import monotonic

from django.db import connection, transaction

from aegis.accounts.models import User
from aegis.audit.models import AuditHead, AuditLog
from aegis.audit.recording import Subject, record
from aegis.audit.verification import Verification

WRITERS, EACH = 8, 40


def test_eight_writers_make_one_chain(transactional_db):
    start, errors = Barrier(WRITERS), []

    def write(writer: int) -> None:
        try:
            start.wait()
            for n in range(EACH):
                _change(writer, n)
        except BaseException as error:  # noqa: BLE001  a thread's error would be lost
            errors.append(error)
        finally:
            connection.close()

    threads = [Thread(target=write, args=(writer,)) for writer in range(WRITERS)]
    began = monotonic()
    for thread in threads:
        thread.start()
    for thread in threads:
        thread.join()
    assert errors == []
    kept = WRITERS * EACH * 3 // 4
    # Each kept change is two rows: of the user, which is watched, and the one that was asked for.
    assert User.objects.count() == kept
    assert AuditHead.objects.get().size == AuditLog.objects.count() == 2 * kept
    assert list(Verification().flaws()) == []
    assert monotonic() - began < 60


def _change(writer: int, n: int) -> None:
    """A change and its row; every fourth is rolled back, and must leave no gap."""
    with transaction.atomic():
        user = User.objects.create_user(f"w{writer}-{n}")
        record(None, "test.written", Subject("writer", str(writer), str(user)))
        transaction.set_rollback(n % 4 == 3)
