"""Code on a page: the exact bytes, in the right colours, with nothing hidden in them."""

from hypothesis import given
from hypothesis import strategies as st

from catalog.arguments import defaults, filled, placeholders, published
from catalog.code import Span, code
from catalog.highlight import LONGEST, highlighted

SIGMA = """detection:
    selection:
        Image|endswith: '\\powershell.exe'  # any host
    condition: selection
"""
ARGUMENTS = [
    {"name": "target", "default": "10.0.0.5"},
    {"name": "file", "default": "PathToAtomicsFolder/#{arch}/a.bin"},
    {"name": "arch", "default": "x64"},
    {"name": "secret", "default": None},
    {"name": "flags", "default": ""},
]


def looks(spans) -> list[tuple[str, str]]:
    return [(span.look, span.text) for span in spans if span.look]


def test_yaml_shows_keys_strings_and_comments():
    assert looks(highlighted(SIGMA, "yaml")) == [
        ("k", "detection"),
        ("k", "selection"),
        ("k", "Image|endswith"),
        ("s", "'\\powershell.exe'"),
        ("c", "# any host"),
        ("k", "condition"),
    ]


def test_toml_shows_tables_keys_and_strings():
    text = '[rule]\nname = "A rule"  # the name\nrisk_score = 21\n'
    assert looks(highlighted(text, "toml")) == [
        ("k", "[rule]"),
        ("k", "name"),
        ("s", '"A rule"'),
        ("c", "# the name"),
        ("k", "risk_score"),
    ]


def test_queries_show_words_of_the_language_but_not_names_of_fields():
    text = 'process where process.name == "cmd.exe" and not user : "a" // by hand'
    assert looks(highlighted(text, "query")) == [
        ("k", "process"),
        ("k", "where"),
        ("s", '"cmd.exe"'),
        ("k", "and"),
        ("k", "not"),
        ("s", '"a"'),
        ("c", "// by hand"),
    ]


def test_very_long_text_stays_plain():
    assert [span.look for span in highlighted("a: 1\n" * (LONGEST // 5 + 1), "yaml")] == [""]


@given(st.text(alphabet=st.characters(codec="utf-8"), max_size=60), st.sampled_from(["yaml", "toml", "query", "none"]))
def test_colours_never_change_a_byte(text, language):
    block = code(highlighted(text, language))
    assert block.text == text
    assert "".join(span.text for span in block.spans if span.look != "odd") == _without_odd(block, text)


@given(st.lists(st.text(max_size=5)))
def test_every_way_to_cut_a_text_shows_the_same_text_and_the_same_odd_characters(runs):
    cut = code(Span(run, "k") for run in runs)
    whole = code([Span("".join(runs), "k")])
    assert cut.text == whole.text
    assert cut.odd == whole.odd


def test_odd_character_inside_a_string_is_named_by_its_code_point():
    block = code([Span("a: "), Span('"\u202eb"', "s")])
    assert block.odd == 1
    assert [(span.text, span.look) for span in block.spans] == [
        ("a: ", ""),
        ('"', "s"),
        ("U+202E", "odd"),
        ('b"', "s"),
    ]


def test_arguments_are_filled_in_as_invoke_atomictest_does():
    spans = list(filled("ping #{target} > #{file} #{flags} #{secret} #{unknown}", defaults(ARGUMENTS)))
    assert "".join(span.text for span in spans) == (
        "ping 10.0.0.5 > PathToAtomicsFolder/x64/a.bin  #{secret} #{unknown}"
    )
    assert [span.title for span in spans if span.look] == [
        "argument target",
        "argument file",
        "argument flags",
        "argument secret: no default, write a value of your own",
        "argument unknown: no default, write a value of your own",
    ]


def test_arguments_that_name_each_other_come_to_an_end():
    values = defaults([{"name": "a", "default": "<#{b}>"}, {"name": "b", "default": "(#{a})"}])
    assert values == {"a": "<(#{a})>", "b": "(<#{b}>)"}


def test_arguments_made_to_grow_without_end_are_left_as_they_are():
    values = defaults([{"name": "a", "default": "#{a}" * 1000}, {"name": "b", "default": "b" * 60_000}])
    assert values["a"] == "#{a}" * 1000
    spans = [span for span in filled("#{b}#{b}", values) if span.text]
    assert [len(span.text) for span in spans] == [60_000, 4]
    assert spans[1].title == "argument b: its default is too long to show here"


@given(st.text(max_size=80))
def test_published_command_is_byte_for_byte_what_upstream_wrote(text):
    assert "".join(span.text for span in published(text)) == text


def test_placeholders_are_named_once_each_in_order():
    assert placeholders("#{b} #{a} #{b} #{} ${c} #{not\nthis}") == ["b", "a"]


def _without_odd(block, text: str) -> str:
    """`text` without the characters that stand as code points in the block."""
    odd = [span.text for span in block.spans if span.look == "odd"]
    rest = []
    for character in text:
        if odd and f"U+{ord(character):04X}" == odd[0]:
            odd.pop(0)
        else:
            rest.append(character)
    return "".join(rest)
