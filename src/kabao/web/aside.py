"""Files of a form that came back: put aside as uploads of the giver's own until the form is right, seen by nobody else.

A browser does not keep chosen files. Of an upload that is not finished nobody but its giver learns, and one that
nothing is done with goes after a day.
"""

import hashlib
from collections.abc import AsyncIterator
from typing import Final

from litestar.datastructures import UploadFile

from kabao.evidence import CHUNK_BYTES, Giver, Item, ItemKind, Upload, UploadState
from kabao.identity import Act
from kabao.kernel import Refusal, Refused
from kabao.orders import OrderView
from kabao.web.files import why_left
from kabao.web.http import Visit
from kabao.web.uploads import giver_in
from kabao.web.words import left_sentence

FIELD: Final = "kept"
MOST: Final = 40
ID_DIGITS: Final = 19


async def put_aside(
    visit: Visit, order: OrderView, errors: dict[str, str] | None
) -> tuple[dict[str, str], list[Upload]]:
    """Keep a returned form's files, with those kept before; the errors name each file that was not taken."""
    giver = giver_in(order, visit)
    kept = await _kept(visit, giver)
    left = []
    for chosen in visit.form.files("files"):
        taken = await _take(visit, giver, chosen)
        if isinstance(taken, Upload):
            kept.append(taken)
        else:
            name = chosen.filename or "file"
            left.append(left_sentence(name, why_left(name, taken)))
    return (errors or {}) | ({"files": "".join(left)} if left else {}), kept


async def hand_in(visit: Visit, order: OrderView) -> list[tuple[str, str]]:
    """Make evidence of the files that were put aside; returns the names of those that were not taken, each with why."""
    giver, left = giver_in(order, visit), []
    for upload in await _kept(visit, giver):
        seen = await visit.services.evidence.uploads.see(giver, upload.upload_id)
        chunks = 0 if isinstance(seen, Refused) else len(seen.chunks)
        item = await visit.services.evidence.uploads.finish(giver, upload.upload_id, chunks)
        if not isinstance(item, Item):
            left.append((upload.file_name, str(item.code)))
    return left


async def _kept(visit: Visit, giver: Giver) -> list[Upload]:
    """Return what a form names of the giver's own files of this order that are still aside."""
    texts = list(dict.fromkeys(visit.form.every(FIELD)))[:MOST]
    numbers = [int(text) for text in texts if text.isascii() and text.isdigit() and len(text) <= ID_DIGITS]
    seen = [await visit.services.evidence.uploads.see(giver, number) for number in numbers]
    return [one.upload for one in seen if not isinstance(one, Refused) and one.upload.state is UploadState.OPEN]


async def _take(visit: Visit, giver: Giver, chosen: UploadFile) -> Upload | Refused:
    if not await visit.services.identity.may(Act.GIVE_FILE, visit.me.account_id):
        return Refused(Refusal.TOO_MANY_TRIES)
    uploads, size = visit.services.evidence.uploads, 0
    await chosen.seek(0)
    while piece := await chosen.read(CHUNK_BYTES):
        size += len(piece)
    opened = await uploads.open(giver, ItemKind.FILE, chosen.filename or "file", size)
    if isinstance(opened, Refused):
        return opened
    await chosen.seek(0)
    seq = 0
    while piece := await chosen.read(CHUNK_BYTES):
        seq += 1
        put = await uploads.put(giver, opened.upload_id, seq, hashlib.sha256(piece).digest(), _once(piece))
        if isinstance(put, Refused):
            await uploads.cancel(giver, opened.upload_id)
            return put
    return opened


async def _once(piece: bytes) -> AsyncIterator[bytes]:
    yield piece
