"""Files of an order: taking them, showing previews to everyone concerned, giving originals to who may have them."""

from collections.abc import AsyncIterator, Awaitable, Callable
from typing import Final

from litestar import get
from litestar.datastructures import UploadFile
from litestar.params import FromPath

from kabao.evidence import Item
from kabao.kernel import Refusal, Refused
from kabao.web.http import Page, PageRequest, Visit, chunks, download, own_ref, refusal_page, signed

TEXT_NAMES: Final = (".txt", ".csv", ".log", ".md")
"""Names of text: one that is refused as unknown is written in another encoding than UTF-8."""
LARGEST_ID: Final = 2**63 - 1
Keep = Callable[[str, AsyncIterator[bytes]], Awaitable[Item | Refused]]
"""Takes a name and the bytes."""


async def take_files(files: list[UploadFile], keep: Keep) -> list[tuple[str, str]]:
    """Keep files as evidence, one by one; returns the names of those that were not taken, each with why."""
    left = []
    for upload in files:
        name = upload.filename or "file"
        kept = await keep(name, chunks(upload))
        if isinstance(kept, Refused):
            is_text = kept.code is Refusal.FILE_TYPE_UNKNOWN and name.lower().endswith(TEXT_NAMES)
            left.append((name, "file_encoding" if is_text else str(kept.code)))
    return left


def choose_again(visit: Visit, errors: dict[str, str] | None) -> dict[str, str]:
    """Add to the errors of a form that chosen files have to be chosen again: a browser does not keep them."""
    if errors and visit.form.files("files"):
        return errors | {"files": "选过的文件没有留住，请重新选。"}
    return errors or {}


@get("/o/{ref:str}/files/{item:int}")
async def preview(request: PageRequest, ref: FromPath[str], item: FromPath[int]) -> Page:
    """Show what everybody concerned sees of a file: a picture without its metadata, or the beginning of a text."""
    visit = await signed(request)
    if not isinstance(visit, Visit):
        return visit
    order = await visit.services.orders.order(visit.me, ref)
    if isinstance(order, Refused):
        return refusal_page(visit, order)
    if not 0 < item <= LARGEST_ID:
        return refusal_page(visit, Refused(Refusal.NOT_FOUND), back=f"/o/{own_ref(ref)}", link="回到订单")
    body = await visit.services.evidence.preview(order.shop_id, order.order_id, item)
    if isinstance(body, Refused):
        return refusal_page(visit, body, back=f"/o/{own_ref(ref)}", link="回到订单")
    return download(body.content, media_type=body.media_type, name=body.file_name, inline=True)


@get("/o/{ref:str}/files/{item:int}/original")
async def original(request: PageRequest, ref: FromPath[str], item: FromPath[int]) -> Page:
    """Give a file byte for byte, as a download, to who gave it and to staff."""
    visit = await signed(request)
    if not isinstance(visit, Visit):
        return visit
    order = await visit.services.orders.order(visit.me, ref)
    if isinstance(order, Refused):
        return refusal_page(visit, order)
    if not 0 < item <= LARGEST_ID:
        return refusal_page(visit, Refused(Refusal.NOT_FOUND), back=f"/o/{own_ref(ref)}", link="回到订单")
    body = await visit.services.evidence.original(order.shop_id, order.order_id, item, visit.me.account_id, order.role)
    if isinstance(body, Refused):
        return refusal_page(visit, body, back=f"/o/{own_ref(ref)}", link="回到订单")
    return download(body.content, media_type=body.media_type, name=body.file_name, inline=False)


handlers = [preview, original]
