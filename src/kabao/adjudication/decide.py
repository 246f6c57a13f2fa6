"""Deciding a case with everything a party is told: amounts, the articles, their law, the reasons, what is missing."""

from collections.abc import Mapping
from fractions import Fraction
from typing import Any, Final

import msgspec

from kabao.adjudication.amounts import Sums, sums
from kabao.adjudication.authority import Authority, authorities
from kabao.adjudication.compiler import CONFLICT, ClaimPlan, Compiled, Verdict
from kabao.adjudication.evidence import settle
from kabao.adjudication.model import Article, Case, Issue, Outcome, Party, Recourse, Shares, Text
from kabao.adjudication.reasons import Told, Voice

_PAID_IN_KIND: Final = frozenset({Outcome.REPLACE, Outcome.PERFORM})


class Defeated(msgspec.Struct, frozen=True):
    """An article that held and yielded, on one issue."""

    article: str
    issue: Issue
    by: tuple[str, ...]


class Missing(msgspec.Struct, frozen=True):
    """A fact still unknown that alone would change the decision, and to what; or an amount that is needed."""

    fact: str
    label: Text
    burden: Party
    if_proved: str | None = None
    if_disproved: str | None = None
    shown_by: tuple[str, ...] = ()


class Conflict(msgspec.Struct, frozen=True):
    """Facts shown both ways, how long that may hold the case up, and what comes after."""

    facts: tuple[str, ...]
    hours: int
    then: str


class Decision(msgspec.Struct, frozen=True):
    """A decision in full."""

    book_version: str
    claim: str
    outcome: Outcome
    shares: Shares
    remedy: str | None
    refund_minor: int
    price_minor: int
    share_range: tuple[int, int] | None
    damages_minor: int
    buyer_pays_minor: int
    payer: Party
    joint: Party
    recourse: Recourse
    articles: tuple[str, ...]
    decided: Mapping[str, tuple[str, ...]]
    defeated: tuple[Defeated, ...]
    authorities: tuple[Authority, ...]
    reasons: tuple[Text, ...]
    missing: tuple[Missing, ...]
    conflict: Conflict | None
    undecided: str

    @property
    def refund_share(self) -> float:
        """The refund as a share of the price, to four places."""
        if self.price_minor == 0:
            return 0.0
        return float(round(Fraction(self.refund_minor, self.price_minor), 4))


class Adjudicator:
    """Decides cases by one compiled rulebook."""

    def __init__(self, compiled: Compiled) -> None:
        self.compiled = compiled
        self.book = compiled.book
        self._voice = Voice(compiled.book)

    def decide(self, case: Case) -> Decision:
        """Decide a case with reasons and what is missing."""
        plan = self.compiled.plans[case.claim]
        contested, known = self.standing(case, plan)
        if contested:
            return self._conflicting(case, plan, contested)
        proved, disproved = plan.masks(known)
        packed = plan.settle(proved, disproved)
        verdict = plan.verdict(packed)
        amount = sums(verdict.price, verdict.shares, verdict.damages, case.demand, case.amounts, case.chosen_share)
        told = self._articles(plan, packed, verdict)
        return self._full(case, plan, verdict, amount, told, (proved, disproved, packed))

    def bare(self, case: Case) -> tuple[Verdict, Sums]:
        """Decide a case without reasons."""
        plan = self.compiled.plans[case.claim]
        contested, known = self.standing(case, plan)
        verdict = CONFLICT if contested else plan.bare(known)
        return verdict, sums(
            verdict.price, verdict.shares, verdict.damages, case.demand, case.amounts, case.chosen_share
        )

    def standing(self, case: Case, plan: ClaimPlan) -> tuple[tuple[str, ...], Mapping[str, bool]]:
        """Return the facts in contradiction (none once their time is up) and the facts that count."""
        contested = [name for name in case.contested if name in plan.facts]
        proved, disproved = plan.masks(case.known)
        contested += [name for name in plan.known_facts(proved & disproved & plan.base_mask) if name not in contested]
        if not contested:
            return (), case.known
        if not case.conflict_expired:
            return tuple(contested), case.known
        rule = self.book.conflict
        known = settle(case.known, case.contested, case.weights, self.compiled.follows, stronger=rule.stronger)
        return (), known

    def _conflicting(self, case: Case, plan: ClaimPlan, contested: tuple[str, ...]) -> Decision:
        after = self.decide(msgspec.structs.replace(case, conflict_expired=True))
        rule = self.book.conflict
        conflict = Conflict(contested, rule.hours, after.outcome.value)
        reasons = self._voice.conflict(contested, after.outcome)
        missing = tuple(
            Missing(name, fact.label, fact.burden, shown_by=fact.shown_by)
            for name in contested
            for fact in [self.book.facts[name]]
        )
        return Decision(
            self.book.edition.version, plan.claim, Outcome.CONFLICT, Shares(), None, 0, case.amounts["price_minor"],
            None, 0, 0, Party.NOBODY, Party.NOBODY, Recourse.NONE, (), {}, (), (), reasons, missing, conflict, "",
        )  # fmt: skip

    def _articles(self, plan: ClaimPlan, packed: int, verdict: Verdict) -> Told:
        full = plan.with_derived(packed)
        won: dict[str, list[str]] = {}
        defeated: list[tuple[str, Issue, tuple[str, ...]]] = []
        stops = verdict.price.outcome in {Outcome.ROUTE_OUT, Outcome.NEEDS_PERSON} and not verdict.undecided
        for issue, part in plan.issues.items():
            if stops and issue is not Issue.PRICE:
                break
            winners, losers = part.shape(full)
            for position in winners:
                won.setdefault(part.rules[position].article_id, []).append(issue.value)
            for position, by in losers:
                names = tuple(part.rules[winner].article_id for winner in by)
                defeated.append((part.rules[position].article_id, issue, names))
        return Told(won, defeated)

    def _full(
        self, case: Case, plan: ClaimPlan, verdict: Verdict, amount: Sums, told: Told, masks: tuple[int, int, int]
    ) -> Decision:
        book = self.book
        winners = [book.articles[name] for name in sorted(told.won, key=self._voice.number)]
        due = amount.refund_minor + amount.damages_minor + amount.buyer_pays_minor > 0
        payer = verdict.payer if due or amount.outcome in _PAID_IN_KIND else None
        cites = self.cites(winners, case)
        price = verdict.price
        ranged = (price.low, price.high) if amount.remedy == "refund" else (None, None)
        reasons = self._voice.reasons(case, plan, masks, winners, told, verdict, amount)
        return Decision(
            book.edition.version, plan.claim, amount.outcome, amount.shares, amount.remedy and amount.remedy.value,
            amount.refund_minor, case.amounts["price_minor"],
            None if ranged[0] is None or ranged[1] is None else (ranged[0], ranged[1]),
            amount.damages_minor, amount.buyer_pays_minor, payer.who if payer else Party.NOBODY,
            payer.joint if payer else Party.NOBODY, payer.recourse if payer else Recourse.NONE,
            tuple(article.article_id for article in winners),
            {name: tuple(issues) for name, issues in told.won.items()},
            tuple(Defeated(*one) for one in told.defeated), cites, reasons,
            (*self._lacking(amount), *self.missing(case, plan, verdict, masks)), None,
            "amount" if amount.needs else verdict.undecided,
        )  # fmt: skip

    def cites(self, articles: list[Article], case: Case) -> tuple[Authority, ...]:
        """Look up the law of the articles: at order time for substance, at filing time for procedure."""
        found: dict[str, Authority] = {}
        for article in articles:
            on = case.filed_on if article.at_filing else case.ordered_on
            for cite in article.cites:
                for one in authorities(cite, on):
                    found.setdefault(one.citation.id if one.citation else one.cite, one)
        return tuple(found.values())

    def _lacking(self, amount: Sums) -> list[Missing]:
        return [Missing(name, Text(f"金额或数量 {name}", f"the amount {name}"), Party.NOBODY) for name in amount.needs]

    def missing(
        self, case: Case, plan: ClaimPlan, verdict: Verdict, masks: tuple[int, int, int]
    ) -> tuple[Missing, ...]:
        """List the unknown facts that alone would change the decision, with what either proof would lead to."""
        proved, disproved, packed = masks
        shown = proved | disproved
        found: list[Missing] = []
        outcomes: dict[int, str] = {id(verdict): ""}
        for name in plan.facts:
            if shown & plan.bit(name):
                continue
            either: list[str | None] = []
            for value in (True, False):
                more_proved, more_disproved = plan.literals[name, value]
                settled = plan.settle(proved | more_proved, disproved | more_disproved)
                other = verdict if settled == packed else plan.verdict(settled)
                if other is verdict:
                    either.append(None)
                    continue
                text = outcomes.get(id(other))
                if text is None:
                    text = outcomes[id(other)] = self._told(other, case)
                either.append(text)
            if either != [None, None]:
                fact = self.book.facts[name]
                found.append(Missing(name, fact.label, fact.burden, either[0], either[1], fact.shown_by))
        return tuple(found)

    def _told(self, verdict: Verdict, case: Case) -> str:
        amount = sums(verdict.price, verdict.shares, verdict.damages, case.demand, case.amounts, case.chosen_share)
        more = f" + {amount.damages_minor}" if amount.damages_minor else ""
        return f"{amount.outcome} {amount.refund_minor}{more}, payer {verdict.payer.who}"


def plain(decision: Decision) -> dict[str, Any]:
    """Return a decision as plain values for JSON. ``responsible`` always has all three parties."""
    return {
        "book": decision.book_version,
        "claim": decision.claim,
        "responsible": {
            "buyer": decision.shares.buyer,
            "merchant": decision.shares.merchant,
            "platform": decision.shares.platform,
        },
        "outcome": decision.outcome.value,
        "remedy": decision.remedy,
        "refund_minor": decision.refund_minor,
        "refund_share": decision.refund_share,
        "share_range": list(decision.share_range) if decision.share_range else None,
        "damages_minor": decision.damages_minor,
        "buyer_pays_minor": decision.buyer_pays_minor,
        "payer": None if decision.payer is Party.NOBODY else decision.payer.value,
        "joint": None if decision.joint is Party.NOBODY else decision.joint.value,
        "recourse": None if decision.recourse is Recourse.NONE else decision.recourse.value,
        "articles": list(decision.articles),
        "decided": {name: list(issues) for name, issues in decision.decided.items()},
        "defeated": [{"article": d.article, "issue": d.issue.value, "by": list(d.by)} for d in decision.defeated],
        "cites": [_cite(one) for one in decision.authorities],
        "reasons": [{"zh": text.zh, "en": text.en} for text in decision.reasons],
        "missing": [_missing(one) for one in decision.missing],
        "conflict": decision.conflict
        and {"facts": list(decision.conflict.facts), "hours": decision.conflict.hours, "then": decision.conflict.then},
        "undecided": decision.undecided or None,
    }


def _missing(one: Missing) -> dict[str, Any]:
    return {
        "fact": one.fact,
        "zh": one.label.zh,
        "en": one.label.en,
        "burden": one.burden.value,
        "if_proved": one.if_proved,
        "if_disproved": one.if_disproved,
        "shown_by": list(one.shown_by),
    }


def _cite(one: Authority) -> dict[str, Any]:
    found = one.citation
    if found is None:
        return {"cite": one.cite, "fault": one.fault}
    return {
        "cite": one.cite,
        "law": found.instrument.name_zh,
        "article": found.place.article,
        "paragraph": found.place.paragraph,
        "item": found.place.item,
        "zh": found.text_zh(),
        "en": found.text_en(),
        "summary_zh": found.summary_zh,
        "summary_en": found.summary_en,
        "mark": found.mark.value,
        "fault": one.fault or None,
    }
