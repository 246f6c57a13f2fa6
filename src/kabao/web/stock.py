"""Bringing card keys in: a file or a paste box, the progress while it runs, the report when it is done."""

import asyncio
from collections.abc import AsyncIterator, Coroutine
from os import SEEK_END
from tempfile import SpooledTemporaryFile
from typing import Any, Final

from litestar import get, post
from litestar.datastructures import UploadFile
from litestar.params import FromPath

from kabao.inventory import MAX_IMPORT_BYTES, ImportReport, ImportState
from kabao.kernel import Refused
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
    return page("_import.html", visit, status=200 if is_running else POLL_STOP, shop=mine, l=listing, report=newest)


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
    files, pasted = visit.form.files("file"), visit.form.raw("keys").encode()
    if files:
        stream, total = await _taken_over(files[0])
        name = files[0].filename or "file"
    elif pasted.strip():
        stream, name, total = _once(pasted), "粘贴", len(pasted)
    else:
        return await _show(visit, mine, listing, errors={"file": "选一个文件，或者在下面粘贴卡密。"}, status=422)
    done = await _beside(
        visit.services.inventory.import_keys(
            mine.shop_id, listing.listing_id, stream, file_name=name, total_bytes=total
        )
    )
    if isinstance(done, Refused):
        return await _show(visit, mine, listing, errors=done.fields or {"file": done.zh}, status=done.status)
    return redirect(f"/m/{mine.ref}/listings/{listing.ref}/keys")


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
    status: int = 200,
) -> Page:
    inventory = visit.services.inventory
    imports = await inventory.imports(shop.shop_id, listing.listing_id)
    return page(
        "m_keys.html",
        visit,
        status=status,
        private=True,
        errors=errors or {},
        shop=shop,
        l=listing,
        counts=await inventory.stock(shop.shop_id, listing.listing_id),
        report=imports[0] if imports else None,
        earlier=imports[1:],
    )


handlers = [keys_page, keys_live, import_keys]
