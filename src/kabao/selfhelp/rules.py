"""What cannot be as it was entered, what contradicts itself, and which signs make a case one of suspected fraud."""

from collections.abc import Iterator
from datetime import datetime, timedelta
from typing import Final

from kabao.adjudication.casefile import AMOUNTS, NOT_ABOVE, POSITIVE
from kabao.adjudication.model import Demand, Text
from kabao.selfhelp.model import CURRENCY, Amount, Answer, Event, Happening, Moment, Side, Story
from kabao.selfhelp.results import Fault
from kabao.selfhelp.signs import FIRST, SIGNS, UNLAWFUL

NO_PLATFORM: Final = "-"
"""What stands for the platform's name where the shop was on none."""

OF_A_PLATFORM: Final = frozenset({"seller_is_platform", "merchant_unnamed", "platform_guarantee", "platform_knew"})

MOST_HOURS: Final = 24 * 366 * 5
"""Hours that a rule may set; more breaks what is counted from them."""
LAWFUL_MULTIPLE: Final = 3
"""Times the price that the law may add as damages to what comes back (消费者权益保护法 55); 500 yuan at least."""
LEAST_DAMAGES_MINOR: Final = 50_000
SIGNS_NEEDED: Final = 2
TODAY: Final = timedelta(days=1)
"""A day given without an hour may be today's, and a clock a few minutes fast."""


def signs_of(story: Story) -> tuple[str, ...]:
    """Name the signs of fraud the person sees, the grave ones first."""
    seen = [name for name, answer in story.signs.items() if answer is Answer.YES and name in SIGNS]
    return tuple(sorted(seen, key=lambda name: (not SIGNS[name].grave, list(SIGNS).index(name))))


def side_of(event: Event) -> Side:
    """Say whose doing an event is: what only the other side does is the merchant's where the person names himself."""
    return Side.MERCHANT if event.by is Side.ME and event.kind in THEIRS else event.by


def returned_minor(story: Story) -> int:
    """Add up what came back already, in minor units of CNY; a refund noted without its sum counts for nothing."""
    came = [event.amount for event in story.events if event.kind is Happening.REFUNDED and event.amount is not None]
    return sum(one.minor for one in came if one.currency == CURRENCY)


def is_fraud(story: Story) -> bool:
    """Tell whether the signs put the police and the payment before everything else."""
    seen = signs_of(story)
    return any(SIGNS[name].grave for name in seen) or len(seen) >= SIGNS_NEEDED or says(story, "crime_suspected")


def is_unlawful(story: Story) -> bool:
    """Tell whether the goods may not be traded at all."""
    return story.goods in UNLAWFUL or says(story, "goods_unlawful")


def first_steps_answered(story: Story) -> bool:
    """Tell whether each first step was answered, whichever way."""
    return all(name in story.signs for name in FIRST)


def says(story: Story, fact: str) -> bool:
    """Tell whether the person answered yes."""
    return story.answers.get(fact) is Answer.YES


def has_platform(story: Story) -> bool:
    """Tell whether the shop stands on a platform that is named."""
    return story.platform.name not in {"", NO_PLATFORM}


def beside_the_point(story: Story) -> frozenset[str]:
    """Name the facts that need a platform where there was none."""
    return frozenset() if has_platform(story) else OF_A_PLATFORM


def faults(story: Story, now: datetime) -> tuple[Fault, ...]:
    """List what cannot be, and what does not go together; in each both places are named.

    A `contradiction` is a question to be asked again, of its first place; the others are to be mended.
    """
    return (
        *_times(story, now),
        *_currencies(story),
        *_figures(story),
        *_hours(story),
        *_ending(story),
        *_contradictions(story),
    )


def most_back_minor(story: Story) -> int | None:
    """Say how much can have come back: the price, and damages where the person asks for them; None without a price."""
    price = story.payment.amount
    if price is None or price.currency != CURRENCY:
        return None
    if story.demand is not Demand.COMPENSATION:
        return price.minor
    multiple = max(LAWFUL_MULTIPLE, story.amounts.get("promise_multiple", 0))
    return price.minor + max(multiple * price.minor, LEAST_DAMAGES_MINOR, story.amounts.get("promised_sum_minor", 0))


def _ending(story: Story) -> Iterator[Fault]:
    """Find an ending that cannot be: more back than can have been, or before the purchase."""
    ending, paid, most = story.ending, story.payment.at, most_back_minor(story)
    if ending is None:
        return
    if ending.amount and most is not None and ending.amount.currency == CURRENCY and ending.amount.minor > most:
        most_words = Amount(most).words()
        more = Text("", "")
        if story.demand is not Demand.COMPENSATION:
            more = Text(
                "得到了赔偿的，先把想要的改成“退款并赔偿”。", " Where damages were paid, change what you want first."
            )
        yield Fault(
            code="more_than_paid",
            places=("ending.amount", "payment.amount"),
            text=Text(
                f"拿回 {ending.amount.words()} 元，比能拿回的 {most_words} 元还多，请再看一眼。{more.zh}",
                f"{ending.amount.words()} yuan came back, more than the {most_words} that can; look again.{more.en}",
            ),
        )
    if paid is not None and ending.at.day < paid.day:
        yield Fault(
            code="ended_before_paid",
            places=("ending.at", "payment.at"),
            text=Text(
                f"{ending.at.words()} 在付款（{paid.words()}）之前，那时还没有买。两处里有一处不对。",
                f"{ending.at.words()} is before the payment ({paid.words()}). One of the two cannot be right.",
            ),
        )


def _hours(story: Story) -> Iterator[Fault]:
    for number, clause in enumerate(story.clauses, 1):
        if clause.hours is not None and clause.hours > MOST_HOURS:
            yield Fault(
                code="out_of_bounds",
                places=(f"clauses.{number}.hours",),
                text=Text(
                    f"规则的时限写的是 {clause.hours} 小时，太长了，请再看一眼。",
                    f"The rule’s time is {clause.hours} hours, which is too long: look again, please.",
                ),
            )


def _moments(story: Story) -> Iterator[tuple[str, Moment]]:
    if story.payment.at:
        yield "payment.at", story.payment.at
    yield from ((f"events.{number}.at", event.at) for number, event in enumerate(story.events, 1))
    yield from ((f"evidence.{number}.taken", item.taken) for number, item in enumerate(story.evidence, 1) if item.taken)
    for number, letter in enumerate(story.letters, 1):
        yield f"letters.{number}.sent", letter.sent
        if letter.answered:
            yield f"letters.{number}.answered", letter.answered
    if story.ending:
        yield "ending.at", story.ending.at


def _times(story: Story, now: datetime) -> Iterator[Fault]:
    for place, moment in _moments(story):
        if moment.at > now + TODAY * (not moment.exact) + timedelta(minutes=10):
            yield Fault(
                code="in_future",
                places=(place,),
                text=Text(
                    f"{moment.words()} 还没到。请看看年份和日期是不是写错了。",
                    f"{moment.words()} is still to come. Please look at the year and the day again.",
                ),
            )
    for name, business in (("shop", story.shop), ("platform", story.platform)):
        if business.since is None:
            continue
        for place, moment in _moments(story):
            if moment.day < business.since:
                yield Fault(
                    code="before_the_shop",
                    places=(place, f"{name}.since"),
                    text=Text(
                        f"{moment.words()} 的时候，你写的{'店铺' if name == 'shop' else '平台'}还不存在"
                        f"（{business.since} 才有）。两处里有一处不对。",
                        f"On {moment.words()} the {name}, which you say exists since {business.since}, was not there "
                        "yet. One of the two cannot be right.",
                    ),
                )
    for number, letter in enumerate(story.letters, 1):
        if letter.answered and letter.answered.day < letter.sent.day:
            yield Fault(
                code="answered_before_sent",
                places=(f"letters.{number}.answered", f"letters.{number}.sent"),
                text=Text("回复的日子在寄出之前。", "The answer is dated before the letter was sent."),
            )


def _sums(story: Story) -> Iterator[tuple[str, Amount]]:
    if story.payment.amount:
        yield "payment.amount", story.payment.amount
    yield from (
        (f"events.{number}.amount", event.amount) for number, event in enumerate(story.events, 1) if event.amount
    )
    if story.ending and story.ending.amount:
        yield "ending.amount", story.ending.amount


def _currencies(story: Story) -> Iterator[Fault]:
    for place, amount in _sums(story):
        if amount.currency != CURRENCY:
            yield Fault(
                code="other_currency",
                places=(place,),
                text=Text(
                    f"{amount.words()} 不是人民币，几种钱不能加在一起算。"
                    "请写账单上实际扣的人民币；外币数目可以写在经过里。",
                    f"{amount.words()} is not in yuan, and sums in several currencies cannot be added. Please give the "
                    "yuan that your statement shows; the foreign sum may stand in the words of the event.",
                ),
            )


def _figures(story: Story) -> Iterator[Fault]:
    """Find figures nobody could reckon with: out of their bounds, or a part that is more than its whole."""
    figures = {f"amounts.{name}": (value, name) for name, value in story.amounts.items()}
    if story.payment.amount is not None:
        figures["payment.amount"] = (story.payment.amount.minor, "price_minor")
    values = {name: (place, value) for place, (value, name) in figures.items()}
    for place, (value, name) in figures.items():
        if value > AMOUNTS[name] or (not value and name in POSITIVE):
            yield Fault(
                code="out_of_bounds",
                places=(place,),
                text=Text(
                    f"{place} 写的是 {value}，不合理，请再看一眼。",
                    f"{place} is {value}: look again, please.",
                ),
            )
    for less, more in NOT_ABOVE:
        if less in values and more in values and values[less][1] > values[more][1]:
            places = (values[less][0], values[more][0])
            yield Fault(
                code="contradiction",
                places=places,
                text=_again(f"{places[0]}: {values[less][1]}", f"{places[1]}: {values[more][1]}"),
            )


GO_TOGETHER_NOT: Final = (
    ("delivered", Answer.NO, "key_failed", Answer.YES),
    ("delivered", Answer.NO, "opened", Answer.YES),
    ("delivered", Answer.NO, "mismatch", Answer.YES),
    ("delivered", Answer.NO, "access_lost", Answer.YES),
    ("delivered", Answer.NO, "used_up", Answer.YES),
    ("opened", Answer.NO, "used_up", Answer.YES),
    ("opened", Answer.NO, "redeemed_by_buyer", Answer.YES),
    ("key_failed", Answer.YES, "used_up", Answer.YES),
    ("key_failed", Answer.YES, "redeemed_by_buyer", Answer.YES),
    ("under_18", Answer.NO, "under_8", Answer.YES),
    ("late", Answer.NO, "grace_passed", Answer.YES),
    ("delivered", Answer.YES, "merchant_cancelled", Answer.YES),
    ("delivered", Answer.YES, "mode_changed", Answer.YES),
    ("delivered", Answer.YES, "part_missing", Answer.YES),
)
"""Answers that cannot both be right."""

CARRIES: Final = {
    "key_invalid": "key_failed", "gift_failed": "key_failed", "bundle_item_failed": "key_failed",
    "not_as_described": "mismatch", "wrong_region_or_value": "mismatch", "reclaimed": "access_lost",
    "issuer_ban": "access_lost", "late": "late", "merchant_cancelled_order": "merchant_cancelled",
    "delivery_changed": "mode_changed",
}  # fmt: skip
"""What a problem is called, and the fact without which it is not that problem."""

TOLD_BY: Final = {
    Happening.DELIVERED: ("delivered", Answer.NO),
    Happening.OPENED: ("opened", Answer.NO),
    Happening.REFUNDED: ("refund_received", Answer.NO),
    Happening.CONFIRMED: ("released", Answer.NO),
}
"""Events, and the answer that each of them denies."""

THEIRS: Final = frozenset(
    {
        Happening.PROMISED, Happening.DELIVERED, Happening.ANSWERED, Happening.REFUSED, Happening.REFUNDED,
        Happening.BLOCKED,
    }
)  # fmt: skip
"""What only the other side does, whoever a form names beside it."""

YES_NO: Final = {
    Answer.YES: Text("是", "yes"),
    Answer.NO: Text("不是", "no"),
    Answer.UNKNOWN: Text("不清楚", "not known"),
}


def _again(first: str, second: str) -> Text:
    return Text(
        f"“{first}”和“{second}”两处对不上。不要紧，再看一眼，改掉不对的那一处就好。",
        f"“{first}” and “{second}” do not go together. Never mind: look again and change the one that is not right.",
    )


def _contradictions(story: Story) -> Iterator[Fault]:
    for first, one, second, other in GO_TOGETHER_NOT:
        if story.answers.get(first) is one and story.answers.get(second) is other:
            yield Fault(
                code="contradiction",
                places=(f"answers.{first}", f"answers.{second}"),
                text=_again(f"answers.{first}: {one}", f"answers.{second}: {other}"),
            )
    carrying = CARRIES.get(story.claim, "")
    if story.answers.get(carrying) is Answer.NO:
        yield Fault(
            code="contradiction",
            places=(f"answers.{carrying}", "claim"),
            text=_again(f"answers.{carrying}: {Answer.NO}", f"claim: {story.claim}"),
        )
    for number, event in enumerate(story.events, 1):
        fact, denied = TOLD_BY.get(event.kind, ("", Answer.UNKNOWN))
        if fact and story.answers.get(fact) is denied:
            yield Fault(
                code="contradiction",
                places=(f"answers.{fact}", f"events.{number}"),
                text=_again(f"answers.{fact}: {denied}", f"events.{number}: {event.at.words()} {event.kind}"),
            )
    yield from _payments(story)


def _payments(story: Story) -> Iterator[Fault]:
    told = [(number, event) for number, event in enumerate(story.events, 1) if event.kind is Happening.PAID]
    if len(told) != 1:
        return  # paid in several parts, or twice: nothing to hold the one payment against
    (number, event), paid = told[0], story.payment
    place = f"events.{number}"
    if event.amount and paid.amount and event.amount != paid.amount:
        yield Fault(
            code="contradiction",
            places=("payment.amount", f"{place}.amount"),
            text=_again(f"payment.amount: {paid.amount.words()}", f"{place}.amount: {event.amount.words()}"),
        )
    if paid.at and paid.at.day != event.at.day:
        yield Fault(
            code="contradiction",
            places=("payment.at", f"{place}.at"),
            text=_again(f"payment.at: {paid.at.words()}", f"{place}.at: {event.at.words()}"),
        )
