"""Which question comes next, and why it is asked: signs of fraud first, then where, when, how paid, then the facts.

Facts are asked for as long as the engine says that one of them alone would turn the result; so nobody is asked what
does not matter.
"""

from collections.abc import Iterator, Mapping
from datetime import datetime
from typing import Final

import msgspec

from kabao.adjudication import Adjudicator, Outcome, Party
from kabao.adjudication.decide import Missing
from kabao.adjudication.model import UNDECIDED, Fact, Text
from kabao.selfhelp.chatfacts import unclear
from kabao.selfhelp.model import Answer, Goods, Story
from kabao.selfhelp.results import Choice, Fault, Question, QuestionKind
from kabao.selfhelp.rules import YES_NO, beside_the_point, faults, is_fraud, is_unlawful
from kabao.selfhelp.signs import FIRST, NONE, SIGNS
from kabao.selfhelp.terms import findings_of, told_by_terms
from kabao.selfhelp.testimony import answers_of, case_of
from kabao.selfhelp.words import CHANNELS, GOODS, SIDES

MOST_FACTS: Final = 10
"""Beyond so many facts a person has been asked enough."""

NOT_ASKED: Final = frozenset({
    "goods_unlawful", "crime_suspected", "buyer_fabricated", "records_withheld", "source_clean", "mistake_rescinded",
    "platform_acted", "clause_void", "clause_ambiguous", "clause_contradicted", "hurdle_excessive", "key_opened_before",
})  # fmt: skip
"""Facts that a buyer cannot know, or that other questions and the terms checker answer."""

CORE: Final = {
    "merchant_cancelled_order": ("merchant_cancelled",),
    "delivery_changed": ("mode_changed",),
    "bundle_item_failed": ("mismatch", "one_item_affected"),
    "charged_at_export": ("charge_hidden",),
    "reclaimed": ("access_lost",),
    "service_closed": ("service_stopped",),
    "minor_purchase": ("child_acted", "under_18"),
    "reseller_purchase": ("defect_shown", "notified_in_time"),
}
"""What the claim itself says, in the order it is asked, before anything else; a fact that is not so ends it."""

TOTALS: Final = {
    "days_used": "days_total",
    "uses_used": "uses_total",
    "items_failed": "items_total",
    "balance_minor": "face_minor",
}
"""Figures that count for nothing without another."""

NOT_CLAIMED: Final = frozenset({"buyer_false_claim", "buyer_used_it", "buyer_pressure", "fee_due"})
"""Claims that a merchant makes."""


def questions(story: Story, rules: Adjudicator, now: datetime) -> tuple[Question, ...]:
    """Give the open questions, the next one first; facts come one at a time, since each answer changes what matters."""
    doubted = tuple(_again(fault, story, rules) for fault in faults(story, now))
    if doubted:
        return doubted
    if not story.signs:
        return (_signs(),)
    if is_fraud(story):
        steps = tuple(_first_step(name) for name in FIRST if name not in story.signs)
        if steps:
            return steps
    if is_unlawful(story):
        return ()
    basic = tuple(_basic(story, rules))
    return basic or (*map(_name, unclear(story)), *tuple(_facts(story, rules, now))[:1])


def question_for(field: str, story: Story, rules: Adjudicator) -> Question:
    """Give the question of a field; one that has none of its own asks for words. Raises KeyError for no such fact."""
    head, _, name = field.partition(".")
    if field == "signs":
        return _signs()
    if head == "signs":
        return _first_step(name) if name in FIRST else _sign(name)
    if head == "answers":
        return _fact(rules.book.facts[name], Text("两处对不上，要再问一次。", "Two places do not go together."))
    if head == "amounts":
        return _amount(name)
    blank = msgspec.structs.replace(story, shop=type(story.shop)(), platform=type(story.platform)(), goods=None)
    blank = msgspec.structs.replace(blank, title="", claim="", payment=type(story.payment)())
    for one in _basic(blank, rules):
        if one.field == field:
            return one
    kind = QuestionKind.MOMENT if field.endswith((".at", ".taken", ".sent", ".answered")) else QuestionKind.TEXT
    kind = QuestionKind.AMOUNT if field.endswith(".amount") else kind
    said = Text(f"请改正 {field}", f"Please correct {field}")
    return Question(field=field, kind=kind, text=said, why=said)


def _again(fault: Fault, story: Story, rules: Adjudicator) -> Question:
    return msgspec.structs.replace(question_for(fault.places[0], story, rules), again=fault.text)


def _choices(values: dict[str, Text]) -> tuple[Choice, ...]:
    return tuple(Choice(value, text) for value, text in values.items())


def _yes_no() -> tuple[Choice, ...]:
    return _choices({answer.value: text for answer, text in YES_NO.items()})


def _signs() -> Question:
    choices = {name: sign.text for name, sign in SIGNS.items()} | {NONE: Text("都没有", "none of these")}
    return Question(
        field="signs",
        kind=QuestionKind.SEVERAL,
        text=Text("有没有下面这些情况？有几个选几个。", "Did any of this happen? Choose all that did."),
        why=Text(
            "这些是诈骗的迹象。要是诈骗，先报警和止付，比写信要紧得多。",
            "They are signs of fraud. If it is one, the police and stopping the payment come long before letters.",
        ),
        choices=_choices(choices),
    )


def _sign(name: str) -> Question:
    return Question(
        field=f"signs.{name}", kind=QuestionKind.CHOICE, text=SIGNS[name].text, why=SIGNS[name].why, choices=_yes_no()
    )


def _first_step(name: str) -> Question:
    one = FIRST[name]
    text = Text(f"{one.text.zh}{one.asked.zh}", f"{one.text.en} {one.asked.en}")
    return Question(field=f"signs.{name}", kind=QuestionKind.CHOICE, text=text, why=one.why, choices=_yes_no())


def _name(name: str) -> Question:
    return Question(
        field=f"names.{name}",
        kind=QuestionKind.CHOICE,
        text=Text(f"聊天里的“{name}”是谁？", f"Who is “{name}” in the chat?"),
        why=Text("信里要写明每句话是谁说的。", "A letter has to say whose words it quotes."),
        choices=_choices({side.value: text for side, text in SIDES.items()}),
    )


def _basic(story: Story, rules: Adjudicator) -> Iterator[Question]:
    """Ask for what every case needs: where, when, how paid, what, why."""
    if story.goods is None:
        yield _basic_choice(
            "goods", Text("买的是什么？", "What did you buy?"), Text("有的东西法律不许买卖，别的各有各的规则。",
            "Some things may not be traded by law; for the rest the rules differ."),
            {goods.value: text for goods, text in GOODS.items()},
        )  # fmt: skip
    for field, value, text, why in (
        (
            "shop.name", story.shop.name,
            Text("店铺或卖家叫什么？", "What is the shop or seller called?"),
            Text("信要写给它，投诉也要写明是谁。", "Letters go to it, and every complaint must name it."),
        ),
        (
            "platform.name", story.platform.name,
            Text("在哪个平台上买的？没有平台就写 -。", "On which platform? Write - if there was none."),
            Text("平台有它自己的责任，也能找出商家是谁。", "A platform has duties and can name the merchant."),
        ),
        (
            "title", story.title,
            Text("商品叫什么、当时怎么写的？", "What was it called, and how was it described?"),
            Text("要和收到的对照。", "It is held against what came."),
        ),
    ):  # fmt: skip
        if not value:
            yield Question(field=field, kind=QuestionKind.TEXT, text=text, why=why)
    if story.payment.at is None:
        yield Question(
            field="payment.at",
            kind=QuestionKind.MOMENT,
            text=Text(
                "什么时候付的款（如 2026-11-14 20:51，或只写日期）？",
                "When did you pay (2026-11-14 20:51, or a day)?",
            ),
            why=Text("期限从这天算，适用当时的法律。", "Deadlines count from it, and the law of that day applies."),
        )
    if story.payment.amount is None:
        yield Question(
            field="payment.amount",
            kind=QuestionKind.AMOUNT,
            text=Text("实际付了多少元？", "How many yuan did you pay?"),
            why=Text("要求不会超过实际付的和依法能加的。", "The demand is what was paid and what law adds to it."),
        )
    if story.payment.channel is None:
        yield _basic_choice(
            "payment.channel", Text("怎么付的？", "How did you pay?"),
            Text("支付渠道也能处理一部分问题。", "The payment channel can help with some of it."),
            {channel.value: text for channel, text in CHANNELS.items()},
        )  # fmt: skip
    if not story.claim:
        claims = {name: one.label for name, one in rules.book.claims.items() if name not in NOT_CLAIMED}
        yield _basic_choice(
            "claim", Text("最主要的问题是哪一个？", "Which of these is the main problem?"),
            Text("由它决定适用哪些条文、还要问什么。", "It decides which articles apply and what else is asked."),
            claims,
        )  # fmt: skip


def _basic_choice(field: str, text: Text, why: Text, values: dict[str, Text]) -> Question:
    return Question(field=field, kind=QuestionKind.CHOICE, text=text, why=why, choices=_choices(values))


def _facts(story: Story, rules: Adjudicator, now: datetime) -> Iterator[Question]:
    """Ask for the fact that alone would turn the result; what the buyer can show comes first."""
    answered = answers_of(story, now)
    told_story = msgspec.structs.replace(story, answers={**told_by_terms(findings_of(story)), **story.answers})
    decision = rules.decide(case_of(told_story, rules, now, taken_at_word=True))
    facts = rules.book.facts
    yield from _core(story, facts, answered)
    lacking = [one.fact for one in decision.missing if one.fact not in facts]
    yield from (_amount(name) for name in _figures(story, lacking))
    if decision.outcome is Outcome.ROUTE_OUT or len(story.answers) >= MOST_FACTS:
        return
    passed = {*answered, *NOT_ASKED, *beside_the_point(story)}
    passed.update(CORE.get(story.claim, ()))
    turning = [one for one in decision.missing if one.fact in facts and one.fact not in passed]
    turning.sort(key=lambda one: (not _settles(one, decision.outcome), facts[one.fact].burden is not Party.BUYER))
    for missing in turning:
        yield _fact(facts[missing.fact], _turn(missing.if_proved is not None))


def _core(story: Story, facts: Mapping[str, Fact], answered: Mapping[str, Answer]) -> Iterator[Question]:
    for name in CORE.get(story.claim, ()):
        if answered.get(name) is Answer.NO:
            return
        if name not in answered:
            why = Text("这是你说的问题本身，先把它说清楚。", "This is the very problem, so it is asked first.")
            yield _fact(facts[name], why)
            return


def _figures(story: Story, lacking: list[str]) -> list[str]:
    """Name the figures to ask for: the other half of one that was given, else the price of a part, or a balance."""
    known = {*story.amounts, *story.unknown}
    halves = [total for part, total in TOTALS.items() if part in story.amounts and total not in known]
    if lacking and halves:
        return halves
    part = ["failed_minor"] if "items_total" in lacking else []
    asked = [name for name in (*part, *lacking) if name not in known]
    return sorted(asked, key=lambda name: (name == "balance_minor") is not (story.goods is Goods.BALANCE))


def _settles(missing: Missing, now: Outcome) -> bool:
    """Tell whether the fact would bring another decided outcome, not only another sum or payer."""
    then = {said.split()[0] for said in (missing.if_proved, missing.if_disproved) if said}
    return bool(then - {now.value, *(one.value for one in UNDECIDED)})


def _turn(helps_if_so: bool) -> Text:  # noqa: FBT001 - a claim about the one thing asked
    said = "是" if helps_if_so else "不是"
    en = "yes" if helps_if_so else "no"
    return Text(f"答“{said}”会改变结果。", f"The answer {en} changes the result.")


def _fact(fact: Fact, why: Text) -> Question:
    zh = f"{fact.label.zh}，是这样吗？" + (f"（{fact.meaning.zh}）" if fact.meaning else "")
    en = f"{fact.label.en}: is it so?" + (f" ({fact.meaning.en})" if fact.meaning else "")
    return Question(
        field=f"answers.{fact.fact_id}", kind=QuestionKind.CHOICE, text=Text(zh, en), why=why, choices=_yes_no()
    )


AMOUNTS: Final = {
    "days_total": Text("一共买了多少天？", "How many days were bought in all?"),
    "days_used": Text("已经用了多少天？", "How many days were used?"),
    "uses_total": Text("一共买了多少次？", "How many uses were bought in all?"),
    "uses_used": Text("已经用了多少次？", "How many were used?"),
    "items_total": Text("一共买了几个？", "How many items were bought?"),
    "items_failed": Text("其中几个有问题？", "How many of them are at fault?"),
    "failed_minor": Text("有问题的那部分值多少元？", "How much of the price is for the part at fault (yuan)?"),
    "value_received_minor": Text("留下来用的部分值多少元？", "What is the part that you keep worth (yuan)?"),
    "balance_minor": Text("还剩多少余额（元）？", "What balance is left (yuan)?"),
    "face_minor": Text("面值一共多少元？", "What is the face value (yuan)?"),
    "overpaid_minor": Text("多付了多少元？", "How much was paid too much (yuan)?"),
    "promise_multiple": Text("承诺赔几倍？", "How many times the price was promised?"),
    "promised_sum_minor": Text("承诺赔多少元？", "What sum was promised (yuan)?"),
    "late_fee_minor": Text("约定的迟延赔付是多少元？", "What was agreed for lateness (yuan)?"),
    "published_fee_minor": Text("商家公布的费用是多少元？", "What fee does the merchant publish (yuan)?"),
}


def _amount(name: str) -> Question:
    return Question(
        field=f"amounts.{name}",
        kind=QuestionKind.AMOUNT if name.endswith("_minor") else QuestionKind.NUMBER,
        text=AMOUNTS.get(name, Text(f"数目：{name}", f"The figure {name}")),
        why=Text("没有这个数目就算不出能要多少。", "Without it the sum cannot be computed."),
        choices=(Choice(Answer.UNKNOWN, Text("不知道", "not known")),),
    )
