"""Receipts and packs of an order: what the public log holds of it, the proofs to keep, and everything in one file."""

from litestar import Response, get, post
from litestar.params import FromPath
from litestar.response import Stream

from kabao.dossier import MadePack, ReceiptFile
from kabao.identity import Act
from kabao.kernel import Refusal, Refused
from kabao.web.http import HEADERS, Page, PageRequest, Visit, own_ref, page, posted, refusal_page, signed

MOST_SHOWN = 500
"""Receipts on one page, the newest; the pack has all of them."""


@get("/o/{ref:str}/receipts")
async def receipts_page(request: PageRequest, ref: FromPath[str]) -> Page:
    """Show what the log holds of an order, and what it has not taken yet."""
    visit = await signed(request)
    if not isinstance(visit, Visit):
        return visit
    found = await visit.services.archive.receipts.receipts(visit.me, ref)
    if isinstance(found, Refused):
        return refusal_page(visit, found, back="/o", link="看我的订单")
    return page("receipts.html", visit, r=found, shown=found.receipts[-MOST_SHOWN:])


@get("/o/{ref:str}/receipts/{record:int}/proof")
async def proof(request: PageRequest, ref: FromPath[str], record: FromPath[int]) -> Page:
    """Give the proof that a record stands in the log."""
    visit = await signed(request)
    if not isinstance(visit, Visit):
        return visit
    return _file(visit, ref, await visit.services.archive.receipts.proof(visit.me, ref, _within(record)))


@get("/o/{ref:str}/receipts/{record:int}/body")
async def body(request: PageRequest, ref: FromPath[str], record: FromPath[int]) -> Page:
    """Give the bytes of a record that were logged."""
    visit = await signed(request)
    if not isinstance(visit, Visit):
        return visit
    return _file(visit, ref, await visit.services.archive.receipts.body(visit.me, ref, _within(record)))


@post("/o/{ref:str}/pack", status_code=200)
async def order_pack(request: PageRequest, ref: FromPath[str]) -> Page:
    """Make the pack of an order and send it."""
    return await _pack(request, ref, f"/o/{own_ref(ref)}/receipts")


@post("/c/{ref:str}/pack", status_code=200)
async def case_pack(request: PageRequest, ref: FromPath[str]) -> Page:
    """Make the pack of a case and send it."""
    return await _pack(request, ref, f"/c/{own_ref(ref)}")


async def _pack(request: PageRequest, ref: str, back: str) -> Page:
    visit = await posted(request)
    if not isinstance(visit, Visit):
        return visit
    if not await visit.services.identity.may(Act.MAKE_PACK, visit.me.account_id):
        return refusal_page(visit, Refused(Refusal.TOO_MANY_TRIES), back=back, link="回去")
    made = await visit.services.archive.packs.export(visit.me, ref)
    if isinstance(made, Refused):
        return refusal_page(visit, made, back=back, link="回去")
    return sent(made)


def sent(made: MadePack) -> Page:
    """Send a pack piece by piece; its file is gone as soon as the first byte was read."""
    return Stream(
        made.pieces(),
        media_type="application/zip",
        headers=HEADERS
        | {
            "content-disposition": f'attachment; filename="{made.name}"',
            "content-length": str(made.size),
            "cache-control": "private, no-store",
        },
    )


def _within(record: int) -> int:
    # No position is negative or larger than a bigint; the service answers that nothing is there.
    return record if 0 <= record < 2**63 else 2**63 - 1


def _file(visit: Visit, ref: str, found: ReceiptFile | Refused) -> Page:
    if isinstance(found, Refused):
        return refusal_page(visit, found, back=f"/o/{own_ref(ref)}", link="回到订单")
    return Response(
        found.content,
        media_type="application/octet-stream",
        headers=HEADERS
        | {"content-disposition": f'attachment; filename="{found.name}"', "cache-control": "private, no-store"},
    )


handlers = [receipts_page, proof, body, order_pack, case_pack]
