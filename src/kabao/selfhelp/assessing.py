"""What a story comes to: the path it takes, what can be asked and how well it stands, what is missing, what to offer.

The adjudicator decides twice by the law's articles: on what is shown, and on what the person tells. Nothing here
decides about a price, a share or an article itself.
"""

from collections.abc import Iterator, Mapping
from datetime import datetime
from typing import Final

import msgspec

from kabao.adjudication import Adjudicator, Decision, Outcome, Party
from kabao.adjudication.model import UNDECIDED, Text
from kabao.adjudication.reasons import OUTCOMES, PARTIES
from kabao.kernel import Currency, Money
from kabao.selfhelp.book import cites_of
from kabao.selfhelp.model import Answer, Story, To
from kabao.selfhelp.phrases import phrases
from kabao.selfhelp.questions import questions
from kabao.selfhelp.results import (
    Ask,
    Assessment,
    Cite,
    Finding,
    Offer,
    Path,
    Sign,
    Step,
    Strength,
    TermsFinding,
    Wanted,
)
from kabao.selfhelp.rules import (
    beside_the_point,
    faults,
    first_steps_answered,
    has_platform,
    is_fraud,
    is_unlawful,
    returned_minor,
    signs_of,
)
from kabao.selfhelp.signs import FIRST, KEEP, SIGNS, UNLAWFUL_CITES, UNLAWFUL_SAID
from kabao.selfhelp.terms import findings_of, told_by_terms
from kabao.selfhelp.testimony import answers_of, case_of
from kabao.terms import FindingClass

WEAK_SHOWN: Final = 3
STAFF_ONLY: Final = frozenset({"records_withheld", "buyer_fabricated", "crime_suspected", "goods_unlawful"})
"""Facts that only whoever decides could find."""

REPORTABLE: Final = frozenset({"deceit", "merchant_unnamed"})
"""Facts that an office acts on without anybody's quarrel."""

KINDS: Final = {
    "admission": Text("对方承认的话", "an admission of the other side"),
    "listing_snapshot": Text("下单时的商品页截图或存档", "a screenshot or copy of the page as you ordered"),
    "guarantee_record": Text("商家承诺的页面", "the page with the promise"),
    "platform_log": Text("订单详情页、平台记录", "the order page or the platform’s records"),
    "notice_record": Text("当时的提示页面", "the notice as it was shown"),
}


def assess(story: Story, rules: Adjudicator, now: datetime) -> Assessment:
    """Say what the story comes to by law alone; never a promise of a result."""
    on = story.payment.at.day if story.payment.at else now.date()
    seen = tuple(
        Sign(sign_id=name, text=SIGNS[name].text, why=SIGNS[name].why, cites=cites_of(SIGNS[name].cites, now.date()))
        for name in signs_of(story)
    )
    clauses = findings_of(story)
    base = Assessment(
        path=Path.INCOMPLETE,
        made_at=now,
        book_version=rules.book.edition.version,
        first=_first_steps(story, now) if is_fraud(story) else (),
        signs=seen,
        plainly=(UNLAWFUL_SAID, _law_line(cites_of(UNLAWFUL_CITES, on))) if is_unlawful(story) else (),
        terms=clauses,
    )
    if is_unlawful(story):
        return msgspec.structs.replace(base, path=Path.FRAUD if is_fraud(story) else Path.UNLAWFUL)
    if faults(story, now) or not story.claim or story.payment.amount is None:
        return msgspec.structs.replace(base, path=Path.FRAUD if is_fraud(story) else Path.INCOMPLETE)
    told_story = msgspec.structs.replace(story, answers={**told_by_terms(clauses), **story.answers})
    return _Weighed(told_story, rules, now, clauses).into(base)


def _first_steps(story: Story, now: datetime) -> tuple[Step, ...]:
    del story  # all of them are told each time: what was answered yes may still have to be done again
    return tuple(
        Step(step_id=name, text=one.text, why=one.why, cites=cites_of(one.cites, now.date()))
        for name, one in (*FIRST.items(), ("keep_traces", KEEP))
    )


def _law_line(cites: tuple[Cite, ...]) -> Text:
    return Text(
        "依据：" + "、".join(one.name.zh for one in cites) + "。",
        "Law: " + "; ".join(one.name.en for one in cites) + ".",
    )


class _Weighed:
    """A story decided twice: on what is shown, and at its word."""

    def __init__(self, story: Story, rules: Adjudicator, now: datetime, terms: tuple[TermsFinding, ...]) -> None:
        self.story, self.rules, self.now, self.terms = story, rules, now, terms
        self.answers = answers_of(story, now)
        self.shown_case = case_of(story, rules, now)
        self.told_case = case_of(story, rules, now, taken_at_word=True)
        self.shown = rules.decide(self.shown_case)
        self.told = rules.decide(self.told_case)
        self.returned = returned_minor(story)

    def into(self, base: Assessment) -> Assessment:
        needs = self._needs()
        path = self._path()
        if path is Path.INCOMPLETE:
            return msgspec.structs.replace(base, wanted=tuple(self._wanted(needs)), risks=tuple(self._risks()))
        asks = tuple(self._asks(needs)) if path is not Path.BUYER else ()
        return msgspec.structs.replace(
            base,
            path=path,
            plainly=(*base.plainly, *self._plainly(path)),
            as_shown=_finding(self.shown),
            as_told=_finding(self.told),
            asks=asks,
            wanted=tuple(self._wanted(needs)),
            risks=tuple(self._risks()),
            offer=self._offer(path),
            letters=self._letters(path),
            unverified=tuple(self._unverified(needs)),
        )

    def _path(self) -> Path:
        if is_fraud(self.story):
            return Path.FRAUD
        told = self.told
        if told.outcome in UNDECIDED:
            return Path.UNSETTLED
        if _worth(told) or told.remedy in {"replace", "perform"}:
            return Path.ORDINARY
        if not told.shares.buyer or self._is_unknown():
            return Path.UNSETTLED
        # Nobody is told that it is his own matter before he was asked what could make it another's.
        return Path.INCOMPLETE if questions(self.story, self.rules, self.now) else Path.BUYER

    def _is_unknown(self) -> bool:
        """Tell whether the person does not know something that would turn the result for him."""
        turning = {one.fact for one in self.told.missing if one.if_proved is not None}
        return any(self.story.answers.get(fact) is Answer.UNKNOWN for fact in turning)

    def _needs(self) -> tuple[str, ...]:
        """Name the facts that are told, not shown, and without which what is told comes to less."""
        found = []
        for fact in self.told_case.known:
            if fact in self.shown_case.known:
                continue
            less = self._bare({name: value for name, value in self.told_case.known.items() if name != fact})
            if less != self._bare(self.told_case.known):
                found.append(fact)
        return tuple(found)

    def _bare(self, known: Mapping[str, bool]) -> tuple[Outcome, int, int]:
        _, sums = self.rules.bare(msgspec.structs.replace(self.told_case, known=known, contested=()))
        return sums.outcome, sums.refund_minor, sums.damages_minor

    def _asks(self, needs: tuple[str, ...]) -> Iterator[Ask]:
        strong = {ask.what: ask for ask in _asked(self.shown, Strength.STRONG, (), self.returned)}
        yield from strong.values()
        best = dict(strong)
        for ask in _asked(self.told, Strength.FAIR, needs, self.returned):
            if ask.what not in strong or ask.amount_minor > strong[ask.what].amount_minor:
                best[ask.what] = ask
                yield ask
        weak = 0
        for fact in self._open_facts():
            if weak == WEAK_SHOWN:
                return
            further = self.rules.decide(
                msgspec.structs.replace(self.told_case, known={**self.told_case.known, fact: True})
            )
            for ask in _asked(further, Strength.WEAK, (*needs, fact), self.returned):
                if ask.what not in best or ask.amount_minor > best[ask.what].amount_minor:
                    weak += 1
                    best[ask.what] = ask
                    yield ask

    def _open_facts(self) -> Iterator[str]:
        """Name facts that would help, that nobody claims yet, and that alone would change the result."""
        facts, passed = self.rules.book.facts, STAFF_ONLY | beside_the_point(self.story)
        for missing in self.told.missing:
            fact = facts.get(missing.fact)
            if fact is None or fact.favours is not Party.BUYER or missing.fact in passed:
                continue
            if missing.if_proved is not None and self.answers.get(missing.fact) is not Answer.NO:
                yield missing.fact

    def _wanted(self, needs: tuple[str, ...]) -> Iterator[Wanted]:
        for name in dict.fromkeys((*needs, *self._open_facts())):
            case = self.told_case
            effect = self.rules.bare(msgspec.structs.replace(case, known={**case.known, name: True}))[1]
            if name not in needs and effect.outcome is Outcome.DENY:
                continue  # nothing worth showing comes of it alone
            yield self._want(
                name, told=name in needs, effect=_effect(effect.outcome, effect.refund_minor, effect.damages_minor)
            )

    def _risks(self) -> Iterator[Wanted]:
        for missing in self.told.missing:
            fact = self.rules.book.facts.get(missing.fact)
            if fact is None or fact.favours is not Party.MERCHANT or missing.fact in STAFF_ONLY:
                continue
            known = {**self.told_case.known, missing.fact: True}
            _, sums = self.rules.bare(msgspec.structs.replace(self.told_case, known=known))
            if sums.refund_minor + sums.damages_minor < _worth(self.told):
                yield self._want(
                    missing.fact, told=False, effect=_effect(sums.outcome, sums.refund_minor, sums.damages_minor)
                )

    def _want(self, name: str, *, told: bool, effect: Text) -> Wanted:
        fact, kinds = self.rules.book.facts[name], self.rules.book.evidence_kinds
        return Wanted(
            fact=name,
            text=fact.label,
            told=told,
            shown_by=tuple(KINDS.get(kind, kinds[kind].label) for kind in fact.shown_by),
            effect=effect,
        )

    def _plainly(self, path: Path) -> Iterator[Text]:
        told = self.told
        if self._is_made_good(path):
            yield Text(
                "照你记下的，该退的已经退回来了，没有要再写的信。",
                "By what you noted, all that was due came back; there is no letter left to write.",
            )
        if path is Path.BUYER:
            yield Text(
                "照你说的，依法这件事主要由你自己负责，商家没有必须退款的义务。可以诚恳地商量。",
                "As you tell it, this is mostly your own responsibility by law and the merchant need not refund. You "
                "can still ask honestly.",
            )
        elif path is Path.UNSETTLED and told.undecided == "amount":
            yield Text("还差数目，算不出来。", "Figures are missing, so nothing can be computed yet.")
        elif path is Path.UNSETTLED:
            yield Text(
                "照现在说的，法律没有给出明确的结果。信里只写事实和请求，不说一定能成。",
                "On what is told the law gives no clear result. Letters state facts and a request, and claim no more.",
            )
        elif told.shares.buyer:
            yield Text(
                f"你自己也有责任（约 {told.shares.buyer}%），要求里已经减掉了。信里照实写，更站得住。",
                f"You answer for a part yourself (about {told.shares.buyer} %), already taken off. Saying so makes the "
                "letter stronger.",
            )

    def _offer(self, path: Path) -> Offer | None:
        paid = self.told.price_minor
        if path is Path.BUYER:
            if Answer.YES in {self.answers.get(fact) for fact in ("used_up", "redeemed_by_buyer", "goods_consumed")}:
                return None  # nothing can be given back
            published = self.story.amounts.get("published_fee_minor")
            percent = self.rules.book.parameters["buyer_fault_fee_cap"].value
            keep = min(paid, published if published is not None else -(-paid * percent // 100))
            basis = (
                Text("按商家公布的费用。", "By the fee that the merchant publishes.")
                if published is not None
                else Text(
                    f"按价款的 {percent}% 算，是建议，不是法律规定。", f"{percent} % of the price: advice, not law."
                )
            )
        elif path is Path.ORDINARY and self.told.shares.buyer and self.told.refund_minor < paid:
            keep = paid - self.told.refund_minor
            basis = Text("按双方各自的责任分担。", "By each side’s share of responsibility.")
        else:
            return None
        back = paid - keep - self.returned
        if back <= 0:
            return None
        return Offer(
            keep_minor=keep,
            back_minor=back,
            text=self._offered(path, keep, back),
            basis=basis,
        )

    def _offered(self, path: Path, keep: int, back: int) -> Text:
        """Say the offer in a sentence; what cannot be given back is not offered."""
        if path is not Path.BUYER:
            return Text(
                f"愿意各让一步的话：商家退 {money(back)}，其余 {money(keep)} 由你自己承担，就此了结。",
                f"To settle it: the merchant returns {money(back)}, and {money(keep)} stay with you.",
            )
        kinds = phrases().gives
        gives = kinds.get(self.story.goods.value if self.story.goods else "", kinds["other"])
        return Text(
            f"请商家留下 {money(keep)} 作为费用，退回 {money(back)}；{gives.zh}。",
            f"The merchant keeps {money(keep)} as a fee and returns {money(back)}; {gives.en}.",
        )

    def _letters(self, path: Path) -> tuple[To, ...]:
        if self._is_made_good(path):
            return ()
        if path is Path.FRAUD:
            order: tuple[To, ...] = (To.PAYMENT, To.PLATFORM) if first_steps_answered(self.story) else ()
        elif path is Path.BUYER:
            order = (To.MERCHANT,) if self._offer(path) else ()
        else:
            order = tuple(To)
        dropped: set[To] = set()
        if not has_platform(self.story):
            dropped |= {To.PLATFORM, To.SUPPORT, To.PANEL}
        if self.answers.get("not_consumer") is Answer.YES:
            dropped |= {To.OFFICE, To.ASSOCIATION}
        if not self._has_leads():
            dropped.add(To.REPORT)
        return tuple(to for to in order if to not in dropped)

    def _is_made_good(self, path: Path) -> bool:
        """Tell whether everything that could be asked for came back already."""
        told = self.told
        if path not in {Path.ORDINARY, Path.UNSETTLED} or told.damages_minor:
            return False
        is_money = told.remedy not in {"replace", "perform"}
        return self.returned >= told.price_minor > 0 or (is_money and 0 < told.refund_minor <= self.returned)

    def _has_leads(self) -> bool:
        """Tell whether there is unlawful conduct to report (举报), apart from the person's own quarrel."""
        has_void = any(one.kind == FindingClass.VOID.value for one in self.terms)
        return has_void or any(self.answers.get(fact) is Answer.YES for fact in REPORTABLE)

    def _unverified(self, needs: tuple[str, ...]) -> Iterator[Text]:
        for name in needs:
            label = self.rules.book.facts[name].label
            yield Text(f"“{label.zh}”只有本人陈述，还没有材料。", f"“{label.en}” rests on my own word so far.")
        if not self.story.shop.real_name:
            yield Text("商家的真实名称和登记信息没有核实。", "The merchant’s real name was not checked.")
        if any(not item.sha256 for item in self.story.evidence):
            yield Text("有的文件还没有取指纹。", "Some files have no fingerprint yet.")
        if self.story.evidence:
            said = "证据的真实性没有经过第三方核验。", "Nobody independent has checked that the evidence is genuine."
        else:
            said = "经过是本人陈述，还没有附证据。", "What happened is my own account; no evidence is enclosed yet."
        yield Text(*said)


def _finding(decision: Decision) -> Finding:
    return Finding(
        outcome=decision.outcome,
        shares=decision.shares,
        refund_minor=decision.refund_minor,
        damages_minor=decision.damages_minor,
        buyer_pays_minor=decision.buyer_pays_minor,
        payer=decision.payer,
        joint=decision.joint,
        remedy=decision.remedy,
        articles=decision.articles,
        reasons=decision.reasons,
    )


def _worth(decision: Decision) -> int:
    return decision.refund_minor + decision.damages_minor


def _asked(decision: Decision, strength: Strength, needs: tuple[str, ...], returned: int) -> Iterator[Ask]:
    """Give what a decision would grant, as demands; of a refund only what did not come back yet."""
    if decision.outcome in UNDECIDED:
        return
    of = tuple(party for party in (decision.payer, decision.joint) if party is not Party.NOBODY)
    who = Text("、".join(PARTIES[one].zh for one in of), " and ".join(PARTIES[one].en for one in of))
    cites = tuple(
        Cite(one.cite, Text(law.text_zh(), law.text_en()), Text(law.summary_zh, law.summary_en), law.mark.value)
        for one in decision.authorities
        if (law := one.citation) and not one.fault
    )
    refund, damages = max(decision.refund_minor - returned, 0), decision.damages_minor
    less = f"（{money(decision.refund_minor)}，已退 {money(returned)}）", f" ({money(returned)} came back)"
    zh, en = less if returned else ("", "")
    said = {
        "refund": Text(f"由{who.zh}退款 {money(refund)}{zh}", f"a refund of {money(refund)} by {who.en}{en}"),
        "damages": Text(f"由{who.zh}赔偿 {money(damages)}", f"damages of {money(damages)} by {who.en}"),
        "replace": Text(f"由{who.zh}补发能用的", f"a working replacement from {who.en}"),
        "perform": Text(f"由{who.zh}按约定履行", f"performance as agreed by {who.en}"),
    }
    asked = {"refund": refund, "damages": damages}
    if decision.remedy in {"replace", "perform"}:
        asked |= {decision.remedy: 0}
    for what, amount in asked.items():
        if amount or what in {"replace", "perform"}:
            yield Ask(
                strength=strength, what=what, amount_minor=amount, of=of, text=said[what], cites=cites, needs=needs
            )


def _effect(outcome: Outcome, refund: int, damages: int) -> Text:
    said = OUTCOMES[outcome]
    sums = [(refund, "退款", "refund"), (damages, "赔偿", "damages")]
    zh = "".join(f"，{name} {money(amount)}" for amount, name, _ in sums if amount)
    en = "".join(f", {name} {money(amount)}" for amount, _, name in sums if amount)
    return Text(f"{said.zh}{zh}", f"{said.en}{en}")


def money(minor: int) -> str:
    """Write a sum of CNY."""
    assert Money(minor).currency is Currency.CNY  # noqa: S101 - nothing else is reckoned with
    return f"¥{minor // 100}.{minor % 100:02}"
