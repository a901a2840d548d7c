"""What a technique of the organisation's own may be: its id, and the words and tactics that it is written in."""

from __future__ import annotations

import re
import unicodedata
from collections.abc import Mapping, Sequence
from typing import Any, Final

from django.core.exceptions import ValidationError

from aegis.lib.filters import distinct_items
from aegis.lib.templatetags.aegis import is_web_address
from catalog.models import Tactic, Technique

LOCAL_ID: Final = re.compile(r"T9\d{3}(\.\d{3})?|T\d{4}\.9\d{2}", re.ASCII)
"""Ids that ATT&CK does not give out: its techniques count up from T1001, those below one technique from .001."""
ID_RULE: Final = (
    "A local technique is numbered from T9000 to T9999 (T9001, below it T9001.001), or from .900 to .999 below a technique of "
    "ATT&CK (T1059.901): ATT&CK gives out none of these."
)
WRITABLE: Final = ("name", "description", "tactics", "platforms", "url")
LONGEST_NAME: Final = 255
LONGEST_TEXT: Final = 100_000
LONGEST_URL: Final = 512
LONGEST_PLATFORM: Final = 64
MOST_TACTICS: Final = 20
MOST_PLATFORMS: Final = 50
BIDI: Final = frozenset("\u202a\u202b\u202c\u202d\u202e\u2066\u2067\u2068\u2069")
"""They make a text read other than it is written."""


def new_id(text: str) -> str:
    """The id in upper case. Raises ValidationError unless a local technique may have it."""
    mitre_id = text.strip().upper()
    if not LOCAL_ID.fullmatch(mitre_id):
        raise ValidationError({"mitre_id": ID_RULE})
    return mitre_id


def parent_of(mitre_id: str, named: str | None) -> Technique | None:
    """The technique that a sub-technique stands below, None for any other id.

    Raises ValidationError if that is not there or not active, or if the caller `named` another one.
    """
    above, dot, _ = mitre_id.partition(".")
    expected = above if dot else ""
    if named is not None and named.strip().upper() != expected:
        means = f"{mitre_id} stands below {expected}" if expected else f"{mitre_id} is no sub-technique"
        raise ValidationError({"parent": f"{means}: leave `parent` out, or name that one."})
    if not expected:
        return None
    found = Technique.objects.prefetch_related("technique_tactics").filter(mitre_id=expected)
    parent: Technique | None = found.first()
    if parent is None or not parent.is_active:
        what = "no technique here" if parent is None else "not an active technique"
        raise ValidationError({"mitre_id": f"{mitre_id} would stand below {expected}, which is {what}."})
    return parent


def checked(values: Mapping[str, Any], parent: Technique | None) -> dict[str, Any]:
    """The values of `WRITABLE` as they are kept. Raises ValidationError {field: message} for all that cannot be."""
    checks = {
        "name": _name,
        "description": lambda text: _text(text, LONGEST_TEXT),
        "tactics": lambda names: _tactics(names, parent),
        "platforms": _platforms,
        "url": _url,
    }
    cleaned, errors = {}, {}
    for field, value in values.items():
        try:
            cleaned[field] = checks[field](value)
        except ValidationError as error:
            errors[field] = error
    if errors:
        raise ValidationError(errors)
    return cleaned


def _name(text: str) -> str:
    name = _line(text, LONGEST_NAME)
    if not name:
        raise ValidationError("A technique needs a name.")
    return name


def _line(text: str, longest: int) -> str:
    """The text on one line, without space around it. Raises ValidationError."""
    text = _text(text.strip(), longest)
    if any(character in "\t\r\n" for character in text):
        raise ValidationError("Write it on one line.")
    return text


def _text(text: str, longest: int) -> str:
    if len(text) > longest:
        raise ValidationError(f"At most {longest:,} characters; this has {len(text):,}.")
    for character in text:
        hidden = unicodedata.category(character) in {"Cc", "Cs"} and character not in "\t\r\n"
        if hidden or character in BIDI:
            raise ValidationError(f"It holds a character that cannot be seen (U+{ord(character):04X}): take it out.")
    return text


def _tactics(names: Sequence[str], parent: Technique | None) -> list[str]:
    """The short names, each once. A sub-technique that names none has those of its parent. Raises ValidationError."""
    own = list(dict.fromkeys(name.strip().lower() for name in names))
    above = [place.tactic_id for place in parent.technique_tactics.all()] if parent else []
    if not own and not above:
        raise ValidationError("Name at least one tactic: the technique stands in its column of the matrix.")
    if len(own) > MOST_TACTICS:
        raise ValidationError(f"At most {MOST_TACTICS} tactics.")
    known = list(Tactic.objects.active().values_list("shortname", flat=True))
    allowed = [tactic for tactic in known if tactic in above] if above else known
    if unknown := [name for name in own if name not in allowed]:
        where = f"{parent.mitre_id} stands in" if parent and above else "ATT&CK has"
        raise ValidationError(f"`{unknown[0][:64]}` is not a tactic that {where}: {', '.join(allowed) or 'none'}.")
    return own or above


def _platforms(names: Sequence[str]) -> list[str]:
    """The platforms, each once; those that ATT&CK knows as it spells them. Raises ValidationError."""
    spelled = {name.casefold(): name for name, _ in distinct_items(Technique.objects.active(), "platforms")}
    lines = [_line(name, LONGEST_PLATFORM) for name in names]
    platforms = list(dict.fromkeys(spelled.get(line.casefold(), line) for line in lines))
    if not all(platforms):
        raise ValidationError("A platform needs a name.")
    if len(platforms) > MOST_PLATFORMS:
        raise ValidationError(f"At most {MOST_PLATFORMS} platforms.")
    return platforms


def _url(text: str) -> str:
    url = _line(text, LONGEST_URL)
    if url and (not is_web_address(url) or " " in url):
        raise ValidationError("Write an address that begins with https:// or http://.")
    return url
