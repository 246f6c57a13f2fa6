"""What the platform's own records say of a claim before anybody has filed it, as the rulebook reads them."""

from datetime import timedelta
from typing import Any, Final, NamedTuple

from kabao.adjudication import Adjudicator
from kabao.cases import Remedy
from kabao.cases.judging import file_of
from kabao.cases.model import Asked
from kabao.identity import Person
from kabao.simulation.books import OrderBook
from kabao.simulation.following import CHANGED_MIND, WHOLE, decided, of_demand
from kabao.simulation.town import Town, granted

GREEN_AT_MOST: Final = 5
GREEN_WITHIN: Final = timedelta(days=30)
FOLLOWS_FROM_SEALED: Final = {"opened", "return_promised", "redeemed_by_buyer"}


class Records(NamedTuple):
    """Whether the records alone support a demand, and whether they decide it at once."""

    supports: bool
    decides: bool


async def look(town: Town, buyer: Person, order: OrderBook, claim: str, demand: Remedy, asked_minor: int) -> Records:
    """Ask the rulebook about a claim on the records alone.

    They decide it at once where everything of a small amount that is still held is demanded and supported without
    damages, no key was ever opened or replaced, and the rulebook would say otherwise if one had been opened. (That one
    key is sold twice, or nothing delivered, does not happen in this market.)
    """
    view = granted(await town.app.orders.order(buyer, order.ref))
    judge = granted(await town.app.rulebook.binding(view.placed_at))
    asked = Asked(ref=order.ref, case_id=0, claim=claim, demand=demand, opened_at=town.now, answered_at=None)
    async with town.app.database.connection() as conn:
        file = await file_of(conn, asked, view, judge)
    file["facts"] = {fact: known for fact, known in file["facts"].items() if isinstance(known, str)}
    said = decided(judge, file)
    stake = order.stake_minor
    wanted = asked_minor if demand is Remedy.PARTIAL_REFUND else stake
    supports = said is not None and of_demand(said, demand.value, wanted, stake) is not None
    is_certain = (
        demand is Remedy.FULL_REFUND
        and order.is_held
        and order.opened_at is None
        and not order.was_replaced
        and stake <= town.times.green_channel_amount
        and any(
            _gives_all(decided(judge, one), stake) and not _gives_all(_if_opened(judge, one), stake)
            for one in (file, {**file, "claim": CHANGED_MIND, "clauses": []})
        )
    )
    return Records(supports, is_certain)


def takes_use(town: Town, account_id: int) -> bool:
    """Count one more refund at once of a person, unless there were enough lately."""
    lately = [at for at in town.green_uses.get(account_id, []) if at > town.now - GREEN_WITHIN]
    if len(lately) < GREEN_AT_MOST:
        town.green_uses[account_id] = [*lately, town.now]
        return True
    return False


def _if_opened(judge: Adjudicator, file: dict[str, Any]) -> dict[str, Any] | None:
    others = {fact: known for fact, known in file["facts"].items() if fact not in FOLLOWS_FROM_SEALED}
    return decided(judge, {**file, "facts": others | {"opened": "proved"}})


def _gives_all(said: dict[str, Any] | None, stake_minor: int) -> bool:
    if said is None or sum(said["responsible"].values()) != WHOLE:
        return False
    return (said["outcome"], said["refund_minor"], said["damages_minor"]) == ("FULL_REFUND", stake_minor, 0)
