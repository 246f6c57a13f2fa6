"""Cover for the time a merchant is away: the rule that grants small refunds in his name, and what it did."""

from datetime import UTC, datetime
from typing import Final

from litestar import get, post
from litestar.params import FromPath

from kabao.cases import OVER_TOTAL, SetCover
from kabao.kernel import Refusal, Refused, parse_yuan
from kabao.shops import ShopView
from kabao.web.http import Page, PageRequest, Visit, page, redirect, refusal_page
from kabao.web.merchant import shop_of
from kabao.web.render import SHANGHAI
from kabao.web.words import COVER_ENDED, COVER_SET

FIELDS: Final = ("from", "until", "each", "total")
LONGEST_TIME: Final = 20


@get("/m/{shop:str}/cover")
async def cover_page(request: PageRequest, shop: FromPath[str]) -> Page:
    """Show the cover that stands, what covers did, and the form to set one."""
    found = await shop_of(request, shop)
    return await _cover(*found) if isinstance(found, tuple) else found


@post("/m/{shop:str}/cover", status_code=200)
async def set_cover(request: PageRequest, shop: FromPath[str]) -> Page:
    """Set a cover in the place of the one that stands."""
    found = await shop_of(request, shop, is_post=True)
    if not isinstance(found, tuple):
        return found
    visit, mine = found
    wish = _read(visit)
    if isinstance(wish, dict):
        return await _cover(visit, mine, errors=wish, status=422)
    refused = await visit.services.cases.cover.set(visit.me, mine.shop_id, wish)
    if isinstance(refused, Refused):
        return await _cover(visit, mine, errors=refused.fields or {"": refused.zh}, status=refused.status)
    return redirect(f"/m/{mine.ref}/cover", flash=COVER_SET, visit=visit)


@post("/m/{shop:str}/cover/end", status_code=200)
async def end_cover(request: PageRequest, shop: FromPath[str]) -> Page:
    """End the cover that stands."""
    found = await shop_of(request, shop, is_post=True)
    if not isinstance(found, tuple):
        return found
    visit, mine = found
    refused = await visit.services.cases.cover.end(visit.me, mine.shop_id)
    if isinstance(refused, Refused):
        return refusal_page(visit, refused, back=f"/m/{mine.ref}/cover", link="回外出设置")
    return redirect(f"/m/{mine.ref}/cover", flash=COVER_ENDED, visit=visit)


def _read(visit: Visit) -> SetCover | dict[str, str]:
    """Read the form; answers what is wrong with each field instead where something is."""
    form, wrong = visit.form, {}
    from_at, until_at = _time(form.text("from")), _time(form.text("until"))
    each, total = parse_yuan(form.text("each")), parse_yuan(form.text("total"))
    if from_at is None:
        wrong["from"] = "选开始的日期和时间。"
    if until_at is None:
        wrong["until"] = "选回来的日期和时间。"
    if each is None:
        wrong["each"] = "填多少元，例如 100"
    if total is None:
        wrong["total"] = "填多少元，例如 1000"
    if from_at is None or until_at is None or each is None or total is None:
        return wrong
    return SetCover(from_at=from_at, until_at=until_at, each_minor=each.minor, total_minor=total.minor)


def _time(text: str) -> datetime | None:
    """Read a local Beijing time as a date field sends it; None where it is none."""
    try:
        read = datetime.fromisoformat(text[:LONGEST_TIME])
        # The first hours of year 1 in Beijing are in no year of UTC.
        return read.replace(tzinfo=SHANGHAI).astimezone(UTC) if read.tzinfo is None else None
    except (ValueError, OverflowError):
        return None


def _why(code: str) -> str:
    return "超过了一共的上限。" if code == OVER_TOTAL else Refused(Refusal(code)).zh


async def _cover(visit: Visit, mine: ShopView, *, errors: dict[str, str] | None = None, status: int = 200) -> Page:
    view = await visit.services.cases.cover.cover(visit.me, mine.shop_id)
    if isinstance(view, Refused):
        return refusal_page(visit, view, back="/m", link="回卖家中心")
    form = {name: visit.form.text(name)[:LONGEST_TIME] for name in FIELDS}
    form["from"] = form["from"] or visit.now.astimezone(SHANGHAI).strftime("%Y-%m-%dT%H:%M")
    return page(
        "m_cover.html",
        visit,
        status=status,
        private=True,
        errors=errors or {},
        shop=mine,
        cover=view.standing,
        deeds=[(one, _why(one.refused) if one.refused else "") for one in view.deeds],
        form=form,
    )


handlers = [cover_page, set_cover, end_cover]
