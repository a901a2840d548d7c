"""Triggers: involvement is append-only, and nobody who is involved decides."""

from django.db import migrations

from coverage.triggers import install, remove


class Migration(migrations.Migration):
    dependencies = [("coverage", "0001_tests")]

    operations = [migrations.RunPython(install, remove)]
