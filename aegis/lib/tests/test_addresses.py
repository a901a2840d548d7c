"""The address of a client: what the client says of itself counts for nothing."""

import pytest
from django.test import RequestFactory

from aegis.lib.addresses import client_address, client_network


def address(settings, proxies, forwarded=None, remote="192.0.2.1", read=client_address):
    settings.NUM_PROXIES = proxies
    headers = {} if forwarded is None else {"HTTP_X_FORWARDED_FOR": forwarded}
    return read(RequestFactory().get("/", REMOTE_ADDR=remote, **headers))


@pytest.mark.parametrize("forwarded", [None, "203.0.113.9", "203.0.113.9, 198.51.100.7", "nonsense", ""])
def test_without_a_proxy_the_header_is_ignored(settings, forwarded):
    assert address(settings, 0, forwarded) == "192.0.2.1"


@pytest.mark.parametrize(
    ("proxies", "forwarded", "expected"),
    [
        (1, "203.0.113.9", "203.0.113.9"),
        (1, "1.1.1.1, 203.0.113.9", "203.0.113.9"),
        (1, "1.1.1.1,2.2.2.2,203.0.113.9", "203.0.113.9"),
        (2, "1.1.1.1, 203.0.113.9, 198.51.100.7", "203.0.113.9"),
        (2, "203.0.113.9", "203.0.113.9"),
        (1, "203.0.113.9:51234", "203.0.113.9"),
        (1, "[2001:db8::7]:51234", "2001:db8::7"),
        (1, "2001:db8::7", "2001:db8::7"),
        (1, "fe80::1%eth0", "fe80::1"),
        (1, "::ffff:203.0.113.9", "203.0.113.9"),
        (1, "nonsense", "192.0.2.1"),
        (1, "203.0.113.9, ", "192.0.2.1"),
        (1, None, "192.0.2.1"),
    ],
)
def test_behind_proxies_the_entry_of_the_outermost_counts(settings, proxies, forwarded, expected):
    assert address(settings, proxies, forwarded) == expected


def test_server_that_knows_no_address_says_so(settings):
    assert address(settings, 0, remote="") is None
    assert address(settings, 1, "203.0.113.9", remote="") == "203.0.113.9"


def test_addresses_of_one_ipv6_network_count_as_one_client(settings):
    assert address(settings, 0, remote="2001:db8:1:2:3:4:5:6", read=client_network) == "2001:db8:1:2::"
    assert address(settings, 0, remote="2001:db8:1:3::1", read=client_network) == "2001:db8:1:3::"
    assert address(settings, 0, remote="192.0.2.1", read=client_network) == "192.0.2.1"
    assert address(settings, 0, remote="", read=client_network) is None
