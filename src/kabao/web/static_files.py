"""The style sheet, script and icons: small, the same for everyone, kept by browsers under their content's name.

They are sent compressed; pages are not, since a compressed page that repeats what was typed beside a token would
let an onlooker guess the token by its length.
"""

import gzip
import mimetypes
from functools import cache
from pathlib import Path
from typing import Final, NamedTuple

from litestar import get
from litestar.exceptions import NotFoundException
from litestar.params import FromPath

from kabao.web.http import Page, PageRequest
from kabao.web.render import STATIC, folder_digest

FOR_EVER: Final = "public, max-age=31536000, immutable"
ALONE: Final = ("verify/", "default-src 'none'; script-src 'self'")
"""Scripts whose worker may load its modules and connect to nothing, and the policy that says so."""
WORTH_COMPRESSING: Final = 512


class Stored(NamedTuple):
    """A file as it is sent."""

    media_type: str
    plain: bytes
    packed: bytes | None


@cache
def stored_files() -> dict[str, Stored]:
    """Read every file once; a path that is not in here does not exist, whatever it spells."""
    return {path.relative_to(STATIC).as_posix(): _stored(path) for path in sorted(STATIC.rglob("*")) if path.is_file()}


def _stored(path: Path) -> Stored:
    content = path.read_bytes()
    packed = gzip.compress(content, mtime=0) if len(content) > WORTH_COMPRESSING else None
    return Stored(mimetypes.guess_type(path.name)[0] or "application/octet-stream", content, packed)


@get("/static/{name:path}")
async def static_file(request: PageRequest, name: FromPath[Path]) -> Page:
    """Send one file; raises NotFoundException for any other."""
    plain = _plain_name(name.as_posix().lstrip("/"))
    found = stored_files().get(plain)
    if found is None:
        raise NotFoundException
    headers = {"cache-control": FOR_EVER, "vary": "accept-encoding", "x-content-type-options": "nosniff"}
    if plain.startswith(ALONE[0]):
        headers["content-security-policy"] = ALONE[1]
    if found.packed is not None and "gzip" in request.headers.get("accept-encoding", ""):
        return Page(found.packed, media_type=found.media_type, headers=headers | {"content-encoding": "gzip"})
    return Page(found.plain, media_type=found.media_type, headers=headers)


def _plain_name(name: str) -> str:
    """Undo `static_folder_url`: `verify@<digest>/page.js` is `verify/page.js` as long as the digest is right."""
    folder, _, file = name.partition("/")
    bare, at, digest = folder.partition("@")
    if not at:
        return name
    return f"{bare}/{file}" if bare in _versioned() and digest == folder_digest(bare) else ""


@cache
def _versioned() -> frozenset[str]:
    return frozenset(path.name for path in STATIC.iterdir() if path.is_dir())


handlers = [static_file]
