"""The decisions of the green channel: what proves a claim by itself, and whether a claim is decided at once.

Nothing here reads a clock or a database.
"""

from collections.abc import Mapping, Sequence
from datetime import datetime, timedelta
from typing import Any, Final, NamedTuple

from kabao.cases.ladder.model import Award, Shares
from kabao.cases.machine import Stage
from kabao.cases.model import CaseState, Decision, LimitBy, Remedy, Turn
from kabao.orders.model import OrderView

AT_MOST: Final = 5
"""Cases of one person, and of one payer's account, decided at once within `WITHIN`; the columns `used_at` hold no more
either."""
WITHIN: Final = timedelta(days=30)
AMOUNT: Final = "green_channel_amount"
"""The rulebook's parameter for the largest amount; a version without it decides nothing at once."""
OTHER_WAY: Final = {"proved": "disproved", "disproved": "proved"}


class Proof(NamedTuple):
    """Facts that the platform's records settle and that decide a claim together, with what to tell of them.

    `follows` are facts that the records settle only because of these.
    """

    facts: Mapping[str, str]
    zh: str
    follows: frozenset[str] = frozenset()


PROOFS: Final = (
    Proof({"opened": "disproved"}, "卡密送达后一张也没有拆封过。", frozenset({"return_promised", "redeemed_by_buyer"})),
    Proof({"key_opened_before": "proved"}, "买家拆封以前，同样的卡密已经在别的订单里拆封过。"),
    Proof({"delivered": "disproved", "late": "proved"}, "承诺的交付时间已过，商品没有交付。"),
)


def may_be_decided(order: OrderView, demand: Remedy, parameters: Mapping[str, int]) -> bool:
    """Tell whether an order and a demand are such that records may decide them at once.

    Keys that were given in the place of others hide what became of those, so the records say too little then.
    """
    is_small = 0 < order.at_stake_minor <= parameters.get(AMOUNT, 0)
    was_replaced = any(slot.generation > 0 or slot.state == "replaced" for slot in order.keys)
    return demand is Remedy.FULL_REFUND and is_small and not order.is_released and not was_replaced


def of_records(file: Mapping[str, Any]) -> dict[str, Any]:
    """Leave in a case file what the records settle, without anything people say."""
    return {**file, "facts": {fact: known for fact, known in file["facts"].items() if isinstance(known, str)}}


def proofs_in(file: Mapping[str, Any]) -> list[Proof]:
    """Return the proofs that the records of a case hold."""
    facts = file["facts"]
    return [proof for proof in PROOFS if all(facts.get(fact) == known for fact, known in proof.facts.items())]


def the_other_way(file: Mapping[str, Any], proof: Proof) -> dict[str, Any]:
    """Write a case file in which a proof's facts are the opposite of what they are, and what follows is open."""
    opposite = {fact: OTHER_WAY[known] for fact, known in proof.facts.items()}
    others = {fact: known for fact, known in file["facts"].items() if fact not in proof.follows}
    return {**file, "facts": others | opposite}


def gives_all(decision: Mapping[str, Any] | None, held_minor: int) -> bool:
    """Tell whether the rulebook gives back everything that is held, and nothing beyond that a person would weigh."""
    if decision is None or not Shares(**decision["responsible"]).is_whole:
        return False
    is_plain = decision["outcome"] == "FULL_REFUND" and decision["damages_minor"] == 0
    return is_plain and int(decision["refund_minor"]) == held_minor


def limit_by(of_person: int, of_payer: int) -> LimitBy | None:
    """Tell whose limit is reached by what was refunded at once already; a person's own is told first."""
    if of_person >= AT_MOST:
        return LimitBy.PERSON
    return LimitBy.PAYER if of_payer >= AT_MOST else None


def decide_green(case: CaseState, now: datetime) -> Decision:
    """Decide a case as it is opened: everything back at once, and the merchant may ask for a review."""
    return Decision(
        kind="green",
        stage=Stage.GREEN,
        turn=Turn.PARTIES,
        due_at=now + timedelta(hours=case.windows.ask_review),
        refund_minor=case.held_minor,
        award=Award(case.held_minor),
    )


def facts_found(proofs: Sequence[Proof]) -> str:
    """Write which facts a ruling rests on."""
    told = "".join(proof.zh for proof in proofs)
    return f"平台自己的记录：{told}裁决只依据这些记录，没有用任何一方的说法。"
