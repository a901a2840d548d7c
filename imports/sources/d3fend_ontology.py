"""The techniques of the D3FEND ontology: which classes they are, their place below each other and their tactic.

A technique is a class below `d3f:DefensiveTechnique` with an id like D3-PSA. Its tactic is what the class, or else the
nearest class above it, `d3f:enables`. `@type` tells nothing about the place: some classes name another technique there.
"""

from __future__ import annotations

import re
from collections import defaultdict
from collections.abc import Iterator
from dataclasses import dataclass

from imports.readers.jsonld import KNOWN_PREFIXES, RDFS, Graph, Node, Vocabulary
from imports.readers.tally import Tally
from imports.records import DefensiveTechniqueRecord
from imports.upstream import Issue, ParseError

D3F = "http://d3fend.mitre.org/ontologies/d3fend.owl#"
ONTOLOGY = D3F.removesuffix("#")
TECHNIQUE_ROOT = D3F + "DefensiveTechnique"
TACTIC_CLASS = D3F + "DefensiveTactic"

LABEL = RDFS + "label"
PARENT = RDFS + "subClassOf"
TYPE = "@type"
ID = D3F + "d3fend-id"
DEFINITION = D3F + "definition"
SYNONYM = D3F + "synonym"
ENABLES = D3F + "enables"
ORDER = D3F + "display-order"
VERSION = KNOWN_PREFIXES["owl"] + "versionInfo"

VOCABULARY = Vocabulary(
    texts=frozenset({LABEL, ID, DEFINITION, SYNONYM, VERSION}),
    links=frozenset({PARENT, TYPE, ENABLES}),
    numbers=frozenset({ORDER}),
    prefixes={"d3f": D3F},
)
_D3FEND_ID = re.compile(r"D3-[A-Z0-9]{1,16}")


@dataclass(frozen=True, slots=True)
class _Tactic:
    position: int
    name: str


@dataclass(slots=True)
class _Hierarchy:
    """The classes below the root by their distance from it, and the tactics each one serves."""

    depth: dict[str, int]
    tactics: dict[str, set[_Tactic]]


def ontology_version(graph: Graph) -> str:
    """The release that the ontology says it is ("1.2.0"), or ""."""
    ontology = graph.nodes.get(ONTOLOGY)
    return ontology.text(VERSION) if ontology else ""


def techniques(graph: Graph) -> Iterator[DefensiveTechniqueRecord | Issue]:
    """The techniques by id, without what they counter. Raises ParseError when the graph has none."""
    hierarchy = _hierarchy(graph)
    if not hierarchy.depth:
        raise ParseError("the ontology has no class below d3f:DefensiveTechnique")
    tally = Tally()
    for problem in graph.problems:
        tally.add("a node of the graph was skipped", problem)
    owners = _owners(graph, hierarchy, tally)
    ids = {iri: published_id for published_id, iri in owners.items()}
    for published_id in sorted(owners):
        node = graph.nodes[owners[published_id]]
        for problem in node.problems:
            tally.add(f"a value of a defensive technique was left out: {problem}", short_name(node.iri))
        if node.text(LABEL):
            yield _technique(node, ids, hierarchy, tally)
        else:
            tally.add("skipped a defensive technique without `rdfs:label`", short_name(node.iri))
    yield from tally.issues()


def _owners(graph: Graph, hierarchy: _Hierarchy, tally: Tally) -> dict[str, str]:
    """The class of each D3FEND id. An id on two classes stays with the first in alphabetical order."""
    owners: dict[str, str] = {}
    for iri in sorted(graph.nodes):
        published_id = graph.nodes[iri].text(ID)
        if iri not in hierarchy.depth:
            continue  # among them D3-ARMA, an analytic method with an id like a technique's
        if not _D3FEND_ID.fullmatch(published_id):
            tally.add("skipped a defensive technique without an id like D3-PSA at `d3f:d3fend-id`", short_name(iri))
        elif owners.setdefault(published_id, iri) != iri:
            tally.add(f"skipped a second defensive technique with the id {published_id}", short_name(iri))
    return owners


def _technique(node: Node, ids: dict[str, str], hierarchy: _Hierarchy, tally: Tally) -> DefensiveTechniqueRecord:
    for name in (LABEL, DEFINITION, ID):
        if len(node.texts.get(name, ())) > 1:
            tally.add(
                f"several values at `{short_name(name)}`: the first in alphabetical order was taken",
                short_name(node.iri),
            )
    tactic = _tactic(node, hierarchy, tally)
    return DefensiveTechniqueRecord(
        d3fend_id=node.text(ID),
        iri=node.iri,
        name=node.text(LABEL),
        description=node.text(DEFINITION),
        tactic=tactic.name,
        tactic_position=tactic.position,
        parent=_parent(node, ids, hierarchy, tally),
        synonyms=node.texts.get(SYNONYM, ()),
        url=f"https://d3fend.mitre.org/technique/{short_name(node.iri)}/" if node.iri.startswith(D3F) else "",
    )


def _tactic(node: Node, hierarchy: _Hierarchy, tally: Tally) -> _Tactic:
    tactics = sorted(hierarchy.tactics.get(node.iri, ()), key=lambda tactic: tactic.position)
    if len(tactics) != 1:
        found = ", ".join(tactic.name for tactic in tactics) or "none"
        tally.add(f"expected one tactic for a defensive technique, found {found}", short_name(node.iri))
    return tactics[0] if tactics else _Tactic(0, "")


def _parent(node: Node, ids: dict[str, str], hierarchy: _Hierarchy, tally: Tally) -> str:
    """The D3FEND id of the class one step nearer to the root, which also keeps cycles out."""
    parents = [iri for iri in node.links.get(PARENT, ()) if iri in hierarchy.depth or iri == TECHNIQUE_ROOT]
    if len(parents) > 1:
        tally.add("several parents: the one nearest to d3f:DefensiveTechnique was taken", short_name(node.iri))
    nearer = hierarchy.depth[node.iri] - 1
    return next((ids.get(iri, "") for iri in parents if hierarchy.depth.get(iri) == nearer), "")


def _hierarchy(graph: Graph) -> _Hierarchy:
    children: dict[str, list[str]] = defaultdict(list)
    for node in graph.nodes.values():
        for parent in node.links.get(PARENT, ()):
            children[parent].append(node.iri)
    depth = _depth(children)
    return _Hierarchy(depth, _inherited_tactics(graph, depth, children))


def _depth(children: dict[str, list[str]]) -> dict[str, int]:
    """The shortest distance of every class below the root from it. The root itself is not in it."""
    depth = {TECHNIQUE_ROOT: 0}
    level = [TECHNIQUE_ROOT]
    while level:
        below = [child for iri in level for child in children.get(iri, ()) if child not in depth]
        depth |= dict.fromkeys(below, depth[level[0]] + 1)
        level = list(dict.fromkeys(below))
    del depth[TECHNIQUE_ROOT]
    return depth


def _inherited_tactics(graph: Graph, depth: dict[str, int], children: dict[str, list[str]]) -> dict[str, set[_Tactic]]:
    """What each class enables itself, or else what its nearest ancestors do; one step down at a time, so cycles end."""
    tactics = _tactics(graph)
    enabled = {
        iri: {tactics[link] for link in graph.nodes[iri].links.get(ENABLES, ()) if link in tactics} for iri in depth
    }
    assigned = {iri: own for iri, own in enabled.items() if own}
    level = list(assigned)
    while level:
        inherited: dict[str, set[_Tactic]] = defaultdict(set)
        for iri in level:
            for child in children.get(iri, ()):
                if child in depth and child not in assigned:
                    inherited[child] |= assigned[iri]
        assigned |= inherited
        level = list(inherited)
    return assigned


def _tactics(graph: Graph) -> dict[str, _Tactic]:
    """The defensive tactics in the ontology's display order, from 0. `d3f:enables` also names ATT&CK's."""
    nodes = [
        node
        for node in graph.nodes.values()
        if TACTIC_CLASS in node.links.get(TYPE, ()) or TACTIC_CLASS in node.links.get(PARENT, ())
    ]
    nodes.sort(key=lambda node: (*node.numbers.get(ORDER, (len(nodes),))[:1], node.iri))
    return {node.iri: _Tactic(position, node.text(LABEL)) for position, node in enumerate(nodes)}


def short_name(iri: str) -> str:
    """The name as people write it: `d3f:ProcessSpawnAnalysis`."""
    for prefix, namespace in (("d3f", D3F), ("rdfs", RDFS)):
        if iri.startswith(namespace):
            return f"{prefix}:{iri.removeprefix(namespace)}"
    return iri
