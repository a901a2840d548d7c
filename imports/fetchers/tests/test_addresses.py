"""Which addresses are asked: the corpus C10 of hostile ones, and the networks a name may lead to."""

import pytest

from imports.fetchers import FetchError
from imports.fetchers.addresses import PUBLIC_HOSTS, mirror_route, public_route, public_url, redirected

GOOD = "https://codeload.github.com/acme/rules/tar.gz/refs/heads/main"
PUBLIC = "140.82.112.9"


def route(url: str, *addresses: str, extra: tuple[str, ...] = ()):
    return public_route(extra, lambda host: list(addresses or (PUBLIC,)))(url)


def never(host: str) -> list[str]:
    raise AssertionError(f"{host} was looked up")


def test_allowed_address_is_pinned_to_what_was_checked():
    endpoint = route(GOOD + "?x=1", PUBLIC, "2606:50c0:8000::154")
    assert (endpoint.scheme, endpoint.host, endpoint.port) == ("https", "codeload.github.com", 443)
    assert endpoint.target == "/acme/rules/tar.gz/refs/heads/main?x=1"
    assert endpoint.addresses == (PUBLIC, "2606:50c0:8000::154")


@pytest.mark.parametrize(
    "url", ["https://d3fend.mitre.org:443/a", "https://D3FEND.mitre.org/a", "https://d3fend.mitre.org/a"]
)
def test_spelling_of_an_allowed_address_does_not_matter(url):
    endpoint = route(url)
    assert (endpoint.host, endpoint.port, endpoint.target) == ("d3fend.mitre.org", 443, "/a")


HOSTS = [
    "127.0.0.1",
    "127.1",
    "2130706433",
    "0x7f000001",
    "0x7f.1",
    "017700000001",
    "0",
    "0.0.0.0",  # noqa: S104
    "140.82.112.9",
    "[::]",
    "[::1]",
    "[::ffff:127.0.0.1]",
    "[64:ff9b::7f00:1]",
    "[fe80::1%25eth0]",
    "fe80::1%25eth0",
    "[fc00::1]",
    "10.0.0.1",
    "172.16.0.1",
    "192.168.0.1",
    "100.64.0.1",
    "169.254.169.254",
    "metadata.google.internal",
    "localhost",
    "localhost.",
    "LOCALHOST",
    "codeload.github.com.",
    "①②⑦.⓪.⓪.①",
    "ⓖithub.com",
    "github.com@127.0.0.1",
    "codeload.github.com@127.0.0.1",
    "user:password@codeload.github.com",
    "codeload.github.com:80@127.0.0.1",
    "codeload.github.com#@127.0.0.1",
    "127.0.0.1\\@codeload.github.com",
    "codeload.github.com\\.evil.test",
    "codeload.github.com.evil.test",
    "evilcodeload.github.com",
    "codeload-github.com",
    "xn--codeload-github-b1b.com",
    "codeload.github.com%00.evil.test",
    "codeload.github.com%2eevil.test",
    "codeload.github.com:22",
    "codeload.github.com:25",
    "codeload.github.com:6379",
    "codeload.github.com:5432",
    "codeload.github.com:9000",
    "codeload.github.com:0443",
    "codeload.github.com:",
    "",
    ".",
    "..",
    "-codeload.github.com",
]
TAILS = [
    "/x\r\nHost: evil.test",
    "/x y",
    "/x\t",
    "/x\x00",
    "/x#fragment",
    "/é",
    "/x\\y",
    '/"',
    "/<x>",
    "/" + "a" * 70_000,
]
SCHEMES = ["http", "HTTP", "HTTPS", "file", "gopher", "ftp", "dict", "ldap", "jar", "data", "javascript", ""]


@pytest.mark.parametrize("host", HOSTS)
def test_host_that_is_not_an_allowed_name_is_never_looked_up(host):
    with pytest.raises(FetchError, match="Refused to fetch") as refused:
        public_route((), never)(f"https://{host}/x")
    assert "password" not in str(refused.value)


def test_what_follows_a_question_mark_is_only_a_query():
    assert public_url("https://codeload.github.com?@127.0.0.1", PUBLIC_HOSTS) == ("codeload.github.com", "/?@127.0.0.1")


@pytest.mark.parametrize("tail", TAILS)
def test_path_with_anything_but_address_characters_is_refused(tail):
    with pytest.raises(FetchError, match="only plain https addresses"):
        public_route((), never)(f"https://codeload.github.com{tail}")


@pytest.mark.parametrize("scheme", SCHEMES)
def test_scheme_other_than_https_is_refused(scheme):
    for form in (
        "{}://codeload.github.com/x",
        "{}:codeload.github.com/x",
        "{}:///etc/passwd",
        " {}://codeload.github.com/",
    ):
        with pytest.raises(FetchError, match="Refused to fetch"):
            public_route((), never)(form.format(scheme))


@pytest.mark.parametrize("host", ["127.0.0.1", "[::1]", "localhost", "2130706433", "0x7f.0x1"])
def test_extra_hosts_cannot_name_an_address_or_this_machine(host):
    with pytest.raises(FetchError, match="only plain https addresses of named hosts"):
        public_route((host,), never)(f"https://{host}/x")


def test_extra_host_is_fetched_from_and_a_refusal_says_how_to_add_one():
    assert route("https://git.example.org/x", extra=(" Git.example.org",)).host == "git.example.org"
    with pytest.raises(FetchError, match="AEGIS_EXTRA_HOSTS"):
        route("https://git.example.org/x")


NOT_PUBLIC = """
    0.0.0.0 0.1.2.3 10.0.0.1 100.64.0.1 100.127.255.255 127.0.0.1 127.255.255.254 169.254.169.254 172.16.0.1 172.31.255.255
    192.0.0.1 192.0.0.9 192.0.2.1 192.88.99.1 192.168.1.1 198.18.0.1 198.51.100.1 203.0.113.1 224.0.0.1 239.255.255.255
    240.0.0.1 255.255.255.255 :: ::1 ::ffff:127.0.0.1 ::ffff:140.82.112.9 ::127.0.0.1 64:ff9b::7f00:1 64:ff9b::8c52:7009
    64:ff9b:1::1 100::1 2001::1 2001:10::1 2001:20::1 2001:db8::1 2002:7f00:1::1 3fff::1 5f00::1 fc00::1 fd12::1 fe80::1
    fe80::1%eth0 2606:50c0:8000::154%eth0 fec0::1 ff02::1 ff0e::1 localhost 127.1 0x7f000001
"""


@pytest.mark.parametrize("address", NOT_PUBLIC.split())
def test_name_that_leads_to_any_special_network_is_refused(address):
    for addresses in ([address], [PUBLIC, address], [address, PUBLIC]):
        with pytest.raises(FetchError, match="not on the public internet"):
            route(GOOD, *addresses)


@pytest.mark.parametrize(
    "address", ["140.82.112.9", "185.199.108.133", "2606:50c0:8000::154", "2a00:1450:4001::1", "2001:4860::8"]
)
def test_name_that_leads_to_the_public_internet_is_asked(address):
    assert route(GOOD, address).addresses == (address,)


def test_name_that_leads_nowhere_is_refused():
    with pytest.raises(FetchError, match="leads to no address"):
        public_route((), lambda host: [])(GOOD)


def test_name_is_looked_up_once_so_it_cannot_change_after_the_check():
    answers = iter([[PUBLIC], ["127.0.0.1"]])
    assert public_route((), lambda host: next(answers))(GOOD).addresses == (PUBLIC,)
    assert next(answers) == ["127.0.0.1"]


@pytest.mark.parametrize(
    ("location", "leads_to"),
    [
        ("/other", "https://d3fend.mitre.org/other"),
        ("c", "https://d3fend.mitre.org/a/c"),
        ("//evil.test/x", "https://evil.test/x"),
    ],
)
def test_relative_redirects_are_made_absolute_before_they_are_checked(location, leads_to):
    assert redirected("https://d3fend.mitre.org/a/b", location) == leads_to


@pytest.mark.parametrize(
    "location", ["https://git\thub.com/", "/x\r\nSet-Cookie: a", "https://[::1/", "https://é.test/"]
)
def test_redirect_that_is_no_address_is_refused(location):
    with pytest.raises(FetchError, match="Refused"):
        redirected(GOOD, location)


@pytest.mark.parametrize(
    ("mirror", "scheme", "host", "port", "address"),
    [
        ("http://127.0.0.1:8000/m", "http", "127.0.0.1", 8000, "127.0.0.1"),
        ("http://mirror", "http", "mirror", 80, "mirror"),
        ("https://mirror.example.org/m/", "https", "mirror.example.org", 443, "mirror.example.org"),
        ("http://[::1]:8000", "http", "[::1]", 8000, "::1"),
    ],
)
def test_mirror_may_be_private(mirror, scheme, host, port, address):
    endpoint = mirror_route(mirror)(f"{mirror}/x")
    assert (endpoint.scheme, endpoint.host, endpoint.port, endpoint.addresses) == (scheme, host, port, (address,))


@pytest.mark.parametrize(
    "mirror",
    [
        "ftp://m/x",
        "http://",
        "http://u:secret@m/x",
        "http://m/x y",
        "http://m:99999/",
        "http://m#x",
        "http://m\\x",
        "HTTP://m",
    ],
)
def test_mirror_address_that_cannot_be_used_says_how_to_write_it(mirror):
    with pytest.raises(FetchError, match="write it as http://host:port/path") as refused:
        mirror_route(mirror)
    assert "secret" not in str(refused.value)


@pytest.mark.parametrize(
    "url", ["http://127.0.0.1/x", "http://127.0.0.1:8001/x", "https://127.0.0.1:8000/x", "http://[::1]:8000/"]
)
def test_mirror_does_not_send_on_to_another_place(url):
    with pytest.raises(FetchError, match="another host"):
        mirror_route("http://127.0.0.1:8000/m")(url)
