"""What each structured term of a listing demands and when: the meaning of the terms as data, for a proof to read.

The listing's page and the checker's sentences say the same in words; what the law gives beyond is no term.
"""

from enum import StrEnum
from typing import Final, NamedTuple

import msgspec

from kabao.shops.model import ChangedMind, Terms

HOUR, DAY = 3_600, 86_400


class Fault(StrEnum):
    """What is wrong with a key."""

    NONE = "none"
    DEAD = "dead"
    """It never worked, or somebody had used it."""
    MISMATCH = "mismatch"
    """It works and is not what the listing says."""
    FAILED = "failed"
    """It worked and stopped."""


class Clock(StrEnum):
    """From when a time counts."""

    PAYMENT = "since_payment"
    DELIVERY = "since_delivery"
    OPENING = "since_opening"


class Situation(msgspec.Struct, frozen=True, kw_only=True):
    """Where an order of one key stands; times in seconds. ``held``: its money is still with the custodian."""

    delivered: bool
    opened: bool
    held: bool
    fault: Fault
    since_payment: int
    since_delivery: int
    since_opening: int

    @property
    def is_possible(self) -> bool:
        """Whether such an order can be: nothing is opened before it is delivered, and time runs one way."""
        return (
            (self.delivered or (not self.opened and self.held and self.fault is Fault.NONE))
            and (self.opened or self.fault is Fault.NONE)
            and 0 <= self.since_opening <= self.since_delivery <= self.since_payment
        )


class Window(NamedTuple):
    """A time that a term names, running or over."""

    clock: Clock
    term: str
    unit: int
    is_over: bool = False


class Stated(StrEnum):
    """Which terms make a promise at all."""

    ALWAYS = "always"
    WARRANTY = "warranty"
    KEEPS_ALL = "keeps_all"
    KEEPS_FEE = "keeps_fee"


class Promise(msgspec.Struct, frozen=True, kw_only=True):
    """What holds, once stated, in every situation that fits; what is None or empty is left open.

    ``refund`` is the least and the most percent of the price that goes back; ``less_fee`` takes the stated fee off.
    ``says_replacement``: the buyer may choose a new key where the terms offer one, and not where they do not.
    ``from_escrow``: whether the refund comes out of the money that is held.
    """

    promise_id: str
    term: str
    stated: Stated = Stated.ALWAYS
    delivered: bool | None = None
    opened: bool | None = None
    held: bool | None = None
    faults: frozenset[Fault] = frozenset()
    window: Window | None = None
    refund: tuple[int, int] | None = None
    less_fee: bool = False
    says_replacement: bool = False
    from_escrow: bool | None = None


FULL: Final = (100, 100)
SOME: Final = (1, 100)
NOTHING: Final = (0, 0)

PROMISES: Final = (
    Promise(promise_id="sealed", term="refund_while_sealed", opened=False, held=True, refund=FULL, from_escrow=True),
    Promise(
        promise_id="late",
        term="delivery_promise_seconds",
        delivered=False,
        window=Window(Clock.PAYMENT, "delivery_promise_seconds", 1, is_over=True),
        refund=FULL,
        from_escrow=True,
    ),
    Promise(
        promise_id="dead",
        term="claim_days",
        opened=True,
        faults=frozenset({Fault.DEAD}),
        window=Window(Clock.OPENING, "claim_days", DAY),
        refund=FULL,
        says_replacement=True,
    ),
    Promise(
        promise_id="mismatch",
        term="claim_days",
        opened=True,
        faults=frozenset({Fault.MISMATCH}),
        window=Window(Clock.OPENING, "claim_days", DAY),
        refund=FULL,
    ),
    Promise(
        promise_id="warranty",
        term="warranty_days",
        stated=Stated.WARRANTY,
        opened=True,
        faults=frozenset({Fault.DEAD, Fault.FAILED}),
        window=Window(Clock.OPENING, "warranty_days", DAY),
        refund=SOME,
        says_replacement=True,
    ),
    Promise(
        promise_id="unwanted_keeps_all",
        term="changed_mind_after_open",
        stated=Stated.KEEPS_ALL,
        opened=True,
        faults=frozenset({Fault.NONE}),
        refund=NOTHING,
    ),
    Promise(
        promise_id="unwanted_keeps_fee",
        term="partial_fee_percent",
        stated=Stated.KEEPS_FEE,
        opened=True,
        faults=frozenset({Fault.NONE}),
        refund=FULL,
        less_fee=True,
    ),
    Promise(
        promise_id="released",
        term="escrow_hours",
        delivered=True,
        held=False,
        window=Window(Clock.DELIVERY, "escrow_hours", HOUR, is_over=True),
        from_escrow=False,
    ),
)


class Demand(NamedTuple):
    """What a promise asks for under the terms of a listing; None is left open."""

    refund: tuple[int, int] | None
    replacement: bool | None
    from_escrow: bool | None


def is_stated(promise: Promise, terms: Terms) -> bool:
    """Whether the terms make a promise at all."""
    return {
        Stated.ALWAYS: True,
        Stated.WARRANTY: terms.warranty_days > 0,
        Stated.KEEPS_ALL: terms.changed_mind_after_open is ChangedMind.NONE,
        Stated.KEEPS_FEE: terms.partial_fee_percent is not None,
    }[promise.stated]


def applies(promise: Promise, terms: Terms, now: Situation) -> bool:
    """Whether a promise holds in a situation."""
    fits = all(
        wanted is None or wanted is found
        for wanted, found in (
            (promise.delivered, now.delivered),
            (promise.opened, now.opened),
            (promise.held, now.held),
        )
    )
    if not (fits and is_stated(promise, terms) and (not promise.faults or now.fault in promise.faults)):
        return False
    if promise.window is None:
        return True
    length = getattr(terms, promise.window.term) * promise.window.unit
    return (getattr(now, promise.window.clock) > length) is promise.window.is_over


def demanded(promise: Promise, terms: Terms) -> Demand:
    """Return what a promise asks for."""
    fee = (terms.partial_fee_percent or 0) if promise.less_fee else 0
    return Demand(
        None if promise.refund is None else (promise.refund[0] - fee, promise.refund[1] - fee),
        terms.replacement_offered if promise.says_replacement else None,
        promise.from_escrow,
    )


def agree(one: Demand, other: Demand) -> bool:
    """Whether two demands can both be met."""
    if one.refund and other.refund and max(one.refund[0], other.refund[0]) > min(one.refund[1], other.refund[1]):
        return False
    return all(
        None in pair or pair[0] is pair[1]
        for pair in ((one.replacement, other.replacement), (one.from_escrow, other.from_escrow))
    )
