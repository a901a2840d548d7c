"""What TAXII servers of the tests hold: the objects of a STIX 2.0 bundle, as a 2.1 server publishes them."""

import json
import random
import subprocess
import sys
from collections.abc import Iterator
from contextlib import contextmanager
from pathlib import Path
from typing import Any

from imports.sources.attack import ENTERPRISE

SERVER = Path(__file__).with_name("taxii_server.py")
ADDED = "2026-01-02T03:04:05.000000Z"


def as_stix21(objects: list[dict[str, Any]], version: str) -> list[dict[str, Any]]:
    """The objects in another order, each telling its STIX version, and the collection object that 2.0 has not."""
    release = {
        "type": "x-mitre-collection",
        "id": ENTERPRISE.id,
        "created": "2018-01-17T12:56:55.080Z",
        "modified": "2026-09-09T14:00:00.188Z",
        "name": ENTERPRISE.title,
        "x_mitre_version": version,
        "x_mitre_contents": [],
    }
    told = [{**each, "spec_version": "2.1"} for each in [*objects, release]]
    random.Random(4).shuffle(told)
    return told


def manifest(objects: list[dict[str, Any]]) -> list[dict[str, str]]:
    """One entry for each object, as 2.1 has it."""
    return [
        {
            "id": each["id"],
            "date_added": ADDED,
            "version": each.get("modified") or each.get("created") or ADDED,
            "media_type": "application/stix+json;version=2.1",
        }
        for each in objects
    ]


def config(folder: Path, objects: list[dict[str, Any]], *, page: int, backend: str = "MemoryBackend") -> Path:
    """The configuration and data of a medallion server with one collection."""
    collection = {
        "id": ENTERPRISE.id,
        "title": ENTERPRISE.title,
        "can_read": True,
        "can_write": False,
        "media_types": ["application/stix+json;version=2.1"],
        "objects": objects,
        "manifest": manifest(objects),
    }
    mobile = {**collection, "id": "x-mitre-collection--mobile", "title": "Mobile ATT&CK", "objects": [], "manifest": []}
    information = {"title": "ATT&CK", "versions": ["application/taxii+json;version=2.1"], "max_content_length": 9999}
    data = {
        "/discovery": {"title": "A TAXII server of the tests", "api_roots": ["/v21/"]},
        "v21": {"information": information, "status": [], "collections": [mobile, collection]},
    }
    (folder / "data.json").write_text(json.dumps(data))
    settings = {
        "backend": {
            "module": "__main__" if backend == "LinearBackend" else "medallion.backends.memory_backend",
            "module_class": backend,
            "filename": str(folder / "data.json"),
        },
        "users": {"reader": "made up"},
        "taxii": {"max_page_size": page},
    }
    (folder / "config.json").write_text(json.dumps(settings))
    return folder / "config.json"


@contextmanager
def medallion(config: Path) -> Iterator[str]:
    """The address of the API root of a running server."""
    with subprocess.Popen(
        [sys.executable, str(SERVER), str(config)], stdout=subprocess.PIPE, stderr=subprocess.DEVNULL, text=True
    ) as process:
        try:
            assert process.stdout is not None
            yield f"http://127.0.0.1:{int(process.stdout.readline())}/v21/"
        finally:
            process.kill()
