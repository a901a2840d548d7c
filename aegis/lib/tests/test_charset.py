"""No charset that a request claims can break the server."""

from io import BytesIO

import pytest
from django.core.wsgi import get_wsgi_application
from django.test import RequestFactory

from aegis.lib.charset import utf8_only

pytestmark = pytest.mark.django_db  # the end of a request looks after the connection that an earlier test left open


@pytest.mark.parametrize("charset", ["hex", "zlib", "rot13", "idna", "utf-16", "utf-7", '"hex"', "no-such", ""])
def test_a_claimed_charset_never_breaks_a_request(charset):
    environ = RequestFactory().get("/health?a=%FF").environ | {"CONTENT_TYPE": f"text/plain; charset={charset}; x=y"}
    answers = []
    body = utf8_only(get_wsgi_application())(environ, lambda status, headers: answers.append(status))
    assert (answers, b"".join(body)) == (["200 OK"], b'{"status": "ok"}')


def test_the_other_parameters_of_a_content_type_stay():
    seen = []
    environ = {"CONTENT_TYPE": 'multipart/form-data; charset=hex; boundary="abc"', "wsgi.input": BytesIO()}

    def note(environ, _start):
        seen.append(environ["CONTENT_TYPE"])
        return []

    utf8_only(note)(environ, None)
    assert seen == ['multipart/form-data; boundary="abc"']
