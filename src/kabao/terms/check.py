"""Check documents: read them as frames, hold the frames against the catalogue, and gather what was found."""

import hashlib
from collections import Counter
from collections.abc import Sequence
from functools import cache
from itertools import pairwise
from typing import Final, NamedTuple

import msgspec

from kabao.terms import conflicts, missing, profile
from kabao.terms.bits import bit, bits, bits_of
from kabao.terms.causes import excuses, forbids_buyer, goes_on, own, refers_back
from kabao.terms.frames import read
from kabao.terms.lexicon import tokenise
from kabao.terms.matching import CompiledEntry, anchors, candidates, matches
from kabao.terms.model import (
    Finding,
    FindingClass,
    Fine,
    Frame,
    IdleWaiver,
    Kind,
    Report,
    Sentence,
    Severity,
    Trick,
    Waived,
)
from kabao.terms.normal import normalise
from kabao.terms.parties import exchange, first_buys, paid
from kabao.terms.polarity import PREDICATES, REMEDIES
from kabao.terms.rereading import reread
from kabao.terms.scopes import take_back
from kabao.terms.spots import Reading
from kabao.terms.structure import names_matter, stretches, wrapped_ends
from kabao.terms.waivers import Waiver, waiver_for, waivers_of, without_waivers

LAW: Final = "LAW_RESERVED"
LISTED: Final = "LISTED"
LAW_REASON: Final = "写明不影响法律规定的权利，只在法律允许的范围内起作用"
DEFECT_REASON: Final = "同一段话保留了商品有问题时的退换，只排除其他情形"
UNUSED_REASON: Final = "没有使用之前可以退，只排除使用之后反悔"
BESIDE_REASON: Final = "同一段话的另一句写明了合法的做法"
META_REASON: Final = "这句话是在禁止或评价这类条款，不是在采用它"
DENIED_REASON: Final = "这句话否定了这类做法"
PLACES: Final = frozenset({"JURIS", "COURT", "NAMEDCOURT", "ARBITRATE"})
TELLING: Final = frozenset(
    {"THEN", "OFFER", "MUST", "MAY", "IF", "BUYER", "SHOP", "PLATFORM", "MERCHANT", "SOLD", "NEG"}
)
MOST_TRICKS: Final = 50
FINGERPRINT_LENGTH: Final = 16


class Document(NamedTuple):
    """A text to check. ``wrapped`` says that its lines were broken by the width of a page."""

    text: str
    kind: Kind = Kind.AGREEMENT
    name: str = ""
    wrapped: bool = False


class Hit(NamedTuple):
    """An entry that a frame is a case of, at a stretch of plain text; ``reason`` where it is lawful all the same."""

    start: int
    end: int
    each: CompiledEntry
    confidence: float
    reason: str


class _Saving(NamedTuple):
    """What a paragraph says that may make a term in it lawful: remedies, and the concepts of its other sentences."""

    names: frozenset[str]
    around: int


def check(documents: Sequence[Document], *, clause: bool = False, waivers: bool = True) -> Report:
    """Check one document, or several that bind the same people; a ``clause`` alone need not hold what a document must.

    Without ``waivers`` what the texts allow themselves counts for nothing: for a text that its author does not judge.
    Work grows in step with the length; no limits are held here, see ``reading``.
    """
    readings = [read_document(document, number, waivers=waivers) for number, document in enumerate(documents)]
    findings: list[Finding] = []
    fine: list[Fine] = []
    for reading in readings:
        for finding in reread(reading, _catalogue(reading)):
            (fine if isinstance(finding, Fine) else findings).append(finding)  # type: ignore[arg-type]
    findings += conflicts.find(readings, findings)
    if not clause:
        findings += missing.find(readings)
    kept, waived, idle = _waived(_numbered(sorted(findings, key=_place)), readings if waivers else ())
    return Report(
        findings=kept,
        fine=tuple(sorted(fine, key=lambda each: (each.document, each.start))),
        profile=profile.of(readings),
        waived=waived,
        idle_waivers=idle,
        evasions=tuple(trick for reading in readings for trick in _tricks(reading)),
        normalised=dict(sum((Counter(reading.text.normalised) for reading in readings), Counter())),
        clauses=sum(len(reading.sentences) for reading in readings),
    )


def read_document(document: Document, number: int = 0, *, waivers: bool = False) -> Reading:
    """Read one document as sentences with frames; ``waivers`` in it are no words of it where they may count."""
    ends = wrapped_ends(document.text) if document.wrapped else ()
    said = without_waivers(document.text) if waivers else document.text
    text = normalise(said, ends)._replace(source=document.text)
    reading = Reading(number, document.kind, document.name, text)
    intro: Frame | None = None
    heading: tuple[tuple[int, int] | None, int] = (None, 0)
    actor, paragraph = "", -1
    is_turned = first_buys(text.plain)
    for stretch in stretches(text.plain):
        sentence = Sentence(stretch.start, stretch.end, stretch.paragraph)
        sentence.tokens = tokenise(text.plain, stretch.start, stretch.end)
        if is_turned:
            exchange(sentence.tokens, text.plain)
        paid(sentence.tokens, text.plain)
        if stretch.heading is not None and stretch.heading != heading[0]:
            below = tokenise(text.plain, *stretch.heading)
            heading = (stretch.heading, bits(name for token in below for name in token.names))
        sentence.heading = heading[1]
        sentence.is_title = _is_title(sentence, stretch.heading, text.plain)
        before = reading.sentences[-1] if reading.sentences else None
        if before is not None and before.paragraph == stretch.paragraph and refers_back(text.plain, stretch.start):
            sentence.carried = (before.everything | before.carried) & excuses()
            if forbids_buyer(before.tokens):
                sentence.carried |= own()
        if before is not None and before.paragraph == stretch.paragraph and goes_on(text.plain, stretch.start):
            sentence.carried |= before.everything & bit(LAW)
        is_new = stretch.paragraph != paragraph
        actor = read(sentence, text.plain, anchors(), "" if is_new else actor)
        take_back(sentence, before)
        if not stretch.is_item and (is_new or intro is None):
            intro = None
        if intro is not None and stretch.is_item:
            _as_item(sentence, intro)
        if stretch.is_intro:
            intro = _intro_of(sentence)
        paragraph = stretch.paragraph
        reading.sentences.append(sentence)
    return reading


def _intro_of(sentence: Sentence) -> Frame | None:
    """Return what a sentence says of the list that follows it."""
    forbidding = any("FORBID" in token.names for token in sentence.tokens)
    acts = [frame for frame in sentence.frames if frame.act & REMEDIES or frame.meta]
    if acts:
        return next((frame for frame in acts if frame.neg), acts[-1])
    if forbidding:
        return _case(sentence, sentence.tokens[-1].names, meta=True)
    return None


def _as_item(sentence: Sentence, intro: Frame) -> None:
    """Read an item as a case of the sentence before the list: 以下情形不予退款: (1) 买错."""
    if intro.meta:
        for frame in sentence.frames:
            frame.meta = True
    elif sentence.tokens and not any(not frame.conditional and frame.act & REMEDIES for frame in sentence.frames):
        case = _case(sentence, intro.act, meta=False)
        case.neg, case.actor, case.modal, case.exceptions = intro.neg, intro.actor, intro.modal, intro.exceptions
        case.before = case.scope = case.near = sentence.everything | (intro.before & ~bit(LISTED))
        sentence.frames = [case]
        sentence.carried |= intro.sentence.everything & excuses()


def _case(sentence: Sentence, act: frozenset[str], *, meta: bool) -> Frame:
    return Frame(
        sentence=sentence,
        token=sentence.tokens[-1],
        act=act,
        own_act=bits_of(act),
        neg=False,
        before=0,
        after=0,
        scope=0,
        near=0,
        exceptions=0,
        modal=frozenset(),
        actor="",
        quantities=tuple(token.quantity for token in sentence.tokens if token.quantity),
        conditional=False,
        meta=meta,
        item=True,
        segment=0,
        start=sentence.start,
        end=sentence.end,
    )


def _catalogue(reading: Reading) -> list[Finding | Fine]:
    """Hold every frame against the catalogue; of several at the same words the entry that stands first stays."""
    beside = _beside(reading)
    around = _around(reading)
    found: list[Finding | Fine] = []
    for sentence in reading.sentences:
        if not sentence.frames or _asks(reading.text.plain, sentence):
            continue
        hits = []
        for frame in sentence.frames:
            for vague in _kinds(frame):
                saving = _Saving(beside.get(sentence.paragraph, frozenset()), around.get(sentence.start, 0))
                hit = _first(reading, frame, saving, vague=vague)
                if hit is not None:
                    hits.append(hit)
        wrong: list[Hit] = []
        for hit in sorted((hit for hit in hits if not hit.reason), key=_rank):
            if not any(_overlap(hit, other) for other in wrong):
                wrong.append(hit)
        found += [_finding(reading, hit) for hit in wrong]
        told: list[Hit] = []
        for hit in (hit for hit in hits if hit.reason):
            if not any(_overlap(hit, other) for other in (*wrong, *told)):
                told.append(hit)
                spot = reading.spot(hit.start, hit.end)
                found.append(
                    Fine(hit.each.entry.id, spot.words, spot.line, spot.start, spot.end, hit.reason, reading.number)
                )
    return found


def _is_title(sentence: Sentence, heading: tuple[int, int] | None, plain: str) -> bool:
    """Whether a line is a heading, or ends as one does, and tells neither who, when nor that something will be."""
    start, end = sentence.start, sentence.end
    if (heading is None or heading[0] != start) and not names_matter(plain, start, end):
        return False
    return not any(token.names & TELLING and "SUBSCRIBE" not in token.names for token in sentence.tokens)


def _kinds(frame: Frame) -> tuple[bool, ...]:
    """Whether a frame is to be held against the catalogue (False), against what is vague (True), or both."""
    if frame.sentence.is_title:
        return () if _only_when(frame) else (False,)
    return (True,) if _only_when(frame) else (False, True)


def _only_when(frame: Frame) -> bool:
    """Whether a frame says when something happens, or what a public body does: neither makes a term."""
    if frame.actor == "PUBLIC" and not frame.act & PLACES:
        return True
    return frame.conditional and bool(frame.act & PREDICATES or ("TEST_REPORT" in frame.act and not frame.neg))


def _asks(plain: str, sentence: Sentence) -> bool:
    """Whether it is a question, as in a list of questions and answers."""
    return plain[sentence.start : sentence.end].rstrip("”) ").endswith("?")


def _rank(hit: Hit) -> tuple[bool, int, int]:
    return hit.each.entry.kind == FindingClass.VAGUE, hit.each.rank, hit.start


def _overlap(one: Hit, other: Hit) -> bool:
    return one.start < other.end and other.start < one.end


def _beside(reading: Reading) -> dict[int, frozenset[str]]:
    """Return for each paragraph what saves a term in it: ``defect`` where faulty goods are made good, ``law``."""
    saving: dict[int, set[str]] = {}
    for sentence in reading.sentences:
        turned = bool(sentence.tokens) and "BUT" in sentence.tokens[0].names
        for frame in sentence.frames:
            is_remedy = not frame.neg and not frame.meta and frame.act & REMEDIES and not frame.conditional
            is_remedy = is_remedy and not (frame.act & {"LIABLE"} and frame.before & refusals())
            is_remedy = is_remedy and not (frame.act & REMEDIES <= {"LIABLE", "SERVICE"} and _falls_to_buyer(frame))
            if (
                is_remedy
                and frame.scope & bit("DEFECT")
                and not frame.scope & bit("RECORDING")
                and "FORBID" not in frame.modal
            ):
                for paragraph in (sentence.paragraph, sentence.paragraph - 1)[: 1 + turned]:
                    saving.setdefault(paragraph, set()).add("defect")
            if frame.scope & unused() and _gives_back(frame, is_remedy=bool(is_remedy)):
                saving.setdefault(sentence.paragraph, set()).add("unused")
    return {paragraph: frozenset(names) for paragraph, names in saving.items()}


def _gives_back(frame: Frame, *, is_remedy: bool) -> bool:
    """Whether it is sent back: by a refund, or by the buyer's own cancelling."""
    is_cancelled = frame.actor == "BUYER" and "CANCEL" in frame.act and not (frame.neg or frame.meta)
    return is_cancelled or (is_remedy and "REFUND" in frame.act)


def _falls_to_buyer(frame: Frame) -> bool:
    """Whether it is the buyer who bears something, and nobody who makes it good."""
    return bool(frame.scope & bits_of(frozenset({"SELFBEAR"}))) or (
        bool(frame.scope & bit("BUYER")) and not frame.scope & bits_of(frozenset({"SHOP", "PLATFORM", "MERCHANT"}))
    )


def _around(reading: Reading) -> dict[int, int]:
    """Return for each sentence, by where it starts, what the other sentences of its paragraph hold."""
    held: dict[int, int] = {}
    for one, other in pairwise(reading.sentences):
        if one.paragraph == other.paragraph:
            held[one.start] = held.get(one.start, 0) | other.everything
            held[other.start] = held.get(other.start, 0) | one.everything
    return held


@cache
def refusals() -> int:
    """Return the bits of what makes a duty named after it one that is refused: 无权主张质量责任."""
    return bits_of(frozenset({"NO:CLAIM", "NO:SERVICE", "NO:LIABLE", "NO:COMPENSATE", "NO:GUARANTEE", "REFUSE"}))


@cache
def unused() -> int:
    """Return the bits of what was not yet looked at, used or begun."""
    return bits_of(frozenset({"SEALED", "NO:VIEWED", "NO:USED", "NO:START", "NO:DELIVERED", "NO:RECHARGE"}))


@cache
def sweeping() -> int:
    """Return the bits of what refuses whatever is wrong."""
    return bits_of(frozenset({"ALLCASES", "CONCESSIVE", "ANYPROBLEM", "DEFECT", "REFUSAL_WORDS", "SALE_FINAL"}))


def _first(reading: Reading, frame: Frame, beside: _Saving, *, vague: bool) -> Hit | None:
    """Return the first entry that a frame is a case of; where none is, the first by which it is lawful."""
    lawful: tuple[CompiledEntry, str] | None = None
    for each in candidates(frame.act, neg=frame.neg, vague=vague):
        reason, confidence = _judged(each, frame, beside)
        if confidence:
            return Hit(*reading.trimmed(frame.start, frame.end), each, confidence, "")
        if reason and lawful is None:
            lawful = each, reason
    return Hit(*reading.trimmed(frame.start, frame.end), lawful[0], 0.0, lawful[1]) if lawful else None


def _judged(each: CompiledEntry, frame: Frame, beside: _Saving) -> tuple[str, float]:
    """Return why a frame is lawful under an entry, or how surely it is a case of it; neither where it is neither."""
    for rule in each.fine:
        if matches(rule, frame):
            return rule.rule.reason, 0.0
    for rule in each.when:
        if matches(rule, frame):
            reason = _saved(each, frame, beside)
            return reason, 0.0 if reason else rule.rule.confidence
    return "", 0.0


def _saved(each: CompiledEntry, frame: Frame, beside: _Saving) -> str:
    """Return why a frame that an entry speaks of is lawful all the same; empty where it is not."""
    if frame.meta:
        return META_REASON
    ways = each.entry.saved_by
    overridden = bit("INTENT_INCLUDED") & frame.sentence.everything
    if (
        "law" in ways
        and not overridden
        and bit(LAW) & (frame.exceptions | frame.sentence.everything | frame.sentence.carried)
    ):
        return LAW_REASON
    if "defect" in ways and (bit("DEFECT") & frame.exceptions or "defect" in beside.names):
        return DEFECT_REASON
    if {"defect", "unused"}.intersection(ways) and "unused" in beside.names and not frame.scope & sweeping():
        return UNUSED_REASON
    if each.beside & beside.around:
        return BESIDE_REASON
    return ""


def _finding(reading: Reading, hit: Hit) -> Finding:
    entry = hit.each.entry
    spot = reading.spot(hit.start, hit.end)
    return Finding(
        kind=FindingClass(entry.kind),
        id=entry.id,
        words=spot.words,
        line=spot.line,
        start=spot.start,
        end=spot.end,
        severity=Severity(entry.severity),
        title=entry.title,
        why=entry.why,
        law=entry.law,
        rewrite=entry.rewrite,
        confidence=hit.confidence,
        lawful_if=entry.lawful_if,
        document=reading.number,
        evasion=reading.tricks_within(spot.start, spot.end),
    )


def _place(finding: Finding) -> tuple[int, int, int, str]:
    return finding.document, finding.start, finding.end, finding.id


def _numbered(findings: Sequence[Finding]) -> list[Finding]:
    """Give each finding a fingerprint that stays when text moves: its id, its words, and which of such it is."""
    seen: Counter[str] = Counter()
    numbered = []
    for finding in findings:
        key = f"{finding.kind}|{finding.id}|{finding.topic}|{' '.join(finding.words.split())}"
        seen[key] += 1
        digest = hashlib.sha256(f"{key}|{seen[key]}".encode()).hexdigest()[:FINGERPRINT_LENGTH]
        numbered.append(msgspec.structs.replace(finding, fingerprint=digest))
    return numbered


def _waived(
    findings: Sequence[Finding], readings: Sequence[Reading]
) -> tuple[tuple[Finding, ...], tuple[Waived, ...], tuple[IdleWaiver, ...]]:
    """Part the findings that are allowed from those that are not, and tell the waivers that allow nothing."""
    allowed = {reading.number: waivers_of(reading.text.source) for reading in readings}
    used: set[tuple[int, Waiver]] = set()
    kept, waived = [], []
    for finding in findings:
        waiver = waiver_for(allowed.get(finding.document, ()), finding.id, finding.line)
        if waiver is None:
            kept.append(finding)
        else:
            used.add((finding.document, waiver))
            waived.append(Waived(finding, waiver.reason))
    idle = [
        IdleWaiver(one.id, one.line, one.reason, number)
        for number, waivers in allowed.items()
        for one in waivers
        if (number, one) not in used
    ]
    return tuple(kept), tuple(waived), tuple(idle)


def _tricks(reading: Reading) -> list[Trick]:
    told = []
    for kind, start, end in reading.text.tricks[:MOST_TRICKS]:
        spot = reading.source_spot(max(0, start - 4), min(len(reading.text.source), end + 4))
        told.append(Trick(kind, spot.words, spot.line, start, end, reading.number))
    return told
