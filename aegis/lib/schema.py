"""Hooks of the OpenAPI schema: one address for each endpoint, and the answer with which all of them refuse."""

from typing import Any, Final

from aegis.lib.problems import FIELD_ERRORS, MEDIA_TYPE, problem

Endpoints = list[tuple[str, str, str, Any]]

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


def without_slashes(endpoints: Endpoints) -> Endpoints:
    """The endpoints by the shorter of their two addresses: a preprocessing hook."""
    return [(path.rstrip("/"), regex, method, view) for path, regex, method, view in endpoints]


def with_problems(result: dict[str, Any], **_: Any) -> dict[str, Any]:
    """The schema with the answer that every operation gives when it refuses: a postprocessing hook."""
    result["components"]["schemas"]["Problem"] = PROBLEM
    content = {MEDIA_TYPE: {"schema": {"$ref": "#/components/schemas/Problem"}}}
    refused = {"content": content, "description": "Refused, or not found: problem details (RFC 9457)."}
    for operations in result["paths"].values():
        for operation in operations.values():
            operation["responses"].setdefault("default", refused)
    return result
