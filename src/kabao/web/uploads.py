"""Uploads by chunk for the scripts of our own pages: small JSON answers, the page's token in a header."""

import hmac
from typing import Any, Final, TypeVar

import msgspec
from litestar import Response, delete, get, post, put
from litestar.params import FromPath

from kabao.evidence import AuthorRole, Chunk, Giver, Item, ItemKind, Upload, UploadView, content_digest
from kabao.identity import Act
from kabao.kernel import Refusal, Refused, parse_ref
from kabao.orders import OrderView
from kabao.web.http import Page, PageRequest, Visit, enter, same_origin

CHUNK_LIMIT: Final = 4 * 1024 * 1024
"""Bytes of one chunk's body."""
TOKEN_HEADER: Final = "x-kabao-token"  # noqa: S105  a header's name
JSON_LIMIT: Final = 4096

T = TypeVar("T")


class UploadIn(msgspec.Struct, frozen=True, forbid_unknown_fields=True):
    """Announces an upload; `size` of a recording is 0."""

    name: str
    size: int
    kind: ItemKind = ItemKind.FILE


class FinishIn(msgspec.Struct, frozen=True, forbid_unknown_fields=True):
    """Says how many chunks there are, and the SHA-256 of the whole in hex where it is known."""

    chunks: int
    sha256: str = ""


@get("/o/{ref:str}/uploads")
async def unfinished(request: PageRequest, ref: FromPath[str]) -> Page:
    """List one's own unfinished uploads of an order."""
    found = await giver_of(request, ref, is_step=False)
    if isinstance(found, Refused):
        return refused_json(found)
    visit, giver = found
    views = await visit.services.evidence.uploads.unfinished(giver)
    return _json({"uploads": [state_of(view) for view in views]})


@post("/o/{ref:str}/uploads", request_max_body_size=JSON_LIMIT)
async def open_upload(request: PageRequest, ref: FromPath[str]) -> Page:
    """Begin an upload or a recording."""
    found = await giver_of(request, ref)
    if isinstance(found, Refused):
        return refused_json(found)
    visit, giver = found
    if not await visit.services.identity.may(Act.GIVE_FILE, visit.me.account_id):
        return refused_json(Refused(Refusal.TOO_MANY_TRIES))
    wanted = read_json(await request.body(), UploadIn)
    if isinstance(wanted, Refused):
        return refused_json(wanted)
    if wanted.kind is ItemKind.LINK:
        return refused_json(Refused(Refusal.MALFORMED))
    opened = await visit.services.evidence.uploads.open(giver, wanted.kind, wanted.name, wanted.size)
    return refused_json(opened) if isinstance(opened, Refused) else _json(begun(opened), status=201)


@get("/o/{ref:str}/uploads/{upload:int}")
async def see_upload(request: PageRequest, ref: FromPath[str], upload: FromPath[int]) -> Page:
    """Tell what has arrived."""
    found = await giver_of(request, ref, is_step=False)
    if isinstance(found, Refused):
        return refused_json(found)
    visit, giver = found
    seen = await visit.services.evidence.uploads.see(giver, upload)
    return refused_json(seen) if isinstance(seen, Refused) else _json(state_of(seen))


@put("/o/{ref:str}/uploads/{upload:int}/{seq:int}", request_max_body_size=CHUNK_LIMIT)
async def put_chunk(request: PageRequest, ref: FromPath[str], upload: FromPath[int], seq: FromPath[int]) -> Page:
    """Take one chunk with its digest."""
    found = await giver_of(request, ref)
    if isinstance(found, Refused):
        return refused_json(found)
    visit, giver = found
    if not await visit.services.identity.may(Act.SEND_CHUNK, visit.me.account_id):
        return refused_json(Refused(Refusal.TOO_MANY_TRIES))
    digest = content_digest(request.headers.get("content-digest", ""))
    if digest is None:
        return refused_json(Refused(Refusal.MALFORMED, {"content-digest": "sha-256=:…:"}))
    kept = await visit.services.evidence.uploads.put(giver, upload, seq, digest, request.stream())
    return refused_json(kept) if isinstance(kept, Refused) else _json(received(kept))


@post("/o/{ref:str}/uploads/{upload:int}/finish", request_max_body_size=JSON_LIMIT)
async def finish(request: PageRequest, ref: FromPath[str], upload: FromPath[int]) -> Page:
    """Make an item of what came."""
    found = await giver_of(request, ref)
    if isinstance(found, Refused):
        return refused_json(found)
    visit, giver = found
    wanted = read_json(await request.body(), FinishIn)
    if isinstance(wanted, Refused):
        return refused_json(wanted)
    digest = whole_digest(wanted.sha256)
    if isinstance(digest, Refused):
        return refused_json(digest)
    item = await visit.services.evidence.uploads.finish(giver, upload, wanted.chunks, digest)
    return refused_json(item) if isinstance(item, Refused) else _json(item_of(item))


@delete("/o/{ref:str}/uploads/{upload:int}", status_code=200)
async def cancel(request: PageRequest, ref: FromPath[str], upload: FromPath[int]) -> Page:
    """Give an upload up."""
    found = await giver_of(request, ref)
    if isinstance(found, Refused):
        return refused_json(found)
    visit, giver = found
    refused = await visit.services.evidence.uploads.cancel(giver, upload)
    return refused_json(refused) if refused else _json({"cancelled": True})


async def giver_of(request: PageRequest, ref: str, *, is_step: bool = True) -> tuple[Visit, Giver] | Refused:
    """Let a person concerned in, for a step only with the page's token; whose order it is, decides the role."""
    visit = await enter(request)
    if visit.signed_in is None:
        return Refused(Refusal.SIGN_IN_REQUIRED)
    token = request.headers.get(TOKEN_HEADER, "")
    if is_step and not (same_origin(request) and hmac.compare_digest(token.encode(), visit.csrf.encode())):
        return Refused(Refusal.CSRF_MISMATCH)
    order = await visit.services.orders.order(visit.me, ref)
    if isinstance(order, Refused):
        return order
    if is_step and "say" not in order.allowed:
        return Refused(Refusal.NOT_ALLOWED)
    return visit, giver_in(order, visit)


def giver_in(order: OrderView, visit: Visit) -> Giver:
    """Describe who hands something in, as the order sees them."""
    case = parse_ref(order.open_case_ref) if order.open_case_ref else None
    return Giver(
        shop_id=order.shop_id,
        order_id=order.order_id,
        case_id=case.object_id if case else None,
        account_id=visit.me.account_id,
        role=AuthorRole(order.role),
    )


def whole_digest(text: str) -> bytes | Refused | None:
    """Read the SHA-256 of a whole file in hex; None where none was sent."""
    if not text:
        return None
    wrong = Refused(Refusal.INVALID_FIELDS, {"sha256": "64 位十六进制"})
    try:
        digest = bytes.fromhex(text)
    except ValueError:
        return wrong
    return digest if len(digest) == 32 else wrong  # noqa: PLR2004  SHA-256


def begun(upload: Upload) -> dict[str, Any]:
    """Write what a sender needs to go on: the id as text, since scripts lose digits of such numbers."""
    return {
        "upload": str(upload.upload_id),
        "chunk_bytes": upload.chunk_bytes,
        "not_before": upload.not_before.decode("utf-8", errors="replace"),
    }


def received(chunk: Chunk) -> dict[str, Any]:
    """Write what was received of one chunk."""
    return {
        "seq": chunk.seq,
        "received": chunk.received_at.isoformat(),
        "sha256": chunk.digest.hex(),
        "bytes": chunk.byte_size,
        "head": chunk.head.hex() if chunk.head else "",
    }


def state_of(view: UploadView) -> dict[str, Any]:
    """Write an upload's state with the chunks that are there."""
    upload = view.upload
    return begun(upload) | {
        "name": upload.file_name,
        "kind": upload.kind.value,
        "size": upload.byte_size if upload.kind is ItemKind.FILE else 0,
        "state": upload.state.value,
        "opened": upload.opened_at.isoformat(),
        "item": str(upload.item_id or ""),
        "chunks": [received(chunk) for chunk in view.chunks],
    }


def item_of(item: Item) -> dict[str, Any]:
    """Write a finished item."""
    return {
        "item": str(item.item_id),
        "item_no": item.item_no,
        "name": item.file_name,
        "media_type": item.media_type.value,
        "size": item.byte_size,
        "sha256": item.digest.hex(),
        "head": item.recording.head if item.recording else "",
    }


def read_json(body: bytes, kind: type[T]) -> T | Refused:
    """Read a small JSON body strictly."""
    try:
        return msgspec.json.decode(body, type=kind)
    except msgspec.DecodeError:
        return Refused(Refusal.MALFORMED)


def refused_json(refused: Refused) -> Page:
    """Answer a refusal to a script: the code, the sentence to show, the fields."""
    return _json({"code": str(refused.code), "sentence": refused.zh, "fields": refused.fields}, status=refused.status)


def _json(answer: dict[str, Any], *, status: int = 200) -> Page:
    return Response(answer, status_code=status, media_type="application/json", headers={"cache-control": "no-store"})


handlers = [unfinished, open_upload, see_upload, put_chunk, finish, cancel]
