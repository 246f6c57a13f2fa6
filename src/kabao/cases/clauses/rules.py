"""Which findings of the terms checker count in a case, and of which facts they are evidence."""

from collections.abc import Iterable, Mapping, Sequence
from typing import Any, Final

from kabao.cases.clauses.documents import FIELDS
from kabao.cases.clauses.model import Clause
from kabao.terms import Finding, FindingClass

MOST: Final = 20
"""Findings that are kept of one order, the surest first."""
MOST_WORDS: Final = 300
KIND: Final = "terms_record"

_TERMS: Final = (*range(1, 6), *range(7, 14), 22, 23, 26, 28, 30, 32, 37)
COUNTED: Final = frozenset({f"K{number:02}" for number in _TERMS} | {"V-AMOUNT", "V-TRIGGER"})
"""The entries of the catalogue that bear on whether a buyer gets his money back; contradictions all do."""

TELLS: Final[Mapping[str, Mapping[str, str]]] = {
    "clause_unfair": {"VOID": "clause_void", "HURDLE": "hurdle_excessive"},
    "excessive_hurdle": {"HURDLE": "hurdle_excessive"},
    "clause_vague": {"VAGUE": "clause_ambiguous", "CONFLICT": "clause_contradicted"},
    "clause_contradictory": {"VAGUE": "clause_ambiguous", "CONFLICT": "clause_contradicted"},
}
"""By claim, the fact that a finding of each class is evidence of; other claims are not about terms."""


def clauses_of(findings: Iterable[Finding]) -> list[Clause]:
    """Return what counts of a check of a listing, the surest first; the shop's own structured terms are no finding."""
    found = [
        Clause(
            kind=finding.kind.value,
            id=finding.id,
            field=FIELDS[document],
            words=words[:MOST_WORDS],
            why=finding.why,
            law=finding.law,
            confidence=round(100 * finding.confidence),
        )
        for finding in findings
        if _counts(finding)
        for document, words in _free(finding)
    ]
    return sorted(dict.fromkeys(found), key=lambda clause: -clause.confidence)[:MOST]


def said_by_clauses(claim: str, clauses: Iterable[Clause]) -> dict[str, list[dict[str, Any]]]:
    """Return the evidence that clauses are in a claim, by fact; nobody's own, as what support establishes."""
    evidence: dict[str, list[dict[str, Any]]] = {}
    for fact, clause in _telling(claim, clauses):
        evidence.setdefault(fact, []).append({"shows": "proved", "kind": KIND, "confidence": clause.confidence})
    return evidence


def told_of(claim: str, clauses: Iterable[Clause]) -> list[dict[str, Any]]:
    """Write the clauses that bear on a claim for its case file, each with the fact it is evidence of."""
    return [
        {
            "fact": fact,
            "class": clause.kind,
            "id": clause.id,
            "words": clause.words,
            "why": clause.why,
            "law": list(clause.law),
        }
        for fact, clause in _telling(claim, clauses)
    ]


def _telling(claim: str, clauses: Iterable[Clause]) -> list[tuple[str, Clause]]:
    tells = TELLS.get(claim, {})
    return [(tells[clause.kind], clause) for clause in clauses if clause.kind in tells]


def _counts(finding: Finding) -> bool:
    if finding.kind is FindingClass.CONFLICT:
        return True
    return finding.id in COUNTED and finding.is_sure


def _free(finding: Finding) -> Sequence[tuple[int, str]]:
    """Return the first of a finding's places that is in a free text."""
    places = [(finding.document, finding.words), *((spot.document, spot.words) for spot in finding.other)]
    return [place for place in places if place[0] < len(FIELDS)][:1]
