"""The rulebook read the slow and obvious way: the oracle for tests and the yardstick for speed.

It follows the text of the rules step by step and shares none of the compiler's work: it propagates pairs until nothing
changes, settles each fact, asks each article, and computes money with fractions.
"""

import math
from collections.abc import Mapping
from fractions import Fraction
from typing import NamedTuple

from kabao.adjudication.model import (
    Article,
    Base,
    Component,
    Damages,
    Demand,
    Issue,
    Less,
    Loss,
    Outcome,
    Override,
    Party,
    Payer,
    Price,
    Remedy,
    Rulebook,
    Shares,
    Source,
    Value,
)


class Answer(NamedTuple):
    """What the oracle says."""

    outcome: Outcome
    shares: Shares
    refund_minor: int
    damages_minor: int
    buyer_pays_minor: int
    payer: Party
    articles: frozenset[str]


_NOTHING = (Shares(), 0, 0, 0, Party.NOBODY)
_STOP = {Outcome.ROUTE_OUT, Outcome.NEEDS_PERSON}
_ORDER = [Source.LAW, Source.PLATFORM, Source.MERCHANT]


class Naive:
    """Decides one rulebook, with no preparation."""

    def __init__(self, book: Rulebook) -> None:
        self.book = book

    def decide(
        self,
        claim: str,
        stated: Mapping[str, bool],
        amounts: Mapping[str, int],
        demand: Demand = Demand.REFUND,
        chosen: int | None = None,
    ) -> Answer:
        """Decide a claim from the facts shown either way."""
        articles = [a for a in self.book.articles.values() if claim in a.claims]
        matters = self._matters(articles)
        shown = self._propagate(stated)
        if any((name, True) in shown and (name, False) in shown for name in matters):
            return Answer(Outcome.CONFLICT, *_NOTHING, frozenset())
        facts = {name: self._settled(name, shown) for name in self.book.facts}
        holding = [a for a in articles if self._holds(a, facts)]
        found: dict[Issue, Value | None] = {}
        winners: set[str] = set()
        clash = False
        for issue in Issue:
            standing = [a for a in holding if issue in a.values and not self._defeated(a, issue, holding)]
            values = [a.values[issue] for a in standing]
            found[issue] = values[0] if values else None
            if issue is Issue.PRICE and values and all(v == values[0] for v in values):
                first = values[0]
                if isinstance(first, Price) and first.outcome in _STOP:
                    return Answer(first.outcome, *_NOTHING, frozenset(a.article_id for a in standing))
            clash = clash or any(value != values[0] for value in values)
            winners |= {a.article_id for a in standing}
        price, shares = found[Issue.PRICE], found[Issue.RESPONSIBLE]
        if clash or not isinstance(price, Price) or not isinstance(shares, Shares):
            return Answer(Outcome.NEEDS_PERSON, *_NOTHING, frozenset(winners))
        damages = found[Issue.DAMAGES]
        payer = found[Issue.PAYER]
        return self._money(
            price, shares, damages if isinstance(damages, Damages) else Damages(),
            payer if isinstance(payer, Payer) else None, amounts, demand, chosen, frozenset(winners),
        )  # fmt: skip

    def _matters(self, articles: list[Article]) -> set[str]:
        core: set[str] = set()
        for article in articles:
            for literal in article.condition:
                core |= self._behind(literal.fact)
        for name in list(core):
            for shift in self.book.facts[name].shifts:
                core |= {one.fact for one in shift.when}
        reached = set(core)
        for name in self.book.facts:
            for value in (True, False):
                if any(fact in core for fact, _ in self._propagate({name: value}) if fact != name):
                    reached.add(name)
        return reached

    def _behind(self, name: str) -> set[str]:
        if name not in self.book.derived:
            return {name}
        found: set[str] = set()
        for literal in self.book.derived[name].of:
            found |= self._behind(literal.fact)
        return found

    def _propagate(self, stated: Mapping[str, bool]) -> set[tuple[str, bool]]:
        shown = set(stated.items())
        grew = True
        while grew:
            before = len(shown)
            for first, second in self.book.impossible:
                if tuple(first) in shown:
                    shown.add((second.fact, not second.holds))
                if tuple(second) in shown:
                    shown.add((first.fact, not first.holds))
            grew = len(shown) > before
        return shown

    def _settled(self, name: str, shown: set[tuple[str, bool]]) -> bool:
        if (name, True) in shown:
            return True
        if (name, False) in shown:
            return False
        fact = self.book.facts[name]
        if fact.if_unknown is not None:
            return fact.if_unknown
        bearer = fact.burden
        for shift in fact.shifts:
            if all(tuple(one) in shown for one in shift.when):
                bearer = shift.to
                break
        return fact.favours != bearer

    def _true(self, name: str, facts: Mapping[str, bool]) -> bool:
        derived = self.book.derived.get(name)
        if derived is None:
            return facts[name]
        answers = [self._true(one.fact, facts) is one.holds for one in derived.of]
        return any(answers) if derived.is_any else all(answers)

    def _holds(self, article: Article, facts: Mapping[str, bool]) -> bool:
        if not all(self._true(one.fact, facts) is one.holds for one in article.when):
            return False
        return not any(self._true(one.fact, facts) is one.holds for one in article.unless)

    def _defeated(self, article: Article, issue: Issue, holding: list[Article]) -> bool:
        return any(
            other is not article
            and issue in other.values
            and self._beats(other, article, issue)
            and not self._defeated(other, issue, holding)
            for other in holding
        )

    def _beats(self, winner: Article, loser: Article, issue: Issue) -> bool:
        if self._says(winner, loser, issue):
            return True
        higher = _ORDER.index(winner.source) < _ORDER.index(loser.source)
        return higher and winner.values[issue] != loser.values[issue] and not self._says(loser, winner, issue)

    def _says(self, winner: Article, loser: Article, issue: Issue) -> bool:
        lower = _ORDER.index(winner.source) > _ORDER.index(loser.source)
        if (lower and loser.mandatory) or issue not in winner.values:
            return False
        return any(self._names(winner, loser, override, issue) for override in winner.overrides)

    def _names(self, winner: Article, loser: Article, override: Override, issue: Issue) -> bool:
        if override.issue not in (None, issue):
            return False
        if override.target == "all":
            return winner.chapter != loser.chapter
        return override.target in (loser.article_id, f"chapter/{loser.chapter}")

    def _money(
        self, price: Price, shares: Shares, damages: Damages, payer: Payer | None, amounts: Mapping[str, int],
        demand: Demand, chosen: int | None, winners: frozenset[str],
    ) -> Answer:  # fmt: skip
        remedy = price.remedy[0] if price.remedy else None
        if price.buyer_chooses and any(demand.value == one.value for one in price.remedy):
            remedy = Remedy(demand.value)
        outcome, refund = price.outcome, 0
        if remedy is Remedy.REPLACE:
            outcome = Outcome.REPLACE
        elif remedy is Remedy.PERFORM:
            outcome = Outcome.PERFORM
        elif remedy is Remedy.REFUND:
            if outcome in {Outcome.REPLACE, Outcome.PERFORM}:
                whole = price.base is Base.FULL and price.less is Less.NOTHING
                outcome = Outcome.FULL_REFUND if whole else Outcome.PARTIAL_REFUND
            share = None
            if chosen is not None and price.low is not None and price.high is not None:
                share = sorted((price.low, chosen, price.high))[1]
                if price.base is Base.FAULT:
                    shares = _shared(shares, share)
            try:
                refund = _refund(price, shares, amounts, share)
            except KeyError:
                return Answer(Outcome.NEEDS_PERSON, *_NOTHING, winners)
        try:
            owed = sum(_loss(part, amounts, refund) for part in damages.parts)
        except KeyError:
            return Answer(Outcome.NEEDS_PERSON, *_NOTHING, winners)
        back = amounts.get("granted_minor", 0) if price.returns_granted else 0
        usual = Party.BUYER if price.outcome is Outcome.BUYER_PAYS else Party.MERCHANT
        who = payer.who if payer else usual
        nothing_due = refund + owed + back == 0 and outcome not in {Outcome.REPLACE, Outcome.PERFORM}
        return Answer(outcome, shares, refund, owed, back, Party.NOBODY if nothing_due else who, winners)


def _shared(shares: Shares, percent: int) -> Shares:
    others = shares.merchant + shares.platform
    if others == 0:
        return Shares(100 - percent, percent, 0)
    platform = percent * shares.platform // others
    if percent * shares.platform % others and not shares.merchant:
        platform += 1
    return Shares(100 - percent, percent - platform, platform)


def _up(amount: Fraction) -> int:
    return math.ceil(amount)


def _refund(  # noqa: C901, PLR0912 - one formula after the other, as the rules list them
    price: Price, shares: Shares, given: Mapping[str, int], share: int | None
) -> int:
    paid = Fraction(given["price_minor"])
    if price.base is Base.FULL:
        exact = paid
    elif price.base is Base.SHARE:
        exact = paid * (price.share if share is None else share) / 100
    elif price.base is Base.FAULT:
        exact = paid * (100 - shares.buyer if share is None else share) / 100
    elif price.base is Base.UNUSED:
        if {"days_total", "days_used"} <= given.keys():
            exact = paid - paid * given["days_used"] / given["days_total"]
        elif {"uses_total", "uses_used"} <= given.keys():
            exact = paid - paid * given["uses_used"] / given["uses_total"]
        elif {"face_minor", "balance_minor"} <= given.keys():
            exact = paid * given["balance_minor"] / given["face_minor"]
        else:
            exact = paid - given["use_value_minor"]
    elif price.base is Base.UNUSED_DAYS:
        exact = paid * (given["days_total"] - given["days_used"]) / given["days_total"]
    elif price.base is Base.UNUSED_USES:
        exact = paid * (given["uses_total"] - given["uses_used"]) / given["uses_total"]
    elif price.base is Base.UNUSED_BALANCE:
        exact = paid * given["balance_minor"] / given["face_minor"]
    elif price.base is Base.FAILED_ITEMS:
        if "failed_minor" in given:
            exact = Fraction(given["failed_minor"])
        else:
            exact = paid * given["items_failed"] / given["items_total"]
    elif price.base is Base.DIFFERENCE:
        exact = paid - given["value_received_minor"]
    elif price.base is Base.OVERPAID:
        exact = Fraction(given["overpaid_minor"])
    else:
        exact = Fraction(0)
    whole = _up(exact)
    if price.less is Less.FEE:
        most = [given.get("published_fee_minor", 0), given.get("incurred_fee_minor", 0)]
        if price.fee_percent is not None:
            most.append(int(paid * Fraction(price.fee_percent, 100)))
        whole -= min(most)
    if price.less is Less.USE:
        whole -= given.get("use_value_minor", 0)
    return max(whole, 0)


def _loss(part: Component, given: Mapping[str, int], refund: int) -> int:  # noqa: C901 - as above
    if part.base is Loss.GREATER_OF:
        able = []
        for option in part.options:
            try:
                able.append(_loss(option, given, refund))
            except KeyError:
                continue
        if not able:
            raise KeyError(part.base)
        return max(able)
    if part.base is Loss.MULTIPLE:
        amount = part.times * given["price_minor"]
    elif part.base is Loss.PROMISE:
        amount = given["promise_multiple"] * given["price_minor"]
    elif part.base is Loss.PROMISED_SUM:
        amount = given["promised_sum_minor"]
    elif part.base is Loss.LATE_FEE:
        amount = given["late_fee_minor"]
    elif part.base is Loss.PROVEN_LOSS:
        amount = given.get("proven_loss_minor", 0)
    elif part.base is Loss.INTEREST:
        amount = given.get("interest_minor", 0)
    else:
        amount = given.get("costs_minor", 0)
    amount = max(amount, part.floor_minor)
    amount = amount if part.cap_minor is None else min(amount, part.cap_minor)
    return max(0, amount - refund) if part.less_refund else amount
