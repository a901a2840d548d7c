"""What every answer has in common: headers, the shell, and errors in words."""

import pytest

from aegis.accounts.policy import Role
from aegis.lib.headers import HEADERS

CONTENT_SECURITY_POLICY = {
    "default-src 'none'",
    "script-src 'self'",
    "style-src 'self'",
    "img-src 'self'",
    "font-src 'self'",
    "connect-src 'self'",
    "form-action 'self'",
    "base-uri 'none'",
    "object-src 'none'",
    "frame-ancestors 'none'",
    "manifest-src 'self'",
}
EXPECTED = {
    "Cache-Control": "no-store",
    "Cross-Origin-Opener-Policy": "same-origin",
    "Cross-Origin-Resource-Policy": "same-origin",
    "Permissions-Policy": "camera=(), microphone=(), geolocation=(), usb=(), clipboard-read=()",
    "Referrer-Policy": "same-origin",
    "X-Content-Type-Options": "nosniff",
    "X-Frame-Options": "DENY",
    "X-Robots-Tag": "noindex",
}


@pytest.mark.parametrize(
    ("path", "status"),
    [
        ("/shell", 200),
        ("/read", 200),
        ("/suspicious", 400),
        ("/sync", 403),
        ("/nowhere", 404),
        ("/broken", 500),
        ("/accounts/login", 302),
        ("/api/v1/forgotten", 403),
        ("/anybody", 200),
    ],
)
def test_every_answer_carries_the_same_headers(small_site, client_of, path, status):
    client = client_of(Role.VIEWER)
    client.raise_request_exception = False
    response = client.get(path)
    assert response.status_code == status
    assert set(response["Content-Security-Policy"].split("; ")) == CONTENT_SECURITY_POLICY
    assert {name: response[name] for name in EXPECTED} == EXPECTED
    assert set(EXPECTED) >= set(HEADERS)


@pytest.mark.parametrize(
    "path", ["/accounts/login", "/read", "/nowhere", "/anybody", "/admin/", "/health", "/health/", "/health/ready"]
)
def test_strangers_get_the_same_headers(small_site, client, path):
    response = client.get(path)
    assert set(response["Content-Security-Policy"].split("; ")) == CONTENT_SECURITY_POLICY
    assert {name: response[name] for name in EXPECTED} == EXPECTED


def test_health_answers_everybody_without_the_database(client):
    for path in ("/health", "/health/"):
        response = client.get(path)
        assert (response.status_code, response["Content-Type"], response.json()) == (
            200,
            "application/json",
            {"status": "ok"},
        )
    assert client.post("/health").status_code == 405
    assert not client.cookies


def test_page_names_its_user_and_offers_the_way_out(small_site, client_of):
    page = client_of(Role.BLUE_LEAD).get("/shell").text
    assert "a blue_lead" in page
    assert "Blue lead" in page
    assert '<form class="nav-user" method="post" action="/accounts/logout">' in page


def test_navigation_links_only_to_what_exists_and_is_allowed(small_site, client_of):
    admin, viewer = client_of(Role.ADMIN).get("/shell").text, client_of(Role.VIEWER).get("/shell").text
    assert admin.count('class="nav-link"') == 2
    assert 'href="/users"' in admin
    assert 'href="/admin/"' in admin
    assert 'class="nav-link"' not in viewer
    assert "Search techniques" not in viewer


def test_error_pages_say_what_to_do_and_nothing_of_the_inside(small_site, client_of):
    client = client_of(Role.VIEWER)
    client.raise_request_exception = False
    for path, words in {
        "/suspicious": "This request cannot be read",
        "/sync": "You may not do this",
        "/nowhere": "There is no such page",
        "/broken": "Something broke on our side",
    }.items():
        page = client.get(path).text
        assert words in page
        assert not [
            inside for inside in ("Traceback", "ValueError", "inside of the machine", "made-up") if inside in page
        ]


def test_stranger_on_a_wrong_path_sees_no_navigation(small_site, client):
    page = client.get("/nowhere")
    assert page.status_code == 404
    assert 'class="nav"' not in page.text
