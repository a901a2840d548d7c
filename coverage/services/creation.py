"""Making tests: from scratch, or from a template with its arguments filled in."""

from collections.abc import Mapping
from dataclasses import asdict
from typing import Any

from django.core.exceptions import ValidationError
from django.db import transaction

from aegis.accounts.models import User
from catalog.models import Technique, TestTemplate
from coverage.models import Campaign, Test, TestInvolvement
from coverage.services.fields import cleaned
from coverage.services.writing import involve, locked_campaign, permit, settle
from coverage.testing.commands import NoSuchArgument, NoSuchExecutor, plan

FROM_TEMPLATE = ("platform", "executor", "input_arguments")
"""Fields that choose what the template fills in."""


@transaction.atomic
def create_test(
    *,
    by: User,
    technique: Technique | None = None,
    template: TestTemplate | None = None,
    campaign: Campaign | None = None,
    **fields: Any,
) -> Test:
    """A draft. With a template its technique, name, procedure and commands come from there unless they are given.

    `fields` are those of `coverage.services.fields.FIELDS`; with a template `platform`, `executor` and `input_arguments` choose
    what is filled in. Raises NotAllowed, Conflict for an archived campaign, ValidationError {field: messages}.
    """
    permit(by, "test.create")
    if campaign is not None:
        campaign = locked_campaign(by, campaign)
    values = with_template(template, fields)
    position = next_position(campaign) if campaign else 0
    test = draft(by=by, technique=technique, template=template, campaign=campaign, position=position, fields=values)
    test.save()
    involve(by, test, TestInvolvement.Kind.CREATED)
    settle(by, test, "created", after=facts_of(test))
    return test


def draft(
    *,
    by: User,
    technique: Technique | None,
    template: TestTemplate | None,
    campaign: Campaign | None,
    position: int,
    fields: Mapping[str, Any],
    retest_of: Test | None = None,
) -> Test:
    """A draft with exactly these fields that is not saved, for whoever asks the policy, saves and settles by themselves.

    Raises ValidationError {field: messages}.
    """
    technique = technique or (template.technique if template else None)
    if technique is None:
        raise ValidationError({"technique": "Say which technique the test is for."})
    if not technique.is_active and retest_of is None:
        raise ValidationError({"technique": _inactive(technique)})
    test = Test(technique=technique, template=template, campaign=campaign, position=position, retest_of=retest_of)
    test.created_by = test.updated_by = by
    for name, value in cleaned(test, {"name": technique.name, **fields}).items():
        setattr(test, name, value)
    return test


def facts_of(test: Test) -> dict[str, Any]:
    """What the audit trail keeps of a new test."""
    return {
        "technique": test.technique_id,
        "template": f"{test.template.source} {test.template.external_id}" if test.template else "",
        "campaign": test.campaign_id,
        "retest_of": test.retest_of_id,
    }


def with_template(template: TestTemplate | None, fields: Mapping[str, Any]) -> dict[str, Any]:
    """`fields`, and beside them what the template fills in, if there is one. Raises ValidationError {field: messages}."""
    if template is None:
        return dict(fields)
    own = {name: value for name, value in fields.items() if name not in FROM_TEMPLATE}
    return from_template(template, fields) | own


def from_template(template: TestTemplate, given: Mapping[str, Any]) -> dict[str, Any]:
    """The fields that a template fills in, for the platform, executor and arguments that are given.

    Raises ValidationError where the template has no such executor or argument.
    """
    choice = {name: given[name] for name in FROM_TEMPLATE if given.get(name)}
    arguments = choice.pop("input_arguments", {})
    if not isinstance(arguments, dict) or not all(isinstance(value, str) for value in arguments.values()):
        raise ValidationError({"input_arguments": "Expected an object of names and texts."})
    try:
        filled = plan(template, arguments=arguments, **{name: str(value) for name, value in choice.items()})
    except NoSuchExecutor as error:
        raise ValidationError({"executor": str(error)}) from error
    except NoSuchArgument as error:
        raise ValidationError({"input_arguments": str(error)}) from error
    return {"name": template.name, "procedure": template.description, **asdict(filled)}


def _inactive(technique: Technique) -> str:
    instead = f": use {technique.revoked_by_id}" if technique.revoked_by_id else ""
    return f"{technique.mitre_id} is not active in the current ATT&CK release{instead}."


def next_position(campaign: Campaign) -> int:
    """The place behind the last test of the campaign; it is locked."""
    last = campaign.tests.order_by("-position").values_list("position", flat=True).first()
    return (last or 0) + 1
