"""From a listing to a paid order: the form that places it, and the way to the custodian's page."""

import secrets
from typing import Final

from litestar import get, post
from litestar.params import FromPath

from kabao.kernel import Refusal, Refused
from kabao.orders import PlaceOrder
from kabao.shops import ListingView
from kabao.web.dwell import dwell_of, shown_mark
from kabao.web.http import Page, PageRequest, Visit, enter, own_ref, page, posted, redirect, refusal_page
from kabao.web.words import CANCELLED, PLACED, duration

KEY_LIMIT: Final = 64


@get("/buy/{ref:str}")
async def buy_page(request: PageRequest, ref: FromPath[str]) -> Page:
    """Show the order form; reading it needs no account, sending it does."""
    visit = await enter(request)
    listing = await visit.services.shops.listing(ref, visit.person)
    if isinstance(listing, Refused):
        return refusal_page(visit, listing, link="看别的商品")
    return _form(visit, listing)


@post("/buy/{ref:str}", status_code=200)
async def buy(request: PageRequest, ref: FromPath[str]) -> Page:
    """Place the order once per form, however often it is sent."""
    visit = await posted(request)
    if not isinstance(visit, Visit):
        return visit
    form = visit.form
    listing = await visit.services.shops.listing(ref, visit.person)
    if isinstance(listing, Refused):
        return refusal_page(visit, listing, link="看别的商品")
    quantity = form.number("quantity")
    if not quantity:
        return _form(visit, listing, errors={"quantity": f"填 1 到 {listing.max_quantity} 的整数"}, status=422)
    wanted = PlaceOrder(
        listing_ref=ref,
        snapshot_no=form.number("snapshot_no") or 0,
        quantity=quantity,
        confirmed=form.every("notice"),
        idempotency_key=form.text("idempotency_key")[:KEY_LIMIT],
        dwell=dwell_of(form, visit.services.form_key, ref, visit.now),
    )
    placed = await visit.services.orders.place(visit.me, wanted)
    if isinstance(placed, Refused):
        return _refused(visit, listing, placed)
    return redirect(f"/o/{placed.ref}", flash=PLACED, visit=visit)


@post("/o/{ref:str}/pay", status_code=200)
async def pay(request: PageRequest, ref: FromPath[str]) -> Page:
    """Open the custodian's checkout of this order and send the buyer there."""
    visit = await posted(request)
    if not isinstance(visit, Visit):
        return visit
    path = await visit.services.orders.checkout(visit.me, ref)
    if isinstance(path, Refused):
        return refusal_page(visit, path, back=f"/o/{own_ref(ref)}", link="回到订单")
    return redirect(path)


@post("/o/{ref:str}/cancel", status_code=200)
async def cancel(request: PageRequest, ref: FromPath[str]) -> Page:
    """Cancel an unpaid order."""
    visit = await posted(request)
    if not isinstance(visit, Visit):
        return visit
    done = await visit.services.orders.cancel(visit.me, ref)
    if isinstance(done, Refused):
        return refusal_page(visit, done, back=f"/o/{own_ref(ref)}", link="回到订单")
    return redirect(f"/o/{own_ref(ref)}", flash=CANCELLED, visit=visit)


_AT_FIELD: Final = {
    Refusal.QUANTITY_OUT_OF_RANGE: "quantity",
    Refusal.SOLD_OUT: "quantity",
    Refusal.NOTICE_UNCONFIRMED: "notice",
}


def _refused(visit: Visit, listing: ListingView, refused: Refused) -> Page:
    is_most = refused.code is Refusal.QUANTITY_OUT_OF_RANGE
    why = f"一次最多 {listing.max_quantity} 张，没有下单。" if is_most else refused.zh
    errors = refused.fields or {_AT_FIELD.get(refused.code, ""): why}
    too_many = refused.code is Refusal.TOO_MANY_UNPAID
    return _form(visit, listing, errors=errors, too_many=too_many, status=refused.status)


def _form(
    visit: Visit,
    listing: ListingView,
    *,
    errors: dict[str, str] | None = None,
    too_many: bool = False,
    status: int = 200,
) -> Page:
    form = visit.form
    quantity = form.number("quantity") or 1
    # A changed listing starts afresh: ticks given to other words do not count, and nor does the old key.
    is_same = form.number("snapshot_no") == listing.snapshot_no
    return page(
        "buy.html",
        visit,
        status=status,
        private=True,
        errors=errors or {},
        l=listing,
        quantity=form.text("quantity") or "1",
        total_minor=listing.price_minor * min(quantity, listing.max_quantity),
        total_of=min(quantity, listing.max_quantity),
        too_many=too_many,
        ticked=form.every("notice") if is_same else [],
        idempotency_key=(form.text("idempotency_key") if is_same else "") or secrets.token_urlsafe(24),
        shown=(form.text("shown") if is_same else "") or shown_mark(visit.services.form_key, listing.ref, visit.now),
        duration=duration,
    )


handlers = [buy_page, buy, pay, cancel]
