"""From a verdict and a case's amounts to money: exact, in fen, the odd fen to the buyer."""

from collections.abc import Mapping

import msgspec

from kabao.adjudication.model import (
    UNDECIDED,
    Base,
    Component,
    Damages,
    Demand,
    Less,
    Loss,
    Outcome,
    Price,
    Remedy,
    Shares,
)
from kabao.kernel import Money

_WHOLE = 100


class Sums(msgspec.Struct, frozen=True):
    """What a verdict comes to, in fen. ``needs`` names an amount without which it cannot be computed."""

    outcome: Outcome
    remedy: Remedy | None
    refund_minor: int
    damages_minor: int
    buyer_pays_minor: int
    shares: Shares
    needs: tuple[str, ...] = ()


def sums(
    price: Price, shares: Shares, damages: Damages, demand: Demand, given: Mapping[str, int], chosen: int | None = None
) -> Sums:
    """Compute refund, damages and what the buyer pays back, and the outcome the demand picks.

    An amount that the refund needs and the case lacks makes the outcome NEEDS_PERSON.
    """
    if price.outcome in UNDECIDED:
        return Sums(price.outcome, None, 0, 0, 0, shares if price.outcome is Outcome.NEEDS_PERSON else Shares())
    outcome, remedy = picked(price, demand)
    refund = 0
    needs: tuple[str, ...] = ()
    if remedy is Remedy.REFUND:
        chosen = within(price, chosen)
        if chosen is not None and price.base is Base.FAULT:
            shares = redistribute(shares, chosen)
        refund, needs = refund_of(price, shares, given, chosen)
        if needs:
            return Sums(Outcome.NEEDS_PERSON, None, 0, 0, 0, Shares(), needs)
    owed, lacking = damages_of(damages, given, refund)
    if lacking:
        return Sums(Outcome.NEEDS_PERSON, None, 0, 0, 0, Shares(), lacking)
    back = given.get("granted_minor", 0) if price.returns_granted else 0
    return Sums(outcome, remedy, refund, owed, back, shares)


def picked(price: Price, demand: Demand) -> tuple[Outcome, Remedy | None]:
    """Return the outcome and remedy after the buyer's demand has chosen among those offered."""
    if not price.remedy:
        return price.outcome, None
    remedy = price.remedy[0]
    if price.buyer_chooses and demand.value in price.remedy:
        remedy = Remedy(demand.value)
    match remedy:
        case Remedy.REPLACE:
            return Outcome.REPLACE, remedy
        case Remedy.PERFORM:
            return Outcome.PERFORM, remedy
        case _:
            pass
    if price.outcome in {Outcome.REPLACE, Outcome.PERFORM}:
        whole = price.base is Base.FULL and price.less is Less.NOTHING
        return (Outcome.FULL_REFUND if whole else Outcome.PARTIAL_REFUND), remedy
    return price.outcome, remedy


def within(price: Price, chosen: int | None) -> int | None:
    """Return what a person chose, where the article has a range and it lies inside."""
    if chosen is None or price.low is None or price.high is None:
        return None
    return min(max(chosen, price.low), price.high)


def redistribute(shares: Shares, percent: int) -> Shares:
    """Give the buyer what is left of 100 after the refund's percent; the others keep their proportion."""
    others = shares.merchant + shares.platform
    if others == 0:
        return Shares(_WHOLE - percent, percent, 0)
    merchant, platform = Money(percent).allocate([shares.merchant, shares.platform])
    return Shares(_WHOLE - percent, merchant.minor, platform.minor)


def part(amount: int, numerator: int, denominator: int) -> int:
    """Return a fraction of an amount, the odd fen to the buyer (``Money.allocate``, the buyer first)."""
    if amount == 0 or numerator == 0:
        return 0
    return Money(amount).allocate([numerator, denominator - numerator])[0].minor


def refund_of(  # noqa: C901 - a table of formulas
    price: Price, shares: Shares, given: Mapping[str, int], chosen: int | None
) -> tuple[int, tuple[str, ...]]:
    """Compute the refund in fen, or name the amounts that are missing."""
    paid = given["price_minor"]
    percent = chosen
    match price.base:
        case Base.NONE:
            refund = 0
        case Base.FULL:
            refund = paid
        case Base.SHARE:
            refund = part(paid, price.share if percent is None else percent, _WHOLE)
        case Base.FAULT:
            refund = part(paid, _WHOLE - shares.buyer if percent is None else percent, _WHOLE)
        case Base.OVERPAID:
            if "overpaid_minor" not in given:
                return 0, ("overpaid_minor",)
            refund = given["overpaid_minor"]
        case Base.DIFFERENCE:
            if "value_received_minor" not in given:
                return 0, ("value_received_minor",)
            refund = paid - given["value_received_minor"]
        case Base.UNUSED:
            left = _unused(given)
            if left is None:
                return 0, _UNUSED_NEEDS
            refund = left
        case _:
            found = _proportion(price.base, given)
            if isinstance(found, tuple):
                return 0, found
            refund = found
    return max(refund - _less(price, given), 0), ()


def _less(price: Price, given: Mapping[str, int]) -> int:
    match price.less:
        case Less.NOTHING:
            return 0
        case Less.FEE:
            fee = min(given.get("published_fee_minor", 0), given.get("incurred_fee_minor", 0))
            return fee if price.fee_percent is None else min(fee, given["price_minor"] * price.fee_percent // _WHOLE)
        case Less.USE:
            return given.get("use_value_minor", 0)


_UNUSED_NEEDS = ("days_used", "uses_used", "balance_minor", "use_value_minor")
_BY_MEASURE = (
    (Base.UNUSED_DAYS, ("days_total", "days_used")),
    (Base.UNUSED_USES, ("uses_total", "uses_used")),
    (Base.UNUSED_BALANCE, ("face_minor", "balance_minor")),
)


def _unused(given: Mapping[str, int]) -> int | None:
    """Take the first measure the case states in full: days, uses, balance, the value of the use."""
    for base, names in _BY_MEASURE:
        if all(name in given for name in names):
            found = _proportion(base, given)
            return found if isinstance(found, int) else None
    if "use_value_minor" in given:
        return max(given["price_minor"] - given["use_value_minor"], 0)
    return None


def _proportion(base: Base, given: Mapping[str, int]) -> int | tuple[str, ...]:
    if base is Base.FAILED_ITEMS and "failed_minor" in given:
        return given["failed_minor"]
    names = {
        Base.UNUSED_DAYS: ("days_total", "days_used"),
        Base.UNUSED_USES: ("uses_total", "uses_used"),
        Base.UNUSED_BALANCE: ("face_minor", "balance_minor"),
        Base.FAILED_ITEMS: ("items_total", "items_failed"),
    }[base]
    lacking = tuple(name for name in names if name not in given)
    if lacking:
        return lacking
    total, counted = given[names[0]], given[names[1]]
    left = total - counted if base in {Base.UNUSED_DAYS, Base.UNUSED_USES} else counted
    return part(given["price_minor"], left, total)


_STATED = {
    Loss.PROMISED_SUM: "promised_sum_minor",
    Loss.LATE_FEE: "late_fee_minor",
    Loss.PROVEN_LOSS: "proven_loss_minor",
    Loss.INTEREST: "interest_minor",
    Loss.COSTS: "costs_minor",
}
_MUST_BE_STATED = {Loss.PROMISED_SUM, Loss.LATE_FEE}


def damages_of(damages: Damages, given: Mapping[str, int], refund: int) -> tuple[int, tuple[str, ...]]:
    """Compute the damages in fen, or name the amounts that are missing."""
    total = 0
    for component in damages.parts:
        amount, lacking = _component(component, given, refund)
        if lacking:
            return 0, lacking
        total += amount
    return total, ()


def _component(component: Component, given: Mapping[str, int], refund: int) -> tuple[int, tuple[str, ...]]:
    paid = given["price_minor"]
    match component.base:
        case Loss.GREATER_OF:
            found = [_component(option, given, refund) for option in component.options]
            able = [amount for amount, lacking in found if not lacking]
            return (max(able), ()) if able else found[0]
        case Loss.MULTIPLE:
            amount = paid * component.times
        case Loss.PROMISE:
            if "promise_multiple" not in given:
                return 0, ("promise_multiple",)
            amount = paid * given["promise_multiple"]
        case _:
            name = _STATED[component.base]
            if component.base in _MUST_BE_STATED and name not in given:
                return 0, (name,)
            amount = given.get(name, 0)
    amount = max(amount, component.floor_minor)
    if component.cap_minor is not None:
        amount = min(amount, component.cap_minor)
    return max(amount - refund, 0) if component.less_refund else amount, ()
