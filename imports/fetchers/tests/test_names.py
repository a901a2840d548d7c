"""Which paths a source's patterns mean."""

import pytest
from hypothesis import given
from hypothesis import strategies as st

from imports.fetchers.limits import LIMITS
from imports.fetchers.names import matcher, shown, trouble


@pytest.mark.parametrize(
    ("pattern", "path", "wanted"),
    [
        ("rules*/**/*.yml", "rules/a.yml", True),
        ("rules*/**/*.yml", "rules-hunting/windows/deep/a.yml", True),
        ("rules*/**/*.yml", "other/rules/a.yml", False),
        ("rules*/**/*.yml", "rules/a.yaml", False),
        ("rules*/**/*.yml", "rules/a.yml.txt", False),
        ("atomics/T*/T*.yaml", "atomics/T1003/T1003.yaml", True),
        ("atomics/T*/T*.yaml", "atomics/T1003/src/T1003.yaml", False),
        ("atomics/T*/T*.yaml", "atomics/Indexes/index.yaml", False),
        ("yml/*/?.yml", "yml/x/a.yml", True),
        ("yml/*/?.yml", "yml/x/ab.yml", False),
        ("**", "any/thing", True),
        ("**/x.json", "x.json", True),
        ("a.(b)+[c].yml", "a.(b)+[c].yml", True),
        ("a.(b)+[c].yml", "aX(b)+[c].yml", False),
    ],
)
def test_star_stays_in_a_folder_and_two_stars_cross_folders(pattern, path, wanted):
    assert matcher((pattern,))(path) is wanted
    assert matcher(("other/*.txt", pattern))(path) is wanted


def test_no_pattern_wants_nothing():
    assert not matcher(())("")
    assert not matcher(())("rules/a.yml")


def test_hostile_path_is_matched_at_once():
    assert not matcher(("rules*/**/*.yml",))("rules/" + "/" * 100_000 + "a" * 100_000)


@given(st.text(max_size=700))
def test_every_path_gets_a_verdict_and_a_printable_form(path):
    assert isinstance(trouble(path, LIMITS), str)
    assert shown(path).isprintable()
    assert len(shown(path)) <= 512
    assert trouble(path, LIMITS) or path.encode()
