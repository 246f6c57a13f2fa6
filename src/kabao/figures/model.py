"""Forecasts and frequencies as plain values."""

from collections.abc import Mapping
from enum import StrEnum
from typing import Any, Final

import msgspec

from kabao.cases import AtOnce, DecisionView, Remedy

LEAST: Final = 20
"""Of fewer cases than this nothing is said: a share would mislead, and somebody might be known by it."""


class Ending(StrEnum):
    """How a case ended for the price, whoever decided it."""

    FULL_REFUND = "full_refund"
    PARTIAL_REFUND = "partial_refund"
    REPLACEMENT = "replacement"
    NO_REFUND = "no_refund"
    WITHDRAWN = "withdrawn"


ENDINGS: Final = {
    Ending.FULL_REFUND: "全额退款",
    Ending.PARTIAL_REFUND: "部分退款",
    Ending.REPLACEMENT: "补发",
    Ending.NO_REFUND: "没有退款",
    Ending.WITHDRAWN: "买家撤回",
}
"""What each ending is called on pages."""


class ForeseeOrder(msgspec.Struct, frozen=True, kw_only=True):
    """What a buyer would claim and demand of an order; `demand_minor` counts for a partial refund only."""

    order_ref: str
    claim: str
    demand: Remedy
    demand_minor: int = 0


class ForeseeFacts(msgspec.Struct, frozen=True, kw_only=True):
    """Bare facts as a case of the rulebook states them, with amounts in minor units.

    `category` and `is_opened` only choose the cases whose frequencies are told; without a category none are.
    """

    claim: str
    demand: Remedy
    facts: Mapping[str, Any]
    amounts: Mapping[str, int]
    category: str = ""
    is_opened: bool = True


class Frequency(msgspec.Struct, frozen=True, kw_only=True):
    """How many of similar cases ended so, and their share in whole percent, rounded down."""

    ending: Ending
    label: str
    cases: int
    percent: int


class Similar(msgspec.Struct, frozen=True, kw_only=True):
    """How similar closed cases ended: same claim, same kind of goods, opened or sealed alike."""

    cases: int
    endings: list[Frequency]


class Forecast(msgspec.Struct, frozen=True, kw_only=True):
    """What the rules lead to on the facts as known; an estimate, never a ruling. `similar` is None below twenty.

    `at_once` tells of a claim on an order whether it would be decided and refunded the moment it is filed,
    `demanded_minor` what is demanded of it in money: without a person nothing beyond it is given. `direct` tells its
    buyer of keys that go back at once without any case.
    """

    decision: DecisionView
    similar: Similar | None
    at_once: AtOnce = AtOnce.NO
    demanded_minor: int = 0
    direct: "DirectRefund | None" = None


class DirectRefund(msgspec.Struct, frozen=True, kw_only=True):
    """Sealed keys that go back at once without a reason or a case, and what for; `is_all` where that is everything."""

    keys: int
    refund_minor: int
    is_all: bool


class Choice(msgspec.Struct, frozen=True, kw_only=True):
    """What one way of answering a claim costs a merchant at least and at most, in minor units of the order's money.

    `least_minor` and `most_minor` are refund and damages together, `kept_minor` what the merchant still gets at most,
    less the platform's fee of `fee_minor`; `keys` new keys out of his stock are worth `keys_minor` at the order's
    price. `kind` is accept, table (the offer that stands, `is_mine` where he made it), offer, replace or contest.
    """

    kind: str
    refund_minor: int
    least_minor: int
    most_minor: int
    kept_minor: int
    fee_minor: int
    keys: int = 0
    keys_minor: int = 0
    is_mine: bool = False


class OnTable(msgspec.Struct, frozen=True, kw_only=True):
    """The offer that stands between the parties; `refund_minor` only of a partial refund."""

    kind: Remedy
    refund_minor: int
    is_mine: bool


class Move(StrEnum):
    """What serves a merchant best by the rules, on the facts as they stand."""

    ACCEPT = "accept"
    OFFER = "offer"
    REPLACE = "replace"
    CONTEST = "contest"
    SHOW = "show"
    """The rules come to nothing yet: evidence decides."""
