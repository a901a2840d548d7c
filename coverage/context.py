"""Template context of every page: the navigation, and whether the data are samples."""

from collections.abc import Callable, Iterator
from dataclasses import dataclass
from itertools import groupby

from django.contrib.auth.models import AnonymousUser
from django.http import HttpRequest
from django.urls import NoReverseMatch, reverse
from django.utils.functional import SimpleLazyObject

from aegis.accounts.policy import allows
from coverage.shelf_numbers import LibraryNumbers

Count = Callable[[LibraryNumbers], int]


@dataclass(frozen=True, slots=True)
class Entry:
    """One place in the navigation: shown to those whom the policy allows `action`, once the route `url_name` exists."""

    group: str
    label: str
    url_name: str
    icon: str
    action: str
    count: Count | None = None
    also: tuple[str, ...] = ()
    """Routes of other pages that belong to it."""


@dataclass(frozen=True, slots=True)
class Link:
    """An entry as one visitor sees it on one page."""

    label: str
    url: str
    icon: str
    is_current: bool
    count: int | None


@dataclass(frozen=True, slots=True)
class Group:
    """The links below one heading."""

    label: str
    links: tuple[Link, ...]


ENTRIES = (
    Entry("Work", "Home", "coverage:home", "home", "coverage.read"),
    Entry("Work", "Matrix", "coverage:matrix", "matrix", "coverage.read"),
    Entry("Work", "Metrics", "coverage:metrics", "chart", "coverage.read"),
    Entry("Work", "Gaps", "coverage:gap-list", "gap", "coverage.read"),
    Entry("Work", "Tests", "coverage:test-list", "tests", "test.read", lambda library: library.tests),
    Entry("Work", "Campaigns", "coverage:campaign-list", "flag", "campaign.read"),
    Entry("Work", "Reports", "coverage:report-list", "file", "coverage.read"),
    Entry("Work", "My work", "coverage:my-work", "inbox", "test.read", lambda library: library.waiting),
    Entry("Work", "Intel", "coverage:intel-inbox", "bell", "intel.read", lambda library: library.news),
    Entry("Knowledge", "Techniques", "coverage:technique-list", "list", "coverage.read"),
    Entry("Knowledge", "Templates", "catalog:template-list", "book", "catalog.read", lambda library: library.templates),
    Entry("Knowledge", "Rules", "catalog:rule-list", "rule", "catalog.read", lambda library: library.rules),
    Entry("Knowledge", "Actors", "intel:actor-list", "users", "intel.read", lambda library: library.actors),
    Entry("Knowledge", "Defences", "catalog:defence-list", "shield", "catalog.read"),
    Entry("Knowledge", "Compliance", "compliance:control-list", "scale", "compliance.read"),
    Entry("System", "Data sources", "imports:source-list", "db", "source.read", also=("imports:run-list",)),
    Entry("System", "Feeds", "imports:feed-list", "sync", "intel.read"),
    Entry("System", "Audit", "audit:log-list", "log", "audit.read"),
    Entry("System", "API", "api:docs", "code", "catalog.read"),
    Entry("System", "Users", "accounts:user-list", "user", "user.manage"),
    Entry("System", "Django admin", "admin:index", "gear", "admin.use"),
)


def navigation(request: HttpRequest) -> dict[str, object]:
    """`navigation`: groups of links for this visitor; `sample_data`: whether any source was imported from the samples.

    Each is found out only when a template looks at it.
    """
    library = LibraryNumbers(getattr(request, "user", None))
    return {
        "navigation": SimpleLazyObject(lambda: groups(request, library)),
        "sample_data": SimpleLazyObject(lambda: shows_sample_data(request, library)),
    }


def shows_sample_data(request: HttpRequest, library: LibraryNumbers) -> bool:
    """Whether this visitor sees data of which some were imported from the samples; never asked before the login."""
    visitor = getattr(request, "user", AnonymousUser())
    return bool(visitor.is_authenticated) and library.samples > 0


def groups(request: HttpRequest, library: LibraryNumbers) -> tuple[Group, ...]:
    """The navigation as `request` sees it, in the order of `ENTRIES`; headings without a link are left out."""
    links = list(_links(request, library))
    return tuple(
        Group(label, tuple(link for _, link in entries)) for label, entries in groupby(links, key=lambda pair: pair[0])
    )


def _links(request: HttpRequest, library: LibraryNumbers) -> Iterator[tuple[str, Link]]:
    for entry in ENTRIES:
        url = _url(entry.url_name)
        if url and allows(request.user, entry.action):
            count = entry.count(library) if entry.count else None
            is_current = any(_leads_to(place, request.path) for place in (url, *map(_url, entry.also)) if place)
            yield entry.group, Link(entry.label, url, entry.icon, is_current, count)


def _url(name: str) -> str:
    """The address of a route, empty while the route does not exist: no link in the navigation is dead."""
    try:
        return reverse(name)
    except NoReverseMatch:
        return ""


def _leads_to(url: str, path: str) -> bool:
    """Whether the page at `path` is the one at `url`, or below it. Nothing is below the home page."""
    return path == url or (url != "/" and path.startswith(url.rstrip("/") + "/"))
