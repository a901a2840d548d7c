"""Text of other people becomes HTML that can do nothing."""

import time
from html.parser import HTMLParser

import pytest
from hypothesis import given
from hypothesis import strategies as st

from aegis.lib.markdown import LONGEST, TAGS, upstream_html

PAYLOADS = [
    "<script>alert(1)</script>",
    "<img src=x onerror=alert(1)>",
    "<svg/onload=alert(1)>",
    "<svg><script>alert(1)</script></svg>",
    '<math><mi//xlink:href="data:x,<script>alert(1)</script>">',
    "<iframe src=javascript:alert(1)>",
    "<object data=javascript:alert(1)>",
    "<embed src=//evil.example>",
    "<base href=//evil.example>",
    "<form action=//evil.example><input name=q>",
    "<style>body{display:none}</style>",
    "<link rel=stylesheet href=//evil.example>",
    "<meta http-equiv=refresh content=0;url=//evil.example>",
    "<p style=position:fixed>x</p>",
    "<div hx-get=/logout hx-trigger=load>x</div>",
    "<div data-hx-on:click=alert(1)>x</div>",
    "<a href=javascript:alert(1)>x</a>",
    "<a id=main name=main class=btn>x</a>",
    '<noscript><p title="</noscript><img src=x onerror=alert(1)>">',
    "<!--><img src=x onerror=alert(1)>-->",
    "<![CDATA[<script>alert(1)</script>]]>",
    '<x/><title><a title="</title><img src=x onerror=alert(1)>">',
    "[x](javascript:alert(1))",
    "[x](JaVaScRiPt:alert(1))",
    "[x](java&#115;cript:alert(1))",
    "[x](java\tscript:alert(1))",
    "[x](&#106;avascript:alert(1))",
    "[x](vbscript:alert(1))",
    "[x](data:text/html;base64,PHNjcmlwdD4=)",
    "[x](file:///etc/passwd)",
    "[x](//evil.example)",
    "[x](/accounts/logout)",
    "[x](#main)",
    "[x](mailto:a@example.org)",
    '[x](https://example.org "onmouseover=alert(1)")',
    '[x](https://example.org/"onmouseover="alert(1))',
    "<javascript:alert(1)>",
    "<data:text/html,x>",
    "![x](https://evil.example/pixel.gif)",
    "![x](javascript:alert(1))",
    "[x][y]\n\n[y]: javascript:alert(1)",
    "`<script>alert(1)</script>`",
    "```html\n<script>alert(1)</script>\n```",
    "```<script>\nx\n```",
    "<code><script>alert(1)</script></code>",
    "<code>`</code><script>alert(1)</script>",
    "<code>``<img src=x onerror=alert(1)>`</code>",
    "(Citation: <script>alert(1)</script>)",
    "# <img src=x onerror=alert(1)>",
    "| a |\n|---|\n| <img src=x onerror=alert(1)> |",
    "&lt;script&gt;alert(1)&lt;/script&gt;",
    "\u202e<script>alert(1)</script>",
    "<scr\x00ipt>alert(1)</scr\x00ipt>",
    "<<script>script>alert(1)<</script>/script>",
]


class Outline(HTMLParser):
    """The tags and attributes that a browser would see."""

    def __init__(self, html: str) -> None:
        super().__init__()
        self.tags: set[str] = set()
        self.attributes: list[tuple[str, str, str]] = []
        self.feed(html)
        self.close()

    def handle_starttag(self, tag, attrs):
        self.tags.add(tag)
        self.attributes += [(tag, name, value or "") for name, value in attrs]


def harmless(html: str) -> bool:
    outline = Outline(html)
    links = [value for tag, name, value in outline.attributes if (tag, name) == ("a", "href")]
    names = {(tag, name) for tag, name, _ in outline.attributes}
    return (
        outline.tags <= TAGS
        and names <= {("a", "href"), ("a", "rel")}
        and all(link.startswith(("http://", "https://")) for link in links)
    )


@pytest.mark.parametrize("payload", PAYLOADS)
def test_payload_can_do_nothing(payload):
    assert harmless(upstream_html(payload))
    assert harmless(upstream_html(f"Text before\n\n* {payload}\n\n> {payload} after"))


@given(
    st.lists(
        st.one_of(
            st.sampled_from(PAYLOADS),
            st.text(),
            st.sampled_from(["<", ">", "`", "](", "[", "\n\n", "\n    ", "<code>", "</code>"]),
        ),
        max_size=12,
    )
)
def test_no_mixture_of_text_can_do_anything(pieces):
    assert harmless(upstream_html("".join(pieces)))


def test_link_into_our_own_site_or_to_another_scheme_is_only_text():
    assert "href" not in upstream_html("[x](/accounts/logout) [x](//evil.example) [x](#main) [x](mailto:a@example.org)")


def test_links_leave_without_a_trace():
    assert upstream_html("[ATT&CK](https://attack.mitre.org/techniques/T1059)") == (
        '<p><a href="https://attack.mitre.org/techniques/T1059" rel="noopener noreferrer nofollow">ATT&amp;CK</a></p>\n'
    )


def test_code_literals_of_attack_stay_literal():
    assert upstream_html("Runs <code>cmd.exe /c *.bat* <x></code>.") == (
        "<p>Runs <code>cmd.exe /c *.bat* &lt;x&gt;</code>.</p>\n"
    )
    assert upstream_html("<code>a`b</code> and <code>`</code>") == "<p><code>a`b</code> and <code>`</code></p>\n"


def test_citations_are_left_out():
    assert upstream_html("Seen in 2020.(Citation: Vendor (2020) Report) Again (Citation: B).") == (
        "<p>Seen in 2020. Again.</p>\n"
    )


def test_headings_stand_below_those_of_the_page():
    assert upstream_html("# One\n\n## Two\n\n### Three") == "<h4>One</h4>\n<h5>Two</h5>\n<h6>Three</h6>\n"


def test_html_of_others_is_shown_as_text():
    assert upstream_html("<b>bold</b>") == "<p>&lt;b&gt;bold&lt;/b&gt;</p>\n"


@pytest.mark.parametrize("unit", ["<code>", "(Citation:", "> ", "[", "*a ", "`", "* ", "(Citation:(", "<a", "![", "| "])
def test_no_text_takes_long(unit):
    start = time.process_time()
    assert harmless(upstream_html(unit * (LONGEST // len(unit))))
    assert time.process_time() - start < 5


def test_text_too_long_for_the_renderer_is_shown_as_it_is():
    assert upstream_html("*a*" * LONGEST) == f"<p>{'*a*' * LONGEST}</p>"
