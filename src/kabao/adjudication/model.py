"""The rulebook as values: facts, claims, articles, what an article decides, a case, and how it is told.

Nothing here reads files or decides anything.
"""

from collections.abc import Mapping
from datetime import date
from enum import StrEnum
from typing import Final, NamedTuple

import msgspec


class Party(StrEnum):
    """Who may be helped, bear a burden, be responsible or pay."""

    BUYER = "buyer"
    MERCHANT = "merchant"
    PLATFORM = "platform"
    NOBODY = "nobody"


class Outcome(StrEnum):
    """The fate of the price."""

    FULL_REFUND = "FULL_REFUND"
    PARTIAL_REFUND = "PARTIAL_REFUND"
    REPLACE = "REPLACE"
    PERFORM = "PERFORM"
    DENY = "DENY"
    VOID_RESTITUTION = "VOID_RESTITUTION"
    DAMAGES = "DAMAGES"
    PROMISE = "PROMISE"
    BUYER_PAYS = "BUYER_PAYS"
    CONFLICT = "CONFLICT"
    ROUTE_OUT = "ROUTE_OUT"
    NEEDS_PERSON = "NEEDS_PERSON"


UNDECIDED: Final = frozenset({Outcome.CONFLICT, Outcome.ROUTE_OUT, Outcome.NEEDS_PERSON})
"""Outcomes under which no money moves by this ruling and no other issue counts."""


class Issue(StrEnum):
    """What an article may decide, each apart from the others."""

    PRICE = "price"
    RESPONSIBLE = "responsible"
    DAMAGES = "damages"
    PAYER = "payer"


class Source(StrEnum):
    """Where an article comes from, the highest first."""

    LAW = "law"
    PLATFORM = "platform"
    MERCHANT = "merchant"


class Base(StrEnum):
    """How a refund is computed from the price and the case's amounts."""

    NONE = "none"
    FULL = "full"
    SHARE = "share"
    FAULT = "fault"
    UNUSED = "unused"
    UNUSED_DAYS = "unused_days"
    UNUSED_USES = "unused_uses"
    UNUSED_BALANCE = "unused_balance"
    FAILED_ITEMS = "failed_items"
    DIFFERENCE = "difference"
    OVERPAID = "overpaid"


class Less(StrEnum):
    """What is taken off a refund."""

    NOTHING = "nothing"
    FEE = "fee"
    USE = "use"


class Remedy(StrEnum):
    """What the buyer may get."""

    REFUND = "refund"
    REPLACE = "replace"
    PERFORM = "perform"


class Demand(StrEnum):
    """What the buyer asks for."""

    REFUND = "refund"
    REPLACE = "replace"
    PERFORM = "perform"
    COMPENSATION = "compensation"
    NONE = "none"


class Loss(StrEnum):
    """How damages are computed."""

    MULTIPLE = "multiple"
    PROMISE = "promise"
    PROMISED_SUM = "promised_sum"
    LATE_FEE = "late_fee"
    PROVEN_LOSS = "proven_loss"
    INTEREST = "interest"
    COSTS = "costs"
    GREATER_OF = "greater_of"


class Recourse(StrEnum):
    """From whom the payer may get it back."""

    MERCHANT = "merchant"
    PLATFORM = "platform"
    BUYER = "buyer"
    UPSTREAM = "upstream"
    NONE = "none"


class Text(msgspec.Struct, frozen=True):
    """The same sentence in Chinese and English."""

    zh: str
    en: str


class Literal(NamedTuple):
    """A fact, or its denial."""

    fact: str
    holds: bool

    def __str__(self) -> str:
        """Write it as the rulebook does."""
        return self.fact if self.holds else f"no {self.fact}"

    @property
    def denied(self) -> "Literal":
        """The opposite."""
        return Literal(self.fact, not self.holds)


class Shift(msgspec.Struct, frozen=True):
    """Moves the burden to a party when evidence shows all the literals."""

    to: Party
    when: tuple[Literal, ...]


class Fact(msgspec.Struct, frozen=True):
    """Something a case proves, disproves or leaves unknown."""

    fact_id: str
    label: Text
    meaning: Text | None
    favours: Party
    burden: Party
    if_unknown: bool | None
    standard: str
    set_by: str
    shown_by: tuple[str, ...]
    shifts: tuple[Shift, ...]
    line: int

    def by_default(self, bearer: Party) -> bool:
        """Settle the unknown fact against its bearer."""
        return self.favours is not bearer if self.if_unknown is None else self.if_unknown


class Derived(msgspec.Struct, frozen=True):
    """A fact computed from others: any of the literals, or all of them."""

    fact_id: str
    label: Text
    is_any: bool
    of: tuple[Literal, ...]
    line: int


class Claim(msgspec.Struct, frozen=True):
    """Why the buyer complains."""

    claim_id: str
    label: Text
    meaning: Text | None
    kind: str
    family: str


class Named(msgspec.Struct, frozen=True):
    """A whole number with a name: a parameter, a standard's percent, an evidence kind's cap."""

    value: int
    unit: str
    label: Text


class ConflictRule(msgspec.Struct, frozen=True):
    """How long contradictory evidence may hold a case up, and what counts afterwards."""

    hours: int
    stronger: bool
    label: Text


class Duty(msgspec.Struct, frozen=True):
    """Where the condition holds, the outcome must be none of ``never``."""

    duty_id: str
    label: Text
    claims: tuple[str, ...]
    condition: tuple[Literal, ...]
    never: tuple[Outcome, ...]
    line: int


class Price(msgspec.Struct, frozen=True):
    """The fate of the price."""

    outcome: Outcome
    base: Base = Base.NONE
    share: int = 0
    low: int | None = None
    high: int | None = None
    less: Less = Less.NOTHING
    remedy: tuple[Remedy, ...] = ()
    buyer_chooses: bool = True
    returns_granted: bool = False
    fee_percent: int | None = None
    """How many percent of the price a fee taken off the refund may reach; None where nothing is said."""


class Shares(msgspec.Struct, frozen=True):
    """Responsible shares in percent: they sum to 100, or are all 0."""

    buyer: int = 0
    merchant: int = 0
    platform: int = 0


class Component(msgspec.Struct, frozen=True):
    """One part of the damages."""

    base: Loss
    times: int = 0
    floor_minor: int = 0
    cap_minor: int | None = None
    less_refund: bool = False
    options: tuple["Component", ...] = ()


class Damages(msgspec.Struct, frozen=True):
    """Damages: the sum of the parts."""

    parts: tuple[Component, ...] = ()


class Payer(msgspec.Struct, frozen=True):
    """Who pays, with whom, and from whom it may be had back."""

    who: Party
    recourse: Recourse = Recourse.NONE
    joint: Party = Party.NOBODY


Value = Price | Shares | Damages | Payer


class Override(msgspec.Struct, frozen=True):
    """A target as written: an article, ``chapter/NAME`` or ``all``; on one issue or on every issue both set."""

    target: str
    issue: Issue | None
    line: int
    column: int


class Article(msgspec.Struct, frozen=True):
    """One numbered rule."""

    article_id: str
    number: int
    chapter: str
    title: Text
    source: Source
    mandatory: bool
    claims: tuple[str, ...]
    when: tuple[Literal, ...]
    unless: tuple[Literal, ...]
    overrides: tuple[Override, ...]
    values: Mapping[Issue, Value]
    cites: tuple[str, ...]
    at_filing: bool
    message: Text
    summary: Text | None
    examples: tuple[Text, ...]
    line: int

    @property
    def condition(self) -> tuple[Literal, ...]:
        """Everything that must hold: each ``when``, and the denial of each ``unless``."""
        return (*self.when, *(literal.denied for literal in self.unless))


class Edition(msgspec.Struct, frozen=True):
    """Which book this is and from when it binds."""

    title: Text
    version: str
    published: date
    effective: date
    major: bool
    note: Text | None


class Rulebook(msgspec.Struct, frozen=True):
    """A loaded book. ``beaten_by`` names for each issue and article those that defeat it where they hold."""

    edition: Edition
    parameters: Mapping[str, Named]
    standards: Mapping[str, Named]
    evidence_kinds: Mapping[str, Named]
    conflict: ConflictRule
    facts: Mapping[str, Fact]
    derived: Mapping[str, Derived]
    impossible: tuple[tuple[Literal, Literal], ...]
    claims: Mapping[str, Claim]
    chapters: Mapping[str, Text]
    duties: tuple[Duty, ...]
    articles: Mapping[str, Article]
    beaten_by: Mapping[Issue, Mapping[str, tuple[str, ...]]]
    digest: str = ""


class Evidence(msgspec.Struct, frozen=True):
    """One item on one fact."""

    shows: bool
    confidence: int
    kind: str | None = None
    by: str | None = None


class Clause(msgspec.Struct, frozen=True):
    """Words that a shop sold by and that are evidence of ``fact``: how they are wrong, why, and by which law."""

    fact: str
    kind: str
    clause_id: str
    words: str
    why: str
    law: tuple[str, ...]


class Case(msgspec.Struct, frozen=True):
    """What is to be decided. ``known`` are facts shown either way; ``contested`` ones are shown both ways.

    ``weights`` holds for each fact with evidence the confidence of (proved, disproved).
    """

    claim: str
    demand: Demand
    known: Mapping[str, bool]
    contested: tuple[str, ...]
    weights: Mapping[str, tuple[int, int]]
    amounts: Mapping[str, int]
    ordered_on: date
    filed_on: date
    conflict_expired: bool = False
    chosen_share: int | None = None
    case_id: str = ""
    merchant: str = ""
    clauses: tuple[Clause, ...] = ()


class Problem(NamedTuple):
    """What is wrong with a file, and where (both counted from 1)."""

    line: int
    column: int
    message: str
    hint: str = ""


class Unreadable(Exception):  # noqa: N818 - it is about a file, and said so
    """A rulebook, case or golden file that cannot be taken; the problems say where."""

    def __init__(self, problems: list[Problem], name: str = "") -> None:
        self.problems = sorted(problems)
        self.name = name
        super().__init__("\n".join(self.lines()))

    def lines(self) -> list[str]:
        """Write each problem as ``file:line:column: message (hint)``."""
        prefix = f"{self.name}:" if self.name else ""
        return [f"{prefix}{p.line}:{p.column}: {p.message}" + (f" ({p.hint})" if p.hint else "") for p in self.problems]
