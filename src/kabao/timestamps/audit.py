"""Checks what is stored of timestamps: data against digests, roots against theirs, every stamp by its own signature."""

from hashlib import sha256
from typing import Final

from kabao.postgres import Connection
from kabao.timestamps import store
from kabao.timestamps.check import check_stored
from kabao.timestamps.model import Faulty, Kept

BATCH: Final = 200


async def stamp_findings(conn: Connection) -> list[tuple[str, str]]:
    """Return what does not hold of the stored timestamps, as ``("timestamp", subject)``.

    Beside each stamp's own check: a round that is missing below a later one. A piece of data that was deleted with all
    its requests leaves nothing here to find it by.
    """
    found = [f"round {gap.round} of {gap.digest.hex()[:16]} is gone" for gap in await store.missing_rounds(conn)]
    found += [f"roots {digest.hex()[:16]} are not those of their digest" for digest in await store.odd_roots(conn)]
    after = (b"", "", 0)
    while batch := await store.kept(conn, after, BATCH):
        for one in batch:
            after = (one.digest, one.authority, one.round)
            if why := _why_not(one):
                found.append(f"{one.subject}, {one.authority or 'data'} {one.digest.hex()[:16]}: {why}")
    return [("timestamp", subject) for subject in found]


def _why_not(one: Kept) -> str:
    if sha256(one.data).digest() != one.digest:
        return "the data is not that of its digest"
    if one.response is None or one.roots_pem is None:
        return ""
    said = check_stored(one.roots_pem, one.data, one.response)
    if isinstance(said, Faulty):
        return f"the stored stamp does not hold: {said.fault}"
    if (said.stamped_at, said.serial, said.expires_at) != (one.stamped_at, one.serial, one.expires_at):
        return "time, serial or end of the certificate are not those of the stamp"
    return ""
