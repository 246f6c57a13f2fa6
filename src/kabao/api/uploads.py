"""Handing in files by chunk, recordings and links through the API, to be resumed after any break."""

from datetime import datetime
from typing import Annotated, Any, Final, Self

import msgspec
from litestar import delete, get, post, put
from litestar.params import FromPath, HeaderParameter, JSONBody
from msgspec import Meta

from kabao.api.documents import READING, STEP
from kabao.api.entry import ACTS_AS, ANY_PARTY, Caller, Services, as_itself, reference, services_of, slow_down
from kabao.api.inputs import Input
from kabao.api.problems import granted, refuse_now
from kabao.api.shapes import FileOut
from kabao.evidence import AuthorRole, Chunk, Giver, ItemKind, Upload, UploadView, content_digest
from kabao.identity import Act
from kabao.kernel import Refusal

CHUNK_LIMIT: Final = 4 * 1024 * 1024
"""Bytes of one chunk's body."""
LARGEST_ID: Final = 2**63 - 1
PARTY: Final[dict[str, Any]] = {ACTS_AS: ANY_PARTY}

Hex = Annotated[str, Meta(pattern="^(?:[0-9a-f]{64})?$", description="A SHA-256, 64 digits; or empty.")]


class UploadIn(Input, frozen=True, kw_only=True):
    """Announces a file of `size` bytes, or a recording, whose size nobody knows yet."""

    name: Annotated[str, Meta(min_length=1, max_length=500)]
    size: Annotated[int, Meta(ge=0, le=2**53)] = 0
    kind: Annotated[str, Meta(pattern="^(?:file|recording)$")] = "file"


class FinishIn(Input, frozen=True, kw_only=True):
    """Says how many chunks there are, and the SHA-256 of the whole where it is known."""

    chunks: Annotated[int, Meta(ge=1, le=100_000)]
    sha256: Hex = ""


class LinkIn(Input, frozen=True, kw_only=True):
    """Hands in a web address; it is kept as words and never fetched."""

    link: Annotated[str, Meta(min_length=8, max_length=2000)]


class ChunkOut(msgspec.Struct, frozen=True, kw_only=True):
    """One chunk as it was received; `head` is the chain of a recording after it, in hex."""

    seq: int
    sha256: str
    bytes: int
    received: datetime
    head: str

    @classmethod
    def of(cls, chunk: Chunk) -> Self:
        """Write a chunk."""
        return cls(
            seq=chunk.seq,
            sha256=chunk.digest.hex(),
            bytes=chunk.byte_size,
            received=chunk.received_at,
            head=chunk.head.hex() if chunk.head else "",
        )


class UploadOut(msgspec.Struct, frozen=True, kw_only=True):
    """An upload: how large its chunks are, what a recording is chained to, and what has arrived."""

    upload: str
    chunk_bytes: int
    not_before: str
    name: str
    kind: str
    size: int
    state: str
    chunks: list[ChunkOut]

    @classmethod
    def of(cls, upload: Upload, chunks: list[Chunk]) -> Self:
        """Write an upload."""
        return cls(
            upload=str(upload.upload_id),
            chunk_bytes=upload.chunk_bytes,
            not_before=upload.not_before.decode("utf-8", errors="replace"),
            name=upload.file_name,
            kind=upload.kind.value,
            size=upload.byte_size if upload.kind is ItemKind.FILE else 0,
            state=upload.state.value,
            chunks=[ChunkOut.of(chunk) for chunk in chunks],
        )

    @classmethod
    def seen(cls, view: UploadView) -> Self:
        """Write an upload with what has arrived."""
        return cls.of(view.upload, view.chunks)


class Uploads(msgspec.Struct, frozen=True, kw_only=True):
    """The caller's unfinished uploads of an order."""

    uploads: list[UploadOut]


DigestHeader = Annotated[
    str,
    HeaderParameter(name="Content-Digest", required=False, description="RFC 9530: `sha-256=:<base64>:`, required."),
]


@get("/orders/{ref:str}/uploads", responses=READING, tags=["evidence"])
async def uploads(request: Caller, ref: FromPath[str]) -> Uploads:
    """List the caller's unfinished uploads of an order."""
    services, giver = await _giver(request, ref)
    return Uploads(uploads=[UploadOut.seen(view) for view in await services.evidence.uploads.unfinished(giver)])


@post("/orders/{ref:str}/uploads", opt=PARTY, responses=STEP, tags=["evidence"])
async def open_upload(request: Caller, ref: FromPath[str], data: JSONBody[UploadIn]) -> UploadOut:
    """Begin an upload: what is announced has its room. Chunks follow by PUT, in any order for a file."""
    services, giver = await _giver(request, ref)
    as_itself(request, giver.role)
    await slow_down(request, Act.GIVE_FILE)
    opened = granted(await services.evidence.uploads.open(giver, ItemKind(data.kind), data.name, data.size))
    return UploadOut.of(opened, [])


@get("/orders/{ref:str}/uploads/{upload:str}", responses=READING, tags=["evidence"])
async def see_upload(request: Caller, ref: FromPath[str], upload: FromPath[str]) -> UploadOut:
    """Tell what has arrived of an upload."""
    services, giver = await _giver(request, ref)
    return UploadOut.seen(granted(await services.evidence.uploads.see(giver, _number(upload))))


@put(
    "/orders/{ref:str}/uploads/{upload:str}/{seq:int}",
    opt=PARTY,
    responses=STEP,
    request_max_body_size=CHUNK_LIMIT,
    tags=["evidence"],
)
async def put_chunk(
    request: Caller, ref: FromPath[str], upload: FromPath[str], seq: FromPath[int], digest_header: DigestHeader = ""
) -> ChunkOut:
    """Send chunk `seq` (from 1) as raw bytes. The same again is welcome; other bytes under its number are refused."""
    services, giver = await _giver(request, ref)
    as_itself(request, giver.role)
    await slow_down(request, Act.SEND_CHUNK)
    digest = content_digest(digest_header)
    if digest is None:
        raise refuse_now(Refusal.MALFORMED, {"content-digest": "sha-256=:…:"})
    kept = await services.evidence.uploads.put(giver, _number(upload), seq, digest, request.stream())
    return ChunkOut.of(granted(kept))


@post(
    "/orders/{ref:str}/uploads/{upload:str}/finish",
    opt=PARTY,
    responses=STEP,
    status_code=200,
    tags=["evidence"],
)
async def finish(request: Caller, ref: FromPath[str], upload: FromPath[str], data: JSONBody[FinishIn]) -> FileOut:
    """Make evidence of an upload; doing it again answers the same."""
    services, giver = await _giver(request, ref)
    as_itself(request, giver.role)
    whole = bytes.fromhex(data.sha256) or None
    return FileOut.of(granted(await services.evidence.uploads.finish(giver, _number(upload), data.chunks, whole)))


@delete("/orders/{ref:str}/uploads/{upload:str}", opt=PARTY, responses=STEP, status_code=204, tags=["evidence"])
async def cancel(request: Caller, ref: FromPath[str], upload: FromPath[str]) -> None:
    """Give an upload up; what came of it is removed."""
    services, giver = await _giver(request, ref)
    as_itself(request, giver.role)
    granted(await services.evidence.uploads.cancel(giver, _number(upload)))


@post("/orders/{ref:str}/links", opt=PARTY, responses=STEP, tags=["evidence"])
async def add_link(request: Caller, ref: FromPath[str], data: JSONBody[LinkIn]) -> FileOut:
    """Hand in a web address as evidence."""
    services, giver = await _giver(request, ref)
    as_itself(request, giver.role)
    await slow_down(request, Act.GIVE_FILE)
    return FileOut.of(granted(await services.evidence.add_link(giver, data.link)))


async def _giver(request: Caller, ref: str) -> tuple[Services, Giver]:
    services = services_of(request)
    view = granted(await services.orders.order(request.user, ref))
    return services, Giver(
        shop_id=view.shop_id,
        order_id=view.order_id,
        case_id=reference(view.open_case_ref).object_id if view.open_case_ref else None,
        account_id=request.user.account_id,
        role=AuthorRole(view.role),
    )


def _number(text: str) -> int:
    number = int(text) if text.isascii() and text.isdigit() and len(text) <= 19 else 0  # noqa: PLR2004  of a bigint
    if not 0 < number <= LARGEST_ID:
        raise refuse_now(Refusal.NOT_FOUND)
    return number


handlers = [uploads, open_upload, see_upload, put_chunk, finish, cancel, add_link]
