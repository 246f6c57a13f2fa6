"""Items of an order: taking files, showing previews to everyone concerned, giving originals to who may have them."""

import re
from collections.abc import AsyncIterator, Awaitable, Callable
from typing import Final

from litestar import Response, get
from litestar.datastructures import UploadFile
from litestar.params import FromPath
from litestar.response import Stream

from kabao.evidence import Item, SealedFile
from kabao.kernel import Refusal, Refused
from kabao.orders import OrderView
from kabao.web import evidence, uploads
from kabao.web.http import (
    Page,
    PageRequest,
    Visit,
    chunks,
    own_ref,
    redirect,
    refusal_page,
    signed,
)
from kabao.web.saved_as import plain_name, saved_as

TEXT_NAMES: Final = (".txt", ".csv", ".log", ".md")
HEIC_NAMES: Final = (".heic", ".heif")
"""Names of text: one that is refused as unknown is written in another encoding than UTF-8."""
CHOOSE_AGAIN: Final = "选过的文件没有留住，请重新选。"
LARGEST_ID: Final = 2**63 - 1
ENDINGS: Final = {
    "text/plain": (".txt",),
    "image/png": (".png",),
    "image/jpeg": (".jpg", ".jpeg"),
    "image/webp": (".webp",),
    "image/gif": (".gif",),
    "image/avif": (".avif",),
    "video/mp4": (".mp4", ".m4v"),
    "video/quicktime": (".mov",),
    "video/webm": (".webm",),
    "audio/mpeg": (".mp3",),
    "audio/ogg": (".ogg", ".oga", ".opus"),
    "audio/mp4": (".m4a", ".m4b", ".mp4"),
    "application/pdf": (".pdf",),
    "text/uri-list": (".txt",),
}
"""How a file's name has to end, by what the file is; the first is put on where none of them stands."""
_RANGE: Final = re.compile(r"bytes=(\d{1,15})?-(\d{1,15})?")
Keep = Callable[[str, AsyncIterator[bytes]], Awaitable[object]]
"""Takes a name and the bytes; a Refused where it does not."""


async def take_files(files: list[UploadFile], keep: Keep) -> list[tuple[str, str]]:
    """Keep files as evidence, one by one; returns the names of those that were not taken, each with why."""
    left = []
    for upload in files:
        name = upload.filename or "file"
        kept = await keep(name, chunks(upload))
        if isinstance(kept, Refused):
            left.append((name, why_left(name, kept)))
    return left


def why_left(name: str, refused: Refused) -> str:
    """Tell why a file was not taken, for its sentence: a text's encoding and a phone's HEIC have a way to be right."""
    if refused.code is not Refusal.FILE_TYPE_UNKNOWN:
        return str(refused.code)
    if name.lower().endswith(TEXT_NAMES):
        return "file_encoding"
    return "file_heic" if name.lower().endswith(HEIC_NAMES) else str(refused.code)


def choose_again(visit: Visit, errors: dict[str, str] | None) -> dict[str, str]:
    """Add to the errors of a form that chosen files have to be chosen again: a browser does not keep them."""
    if errors and visit.form.files("files"):
        return errors | {"files": CHOOSE_AGAIN}
    return errors or {}


@get("/o/{ref:str}/files/{item:int}")
async def preview(request: PageRequest, ref: FromPath[str], item: FromPath[int]) -> Page:
    """Show what everybody concerned sees of an item: a picture without its metadata, or the beginning of a text."""
    found = await _order_of(request, ref, item)
    if not isinstance(found, tuple):
        return found
    visit, order = found
    body = await visit.services.evidence.preview(order.shop_id, order.order_id, item)
    if isinstance(body, Refused):
        there = await visit.services.evidence.item(order.shop_id, order.order_id, item)
        if isinstance(there, Item) and there.erased_at is None:
            # A film or a PDF has no preview that would be safe to show; its facts stand on its own page.
            return redirect(f"/o/{own_ref(ref)}/evidence/{item}")
        return refusal_page(visit, body, back=f"/o/{own_ref(ref)}", link="回到订单")
    return download(body.content, media_type=body.media_type, name=body.file_name, inline=True)


@get("/o/{ref:str}/files/{item:int}/original")
async def original(request: PageRequest, ref: FromPath[str], item: FromPath[int]) -> Page:
    """Give an item byte for byte, as a download, to who gave it and to staff."""
    found = await _order_of(request, ref, item)
    if not isinstance(found, tuple):
        return found
    visit, order = found
    body = await visit.services.evidence.original(order.shop_id, order.order_id, item, visit.me.account_id, order.role)
    if isinstance(body, Refused):
        return refusal_page(visit, body, back=f"/o/{own_ref(ref)}", link="回到订单")
    headers = file_headers(body.media_type, body.file_name, inline=False) | {"content-length": str(body.byte_size)}
    return Stream(visit.services.evidence.read(body), media_type=body.media_type, headers=headers)


@get("/o/{ref:str}/files/{item:int}/media")
async def media(request: PageRequest, ref: FromPath[str], item: FromPath[int]) -> Page:
    """Play a film or sound to who gave it and to staff, from any place in it (RFC 9110, one range)."""
    found = await _order_of(request, ref, item)
    if not isinstance(found, tuple):
        return found
    visit, order = found
    body = await visit.services.evidence.original(order.shop_id, order.order_id, item, visit.me.account_id, order.role)
    if isinstance(body, SealedFile) and body.media_type.family not in {"video", "audio"}:
        body = Refused(Refusal.NOT_FOUND)
    if isinstance(body, Refused):
        return refusal_page(visit, body, back=f"/o/{own_ref(ref)}", link="回到订单")
    headers = file_headers(body.media_type, body.file_name, inline=True) | {"accept-ranges": "bytes"}
    wanted = range_of(request.headers.get("range", ""), body.byte_size)
    start, end = wanted or (0, body.byte_size)
    if start >= end:
        empty = headers | {"content-range": f"bytes */{body.byte_size}"}
        return Response("", status_code=416, media_type=body.media_type, headers=empty)
    headers["content-length"] = str(end - start)
    if wanted is not None:
        headers["content-range"] = f"bytes {start}-{end - 1}/{body.byte_size}"
    return Stream(
        visit.services.evidence.read(body, start, end),
        status_code=200 if wanted is None else 206,
        media_type=body.media_type,
        headers=headers,
    )


def range_of(wanted: str, size: int) -> tuple[int, int] | None:
    """Read a Range header of one range: from where up to where (not with it); None where it asks for the whole.

    What is no range in bytes asks for the whole, as RFC 9110 has it.
    """
    found = _RANGE.fullmatch(wanted.strip())
    if found is None or (found[1] is None and found[2] is None):
        return None
    if found[1] is None:
        return max(0, size - int(found[2])), size
    return int(found[1]), size if found[2] is None else min(size, int(found[2]) + 1)


def download(content: bytes, *, media_type: str, name: str, inline: bool) -> Page:
    """Serve bytes a person gave: an original only as a download, a preview inline, both without any power."""
    return Response(
        content,
        media_type=media_type.partition(";")[0],  # a text's encoding, UTF-8, is added on the way out
        headers=file_headers(media_type, name, inline=inline),
    )


def file_headers(media_type: str, name: str, *, inline: bool) -> dict[str, str]:
    """Return what every answer with a person's bytes carries.

    A saved file is opened by its name's ending, so the ending is that of what the file is, not what its giver wrote.
    """
    endings = ENDINGS.get(media_type.partition(";")[0], (".bin",))
    if not plain_name(name).lower().endswith(endings):
        name += endings[0]
    return {
        "content-security-policy": "default-src 'none'; sandbox",
        "x-content-type-options": "nosniff",
        "content-disposition": "inline" if inline else saved_as(name),
        "cache-control": "private, no-store",
        "cross-origin-resource-policy": "same-origin",
    }


async def _order_of(request: PageRequest, ref: str, item: int) -> tuple[Visit, OrderView] | Page:
    visit = await signed(request)
    if not isinstance(visit, Visit):
        return visit
    order = await visit.services.orders.order(visit.me, ref)
    if isinstance(order, Refused):
        return refusal_page(visit, order)
    if not 0 < item <= LARGEST_ID:
        return refusal_page(visit, Refused(Refusal.NOT_FOUND), back=f"/o/{own_ref(ref)}", link="回到订单")
    return visit, order


handlers = [preview, original, media, *uploads.handlers, *evidence.handlers]
