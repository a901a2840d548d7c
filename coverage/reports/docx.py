"""A report as a Word document: a template, filled in a sandbox with nothing but texts."""

from __future__ import annotations

from io import BytesIO
from pathlib import Path
from typing import Any, Final
from zipfile import ZIP_DEFLATED, BadZipFile, ZipFile, ZipInfo

from django.conf import settings
from docx.opc.exceptions import PackageNotFoundError
from docxtpl import DocxTemplate
from jinja2 import StrictUndefined, TemplateError
from jinja2.sandbox import ImmutableSandboxedEnvironment

from aegis.lib.xml_text import fit

DOCX: Final = "application/vnd.openxmlformats-officedocument.wordprocessingml.document"
SHIPPED: Final = Path(__file__).resolve().parent / "templates"
EPOCH: Final = (1980, 1, 1, 0, 0, 0)
"""The time of each file in a document: the same report is the same bytes."""


class TemplateFault(RuntimeError):
    """A template cannot be filled; the text says which, and why."""


def template_path(name: str) -> Path:
    """Where the template of a report lies: in REPORT_TEMPLATES if there is one of that name, else the one that Aegis ships."""
    own = Path(settings.REPORT_TEMPLATES) / f"{name}.docx" if settings.REPORT_TEMPLATES else None
    return own if own and own.is_file() else SHIPPED / f"{name}.docx"


def filled(name: str, words: dict[str, Any]) -> bytes:
    """The template of that name with the words filled in. Raises TemplateFault."""
    path = template_path(name)
    sandbox = ImmutableSandboxedEnvironment(autoescape=True, undefined=StrictUndefined)
    file = BytesIO()
    try:
        document = DocxTemplate(path)
        document.render(plain(words), jinja_env=sandbox)
        document.save(file)
    except (TemplateError, PackageNotFoundError, BadZipFile, KeyError, ValueError, TypeError, ArithmeticError) as error:
        raise TemplateFault(
            f"The template {path.name} cannot be filled: {str(error) or type(error).__name__}"
        ) from error
    return timeless(file)


def plain(value: Any) -> Any:
    """Texts, whole numbers, and lists and dicts of these, every text fit for XML. Raises TypeError for anything else."""
    if value is None or isinstance(value, int):
        return value
    if isinstance(value, str):
        return fit(value).replace("\r\n", "\n").replace("\r", "\n")
    if isinstance(value, dict):
        return {name: plain(one) for name, one in value.items()}
    if isinstance(value, (list, tuple)):
        return [plain(one) for one in value]
    raise TypeError(f"a document is filled with texts, not with {type(value).__name__}")


def timeless(file: BytesIO) -> bytes:
    """The same archive without times."""
    out = BytesIO()
    with ZipFile(file) as found, ZipFile(out, "w", ZIP_DEFLATED) as made:
        for name in found.namelist():
            made.writestr(ZipInfo(name, EPOCH), found.read(name), ZIP_DEFLATED)
    return out.getvalue()
