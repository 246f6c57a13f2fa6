"""The stock of card keys: bringing them in, the report, taking an import back, looking up one key.

A key that is looked up comes in the body of a POST and is shown nowhere again.
"""

import asyncio
from collections.abc import AsyncIterator, Coroutine
from os import SEEK_END
from tempfile import SpooledTemporaryFile
from typing import Any, Final
from urllib.parse import quote

from litestar import get, post
from litestar.datastructures import UploadFile
from litestar.params import FromPath

from kabao.inventory import MAX_IMPORT_BYTES, MAX_KEY_CHARS, FoundKey, ImportReport, ImportState
from kabao.kernel import Refusal, Refused, parse_ref
from kabao.shops import ListingView, ShopView
from kabao.web.http import (
    CHUNK,
    POLL_STOP,
    Page,
    PageRequest,
    Visit,
    page,
    posted,
    redirect,
    refusal_page,
    signed,
)
from kabao.web.listings import own_listing

FORM_ROOM: Final = 1024 * 1024
WAIT_SECONDS: Final = 1.5
"""How long a small import is waited for, so that most merchants see the report at once."""
LOOKUPS_AN_HOUR: Final = 60
HOUR: Final = 3600
KEY_STANDS: Final = {
    "available": "在库存里，可卖",
    "reserved": "给一个没付款的订单留着",
    "sealed": "已送达，买家没有拆封",
    "opened": "已送达，买家拆封了",
    "replaced": "买家拆封过，已换新",
    "withdrawn": "已撤回，不再卖",
}
"""Where a key stands, in the merchant's words."""
NONE_GIVEN: Final = "选一个文件，或者在下面粘贴卡密。"
BOTH_GIVEN: Final = "文件和粘贴框都有内容，没有导入。只留一样再导入；粘贴的卡密不会留在页面上，要重新粘贴。"

_running: set[asyncio.Task[Any]] = set()
"""A task nobody holds may be collected; each leaves the set when it ends."""


@get("/m/{shop:str}/listings/{ref:str}/keys")
async def keys_page(request: PageRequest, shop: FromPath[str], ref: FromPath[str]) -> Page:
    """Show the stock, the way to bring keys in, and how earlier imports went."""
    visit = await signed(request)
    if not isinstance(visit, Visit):
        return visit
    found = await own_listing(visit, shop, ref)
    if isinstance(found, Refused):
        return refusal_page(visit, found, back="/m", link="回卖家中心")
    return await _show(visit, *found)


@get("/m/{shop:str}/listings/{ref:str}/keys/live")
async def keys_live(request: PageRequest, shop: FromPath[str], ref: FromPath[str]) -> Page:
    """Answer htmx with the progress of the newest import; stops when it is done."""
    visit = await signed(request)
    if not isinstance(visit, Visit):
        return visit
    found = await own_listing(visit, shop, ref)
    if isinstance(found, Refused):
        return refusal_page(visit, found)
    mine, listing = found
    imports = await visit.services.inventory.imports(mine.shop_id, listing.listing_id)
    newest = imports[0] if imports else None
    is_running = newest is not None and newest.state is ImportState.RUNNING
    return page(
        "_import.html",
        visit,
        status=200 if is_running else POLL_STOP,
        shop=mine,
        l=listing,
        report=newest,
        unsold=await _unsold(visit, newest),
    )


@post("/m/{shop:str}/listings/{ref:str}/keys", status_code=200, request_max_body_size=MAX_IMPORT_BYTES + FORM_ROOM)
async def import_keys(request: PageRequest, shop: FromPath[str], ref: FromPath[str]) -> Page:
    """Take a file or pasted lines and import them beside the request."""
    visit = await posted(request)
    if not isinstance(visit, Visit):
        return visit
    found = await own_listing(visit, shop, ref)
    if isinstance(found, Refused):
        return refusal_page(visit, found, back="/m", link="回卖家中心")
    mine, listing = found
    # A browser sends a part without a name where no file was chosen.
    files = [file for file in visit.form.files("file") if file.filename]
    pasted = visit.form.raw("keys").encode()
    if bool(files) == bool(pasted.strip()):
        return await _show(visit, mine, listing, errors={"file": BOTH_GIVEN if files else NONE_GIVEN}, status=422)
    if files:
        stream, total = await _taken_over(files[0])
        name = files[0].filename
    else:
        stream, name, total = _once(pasted), "粘贴", len(pasted)
    done = await _beside(
        visit.services.inventory.import_keys(
            mine.shop_id, listing.listing_id, stream, file_name=name, total_bytes=total
        )
    )
    if isinstance(done, Refused):
        place = "" if done.code is Refusal.IMPORT_RUNNING else "file"
        return await _show(visit, mine, listing, errors=done.fields or {place: done.zh}, status=done.status)
    return redirect(_keys_path(mine, listing))


@get("/m/{shop:str}/listings/{ref:str}/keys/find")
async def find_key_again(shop: FromPath[str], ref: FromPath[str]) -> Page:
    """Lead an address opened anew, without its form, back to the form."""
    return redirect(f"/m/{quote(shop, safe='')}/listings/{quote(ref, safe='')}/keys")


@post("/m/{shop:str}/listings/{ref:str}/keys/find", status_code=200)
async def find_key(request: PageRequest, shop: FromPath[str], ref: FromPath[str]) -> Page:
    """Tell where a key stands that the merchant pastes: in stock, in which order, since when."""
    visit = await posted(request)
    if not isinstance(visit, Visit):
        return visit
    found = await own_listing(visit, shop, ref)
    if isinstance(found, Refused):
        return refusal_page(visit, found, back="/m", link="回卖家中心")
    text = visit.form.text("code")
    if not text or len(text) > MAX_KEY_CHARS:
        why = f"卡密最多 {MAX_KEY_CHARS} 个字符。" if text else "粘贴一张卡密。"
        return await _show(visit, *found, errors={"code": why}, status=422)
    if not await visit.services.identity.allow(f"find-key:{visit.me.account_id}", LOOKUPS_AN_HOUR, HOUR):
        refused = Refused(Refusal.TOO_MANY_TRIES)
        return await _show(visit, *found, errors={"": refused.zh}, status=refused.status)
    answer = await visit.services.inventory.find_key(found[0].shop_id, text)
    return await _show(visit, *found, answer=answer)


@get("/m/{shop:str}/listings/{ref:str}/imports/{which:str}/withdraw")
async def withdraw_page(request: PageRequest, shop: FromPath[str], ref: FromPath[str], which: FromPath[str]) -> Page:
    """State what taking an import back does before it is done."""
    visit = await signed(request)
    if not isinstance(visit, Visit):
        return visit
    found = await _own_import(visit, shop, ref, which)
    if isinstance(found, Refused):
        return refusal_page(visit, found, back="/m", link="回卖家中心")
    mine, listing, report = found
    unsold = await _unsold(visit, report)
    return page("m_withdraw.html", visit, private=True, shop=mine, l=listing, report=report, unsold=unsold)


@post("/m/{shop:str}/listings/{ref:str}/imports/{which:str}/withdraw", status_code=200)
async def withdraw(request: PageRequest, shop: FromPath[str], ref: FromPath[str], which: FromPath[str]) -> Page:
    """Take the keys of one import out of stock that nobody has bought yet."""
    visit = await posted(request)
    if not isinstance(visit, Visit):
        return visit
    found = await _own_import(visit, shop, ref, which)
    if isinstance(found, Refused):
        return refusal_page(visit, found, back="/m", link="回卖家中心")
    mine, listing, report = found
    done = await visit.services.inventory.withdraw_import(mine.shop_id, report.import_id)
    if isinstance(done, Refused):
        return refusal_page(visit, done, back=_keys_path(mine, listing), link="回导入卡密")
    return redirect(_keys_path(mine, listing))


def _keys_path(shop: ShopView, listing: ListingView) -> str:
    return f"/m/{shop.ref}/listings/{listing.ref}/keys"


async def _own_import(
    visit: Visit, shop: str, ref: str, which: str
) -> tuple[ShopView, ListingView, ImportReport] | Refused:
    """Find an import of one of the visitor's own listings; NOT_FOUND."""
    found = await own_listing(visit, shop, ref)
    if isinstance(found, Refused):
        return found
    mine, listing = found
    import_ref = parse_ref(which)
    if import_ref is None or import_ref.shop_id != mine.shop_id:
        return Refused(Refusal.NOT_FOUND)
    report = await visit.services.inventory.import_status(mine.shop_id, import_ref.object_id)
    if isinstance(report, Refused) or report.listing_id != listing.listing_id:
        return Refused(Refusal.NOT_FOUND)
    return mine, listing, report


async def _unsold(visit: Visit, report: ImportReport | None) -> int:
    """Count what could be taken back of an import that has ended."""
    if report is None or report.state is ImportState.RUNNING:
        return 0
    return await visit.services.inventory.left_of_import(report.shop_id, report.import_id)


async def _beside(work: Coroutine[Any, Any, ImportReport | Refused]) -> ImportReport | Refused | None:
    """Run an import beside the request; None where it is still running after a moment."""
    task = asyncio.create_task(work)
    _running.add(task)
    task.add_done_callback(_running.discard)
    done, _ = await asyncio.wait({task}, timeout=WAIT_SECONDS)
    return task.result() if done else None


async def _taken_over(upload: UploadFile) -> tuple[AsyncIterator[bytes], int]:
    """Take an uploaded file out of the request, which would close it with its answer; returns its bytes and size."""
    file, upload.file = upload.file, SpooledTemporaryFile()  # noqa: SIM115  closed by its reader below
    total = await asyncio.to_thread(file.seek, 0, SEEK_END)
    await asyncio.to_thread(file.seek, 0)

    async def read() -> AsyncIterator[bytes]:
        with file:
            while piece := await asyncio.to_thread(file.read, CHUNK):
                yield piece

    return read(), total


async def _once(content: bytes) -> AsyncIterator[bytes]:
    yield content


async def _show(
    visit: Visit,
    shop: ShopView,
    listing: ListingView,
    *,
    errors: dict[str, str] | None = None,
    answer: FoundKey | Refused | None = None,
    status: int = 200,
) -> Page:
    """Show the page; beside an error or a key looked up no report stands on top, for it would pass for the answer."""
    inventory = visit.services.inventory
    imports = await inventory.imports(shop.shop_id, listing.listing_id)
    is_running = bool(imports) and imports[0].state is ImportState.RUNNING
    on_top = imports[:1] if is_running or not (errors or answer) else []
    report = on_top[0] if on_top else None
    return page(
        "m_keys.html",
        visit,
        status=status,
        private=True,
        errors=errors or {},
        shop=shop,
        l=listing,
        counts=await inventory.stock(shop.shop_id, listing.listing_id),
        report=report,
        unsold=await _unsold(visit, report),
        earlier=imports[len(on_top) :],
        answer=answer,
        found=answer if isinstance(answer, FoundKey) else None,
        key_stands=KEY_STANDS,
    )


handlers = [keys_page, keys_live, import_keys, find_key_again, find_key, withdraw_page, withdraw]
