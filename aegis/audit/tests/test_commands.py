"""`verify_audit`, `audit_head`, and the `flush` that the tests bring."""

import json
from io import StringIO

import pytest
from django.core.management import CommandError, call_command

from aegis.audit.models import AuditHead, AuditLog
from aegis.audit.recording import record
from aegis.audit.triggers import LOG


def run(*arguments: str) -> tuple[int, str]:
    """Exit status and output of a command."""
    out = StringIO()
    try:
        call_command(*arguments, stdout=out, no_color=True)
    except SystemExit as ended:
        return int(ended.code or 0), out.getvalue()
    return 0, out.getvalue()


def test_intact_trail_says_so(chain):
    status, output = run("verify_audit")
    assert (status, output[:36]) == (0, "The audit trail is intact: 12 rows i")


def test_damaged_trail_names_the_first_bad_row_and_fails(owner):
    owner(f"UPDATE {LOG} SET note = 'edited' WHERE id = 7")
    status, output = run("verify_audit")
    assert status == 1
    assert output.splitlines()[0] == "row 7 was changed, or put in another row's place"


def test_json_says_the_same(chain, owner):
    owner(f"DELETE FROM {LOG} WHERE id = 7")
    status, output = run("verify_audit", "--json")
    result = json.loads(output)
    assert (status, result["intact"], result["rows"]) == (1, False, 11)
    assert result["flaws"][0] == {"row": 7, "message": "is missing"}


def test_json_of_an_intact_trail(chain):
    status, output = run("verify_audit", "--json")
    result = json.loads(output)
    assert (status, result["intact"], result["rows"], result["flaws"]) == (0, True, 12, [])


def test_head_is_what_a_witness_keeps(chain):
    status, output = run("audit_head")
    assert (status, output) == (0, f"12:{chain[-1]}\n")
    record(None, "test.later")
    assert run("verify_audit", "--head", output.strip())[0] == 0
    status, told = run("verify_audit", "--head", f"12:{'0' * 64}")
    assert (status, told.splitlines()[0]) == (
        1,
        "row 12 is not the row that the witness saw: the chain was written anew",
    )


@pytest.mark.parametrize("text", ["", "12", "12:abc", "x:" + "0" * 64, "-1:" + "0" * 64, "9" * 19 + ":" + "0" * 64])
def test_witness_that_cannot_be_read_is_refused_in_words(db, text):
    with pytest.raises(CommandError, match="is not SIZE:MAC"):
        run("verify_audit", f"--head={text}")


def test_accepting_leaves_a_row_with_the_reason(owner):
    owner("DELETE FROM audit_audithead")
    with pytest.raises(CommandError, match="is gone"):
        run("audit_head")
    assert run("audit_head", "--accept", "the disk died")[1].startswith("13:")
    assert AuditLog.objects.get(id=13).note == "the disk died"


def test_flush_between_tests_starts_a_new_chain(transactional_db):
    record(None, "test")
    call_command("flush", interactive=False, verbosity=0)
    assert (AuditLog.objects.count(), AuditHead.objects.get().size) == (0, 0)
    assert record(None, "test").id == 1
    assert run("verify_audit")[0] == 0
