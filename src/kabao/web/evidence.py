"""One item of evidence on a page of its own, blacking it out, handing in a link, and recording from the page."""

import re
from typing import Final

from litestar import get, post
from litestar.params import FromPath

from kabao.evidence import Item, ItemKind, Mark, gaps_of, hint_sentences
from kabao.identity import Act
from kabao.kernel import Refusal, Refused
from kabao.orders import OrderView
from kabao.web.http import (
    HEADERS,
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
from kabao.web.uploads import giver_in
from kabao.web.words import BLACKED_OUT, LINK_KEPT, PARTIES, size_text

COLUMNS: Final = 6
ROWS: Final = 8
"""The grid by which a picture is blacked out without a script."""
_DRAWN: Final = re.compile(r"(\d{1,4}),(\d{1,4}),(\d{1,4}),(\d{1,4})", re.ASCII)
_BARE: Final = re.compile(r"[^\s:/?#@]+(?:\.[^\s:/?#@]+)+(?:[:/?#]\S*)?")
"""An address without its scheme: names with dots between."""
LARGEST_ID: Final = 2**63 - 1
MANY_CHUNKS: Final = 24
"""From so many chunks on a recording's list is folded."""
PLAYING: Final = HEADERS["content-security-policy"] + "; media-src 'self'"
RECORDING: Final = "camera=(self), microphone=(self), display-capture=(self), geolocation=(), payment=(), usb=()"
KIND_WORDS: Final = {
    "image": "图片",
    "video": "视频",
    "audio": "录音",
    "application": "PDF",
    "text": "文字",
}


@get("/o/{ref:str}/evidence/{item:int}")
async def item_page(request: PageRequest, ref: FromPath[str], item: FromPath[int]) -> Page:
    """Show one item to those it concerns: what is known of it, what it says of itself, how it was recorded."""
    visit = await signed(request)
    if not isinstance(visit, Visit):
        return visit
    found = await _found(visit, ref, item)
    return await _show(visit, *found) if isinstance(found, tuple) else found


@post("/o/{ref:str}/evidence/{item:int}/mask", status_code=200)
async def mask(request: PageRequest, ref: FromPath[str], item: FromPath[int]) -> Page:
    """Black out parts of a preview, for whoever gave the item."""
    visit = await posted(request)
    if not isinstance(visit, Visit):
        return visit
    found = await _found(visit, ref, item)
    if not isinstance(found, tuple):
        return found
    order, kept = found
    if not await visit.services.identity.may(Act.GIVE_FILE, visit.me.account_id):
        return await _show(visit, order, kept, refused=Refused(Refusal.TOO_MANY_TRIES))
    place = order.shop_id, order.order_id, kept.item_id, visit.me.account_id
    if kept.is_image:
        marks = marks_of(visit.form.every("cell"), visit.form.every("mark"))
        done = await visit.services.evidence.black_out_picture(*place, marks)
    else:
        words = visit.form.raw("words").splitlines()
        done = await visit.services.evidence.black_out_text(*place, words)
    if isinstance(done, Refused):
        return await _show(visit, order, kept, refused=done)
    return redirect(f"/o/{own_ref(ref)}/evidence/{kept.item_id}", flash=BLACKED_OUT, visit=visit)


def _whole(link: str) -> str:
    """Complete an address as people write it, www.example.com, to one that can be followed."""
    return f"https://{link}" if _BARE.fullmatch(link) else link


@post("/o/{ref:str}/links", status_code=200)
async def add_link(request: PageRequest, ref: FromPath[str]) -> Page:
    """Hand in a web address."""
    visit = await posted(request)
    if not isinstance(visit, Visit):
        return visit
    order = await visit.services.orders.order(visit.me, ref)
    if isinstance(order, Refused):
        return refusal_page(visit, order)
    if "say" not in order.allowed:
        return refusal_page(visit, Refused(Refusal.NOT_ALLOWED))
    kept: Item | Refused = Refused(Refusal.TOO_MANY_TRIES)
    if await visit.services.identity.may(Act.GIVE_FILE, visit.me.account_id):
        kept = await visit.services.evidence.add_link(giver_in(order, visit), _whole(visit.form.text("link")))
    if isinstance(kept, Refused):
        return refusal_page(visit, kept, back=f"/o/{own_ref(ref)}", link="回到订单")
    return redirect(f"/o/{own_ref(ref)}/evidence/{kept.item_id}", flash=LINK_KEPT, visit=visit)


@get("/o/{ref:str}/record")
async def record_page(request: PageRequest, ref: FromPath[str]) -> Page:
    """Record the screen or the camera, chunk by chunk."""
    visit = await signed(request)
    if not isinstance(visit, Visit):
        return visit
    order = await visit.services.orders.order(visit.me, ref)
    if isinstance(order, Refused):
        return refusal_page(visit, order, back="/o", link="看我的订单")
    answer = page("record.html", visit, o=order)
    # Camera and microphone are shut on every other page.
    answer.headers["permissions-policy"] = RECORDING
    return answer


def marks_of(cells: list[str], drawn: list[str]) -> list[Mark]:
    """Read what is to be black: cells of the grid by number, and rectangles as ``left,top,right,bottom``."""
    marks = []
    for cell in {int(text) for text in cells if text.isascii() and text.isdigit() and int(text) < COLUMNS * ROWS}:
        row, column = divmod(cell, COLUMNS)
        # Rounded outwards, so that no seam is left between two cells.
        right, bottom = -(-(column + 1) * 1000 // COLUMNS), -(-(row + 1) * 1000 // ROWS)
        marks.append(Mark(left=column * 1000 // COLUMNS, top=row * 1000 // ROWS, right=right, bottom=bottom))
    for text in drawn[:100]:
        if found := _DRAWN.fullmatch(text):
            left, top, right, bottom = map(int, found.groups())
            marks.append(Mark(left=left, top=top, right=right, bottom=bottom))
    return marks


async def _found(visit: Visit, ref: str, item_id: int) -> tuple[OrderView, Item] | Page:
    order = await visit.services.orders.order(visit.me, ref)
    if isinstance(order, Refused):
        return refusal_page(visit, order, back="/o", link="看我的订单")
    item: Item | Refused = Refused(Refusal.NOT_FOUND)
    if 0 < item_id <= LARGEST_ID:
        item = await visit.services.evidence.item(order.shop_id, order.order_id, item_id)
    if isinstance(item, Refused):
        return refusal_page(visit, item, back=f"/o/{own_ref(ref)}", link="回到订单")
    return order, item


async def _show(visit: Visit, order: OrderView, item: Item, *, refused: Refused | None = None) -> Page:
    evidence = visit.services.evidence
    chunks = await evidence.recording(order.shop_id, order.order_id, item.item_id) if item.recording else []
    words = ""
    if item.media_type.family == "text" and item.erased_at is None:
        shown = await evidence.preview(order.shop_id, order.order_id, item.item_id)
        words = "" if isinstance(shown, Refused) else shown.content.decode("utf-8", errors="replace")
    is_mine = item.given_by == visit.me.account_id
    answer = page(
        "item.html",
        visit,
        status=refused.status if refused else 200,
        errors={} if refused is None else refused.fields or {"": refused.zh},
        o=order,
        it=item,
        words=words,
        facts=facts_of(item),
        said=hint_sentences(item.hints),
        chunks=chunks,
        gaps=gaps_of(item.recording.opened_at, chunks) if item.recording else [],
        is_folded=len(chunks) > MANY_CHUNKS,
        is_mine=is_mine,
        may_open=(is_mine or order.role == "support") and item.erased_at is None,
        may_mask=is_mine and item.erased_at is None and item.kind is ItemKind.FILE,
        parties=PARTIES,
        size_text=size_text,
        columns=COLUMNS,
        rows=ROWS,
    )
    if item.is_playable:
        answer.headers["content-security-policy"] = PLAYING
    return answer


def facts_of(item: Item) -> list[tuple[str, str]]:
    """Write what was measured in an item."""
    facts = item.facts
    exact = f"（{item.byte_size:,} 字节）" if item.byte_size >= 1024 else ""  # noqa: PLR2004
    measured = [
        ("类型", f"{KIND_WORDS[item.media_type.family]}（{item.media_type.value}）"),
        ("大小", f"{size_text(item.byte_size)}{exact}"),
        ("画面", f"{facts.width} × {facts.height}" if facts.width else ""),
        ("时长", clock_text(facts.millis) if facts.millis else ""),
        ("编码", "、".join(facts.codecs)),
    ]
    return [(name, value) for name, value in measured if value]


def clock_text(millis: int) -> str:
    """Write a length of time: ``1:02:05`` or ``2:05``."""
    minutes, seconds = divmod(millis // 1000, 60)
    hours, minutes = divmod(minutes, 60)
    return f"{hours}:{minutes:02d}:{seconds:02d}" if hours else f"{minutes}:{seconds:02d}"


handlers = [item_page, mask, add_link, record_page]
