"""Techniques of one's own beside imports: nothing that ATT&CK publishes, drops or takes back touches them."""

import gzip
import tarfile
from typing import Any

import pytest
from cryptography.hazmat.primitives.asymmetric.ed25519 import Ed25519PrivateKey
from django.db.models import QuerySet
from django.utils import timezone

from aegis.accounts.models import User
from aegis.accounts.tests.factories import make_user
from catalog.models import DetectionRuleTechnique, LocalTechnique, Technique
from coverage.services.status import drift
from coverage.services.techniques import archive_technique, create_technique
from imports.bundles.handing_out import imported_items
from imports.bundles.keys import key_id
from imports.bundles.reading import read_bundle
from imports.bundles.writing import write_bundle
from imports.digest import catalog_digest
from imports.models import ImportRun
from imports.services import execute, request_import
from imports.tests.small_world import SmallWorld
from imports.tests.stix_world import link, stix, technique

pytestmark = [pytest.mark.django_db, pytest.mark.usefixtures("snapshots_folder")]
EXECUTION = stix("x-mitre-tactic", "TA9001", x_mitre_shortname="execution")
PHASE = {"kill_chain_name": "mitre-attack", "phase_name": "execution"}
MATRIX = stix("x-mitre-matrix", "enterprise-attack", tactic_refs=[EXECUTION["id"]])


@pytest.fixture
def admin() -> User:
    return make_user("admin", username="maria")


@pytest.fixture
def attack(world: SmallWorld) -> SmallWorld:
    world.attack(MATRIX, EXECUTION, technique("T1059", kill_chain_phases=[PHASE]), technique("T1105"))
    world.run("attack")
    return world


def local(admin: User, mitre_id: str = "T9001", name: str = "Payment file swap") -> Technique:
    return create_technique(by=admin, mitre_id=mitre_id, name=name, tactics=["execution"])


def as_it_stands(mitre_id: str) -> list[object]:
    """Every column of a technique, and its tactics."""
    row = Technique.objects.filter(mitre_id=mitre_id).values().get()
    tactics = Technique.objects.get(mitre_id=mitre_id).technique_tactics.values_list("tactic_id", "position")
    return [row, *tactics]


def test_imports_withdrawals_and_undo_leave_a_local_technique_as_it_is(attack, admin):
    local(admin)
    before = as_it_stands("T9001")
    attack.attack(MATRIX, EXECUTION, technique("T1105", description="New."))
    run = attack.run("attack")
    assert run.kinds["catalog.technique"]["withdrawn"] == 1
    assert as_it_stands("T9001") == before
    attack.undo(run)
    attack.run("attack", force=True, allowed=["undone"])
    assert as_it_stands("T9001") == before
    assert LocalTechnique.objects.get().added_by == admin
    assert list(drift()) == []


def test_undo_of_the_first_import_takes_everything_but_the_local_technique(attack, admin):
    local(admin)
    attack.undo(ImportRun.objects.get())
    assert list(Technique.objects.current().values_list("mitre_id", flat=True)) == ["T9001"]


def test_id_that_attack_publishes_later_stays_ours_and_the_run_says_so(attack, admin):
    subject = local(admin)
    before = as_it_stands("T9001")
    attack.attack(MATRIX, EXECUTION, technique("T9001", name="Cloud Theft"), technique("T1105"))
    run = attack.run("attack")
    assert as_it_stands("T9001") == before
    (issue,) = run.issues.all()
    assert issue.message == (
        "T9001 Cloud Theft was left out: its id belongs to the local technique 'Payment file swap', added by maria on "
        f"{subject.first_seen_at:%Y-%m-%d}, which stays as it is, with its tests. What else names the id means the local one"
    )
    assert run.status == "succeeded"
    assert not Technique.objects.get(mitre_id="T1059").is_current, "an issue that costs no row holds no withdrawal back"


def test_digest_of_the_catalogue_is_of_what_upstreams_publish_alone(attack, admin):
    attack.rule("a", "T1059", "T9001")
    attack.run("sigma")
    before = catalog_digest()
    local(admin)
    assert DetectionRuleTechnique.objects.get(published_id="T9001").technique_id == "T9001"
    assert catalog_digest() == before


def test_rule_that_names_a_local_id_means_it_until_it_is_archived(attack, admin):
    attack.rule("a", "T9001")
    attack.run("sigma")
    named: QuerySet[Any, Any] = DetectionRuleTechnique.objects.filter(published_id="T9001").values_list(
        "technique_id", "resolution"
    )
    subject = local(admin)
    assert list(named.all()) == [("T9001", "exact")]
    archive_technique(by=admin, technique=subject)
    assert list(named.all()) == [(None, "unresolved")]


def test_local_subtechnique_outlives_its_parent(attack, admin):
    create_technique(by=admin, mitre_id="T1059.901", name="House script host")
    new, old = technique("T1105"), technique("T1059") | {"revoked": True}
    attack.attack(MATRIX, EXECUTION, old, new, link("revoked-by", old, new))
    attack.run("attack")
    assert Technique.objects.active().filter(mitre_id="T1059.901", parent="T1059").exists()


def test_bundle_carries_no_local_technique_and_touches_none(attack, admin, tmp_path):
    before, key, file = catalog_digest(), Ed25519PrivateKey.generate(), tmp_path / "all.aegis"
    local(admin)
    write_bundle(file, imported_items(), key, made_at=timezone.now(), made_by="Aegis 9")
    with tarfile.open(file) as archive:
        snapshot = archive.extractfile("attack.snapshot.gz")
        assert snapshot
        assert b"Payment file swap" not in gzip.decompress(snapshot.read())
    bundle = read_bundle(file, {key_id(key.public_key()): key.public_key()})
    stands = as_it_stands("T9001")
    run = execute(request_import("attack"), given=bundle.snapshots["attack"], force=True)
    assert (run.status, run.withdrawn, run.updated, run.issue_count) == ("succeeded", 0, 0, 0)
    assert (catalog_digest(), as_it_stands("T9001")) == (before, stands)
