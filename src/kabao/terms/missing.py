"""What a kind of document must hold, and does not."""

from collections.abc import Sequence

from kabao.terms.bits import bits, width
from kabao.terms.model import Finding, FindingClass, Severity
from kabao.terms.packed import Requirement, packed
from kabao.terms.spots import Reading


def find(readings: Sequence[Reading]) -> list[Finding]:
    """Return what each document lacks; what one of several says need not stand in the others."""
    said = {
        (held | held >> width())
        for reading in readings
        for sentence in reading.sentences
        for held in (sentence.everything | sentence.heading,)
    }
    return [
        _finding(reading, requirement)
        for reading in readings
        if reading.sentences
        for requirement in packed().requirements
        if reading.kind.value in requirement.kinds and not any(_holds(requirement, held) for held in said)
    ]


def _holds(requirement: Requirement, held: int) -> bool:
    return any(all(bits(alternatives) & held for alternatives in together) for together in requirement.any_of)


def _finding(reading: Reading, requirement: Requirement) -> Finding:
    return Finding(
        kind=FindingClass.MISSING,
        id=requirement.id,
        words="",
        line=1,
        start=0,
        end=0,
        severity=Severity.LOW,
        title=requirement.title,
        why=requirement.why,
        law=requirement.law,
        rewrite=requirement.rewrite,
        confidence=0.7,
        lawful_if="写明这一项，说清情形、期限和办法",
        document=reading.number,
    )
