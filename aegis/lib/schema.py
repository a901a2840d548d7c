"""The OpenAPI schema: one address for each endpoint, a summary, examples, the answer with which all refuse, empty texts."""

import json
import re
from collections import Counter
from collections.abc import Iterator
from typing import Any, Final

from django.db.models import CharField
from drf_spectacular.openapi import AutoSchema

from aegis.lib.problems import FIELD_ERRORS, MEDIA_TYPE, problem

Endpoints = list[tuple[str, str, str, Any]]

CLAUSE_END: Final = re.compile(r"[.:;](?: |$)")
NOT_FILTERS: Final = frozenset({"page", "page_size"})
"""What a list takes beside its filters and its order. These two are numbers, or are left out."""
PROBLEM: Final[dict[str, Any]] = {
    "type": "object",
    "description": "What is wrong, where, and what to do (RFC 9457).",
    "required": ["type", "title", "status", "detail"],
    "properties": {
        "type": {"type": "string"},
        "title": {"type": "string"},
        "status": {"type": "integer"},
        "detail": {"type": "string"},
        "errors": {
            "type": "object",
            "description": "Messages by field or parameter.",
            "additionalProperties": True,
        },
    },
    "example": problem(400, FIELD_ERRORS, {"page_size": ["Write a whole number from 1 to 500."]}),
}


class Described(AutoSchema):
    """How an endpoint and its fields are described."""

    def _insert_field_validators(self, field: Any, schema: dict[str, Any]) -> None:
        """As the framework does; but a text that its row may leave empty has no form then."""
        super()._insert_field_validators(field, schema)  # type: ignore[no-untyped-call]
        if field.read_only and _may_be_empty(field):
            form = {name: schema.pop(name) for name in ("format", "pattern") if name in schema}
            schema |= {"anyOf": [form, {"maxLength": 0}]} if form else {}


def _may_be_empty(field: Any) -> bool:
    model = getattr(getattr(field.parent, "Meta", None), "model", None)
    columns = {column.name: column for column in model._meta.concrete_fields} if model else {}
    column = columns.get(field.source)
    return isinstance(column, CharField) and column.blank


def without_slashes(endpoints: Endpoints) -> Endpoints:
    """The endpoints by the shorter of their two addresses: a preprocessing hook."""
    return [(path.rstrip("/"), regex, method, view) for path, regex, method, view in endpoints]


def with_problems(result: dict[str, Any], **_: Any) -> dict[str, Any]:
    """The schema with the answer that every operation gives when it refuses: a postprocessing hook."""
    result["components"]["schemas"]["Problem"] = PROBLEM
    examples = {"WrongField": {"value": PROBLEM["example"], "summary": "A wrong field"}}
    content = {MEDIA_TYPE: {"schema": {"$ref": "#/components/schemas/Problem"}, "examples": examples}}
    refused = {"content": content, "description": "Refused, or not found: problem details (RFC 9457)."}
    for operations in result["paths"].values():
        for operation in operations.values():
            operation["responses"].setdefault("default", refused)
    return result


def with_empty_filters(result: dict[str, Any], **_: Any) -> dict[str, Any]:
    """The schema with what forms send of a filter that nobody chose: it may be empty, and asks for nothing. A postprocessing
    hook.
    """
    for operations in result["paths"].values():
        parameters = operations.get("get", {}).get("parameters", [])
        if NOT_FILTERS & {parameter["name"] for parameter in parameters}:
            filters = (one for one in parameters if one["in"] == "query" and one["name"] not in NOT_FILTERS)
            for parameter in filters:
                parameter["allowEmptyValue"] = True
    return result


def with_summaries(result: dict[str, Any], **_: Any) -> dict[str, Any]:
    """The schema with what each operation does, in a line of its own: how its description begins. A postprocessing hook.

    Where several begin alike, the end of the address tells them apart.
    """
    operations = [(path, one) for path, methods in result["paths"].items() for one in methods.values()]
    begins = Counter(summary_of(operation.get("description", "")) for _, operation in operations)
    for path, operation in operations:
        summary = summary_of(operation.get("description", ""))
        alike = f" ({path.rpartition('/')[2]})" if begins[summary] > 1 else ""
        operation.setdefault("summary", summary + alike)
    return result


def summary_of(description: str) -> str:
    """The first clause of a description, without its full stop."""
    return CLAUSE_END.split(" ".join(description.split()), maxsplit=1)[0]


def with_examples(result: dict[str, Any], **_: Any) -> dict[str, Any]:
    """The schema with the example of a shape wherever that shape is sent or answered: a postprocessing hook."""
    known: dict[str, Any] = {}
    for direction, content in _contents(result):
        if content.get("examples"):
            known.setdefault(_shape(direction, content), content["examples"])
    for direction, content in _contents(result):
        if not content.get("examples") and (found := known.get(_shape(direction, content))):
            content["examples"] = found
    return result


def _contents(result: dict[str, Any]) -> Iterator[tuple[str, dict[str, Any]]]:
    """Every body of every operation, each with whether it is sent or answered."""
    for operations in result["paths"].values():
        for operation in operations.values():
            for content in operation.get("requestBody", {}).get("content", {}).values():
                yield "sent", content
            for answer in operation["responses"].values():
                for content in answer.get("content", {}).values():
                    yield "answered", content


def _shape(direction: str, content: dict[str, Any]) -> str:
    return json.dumps([direction, content.get("schema")], sort_keys=True)
