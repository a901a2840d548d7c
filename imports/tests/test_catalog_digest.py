"""`manage.py catalog_digest`: what two databases are compared by."""

import json
from io import StringIO

import pytest
from django.core.management import call_command

from catalog.models import DetectionRule
from imports.digest import catalog_digest
from imports.targets import TARGETS
from imports.tests.small_world import SmallWorld

pytestmark = pytest.mark.django_db


def printed(**options: object) -> str:
    out = StringIO()
    call_command("catalog_digest", stdout=out, **options)
    return out.getvalue()


def test_every_table_is_printed_and_the_total_last(world: SmallWorld):
    world.rule("first", "T1059")
    world.run("sigma")
    lines = [line.split("  ") for line in printed().splitlines()]
    assert all(len(digest) == 64 for digest, _ in lines)
    tables = [label for _, label in lines]
    assert {target.label for target in TARGETS} <= set(tables)
    assert "catalog.detectionruletechnique" in tables
    assert tables[-1] == "total"


def test_json_holds_the_same(world: SmallWorld):
    world.rule("first", "T1059")
    world.run("sigma")
    assert json.loads(printed(json=True)) == {label: digest for digest, label in map(str.split, printed().splitlines())}


def test_digest_follows_content_alone(world: SmallWorld):
    world.rule("first", "T1059")
    world.rule("second", "T1059")
    world.run("sigma")
    before = catalog_digest()
    DetectionRule.objects.update(first_seen_at="2020-01-01T00:00:00Z", changed_at="2020-01-01T00:00:00Z")
    assert catalog_digest() == before
    world.rule("second", "T1059", level="low")
    world.run("sigma")
    changed = {label for label, digest in catalog_digest().items() if digest != before[label]}
    assert changed == {"catalog.detectionrule", "total"}


def test_rows_that_upstream_dropped_do_not_count(world: SmallWorld):
    world.rule("first", "T1059")
    world.run("sigma")
    before = catalog_digest()
    world.rule("second", "T1105")
    world.run("sigma")
    assert catalog_digest() != before
    world.remove("sigma", "rules/second.yml")
    world.run("sigma")
    assert DetectionRule.objects.count() == 2
    assert catalog_digest() == before
