"""The chain: whoever changes the database, `verify_audit` finds it and names the first bad row."""

import json
import string

import pytest
from django.db import connection, transaction
from hypothesis import HealthCheck, assume, given, settings
from hypothesis import strategies as st

from aegis.audit import triggers
from aegis.audit.chain import GENESIS, SIGNED, Key, canonical, signing_key
from aegis.audit.models import AuditHead, AuditLog
from aegis.audit.recording import AuditBroken, Subject, accept_chain, iso, record
from aegis.audit.verification import COLUMNS, Flaw, Verification

LOG = triggers.LOG
TRIGGERS = len(triggers.POSTGRESQL) if connection.vendor == "postgresql" else len(triggers.SQLITE)


def flaws(**arguments) -> list[Flaw]:
    """What a walk finds in the rows and the head; the triggers are off in most tests here."""
    return [flaw for flaw in Verification(**arguments).flaws() if "trigger" not in flaw.message]


def first_bad_row() -> int | None:
    found = flaws()
    return found[0].row if found else None


def test_untouched_chain_is_intact(chain):
    verification = Verification()
    assert list(verification.flaws()) == []
    assert verification.rows == 12


def test_empty_chain_is_intact(db):
    assert list(Verification().flaws()) == []


def test_rows_count_from_one_and_each_names_the_one_before(chain):
    rows = AuditLog.objects.order_by("id")
    assert [row.id for row in rows] == list(range(1, 13))
    assert [row.prev_mac for row in rows] == [GENESIS, *chain[:-1]]
    head = AuditHead.objects.get()
    assert (head.size, head.mac) == (12, chain[-1])


def test_mac_is_the_published_formula(chain):
    """HMAC-SHA256(key, previous MAC + canonical JSON), written out here once more, so that others can check a chain too."""
    import_free = AuditLog.objects.get(id=5)
    facts = {name: getattr(import_free, name) for name in SIGNED} | {"at": iso(import_free.at)}
    text = json.dumps(facts, sort_keys=True, separators=(",", ":"), ensure_ascii=False)
    assert signing_key()._digest(chain[3] + text) == chain[4]


INTEGERS = st.integers(1, 2**40)
TEXTS = st.text(st.characters(codec="utf-8", exclude_characters="\x00"), max_size=12)
OBJECTS = st.dictionaries(
    st.text(string.ascii_letters, min_size=1, max_size=5), st.none() | INTEGERS | TEXTS, max_size=3
)
VALUES = {
    "id": INTEGERS,
    "actor_id": st.none() | INTEGERS,
    "at": st.datetimes().map(lambda at: at.isoformat(sep=" ")),
    "before": OBJECTS.map(json.dumps),
    "after": OBJECTS.map(json.dumps),
    "note": TEXTS,
}
ANY_EDIT = st.sampled_from(COLUMNS).flatmap(lambda column: st.tuples(st.just(column), VALUES.get(column, TEXTS)))


def stored(column: str, number: int) -> object:
    value = AuditLog.objects.values_list(column, flat=True).get(id=number)
    return json.dumps(value) if column in {"before", "after"} else iso(value) if column == "at" else value


@settings(max_examples=250, suppress_health_check=[HealthCheck.function_scoped_fixture])
@given(number=st.integers(1, 12), edit=ANY_EDIT)
def test_any_edit_of_any_column_of_any_row_is_found(owner, number, edit):
    column, value = edit
    with transaction.atomic():
        before = stored(column, number)
        taken = column == "id" and AuditLog.objects.filter(id=value).exists()
        same = column == "at" and before.startswith(value.replace(" ", "T"))
        assume(value != before and not taken and not same)
        assume(column not in {"before", "after"} or json.loads(value) != json.loads(before))
        owner(f"UPDATE {LOG} SET {column} = %s WHERE id = %s", value, number)
        assert first_bad_row() == number
        transaction.set_rollback(True)


@pytest.mark.parametrize(
    ("gone", "first"),
    [([1], 1), ([1, 2, 3], 1), ([6], 6), ([4, 5, 6], 4), ([12], 12), ([11, 12], 11), (range(1, 13), 1)],
)
def test_deletion_is_found(owner, gone, first):
    owner(f"DELETE FROM {LOG} WHERE id BETWEEN %s AND %s", gone[0], gone[-1])
    assert first_bad_row() == first


def test_missing_tail_is_counted(owner):
    owner(f"DELETE FROM {LOG} WHERE id > 9")
    assert flaws() == [Flaw(10, "is missing, and all 2 after it")]


def test_deletion_with_renumbered_rows_is_found(owner):
    owner(f"DELETE FROM {LOG} WHERE id = 6")
    for number in range(7, 13):
        owner(f"UPDATE {LOG} SET id = id - 1 WHERE id = %s", number)
    assert first_bad_row() == 6


@pytest.mark.parametrize(("one", "other"), [(1, 2), (3, 9), (11, 12)])
def test_swapped_rows_are_found(owner, one, other):
    for old, new in [(one, 99), (other, one), (99, other)]:
        owner(f"UPDATE {LOG} SET id = %s WHERE id = %s", new, old)
    assert first_bad_row() == one


@pytest.mark.parametrize(("one", "other"), [(1, 2), (3, 9), (11, 12)])
def test_swapped_contents_are_found(owner, one, other):
    rows = {row.id: row for row in AuditLog.objects.filter(id__in=[one, other])}
    names = [name for name in COLUMNS if name not in {"id", "prev_mac", "mac"}]
    AuditLog.objects.filter(id=one).update(**{name: getattr(rows[other], name) for name in names})
    AuditLog.objects.filter(id=other).update(**{name: getattr(rows[one], name) for name in names})
    assert first_bad_row() == one


@pytest.mark.parametrize("number", [-5, 0, 13, 40])
def test_inserted_row_is_found(owner, number):
    row = AuditLog.objects.get(id=12)
    row.id = number
    row.save(force_insert=True)
    assert first_bad_row() == min(number, 13)


def chained_anew(key: Key, start: int) -> str:
    """What a forger does: change one row, and sign it and all rows after it again."""
    mac = AuditLog.objects.get(id=start - 1).mac if start > 1 else GENESIS
    for row in AuditLog.objects.filter(id__gte=start).order_by("id"):
        row.object_label, row.key_id, row.prev_mac = f"forged {row.id}", key.id, mac
        row.mac = mac = key.mac_of(mac, {**vars(row), "at": iso(row.at)})
        row.save()
    return mac


@pytest.mark.parametrize("start", [1, 7, 12])
def test_chain_signed_anew_with_another_key_is_found(owner, start):
    key = Key.of("a key that the forger made up")
    mac = chained_anew(key, start)
    AuditHead.objects.update(mac=mac, key_id=key.id, signature=key.signature_of(12, mac))
    assert first_bad_row() == start


def test_forger_who_claims_our_key_is_found(owner):
    forged = Key(signing_key().id, b"not the secret behind that name")
    chained_anew(forged, 5)
    assert first_bad_row() == 5


def test_truncated_chain_with_a_matching_head_is_found(owner, chain):
    owner(f"DELETE FROM {LOG} WHERE id > 9")
    AuditHead.objects.update(size=9, mac=chain[8])
    assert flaws() == [Flaw(None, "the head of the chain was changed: rows at the end may be missing")]


def test_no_row_is_added_behind_a_changed_head(owner, chain):
    """Or the next row would sign the forgery."""
    owner(f"DELETE FROM {LOG} WHERE id > 9")
    AuditHead.objects.update(size=9, mac=chain[8])
    with pytest.raises(AuditBroken, match="changed from outside"), transaction.atomic():
        record(None, "test.next")


def test_truncation_with_the_head_of_a_backup_is_found_by_the_witness_alone(owner, chain):
    """All that a chain cannot know by itself: it stood like this once."""
    old, witness = signing_key(), (12, chain[-1])
    owner(f"DELETE FROM {LOG} WHERE id > 9")
    AuditHead.objects.update(size=9, mac=chain[8], signature=old.signature_of(9, chain[8]))
    assert flaws() == []
    assert flaws(witness=witness) == [Flaw(10, "is missing: the witness saw 12 rows")]
    for n in range(5):
        record(None, "test.later", Subject("thing", str(n)))
    assert flaws() == []
    assert [flaw.row for flaw in flaws(witness=witness)] == [12]


def test_witness_of_an_intact_chain_finds_nothing(chain):
    record(None, "test.later")
    assert flaws(witness=(12, chain[-1])) == []


def test_lost_head_is_found_and_stops_the_trail(owner):
    owner(f"DELETE FROM {triggers.HEAD}")
    assert flaws() == [Flaw(None, "the head of the chain is gone: rows at the end may be missing")]
    with pytest.raises(AuditBroken, match="is gone"), transaction.atomic():
        record(None, "test.next")


def test_every_break_is_told_once(owner):
    owner(f"UPDATE {LOG} SET note = 'edited' WHERE id IN (3, 8)")
    assert [flaw.row for flaw in flaws()] == [3, 8]


def test_missing_triggers_are_told(owner):
    assert len([flaw for flaw in Verification().flaws() if "trigger" in flaw.message]) == TRIGGERS


def test_accepted_damage_stays_visible_and_what_follows_is_guarded(owner, chain):
    owner(f"DELETE FROM {LOG} WHERE id > 9")
    AuditHead.objects.update(size=9, mac=chain[8])
    accepted = accept_chain("restored from a backup")
    assert (accepted.id, accepted.note, accepted.before["size"]) == (10, "restored from a backup", 9)
    assert flaws() == []
    owner(f"UPDATE {LOG} SET note = 'edited' WHERE id = 10")
    assert first_bad_row() == 10


def test_old_key_verifies_old_rows(chain, settings):
    old, settings.AUDIT_HMAC_KEY = settings.AUDIT_HMAC_KEY, "the next key"
    assert first_bad_row() == 1
    with pytest.raises(AuditBroken, match="AUDIT_HMAC_OLD_KEYS"), transaction.atomic():
        record(None, "test.next")
    settings.AUDIT_HMAC_OLD_KEYS = [old]
    assert record(None, "test.next").key_id != AuditLog.objects.get(id=1).key_id
    assert flaws() == []


@pytest.mark.parametrize("value", ["[" * 100_000, "{", "NaN", '{"n": 1.5}', '{"n": NaN}', '"\\ud800"', "[1e400]"])
def test_what_nobody_can_read_is_a_bad_row_and_not_a_crash(owner, value):
    owner(f"UPDATE {LOG} SET before = %s WHERE id = 4", value)
    assert first_bad_row() == 4


def test_canonical_json_has_one_form():
    assert canonical({"b": "ü", "a": [1, None, True]}) == '{"a":[1,null,true],"b":"ü"}'
