"""The days that matter in a case, each with where it comes from, and the same as a calendar file.

A day of the law stands here only where its provision may be named on that day; a platform's, merchant's or payment
channel's own time only as the person entered it; everything else is marked as advice.
"""

from collections.abc import Iterable, Iterator
from datetime import date, datetime, time, timedelta
from typing import Final

from kabao.adjudication.model import Text
from kabao.selfhelp.model import (
    CHINA,
    Answer,
    Goods,
    Happening,
    Language,
    Moment,
    RuleClause,
    SentLetter,
    Side,
    Story,
    To,
)
from kabao.selfhelp.provisions import provision
from kabao.selfhelp.results import Cite, Deadline, DueSource
from kabao.selfhelp.rules import MOST_HOURS
from kabao.selfhelp.words import ADDRESSEES
from kabao.selfhelp.workdays import end_on_working_day, is_published, working_days_after

LIMITATION_YEARS: Final = 3
STALL_DAYS: Final = 15
NO_REASON_DAYS: Final = 7
MISTAKE_DAYS: Final = 90
MEDIATION_DAYS: Final = 60
CONFIRMATION_DAYS: Final = 30
ACCEPTANCE_WORKING_DAYS: Final = 7
DOCKET_DAYS: Final = 7
_IN_HOURS: Final = 72

_HARM: Final = (Happening.TRIED, Happening.COMPLAINED, Happening.REFUSED, Happening.BLOCKED)
_NO_GOODS: Final = frozenset({Goods.SERVICE, Goods.TOP_UP, Goods.SUBSCRIPTION, Goods.BALANCE})
_PREPAID: Final = frozenset({Goods.SUBSCRIPTION, Goods.BALANCE, Goods.SERVICE})
_MISTAKES: Final = frozenset({"wrong_purchase", "description_not_read", "own_mistake"})
_RULE_OF: Final = {
    Side.PLATFORM: (DueSource.PLATFORM_RULE, Text("平台规则", "the platform’s rules")),
    Side.MERCHANT: (DueSource.MERCHANT_RULE, Text("商家规则", "the merchant’s rules")),
    Side.OTHER: (DueSource.CHANNEL_RULE, Text("支付渠道规则", "the payment channel’s rules")),
}
SOURCE_LABELS: Final = {
    DueSource.LAW: Text("法律", "law"),
    DueSource.PLATFORM_RULE: Text("平台规则，你录入的", "platform’s rule, as you entered it"),
    DueSource.MERCHANT_RULE: Text("商家规则，你录入的", "merchant’s rule, as you entered it"),
    DueSource.CHANNEL_RULE: Text("支付渠道规则，你录入的", "payment channel’s rule, as you entered it"),
    DueSource.OWN_LETTER: Text("你信里给的期限", "the time your letter gave"),
    DueSource.ADVICE: Text("建议，不是期限", "advice, no time limit"),
}


def deadlines(story: Story, now: datetime) -> tuple[Deadline, ...]:
    """Compute every day that matters, the earliest first; those that have passed stay, with when they were."""
    if story.ending is not None:
        return ()
    found = [*_advice(story, now), *_rules(story), *_letters(story), *_law(story)]
    return tuple(sorted(found, key=lambda one: (one.at, one.deadline_id)))


def remaining(due: Deadline, now: datetime, language: Language) -> str:
    """Say how long there is: in days where the day counts or it is far off, in hours where the hour does."""
    zh = language is Language.ZH
    hours = int((due.at - now) / timedelta(hours=1))
    count, unit = hours, ("小时" if zh else "hour")
    if due.all_day or abs(hours) >= _IN_HOURS:
        count, unit = (due.at.astimezone(CHINA).date() - now.astimezone(CHINA).date()).days, ("天" if zh else "day")
    if not count:
        if due.all_day:
            return "就是今天" if zh else "today"
        return "不到 1 小时" if zh else "less than an hour"
    if zh:
        return f"还剩 {count} {unit}" if count > 0 else f"已过 {-count} {unit}"
    unit += "s" * (abs(count) != 1)
    return f"{count} {unit} left" if count > 0 else f"{-count} {unit} ago"


# ---- advice


def _advice(story: Story, now: datetime) -> Iterator[Deadline]:
    harm, told = _first(story, *_HARM), _first(story, Happening.COMPLAINED)
    if not story.letters and told is None and harm is not None:
        yield Deadline(
            deadline_id="tell-the-merchant",
            at=harm.at + timedelta(hours=24),
            all_day=False,
            title=Text("把问题告诉商家", "Tell the merchant"),
            why=Text(
                "发现问题后 24 小时内，在订单的对话里写明，最容易说清。晚了也不会因此没有权利。",
                "Within 24 hours of finding the fault it is easiest to show. Being later costs no right.",
            ),
            source=DueSource.ADVICE,
        )
    if not story.evidence:
        yield Deadline(
            deadline_id="capture-first",
            at=now + timedelta(hours=24),
            all_day=False,
            title=Text("先截图录屏，再发信", "Capture first, write after"),
            why=Text(
                "商品页、聊天和订单页对方能改能删。发信以前先存好。",
                "The other side can change or delete page, chat and order. Keep them before you write.",
            ),
            source=DueSource.ADVICE,
        )


# ---- rules as they were entered


def _rules(story: Story) -> Iterator[Deadline]:
    for number, clause in enumerate(story.clauses, 1):
        start = _counted_from(story, clause)
        known = _RULE_OF.get(clause.of)
        if clause.hours is None or clause.hours > MOST_HOURS or start is None or known is None:
            continue
        source, whose = known
        end = start.at + timedelta(hours=clause.hours)
        whole_days = not start.exact
        yield Deadline(
            deadline_id=f"rule-{number}",
            at=_end_of(end.astimezone(CHINA).date()) if whole_days else end,
            all_day=whole_days,
            title=Text(
                f"{whose.zh}：{clause.where or '未写条款名'}", f"{whose.en}: {clause.where or 'clause not named'}"
            ),
            why=Text(
                f"你录入的原文：{clause.says.rstrip('。')}。从 {start.words()} 起算 {_span_zh(clause.hours)}，"
                "没有核对。期限过了，法律给的权利还在。",
                f"As you entered it: {clause.says.rstrip('.。')}. Counted {_span_en(clause.hours)} from "
                f"{start.words()}; not checked. Rights given by law outlast it.",
            ),
            source=source,
        )


def _counted_from(story: Story, clause: RuleClause) -> Moment | None:
    if clause.counts_from is Happening.PAID:
        return _paid(story)
    return _first(story, clause.counts_from)


# ---- the person's own letters


def _letters(story: Story) -> Iterator[Deadline]:
    for number, sent in enumerate(story.letters, 1):
        whom = ADDRESSEES[sent.to]
        if sent.due is not None and sent.answered is None:
            yield Deadline(
                deadline_id=f"letter-{number}-due",
                at=sent.due.at if sent.due.exact else _end_of(sent.due.day),
                all_day=not sent.due.exact,
                title=Text(f"{whom.zh}答复期满", f"Answer due from {whom.en}"),
                why=Text(
                    f"你 {sent.sent.words()} 发出的信里给的时间。到时没有答复，走下一步。",
                    f"The time your letter of {sent.sent.words()} gave. Without an answer, take the next step.",
                ),
                source=DueSource.OWN_LETTER,
            )
        yield from _answers_by_law(number, sent)


def _answers_by_law(number: int, sent: SentLetter) -> Iterator[Deadline]:
    if sent.to is To.OFFICE and not sent.settled:
        decided = working_days_after(sent.sent.day, ACCEPTANCE_WORKING_DAYS)
        if sent.answered is None:
            yield from _by_law(
                f"letter-{number}-acceptance",
                decided,
                "tousu-jubao-15",
                Text("12315 告知是否受理的最晚日", "12315 says by then whether it accepts"),
                Text(
                    f"从收到投诉起 7 个工作日，这里按 {sent.sent.words()} 发出当天收到算，已避开节假日和调休。"
                    + _unpublished_zh(decided),
                    f"Seven working days from receipt, reckoned as received the day it was sent, {sent.sent.words()}; "
                    "holidays and moved weekends are taken into account. " + _unpublished_en(decided),
                ),
            )
        accepted = sent.answered.day if sent.answered is not None else decided
        ends = end_on_working_day(accepted + timedelta(days=MEDIATION_DAYS))
        yield from _by_law(
            f"letter-{number}-mediation",
            ends,
            "tousu-jubao-23-item-5",
            Text("12315 调解的最晚日", "12315 mediation ends by then"),
            Text(
                f"从受理起 60 天没有谈成就终止。这里按 {accepted} 受理算；对方不同意调解会更早结束。"
                "末日是节假日的顺延。" + _unpublished_zh(ends),
                f"Mediation ends 60 days after acceptance, reckoned from {accepted}; earlier where the other side "
                "declines. A last day off moves on. " + _unpublished_en(ends),
            ),
        )
    if sent.to is To.COURT and sent.answered is None:
        yield from _by_law(
            f"letter-{number}-docket",
            sent.sent.day + timedelta(days=DOCKET_DAYS),
            "minsu-126",
            Text("法院立案或裁定不予受理", "The court dockets the case or declines"),
            Text("符合条件的 7 天内立案。", "A claim that meets the conditions is docketed within seven days."),
        )
    if sent.to in {To.ASSOCIATION, To.OFFICE} and sent.settled and sent.answered is not None:
        yield from _by_law(
            f"letter-{number}-confirmation",
            sent.answered.day + timedelta(days=CONFIRMATION_DAYS),
            "minsu-205",
            Text("一起申请法院确认调解协议", "Ask the court together to confirm the settlement"),
            Text(
                "依法设立的调解组织促成的协议，从生效起 30 天内双方可以共同申请。"
                f"这里按 {sent.answered.words()} 生效算。",
                "A settlement made by a lawful mediation body may be confirmed on a joint request within 30 days of "
                f"taking effect; reckoned from {sent.answered.words()}.",
            ),
        )


# ---- law


def _law(story: Story) -> Iterator[Deadline]:
    paid, got = _paid(story), _first(story, Happening.DELIVERED)
    harm = _first(story, *_HARM) or got or paid
    if harm is not None:
        yield from _limits(story, harm)
        yield from _stalling(story)
    yield from _seven_days(story, paid, got)


def _limits(story: Story, harm: Moment) -> Iterator[Deadline]:
    last = _years_after(harm.day, LIMITATION_YEARS)
    counted = Text(
        f"从 {harm.day} 算，那是记录里你最早知道问题的一天；从哪天起算由法院认定。",
        f"Counted from {harm.day}, the first day on which you knew by this record; where it begins is for the court.",
    )
    yield from _by_law(
        "limitation",
        last,
        "minfadian-188",
        Text("诉讼时效", "Time limit to sue"),
        Text("一般 3 年。" + counted.zh, "Three years as a rule. " + counted.en),
    )
    yield from _by_law(
        "complaint-limit",
        last,
        "tousu-jubao-16-item-4",
        Text("向 12315 投诉的最晚日", "Last day to complain to 12315"),
        Text("知道受害超过 3 年的不受理。" + counted.zh, "No complaint is accepted after three years. " + counted.en),
    )
    mistaken, deceived = story.claim in _MISTAKES, story.answers.get("deceit") is Answer.YES
    if mistaken or deceived:
        last = harm.day + timedelta(days=MISTAKE_DAYS) if mistaken else _years_after(harm.day, 1)
        yield from _by_law(
            "rescission",
            last,
            "minfadian-152-1-1",
            Text("请求法院撤销交易的最晚日", "Last day to ask a court to undo the deal"),
            Text(
                ("重大误解是 90 天。" if mistaken else "受欺诈是 1 年。") + "只在打算起诉撤销时才用得上。" + counted.zh,
                ("Ninety days for a serious mistake. " if mistaken else "One year for deceit. ")
                + "It matters only if you mean to ask a court for that. "
                + counted.en,
            ),
        )


def _stalling(story: Story) -> Iterator[Deadline]:
    asked = _earliest(
        [_first(story, Happening.COMPLAINED), *(one.sent for one in story.letters if one.to is To.MERCHANT)]
    )
    if asked is None or any(one.settled for one in story.letters):
        return
    yield from _by_law(
        "stalling",
        asked.day + timedelta(days=STALL_DAYS),
        "chufa-8-item-2",
        Text("商家拖满 15 天", "Fifteen days of stalling"),
        Text(
            f"从 {asked.day} 提出要求算起。没有正当理由超过 15 天不退换、不退款的，视为故意拖延或无理拒绝，"
            "可以写进投诉。",
            f"From your request on {asked.day}. A merchant who without good reason neither replaces nor refunds for "
            "more than fifteen days counts as stalling; a complaint may say so.",
        ),
    )


def _seven_days(story: Story, paid: Moment | None, got: Moment | None) -> Iterator[Deadline]:
    told = story.answers
    excluded = told.get("exclusion_confirmed") is Answer.YES or told.get("used_up") is Answer.YES
    if got is not None and story.goods not in _NO_GOODS and not excluded:
        opened = told.get("opened") is Answer.YES or _first(story, Happening.OPENED) is not None
        yield from _by_law(
            "no-reason",
            got.day + timedelta(days=NO_REASON_DAYS),
            "qiri-10",
            Text("七天无理由退货的通知", "Seven days to return without a reason"),
            Text(
                "从收到的次日起 7 天内通知商家。"
                + ("已经拆封的卡密，商家多半不认，法律也没有说死；" if opened else "")
                + "下单时单独确认过不适用的除外。东西有问题的，不受这 7 天限制。",
                "Notice within seven days, counted from the day after receipt. "
                + ("For a key already opened the law leaves it open. " if opened else "")
                + "Not where you confirmed at the order that it does not apply. Faulty goods are not bound by it.",
            ),
        )
    if paid is not None and story.goods in _PREPAID and told.get("same_service_before") is not Answer.YES:
        yield from _by_law(
            "prepaid-seven-days",
            paid.day + timedelta(days=NO_REASON_DAYS),
            "yufu-14",
            Text("预付款七天内退本金", "Seven days to ask prepaid money back"),
            Text(
                "先付款、以后多次或持续提供的，付款七天内可以要求退本金；之前已经体验过同样服务的除外。",
                "Money paid ahead for goods or services given many times or over time: the principal may be asked back "
                "within seven days, unless you had tried the same before.",
            ),
        )


def _by_law(deadline_id: str, day: date, cite: str, title: Text, why: Text) -> Iterator[Deadline]:
    """Yield a day of the law; nothing where its provision may not be named."""
    named: Cite | None = provision(cite, day)
    if named is not None:
        yield Deadline(
            deadline_id=deadline_id,
            at=_end_of(day),
            all_day=True,
            title=title,
            why=why,
            source=DueSource.LAW,
            cite=named,
        )


# ---- helpers


def _paid(story: Story) -> Moment | None:
    return story.payment.at or _first(story, Happening.PAID)


def _first(story: Story, *kinds: Happening) -> Moment | None:
    return _earliest([event.at for event in story.events if event.kind in kinds])


def _earliest(moments: Iterable[Moment | None]) -> Moment | None:
    return min((one for one in moments if one is not None), default=None)


def _end_of(day: date) -> datetime:
    return datetime.combine(day, time(23, 59, 59), CHINA)


def _years_after(day: date, years: int) -> date:
    try:
        return day.replace(year=day.year + years)
    except ValueError:  # the 29th of February: the time ends with that month
        return date(day.year + years, 2, 28)


def _span_zh(hours: int) -> str:
    return f"{hours // 24} 天" if hours % 24 == 0 else f"{hours} 小时"


def _span_en(hours: int) -> str:
    return f"{hours // 24} days" if hours % 24 == 0 else f"{hours} hours"


def _unpublished_zh(day: date) -> str:
    return "" if is_published(day) else f"{day.year} 年的放假安排还没有核对，可能差一两天。"


def _unpublished_en(day: date) -> str:
    return (
        "" if is_published(day) else f"The days off of {day.year} are not checked yet; it may differ by a day or two."
    )
