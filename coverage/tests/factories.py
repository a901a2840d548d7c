"""Made-up tests and campaigns, each brought to where a test wants it by the services that people use."""

from itertools import count
from typing import Any, Final

from aegis.accounts.models import User
from aegis.accounts.policy import Role
from aegis.accounts.tests.factories import make_user
from catalog.models import Technique
from catalog.tests.factories import make_technique
from coverage.models import Campaign, Layer, LayerTechnique, Test
from coverage.services.campaigns import create_campaign
from coverage.services.creation import create_test
from coverage.services.decisions import reject_test, submit_test, validate_test
from coverage.services.recording import Fact, set_outcomes
from coverage.testing.outcomes import Sighting

_numbers = count(100_001)  # as many digits for every row: names and ids sort as they were made
UNSEEN: Final = Fact(kind="logged", seen=False)


def technique_of(mitre_id: str) -> Technique:
    """The technique of this id, made if it is missing."""
    return Technique.objects.filter(mitre_id=mitre_id).first() or make_technique(mitre_id)


def facts_for(outcome: str) -> list[Fact]:
    """The facts that amount to a headline outcome."""
    if outcome == "not_tested":
        return []
    return [Fact(kind=outcome, tool="Sensor")] if outcome in Sighting.values else [UNSEEN]


def make_test(
    mitre_id: str = "T1059",
    *,
    state: str = "draft",
    outcome: str = "not_tested",
    by: User | None = None,
    lead: User | None = None,
    **fields: Any,
) -> Test:
    """A test of a technique, which is made if it is missing, in this state and with facts that amount to `outcome`.

    `by` (a red tech) creates it and writes the facts, `lead` (a red lead) decides.
    """
    by = by or make_user(Role.RED_TECH)
    named = {"name": f"Test {next(_numbers)}"} if "template" not in fields else {}
    test = create_test(by=by, technique=technique_of(mitre_id), **named | fields)
    if outcome != "not_tested":
        test = set_outcomes(by=by, test=test, facts=facts_for(outcome))
    if state == "draft":
        return test
    test = submit_test(by=by, test=test)
    if state == "in_review":
        return test
    lead = lead or make_user(Role.RED_LEAD)
    if state == "rejected":
        return reject_test(by=lead, test=test, note="Not enough to go by.")
    return validate_test(by=lead, test=test)


def make_campaign(*mitre_ids: str, by: User | None = None, **fields: Any) -> Campaign:
    """A campaign with a draft for each technique, planned by `by` (a red lead)."""
    techniques = [technique_of(mitre_id) for mitre_id in mitre_ids]
    named = {"name": f"Campaign {next(_numbers)}"} | fields
    return create_campaign(by=by or make_user(Role.RED_LEAD), techniques=techniques, **named)


def make_layer(by: User, *published_ids: str, **fields: Any) -> Layer:
    """A layer that `by` uploaded, which gives each of these techniques the score 1."""
    layer = Layer.objects.create(
        uploaded_by=by, **{"name": "A layer", "layer_version": "4.5", "sha256": "0" * 64} | fields
    )
    for one in published_ids:
        LayerTechnique.objects.create(layer=layer, published_id=one, technique_id=one, resolution="exact", score=1)
    return layer
