"""What of a ruled case may be public. Pure: what was kept of it in, a precedent without names, times and amounts out.

Nothing anybody typed gets in: only facts by their names in the rulebook, articles, shares, and amounts by their band.
"""

import re
from collections.abc import Mapping, Sequence
from datetime import datetime
from typing import Any, Final

import msgspec

from kabao.adjudication import Rulebook, make_case
from kabao.cases.facts import BEIJING

PRICE_BANDS: Final = (0, 50_00, 100_00, 300_00, 500_00, 1000_00)
"""Where each band of a price begins, in minor units; the last is open."""
REFUND_BANDS: Final = (0, 1, 50, 100)
"""Bands of the part that was refunded, in percent: nothing, less than half, half or more, all."""
DENIED: Final = "no "
LONG_NUMBER: Final = re.compile(r"\d[\d\s-]{4,}\d")
"""Six digits and more in a row: a phone, an order, an amount to the fen, a card key."""
KEY_LIKE: Final = re.compile(r"(?=[A-Za-z0-9-]*\d)[A-Za-z0-9][A-Za-z0-9-]{7,}|[A-Za-z0-9._-]+@[A-Za-z0-9.-]+")
"""References, card keys, mail addresses."""


class RuledCase(msgspec.Struct, frozen=True, kw_only=True):
    """What was kept of a case that was ruled on and carried out; amounts in minor units.

    `differs` where the ruling gave a reason for not refunding what the rules suggested, `named` are the articles that
    it rests on (None on one from before they were kept, which has those of the rules).
    """

    shop_id: int
    case_id: int
    claim: str
    category: str
    closed_at: datetime
    amount_minor: int
    refund_minor: int
    stage: str
    outcome: str
    differs: bool
    share_buyer: int | None
    share_merchant: int | None
    share_platform: int | None
    rulebook_version: str
    case_file: Mapping[str, Any]
    decision: Mapping[str, Any]
    named: Sequence[str] | None = None


class Anonymous(msgspec.Struct, frozen=True, kw_only=True):
    """A precedent as it is kept: `facts` as `late` or `no late`, bands as the numbers where they begin."""

    quarter: str
    rulebook_version: str
    claim: str
    category: str
    facts: Sequence[str]
    articles: Sequence[str]
    stage: str
    outcome: str
    differs: bool
    share_buyer: int
    share_merchant: int
    share_platform: int
    price_band: int
    refund_band: int


def anonymous(case: RuledCase, book: Rulebook) -> Anonymous:
    """Take from a ruled case what may be public; `book` is the version that bound it."""
    said = case.decision["responsible"]
    # Rulings from before shares were kept have those that the rules gave.
    has_own = case.share_buyer is not None
    return Anonymous(
        quarter=quarter_of(case.closed_at),
        rulebook_version=case.rulebook_version,
        claim=case.claim,
        category=case.category,
        facts=settled(case.case_file, book),
        articles=list(case.decision["articles"] if case.named is None else case.named),
        stage=case.stage,
        outcome=case.outcome,
        differs=case.differs,
        share_buyer=(case.share_buyer if has_own else said["buyer"]) or 0,
        share_merchant=(case.share_merchant if has_own else said["merchant"]) or 0,
        share_platform=(case.share_platform if has_own else said["platform"]) or 0,
        price_band=band(case.amount_minor, PRICE_BANDS),
        refund_band=band(100 * case.refund_minor // case.amount_minor or min(1, case.refund_minor), REFUND_BANDS),
    )


def settled(case_file: Mapping[str, Any], book: Rulebook) -> list[str]:
    """List the facts that a case file proves or disproves by the book's standards, sorted."""
    known = make_case(case_file, book).known
    return sorted(fact if holds else DENIED + fact for fact, holds in known.items())


def quarter_of(at: datetime) -> str:
    """Name the quarter of a moment by Beijing's calendar."""
    local = at.astimezone(BEIJING)
    return f"{local.year}-Q{(local.month + 2) // 3}"


def band(number: int, begins: Sequence[int]) -> int:
    """Return where the band of a number begins."""
    return max(begin for begin in begins if begin <= number)


def gives_away(text: str, names: Sequence[str]) -> str | None:
    """Tell what in a summary could name somebody or something: a long number, a reference, a name; None where nothing.

    `names` are those of the case: people, shop, goods; shorter than two letters they name nothing.
    """
    for found in (LONG_NUMBER.search(text), KEY_LIKE.search(text)):
        if found is not None:
            return found[0]
    plain = "".join(text.split()).casefold()
    return next((name for name in names if len(name) > 1 and "".join(name.split()).casefold() in plain), None)
