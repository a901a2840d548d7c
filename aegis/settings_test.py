"""Settings of the tests: the real ones, in a folder of their own, on the database under test.

`AEGIS_TEST_DATABASE_URL` chooses the database; without it the tests run on SQLite, in a file with the same journal and locks
as an embedded installation.
"""

import os
import sys
import tempfile
from pathlib import Path
from types import FrameType
from typing import Any, cast

# Made and removed by the test run (conftest.py): mypy and the commands read these settings too, and need no folder.
_folder = Path(tempfile.gettempdir()) / f"aegis-test-{os.getpid()}"
os.environ |= {
    "AEGIS_DATA_DIR": str(_folder),
    "AEGIS_HTTPS": "false",
    "AEGIS_STATIC_ROOT": str(_folder),
    "AEGIS_TAXII_URL": "",
    "ALLOWED_HOSTS": "localhost,127.0.0.1,testserver",
    "AUDIT_HMAC_KEY": "an audit key of the tests: 5647382910, which signs made-up rows",
    "DEBUG": "false",
    "JWT_SIGNING_KEY": "a signing key of the tests: 0123456789, long enough for HS256",
    "LOG_LEVEL": "WARNING",
    "SECRET_KEY": "a SECRET key of the tests: 9876543210, which protects nothing at all",
}
os.environ.pop("DATABASE_URL", None)
if url := os.environ.get("AEGIS_TEST_DATABASE_URL"):
    os.environ["DATABASE_URL"] = url

from django.template import TemplateSyntaxError
from django.template.base import Node

from aegis.settings import *


class UndefinedVariable(str):
    """What a template prints for a variable that its context lacks: in our own templates, nothing; it fails the test.

    Templates of Django and of libraries rely on undefined variables, and print the empty text as always.
    """

    __slots__ = ()

    def __contains__(self, item: object) -> bool:
        return item == "%s"

    def __mod__(self, variable: object) -> str:
        template = _template_of(sys._getframe(1))
        if "site-packages" in template:
            return ""
        raise TemplateSyntaxError(f"{template}: undefined variable `{variable}`")


def _template_of(frame: FrameType | None) -> str:
    """The file of the template node that is being rendered: the innermost node on the stack knows it."""
    while frame:
        node = frame.f_locals.get("self")
        if isinstance(node, Node) and getattr(node, "origin", None):
            return str(node.origin)
        frame = frame.f_back
    return "a template made in the test"


INSTALLED_APPS = ["aegis.audit.tests", *INSTALLED_APPS]  # brings the `flush` between tests
# A task that is sent waits in this process, and nobody runs it: a test calls the task's function, or starts a worker.
CELERY_BROKER_URL = "memory://"
CELERY_BROKER_TRANSPORT = None
CELERY_BROKER_TRANSPORT_OPTIONS = {}
AEGIS_MIRROR = ""  # a test names its mirror itself: the fixture `mirror`
PASSWORD_HASHERS = ["django.contrib.auth.hashers.MD5PasswordHasher"]
STORAGES = {**STORAGES, "staticfiles": {"BACKEND": "django.contrib.staticfiles.storage.StaticFilesStorage"}}
cast(dict[str, Any], TEMPLATES[0]["OPTIONS"])["string_if_invalid"] = UndefinedVariable("%s")

if DATABASES["default"]["ENGINE"] == "django.db.backends.sqlite3":
    DATABASES["default"]["TEST"] = {"NAME": str(_folder / "test.sqlite3")}
else:
    DATABASES["default"]["CONN_MAX_AGE"] = 0  # a kept connection would hold the test database when it is to be dropped
