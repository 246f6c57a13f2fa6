"""The public log for everyone: a page that says what it is, and files for those who mirror it (c2sp.org/tlog-tiles).

The files need no session and say the same to everyone, so that any cache may keep them; a tile never changes.
"""

from http import HTTPStatus
from typing import Final

from litestar import get
from litestar.params import FromPath

from kabao.tlog import parse_tile_path
from kabao.web.http import HEADERS, Page, PageRequest, enter, page, services_of
from kabao.web.static_files import FOR_EVER

TILES: Final = "/log/tile/"
OPEN: Final = {
    **HEADERS,
    "content-security-policy": "default-src 'none'; sandbox",
    "access-control-allow-origin": "*",
    "cross-origin-resource-policy": "cross-origin",
}
"""A mirror or a page elsewhere may read the log too."""


@get("/log")
async def log_page(request: PageRequest) -> Page:
    """Say what the log is, whose key signs it, how far it reaches, who watches it, and how to copy it."""
    visit = await enter(request)
    on = visit.services.foundations
    return page(
        "log.html",
        visit,
        head=await on.log.head(),
        origin=on.log.origin,
        key=on.log.verifier_key,
        witnessed=await on.log.witnessed(),
        authorities=await on.stamps.waiting(),
        address=visit.services.settings.origin,
    )


@get("/log/checkpoint")
async def checkpoint(request: PageRequest) -> Page:
    """Send the newest signed tree head, with the cosignatures it has so far."""
    log = services_of(request).foundations.log
    head = await log.head()
    note = head.note + await log.cosignatures(head.size)
    return Page(note, media_type="text/plain", headers=OPEN | {"cache-control": "public, max-age=2"})


def _as_sent(request: PageRequest) -> str:
    """Return the path before anything was decoded or tidied; any byte beyond ASCII makes it another."""
    return (request.scope.get("raw_path") or b"").partition(b"?")[0].decode("ascii", errors="replace")


@get("/log/tile/{path:path}")
async def tile(request: PageRequest, path: FromPath[str]) -> Page:  # noqa: ARG001  read as it was sent, below
    """Send a tile or an entry bundle; 404 beyond the newest checkpoint and for every other spelling."""
    wanted = parse_tile_path(_as_sent(request).removeprefix(TILES))
    found = None if wanted is None else await services_of(request).foundations.log.tile(*wanted)
    if found is None:
        words = "there is no such tile under the newest checkpoint\n"
        return Page(
            words,
            status_code=HTTPStatus.NOT_FOUND,
            media_type="text/plain",
            headers=OPEN | {"cache-control": "no-store"},
        )
    return Page(found, media_type="application/octet-stream", headers=OPEN | {"cache-control": FOR_EVER})


handlers = [log_page, checkpoint, tile]
