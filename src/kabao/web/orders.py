"""A buyer's orders, and one order as buyer, merchant or support sees it: where the money is and what may be done."""

from functools import partial
from typing import Final

from litestar import get, post
from litestar.params import FromPath

from kabao.cases import CLAIMS
from kabao.evidence import AuthorRole
from kabao.identity import Act
from kabao.kernel import Refusal, Refused, parse_ref, parse_yuan
from kabao.orders import OrderState, OrderView, account_of
from kabao.shops import shop_ref
from kabao.web.files import choose_again, take_files
from kabao.web.http import (
    POLL_STOP,
    UPLOAD_LIMIT,
    Page,
    PageRequest,
    Visit,
    own_ref,
    page,
    posted,
    redirect,
    refusal_page,
    signed,
)
from kabao.web.words import (
    CONFIRMED,
    EVENTS,
    GAVE_BACK,
    KEY_STATES,
    NOTHING_KEPT,
    ORDER_STATES,
    ORDER_TABS,
    PARTIES,
    REDIRECTED,
    REFUNDED,
    REFUNDED_PART,
    SENT,
    device_words,
    duration,
    headline,
    money_move,
    order_flow,
    size_text,
    stray_money,
)

PAGE_SIZE: Final = 30
SYMPTOMS: Final = {
    "already_used": "circle-alert",
    "key_invalid": "key-round",
    "not_as_described": "receipt-text",
    "other": "ellipsis",
}
"""The claims an opened order offers first, with their icons; the form has them all."""


@get("/o")
async def my_orders(request: PageRequest) -> Page:
    """List the buyer's orders, by what they wait for."""
    visit = await signed(request)
    if not isinstance(visit, Visit):
        return visit
    tab = request.query_params.get("t", "all")
    tab = tab if tab in dict(ORDER_TABS) else "all"
    before = parse_ref(request.query_params.get("before", ""))
    rows = await visit.services.orders.my_orders(visit.me, tab, before.object_id if before else None)
    more = rows[-1].ref if len(rows) == PAGE_SIZE else ""
    mine = await visit.services.cases.my_cases(visit.me) if any(row.in_case for row in rows) else []
    cases = {card.order_ref: card for card in mine if card.closed_at is None}
    return page("orders.html", visit, rows=rows, tab=tab, states=ORDER_STATES, more=more, cases=cases)


@get("/o/{ref:str}")
async def order_page(request: PageRequest, ref: FromPath[str]) -> Page:
    """Show one order to those it concerns; to its buyer also the keys that are open."""
    visit = await signed(request)
    if not isinstance(visit, Visit):
        return visit
    order = await visit.services.orders.order(visit.me, ref)
    if isinstance(order, Refused):
        return refusal_page(visit, order, back="/o", link="看我的订单")
    return await _order(visit, order)


@get("/o/{ref:str}/live")
async def order_live(request: PageRequest, ref: FromPath[str]) -> Page:
    """Answer htmx while the custodian's word is awaited: nothing new, or a bar that says so."""
    visit = await signed(request)
    if not isinstance(visit, Visit):
        return visit
    order = await visit.services.orders.order(visit.me, ref)
    if isinstance(order, Refused):
        return refusal_page(visit, order)
    seen = request.query_params.get("v", "")
    is_new = version_of(order) != seen
    return page(
        "_live.html",
        visit,
        status=POLL_STOP if is_new else 200,
        is_new=is_new,
        live_href=f"/o/{order.ref}/live?v={seen}",
        page_href=f"/o/{order.ref}",
        every="5s",
    )


def version_of(order: OrderView) -> str:
    """Name what an open page showed, so that a later look can tell whether it is still true."""
    return f"{order.state}-{int(order.in_case)}-{len(order.events)}"


@get("/o/{ref:str}/reveal")
async def reveal_page(request: PageRequest, ref: FromPath[str]) -> Page:
    """State what opening means before it is done."""
    return await _second_step(request, ref, "reveal", "reveal.html")


@post("/o/{ref:str}/reveal", status_code=200)
async def reveal(request: PageRequest, ref: FromPath[str]) -> Page:
    """Open the seal: logged with a receipt; the keys then stand on the order's page."""
    visit = await posted(request)
    if not isinstance(visit, Visit):
        return visit
    me = visit.me
    if not await visit.services.identity.may(Act.REVEAL, me.account_id):
        return _stopped(visit, ref, Refused(Refusal.TOO_MANY_TRIES))
    position = visit.form.number("pos")
    opened = await visit.services.orders.reveal(me, ref, [position] if position else None, visit.visitor)
    if isinstance(opened, Refused):
        return _stopped(visit, ref, opened)
    return redirect(f"/o/{own_ref(ref)}")


@get("/o/{ref:str}/refund")
async def refund_page(request: PageRequest, ref: FromPath[str]) -> Page:
    """State what the refund of sealed keys does before it is done."""
    return await _second_step(request, ref, "refund", "refund.html")


@post("/o/{ref:str}/refund", status_code=200)
async def refund(request: PageRequest, ref: FromPath[str]) -> Page:
    """Give sealed keys back for their money."""
    visit = await posted(request)
    if not isinstance(visit, Visit):
        return visit
    done = await visit.services.orders.refund_sealed(visit.me, ref)
    if isinstance(done, Refused):
        return _stopped(visit, ref, done)
    is_whole = done.state is OrderState.REFUNDED
    return redirect(f"/o/{own_ref(ref)}", flash=REFUNDED if is_whole else REFUNDED_PART, visit=visit)


@get("/o/{ref:str}/confirm")
async def confirm_page(request: PageRequest, ref: FromPath[str]) -> Page:
    """State what confirming releases before it is done."""
    return await _second_step(request, ref, "confirm", "confirm.html")


@post("/o/{ref:str}/confirm", status_code=200)
async def confirm(request: PageRequest, ref: FromPath[str]) -> Page:
    """Confirm that the goods work; the money goes to the merchant."""
    visit = await posted(request)
    if not isinstance(visit, Visit):
        return visit
    done = await visit.services.orders.confirm(visit.me, ref)
    if isinstance(done, Refused):
        return _stopped(visit, ref, done)
    return redirect(f"/o/{own_ref(ref)}", flash=CONFIRMED, visit=visit)


@post("/o/{ref:str}/account", status_code=200)
async def other_account(request: PageRequest, ref: FromPath[str]) -> Page:
    """Take another account for money that the custodian could not pay back."""
    visit = await posted(request)
    if not isinstance(visit, Visit):
        return visit
    account = account_of(visit.form.text("account"))
    if account is not None and visit.form.text("sure") != "yes":
        return await _account_read_back(visit, ref, account)
    sent = await visit.services.orders.after_release.redirect(visit.me, ref, visit.form.text("account"))
    if isinstance(sent, Refused):
        return await _again(visit, ref, sent)
    return redirect(f"/o/{own_ref(ref)}", flash=REDIRECTED, visit=visit)


async def _account_read_back(visit: Visit, ref: str, account: str) -> Page:
    """Read an account back before money goes there: a slip of one digit is another's account."""
    order = await visit.services.orders.order(visit.me, ref)
    if isinstance(order, Refused) or "redirect" not in order.allowed:
        return _stopped(visit, ref, order if isinstance(order, Refused) else Refused(Refusal.NOTHING_TO_REDIRECT))
    return page("account.html", visit, private=True, o=order, account=account)


@post("/o/{ref:str}/give-back", status_code=200)
async def give_back(request: PageRequest, ref: FromPath[str]) -> Page:
    """Let the merchant give back part of a released order's price, out of the shop's deposit."""
    visit = await posted(request)
    if not isinstance(visit, Visit):
        return visit
    amount = parse_yuan(visit.form.text("back"))
    if amount is None or amount.minor <= 0:
        return await _again(visit, ref, Refused(Refusal.INVALID_FIELDS, {"back": "填要退多少元，例如 36.50"}))
    left = parse_yuan(visit.form.text("left"))
    seen_minor = 0 if left is None else left.minor
    given = await visit.services.orders.after_release.give_back(visit.me, ref, amount.minor, seen_minor)
    if isinstance(given, Refused):
        return await _again(visit, ref, Refused(given.code, given.fields or {"back": given.zh}))
    return redirect(f"/o/{own_ref(ref)}", flash=GAVE_BACK, visit=visit)


async def _again(visit: Visit, ref: str, refused: Refused) -> Page:
    """Show the order again with what is wrong in the form; a stranger finds no order."""
    order = await visit.services.orders.order(visit.me, ref)
    if isinstance(order, Refused) or not refused.fields:
        return _stopped(visit, ref, order if isinstance(order, Refused) else refused)
    return await _order(visit, order, errors=refused.fields, status=refused.status)


@post("/o/{ref:str}/say", status_code=200, request_max_body_size=UPLOAD_LIMIT)
async def say(request: PageRequest, ref: FromPath[str]) -> Page:
    """Write to the other side, with files."""
    visit = await posted(request)
    if not isinstance(visit, Visit):
        return visit
    order = await visit.services.orders.order(visit.me, ref)
    if isinstance(order, Refused) or "say" not in order.allowed:
        return _stopped(visit, ref, order if isinstance(order, Refused) else Refused(Refusal.NOT_ALLOWED))
    body, files = visit.form.text("body"), visit.form.files("files")
    if not body and not files:
        return await _order(visit, order, errors={"body": "写一句话，或者选一个文件。"}, status=422)
    if not await visit.services.identity.may(Act.SAY, visit.me.account_id):
        too_often = Refused(Refusal.TOO_MANY_TRIES)
        return await _order(visit, order, errors={"": too_often.zh}, status=too_often.status)
    role = AuthorRole(order.role)
    if body:
        said = await visit.services.evidence.say(None, order.shop_id, order.order_id, visit.me.account_id, role, body)
        if isinstance(said, Refused):
            await visit.services.cases.flooded(visit.me, order.open_case_ref, said)
            return await _order(visit, order, errors=said.fields or {"": said.zh}, status=said.status)
    keep = partial(visit.services.evidence.add_file, order.shop_id, order.order_id, None, visit.me.account_id, role)
    left = await take_files(files, keep)
    flash = SENT if body or len(left) < len(files) else NOTHING_KEPT
    return redirect(f"/o/{own_ref(ref)}" + ("" if left else "#say"), flash=flash, visit=visit, left=left)


async def _order(visit: Visit, order: OrderView, *, errors: dict[str, str] | None = None, status: int = 200) -> Page:
    services = visit.services
    keys: dict[int, str] = {}
    if order.role == "buyer" and "read" in order.allowed:
        opened = await services.orders.opened_keys(visit.me, order.ref, visit.visitor)
        keys = {} if isinstance(opened, Refused) else {key.pos: key.text for key in opened.keys}
    is_seller = order.role == "merchant"
    tails = await services.inventory.tails(order.shop_id, order.order_id) if is_seller else []
    returned, returned_minor = returned_cards(order)
    return page(
        "order.html",
        visit,
        status=status,
        errors=choose_again(visit, errors),
        o=order,
        t=order.document["terms"],
        shop_ref=shop_ref(order.shop_id),
        first_sealed=next((slot.pos for slot in order.keys if slot.state == "sealed"), 0),
        symptoms=[CLAIMS[name] for name in SYMPTOMS],
        icons=SYMPTOMS,
        keys=keys,
        tails={(key.pos, key.generation): key.tail for key in tails},
        messages=await services.evidence.messages(order.shop_id, order.order_id),
        items=await services.evidence.items(order.shop_id, order.order_id),
        flow_steps=order_flow(order.state),
        headline=headline(
            order.state,
            in_case=order.in_case,
            viewer=order.role,
            is_replaced=any(slot.generation for slot in order.keys if slot.state == "sealed"),
            is_charged_back=order.charged_back is not None,
            is_stranded=order.claim.stranded_minor > 0,
        ),
        device_words=device_words,
        body=visit.form.raw("body"),
        account=visit.form.text("account"),
        back_amount=visit.form.text("back"),
        duration=duration,
        size_text=size_text,
        key_states=KEY_STATES,
        money_move=money_move,
        stray=stray_money(order.money_moves, order.role),
        refund_minor=sealed_refund(order),
        returned=returned,
        returned_minor=returned_minor,
        events=EVENTS,
        parties=PARTIES,
        version=version_of(order),
    )


def sealed_refund(order: OrderView) -> int:
    """Return what giving back every sealed key refunds, as the database reckons it."""
    sealed = sum(slot.state == "sealed" for slot in order.keys)
    return min(order.unit_minor * sealed, order.escrow.held_minor) if order.escrow else 0


def returned_cards(order: OrderView) -> tuple[list[int], int | None]:
    """Return the places whose sealed keys went back, and what each brought; None where no one price is known."""
    if order.escrow is None:
        return [], None
    there = {slot.pos for slot in order.keys}
    gone = [pos for pos in range(1, order.quantity + 1) if pos not in there]
    sealed = sum(event.amount_minor or 0 for event in order.events if event.kind == "refunded_sealed")
    return gone, order.unit_minor if sealed == order.unit_minor * len(gone) else None


async def _second_step(request: PageRequest, ref: str, act: str, template: str) -> Page:
    visit = await signed(request)
    if not isinstance(visit, Visit):
        return visit
    order = await visit.services.orders.order(visit.me, ref)
    if isinstance(order, Refused):
        return refusal_page(visit, order, back="/o", link="看我的订单")
    if act not in order.allowed:
        # The order moved on since the button was drawn; its page says how it stands now.
        return redirect(f"/o/{order.ref}")
    sealed = [slot.pos for slot in order.keys if slot.state == "sealed"]
    opened = [slot.pos for slot in order.keys if slot.state == "opened"]
    refund_minor = sealed_refund(order)
    return page(template, visit, private=True, o=order, sealed=sealed, opened=opened, refund_minor=refund_minor)


def _stopped(visit: Visit, ref: str, refused: Refused) -> Page:
    return refusal_page(visit, refused, back=f"/o/{own_ref(ref)}", link="回到订单")


handlers = [
    my_orders,
    order_page,
    order_live,
    reveal_page,
    reveal,
    refund_page,
    refund,
    confirm_page,
    confirm,
    other_account,
    give_back,
    say,
]
