"""What somebody chooses of a template: one of its executors, and the values of its arguments. For forms and their preview."""

from collections.abc import Mapping
from typing import Any, Final

from django import forms

from catalog.arguments import defaults
from catalog.models import TestTemplate
from coverage.testing.commands import Plan, plan

LONGEST: Final = 4000


def ways(template: TestTemplate) -> list[tuple[str, str]]:
    """The executors of a template as choices: their number, and in words what runs where."""
    return [
        (str(number), f"{one.get('executor') or 'commands'} on {one.get('platform') or 'any platform'}")
        for number, one in enumerate(template.executors)
    ]


def argument_fields(template: TestTemplate, values: Mapping[str, str] | None = None) -> dict[str, forms.CharField]:
    """A field for each argument, by its name in the form; it begins with the value given, or else with its default."""
    known = defaults(template.input_arguments) | dict(values or {})
    return {
        f"argument-{number}": forms.CharField(
            required=False,
            strip=False,
            max_length=LONGEST,
            label=str(one["name"]),
            initial=known.get(str(one["name"]), ""),
            help_text=str(one.get("description") or ""),
            widget=forms.TextInput(attrs={"class": "input input--num", "spellcheck": "false", "autocomplete": "off"}),
        )
        for number, one in enumerate(template.input_arguments)
    }


def chosen(template: TestTemplate, data: Mapping[str, str]) -> dict[str, Any]:
    """`platform`, `executor` and `input_arguments` as the form says them; what it does not say is left out.

    An argument that is left at its default is none of them.
    """
    standing = defaults(template.input_arguments)
    written = {
        str(one["name"]): data[f"argument-{number}"][:LONGEST]
        for number, one in enumerate(template.input_arguments)
        if f"argument-{number}" in data
    }
    arguments = {name: value for name, value in written.items() if value != standing.get(name, "")}
    return _way(template, data.get("way", "")) | ({"input_arguments": arguments} if arguments else {})


def preview(template: TestTemplate, data: Mapping[str, str]) -> Plan:
    """What a test would get with these choices."""
    choice = chosen(template, data)
    return plan(
        template,
        platform=choice.get("platform", ""),
        executor=choice.get("executor", ""),
        arguments=choice.get("input_arguments"),
    )


def _way(template: TestTemplate, number: str) -> dict[str, str]:
    if not number.isdecimal() or int(number[:4]) >= len(template.executors):
        return {}
    way = template.executors[int(number[:4])]
    return {name: str(way.get(name) or "") for name in ("platform", "executor")}


class RefillForm(forms.Form):
    """Other choices for a test that comes from a template."""

    way = forms.ChoiceField(required=False, label="Run with", widget=forms.Select(attrs={"class": "select"}))

    def __init__(self, template: TestTemplate, values: Mapping[str, str], way: str = "") -> None:
        super().__init__(label_suffix="", auto_id="refill_%s", initial={"way": way})
        self.fields["way"].choices = ways(template)  # type: ignore[attr-defined]
        if len(template.executors) < 2:
            del self.fields["way"]
        self.fields |= argument_fields(template, values)


def refill_form(template: TestTemplate | None, *, platform: str, executor: str, values: Mapping[str, str]) -> Any:
    """The form with the choices that a test was made with; None where there is nothing to choose."""
    if template is None or (len(template.executors) < 2 and not template.input_arguments):
        return None
    wanted = (platform, executor)
    places = [(str(one.get("platform") or ""), str(one.get("executor") or "")) for one in template.executors]
    return RefillForm(template, values, str(places.index(wanted)) if wanted in places else "")
