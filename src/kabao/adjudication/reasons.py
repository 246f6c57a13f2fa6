"""The reasons of a decision as sentences in Chinese and English, in the order a person would give them."""

from collections.abc import Iterable, Mapping
from typing import Final, NamedTuple

from kabao.adjudication.amounts import Sums
from kabao.adjudication.compiler import ClaimPlan, Verdict
from kabao.adjudication.model import Article, Case, Clause, Issue, Outcome, Party, Rulebook, Shares, Text
from kabao.law import in_english

PARTIES: Final = {
    Party.BUYER: Text("买家", "the buyer"),
    Party.MERCHANT: Text("商家", "the merchant"),
    Party.PLATFORM: Text("平台", "the platform"),
    Party.NOBODY: Text("无人", "nobody"),
}

OUTCOMES: Final = {
    Outcome.FULL_REFUND: Text("全额退款", "a full refund"),
    Outcome.PARTIAL_REFUND: Text("部分退款", "a partial refund"),
    Outcome.REPLACE: Text("补发", "a replacement"),
    Outcome.PERFORM: Text("继续履行", "performance"),
    Outcome.DENY: Text("不予退款", "no refund"),
    Outcome.VOID_RESTITUTION: Text("合同无效，返还价款", "restitution, the contract being void"),
    Outcome.DAMAGES: Text("赔偿损失", "damages"),
    Outcome.PROMISE: Text("按承诺赔付", "payment of what was promised"),
    Outcome.BUYER_PAYS: Text("主张不成立，买家退回已得款项", "the claim fails and the buyer repays what was had"),
    Outcome.CONFLICT: Text("证据矛盾，暂不决定", "no decision while the evidence contradicts itself"),
    Outcome.ROUTE_OUT: Text("不在这里裁决，转出处理", "the case goes elsewhere"),
    Outcome.NEEDS_PERSON: Text("由人工决定", "a person decides"),
}

_UNDECIDED: Final = {
    "gap": Text("没有一条规则覆盖这组事实，由人工决定。", "No article covers these facts, so a person decides."),
    "clash": Text("规则之间有冲突，由人工决定。", "Articles contradict each other here, so a person decides."),
}

_CLAUSES: Final = {
    "VOID": Text("依法应属无效，按没有这一条处理", "should be void by law and is decided as if absent"),
    "HURDLE": Text("要求过高，不能作为拒绝的理由", "asks too much and is no reason to refuse"),
    "VAGUE": Text("没有写清楚，按对买家有利的理解", "is left open and read in the buyer’s favour"),
    "CONFLICT": Text("和别处的说法对不上，以对买家有利的为准", "contradicts another; what favours the buyer prevails"),
}


RETURNS: Final = frozenset({"regret_promise", "regret_sealed_law", "regret_sealed_rule"})
"""The articles by which goods go back without a reason, by their names, which never change."""
NO_FAULT: Final = "不涉及谁的过错"
"""How the reasons of a return say that nobody is at fault."""
_RETURN: Final = Text(
    f"责任：{NO_FAULT}。这是无理由退货的权利，货退回，款由商家退还。",
    "Responsible: nobody is at fault. This is a right to return the goods: they go back, the seller returns the price.",
)


class Told(NamedTuple):
    """Articles that won, with their issues, and those that yielded, with issue and to what."""

    won: dict[str, list[str]]
    defeated: list[tuple[str, Issue, tuple[str, ...]]]


class Voice:
    """Tells the reasons of one rulebook; what never changes is worded once."""

    def __init__(self, book: Rulebook) -> None:
        self.book = book
        self._shown = {(name, value): self._status(name, value=value) for name in book.facts for value in (True, False)}
        self._weighed = {
            (name, value): self._evident(name, value=value) for name in book.facts for value in (True, False)
        }
        self._assumed = {
            (name, bearer, value): self._burden(name, bearer, value=value)
            for name in book.facts
            for bearer in Party
            for value in (True, False)
        }
        self._ruled = {name: self._rule(article) for name, article in book.articles.items()}

    def number(self, article_id: str) -> int:
        """Return an article's number."""
        return self.book.articles[article_id].number

    def reasons(
        self,
        case: Case,
        plan: ClaimPlan,
        masks: tuple[int, int, int],
        winners: list[Article],
        told: Told,
        verdict: Verdict,
        amount: Sums,
    ) -> tuple[Text, ...]:
        """Give facts, burdens, articles, what yielded, and the money."""
        found: list[Text] = []
        proved, disproved, packed = masks
        used = self._used(winners)
        for name in plan.facts:
            bit = plan.bit(name)
            if (proved | disproved) & bit:
                told_as = self._weighed if name in case.weights and name in case.known else self._shown
                if name in used or name in case.known:
                    found.append(told_as[name, bool(proved & bit)])
            elif name in used:
                value = bool(packed & bit)
                found.append(self._assumed[name, self._bearer(name, plan, masks), value])
        # Whoever decides may have found otherwise; then the clause stands.
        found.extend(_clause(one) for one in case.clauses if case.known.get(one.fact))
        found.extend(self._ruled[article.article_id] for article in winners)
        found.extend(self._yields(told))
        if verdict.undecided:
            found.append(_UNDECIDED[verdict.undecided])
        found.extend(self._money(amount, verdict, told))
        return tuple(found)

    def conflict(self, facts: Iterable[str], after: Outcome) -> tuple[Text, ...]:
        """Say which facts are shown both ways, how long that may last, and what counts then."""
        rule = self.book.conflict
        listed = [self.book.facts[name].label for name in facts]
        zh = "、".join(f"“{label.zh}”" for label in listed)
        en = "; ".join(f"“{label.en}”" for label in listed)
        then = OUTCOMES[after]
        counts = (
            Text("证据较强的一方为准", "the stronger side counts")
            if rule.stronger
            else Text("按未能证明处理", "they count as not shown")
        )
        return (
            Text(f"关于{zh}的证据互相矛盾。", f"The evidence contradicts itself on {en}."),
            rule.label,
            Text(
                f"补充期 {rule.hours} 小时；期满仍矛盾的，{counts.zh}，结果将是：{then.zh}。",
                f"Both may add to it for {rule.hours} hours; after that {counts.en}, which leads to {then.en}.",
            ),
        )

    def _used(self, winners: list[Article]) -> set[str]:
        found: set[str] = set()
        todo = [literal.fact for article in winners for literal in article.condition]
        while todo:
            name = todo.pop()
            derived = self.book.derived.get(name)
            if derived is None:
                found.add(name)
            else:
                todo.extend(literal.fact for literal in derived.of)
        return found

    def _bearer(self, name: str, plan: ClaimPlan, masks: tuple[int, int, int]) -> Party:
        fact = self.book.facts[name]
        proved, disproved, _ = masks
        for shift in fact.shifts:
            if all((proved if one.holds else disproved) & plan.bit(one.fact) for one in shift.when):
                return shift.to
        return fact.burden

    def _status(self, name: str, *, value: bool) -> Text:
        label = self.book.facts[name].label
        if value:
            return Text(f"已证明：{label.zh}。", f"Proved: {label.en}.")
        return Text(f"已证明不成立：{label.zh}。", f"Disproved: {label.en}.")

    def _evident(self, name: str, *, value: bool) -> Text:
        """Say to what standard evidence shows a fact; what a record states outright is `_status`."""
        fact = self.book.facts[name]
        standard = self.book.standards[fact.standard].label
        way = Text("", "") if value else Text("不成立", "the opposite of ")
        return Text(
            f"按现有证据认定（达到“{standard.zh}”）：{fact.label.zh}{way.zh}。",
            f"On the evidence there is ({standard.en}): {way.en}{fact.label.en}.",
        )

    def _burden(self, name: str, bearer: Party, *, value: bool) -> Text:
        label, who = self.book.facts[name].label, PARTIES[bearer]
        end = Text("成立", "true") if value else Text("不成立", "not true")
        if bearer is Party.NOBODY:
            return Text(
                f"没有证据涉及“{label.zh}”，按{end.zh}处理。", f"Nothing bears on “{label.en}”: taken as {end.en}."
            )
        return Text(
            f"“{label.zh}”没有查明，由{who.zh}承担举证责任，按{end.zh}处理。",
            f"“{label.en}” is not settled; {who.en} bears the burden, so it is taken as {end.en}.",
        )

    def _rule(self, article: Article) -> Text:
        title, message = self.book.edition.title, article.message
        return Text(
            f"依《{title.zh}》第 {article.number} 条（{article.title.zh}）：{message.zh}",
            f"{title.en}, article {article.number} ({article.title.en}): {message.en}",
        )

    def _yields(self, told: Told) -> list[Text]:
        found: dict[str, Text] = {}
        for name, _, by in told.defeated:
            if name in told.won or name in found:
                continue
            mine, other = self.number(name), "、".join(str(self.number(one)) for one in by)
            found[name] = Text(f"第 {mine} 条让位于第 {other} 条。", f"Article {mine} yields to article {other}.")
        return list(found.values())

    def _money(self, amount: Sums, verdict: Verdict, told: Told) -> list[Text]:
        outcome = OUTCOMES[amount.outcome]
        found = [Text(f"结果：{outcome.zh}。", f"Result: {outcome.en}.")]
        if amount.needs:
            names = ", ".join(amount.needs)
            found.append(Text(f"缺少计算所需的数据：{names}。", f"Needed for the sum and not stated: {names}."))
        if amount.refund_minor:
            found.append(Text(f"退款 {yuan(amount.refund_minor)}。", f"Refund: {yuan(amount.refund_minor)}."))
        if amount.damages_minor:
            found.append(Text(f"另行赔付 {yuan(amount.damages_minor)}。", f"Damages: {yuan(amount.damages_minor)}."))
        if amount.buyer_pays_minor:
            back = yuan(amount.buyer_pays_minor)
            found.append(Text(f"买家退回 {back}。", f"The buyer repays {back}."))
        price = verdict.price
        if price.low is not None and amount.remedy == "refund":
            found.append(
                Text(
                    f"退款比例由人工在 {price.low}% 到 {price.high}% 之间确定。",
                    f"A person sets the refund between {price.low}% and {price.high}%.",
                )
            )
        if is_return(amount.outcome, told.won):
            found.append(_RETURN)
        elif amount.shares != Shares():
            parts = [
                (PARTIES[party], share)
                for party, share in (
                    (Party.BUYER, amount.shares.buyer),
                    (Party.MERCHANT, amount.shares.merchant),
                    (Party.PLATFORM, amount.shares.platform),
                )
                if share
            ]
            zh = "，".join(f"{party.zh} {share}%" for party, share in parts)
            en = ", ".join(f"{party.en} {share}%" for party, share in parts)
            found.append(Text(f"责任：{zh}。", f"Responsible: {en}."))
        return found


def is_return(outcome: Outcome, won: Mapping[str, Iterable[str]]) -> bool:
    """Tell whether the price goes back by a right to return the goods, which asks for nobody's fault."""
    by = [name for name, issues in won.items() if Issue.PRICE.value in issues]
    return bool(by) and outcome is Outcome.FULL_REFUND and RETURNS.issuperset(by)


def _clause(clause: Clause) -> Text:
    """Say of the words a shop sold by how they count, why, and by which law."""
    does, law = _CLAUSES[clause.kind], "；".join(clause.law)
    by = "; ".join(map(in_english, clause.law))
    return Text(
        f"「{clause.words}」{does.zh}：{clause.why}" + (f"依据：{law}。" if law else ""),
        f"The clause “{clause.words}” ({clause.clause_id}) {does.en}" + (f": {by}." if by else "."),
    )


def yuan(minor: int) -> str:
    """Write fen as ¥1,234.50."""
    whole, fen = divmod(minor, 100)
    return f"¥{whole:,}.{fen:02d}"
