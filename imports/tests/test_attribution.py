"""What is read from the prose about a group, and above all what is not. Groups and sentences are our own."""

import pytest
from hypothesis import given
from hypothesis import strategies as st

from imports.readers.attribution import profile, sentences
from imports.records import Attribution

NAMES = ("Velvet Badger", "LYNX$")


@pytest.mark.parametrize(
    ("sentence", "country"),
    [
        ("Velvet Badger is a suspected Chinese cyber espionage group.", "China"),
        ("Velvet Badger is a Chinese-based crew that writes letters.", "China"),
        ("Velvet Badger is a People's Republic of China (PRC) state-sponsored actor.", "China"),
        ("Velvet Badger is a People’s Republic of China-linked APT entity.", "China"),
        ("Velvet Badger is a PRC state-backed actor.", "China"),
        ("LYNX$ is a DPRK-affiliated group.", "North Korea"),
        ("LYNX$ is a North Korea–aligned threat group active since 2020.", "North Korea"),
        ("LYNX$ is a North Korean state-sponsored threat group.", "North Korea"),
        ("LYNX$ is a suspected South Korean threat group that targeted North Korea.", "South Korea"),
        ("The group has been attributed to Russia's General Bureau of Doors.", "Russia"),
        ("Velvet Badger is a group attributed to the Lebanese General Office of Doors.", "Lebanon"),
        ("Velvet Badger is a threat group that has been attributed to Iranian actors.", "Iran"),
        ("Velvet Badger is a group attributed to actors operating out of Vietnam.", "Vietnam"),
        ("Velvet Badger appears to operate from the Lowland Province of China.", "China"),
        ("They are believed to be operating out of Iran.", "Iran"),
        ("It is a threat group with likely Chinese origins.", "China"),
        ("This group is a threat actor with a suspected nexus to the Iranian government.", "Iran"),
        ("Velvet Badger is an influence group originating in Russia.", "Russia"),
        ("Velvet Badger is a criminal group that is likely based in Brazil.", "Brazil"),
        ("Velvet Badger is assessed to be a subordinate element within Iran's Ministry of Doors.", "Iran"),
        ("Members of Velvet Badger acted in association with the Chinese Ministry of Keys.", "China"),
        ("Researchers have identified Velvet Badger as a likely Chinese state-sponsored group.", "China"),
        ("Velvet Badger is a Türkiye-linked threat actor.", "Turkey"),
        ("Velvet Badger is a Russian group that has targeted Ukraine and Russia.", "Russia"),
        ("Velvet Badger is a suspected Indian threat actor that primarily targets Pakistan and China.", "India"),
    ],
)
def test_a_sentence_that_attributes_gives_the_country(sentence, country):
    found = profile(NAMES, sentence)
    assert found.country == country
    assert Attribution(field="country", value=country, sentence=sentence) in found.attributions


@pytest.mark.parametrize(
    "sentence",
    [
        "Velvet Badger is a threat group that has targeted Chinese organizations.",
        "Velvet Badger is a threat group targeting Ukraine-based companies in Russia.",
        "Velvet Badger is a Chinese-speaking threat group.",
        "Velvet Badger is a Russian–speaking threat group.",
        "Velvet Badger is a pro-Russian hacktivist group.",
        "Velvet Badger is an anti-Iranian group.",
        "Velvet Badger is a Taiwan-focused espionage group.",
        "Velvet Badger is not a Chinese group.",
        "Velvet Badger may be attributed to China.",
        "Velvet Badger is a group with a suspected Iranian nexus, though this attribution is not definite.",
        "Velvet Badger has not been attributed to Russia's Bureau of Doors.",
        "Velvet Badger has been falsely attributed to China.",
        "Velvet Badger is a group linked to Russian and Belorussian interests.",
        "Velvet Badger is a Russian or Ukrainian group.",
        "Velvet Badger has been attributed to Russia and Belarus.",
        "Velvet Badger's tools resemble those of a suspected Indian threat group.",
        "Velvet Badger copies Grey Stoat, a suspected Indian threat group.",
        "Grey Stoat is a suspected Chinese threat group.",
        "A robbery in Japan has been attributed to Velvet Badger.",
        "In May 2020, the Ukrainian government arrested members of Velvet Badger in Poland.",
        "Velvet Badger compromised the Russian Central Bank.",
        "The group's motivations appear to overlap with those of the Chinese government.",
        "Velvet Badger is a suspected South American espionage group.",
        "Velvet Badger is made up of actors who likely speak Russian.",
    ],
)
def test_a_victim_a_language_a_doubt_or_another_group_gives_no_country(sentence):
    assert profile(NAMES, sentence).country == ""


def test_two_sentences_that_name_two_countries_give_none():
    found = profile(NAMES, "Velvet Badger is a Chinese threat group. LYNX$ is a Russia-based threat group.")
    assert found.country == ""
    assert [attribution for attribution in found.attributions if attribution.field == "country"] == []


@pytest.mark.parametrize(
    ("sentence", "motivation"),
    [
        ("Velvet Badger is a cyberespionage group.", "espionage"),
        ("Velvet Badger conducts financially-motivated attacks and espionage operations.", "espionage, financial"),
        ("Velvet Badger is a destructive threat group.", "destruction"),
        ("Velvet Badger is a hacktivist collective.", "hacktivism"),
        ("Velvet Badger operations may be financially motivated.", ""),
        ("Velvet Badger is motivated by theft rather than financial gain.", ""),
        ("Velvet Badger shares tools with a cyber crime group.", ""),
        ("Velvet Badger has no link to espionage.", ""),
        ("Grey Stoat is a ransomware group.", ""),
        ("Velvet Badger is a threat group.", ""),
    ],
)
def test_the_motivation_is_what_the_text_says_of_the_group(sentence, motivation):
    assert profile(NAMES, sentence).motivation == motivation


@pytest.mark.parametrize(
    ("sentence", "sectors", "regions"),
    [
        (
            "Velvet Badger has targeted banks, hospitals, and non-governmental organizations in Norway and Eastern Europe.",
            ("finance", "healthcare"),
            ("Eastern Europe", "Norway"),
        ),
        (
            "Since at least 2019, Velvet Badger has targeted airlines in Asia using social engineering.",
            ("aerospace",),
            ("Asia",),
        ),
        ("Velvet Badger targets victims by posing as a bank in Japan.", (), ()),
        ("Velvet Badger targeted German and Italian speakers.", (), ()),
        ("Velvet Badger uses software from a university in China.", (), ()),
        ("Targets included news outlets and casinos in South Africa.", ("gaming", "media"), ("South Africa",)),
        ("Velvet Badger may have targeted hospitals in Spain.", (), ()),
        ("Velvet Badger has launched campaigns against U.S. law firms.", ("legal",), ("United States",)),
        ("Its victims have primarily been in the Middle East and the UK.", (), ("Middle East", "United Kingdom")),
    ],
)
def test_sectors_and_regions_come_from_clauses_about_targets(sentence, sectors, regions):
    found = profile(NAMES, sentence)
    assert (found.target_sectors, found.target_regions) == (sectors, regions)


def test_sentences_lose_citations_and_links_but_not_abbreviations():
    text = (
        "[Velvet Badger](https://attack.mitre.org/groups/G9001) opens U.S. doors.(Citation: A (2020))(Citation: B) "
        "It has <code>keys</code>, e.g. Copies of TEMP.Keys.\n\nThey left!"
    )
    assert sentences(text) == [
        "Velvet Badger opens U.S. doors.",
        "It has keys, e.g. Copies of TEMP.Keys.",
        "They left!",
    ]


def test_a_name_full_of_special_characters_is_taken_literally():
    assert profile(("C++ (the) [Group].*",), "C++ (the) [Group].* is a Chinese threat group.").country == "China"


def test_thousands_of_aliases_and_a_huge_name_are_bounded():
    aliases = tuple(f"alias {number}" for number in range(10_000))
    assert (
        profile(("Velvet Badger", "x" * 10_000_000, *aliases), "Velvet Badger is a Chinese group.").country == "China"
    )


def test_an_empty_description_says_nothing():
    assert profile(NAMES, "").attributions == ()


@pytest.mark.parametrize(
    "text",
    [
        "(" * 50_000,
        "[" * 50_000,
        "(Citation: " * 5_000,
        " " * 50_000,
        "A. " * 20_000,
        "Velvet Badger is a A" + ", may" * 400,
        "Velvet Badger is a " + "very " * 20_000,
    ],
)
def test_hostile_prose_is_read_in_no_time(text):
    assert profile(NAMES, text).country == ""


@given(st.text(max_size=300), st.lists(st.text(max_size=20), max_size=3))
def test_no_text_breaks_the_reader(text, names):
    found = profile(tuple(names), text)
    assert found.country == "" or any(attribution.field == "country" for attribution in found.attributions)
