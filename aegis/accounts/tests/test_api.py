"""Logging in to the API: tokens that cannot be forged, outlived or used twice, and refusals that tell nothing."""

import json
from base64 import urlsafe_b64decode, urlsafe_b64encode
from datetime import timedelta

import jwt
import pytest
from django.conf import settings
from django.utils import timezone
from rest_framework.test import APIClient

from aegis.accounts.models import ApiSession
from aegis.accounts.tests.factories import PASSWORD, bearer, make_user
from aegis.accounts.tokens import start_session

pytestmark = pytest.mark.django_db
LOGIN, REFRESH, LOGOUT, ME = (f"/api/v1/auth/{name}" for name in ("login", "refresh", "logout", "me"))


@pytest.fixture
def maria():
    return make_user("blue_tech", username="maria", email="maria@example.org")


def post(path, body, token="", **headers):
    if token:
        headers["HTTP_AUTHORIZATION"] = f"Bearer {token}"
    return APIClient(raise_request_exception=False).post(path, body, format="json", **headers)


def who(token):
    """The status of /auth/me with this token."""
    return APIClient(raise_request_exception=False).get(ME, HTTP_AUTHORIZATION=f"Bearer {token}").status_code


def log_in():
    return post(LOGIN, {"username": "maria", "password": PASSWORD}).json()


@pytest.mark.parametrize("content_type", ["application/json", "application/x-www-form-urlencoded"])
def test_a_form_or_json_logs_in(maria, content_type):
    given = {"username": "maria", "password": PASSWORD}
    body = json.dumps(given) if "json" in content_type else f"username=maria&password={PASSWORD.replace(' ', '+')}"
    response = APIClient().generic("POST", LOGIN, body, content_type=content_type)
    assert response.status_code == 200
    answer = response.json()
    assert list(answer) == ["access_token", "refresh_token", "token_type", "expires_in"]
    assert (answer["token_type"], answer["expires_in"]) == ("bearer", 3600)
    assert who(answer["access_token"]) == 200
    assert "Set-Cookie" not in response


def test_an_oauth_client_may_say_that_it_sends_a_password(maria):
    assert post(LOGIN, {"grant_type": "password", "username": "maria", "password": PASSWORD}).status_code == 200
    assert post(LOGIN, {"grant_type": "magic", "username": "maria", "password": PASSWORD}).status_code == 400


def test_me_is_who_asks(maria):
    assert bearer(maria).get(ME).json() == {
        "id": maria.pk,
        "username": "maria",
        "email": "maria@example.org",
        "role": "blue_tech",
        "is_active": True,
    }


def test_logins_that_fail_all_read_the_same(maria, monkeypatch):
    make_user(username="gone", is_active=False)
    hashed: list[str] = []
    monkeypatch.setattr("django.contrib.auth.hashers.MD5PasswordHasher.encode", _counting(hashed))
    answers = set()
    for username, password in [
        ("maria", "wrong"),
        ("nobody", PASSWORD),
        ("gone", PASSWORD),
        ("gone", "wrong"),
        ("Maria", PASSWORD),
    ]:
        hashed.clear()
        response = post(LOGIN, {"username": username, "password": password})
        answers.add((response.status_code, response.content, response["WWW-Authenticate"], len(hashed)))
    assert len(answers) == 1
    ((status, content, _, hashes),) = answers
    assert (status, hashes) == (401, 1)
    assert json.loads(content)["detail"] == "That user name and password do not match. Capitals count in both."


def _counting(calls):
    def encode(self, password, salt, *rest):
        calls.append(password)
        return f"md5${salt}$0"

    return encode


@pytest.mark.parametrize(
    ("body", "field"),
    [
        ({"username": "maria"}, "password"),
        ({"password": PASSWORD}, "username"),
        ({"username": "maria\0", "password": PASSWORD}, "username"),
        ({"username": "maria", "password": "a\0b"}, "password"),
        ({"username": "maria", "password": "\ud800"}, "password"),
        ({"username": "m" * 151, "password": PASSWORD}, "username"),
        ({"username": "maria", "password": "x" * 1025}, "password"),
        ({"username": ["maria"], "password": PASSWORD}, "username"),
        ({"username": {"a": 1}, "password": PASSWORD}, "username"),
        ({"username": None, "password": PASSWORD}, "username"),
        ({"username": "maria", "password": PASSWORD, "role": "admin"}, "role"),
        ({"username": "maria", "password": PASSWORD, "is_superuser": True}, "is_superuser"),
    ],
)
def test_a_login_that_is_no_login_is_refused_by_field(maria, body, field):
    response = APIClient().generic("POST", LOGIN, json.dumps(body), content_type="application/json")
    assert response.status_code == 400
    assert list(response.json()["errors"]) == [field]


@pytest.mark.parametrize(
    "body",
    [
        b"", b"{", b"null", b"[]", b'"text"', b"1", b"NaN", b"[" * 100_000, b'{"a":' * 100_000, b"\xff\xfe{\0}\0", b"{}{}",
        b'{"username": "maria", "username": "root", "password": "x"}', b'{"username": 1e999}', b"9" * 5000, b'{"a": Infinity}',
    ],
)  # fmt: skip
@pytest.mark.parametrize("path", [LOGIN, REFRESH])
def test_a_body_that_cannot_be_read_is_refused(maria, path, body):
    for charset in ("", "; charset=utf-8", "; charset=utf-16"):
        response = APIClient(raise_request_exception=False).generic(
            "POST", path, body, content_type=f"application/json{charset}"
        )
        assert (response.status_code, response["Content-Type"]) == (400, "application/problem+json"), response.content


def test_a_body_of_another_kind_or_size_is_refused(maria):
    client = APIClient(raise_request_exception=False)
    assert client.generic("POST", LOGIN, "<a/>", content_type="application/xml").status_code == 415
    assert client.generic("POST", REFRESH, "a=b", content_type="application/x-www-form-urlencoded").status_code == 415
    assert client.generic("POST", LOGIN, b'"' + b"x" * 3_000_000, content_type="application/json").status_code == 413
    many = "&".join(f"f{number}=1" for number in range(5000))
    assert client.generic("POST", LOGIN, many, content_type="application/x-www-form-urlencoded").status_code == 400


def test_a_token_says_who_and_nothing_about_rights(maria):
    for token in (log_in()["access_token"], log_in()["refresh_token"]):
        claims = jwt.decode(token, options={"verify_signature": False})
        assert set(claims) == {"token_type", "exp", "iat", "jti", "user_id", "hash_password", "sid", "aud", "iss"}
        assert (claims["aud"], claims["iss"], claims["user_id"]) == ("aegis-api", "aegis", str(maria.pk))


def test_a_refresh_token_is_good_once_and_its_second_use_ends_the_session(maria):
    first = log_in()
    second = post(REFRESH, {"refresh_token": first["refresh_token"]}).json()
    assert who(second["access_token"]) == who(first["access_token"]) == 200
    assert second["refresh_token"] != first["refresh_token"]
    reused = post(REFRESH, {"refresh_token": first["refresh_token"]})
    assert reused.status_code == 401
    assert "used before" in reused.json()["detail"]
    assert who(second["access_token"]) == who(first["access_token"]) == 401
    assert post(REFRESH, {"refresh_token": second["refresh_token"]}).status_code == 401


def test_logging_out_ends_this_session_and_no_other(maria):
    ours, other = log_in(), log_in()
    assert post(LOGOUT, {"refresh_token": ours["refresh_token"]}, ours["access_token"]).status_code == 204
    assert who(ours["access_token"]) == 401
    assert post(REFRESH, {"refresh_token": ours["refresh_token"]}).status_code == 401
    assert who(other["access_token"]) == 200


def test_logging_out_needs_no_more_than_the_access_token(maria):
    ours = log_in()
    assert post(LOGOUT, {}, ours["access_token"]).status_code == 204
    assert who(ours["access_token"]) == 401
    assert post(LOGOUT, {}, ours["access_token"]).status_code == 401


def test_nobody_ends_the_session_of_somebody_else(maria):
    theirs = start_session(make_user("admin"))
    refused = post(LOGOUT, {"refresh_token": theirs["refresh_token"]}, log_in()["access_token"])
    assert refused.status_code == 400
    assert list(refused.json()["errors"]) == ["refresh_token"]
    assert who(theirs["access_token"]) == 200


def test_a_login_by_session_has_no_token_to_end(client, maria):
    client.force_login(maria)
    assert client.post(LOGOUT, "{}", content_type="application/json").status_code == 400
    strict = APIClient(enforce_csrf_checks=True)
    strict.force_login(maria)
    assert strict.post(LOGOUT, {}, format="json").status_code == 403


@pytest.mark.parametrize("change", ["deactivate", "delete", "password"])
def test_a_token_does_not_outlive_its_user(maria, change):
    tokens = log_in()
    if change == "delete":
        maria.delete()
    elif change == "deactivate":
        maria.is_active = False
        maria.save()
    else:
        maria.set_password("another password of the tests")
        maria.save()
    assert who(tokens["access_token"]) == 401
    assert post(REFRESH, {"refresh_token": tokens["refresh_token"]}).status_code == 401


def test_a_new_role_counts_at_the_next_request(maria):
    tokens = log_in()
    maria.role = "viewer"
    maria.save()
    assert APIClient().get(ME, HTTP_AUTHORIZATION=f"Bearer {tokens['access_token']}").json()["role"] == "viewer"


def forged(token, header=None, key=settings.SIMPLE_JWT["SIGNING_KEY"], algorithm="HS256", **changes):
    """A token with changed claims, signed with `key`; a claim of None is left out."""
    claims = jwt.decode(token, options={"verify_signature": False}) | changes
    claims = {name: value for name, value in claims.items() if value is not None}
    return jwt.encode(claims, key, algorithm=algorithm, headers=header)


def unsigned(token, alg):
    header = urlsafe_b64encode(json.dumps({"alg": alg, "typ": "JWT"}).encode()).rstrip(b"=").decode()
    return f"{header}.{token.split('.')[1]}."


def test_no_token_is_forged(maria):
    token = log_in()["access_token"]
    assert who(forged(token)) == 200, "the forger's tools work"
    now = timezone.now()
    payload = json.loads(urlsafe_b64decode(token.split(".")[1] + "=="))
    forgeries = {
        "another key": forged(token, key="another key, long enough for HS256 to be content"),
        "the key of sessions": forged(token, key=settings.SECRET_KEY),
        "another algorithm": forged(token, algorithm="HS384"),
        "none": unsigned(token, "none"),
        "None": unsigned(token, "None"),
        "nOnE": unsigned(token, "nOnE"),
        "no signature": token.rpartition(".")[0] + ".",
        "no audience": forged(token, aud=None),
        "another audience": forged(token, aud="another-api"),
        "another issuer": forged(token, iss="mallory"),
        "no session": forged(token, sid=None),
        "another session": forged(token, sid="00000000-0000-4000-8000-000000000000"),
        "no kind": forged(token, token_type=None),
        "no id": forged(token, jti=None),
        "expired": forged(token, exp=int((now - timedelta(seconds=31)).timestamp())),
        "without end": forged(token, exp=None),
        "not yet": forged(token, nbf=int((now + timedelta(hours=1)).timestamp())),
        "a refresh token": log_in()["refresh_token"],
        "a key of its own": forged(token, key="own key, as long as it takes for HS256 to work", header={"jwk": {"kty": "oct"}}),
        "no token": "abc",
        "two words": "a b",
        "a million letters": "a" * 1_000_000,
    }  # fmt: skip
    assert payload["user_id"] == str(maria.pk)
    assert {name: who(text) for name, text in forgeries.items()} == dict.fromkeys(forgeries, 401)


@pytest.mark.parametrize("scheme", ["Bearer", "bearer", "BEARER"])
def test_the_scheme_of_a_token_is_read_in_any_capitals(maria, scheme):
    token = log_in()["access_token"]
    assert APIClient().get(ME, HTTP_AUTHORIZATION=f"{scheme} {token}").status_code == 200


def test_a_token_that_is_no_good_says_how_to_get_another(maria):
    now = int(timezone.now().timestamp())
    expired = forged(log_in()["access_token"], exp=now - 31)
    answer = APIClient().get(ME, HTTP_AUTHORIZATION=f"Bearer {expired}")
    assert answer.json()["detail"] == (
        "This is no access token, or it has expired: renew it at /api/v1/auth/refresh, or log in again."
    )


def test_a_new_signing_key_logs_nobody_out_while_the_old_one_is_named(maria, settings):
    tokens = log_in()
    old, settings.JWT_SIGNING_KEY = (
        settings.JWT_SIGNING_KEY,
        "the next signing key of the tests: 9876543210, long enough",
    )
    assert who(tokens["access_token"]) == 401
    settings.JWT_SIGNING_OLD_KEYS = ["one that was never used, and is long enough for HS256", old]
    assert who(tokens["access_token"]) == 200
    assert who(forged(tokens["access_token"], exp=1)) == 401
    assert who(forged(tokens["access_token"], aud="another-api")) == 401
    assert who(tokens["refresh_token"]) == 401
    renewed = post(REFRESH, {"refresh_token": tokens["refresh_token"]}).json()
    settings.JWT_SIGNING_OLD_KEYS = []
    assert (who(renewed["access_token"]), who(tokens["access_token"])) == (200, 401)


def test_no_access_token_renews(maria):
    assert post(REFRESH, {"refresh_token": log_in()["access_token"]}).status_code == 401
    assert post(REFRESH, {"refresh_token": "abc"}).status_code == 401


def test_no_token_is_taken_from_the_address_or_a_cookie(maria):
    token = log_in()["access_token"]
    client = APIClient()
    client.cookies["access_token"] = token
    assert client.get(ME).status_code == 401
    assert client.get(f"{ME}?access_token={token}").status_code == 401


def test_no_token_is_stored(maria):
    tokens = log_in()
    stored = str(list(ApiSession.objects.values()))
    assert tokens["access_token"] not in stored
    assert tokens["refresh_token"] not in stored


def test_sessions_that_ran_out_are_forgotten_at_the_next_login(maria):
    log_in()
    ApiSession.objects.update(expires_at=timezone.now() - timedelta(seconds=1))
    log_in()
    assert ApiSession.objects.count() == 1
