"""The log is a witness of the audit trail, every hour."""

from datetime import timedelta

import pytest
from django.conf import settings

from aegis.audit import triggers
from aegis.audit.chain import signing_key
from aegis.audit.management.commands.verify_audit import witness
from aegis.audit.models import AuditHead
from aegis.audit.tasks import tell_head
from aegis.audit.verification import Flaw, Verification

TOLD = "The audit trail ends at "


@pytest.fixture
def told(caplog):
    """What the log has, once a worker has told the end of the trail."""

    def tell() -> list[str]:
        with caplog.at_level("INFO"):
            tell_head()
        return list(caplog.messages)

    return tell


def test_end_of_the_trail_is_told_every_hour():
    job = settings.CELERY_BEAT_SCHEDULE["Tell the end of the audit trail"]
    assert (job["task"], job["schedule"]) == (tell_head.name, timedelta(hours=1))


def test_what_the_log_keeps_finds_a_trail_that_was_put_back(owner, chain, told):
    assert told() == [f"{TOLD}12:{chain[-1]}"]
    seen = witness(told()[-1].removeprefix(TOLD))
    owner(f"DELETE FROM {triggers.LOG} WHERE id > 9")
    AuditHead.objects.update(size=9, mac=chain[8], signature=signing_key().signature_of(9, chain[8]))
    gone = Flaw(10, "is missing: the witness saw 12 rows")
    assert [flaw for flaw in Verification(seen).flaws() if flaw.row] == [gone]


def test_lost_head_is_told_too(owner, told):
    owner(f"DELETE FROM {triggers.HEAD}")
    assert told() == ["The head of the audit trail is gone: run verify_audit"]
