"""The queue of the desk on pages: its lanes, its filters in the address, a page at a time, and what is searched for."""

from datetime import datetime
from typing import Any, Final
from urllib.parse import urlencode

from kabao.cases import (
    CLAIMS,
    COUNTED_TO,
    MAX_SEARCH_CHARS,
    Lane,
    QueueCard,
    QueueWish,
    TimeLeft,
    read_after,
    write_after,
)
from kabao.cases.desk.model import Counts
from kabao.kernel import Refused, parse_ref, parse_yuan
from kabao.web.http import Visit
from kabao.web.words import time_left

LANES: Final = (
    (Lane.MINE, "待我"),
    (Lane.WAITING, "等对方"),
    (Lane.OTHERS, "别人办"),
    (Lane.TEAM, "全组"),
)
TIMES: Final = (("", "不限"), (TimeLeft.BREACHED, "已超时"), (TimeLeft.NEAR, "快超时"), (TimeLeft.LATER, "还早"))
"""How the deadline may stand; near is less than six hours, and a pause leaves the time as it is."""
STAGES: Final = (("support", "客服"), ("panel", "争议组"), ("routed_out", "有关部门"), ("review", "复核"))
STAGE_TAGS: Final = {"panel": "争议组", "routed_out": "有关部门", "review": "复核"}
FILTERS: Final = ("stage", "claim", "least", "most", "q", "time")
KEPT: Final = ("lane", *FILTERS, "after")
"""What of an address stays while going from case to case."""
EMPTY: Final = {
    Lane.MINE: "现在没有等你办的。",
    Lane.WAITING: "没有在等买家或商家回答的。",
    Lane.OTHERS: "没有轮到别人办的。",
    Lane.TEAM: "全组现在没有要办的。",
}


async def queue_of(visit: Visit, current: str = "") -> dict[str, Any]:
    """Read the part of the queue that the address asks for; `current` is the case on the page."""
    asked = {name: visit.request.query_params.get(name, "").strip() for name in KEPT}
    wish, wrong = _wish(asked)
    desk, text = visit.services.cases.desk, asked["q"]
    is_number = parse_ref(text) is not None
    cards: list[QueueCard] = []
    after = None
    if is_number:
        cards = await desk.find(visit.me, text)
    elif not wrong:
        found = await desk.queue(visit.me, wish)
        if not isinstance(found, Refused):
            cards, after = list(found.cards), found.after
    told = await desk.counts(visit.me, wish)
    counts = {} if isinstance(told, Refused) else told
    filtered = {name: asked[name] for name in FILTERS if asked[name]}
    keep = {name: text for name, text in asked.items() if text}
    return {
        "lines": [_line(visit, one, keep, is_current=one.card.ref == current) for one in cards],
        "lanes": [
            (_at(filtered | {"lane": lane.value}), label, _count(counts, lane, wish.time), lane is wish.lane)
            for lane, label in LANES
        ],
        "times": [
            (
                _at(_timed(filtered, time) | {"lane": wish.lane.value}),
                label,
                _count(counts, wish.lane, time or None),
                time == (wish.time or ""),
            )
            for time, label in TIMES
        ],
        "lane": wish.lane.value,
        "asked": asked,
        "wrong": wrong,
        "filtered": bool(filtered),
        "only_time": not set(filtered) - {"time"},
        "is_number": is_number,
        "clear": _at({"lane": wish.lane.value}),
        "first": _at(filtered | {"lane": wish.lane.value}) if asked["after"] else "",
        "next": _at(filtered | {"lane": wish.lane.value, "after": write_after(after)}) if after else "",
        "keep": "?" + urlencode(keep) if keep else "",
        "empty": EMPTY[wish.lane],
        "stages": STAGES,
        "claims": [(name, claim.label) for name, claim in CLAIMS.items()],
        **_beside([one.card.ref for one in cards], current, keep),
    }


def _wish(asked: dict[str, str]) -> tuple[QueueWish, str]:
    """Read the address; what is no lane, stage or claim asks for nothing, what is no amount is told."""
    amounts: list[int | None] = []
    wrong = ""
    for name in ("least", "most"):
        amount = parse_yuan(asked[name]) if asked[name] else None
        if asked[name] and amount is None:
            wrong = "金额填数字，例如 100 或 96.50"
        amounts.append(None if amount is None else amount.minor)
    least, most = amounts
    if least is not None and most is not None and least > most:
        wrong = wrong or "“从”比“到”大，调过来再找"
    lane = Lane(asked["lane"]) if asked["lane"] in set(Lane) else Lane.MINE
    wish = QueueWish(
        lane=lane,
        stage=asked["stage"] if asked["stage"] in dict(STAGES) else "",
        claim=asked["claim"] if asked["claim"] in CLAIMS else "",
        text=asked["q"][:MAX_SEARCH_CHARS].replace("\x00", ""),
        after=read_after(asked["after"]),
        time=TimeLeft(asked["time"]) if asked["time"] in set(TimeLeft) else None,
        least_minor=least or 0,
        **({} if most is None else {"most_minor": most}),
    )
    return wish, wrong


def _first_word(due_at: datetime | None, now: datetime) -> list[tuple[str, str]]:
    """Tag a case in which support has not said its first word yet."""
    if due_at is None:
        return []
    left, _ = time_left(int((due_at - now).total_seconds()))
    return [(f"首次回复还剩 {left}", "warn") if due_at > now else ("首次回复超时", "bad")]


def _line(visit: Visit, one: QueueCard, keep: dict[str, str], *, is_current: bool) -> dict[str, object]:
    card = one.card
    # In a pause the time left stands still, and counts from the pause's end on.
    seconds = int((card.due_at - max(visit.now, one.runs_from)).total_seconds()) if card.due_at else 0
    whole = (card.due_at - card.stage_since).total_seconds() if card.due_at else 0
    text, mood = time_left(seconds)
    if card.closed_at is not None:
        text, mood = "已结束", ""
    tags = [("超时", "bad")] if card.is_overdue else []
    tags += [(STAGE_TAGS[card.stage], "")] if card.stage in STAGE_TAGS else []
    is_paused = one.runs_from > visit.now and card.closed_at is None
    tags += [("等回答，暂停中", "info") if is_paused else ("没有等到回答", "")] if one.is_asked else []
    tags += _first_word(card.first_word_due_at, visit.now)
    tags += [("有方案", "info")] if card.has_open_offer else []
    return {
        "href": f"/desk/{card.ref}" + ("?" + urlencode(keep) if keep else ""),
        "card": card,
        "tags": tags,
        "left": text,
        "mood": mood,
        "used": max(0, min(100, 100 - int(100 * seconds / whole))) if whole > 0 else 100,
        "on": is_current,
    }


def _beside(refs: list[str], current: str, keep: dict[str, str]) -> dict[str, str]:
    """Tell the addresses of the case before and after the one on the page, in the list as it stands."""
    ending = "?" + urlencode(keep) if keep else ""
    place = refs.index(current) if current in refs else -1
    onward = refs[place + 1 : place + 2]
    back = refs[place - 1 : place] if place > 0 else []
    return {
        "onward": f"/desk/{onward[0]}{ending}" if onward else "",
        "back": f"/desk/{back[0]}{ending}" if back else "",
    }


def _at(query: dict[str, str]) -> str:
    return "/desk?" + urlencode(query)


def _timed(filtered: dict[str, str], time: str) -> dict[str, str]:
    return {name: text for name, text in filtered.items() if name != "time"} | ({"time": time} if time else {})


def _count(counts: Counts, lane: Lane, time: str | None) -> str:
    """Count a lane; the team's is the sum of the others, so that no case is told twice."""
    fits = [cases for (of, left), cases in counts.items() if lane in {of, Lane.TEAM} and time in {None, left}]
    number = sum(fits)
    return f"{COUNTED_TO - 1}+" if number >= COUNTED_TO else str(number)
