"""Receipts, checklists and packs: what the public log holds of an order, and everything of it in one file."""

from datetime import datetime
from typing import Annotated

import msgspec
from litestar import Response, get, post
from litestar.params import FromPath, QueryParameter
from litestar.response import Stream

from kabao.api.documents import READING, STEP
from kabao.api.entry import ACTS_AS, ANY_PARTY, Caller, services_of, slow_down
from kabao.api.problems import granted
from kabao.dossier import Checklist, ReceiptFile, Receipts, RulingFile
from kabao.identity import Act

LAST_POSITION = 2**63 - 1
RulingNo = Annotated[int | None, QueryParameter(ge=1, le=9999, description="Which ruling; the latest without it.")]


class ReceiptOut(msgspec.Struct, frozen=True, kw_only=True):
    """A record of the log; `commitment` is SHA-256(salt || body), its proof and body have addresses of their own."""

    position: int
    kind: str
    text: str
    at: datetime
    commitment: str
    is_erased: bool


class ReceiptsOut(msgspec.Struct, frozen=True, kw_only=True):
    """What the log holds of an order, oldest first; `waiting` counts what it has not taken yet."""

    order: str
    log_key: str
    log_size: int
    waiting: int
    receipts: list[ReceiptOut]

    @classmethod
    def of(cls, found: Receipts) -> "ReceiptsOut":
        """Show what was found."""
        return cls(
            order=found.order_ref,
            log_key=found.log_key,
            log_size=found.size,
            waiting=found.waiting,
            receipts=[
                ReceiptOut(
                    position=one.record_id,
                    kind=one.kind,
                    text=one.text,
                    at=one.at,
                    commitment=one.commitment,
                    is_erased=one.is_erased,
                )
                for one in found.receipts
            ],
        )


@get("/orders/{ref:str}/receipts", responses=READING, tags=["evidence"])
async def receipts(request: Caller, ref: FromPath[str]) -> ReceiptsOut:
    """List what the public log holds of an order, by the order's reference or a case's."""
    return ReceiptsOut.of(granted(await services_of(request).archive.receipts.receipts(request.user, ref)))


@get("/orders/{ref:str}/receipts/{position:int}/proof", responses=READING, tags=["evidence"])
async def proof(request: Caller, ref: FromPath[str], position: FromPath[int]) -> Response[bytes]:
    """Give the proof (c2sp.org/tlog-proof@v1) that a record stands in the log; its extra line is the salt."""
    found = await services_of(request).archive.receipts.proof(request.user, ref, _within(position))
    return _file(granted(found))


@get("/orders/{ref:str}/receipts/{position:int}/body", responses=READING, tags=["evidence"])
async def body(request: Caller, ref: FromPath[str], position: FromPath[int]) -> Response[bytes]:
    """Give the bytes of a record as they were logged."""
    found = await services_of(request).archive.receipts.body(request.user, ref, _within(position))
    return _file(granted(found))


@get("/cases/{ref:str}/checklist", responses=READING, tags=["cases"])
async def case_checklist(request: Caller, ref: FromPath[str]) -> Checklist:
    """List what proves what in a case: to its parties while it is open, to support without any outcome."""
    return granted(await services_of(request).archive.checklists.checklist(request.user, ref))


@get("/cases/{ref:str}/ruling.pdf", responses=READING, tags=["cases"])
async def ruling_pdf(request: Caller, ref: FromPath[str], no: RulingNo = None) -> Response[bytes]:
    """Give a ruling as a PDF, the latest where no number is given; the same bytes whoever asks and whenever."""
    return _file((await _ruling(request, ref, no)).pdf, "application/pdf")


@get("/cases/{ref:str}/ruling.json", responses=READING, tags=["cases"])
async def ruling_document(request: Caller, ref: FromPath[str], no: RulingNo = None) -> Response[bytes]:
    """Give a ruling as canonical JSON; its `record` is what the public log's record of it says."""
    return _file((await _ruling(request, ref, no)).document, "application/json")


@get("/cases/{ref:str}/ruling.sig", responses=READING, tags=["cases"])
async def ruling_signature(request: Caller, ref: FromPath[str], no: RulingNo = None) -> Response[bytes]:
    """Give the signed note over a ruling's JSON and PDF; the key is at /verify/signer.pem."""
    return _file((await _ruling(request, ref, no)).signature, "text/plain; charset=utf-8")


@post("/orders/{ref:str}/pack", opt={ACTS_AS: ANY_PARTY}, status_code=200, responses=STEP, tags=["evidence"])
async def pack(request: Caller, ref: FromPath[str]) -> Stream:
    """Make the pack of an order or a case (a ZIP file): a party's holds its own originals and all previews."""
    await slow_down(request, Act.MAKE_PACK)
    made = granted(await services_of(request).archive.packs.export(request.user, ref))
    return Stream(
        made.pieces(),
        media_type="application/zip",
        headers={
            "content-disposition": f'attachment; filename="{made.name}"',
            "content-length": str(made.size),
            "cache-control": "no-store",
        },
    )


async def _ruling(request: Caller, ref: str, no: int | None) -> RulingFile:
    services = services_of(request)
    # Whoever may not see it is told so before being told that he asks too often.
    granted(await services.cases.case(request.user, ref))
    await slow_down(request, Act.PRINT_RULING)
    return granted(await services.archive.rulings.files(request.user, ref, no))


def _within(position: int) -> int:
    return position if 0 <= position <= LAST_POSITION else LAST_POSITION


def _file(found: ReceiptFile, media_type: str = "application/octet-stream") -> Response[bytes]:
    return Response(
        found.content,
        media_type=media_type,
        headers={"content-disposition": f'attachment; filename="{found.name}"', "cache-control": "no-store"},
    )


handlers = [receipts, proof, body, case_checklist, pack, ruling_pdf, ruling_document, ruling_signature]
