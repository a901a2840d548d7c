"""Feeds as entries: what publishers get wrong is put right, what attackers put in is text or is refused."""

import codecs
import contextlib
import socket
from datetime import UTC, datetime
from pathlib import Path

import pytest
from hypothesis import given
from hypothesis import strategies as st

from imports.feeds.apart import read_apart
from imports.feeds.entries import Unreadable
from imports.feeds.links import link
from imports.feeds.nvd import page_url, read_nvd
from imports.feeds.reading import read_feed
from imports.feeds.tests.worlds import BOMB, item, rss
from imports.feeds.text import one_line, plain

AT = "https://example.org/feed"


def one(*items: str):
    (entry,) = read_feed(rss(*items), AT).entries
    return entry


def test_an_article_is_read_whole():
    entry = one(
        item("News", "https://example.org/a", "<p>One.</p><p>Two.</p>", guid="a1", date="Mon, 02 Mar 2026 10:00:00 GMT")
    )
    assert (entry.title, entry.url, entry.key, entry.guid) == ("News", "https://example.org/a", "example.org/a", "a1")
    assert entry.summary == "One.\nTwo."
    assert entry.published == datetime(2026, 3, 2, 10, tzinfo=UTC)


def test_atom_is_read_with_relative_links_and_the_longest_text():
    atom = b"""<feed xmlns="http://www.w3.org/2005/Atom"><entry><id>urn:1</id><title type="html">A &lt;b&gt;b&lt;/b&gt;</title>
    <link href="/x/?utm_source=a"/><published>2026-01-02T03:04:05+05:30</published><summary>short</summary>
    <content type="xhtml"><div xmlns="http://www.w3.org/1999/xhtml"><p>The whole body</p></div></content></entry></feed>"""
    (entry,) = read_feed(atom, AT).entries
    assert (entry.title, entry.url, entry.summary) == ("A b", "https://example.org/x/", "The whole body")
    assert entry.published == datetime(2026, 1, 1, 21, 34, 5, tzinfo=UTC)


@pytest.mark.parametrize(
    "address",
    [
        "javascript:alert(1)",
        "data:text/html,x",
        "vbscript:x",
        "java&#10;script:alert(1)",
        "http://169.254.169.254/latest",
        "https://user@example.org/",
        "https://example.org:22/",
        "file:///etc/passwd",
        "http://[::1]/",
        "http://localhost/x",
    ],
)
def test_what_is_no_public_web_address_never_becomes_a_link(address):
    reading = read_feed(rss(f"<item><title>A</title><link>{address}</link></item>"), AT)
    assert [entry.url for entry in reading.entries] == [""]
    assert "kept without its link" in reading.issues[0]


def test_a_guid_that_is_no_address_never_becomes_a_link():
    assert one(item("A", guid="4711")).url == ""


def test_markup_in_titles_is_taken_out_and_what_only_looks_like_it_stays():
    assert (
        one(item("<img src=x onerror=alert(1)>Hi <script>alert(2)</script><i>all</i> &amp; you")).title
        == "Hi all & you"
    )
    assert one(item("Who is &lt;redacted&gt;?")).title == "Who is <redacted>?"


@pytest.mark.parametrize(
    ("link", "text"),
    [
        (
            "https://attack.mitre.org/techniques/T1562/001/",
            "They turned it off (attack.mitre.org/techniques/T1562/001).",
        ),
        ("https://attack.mitre.org/versions/v16/groups/G0016#x", "They turned it off (attack.mitre.org/groups/G0016)."),
        ("https://example.org/attack.mitre.org/techniques/T1562", "They turned it off."),
        ("https://attack.mitre.org@example.org/techniques/T1562", "They turned it off."),
        ("javascript:alert(1)", "They turned it off."),
    ],
    ids=["technique", "actor", "another host", "user name", "script"],
)
def test_a_link_to_attack_says_what_is_meant(link, text):
    assert one(item("A", "https://example.org/a", f'They <a href="{link}">turned it off</a>.')).summary == text


def test_a_link_whose_text_has_the_id_is_left_alone():
    assert plain('<a href="https://attack.mitre.org/techniques/T1003/003/">NTDS [T1003.003]</a>') == "NTDS [T1003.003]"
    assert plain('<a href="https://attack.mitre.org/techniques/T1003">it') == "it (attack.mitre.org/techniques/T1003)"


def test_hidden_characters_are_taken_out():
    assert one_line("a\u202eb\u200bc\x00d\ud800\te") == "abcd? e"
    assert one_line("Pow\u200cer\u200dShell T1059\u2063.001 \U000e0041") == "PowerShell T1059.001"


def test_a_long_text_is_cut_between_two_words():
    assert one_line("Remote System Discovery", 18) == "Remote System…"
    assert one_line("Remote System Discovery", 14) == "Remote System…"
    assert one_line("x" * 30, 18) == "x" * 17 + "…"


def test_joiners_that_a_script_needs_stay():
    persian, family = "\u0646\u0645\u06cc\u200c\u062e\u0648\u0627\u0647\u0645", "\U0001f468\u200d\U0001f467"
    assert one_line(f"{persian} {family}") == f"{persian} {family}"


DATES = {
    "": None,
    "yesterday": None,
    "Thu, 01 Jan 1970 00:00:00 GMT": None,
    "Fri, 31 Dec 9999 23:59:59 GMT": 9999,
}


@pytest.mark.parametrize(("date", "year"), DATES.items())
def test_dates_that_say_nothing_are_none(date, year):
    published = one(item("A", "https://example.org/a", date=date)).published
    assert (published.year if published else None) == year


@pytest.mark.parametrize(
    ("date", "moment"),
    [
        ("Sat, 21 Nov 2026 10:00:00", datetime(2026, 11, 21, 10, tzinfo=UTC)),
        ("Sáb, 21 Nov 2026 10:00:00 +0100", datetime(2026, 11, 21, 9, tzinfo=UTC)),
        ("2026-11-21T10:00:00", datetime(2026, 11, 21, 10, tzinfo=UTC)),
    ],
)
def test_a_date_without_a_zone_is_in_utc_and_the_name_of_the_day_does_not_matter(date, moment):
    assert one(item("A", "https://example.org/a", date=date)).published == moment


def test_a_space_in_an_address_is_escaped():
    assert one(item("A", " https://example.org/a b ")).url == "https://example.org/a%20b"


@pytest.mark.parametrize(
    ("data", "reason"),
    [
        (b"", "it is empty"),
        (b"<!doctype html><html><body>Log in</body></html>", "it is a web page, not a feed"),
        (b'{"version": "https://jsonfeed.org/version/1.1"}', "it is JSON, not RSS or Atom"),
        (bytes(range(256)), "it is neither RSS nor Atom"),
        (BOMB, "it declares XML entities"),
        (rss("x").replace(b"<rss", b'<!DOCTYPE rss [<!ENTITY x SYSTEM "file:///etc/passwd">]><rss'), "XML entities"),
        (rss("<x>" * 100_000), "nested more than 200 deep"),
        (rss("x", declaration='<?xml version="1.0" encoding="utf-7"?>'), "written in `utf-7`"),
        (codecs.BOM_UTF16_LE + BOMB.decode().encode("utf-16-le"), "it declares XML entities"),
    ],
    ids=["empty", "web page", "json feed", "garbage", "bomb", "external entity", "nested", "utf-7", "bomb in utf-16"],
)
def test_what_is_no_honest_feed_is_refused_in_words(data, reason):
    with pytest.raises(Unreadable, match=reason.replace("`", ".")):
        read_feed(data, AT)


def test_nothing_named_in_a_feed_is_ever_opened(monkeypatch):
    def opened(*args: object, **kwargs: object):
        raise AssertionError(f"opened {args}")

    feed = rss(item("/etc/hostname", "https://example.org/a", "file:///etc/passwd")).replace(
        b"<rss", b'<!DOCTYPE rss SYSTEM "http://127.0.0.1/x.dtd"><rss'
    )
    read_feed(rss(item("A", "https://example.org/a")), AT)
    monkeypatch.setattr(socket, "socket", opened)
    monkeypatch.setattr("builtins.open", opened)
    assert [entry.title for entry in read_feed(feed, AT).entries] == ["/etc/hostname"]
    with pytest.raises(Unreadable):
        read_feed(b"/etc/hostname", AT)


@pytest.mark.parametrize(
    ("data", "title"),
    [
        (rss(item("été"), declaration='<?xml version="1.0" encoding="iso-8859-1"?>'), "été"),
        (rss(item("été")).decode().encode("latin-1").replace(b"1.0", b'1.0" encoding="iso-8859-1', 1), "été"),
        (codecs.BOM_UTF8 + rss(item("été")), "été"),
        (rss(item("été")).decode().encode("cp1252"), "été"),
        (rss(item("été"), declaration='<?xml version="1.0" encoding="utf-8"?>').decode().encode("cp1252"), "été"),
        (rss(item("été"), declaration='<?xml version="1.0" encoding="utf-16"?>'), "été"),
        (rss(item("été")).replace("té<".encode(), b"t\xff\xc3\xa9<"), "ét\ufffdé"),
    ],
    ids=[
        "declared wrongly",
        "latin 1",
        "byte order mark",
        "cp1252 undeclared",
        "cp1252 as utf-8",
        "utf-8 as utf-16",
        "one byte",
    ],
)
def test_the_bytes_count_more_than_what_is_declared(data, title):
    assert [entry.title for entry in read_feed(data, AT).entries] == [title]


def test_one_article_under_several_spellings_of_its_address_is_one_entry():
    links = ["https://example.org/a", "https://EXAMPLE.org/a/?utm_source=rss#top", "http://example.org/a?fbclid=1"]
    assert [entry.key for entry in read_feed(rss(*(item("A", link) for link in links)), AT).entries] == [
        "example.org/a"
    ]


@pytest.mark.parametrize(
    "tracked",
    [
        "utm_source=rss",
        "fbclid=1",
        "mc_cid=1",
        "_ga=1",
        "wbraid=1",
        "ttclid=1",
        "mtm_campaign=x",
        "from=rss",
        "guccounter=1",
    ],
)
def test_what_counts_readers_is_no_part_of_an_address(tracked):
    assert link(f"https://example.org/a?{tracked}&id=7") == ("https://example.org/a?id=7", "example.org/a?id=7")


@pytest.mark.parametrize("kept", ["id=7", "ref=home", "from=2026", "page=2", "atlas=1", "great=1", "source=rss2"])
def test_what_names_the_article_stays_in_its_address(kept):
    assert link(f"https://example.org/a?{kept}").key == f"example.org/a?{kept}"


def test_escapes_of_one_character_are_one_spelling():
    keys = {link(f"https://example.org/{path}").key for path in ("~a/b%3Ac", "%7Ea/b%3ac", "%7e%61/b%3Ac")}
    assert keys == {"example.org/~a/b%3Ac"}


def test_a_guid_that_several_articles_share_names_none_of_them():
    entries = read_feed(rss(*(item(f"A{n}", f"https://example.org/{n}", guid="same") for n in range(2))), AT).entries
    assert [entry.guid for entry in entries] == ["", ""]


def test_entries_without_end_are_cut_and_said():
    reading = read_feed(rss(*(item("A", f"https://example.org/{n}") for n in range(1_200))), AT)
    assert len(reading.entries) == 1_000
    assert reading.issues == ["1,200 entries: only the first 1,000 were read"]


def test_a_feed_that_takes_too_long_is_given_up():
    slow = rss(f"<item><title>x</title><description>{'<a ' * 500_000}</description></item>")
    with pytest.raises(Unreadable, match=r"not be read within 1 seconds: given up"):
        read_apart("rss", slow, AT, seconds=1)


def test_a_process_of_its_own_reads_the_same():
    feed = rss(item("News", "https://example.org/a", date="Mon, 02 Mar 2026 10:00:00 GMT"))
    assert read_apart("rss", feed, AT) == read_feed(feed, AT)
    with pytest.raises(Unreadable, match="it is empty"):
        read_apart("rss", b"", AT)


def test_the_nvd_tells_cves_and_which_are_of_note():
    sample = Path(__file__).parents[3] / "samples/services.nvd.nist.gov/rest/json/cves/2.0"
    reading = read_nvd(sample.read_bytes())
    assert [(entry.guid, entry.notable) for entry in reading.entries] == [
        ("CVE-2026-99001", False), ("CVE-2026-99002", True), ("CVE-2026-99003", False), ("CVE-2026-99004", False),
    ]  # fmt: skip
    assert reading.entries[1].url == "https://nvd.nist.gov/vuln/detail/CVE-2026-99002"
    assert reading.entries[1].summary.endswith("CVSS 9.8 critical.\nKnown to be exploited since 2026-11-18 (CISA).")


@pytest.mark.parametrize(
    "data", [b"", b"[]", b"{}", b"<html>", b'{"totalResults": 1, "vulnerabilities": 3}', b"[" * 100_000]
)
def test_what_the_nvd_never_answers_is_refused(data):
    with pytest.raises(Unreadable, match="not what the API of the NVD answers"):
        read_nvd(data)


def test_one_bad_cve_costs_itself_alone():
    bad = b'{"totalResults": 2, "vulnerabilities": [{"cve": {"id": 7}}, {"cve": {"id": "CVE-2026-1"}}]}'
    reading = read_nvd(bad)
    assert [entry.title for entry in reading.entries] == ["CVE-2026-1"]
    assert "entry 1" in reading.issues[0]


def test_the_nvd_is_asked_for_a_period():
    start, end = datetime(2026, 11, 1, tzinfo=UTC), datetime(2026, 11, 8, tzinfo=UTC)
    assert page_url("https://services.nvd.nist.gov/rest/json/cves/2.0", start, end) == (
        "https://services.nvd.nist.gov/rest/json/cves/2.0?pubStartDate=2026-11-01T00%3A00%3A00.000"
        "&pubEndDate=2026-11-08T00%3A00%3A00.000&resultsPerPage=2000&startIndex=0"
    )


@given(st.text())
def test_whatever_stands_in_a_text_its_plain_form_is_one_clean_line(text):
    line = one_line(plain(text))
    assert line == " ".join(line.split())
    assert all(char.isprintable() or char.isspace() or char == "\ufffd" for char in line if ord(char) < 0x300)


@given(st.binary(max_size=400))
def test_whatever_the_bytes_are_the_answer_is_entries_or_a_reason(data):
    for document in (data, rss(data.decode("latin-1"))):
        with contextlib.suppress(Unreadable):
            assert len(read_feed(document, AT).entries) < 100
