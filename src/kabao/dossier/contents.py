"""What goes into a pack and under which name, from an order read in one snapshot. Files are put into a folder first."""

import asyncio
from collections.abc import Mapping, Sequence
from pathlib import Path
from typing import Final, Literal, NamedTuple

from msgspec.structs import replace

from kabao.dossier.model import RulingFacts
from kabao.dossier.papers import ShownItem
from kabao.dossier.ports import Files
from kabao.dossier.reading import OrderRead
from kabao.dossier.rules import ruling_document
from kabao.evidence import BlobDamaged, Item, MediaType
from kabao.evidence.model import FileBody, SealedFile
from kabao.kernel import canonical_bytes
from kabao.packs.model import PackFile, PackItem, PackRecord, item_file, proof_file, record_file
from kabao.paper import thumbnail
from kabao.tlog import StoredRecord

Variant = Literal["full", "redacted"]
ENDINGS: Final = {
    MediaType.PNG: "png",
    MediaType.JPEG: "jpg",
    MediaType.WEBP: "webp",
    MediaType.GIF: "gif",
    MediaType.AVIF: "avif",
    MediaType.MP4: "mp4",
    MediaType.QUICKTIME: "mov",
    MediaType.WEBM: "webm",
    MediaType.MP3: "mp3",
    MediaType.OGG: "ogg",
    MediaType.M4A: "m4a",
    MediaType.PDF: "pdf",
    MediaType.TEXT: "txt",
    MediaType.LINK: "txt",
}
"""How an original's entry ends, by what it is."""
WHY_WITHHELD: Final = "原件由提交的一方保管，本包只列指纹。"
WHY_ERASED: Final = "原件已按规定删除，只留指纹。"
WHY_MASKING: Final = "预览刚遮过，遮盖还没有写进公开日志，本包里先不附。"
WHY_LOST: Final = "平台保管的原件缺失或损坏，读不出来，本包没有附上；请联系平台。"
WHY_PREVIEW: Final = "这是预览；原件由提交的一方和平台保管。"


class Reader(NamedTuple):
    """For whom a pack is made: the account whose own originals it carries; staff carry all, nobody carries none."""

    account_id: int | None
    is_staff: bool

    @property
    def variant(self) -> Variant:
        """Full for staff, redacted for everybody else."""
        return "full" if self.is_staff else "redacted"

    def may_have(self, item: Item) -> bool:
        """Whether the original of an item goes into the pack."""
        return item.erased_at is None and (self.is_staff or item.given_by == self.account_id)


class Carried(NamedTuple):
    """The items as the pack, the pages and the paper show them; `pictures` by the names the paper calls them.

    `lost` has the numbers of those whose original would be there if the store could give it whole.
    """

    items: list[PackItem]
    shown: list[ShownItem]
    pictures: dict[str, bytes]
    lost: list[int]


async def carried(files: Files, read: OrderRead, reader: Reader, folder: Path) -> Carried:
    """Put the originals the reader may have into the folder, and say how each logged item is carried."""
    numbers, masks = _numbers(read, "evidence_item"), _numbers(read, "evidence_mask")
    done = Carried([], [], {}, [])
    for item in read.items:
        if item.item_id not in numbers:
            continue
        preview = await _preview(files, read, item)
        picture = ""
        if item.is_image and preview is not None and (small := await asyncio.to_thread(thumbnail, preview)):
            picture = f"{item.item_no:03}.jpg"
            done.pictures[picture] = small
        # A preview that was blacked out is fixed by the record of that, not by the item's own.
        fixed_by = numbers[item.item_id] if item.mask_id is None else masks.get(item.mask_id)
        packed = await _packed(
            files, item, numbers[item.item_id], None if fixed_by is None else preview, reader, folder
        )
        if packed.shown == "preview" and fixed_by is not None:
            packed = replace(packed, record=fixed_by)
        why = WHY_MASKING if packed.shown == "withheld" and fixed_by is None else _why(item, packed.shown)
        if reader.may_have(item) and packed.shown != "original":
            why = WHY_LOST
            done.lost.append(item.item_no)
        done.items.append(packed)
        done.shown.append(ShownItem(item=item, shown=packed.shown, file=item_file(packed), why=why, picture=picture))
    return done


def _numbers(read: OrderRead, source: str) -> dict[int, int]:
    """Number a source's records as the pack does, by the rows they were written from."""
    return {record.source_id: no for no, record in enumerate(read.records, 1) if record.source == source}


async def _preview(files: Files, read: OrderRead, item: Item) -> bytes | None:
    """Get the preview the snapshot knew; None where there is none, it was blacked out since, or the store lost it."""
    try:
        seen = await files.preview(read.order.shop_id, read.order.order_id, item.item_id)
    except (BlobDamaged, FileNotFoundError):
        return None
    if not isinstance(seen, FileBody) or item.preview_digest not in (None, seen.digest):
        return None
    return seen.content


async def _packed(
    files: Files, item: Item, record: int, preview: bytes | None, reader: Reader, folder: Path
) -> PackItem:
    packed = PackItem(
        no=item.item_no,
        name=item.file_name,
        media_type=item.media_type.value,
        size=item.byte_size,
        sha256=item.digest,
        record=record,
        shown="withheld",
    )
    original = folder / f"item-{item.item_no}"
    if reader.may_have(item) and await _copy(files, item, original):
        return replace(packed, shown="original", extension=ENDINGS[item.media_type], source=original)
    if preview is not None and item.erased_at is None:
        return replace(packed, shown="preview", extension="webp" if item.is_image else "txt", source=preview)
    return packed


def _why(item: Item, shown: str) -> str:
    if item.erased_at is not None:
        return WHY_ERASED
    return {"original": "", "preview": WHY_PREVIEW, "withheld": WHY_WITHHELD}[shown]


async def _copy(files: Files, item: Item, path: Path) -> bool:
    """Copy an original; false where the store cannot give it whole, so that one lost file costs nobody the pack."""
    sealed = SealedFile(
        file_name=item.file_name, media_type=item.media_type, byte_size=item.byte_size, digest=item.digest
    )
    try:
        with path.open("wb") as target:
            async for piece in files.read(sealed):
                await asyncio.to_thread(target.write, piece)
    except (BlobDamaged, FileNotFoundError):
        return False
    return True


def packed_records(records: Sequence[StoredRecord], proofs: Mapping[int, bytes]) -> list[PackRecord]:
    """Write the records of a pack.

    A body is carried only beside a proof that has its salt, so that an erasure that came in between is honoured.
    """
    return [
        PackRecord(
            no=no,
            kind=record.kind,
            body=record.body if b"\nextra " in proofs[record.position] else None,
            commitment=record.commitment,
            proof=proofs[record.position],
        )
        for no, record in enumerate(records, 1)
    ]


def told_records(
    records: Sequence[StoredRecord], packed: Sequence[PackRecord]
) -> list[tuple[StoredRecord, str | None, str | None]]:
    """Set beside each record the files of its body and its proof, for the page."""
    return [
        (record, record_file(one.no) if one.body is not None else None, proof_file(one.no))
        for record, one in zip(records, packed, strict=True)
    ]


def papers_of(
    read: OrderRead, pages: Mapping[str, bytes], pdf: bytes, ruled: "tuple[RulingFacts, bytes] | None"
) -> list[PackFile]:
    """Name the papers, pages and documents of a pack."""
    files = [
        PackFile(name="index.html", role="index", source=pages["index.html"]),
        PackFile(name="pack.pdf", role="paper", source=pdf),
        PackFile(name="documents/listing.json", role="document", source=canonical_bytes(read.order.document)),
        PackFile(name="documents/listing.html", role="document", source=pages["listing.html"]),
    ]
    if ruled is not None:
        facts, ruling_pdf = ruled
        ruling = canonical_bytes(ruling_document(facts))
        files.append(PackFile(name="ruling/ruling.json", role="ruling", source=ruling))
        files.append(PackFile(name="ruling/ruling.pdf", role="ruling", source=ruling_pdf))
    return files
