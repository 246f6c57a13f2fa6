"""A merchant's overview, shops and their orders: what waits for an answer, and where the money is."""

from typing import Final

from litestar import get, post
from litestar.params import FromPath

from kabao.cases import CaseCard
from kabao.kernel import Refusal, Refused, ShopId, parse_ref
from kabao.ledger import AccountNo
from kabao.shops import ShopForm, ShopView, parse_shop_ref
from kabao.web.http import Page, PageRequest, Visit, page, posted, redirect, refusal_page, signed
from kabao.web.words import ORDER_STATES, SAVED, SHOP_OPENED, time_left

SHOP_FIELDS: Final = ("name", "legal_name", "address", "licence_number")
ORDER_TABS: Final = (
    ("all", "全部"),
    ("unpaid", "待付款"),
    ("held", "托管中"),
    ("in_case", "纠纷中"),
    ("ended", "已结束"),
)
PAGE_SIZE: Final = 30


@get("/m")
async def overview(request: PageRequest) -> Page:
    """Show what waits for the merchant by time left, the money of each shop, and the stock."""
    visit = await signed(request)
    if not isinstance(visit, Visit):
        return visit
    services, me = visit.services, visit.me
    shops = await services.shops.my_shops(me)
    cases: list[CaseCard] = []
    money, stock = [], []
    for shop in shops:
        shop_id = ShopId(shop.shop_id)
        listed = await services.cases.shop_cases(me, shop_id)
        cases += [] if isinstance(listed, Refused) else [case for case in listed if case.closed_at is None]
        balances = {entry.account: entry.balance_minor for entry in await services.ledger.balances(shop_id)}
        money.append((shop, await services.orders.held(shop_id), balances))
        goods = await services.shops.listings_of(me, shop_id)
        stock += [] if isinstance(goods, Refused) else [(shop, card) for card in goods]
    # Mine first, then by the time left; a case that waits for someone else asks nothing of the merchant.
    cases.sort(key=lambda case: (case.turn != "merchant", case.due_at is None, case.due_at or visit.now))
    return page(
        "m_overview.html",
        visit,
        shops=shops,
        cases=[(case, *_left(visit, case)) for case in cases],
        waiting=sum(case.turn == "merchant" for case in cases),
        money=money,
        stock=stock,
        accounts=AccountNo,
    )


def _left(visit: Visit, case: CaseCard) -> tuple[str, str]:
    if case.due_at is None:
        return "", ""
    return time_left(int((case.due_at - visit.now).total_seconds()))


@get("/m/shops/new")
async def new_shop_page(request: PageRequest) -> Page:
    """Ask who will sell."""
    visit = await signed(request)
    if not isinstance(visit, Visit):
        return visit
    return _shop_form(visit, None)


@post("/m/shops/new", status_code=200)
async def new_shop(request: PageRequest) -> Page:
    """Open a shop."""
    visit = await posted(request)
    if not isinstance(visit, Visit):
        return visit
    opened = await visit.services.shops.open_shop(visit.me, _read(visit))
    if isinstance(opened, Refused):
        return _shop_form(visit, None, errors=opened.fields or {"": opened.zh}, status=opened.status)
    return redirect(f"/m/{opened.ref}/listings/new", flash=SHOP_OPENED, visit=visit)


@get("/m/{shop:str}/edit")
async def edit_shop_page(request: PageRequest, shop: FromPath[str]) -> Page:
    """Show what the shop states about itself, to be changed."""
    found = await shop_of(request, shop)
    if not isinstance(found, tuple):
        return found
    visit, mine = found
    return _shop_form(visit, mine)


@post("/m/{shop:str}/edit", status_code=200)
async def edit_shop(request: PageRequest, shop: FromPath[str]) -> Page:
    """Change what the shop states about itself."""
    found = await shop_of(request, shop, is_post=True)
    if not isinstance(found, tuple):
        return found
    visit, mine = found
    changed = await visit.services.shops.update_shop(visit.me, mine.shop_id, _read(visit))
    if isinstance(changed, Refused):
        return _shop_form(visit, mine, errors=changed.fields or {"": changed.zh}, status=changed.status)
    return redirect(f"/m/{mine.ref}/listings", flash=SAVED, visit=visit)


@get("/m/{shop:str}/orders")
async def shop_orders(request: PageRequest, shop: FromPath[str]) -> Page:
    """List a shop's orders, newest first."""
    found = await shop_of(request, shop)
    if not isinstance(found, tuple):
        return found
    visit, mine = found
    tab = request.query_params.get("t", "all")
    tab = tab if tab in dict(ORDER_TABS) else "all"
    before = parse_ref(request.query_params.get("before", ""))
    rows = await visit.services.orders.shop_orders(
        visit.me, ShopId(mine.shop_id), tab, before.object_id if before else None
    )
    more = rows[-1].ref if len(rows) == PAGE_SIZE else ""
    return page("m_orders.html", visit, shop=mine, rows=rows, tab=tab, tabs=ORDER_TABS, states=ORDER_STATES, more=more)


async def shop_of(request: PageRequest, shop: str, *, is_post: bool = False) -> tuple[Visit, ShopView] | Page:
    """Find who asks and the own shop the address names, or the page to answer instead."""
    visit = await (posted(request) if is_post else signed(request))
    if not isinstance(visit, Visit):
        return visit
    mine = await own_shop(visit, shop)
    return refusal_page(visit, mine, back="/m", link="回卖家中心") if isinstance(mine, Refused) else (visit, mine)


async def own_shop(visit: Visit, shop: str) -> ShopView | Refused:
    """Find one of the visitor's own shops by the text of its reference."""
    shop_id = parse_shop_ref(shop)
    if shop_id is None:
        return Refused(Refusal.NOT_FOUND)
    return await visit.services.shops.shop(visit.me, shop_id)


def _read(visit: Visit) -> ShopForm:
    form = visit.form
    return ShopForm(
        name=form.text("name"),
        legal_name=form.text("legal_name"),
        address=form.text("address"),
        licence_number=form.text("licence_number"),
    )


def _shop_form(visit: Visit, shop: ShopView | None, *, errors: dict[str, str] | None = None, status: int = 200) -> Page:
    is_sent = visit.request.method == "POST"
    form = {name: visit.form.text(name) if is_sent or shop is None else getattr(shop, name) for name in SHOP_FIELDS}
    return page("m_shop.html", visit, status=status, errors=errors or {}, shop=shop, form=form)


handlers = [overview, new_shop_page, new_shop, edit_shop_page, edit_shop, shop_orders]
