"""MITRE D3FEND: the techniques are classes of an ontology (JSON-LD), what they counter is a table of query results.

A row of the table names its technique by the class (`def_tech`); the D3FEND id is only in the ontology. Rows repeat for
every page of the site that shows them (`query_def_tech_label`), so a pair comes up to 78 times. Format of the table:
https://www.w3.org/TR/sparql11-results-json/.
"""

from __future__ import annotations

import re
from collections import defaultdict
from collections.abc import Iterable, Iterator
from dataclasses import dataclass, replace
from datetime import timedelta

import msgspec

from imports.readers.json_document import load_items, load_members, load_object
from imports.readers.jsonld import read_graph
from imports.readers.tally import Tally
from imports.records import ArtifactPath, DefenseMapping, DefensiveTechniqueRecord, Record
from imports.sources.d3fend_ontology import D3F, VOCABULARY, ontology_version, short_name, techniques
from imports.upstream import HttpsFile, Issue, ParseError, Source, SourceFile, Version

ENTERPRISE_ROOT = D3F + "ATTACKEnterpriseTechnique"
_ENTERPRISE_ID = re.compile(r"T[1-9][0-9]{3}(\.[0-9]{3})?")


@dataclass(frozen=True, slots=True, kw_only=True)
class CounteredTechnique(Record):
    """One distinct row of the table: the class `defense` counters the ATT&CK technique by this path."""

    defense: str
    published_id: str
    path: ArtifactPath


def parse(file: SourceFile) -> Iterator[Record | Issue | Version]:
    """The ontology's version and techniques, without what they counter, or the distinct rows of the table.

    Which of the two a file is shows in its content: upstream has moved the table before.
    """
    members = load_members(file.data)
    if "@graph" in members:
        graph = read_graph(members, VOCABULARY)
        if version := ontology_version(graph):
            yield Version(version)
        yield from techniques(graph)
    elif "results" in members:
        yield from _countered_techniques(members)
    else:
        raise ParseError("expected the D3FEND ontology (`@graph`) or its mappings (`results`), found neither")


def assemble(records: Iterable[tuple[str, Record]]) -> Iterator[tuple[str, Record | Issue]]:
    """The techniques with what they counter. Raises ParseError when one of the two files is missing."""
    techniques: dict[str, tuple[str, DefensiveTechniqueRecord]] = {}
    paths: dict[str, dict[str, set[ArtifactPath]]] = defaultdict(lambda: defaultdict(set))
    table = ""
    for file, record in records:
        if isinstance(record, DefensiveTechniqueRecord):
            techniques[record.iri] = file, record
        elif isinstance(record, CounteredTechnique):
            table = file
            paths[record.defense][record.published_id].add(record.path)
    if not techniques or not paths:
        raise ParseError("D3FEND needs both files: the ontology (d3fend.json) and its full mappings")
    for file, technique in sorted(techniques.values(), key=lambda found: found[1].d3fend_id):
        yield file, replace(technique, techniques=_mappings(paths.pop(technique.iri, {})))
    orphans = Tally()
    for iri in paths:
        orphans.add("left out the mappings of what is not a defensive technique of the ontology", short_name(iri))
    yield from ((table, issue) for issue in orphans.issues())


def _mappings(paths: dict[str, set[ArtifactPath]]) -> tuple[DefenseMapping, ...]:
    return tuple(
        DefenseMapping(published_id=published_id, paths=tuple(sorted(paths[published_id], key=_path_order)))
        for published_id in sorted(paths)
    )


def _path_order(path: ArtifactPath) -> tuple[str, ...]:
    return path.defense_relation, path.defense_artifact, path.attack_relation, path.attack_artifact


class _Term(msgspec.Struct):
    value: str


class _Row(msgspec.Struct):
    """The columns that are read, of 26 or, with `framework_root_iri`, 27."""

    def_tech: _Term
    off_tech_id: _Term
    def_artifact_rel_label: _Term
    def_artifact_label: _Term
    off_artifact_rel_label: _Term
    off_artifact_label: _Term
    framework_root_iri: _Term | None = None


_row_decoder = msgspec.json.Decoder(_Row)


def _countered_techniques(members: dict[str, msgspec.Raw]) -> Iterator[Record | Issue]:
    tally = Tally()
    distinct: set[CounteredTechnique] = set()
    bindings = load_items(load_object(members, "results"), "bindings")
    for number, raw in enumerate(bindings, start=1):
        try:
            row = _row_decoder.decode(raw)
        except (msgspec.DecodeError, UnicodeDecodeError) as error:
            tally.add(f"skipped a row of the mappings: {error}", f"row {number}")
            continue
        if reason := _not_enterprise(row):
            tally.add(reason, row.off_tech_id.value)
        else:
            distinct.add(_countered_technique(row))
    if not distinct:
        raise ParseError("the mappings name no ATT&CK Enterprise technique")
    yield from distinct
    yield from tally.issues()


def _not_enterprise(row: _Row) -> str:
    """Why a row does not count: since 1.6.0 the table also holds ATT&CK for ICS and SPARTA."""
    if row.framework_root_iri and row.framework_root_iri.value != ENTERPRISE_ROOT:
        return f"mappings to {short_name(row.framework_root_iri.value)} were left out"
    if not _ENTERPRISE_ID.fullmatch(row.off_tech_id.value):
        return "mappings to what is not an ATT&CK Enterprise technique were left out"
    return ""


def _countered_technique(row: _Row) -> CounteredTechnique:
    path = ArtifactPath(
        defense_relation=row.def_artifact_rel_label.value,
        defense_artifact=row.def_artifact_label.value,
        attack_relation=row.off_artifact_rel_label.value,
        attack_artifact=row.off_artifact_label.value,
    )
    return CounteredTechnique(defense=row.def_tech.value, published_id=row.off_tech_id.value, path=path)


SOURCE = Source(
    slug="d3fend",
    label="MITRE D3FEND",
    license="MIT (D3FEND terms of use)",
    homepage="https://d3fend.mitre.org/",
    fetch=(
        HttpsFile("https://d3fend.mitre.org/ontologies/d3fend.json"),
        HttpsFile("https://d3fend.mitre.org/api/ontology/inference/d3fend-full-mappings.json"),
    ),
    parse=parse,
    assemble=assemble,
    complete=True,
    every=timedelta(days=365),
)
