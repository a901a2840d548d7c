"""What the upstreams are called. `imports` knows them and says so when Aegis starts; pages below it only know their slugs."""

from dataclasses import dataclass


@dataclass(frozen=True, slots=True)
class Upstream:
    """The name and the licence of a source, as a page shows them."""

    label: str
    license: str = ""

    @property
    def name(self) -> str:
        """The first word of the label ("SigmaHQ", "Elastic"): enough where rows of several sources stand together."""
        return self.label.partition(" ")[0]


_known: dict[str, Upstream] = {}


def introduce(slug: str, *, label: str, license: str) -> None:  # noqa: A002  the field's word
    """Tell what the source `slug` is called."""
    _known[slug] = Upstream(label, license)


def upstream(slug: str) -> Upstream:
    """The source called `slug`; one nobody introduced goes by its slug."""
    return _known.get(slug) or Upstream(slug)
