"""How mentions are found: ids, names, their other spellings, and the context that plain English needs."""

import pytest

from intel.mentions import CONFIDENT, OldId, Term, Vocabulary
from intel.tests.names import vocabulary_of_the_sentences

VOCABULARY = vocabulary_of_the_sentences()


def found(text: str) -> list[tuple[str, str, float, str]]:
    return [(one.key, one.text, one.confidence, one.reason) for one in VOCABULARY.find(text)]


def confident(text: str) -> list[tuple[str, str]]:
    return [(one.key, one.text) for one in VOCABULARY.find(text) if one.confidence >= CONFIDENT]


@pytest.mark.parametrize(
    ("text", "expected"),
    [
        ("T1059", [("T1059", "T1059", 1.0, "ATT&CK id")]),
        ("(T1059.001)", [("T1059.001", "T1059.001", 1.0, "ATT&CK id")]),
        ("We saw T1059.", [("T1059", "T1059", 1.0, "ATT&CK id")]),
        ("/techniques/T1059/001/", [("T1059.001", "T1059/001", 1.0, "ATT&CK id in a link or tag")]),
        ("attack.t1059.001", [("T1059.001", "t1059.001", 1.0, "ATT&CK id in a link or tag")]),
        ("the t1059 again", [("T1059", "t1059", 0.4, "ATT&CK id in small letters")]),
        ("T1086", [("T1059.001", "T1086", 1.0, "old ATT&CK id T1086, now T1059.001 (revoked-by)")]),
        ("part no. T1059", [("T1059", "T1059", 0.2, "looks like a part number")]),
        (
            "Screws T1055 and T1059",
            [("T1055", "T1055", 0.2, "looks like a part number"), ("T1059", "T1059", 0.2, "looks like a part number")],
        ),
        ("T1059-B", [("T1059", "T1059", 0.2, "looks like a part number")]),
        ("T1003.001-T1003", [("T1003.001", "T1003.001", 1.0, "ATT&CK id"), ("T1003", "T1003", 1.0, "ATT&CK id")]),
        ("G0016 and S0154", [("G0016", "G0016", 1.0, "ATT&CK id"), ("S0154", "S0154", 1.0, "ATT&CK id")]),
        ("cve-2024-3400", [("CVE-2024-3400", "cve-2024-3400", 1.0, "CVE id")]),
        ("CVE-2024-340, CVE-1024-3400, CVE-2024", []),
        ("T9999, T1059.999, XT1059, T1059X, T10591", []),
    ],
)
def test_ids_that_exist_are_found_and_others_are_not(text: str, expected: list):
    assert found(text) == expected


@pytest.mark.parametrize(
    ("text", "key"),
    [
        ("spear-phishing attachments", "T1566.001"),
        ("Spearphishing_Attachment", "T1566.001"),
        ("SPEARPHISHING ATTACHMENT", "T1566.001"),
        ("spear phishing\nattachment", "T1566.001"),
        ("webshells", "T1505.003"),
        ("web shell's", "T1505.003"),
        ("Process Doppelganging", "T1055.013"),
        ("Scheduled Task/Job: Cron", "T1053.003"),
        ("Scheduled Task/Job – Cron", "T1053.003"),
        ("APT 29", "G0016"),
        ("APT-29", "G0016"),
        ("apt29", "G0016"),
        ("Cozy Bear's", "G0016"),
        ("CozyBear", "G0016"),
        ("Sandworm", "G0034"),
        ("mimikatz", "S0002"),
        ("exploiting a public-facing application", "T1190"),
        ("exploited public-facing applications", "T1190"),
        ("inhibits system recovery", "T1490"),
        ("cleared the Windows event logs", "T1070.001"),
        ("disabled or modified tools", "T1562.001"),
        ("DLL injection", "T1055.001"),
    ],
)
def test_other_spellings_are_the_same_thing(text: str, key: str):
    assert [one for one, _ in confident(f"We saw {text} there.")] == [key]


@pytest.mark.parametrize(
    "text",
    [
        "spearphishing. Attachment",
        "spearphishing\n\nattachment",
        "web, shell",
        "prewebshells",
        "net",
        "at noon",
        "cozy bear",
        "Pastoral29",
        "responder",
    ],
)
def test_words_that_only_look_alike_are_not_it(text: str):
    assert confident(f"We saw {text} there.") == []


@pytest.mark.parametrize(
    ("text", "confidence", "reason"),
    [
        ("There was data destruction.", 0.25, "plain English word without context"),
        ("There was data destruction (T1485).", 0.95, "name beside T1485"),
        ("T1485 was seen. There was data destruction.", 0.8, "name next to the sentence with T1485"),
        ("After T1059 came data destruction.", 0.6, "near T1059"),
        ("APT29 went for data destruction.", 0.6, "near the actor APT29"),
        ("After Lateral Movement came data destruction.", 0.6, "near the tactic Lateral Movement"),
        ("For Impact there was data destruction.", 0.6, "near the tactic Impact"),
        ("The impact was data destruction.", 0.25, "plain English word without context"),
        ("They passed the Data Destruction Act.", 0.2, "part of a longer name"),
    ],
)
def test_plain_english_counts_only_with_context(text: str, confidence: float, reason: str):
    assert [one[2:] for one in found(text) if "estruction" in one[1]] == [(confidence, reason)]


def test_several_plain_names_in_one_sentence_vouch_for_each_other():
    text = "Data Destruction, Service Stop and Defacement of the site."
    assert confident(text) == [("T1485", "Data Destruction"), ("T1489", "Service Stop"), ("T1491", "Defacement")]


def test_the_longest_name_wins():
    assert confident("Windows Management Instrumentation Event Subscription (T1546)") == [
        ("T1546.003", "Windows Management Instrumentation Event Subscription"),
        ("T1546", "T1546"),
    ]


@pytest.mark.parametrize(
    ("text", "key", "confidence"),
    [
        ("There was steganography.", "T1001.002", 0.45),
        ("They used steganography (T1027.003).", "T1027.003", 0.95),
        ("They used steganography (T1001).", "T1001.002", 0.95),
        ("A spearphishing link came.", "T1566.002", 0.85),
        ("Reconnaissance: a spearphishing link came.", "T1598.003", 0.85),
    ],
)
def test_techniques_of_one_name_are_told_apart_by_context(text: str, key: str, confidence: float):
    assert [one[::2] for one in found(text) if "link" in one[1] or "steg" in one[1]] == [(key, confidence)]


def test_an_uncertain_namesake_never_flags():
    twins = [Term("Quuxing", "technique", "T1111.001"), Term("Quuxing", "technique", "T1112.001")]
    assert [(one.key, one.confidence, one.reason) for one in Vocabulary(twins).find("Quuxing")] == [
        ("T1111.001", 0.5, "T1111.001 and T1112.001 have this name")
    ]


def test_names_of_old_techniques_mean_the_current_one():
    terms = [Term("Quuxing", "technique", "T1111"), Term("Bazzing", "technique", "T1222")]
    mentions = Vocabulary(terms, {"T1222": OldId("T1111", "crosswalk")}).find("Bazzing")
    assert [(one.key, one.text, one.reason) for one in mentions] == [
        ("T1111", "Bazzing", "distinct name; name of T1222, now T1111 (crosswalk)")
    ]


def test_each_mention_knows_its_sentence():
    text = "He wrote to the U.S. embassy. APT29 used Mimikatz, e.g. on Monday. All is well."
    sentences = {text[slice(*mention.sentence)] for mention in VOCABULARY.find(text)}
    assert sentences == {"APT29 used Mimikatz, e.g. on Monday."}


def test_nothing_is_found_in_nothing():
    assert VOCABULARY.find("") == []
    assert Vocabulary([]).find("T1059 and APT29") == []
    assert Vocabulary([Term("???", "software", "S0001")]).find("???") == []


@pytest.mark.parametrize(
    ("text", "expected"),
    [
        ("Two men plead guilty; a reptile and a pacemaker were stolen.", []),
        ("A PACEMAKER sample was found beside PLEAD.", [("S1109", "PACEMAKER"), ("S0435", "PLEAD")]),
        ("Bumblebee numbers recover, says the ministry.", []),
        ("Bumblebee malware is back.", [("S1039", "Bumblebee")]),
        ("The loader fetched Bumblebee.", [("S1039", "Bumblebee")]),
        ("rokrat is a word here", []),
        ("RokRAT and Rokrat are not", [("S0240", "RokRAT"), ("S0240", "Rokrat")]),
        ("Officials in Beijing denied it.", []),
        ("Apache HttpClient before 5.4 and zlib are affected.", []),
    ],
)
def test_names_that_are_words_need_a_capital_and_more(text: str, expected: list):
    assert confident(text) == expected


@pytest.mark.parametrize(
    ("text", "reason"),
    [
        ("The village of Turla is for sale.", "the name of a place"),
        ("Turla is a hill village of 900 people.", "the name of a place"),
        ("Turla, a village with one pub, is for sale.", "the name of a place"),
        ("The fair in Turla was cancelled.", "the name of a place"),
        ("Mr. Turla teaches mathematics.", "the name of a person"),
        ("Overlaps in Turla were found.", "distinct name"),
        ("The fair was cancelled. Code was found in Turla.", "distinct name"),
        ("Turla is the group behind the city attack.", "distinct name"),
        ("Turla, the actor that hit the city, is back.", "distinct name"),
    ],
)
def test_a_place_or_a_person_of_that_name_is_not_the_actor(text: str, reason: str):
    assert [(one.key, one.reason) for one in VOCABULARY.find(text)] == [("G0010", reason)]


def test_a_ransomware_gang_is_the_actor_and_its_ransomware_is_not():
    assert confident("The Akira ransomware gang is back.") == [("G1024", "Akira")]
    assert confident("Akira ransomware is back.") == [("S1129", "Akira")]
    assert confident("The Medusa ransomware gang is back.") == [("S1244", "Medusa ransomware")]


@pytest.mark.parametrize(
    ("text", "expected"),
    [
        ("The attacker moved laterally by RDP.", [("T1021.001", "RDP")]),
        ("RDP was used to move laterally.", [("T1021.001", "RDP")]),
        ("Close RDP to the internet.", []),
        ("An initial access broker sells RDP.", []),
        ("Run systemctl restart nginx, or msiexec /i agent.msi.", []),
        ("The backdoor was installed by msiexec.", [("T1218.007", "msiexec")]),
    ],
)
def test_what_administrators_use_too_counts_beside_an_attack(text: str, expected: list):
    assert confident(text) == expected
