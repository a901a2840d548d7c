"""Recent CVEs from the JSON API 2.0 of the National Vulnerability Database, which has no RSS any more.

Format: https://nvd.nist.gov/developers/vulnerabilities (`vulnerabilities[].cve`: id, published, lastModified, vulnStatus,
descriptions, metrics, cisaExploitAdd). Without an API key NIST allows 5 requests in 30 seconds.
"""

from __future__ import annotations

from datetime import UTC, datetime, timedelta
from typing import Final
from urllib.parse import urlencode

import msgspec

from imports.feeds.entries import Entry, Reading, Unreadable
from imports.feeds.text import lines, one_line

PAGE: Final = 2_000
CRITICAL: Final = 9.0
OLDER: Final = timedelta(days=90)
"""A CVE that is found to be critical so long after it was published, or later, is no news."""
_PAGE_OF: Final = "https://nvd.nist.gov/vuln/detail/"


class _Description(msgspec.Struct):
    lang: str = ""
    value: str = ""


class _Score(msgspec.Struct, rename="camel"):
    base_score: float = 0.0
    base_severity: str = ""


class _Metric(msgspec.Struct, rename="camel"):
    cvss_data: _Score = msgspec.field(default_factory=_Score)


class _Cve(msgspec.Struct, rename="camel"):
    id: str
    published: str = ""
    last_modified: str = ""
    vuln_status: str = ""
    descriptions: list[_Description] = []
    metrics: dict[str, list[_Metric]] = {}
    cisa_exploit_add: str = ""


class _Vulnerability(msgspec.Struct):
    cve: _Cve


class _Answer(msgspec.Struct, rename="camel"):
    total_results: int
    vulnerabilities: list[msgspec.Raw]
    start_index: int = 0


def page_url(address: str, start: datetime, end: datetime, first: int = 0) -> str:
    """The address of one page of the CVEs published between two moments (at most 120 days apart), from number `first` on."""
    asked = {"pubStartDate": _iso(start), "pubEndDate": _iso(end), "resultsPerPage": PAGE, "startIndex": first}
    return f"{address}?{urlencode(asked)}"


def change_urls(address: str, published_until: datetime, start: datetime, end: datetime) -> list[str]:
    """The addresses of what became of CVEs between two moments (at most 120 days apart) long after they were published.

    The first is of those known to be exploited, whatever their age, the others of those that are critical.
    """
    changed = {"lastModStartDate": _iso(start), "lastModEndDate": _iso(end), "resultsPerPage": str(PAGE)}
    older = {"pubStartDate": _iso(published_until - OLDER), "pubEndDate": _iso(published_until)}
    scored = [{**changed, **older, name: "CRITICAL"} for name in ("cvssV3Severity", "cvssV4Severity")]
    return [f"{address}?{urlencode(changed)}&hasKev", *(f"{address}?{urlencode(asked)}" for asked in scored)]


def read_nvd(data: bytes) -> Reading:
    """The CVEs of one page. Notable are those known to be exploited, and critical ones. Raises Unreadable."""
    try:
        answer = msgspec.json.decode(data, type=_Answer)
    except (msgspec.MsgspecError, UnicodeDecodeError, RecursionError) as error:
        raise Unreadable(f"it is not what the API of the NVD answers: {one_line(str(error), 200)}") from error
    entries: list[Entry] = []
    issues: list[str] = []
    for number, raw in enumerate(answer.vulnerabilities, 1):
        try:
            cve = msgspec.json.decode(raw, type=_Vulnerability).cve
        except (msgspec.MsgspecError, RecursionError) as error:
            issues.append(f"entry {number}: {one_line(str(error), 200)}: left out")
            continue
        if cve.vuln_status != "Rejected":
            entries.append(_entry(cve))
    return Reading(title="NVD", entries=entries, issues=issues, total=answer.total_results)


def _entry(cve: _Cve) -> Entry:
    name = one_line(cve.id, 40)
    text = lines(next((each.value for each in cve.descriptions if each.lang.startswith("en")), ""))
    score = max(
        (one.cvss_data for several in cve.metrics.values() for one in several),
        key=lambda one: one.base_score,
        default=None,
    )
    told = (
        [one_line(f"CVSS {score.base_score:g} {score.base_severity.lower()}.", 60)]
        if score and score.base_score
        else []
    )
    exploited = _moment(cve.cisa_exploit_add)
    if cve.cisa_exploit_add:
        told.append(f"Known to be exploited{f' since {exploited:%Y-%m-%d}' if exploited else ''} (CISA).")
    return Entry(
        guid=name,
        key=f"nvd.nist.gov/vuln/detail/{name}",
        url=f"{_PAGE_OF}{name}",
        title=f"{name}: {one_line(text, 160)}" if text else name,
        summary="\n".join([text, *told]),
        published=_moment(cve.published),
        updated=_moment(cve.last_modified),
        notable=bool(cve.cisa_exploit_add) or bool(score and score.base_score >= CRITICAL),
        exploited=exploited,
    )


def _moment(text: str) -> datetime | None:
    """The API writes UTC without saying so."""
    try:
        found = datetime.fromisoformat(text)
    except ValueError:
        return None
    return found.astimezone(UTC) if found.tzinfo else found.replace(tzinfo=UTC)


def _iso(moment: datetime) -> str:
    return moment.astimezone(UTC).strftime("%Y-%m-%dT%H:%M:%S.000")
