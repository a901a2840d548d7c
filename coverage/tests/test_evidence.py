"""Evidence is what was uploaded, or there is none: hashes, limits, interrupted uploads, lost and changed objects."""

import io
import os
import time
from hashlib import sha256
from pathlib import Path

import pytest
from django.core.files.storage import storages
from django.core.management import call_command
from django.db import OperationalError, transaction
from django.db.models.signals import post_save
from hypothesis import given
from hypothesis import strategies as st

from aegis.accounts.tests.factories import make_user
from catalog.tests.factories import make_technique
from coverage.evidence import vault
from coverage.models import Evidence, Test, TestInvolvement
from coverage.services.creation import create_test
from coverage.services.decisions import submit_test
from coverage.services.evidence import ChecksumMismatch, TooMany, attach_evidence, faults, safe_name, sweep
from coverage.services.shown import shown_hash
from coverage.testing.refusals import IllegalMove, NotAllowed

pytestmark = pytest.mark.django_db
CONTENT = b"MZ\x90\x00 the bytes of something dangerous"


@pytest.fixture(autouse=True)
def _own_folder(settings, tmp_path: Path) -> None:
    backend = {"BACKEND": "django.core.files.storage.FileSystemStorage", "OPTIONS": {"location": tmp_path}}
    settings.STORAGES = {**settings.STORAGES, "evidence": backend}


def make_test() -> Test:
    return create_test(by=make_user("red_tech"), technique=make_technique())


def attach(test: Test, content: bytes = CONTENT, **options) -> Evidence:
    given = {"by": test.created_by, "side": "red", "name": "run.exe", **options}
    return attach_evidence(test=test, file=io.BytesIO(content), **given)


def objects(folder: Path) -> list[Path]:
    return [path for path in folder.rglob("*") if path.is_file()]


def test_row_tells_size_and_hash_of_the_stored_bytes(tmp_path: Path) -> None:
    evidence = attach(make_test(), caption="What ran")
    assert (evidence.size, evidence.sha256) == (len(CONTENT), sha256(CONTENT).hexdigest())
    assert [path.read_bytes() for path in objects(tmp_path)] == [CONTENT]
    assert "run" not in evidence.key
    assert vault.digest_of(evidence.key) == (evidence.size, evidence.sha256)


@pytest.mark.django_db(transaction=True)
def test_a_database_that_goes_away_after_it_has_stored_the_row_leaves_the_object_too() -> None:
    def lose_the_answer(**_: object) -> None:
        transaction.on_commit(away)

    def away() -> None:
        raise OperationalError("server closed the connection unexpectedly")

    test = make_test()
    post_save.connect(lose_the_answer, sender=Evidence)
    try:
        with pytest.raises(OperationalError):
            attach(test)
    finally:
        post_save.disconnect(lose_the_answer, sender=Evidence)
    assert Evidence.objects.get().sha256 == sha256(CONTENT).hexdigest()
    assert faults() == []


def test_empty_file_is_evidence_too() -> None:
    assert attach(make_test(), b"").size == 0


def test_whoever_gives_evidence_is_involved_and_the_test_moves_on() -> None:
    test = make_test()
    attach(test)
    assert TestInvolvement.objects.filter(test=test, user=test.created_by, kind="evidence").exists()
    assert Test.objects.get(pk=test.pk).version == test.version + 1


def test_right_hash_of_the_client_is_taken_in_any_case() -> None:
    assert attach(make_test(), sha256=sha256(CONTENT).hexdigest().upper()).size == len(CONTENT)


def test_wrong_hash_of_the_client_leaves_nothing(tmp_path: Path) -> None:
    with pytest.raises(ChecksumMismatch, match=sha256(CONTENT).hexdigest()):
        attach(make_test(), sha256="0" * 64)
    assert (Evidence.objects.count(), objects(tmp_path)) == (0, [])


def test_file_above_the_limit_leaves_nothing(settings, tmp_path: Path) -> None:
    settings.EVIDENCE_MAX_BYTES = len(CONTENT) - 1
    with pytest.raises(vault.TooLarge):
        attach(make_test())
    assert (Evidence.objects.count(), objects(tmp_path)) == (0, [])


def test_file_of_exactly_the_limit_is_taken(settings) -> None:
    settings.EVIDENCE_MAX_BYTES = len(CONTENT)
    assert attach(make_test()).size == len(CONTENT)


def test_test_has_a_limited_number_of_files(settings, tmp_path: Path) -> None:
    settings.EVIDENCE_MAX_FILES = 1
    test = make_test()
    attach(test)
    with pytest.raises(TooMany):
        attach(test)
    assert (Evidence.objects.count(), len(objects(tmp_path))) == (1, 1)


def test_upload_that_breaks_off_leaves_nothing(tmp_path: Path) -> None:
    class Broken(io.BytesIO):
        def read(self, size: int | None = -1, /) -> bytes:
            if self.tell() > 0:
                raise ConnectionResetError("the client went away")
            return super().read(8)

    test = make_test()
    with pytest.raises(vault.Unavailable):
        attach_evidence(by=test.created_by, test=test, side="red", file=Broken(CONTENT), name="x")
    assert (Evidence.objects.count(), objects(tmp_path)) == (0, [])


def test_test_in_review_takes_no_evidence(tmp_path: Path) -> None:
    test = make_test()
    submit_test(by=test.created_by, test=test, version=test.version)
    with pytest.raises(IllegalMove):
        attach(Test.objects.get(pk=test.pk))
    assert objects(tmp_path) == []


def test_stranger_gives_no_evidence(tmp_path: Path) -> None:
    test, other = make_test(), make_test()
    with pytest.raises(NotAllowed):
        attach(test, by=other.created_by)
    assert objects(tmp_path) == []


def test_decision_covers_the_evidence() -> None:
    test = make_test()
    before = shown_hash(test)
    attach(test)
    assert shown_hash(test) != before


def test_lost_changed_truncated_and_swapped_objects_are_all_found(tmp_path: Path) -> None:
    test = make_test()
    kept = [attach(test, bytes([number]) * 100) for number in range(6)]
    files = {row.pk: tmp_path / row.key for row in kept}
    assert faults() == []
    files[kept[0].pk].unlink()
    files[kept[1].pk].write_bytes(b"\x01" * 99 + b"\x02")
    files[kept[2].pk].write_bytes(b"\x02" * 99)
    swapped = files[kept[3].pk].read_bytes()
    files[kept[3].pk].write_bytes(files[kept[4].pk].read_bytes())
    files[kept[4].pk].write_bytes(swapped)
    found = faults()
    assert {line.partition(" ")[0] for line in found} == {str(row.pk) for row in kept[:5]}
    assert sum("is gone" in line for line in found) == 1


def test_sweep_removes_old_orphans_only(tmp_path: Path) -> None:
    kept = attach(make_test())
    for name, age in (("young", 60), ("old", 25 * 3600)):
        storages["evidence"].save(f"ev/{name}", io.BytesIO(b"orphan"))
        moment = time.time() - age
        os.utime(tmp_path / "ev" / name, (moment, moment))
    moment = time.time() - 48 * 3600
    os.utime(tmp_path / kept.key, (moment, moment))
    assert sweep() == 1
    assert {path.name for path in objects(tmp_path)} == {"young", Path(kept.key).name}


@pytest.mark.parametrize(
    ("name", "kept"),
    [
        ("shot.png", "shot.png"),
        ("../../etc/passwd", "passwd"),
        ("C:\\temp\\dump.bin", "dump.bin"),
        ("a\r\nb.txt", "ab.txt"),
        ("invoice\u202egnp.exe", "invoicegnp.exe"),
        ("\0", "unnamed"),
        ("...", "unnamed"),
        ("=cmd.csv", "=cmd.csv"),
        ("x" * 300 + ".log", "x" * 251 + ".log"),
    ],
)
def test_file_names_are_data(name: str, kept: str) -> None:
    assert safe_name(name) == kept


@given(st.text())
def test_any_name_becomes_one_that_is_safe_to_show(name: str) -> None:
    kept = safe_name(name)
    assert 0 < len(kept) <= 255
    assert not set(kept) & set("/\\\r\n\0")
    kept.encode()


def test_verify_evidence_passes_while_all_is_there_and_names_what_is_not(
    tmp_path: Path, capsys: pytest.CaptureFixture[str]
) -> None:
    evidence = attach(make_test())
    call_command("verify_evidence", sweep=True)
    assert capsys.readouterr().out == "1 files of evidence, 0 wrong\n0 unfinished uploads removed\n"
    (tmp_path / evidence.key).unlink()
    with pytest.raises(SystemExit, match="1"):
        call_command("verify_evidence")
    assert f"{evidence.pk} (run.exe, test {evidence.test_id}): the object is gone" in capsys.readouterr().out
