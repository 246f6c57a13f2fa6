"""The days of a case as its pages show them: months, what remains, where each comes from, how many there are."""

from collections import Counter
from collections.abc import Callable
from datetime import datetime
from typing import Any, Final

from kabao.adjudication.model import Text
from kabao.selfhelp import Deadline, DueSource, Story
from kabao.selfhelp.calendar import SOURCE_LABELS, deadlines, remaining
from kabao.selfhelp.model import CHINA
from kabao.selfhelp.months import SOON, Mark, months

KINDS: Final = {
    DueSource.LAW: Text("法律 {} 个", "{} by law"),
    DueSource.PLATFORM_RULE: Text("平台规则 {} 个", "{} by the platform’s rules"),
    DueSource.MERCHANT_RULE: Text("商家规则 {} 个", "{} by the merchant’s rules"),
    DueSource.CHANNEL_RULE: Text("支付渠道 {} 个", "{} by the payment channel’s rules"),
    DueSource.OWN_LETTER: Text("你信里给的 {} 个", "{} of your letters"),
    DueSource.ADVICE: Text("建议 {} 个", "{} of advice"),
}


def days_given(story: Story, now: datetime, words: Callable[[Text], str]) -> dict[str, Any]:
    """Give what a page shows of the days: those to come with their months and count, and those that passed."""
    found = deadlines(story, now)

    def line(day: Deadline) -> tuple[Deadline, str, str, str]:
        left = remaining(day, now, story.language)
        return day, left, words(SOURCE_LABELS[day.source]), _mark(day, now)

    ahead = [line(day) for day in found if day.at > now]
    return {
        "pages": months(story, found, now),
        "days": ahead,
        "gone": [line(day) for day in found if day.at <= now],
        "counted": words(_counted(story, [day for day, *_ in ahead], now)) if ahead else "",
    }


def _counted(story: Story, days: list[Deadline], now: datetime) -> Text:
    """Say how many days of which source there are, and which is the next; advice only where there is nothing else."""
    counts = Counter(day.source for day in days)
    named = [(KINDS[source], counts[source]) for source in KINDS if counts[source]]
    first = next((day for day in days if day.source is not DueSource.ADVICE), days[0])
    left = remaining(first, now, story.language)
    return Text(
        f"{'，'.join(text.zh.format(count) for text, count in named)}。最近的是“{first.title.zh}”，{left}。",
        f"{', '.join(text.en.format(count) for text, count in named)}. The next: {first.title.en}, {left}.",
    )


def _mark(day: Deadline, now: datetime) -> str:
    """Say how near a day is; advice presses nobody."""
    if day.source is DueSource.ADVICE or day.at <= now:
        return ""
    away = day.at.astimezone(CHINA).date() - now.astimezone(CHINA).date()
    return Mark.SOON if away <= SOON else Mark.DUE if away <= 4 * SOON else ""
