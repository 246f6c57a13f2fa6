"""The public figures as values, and what of them may be published. Pure: counts in, sections out."""

from collections import Counter
from collections.abc import Mapping, Sequence
from datetime import datetime
from typing import Final, NamedTuple

import msgspec

from kabao.cases import CLAIMS
from kabao.figures.model import ENDINGS, LEAST

COUNT, PERCENT, MINUTES = "cases", "percent", "minutes"


class Counted(NamedTuple):
    """One line of what was counted; `value` is a median or how many of the cases, None where the count is all.

    `month` (2026-11) where only cases opened in it were counted, by China's time; None: all cases.
    """

    section: str
    key: str
    cases: int
    value: int | None
    month: str | None = None


class Row(msgspec.Struct, frozen=True, kw_only=True):
    """One figure; `cases` and `value` are None where fewer than twenty cases are behind it.

    `unit` is cases (value = cases), percent (of the cases) or minutes (their median).
    """

    key: str
    label: str
    cases: int | None
    value: int | None
    unit: str

    @property
    def is_withheld(self) -> bool:
        """Whether the figure is not published."""
        return self.value is None


class Section(msgspec.Struct, frozen=True, kw_only=True):
    """Figures of one kind, with a sentence on whom and what they count."""

    key: str
    title: str
    counts: str
    rows: Sequence[Row]


class PublicFigures(msgspec.Struct, frozen=True, kw_only=True):
    """Every public figure at one moment, of all cases or of those opened in `month`; `months` are those told of."""

    at: datetime
    sections: Sequence[Section]
    months: Sequence[str] = ()
    month: str = ""


class Kind(NamedTuple):
    """How a section is called, whom it counts, its labels in order, its unit, and whether its keys share one base."""

    title: str
    counts: str
    labels: Mapping[str, str]
    unit: str = COUNT
    is_of_all: bool = False


KINDS: Final[Mapping[str, Kind]] = {
    "claims": Kind(
        "诉求", "所有提出过的纠纷，按提出时选的诉求。", {claim.claim_id: claim.label for claim in CLAIMS.values()}
    ),
    "open": Kind(
        "正在处理",
        "还没有了结的纠纷，按现在走到哪一步。",
        {
            "negotiation": "协商",
            "support": "客服",
            "panel": "争议组",
            "routed_out": "已转有关部门，钱不动",
            "green": "已当场裁决并退款，商家还可以申请复核",
            "ruled_open": "已裁决，等复核期满",
            "review": "复核",
        },
    ),
    "stages": Kind(
        "在哪一步了结",
        "已了结的纠纷。和解、撤回的算当时那一步；裁决的算最后一份裁决。",
        {
            "negotiation": "协商",
            "support": "客服",
            "panel": "争议组",
            "review": "复核改判或维持",
            "default": "商家不回应，按诉求裁决",
            "green": "绿色通道",
        },
    ),
    "endings": Kind(
        "结果", "已了结的纠纷，按买家最后拿到什么，不论是谁定的。", {key.value: text for key, text in ENDINGS.items()}
    ),
    "wins": Kind(
        "裁决支持谁",
        "已执行的裁决，经过复核的只算最后一份。百分比的分母是全部已执行的裁决。",
        {
            "full_refund": "支持买家（全额退款）",
            "replacement": "支持买家（补发）",
            "partial_refund": "各担一部分",
            "no_refund": "支持商家（不退款）",
        },
        PERCENT,
        is_of_all=True,
    ),
    "times": Kind(
        "用了多久",
        "中位数：一半的纠纷比它快。回应算有过回应的，了结算已了结的。",
        {"first_answer": "商家第一次回应", "end": "从提出到了结"},
        MINUTES,
    ),
    "deadlines": Kind(
        "按时的有多少",
        "商家：到期或回应过的纠纷里，第一次回应没有过时限的。平台：作出结论或转走的每一步里，没有超时的；"
        "提问让时限暂停的，已经扣掉。客服首次回复算转到客服后第一次提问、留言或裁决。",
        {
            "answer": "商家第一次回应",
            "first_word": "客服首次回复",
            "support": "客服",
            "panel": "争议组",
            "review": "复核",
        },
        PERCENT,
    ),
    "reviews": Kind(
        "复核和超时",
        "改判：复核办完的里面，金额和原裁决不同的。值班长：争议组这一步的裁决里，因为超时由值班长作出的。",
        {"overturned": "复核改判", "by_duty": "值班长代为裁决"},
        PERCENT,
    ),
    "elsewhere": Kind(
        "在别处买的，怎么结束",
        "维权助手里保存过、自己说了结果并且允许计数的。结果是当事人自己填的，没有核对。",
        {
            "refunded": "已退款",
            "partly": "部分解决",
            "replaced": "已补发",
            "refused": "被拒绝",
            "stopped": "不再追究",
        },
    ),
}
"""The sections in the order pages show them."""
NEVER_MONTHLY: Final = frozenset({"elsewhere"})
"""Sections of which it is not kept when they began."""


def published(counts: Mapping[str, int]) -> dict[str, int | None]:
    """Withhold every count below twenty; where the rest would tell it by subtraction, the next smallest as well."""
    shown: dict[str, int | None] = {key: n if n >= LEAST else None for key, n in counts.items()}
    hidden = sum(counts[key] for key, n in shown.items() if n is None)
    if 0 < hidden < LEAST:
        rest = [(counts[key], key) for key, n in shown.items() if n is not None]
        if rest:
            shown[min(rest)[1]] = None
    return shown


def sections_of(counted: Sequence[Counted], month: str | None = None) -> list[Section]:
    """Write every section from what was counted, of all cases or of a month's; a key nobody counted has no row."""
    return [
        Section(
            key=key,
            title=kind.title,
            counts=kind.counts,
            rows=_rows(kind, [c for c in counted if c.section == key], month),
        )
        for key, kind in KINDS.items()
        if month is None or key not in NEVER_MONTHLY
    ]


def months_of(counted: Sequence[Counted]) -> list[str]:
    """List the months in which at least twenty cases were opened, the latest first."""
    opened: Counter[str] = Counter()
    for one in counted:
        if one.section == "claims" and one.month is not None:
            opened[one.month] += one.cases
    return sorted((month for month, cases in opened.items() if cases >= LEAST), reverse=True)


def published_months(cells: Mapping[tuple[str, str], int], whole: Mapping[str, int | None]) -> set[tuple[str, str]]:
    """Choose which counts by (key, month) are published, where the whole of each key is published or withheld (None).

    None below twenty, none of a key whose whole is withheld. Who has the whole can take the months from it, so what is
    left of a key is none or at least twenty; likewise what is left of a month.
    """
    shown = {cell for cell, cases in cells.items() if cases >= LEAST and whole.get(cell[0]) is not None}
    lines: dict[tuple[int, str], list[tuple[str, str]]] = {}
    for cell in cells:
        for axis in (0, 1):
            lines.setdefault((axis, cell[axis]), []).append(cell)
    is_settled = False
    while not is_settled:
        is_settled = True
        for line in lines.values():
            hidden = sum(cells[cell] for cell in line if cell not in shown)
            rest = [(cells[cell], cell) for cell in line if cell in shown]
            if 0 < hidden < LEAST and rest:
                shown.remove(min(rest)[1])
                is_settled = False
    return shown


def _rows(kind: Kind, counted: Sequence[Counted], month: str | None) -> list[Row]:
    by_key = {one.key: one for one in counted if one.month == month}
    order = [key for key in kind.labels if key in by_key] + sorted(set(by_key) - set(kind.labels))
    bases = _bases(kind, counted, month)
    rows = [(key, *_measured(kind, by_key[key], bases[key])) for key in order]
    return [
        Row(key=key, label=kind.labels.get(key, key), cases=cases, value=value, unit=kind.unit)
        for key, cases, value in rows
    ]


def _bases(kind: Kind, counted: Sequence[Counted], month: str | None) -> dict[str, int | None]:
    """Return how many cases each key's figure is about; None where that is not published."""
    cells: Counter[tuple[str, str | None]] = Counter()
    for one in counted:
        cells[("" if kind.is_of_all else one.key, one.month)] += one.cases
    totals = {key: cases for (key, of), cases in cells.items() if of is None}
    whole = published(totals) if kind.unit == COUNT else {key: n if n >= LEAST else None for key, n in totals.items()}
    if month is not None:
        monthly = {(key, of): cases for (key, of), cases in cells.items() if of is not None}
        shown = published_months(monthly, whole)
        whole = {key: cases if (key, of) in shown else None for (key, of), cases in monthly.items() if of == month}
    return {one.key: whole["" if kind.is_of_all else one.key] for one in counted if one.month == month}


def _measured(kind: Kind, one: Counted, base: int | None) -> tuple[int | None, int | None]:
    """Return how many cases a figure is about and the figure itself; neither where the first is not published."""
    if base is None:
        return None, None
    if kind.unit == COUNT:
        return base, base
    value = one.cases if kind.is_of_all else one.value
    if value is None:
        return None, None
    return base, value if kind.unit == MINUTES else 100 * value // base
