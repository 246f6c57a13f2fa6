"""What the checker says: findings, lawful look-alikes, a profile. And what it reads: tokens, sentences, frames."""

from array import array
from enum import StrEnum
from typing import Final, NamedTuple

import msgspec


class Kind(StrEnum):
    """What a text is; it decides what must be in it and which of two texts prevails."""

    PAGE = "page"
    NOTICE = "notice"
    AGREEMENT = "agreement"
    CHAT = "chat"


class FindingClass(StrEnum):
    """How a clause is wrong."""

    VOID = "VOID"
    """By law it should be void, or not become part of the contract."""
    VAGUE = "VAGUE"
    """It leaves open a time, an amount or a trigger on which a right hangs."""
    CONFLICT = "CONFLICT"
    """It cannot hold together with another clause."""
    HURDLE = "HURDLE"
    """It asks more proof or procedure of the buyer than is fair."""
    MISSING = "MISSING"
    """The document lacks what such a document must hold."""


class Severity(StrEnum):
    """How much hangs on it."""

    HIGH = "high"
    MEDIUM = "medium"
    LOW = "low"


SURE: Final = 0.8
"""From this confidence on a clause counts as one that by law should be void; below it is told as likely, no more."""


class Spot(msgspec.Struct, frozen=True):
    """Words in a document: characters from ``start`` to before ``end`` of the text as it was read, lines from 1."""

    words: str
    line: int
    start: int
    end: int
    document: int = 0


class Finding(msgspec.Struct, frozen=True, rename={"kind": "class"}):
    """One thing wrong, at its exact words; ``rewrite`` may stand in their place."""

    kind: FindingClass
    id: str
    words: str
    line: int
    start: int
    end: int
    severity: Severity
    title: str
    why: str
    law: tuple[str, ...]
    rewrite: str
    confidence: float
    lawful_if: str = ""
    topic: str = ""
    document: int = 0
    other: tuple[Spot, ...] = ()
    """What a contradiction stands against; the first of them prevails."""
    evasion: tuple[str, ...] = ()
    fingerprint: str = ""

    @property
    def is_sure(self) -> bool:
        """Whether something may rest on it; of a clause told as likely void nothing does."""
        return self.kind is not FindingClass.VOID or self.confidence >= SURE


class Fine(msgspec.Struct, frozen=True):
    """A clause that looks like catalogue entry ``id`` and is lawful, and why."""

    id: str
    words: str
    line: int
    start: int
    end: int
    reason: str
    document: int = 0


class Waived(msgspec.Struct, frozen=True):
    """A finding that the document's author allows, with the reason given."""

    finding: Finding
    reason: str


class IdleWaiver(msgspec.Struct, frozen=True):
    """A waiver that allows nothing: its id is unknown or misspelt, or what it allowed is gone or stands elsewhere."""

    id: str
    line: int
    reason: str
    document: int = 0


class Trick(msgspec.Struct, frozen=True):
    """Characters that hide words from a plain search, undone before reading."""

    kind: str
    words: str
    line: int
    start: int
    end: int
    document: int = 0


class Situation(msgspec.Struct, frozen=True):
    """What a buyer may expect in one situation: by the document, and by law whatever the document says."""

    title: str
    gives: str
    """``yes``, ``no``, ``conditional`` or ``silent``."""
    says: str
    floor: str
    law: tuple[str, ...]
    spot: Spot | None = None


class Report(msgspec.Struct, frozen=True):
    """All that was found in one document, or in several that are read together."""

    findings: tuple[Finding, ...]
    fine: tuple[Fine, ...]
    profile: dict[str, Situation]
    waived: tuple[Waived, ...] = ()
    idle_waivers: tuple[IdleWaiver, ...] = ()
    evasions: tuple[Trick, ...] = ()
    normalised: dict[str, int] = {}
    clauses: int = 0


class Text(NamedTuple):
    """A document made plain: ``plain[i]`` stands at ``source[at[i]]``; ``at`` has one entry more than ``plain``."""

    source: str
    plain: str
    at: "array[int]"
    tricks: tuple[tuple[str, int, int], ...]
    normalised: dict[str, int]


class Quantity(NamedTuple):
    """A number with its unit: seconds for ``TIME``, percent, yuan in cents, or times."""

    unit: str
    value: int
    text: str


class Token(msgspec.Struct, eq=False, gc=False):
    """A word of the lexicon, or a quantity, in the plain text."""

    start: int
    end: int
    names: frozenset[str]
    bits: int
    quantity: Quantity | None = None
    neg: bool = False
    quoted: bool = False
    fact: bool = False
    """Denied as something that did not happen (未处理), which refuses nothing."""
    segment: int = 0


class Frame(msgspec.Struct, eq=False, kw_only=True):
    """Who may, must or does what, when, unless: one proposition of a sentence, as sets of concepts (see ``bits``).

    ``before`` and ``after`` hold what stands around the act within its reach, ``near`` a segment more on both sides,
    ``exceptions`` what is taken out of it; a concept that is denied there is ``NO:CONCEPT``.
    """

    act: frozenset[str]
    neg: bool
    before: int
    after: int
    near: int
    scope: int
    exceptions: int
    modal: frozenset[str]
    actor: str
    quantities: tuple[Quantity, ...]
    conditional: bool
    meta: bool
    item: bool
    segment: int
    start: int
    end: int
    token: Token
    own_act: int | None
    """What the frame is about where that is not its token, as in an item of a list."""
    sentence: "Sentence"


class Sentence(msgspec.Struct, eq=False):
    """A stretch of plain text with its tokens and frames; ``paragraph`` numbers what stands together."""

    start: int
    end: int
    paragraph: int
    heading: int = 0
    is_title: bool = False
    """Whether it only names a matter, as a heading does, and says nothing of it."""
    carried: int = 0
    """What the sentence before says of whose doing it is, where this one refers to it: 由此产生的损失."""
    tokens: list[Token] = []
    segments: list[tuple[int, int]] = []
    frames: list[Frame] = []
    everything: int = 0


NOBODY: Final = ""
