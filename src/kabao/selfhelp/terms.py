"""What the terms checker finds in the terms that were pasted, as far as a letter about this case can use it."""

from collections.abc import Iterable
from typing import Final

from kabao.selfhelp.model import Answer, Side, Story, TermsKind
from kabao.selfhelp.phrases import phrases
from kabao.selfhelp.results import TermsFinding
from kabao.terms import Document, Finding, FindingClass, Kind, Severity, check

KINDS: Final = {TermsKind.PAGE: Kind.PAGE, TermsKind.NOTICE: Kind.NOTICE, TermsKind.AGREEMENT: Kind.AGREEMENT}
USED: Final = frozenset({FindingClass.VOID, FindingClass.CONFLICT, FindingClass.HURDLE, FindingClass.VAGUE})
MOST: Final = 30

TELLS: Final = {
    FindingClass.VOID.value: "clause_void",
    FindingClass.CONFLICT.value: "clause_contradicted",
    FindingClass.HURDLE.value: "hurdle_excessive",
    FindingClass.VAGUE.value: "clause_ambiguous",
}
"""Facts of the rulebook that a finding of the class suggests; a person or a court has yet to agree."""


def findings_of(story: Story) -> tuple[TermsFinding, ...]:
    """Check what was pasted, each side's texts together, the weightiest findings first."""
    found: list[tuple[int, TermsFinding]] = []
    for side in (Side.MERCHANT, Side.PLATFORM):
        texts = [text for text in story.terms if text.of is side]
        if not texts:
            continue
        report = check([Document(text.text, KINDS[text.kind], text.file) for text in texts], clause=True, waivers=False)
        for one in report.findings:
            if one.kind in USED and one.is_sure:
                heavy = list(Severity).index(one.severity)
                found.append(
                    (
                        heavy,
                        TermsFinding(
                            file=texts[one.document].file,
                            of=side,
                            line=one.line,
                            words=one.words,
                            kind=one.kind.value,
                            title=one.title,
                            title_en=_in_english(one),
                            why=one.why,
                            law=one.law,
                        ),
                    )
                )
    return tuple(finding for _, finding in sorted(found, key=lambda pair: pair[0])[:MOST])


def _in_english(one: Finding) -> str:
    """Say in English what was found; two clauses that do not go together are told by what they are about."""
    titles = phrases().clauses
    if one.topic in titles:
        return f"two passages disagree about {titles[one.topic]}"
    return titles.get(one.id, one.title)


def told_by_terms(findings: Iterable[TermsFinding]) -> dict[str, Answer]:
    """Give the facts that the findings suggest, as if the person had said so."""
    return {TELLS[one.kind]: Answer.YES for one in findings}
