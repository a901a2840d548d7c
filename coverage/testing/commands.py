"""What a template tells a tester to run: one of its executors, with the arguments filled in."""

from collections.abc import Mapping
from dataclasses import dataclass
from typing import Any

from catalog.arguments import defaults, filled
from catalog.models import TestTemplate


class NoSuchExecutor(ValueError):
    """The template has no such executor, or not on that platform; the message lists those that it has."""


class NoSuchArgument(ValueError):
    """The template has no argument of that name; the message lists those that it has."""


@dataclass(frozen=True, slots=True)
class Plan:
    """What is to be run, with the values filled in; an argument without a value stays in the commands as `#{name}`."""

    platform: str
    executor: str
    input_arguments: dict[str, str]
    commands: str
    cleanup_commands: str


def plan(
    template: TestTemplate, *, platform: str = "", executor: str = "", arguments: Mapping[str, str] | None = None
) -> Plan:
    """The commands of the template's first executor that fits, with its defaults overridden by `arguments`.

    Raises NoSuchExecutor, NoSuchArgument.
    """
    chosen = _chosen(template, platform, executor)
    known = [str(argument["name"]) for argument in template.input_arguments]
    given = dict(arguments or {})
    if unknown := sorted(given.keys() - set(known)):
        raise NoSuchArgument(
            f"The template has no argument {', '.join(unknown)}. It has {', '.join(known) if known else 'none'}."
        )
    values = defaults(template.input_arguments) | given
    return Plan(
        platform=str(chosen.get("platform") or ""),
        executor=str(chosen.get("executor") or ""),
        input_arguments=values,
        commands=_text(str(chosen.get("command") or ""), values),
        cleanup_commands=_text(str(chosen.get("cleanup") or ""), values),
    )


def _chosen(template: TestTemplate, platform: str, executor: str) -> Mapping[str, Any]:
    choices: list[Mapping[str, Any]] = template.executors or [
        {
            "platform": template.platforms[0] if template.platforms else "",
            "command": template.attack_commands,
            "cleanup": template.cleanup_commands,
        }
    ]
    for choice in choices:
        if platform in {"", choice.get("platform")} and executor in {"", choice.get("executor")}:
            return choice
    offered = ", ".join(f"{choice.get('executor') or 'commands'} on {choice.get('platform')}" for choice in choices)
    raise NoSuchExecutor(f"The template has no executor {executor} for platform {platform}. It has {offered}.")


def _text(command: str, values: Mapping[str, str]) -> str:
    return "".join(span.text for span in filled(command, values))
