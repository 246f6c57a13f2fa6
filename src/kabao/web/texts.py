"""Texts to begin with: filled from a case for who writes in it, and the shop's own for its owner to keep."""

from collections.abc import Iterable
from typing import Final

from litestar import get, post
from litestar.params import FromPath

from kabao.cases import (
    FIELDS,
    MAX_NOTE_CHARS,
    TEXTS_AT_MOST,
    CaseView,
    DecisionView,
    Remedy,
    Side,
    Text,
    TextKind,
    Turn,
    WriteText,
    fill,
)
from kabao.kernel import Refused, yuan_text
from kabao.shops import ShopView
from kabao.web.http import Page, PageRequest, Visit, page, redirect, refusal_page
from kabao.web.merchant import shop_of
from kabao.web.render import stamp, when
from kabao.web.words import SAVED, TEXT_GONE

USES: Final = ((TextKind.ANSWER.value, "回应买家"), (TextKind.OFFER.value, "方案的说明"))
GIVES: Final = frozenset({"FULL_REFUND", "PARTIAL_REFUND", "REPLACE", "VOID_RESTITUTION", "PROMISE", "DAMAGES"})
"""Outcomes of the rulebook that a buyer can lean on; a merchant leans on one that refuses."""
REFUSES: Final = "DENY"
LONGEST_KEY: Final = 24
FILL: Final = "fill"
"""The value of a form's button `then` that asks for a text instead of sending."""


def values_of(case: CaseView, decision: DecisionView | None) -> dict[str, str]:
    """Tell what a text may be filled with; what the case does not know is left out."""
    order = case.order
    whose = {Side.BUYER: Turn.MERCHANT, Side.MERCHANT: Turn.BUYER}.get(case.viewer)
    values = {
        "订单": order.ref,
        "商品": order.title,
        "金额": yuan_text(order.amount_minor),
        "可退": yuan_text(case.held_minor),
        "案由": case.claim_label,
        "要求": _demand(case),
        "拆封": f" {stamp(order.opened_at)} 拆封" if order.opened_at else "还没有拆封",
        "依据": _basis(case.viewer, decision),
    }
    times = {"付款": order.paid_at, "送达": order.delivered_at}
    values |= {name: f" {stamp(at)}" for name, at in times.items() if at is not None}
    # A letter names only a deadline that is there: the other side's.
    if case.due_at is not None and case.turn is whose:
        values["时限"] = when(case.due_at, case.order.now)
    return values


def _demand(case: CaseView) -> str:
    match case.demand:
        case Remedy.FULL_REFUND:
            return f"全额退款 {yuan_text(case.held_minor)}"
        case Remedy.PARTIAL_REFUND:
            return f"退款 {yuan_text(case.demand_minor)}"
        case Remedy.REPLACEMENT:
            return "补发一张能用的"
        case Remedy.RELEASE:
            return f"把托管的 {yuan_text(case.held_minor)} 付给商家"


def _basis(viewer: Side, decision: DecisionView | None) -> str:
    if decision is None or not decision.articles:
        return ""
    is_mine = decision.outcome in GIVES if viewer is Side.BUYER else decision.outcome == REFUSES
    return f"依《虚拟商品管理细则》第 {decision.articles[0][0]} 条，" if is_mine else ""


def chosen(visit: Visit, texts: list[Text], case: CaseView, decision: DecisionView | None) -> str:
    """Fill the text that the form asks for, or the address names; empty where none is."""
    wanted = visit.form.text("text") if visit.form.text("then") == FILL else ""
    key = (wanted or visit.request.query_params.get("text", ""))[:LONGEST_KEY]
    text = next((one for one in texts if one.key == key), None)
    return "" if text is None else fill(text.body, values_of(case, decision))


def joined(typed: str, begun: str, ours: Iterable[str]) -> str:
    """Put a text that was asked for under what is typed; what is still one of `ours`, unchanged, gives way to it."""
    if not begun or not typed.strip() or typed.strip() in {one.strip() for one in ours}:
        return begun or typed
    return f"{typed.rstrip()}\n{begun}"


def filled(texts: list[Text], case: CaseView, decision: DecisionView | None) -> list[str]:
    """Write every text as it would be filled in."""
    values = values_of(case, decision)
    return [fill(one.body, values) for one in texts]


@get("/m/{shop:str}/texts")
async def texts_page(request: PageRequest, shop: FromPath[str]) -> Page:
    """List a shop's own texts, with the form to add one or to change one."""
    found = await shop_of(request, shop)
    return await _texts(*found) if isinstance(found, tuple) else found


@post("/m/{shop:str}/texts", status_code=200)
async def write_text(request: PageRequest, shop: FromPath[str]) -> Page:
    """Keep a text, or change one."""
    found = await shop_of(request, shop, is_post=True)
    if not isinstance(found, tuple):
        return found
    visit, mine = found
    form = visit.form
    wish = WriteText(kind=form.text("kind"), name=form.text("name"), body=form.text("text"))
    kept = await visit.services.cases.texts.write(visit.me, mine.shop_id, wish, _number(form.text("id")))
    if isinstance(kept, Refused):
        fields = {"text" if name == "body" else name: why for name, why in kept.fields.items()}
        return await _texts(visit, mine, errors=fields or {"": kept.zh}, status=kept.status)
    return redirect(f"/m/{mine.ref}/texts", flash=SAVED, visit=visit)


@post("/m/{shop:str}/texts/remove", status_code=200)
async def remove_text(request: PageRequest, shop: FromPath[str]) -> Page:
    """Remove a text."""
    found = await shop_of(request, shop, is_post=True)
    if not isinstance(found, tuple):
        return found
    visit, mine = found
    gone = await visit.services.cases.texts.remove(visit.me, mine.shop_id, _number(visit.form.text("id")) or 0)
    if isinstance(gone, Refused):
        return refusal_page(visit, gone, back=f"/m/{mine.ref}/texts", link="回常用文字")
    return redirect(f"/m/{mine.ref}/texts", flash=TEXT_GONE, visit=visit)


async def _texts(visit: Visit, mine: ShopView, *, errors: dict[str, str] | None = None, status: int = 200) -> Page:
    kept = await visit.services.cases.texts.of_shop(visit.me, mine.shop_id)
    if isinstance(kept, Refused):
        return refusal_page(visit, kept, back="/m", link="回卖家中心")
    form = {name: visit.form.text(name) for name in ("id", "kind", "name")} | {"text": visit.form.raw("text")}
    asked = visit.request.query_params.get("edit", "")
    edited = next((one for one in kept if one.key == asked), None)
    if edited is not None and not errors:
        form = {"id": edited.key, "kind": edited.kind.value, "name": edited.name, "text": edited.body}
    return page(
        "m_texts.html",
        visit,
        status=status,
        private=True,
        errors=errors or {},
        shop=mine,
        texts=kept,
        form=form,
        uses=USES,
        fields=FIELDS,
        at_most=TEXTS_AT_MOST,
        note_chars=MAX_NOTE_CHARS,
    )


def _number(text: str) -> int | None:
    return int(text) if text.isascii() and text.isdigit() and len(text) < 20 and int(text) < 2**63 else None  # noqa: PLR2004


handlers = [texts_page, write_text, remove_text]
