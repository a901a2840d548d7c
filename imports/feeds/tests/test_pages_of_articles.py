"""Pages of articles: which may be fetched, and what is said of those that are not."""

import time

import pytest

from imports.feeds.fetching import FeedWay
from imports.feeds.pages import article_text, page_texts
from imports.feeds.robots import may_fetch
from imports.fetchers.tests.conftest import ok, status

SITE = "https://example.org"


@pytest.mark.parametrize(
    ("rules", "path", "allowed"),
    [
        ("User-agent: *\nAllow: /\nDisallow: /private", "/private/1", False),
        ("User-agent: *\nDisallow: /\nAllow: /news/", "/news/1", True),
        ("User-agent: *\nDisallow: /*.pdf$", "/a.pdf", False),
        ("User-agent: *\nDisallow: /*.pdf$", "/a.pdf?page=1", True),
        ("User-agent: *\nDisallow: /*?", "/a?b=1", False),
        ("User-agent: *\nDisallow: /a$", "/a", False),
        ("User-agent: *\nDisallow: /a$", "/ab", True),
        ("User-agent: *\nDisallow: /a%3cd", "/a%3Cd.html", False),
        ("User-agent: *\nDisallow: /\n\nUser-agent: AEGIS\nDisallow: /b", "/a", True),
        ("User-agent: other\nUser-agent: aegis # us\nDisallow: /b", "/b", False),
        ("User-agent: other\nDisallow: /", "/a", True),
        ("User-agent: *\nDisallow:", "/a", True),
        ("User-agent: *\nDisallow: /a\nAllow: /a", "/a", True),
        ("\ufeffUser-agent: *\nDisallow: /", "/a", False),
        ("Disallow: /", "/a", True),
        ("<html>Not found</html>", "/a", True),
        ("", "/a", True),
    ],
)
def test_the_longest_rule_that_fits_decides(rules, path, allowed):
    assert may_fetch(rules.encode(), f"{SITE}{path}") is allowed


def test_rules_full_of_stars_take_no_time():
    begun = time.monotonic()
    assert may_fetch(b"User-agent: *\nDisallow: /" + b"*a" * 5_000, f"{SITE}/{'a' * 4_000}")
    assert time.monotonic() - begun < 1


def test_a_page_is_fetched_only_where_robots_allow_and_the_rest_is_told(server):
    server.answers = {
        "/example.org/robots.txt": [ok(b"User-agent: *\nDisallow: /private\n")],
        "/example.org/a": [ok(b"<html><nav>Menu</nav><article><p>The text.</p></article></html>")],
        "/example.org/private": [ok(b"<article>Secret</article>")],
        "/closed.example.org/robots.txt": [status(500)],
    }
    urls = [f"{SITE}/a", f"{SITE}/private", f"{SITE}/private/2", "https://closed.example.org/a"]
    found = page_texts(urls, FeedWay(server.url), time.monotonic() + 20)
    assert found.texts == {f"{SITE}/a": "The text."}
    assert found.issues[0] == ("2 of the articles’ pages not fetched: example.org forbids it in its robots.txt")
    assert found.issues[1].startswith("1 of the articles’ pages not fetched: ")
    assert "closed.example.org/robots.txt" in found.issues[1]
    assert not {"/example.org/private", "/closed.example.org/a"} & set(server.paths())


def test_a_page_on_a_host_that_nobody_allowed_is_told_with_the_setting():
    found = page_texts(["https://elsewhere.example.org/a"], FeedWay(), time.monotonic() + 5)
    assert found.texts == {}
    assert "elsewhere.example.org" in found.issues[0]
    assert "AEGIS_EXTRA_HOSTS" in found.issues[0]


def test_no_more_than_ten_pages_are_fetched_in_a_scan(server):
    server.answers = {f"/example.org/{n}": [ok(b"<article>Text</article>")] for n in range(12)}
    found = page_texts([f"{SITE}/{n}" for n in range(12)], FeedWay(server.url), time.monotonic() + 20)
    assert len(found.texts) == 10
    assert found.issues == ["12 new articles: only the pages of the first 10 were fetched"]


def test_pages_that_take_too_long_are_given_up(server):
    server.answers = {"/example.org/robots.txt": [lambda request: time.sleep(1)]}
    found = page_texts([f"{SITE}/a"], FeedWay(server.url), time.monotonic() + 0.2)
    assert (found.texts, found.issues) == ({}, ["1 of the articles’ pages not fetched: they took too long"])


def test_the_text_of_a_page_is_that_of_its_article():
    assert article_text("<p>No article</p>") == "No article"
