"""The page that checks an evidence pack inside the reader's browser; no byte of the pack comes here."""

import hashlib
from functools import cache
from pathlib import Path
from typing import Final

from litestar import get

from kabao import packs
from kabao.web.http import Page, PageRequest, enter, page

POLICY: Final = (
    "default-src 'none'; script-src 'self'; style-src 'self'; img-src 'self' data: blob:; connect-src 'none'; "
    "worker-src 'self'; form-action 'self'; base-uri 'none'; frame-ancestors 'none'"
)
"""What the page may do: show pictures out of the pack, and connect to nothing at all."""


@get("/verify")
async def verify_page(request: PageRequest) -> Page:
    """Show where to put a pack and the keys of this site to compare; the checking is the browser's."""
    visit = await enter(request)
    answer = page(
        "verify.html",
        visit,
        keys=visit.services.pack_keys,
        verifiers=sorted(packs.known_verifiers()),
        verifier=hashlib.sha256(_verifier()).hexdigest(),
    )
    answer.headers["content-security-policy"] = POLICY
    return answer


@get("/verify/verify.py")
async def verifier_file() -> Page:
    """Hand out the verifier that lies in this site's packs, for those who would not run the one in a pack."""
    headers = {
        "content-disposition": 'attachment; filename="verify.py"',
        "cache-control": "no-cache",
        "x-content-type-options": "nosniff",
    }
    return Page(_verifier(), media_type="text/x-python", headers=headers)


@cache
def _verifier() -> bytes:
    return Path(packs.verify.__file__).read_bytes()


handlers = [verify_page, verifier_file]
