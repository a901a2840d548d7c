"""Tests that were validated without an outcome are counted by themselves, no longer among those that met their expectation."""

from typing import Any

from django.db import migrations, models
from django.db.models import Count, F, Value
from django.db.models.functions import Greatest


def part(apps: Any, schema_editor: Any) -> None:
    """Take the attested tests of each technique out of those that met."""
    tests = apps.get_model("coverage", "Test").objects.filter(archived_at=None, state="validated", outcome="not_tested")
    rows = apps.get_model("coverage", "TechniqueCoverage").objects
    for technique, number in tests.order_by().values_list("technique_id").annotate(Count("pk")):
        met = Greatest(F("tests_met") - number, Value(0))
        rows.filter(technique_id=technique).update(tests_met=met, tests_attested=number)


def join(apps: Any, schema_editor: Any) -> None:
    """Count them together again."""
    rows = apps.get_model("coverage", "TechniqueCoverage").objects.exclude(tests_attested=0)
    rows.update(tests_met=F("tests_met") + F("tests_attested"))


class Migration(migrations.Migration):

    dependencies = [
        ('coverage', '0008_gap_owners'),
    ]

    operations = [
        migrations.AddField(
            model_name='techniquecoverage',
            name='tests_attested',
            field=models.PositiveIntegerField(default=0, editable=False),
        ),
        migrations.RunPython(part, join),
    ]
