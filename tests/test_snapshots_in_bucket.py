"""Kept snapshots on a real S3 server: below a folder of their own, beside the evidence."""

from collections.abc import Iterator
from pathlib import Path

import environ
import pytest

from aegis.lib.evidence_storage import snapshot_storage
from coverage.tests.bucket import ACCESS_KEY, BUCKET, SECRET_KEY, client, running_server
from imports.models import DataSource
from imports.snapshots import kept, sweep
from imports.tests.small_world import SmallWorld

# What lies in the bucket: the rows beside it are those of imports/tests/test_snapshots.py, which asks both databases.
pytestmark = [pytest.mark.django_db, pytest.mark.one_database]


@pytest.fixture(scope="module")
def address(tmp_path_factory) -> Iterator[str]:
    with running_server(tmp_path_factory.mktemp("bucket")) as found:
        yield found


@pytest.fixture
def objects(address: str, settings):
    """The names of all objects in the bucket, whenever it is called."""
    env = environ.Env()
    env.ENVIRON = {"MINIO_ENDPOINT": address, "MINIO_ACCESS_KEY": ACCESS_KEY, "MINIO_SECRET_KEY": SECRET_KEY}
    settings.STORAGES = settings.STORAGES | {"snapshots": snapshot_storage(env, Path("unused"))}
    s3 = client(address)
    return lambda: [entry["Key"] for entry in s3.list_objects_v2(Bucket=BUCKET).get("Contents", [])]


def test_runs_keep_their_snapshots_in_the_bucket_and_sweep_it(objects, tmp_path: Path) -> None:
    world = SmallWorld(tmp_path)
    digests = []
    for number in range(4):
        world.rule("a", title=f"Version {number}")
        digests.append(world.run("sigma").digest)
    assert sorted(objects()) == sorted(f"snapshots/sigma/{digest}" for digest in digests[-3:])
    back = kept("sigma", digests[-1])
    assert back is not None
    assert [file.path for file in back.files()] == ["rules/a.yml"]


def test_damaged_object_is_removed(objects, tmp_path: Path, address: str) -> None:
    world = SmallWorld(tmp_path)
    world.rule("b")
    digest = world.run("sigma").digest
    client(address).put_object(Bucket=BUCKET, Key=f"snapshots/sigma/{digest}", Body=b"something else")
    assert kept("sigma", digest) is None
    assert objects() == []
    sweep(DataSource.objects.get(slug="sigma"))
