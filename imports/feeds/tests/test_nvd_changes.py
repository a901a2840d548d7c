"""What becomes of a CVE after its first week: it is scored, or known to be exploited, and only then of note."""

import json
from collections.abc import Callable, Mapping
from datetime import UTC, datetime, timedelta
from typing import cast
from urllib.parse import parse_qs, urlsplit

import pytest

from imports.feeds.fetching import FeedWay, Fetched
from imports.feeds.looking import CHANGES, NVD_REQUESTS, Look, Task, look_at
from imports.feeds.scan import Words
from imports.feeds.storing import store_entries
from imports.fetchers import FetchError
from intel.models import Feed, IntelItem

ADDRESS = "https://services.nvd.nist.gov/rest/json/cves/2.0"
NOW = datetime(2026, 11, 20, 6, tzinfo=UTC)
Answers = Callable[[Mapping[str, list[str]]], list[dict]]


class Nvd:
    """What the API says to each question; `asked` are the questions."""

    mirror, from_mirror = "", False

    def __init__(self, answers: Answers, total: int = 0) -> None:
        self.asked: list[dict[str, list[str]]] = []
        self._answers, self._total = answers, total

    def fetch(self, url: str, validators: Mapping[str, str], limits: object) -> Fetched:
        asked = parse_qs(urlsplit(url).query, keep_blank_values=True)
        self.asked.append(asked)
        found = self._answers(asked)
        answer = {"totalResults": self._total or len(found), "vulnerabilities": [{"cve": one} for one in found]}
        return Fetched(json.dumps(answer).encode(), "the NVD")


def cve(name: str, published: str, score: float = 5.0, exploited: str = "") -> dict:
    text = {"id": name, "published": published, "lastModified": "2026-11-19T00:00:00.000"}
    metrics = {"cvssMetricV31": [{"cvssData": {"baseScore": score, "baseSeverity": "X"}}]}
    return {**text, "metrics": metrics, **({"cisaExploitAdd": exploited} if exploited else {})}


def look(nvd: Nvd, since: datetime | None = NOW - timedelta(days=7), **validators: str) -> Look:
    return look_at([Task(1, "nvd", ADDRESS, validators, since)], cast(FeedWay, nvd), NOW, 30)[0]


def names(found: Look) -> list[str]:
    assert found.reading is not None
    return [entry.guid for entry in found.reading.entries]


def later(asked: Mapping[str, list[str]]) -> list[dict]:
    if "hasKev" in asked:
        return [
            cve("CVE-2019-0001", "2019-05-01T00:00:00.000", exploited="2026-11-18"),
            cve("CVE-2018-0001", "2018-05-01T00:00:00.000", exploited="2021-11-03"),
        ]
    if "cvssV3Severity" in asked:
        return [cve("CVE-2026-0001", "2026-10-20T00:00:00.000", score=9.8)]
    return [] if "cvssV4Severity" in asked else [cve("CVE-2026-0002", "2026-11-19T00:00:00.000")]


def test_a_cve_that_is_scored_or_exploited_later_is_found_then():
    nvd = Nvd(later)
    found = look(nvd)
    assert names(found) == ["CVE-2026-0002", "CVE-2019-0001", "CVE-2026-0001"]
    assert found.validators == {CHANGES: NOW.isoformat()}
    week = "2026-11-12T06:00:00.000"
    assert [asked.get("lastModStartDate") for asked in nvd.asked] == [None, [week], [week], [week]]
    assert (nvd.asked[2]["pubEndDate"], nvd.asked[2]["cvssV3Severity"]) == ([week], ["CRITICAL"])


def test_the_first_scan_asks_for_the_news_alone_and_the_next_goes_on_from_there():
    nvd = Nvd(later)
    assert names(look(nvd, since=None)) == ["CVE-2026-0002"]
    assert len(nvd.asked) == 1
    asked = Nvd(later)
    look(asked, **{CHANGES: "2026-10-31T06:00:00+00:00"})
    assert asked.asked[1]["lastModStartDate"] == ["2026-10-30T06:00:00.000"]


def test_what_could_not_be_asked_is_told_and_asked_again():
    def refused(asked: Mapping[str, list[str]]) -> list[dict]:
        if "hasKev" in asked:
            raise FetchError(f"{ADDRESS}: the server answered 403.")
        return later(asked)

    before = {CHANGES: "2026-11-01T00:00:00+00:00"}
    found = look(Nvd(refused), **before)
    assert (names(found), found.failure, found.validators) == (["CVE-2026-0002"], "", before)
    assert found.reading is not None
    assert found.reading.issues == [
        f"what became of older CVEs is asked for again: {ADDRESS}: the server answered 403."
    ]


@pytest.mark.parametrize(("code", "is_limit"), [(403, True), (429, True), (503, False), (None, False)])
def test_a_refusal_of_the_nvd_says_that_it_limits_requests_without_a_key(code, is_limit):
    def refused(asked: Mapping[str, list[str]]) -> list[dict]:
        raise FetchError(f"{ADDRESS}: the server answered {code}.", code)

    failure = look(Nvd(refused)).failure
    assert failure.startswith(f"{ADDRESS}: the server answered {code}.")
    assert ("five requests in half a minute" in failure) == is_limit


def test_a_mirror_that_refuses_is_not_the_nvd():
    def refused(asked: Mapping[str, list[str]]) -> list[dict]:
        raise FetchError("https://mirror.example.org: the server answered 403.", 403)

    mirror = Nvd(refused)
    mirror.mirror, mirror.from_mirror = "https://mirror.example.org", True
    assert look(mirror).failure == "https://mirror.example.org: the server answered 403."


def test_no_scan_asks_more_often_than_nist_allows():
    nvd = Nvd(later, total=50_000)
    look(nvd)
    assert len(nvd.asked) == NVD_REQUESTS


@pytest.mark.django_db
def test_an_old_cve_is_dated_by_when_it_became_news():
    feed = Feed.objects.get(slug="nvd")
    reading = look(Nvd(later)).reading
    assert reading is not None
    stored = store_entries(feed, reading.entries, Words(lambda text: [], "mark"), NOW)
    assert (stored.created, stored.quiet) == (2, 1)
    item = IntelItem.objects.get(guid="CVE-2019-0001")
    assert (item.at, item.published_at) == (datetime(2026, 11, 18, tzinfo=UTC), datetime(2019, 5, 1, tzinfo=UTC))
    assert "since 2026-11-18" in item.summary
