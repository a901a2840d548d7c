"""`Idempotency-Key`: a POST that makes something may be sent again, and makes it once.

After draft-ietf-httpapi-idempotency-key-header-06. The answer is kept in the transaction of the write itself: a process that is
killed leaves both behind, or neither.
"""

from __future__ import annotations

import json
import re
from collections.abc import Callable
from functools import wraps
from hashlib import sha256
from typing import Any, Final, cast

from django.db import transaction
from drf_spectacular.utils import OpenApiParameter, extend_schema
from rest_framework import status
from rest_framework.exceptions import APIException, ValidationError
from rest_framework.renderers import JSONRenderer
from rest_framework.request import Request
from rest_framework.response import Response

from aegis.accounts.access import refuse_other_roles
from aegis.accounts.models import KeptAnswer, User
from aegis.accounts.policy import ACTIONS, OBJECT_RULES

HEADER: Final = "Idempotency-Key"
REPLAYED: Final = "Idempotency-Replayed"
FORM: Final = re.compile("[\x20-\x7e]{1,255}")
KEPT_HEADERS: Final = ("ETag", "Location")
PARAMETERS: Final = [
    OpenApiParameter(
        HEADER,
        {"type": "string", "minLength": 1, "maxLength": 255, "pattern": "^[ -~]+$"},
        "header",
        description="A text of your choice, such as a UUID, new for each thing to make. Sent again within 24 hours with "
        f"the same body, nothing is made, and the first answer comes again with `{REPLAYED}: true`. With another body or "
        "address: 422.",
    ),
    OpenApiParameter(
        REPLAYED,
        {"type": "string", "enum": ["true"]},
        "header",
        response=[201],
        description=f"Nothing was made: the answer is that of the first request with this `{HEADER}`.",
    ),
]

Post = Callable[..., Response]


class KeyTaken(APIException):
    """The key came with another request before."""

    status_code = status.HTTP_422_UNPROCESSABLE_ENTITY
    default_detail = (
        f"This {HEADER} came with another request before, to another address or with another body. Nothing was made: send a "
        "new key for a new request, or the first request as it was."
    )


def repeatable(action: str) -> Callable[[Post], Post]:
    """Decorator of a view's `post`: for those whom the policy allows `action`, and once for each key of theirs.

    A refusal is not kept: the same key may come again. Raises ValueError for an action that asks something of an object: the
    object would not be looked at before an answer comes again.
    """
    if action not in ACTIONS or action in OBJECT_RULES:
        raise ValueError(f"{action!r} is no action of the policy that is allowed by role alone.")

    def decorate(post: Post) -> Post:
        @wraps(post)
        def answer(view: Any, request: Request, *args: Any, **kwargs: Any) -> Response:
            refuse_other_roles(request.user, action)
            if (key := key_of(request)) is None:
                return post(view, request, *args, **kwargs)
            return once(request, key, lambda: post(view, request, *args, **kwargs))

        return cast(Post, extend_schema(parameters=PARAMETERS)(answer))

    return decorate


def key_of(request: Request) -> str | None:
    """The key, with or without the quotes of a structured field; None without the header. Raises ValidationError."""
    sent = request.headers.get(HEADER)
    if sent is None:
        return None
    key = sent[1:-1] if len(sent) > 1 and sent[0] == sent[-1] == '"' else sent
    if not FORM.fullmatch(key):
        raise ValidationError({HEADER: ["Write 1 to 255 printable ASCII characters, such as a UUID."]})
    return key


def once(request: Request, key: str, post: Callable[[], Response]) -> Response:
    """The answer of `post`, or that which it gave before. Of two at once the second waits for the first. Raises KeyTaken."""
    user, fingerprint = cast(User, request.user), fingerprint_of(request)
    with transaction.atomic():
        KeptAnswer.objects.filter(user=user, key=key).outdated().delete()
        kept, is_first = KeptAnswer.objects.get_or_create(user=user, key=key, defaults={"fingerprint": fingerprint})
        if not is_first:
            return again(kept, fingerprint)
        response = post()
        kept.status, kept.body = response.status_code, JSONRenderer().render(response.data).decode()
        kept.headers = {name: response[name] for name in KEPT_HEADERS if name in response}
        kept.save(update_fields=["status", "body", "headers"])
        return response


def again(kept: KeptAnswer, fingerprint: str) -> Response:
    """The answer that was kept. Raises KeyTaken if it belongs to another request."""
    if kept.fingerprint != fingerprint:
        raise KeyTaken
    return Response(json.loads(kept.body), status=kept.status, headers={**kept.headers, REPLAYED: "true"})


def fingerprint_of(request: Request) -> str:
    """What makes a request the same: method, address and what the body says. Raises what reading the body raises."""
    said = json.dumps([request.method, request.path.rstrip("/"), request.data], sort_keys=True)
    return sha256(said.encode()).hexdigest()
