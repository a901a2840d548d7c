"""House rules of templates and browser code: nothing inline, nothing unescaped, nothing from elsewhere."""

import re
from pathlib import Path

import pytest
from django.template import Context, Template, TemplateSyntaxError

from tests.tree import text, tracked

FORBIDDEN = {
    "a style attribute": re.compile(r"<[^>]*\sstyle\s*="),
    "an inline event handler": re.compile(r"<[^>]*\s(on[a-z]+|hx-on[:a-z-]*)\s*=", re.IGNORECASE),
    "an inline style": re.compile(r"<style\b", re.IGNORECASE),
    "an inline script": re.compile(
        r"<script\b(?![^>]*\ssrc\s*=)(?![^>]*type=\"application/(?:json|ld\+json)\")", re.IGNORECASE
    ),
    "a javascript: address": re.compile(r"javascript:", re.IGNORECASE),
    "an unescaped value": re.compile(r"\|\s*safe(seq)?\b|autoescape\s+off"),
    "an id printed as a quantity (1,234)": re.compile(
        r"\{\{\s*[\w.]+\.pk\s*\}\}|value=\"\{\{\s*[\w.]+\.version\s*\}\}\""
    ),
    "a file of another host": re.compile(
        r"<(?:script|link|img|iframe|source)\b[^>]*(?:src|href)\s*=\s*[\"']?(?:https?:)?//"
    ),
}
COMMENT = re.compile(r"\{#.*?#\}|\{% comment .*?%\}.*?\{% endcomment %\}|<!--.*?-->", re.DOTALL)


@pytest.mark.parametrize("what", FORBIDDEN)
def test_no_template_holds(what):
    assert _holding(FORBIDDEN[what], tracked(".html")) == []


def test_every_form_that_posts_carries_the_token():
    posts = re.compile(r"<form\b[^>]*\bmethod\s*=\s*[\"']?post\b.*?</form>", re.IGNORECASE | re.DOTALL)
    forms = [(path, form) for path in tracked(".html") for form in posts.findall(text(path))]
    assert [str(path) for path, form in forms if "csrf_token" not in form] == []


def test_stylesheets_and_scripts_fetch_nothing_from_elsewhere():
    fetches = re.compile(
        r"@import|url\(\s*[\"']?(?:https?:)?//|fetch\(\s*[\"'`]https?:|import\(|\beval\(|new Function\("
    )
    assert _holding(fetches, tracked(".css", ".js")) == []


def test_an_undefined_variable_in_a_template_of_ours_fails_its_test():
    with pytest.raises(TemplateSyntaxError, match=r"undefined variable `tactic\.nmae`"):
        Template("{{ tactic.nmae }}").render(Context({"tactic": {"name": "Discovery"}}))


def test_templates_of_django_may_leave_variables_undefined(admin_client):
    assert admin_client.get("/admin/").status_code == 200


def _holding(pattern: re.Pattern[str], paths: list[Path]) -> list[str]:
    """`file:line: text` of each match outside comments; comments keep their line breaks so that lines still count."""
    return [
        f"{path}:{body.count(chr(10), 0, match.start()) + 1}: {match.group()[:80]}"
        for path in paths
        for body in [COMMENT.sub(lambda comment: "\n" * comment.group().count("\n"), text(path))]
        for match in pattern.finditer(body)
    ]
