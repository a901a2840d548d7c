"""What the parts of a framework are called: not every framework has controls, and not everything mapped defends."""

from __future__ import annotations

from dataclasses import dataclass
from typing import Final


@dataclass(frozen=True, slots=True)
class Words:
    """One kind of framework. `mapped` is how a technique stands to it ("mitigated in"); `meaning` what a mapping says.

    `caution` is the short warning before it, `defends` whether anything in it claims to stand against techniques, `long_ids`
    whether its ids are rather names.
    """

    thing: str
    things: str
    group: str
    groups: str
    mapped: str
    caution: str
    meaning: str
    defends: bool = True
    long_ids: bool = False

    def counted(self, number: int) -> str:
        """A number of them: "1 control", "3 controls"."""
        return f"{number:,} {self.thing if number == 1 else self.things}"


CONTROLS: Final = Words(
    thing="control",
    things="controls",
    group="Family",
    groups="families",
    mapped="mitigated in",
    caution="Mapped is not compliant.",
    meaning="A mapping says that a control is meant to mitigate a technique. It does not say that the control is in place, nor"
    " that it works: the figures count mapped techniques with proof by our tests.",
)
CAPABILITIES: Final = Words(
    thing="capability",
    things="capabilities",
    group="Group",
    groups="groups",
    mapped="scored in",
    long_ids=True,
    caution="Scored is not protected.",
    meaning="A score says how well a vendor’s capability can protect against, detect or respond to a technique. It does not"
    " say that we have it, that it is switched on, nor that it works here: the figures count mapped techniques with proof by"
    " our tests. A capability that only responds to a technique is in no conflict with a test that missed it.",
)
VULNERABILITIES: Final = Words(
    thing="vulnerability",
    things="vulnerabilities",
    group="Weakness",
    groups="weaknesses",
    mapped="exploited in",
    caution="Mapped is neither exposed nor safe.",
    meaning="A mapping says by which technique a vulnerability is exploited, and to which techniques that leads. It does not"
    " say that we have the vulnerability, and it mitigates nothing: no conflict comes of it. The figures count mapped"
    " techniques with proof by our tests.",
    defends=False,
)
ACTIONS: Final = Words(
    thing="action",
    things="actions",
    group="Category",
    groups="categories",
    mapped="described in",
    long_ids=True,
    caution="Mapped is a description.",
    meaning="A mapping says which techniques an action or an effect of the incident vocabulary stands for. It mitigates"
    " nothing: no conflict comes of it. The figures count mapped techniques with proof by our tests.",
    defends=False,
)

SPOKEN: Final = {
    "aws": CAPABILITIES,
    "azure": CAPABILITIES,
    "gcp": CAPABILITIES,
    "intel-vpro": CAPABILITIES,
    "m365": CAPABILITIES,
    "kev": VULNERABILITIES,
    "veris": ACTIONS,
}
"""Slug -> words; any other framework has controls."""

DOES: Final = {"protect": "Protects", "detect": "Detects", "respond": "Responds"}
"""Score category -> what the capability does, for people."""


def words_of(slug: str) -> Words:
    """The words of a framework by its slug."""
    return SPOKEN.get(slug, CONTROLS)


def said_of(mapping_type: str, mapping_name: str, category: str, value: str) -> str:
    """A mapping for people: "Mitigates", "Primary impact", "Detects: partial (Credential Guard)"."""
    if not category:
        return (mapping_name or mapping_type).replace("_", " ").replace("-", " ").capitalize()
    does = DOES.get(category, category.capitalize())
    score = f"{does}: {value}" if value else does
    by = "" if mapping_type.startswith("technique_score") else mapping_name or mapping_type
    return f"{score} ({by})" if by else score
