"""House rules of the stylesheets: what they name is there, and what they style is worn."""

import re
from functools import cache

from tests.tree import is_test, text, tracked

COMMENT = re.compile(r"/\*.*?\*/|\{#.*?#\}", re.DOTALL)
ADMIN = "admin.css"
"""It dresses Django's own pages: their classes and properties are Django's."""
OF_LIBRARIES = {"htmx-request"}
"""Classes that a script of others sets."""


@cache
def styles() -> str:
    """All stylesheets but that of the Django admin, without comments."""
    return "".join(COMMENT.sub("", text(path)) for path in tracked(".css") if path.name != ADMIN)


@cache
def markup() -> str:
    """All that may put a class on an element: templates, scripts, and the Python that prints tags."""
    return "".join(COMMENT.sub("", text(path)) for path in tracked(".html", ".js", ".py") if not is_test(path))


def declared() -> set[str]:
    return set(re.findall(r"(?<![\w-])(--[\w-]+)\s*:", styles()))


def test_every_custom_property_that_is_used_is_declared():
    used = set(re.findall(r"var\((--[\w-]+)", styles() + markup()))
    assert sorted(used - declared()) == []


def test_every_custom_property_that_is_declared_is_used():
    everything = styles() + markup() + text(next(path for path in tracked(".css") if path.name == ADMIN))
    assert sorted(declared() - set(re.findall(r"var\((--[\w-]+)", everything))) == []


def test_every_class_that_is_styled_is_worn():
    """By name; or where a name is put together ("f-{look}"), by its first part."""
    styled = set(re.findall(r"\.([a-z][\w-]*)", re.sub(r"url\([^)]*\)|\d*\.\d+", "", styles()), re.IGNORECASE))
    worn = set(re.findall(r"[\w-]+", markup()))
    begun = set(re.findall(r"([a-z][\w-]*-)\{", markup()))
    assert sorted(name for name in styled - worn - OF_LIBRARIES if not name.startswith(tuple(begun))) == []
