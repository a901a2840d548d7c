"""The chain's first head, and the triggers that refuse to change it."""

from typing import Any

from django.db import migrations

from aegis.audit import triggers
from aegis.audit.chain import GENESIS, signing_key


def start(apps: Any, schema_editor: Any) -> None:
    key = signing_key()
    head = {"size": 0, "mac": GENESIS, "key_id": key.id, "signature": key.signature_of(0, GENESIS)}
    apps.get_model("audit", "AuditHead").objects.create(id=1, **head)
    triggers.install(schema_editor.connection)


def take_back(apps: Any, schema_editor: Any) -> None:
    triggers.remove(schema_editor.connection)
    apps.get_model("audit", "AuditHead").objects.all().delete()


class Migration(migrations.Migration):
    dependencies = [("audit", "0001_initial")]
    operations = [migrations.RunPython(start, take_back)]
