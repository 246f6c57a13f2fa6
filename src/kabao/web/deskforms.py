"""Reads the forms of those who decide; what is wrong is told field by field."""

from typing import Final

from kabao.cases import CaseView, CastVote, Outcome, Rule, SayFact, Shares
from kabao.cases.ladder.awards import outcome_of
from kabao.cases.ladder.model import Award
from kabao.kernel import parse_yuan
from kabao.web.http import NOT_WORDS, Visit
from kabao.web.words import SURENESS, WAYS

FIELDS: Final = (
    "outcome",
    "refund",
    "facts",
    "reasons",
    "body",
    "fact",
    "shows",
    "kind",
    "confidence",
    "item_no",
    "note",
    "share_buyer",
    "share_merchant",
    "share_platform",
    "sentence",
    "differs_reason",
    "upholds",
    "damages",
    "replaces",
    "to",
    "question",
    "why",
    "summary",
    "reason",
)
NOT_DRAFTED: Final = NOT_WORDS | {"step"}
SHARES_WRONG: Final = "三方加起来要是 100"
REFUND_WRONG: Final = "填 0.01 元以上、这单还能退的金额以下的数"
DAMAGES_WRONG: Final = "填 0.01 元以上的数，没有赔偿就空着"
NEEDED: Final = {"facts": "写查明的事实", "reasons": "写理由"}


def read_fact(visit: Visit) -> SayFact | dict[str, str]:
    """Read the form of a fact; answers what is wrong with each field instead where something is."""
    form, errors = visit.form, {}
    if not form.text("fact"):
        errors["fact"] = "选一个事实"
    if form.text("shows") not in WAYS:
        errors["shows"] = "选成立还是不成立"
    if not form.text("kind"):
        errors["kind"] = "选一种证据"
    sure = form.text("confidence")
    if sure not in SURENESS:
        errors["confidence"] = "选把握有多大"
    if form.text("item_no") and form.number("item_no") is None:
        errors["item_no"] = "没有这个编号的证据"
    if errors:
        return errors
    return SayFact(
        fact=form.text("fact"),
        shows=form.text("shows") == "yes",
        kind=form.text("kind"),
        confidence=int(sure),
        item_no=form.number("item_no"),
        note=form.text("note"),
    )


def read_ruling(visit: Visit, case: CaseView) -> Rule | dict[str, str]:
    """Read the ruling form; answers what is wrong with each field instead where something is."""
    form, errors = visit.form, {}
    outcome = form.text("outcome")
    if outcome not in set(Outcome):
        errors["outcome"] = "选裁决结果"
    refund, damages = read_refund(form.text("outcome"), form.text("refund"), case), read_damages(visit)
    if refund is None:
        errors["refund"] = REFUND_WRONG
    if damages is None:
        errors["damages"] = DAMAGES_WRONG
    errors |= {name: text for name, text in NEEDED.items() if not form.text(name)}
    if not read_shares(visit).is_whole:
        errors["shares"] = SHARES_WRONG
    if errors or refund is None or damages is None:
        return errors
    return Rule(
        outcome=Outcome(outcome),
        refund_minor=refund,
        damages_minor=damages,
        shares=read_shares(visit),
        facts=form.text("facts"),
        reasons=form.text("reasons"),
        differs_reason=form.text("differs_reason"),
    )


def read_refund(outcome: str, typed: str, case: CaseView) -> int | None:
    """Read what a partial refund, or one in the place of a replacement, comes to; None where that is no amount for it.

    Left empty for a replacement it is 0, which stands for everything; other outcomes need none.
    """
    amount = parse_yuan(typed)
    if outcome == Outcome.PARTIAL_REFUND:
        return amount.minor if amount is not None and 0 < amount.minor < case.held_minor else None
    if outcome == Outcome.REPLACEMENT and typed:
        return amount.minor if amount is not None and 0 < amount.minor <= case.held_minor else None
    return 0


def read_damages(visit: Visit) -> int | None:
    """Read damages; 0 where nothing was typed, None where it is no amount."""
    typed = visit.form.text("damages")
    amount = parse_yuan(typed)
    return 0 if not typed else None if amount is None else amount.minor


def read_shares(visit: Visit) -> Shares:
    """Read who is responsible; what is no number counts as none, and the sum is checked by who takes it."""
    parts = {name: visit.form.number(f"share_{name}") or 0 for name in ("buyer", "merchant", "platform")}
    return Shares(**parts)


def wished_by(vote: CastVote, case: CaseView) -> Rule:
    """Write a vote as the ruling it asks for."""
    award = Award(vote.refund_minor, vote.damages_minor, vote.replaces) if vote.upholds else Award(0)
    return Rule(
        outcome=outcome_of(award, case.held_minor),
        refund_minor=award.refund_minor,
        damages_minor=award.damages_minor,
        shares=vote.shares,
        facts=vote.facts,
        reasons=vote.reasons,
        differs_reason=vote.differs_reason,
    )


def given_by(wish: Rule, case: CaseView) -> Award:
    """Tell what a ruling would give."""
    replaces = wish.outcome is Outcome.REPLACEMENT
    everything = wish.outcome is Outcome.FULL_REFUND or (replaces and not wish.refund_minor)
    return Award(case.held_minor if everything else wish.refund_minor, wish.damages_minor, replaces)
