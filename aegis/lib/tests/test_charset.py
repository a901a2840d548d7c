"""No charset that a request claims can break the server."""

from asyncio import Event
from io import BytesIO

import pytest
from asgiref.sync import async_to_sync
from django.core.asgi import get_asgi_application
from django.core.wsgi import get_wsgi_application
from django.test import AsyncRequestFactory, RequestFactory

from aegis.lib.charset import utf8_only, utf8_only_async

pytestmark = pytest.mark.django_db  # the end of a request looks after the connection that an earlier test left open


CHARSETS = ["hex", "zlib", "rot13", "idna", "utf-16", "utf-7", '"hex"', "no-such", ""]


@pytest.mark.parametrize("charset", CHARSETS)
def test_a_claimed_charset_never_breaks_a_request(charset):
    environ = RequestFactory().get("/health?a=%FF").environ | {"CONTENT_TYPE": f"text/plain; charset={charset}; x=y"}
    answers = []
    body = utf8_only(get_wsgi_application())(environ, lambda status, headers: answers.append(status))
    assert (answers, b"".join(body)) == (["200 OK"], b'{"status": "ok"}')


@pytest.mark.parametrize("charset", CHARSETS)
def test_a_claimed_charset_never_breaks_an_asynchronous_request(charset):
    scope = AsyncRequestFactory().get("/health?a=%FF").scope
    scope["headers"] = [(b"host", b"testserver"), (b"content-type", f"text/plain; charset={charset}; x=y".encode())]
    requests, sent = [{"type": "http.request", "body": b""}], []

    async def receive():
        return requests.pop() if requests else await Event().wait()

    async def send(message):
        sent.append(message)

    async_to_sync(utf8_only_async(get_asgi_application()))(scope, receive, send)
    assert (sent[0]["status"], sent[1]["body"]) == (200, b'{"status": "ok"}')


def test_the_other_parameters_of_a_content_type_stay():
    seen = []
    environ = {"CONTENT_TYPE": 'multipart/form-data; charset=hex; boundary="abc"', "wsgi.input": BytesIO()}

    def note(environ, _start):
        seen.append(environ["CONTENT_TYPE"])
        return []

    utf8_only(note)(environ, None)
    assert seen == ['multipart/form-data; boundary="abc"']
