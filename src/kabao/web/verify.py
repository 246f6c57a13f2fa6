"""The page that checks an evidence pack inside the reader's browser; no byte of the pack comes here."""

import hashlib
from functools import cache
from pathlib import Path
from typing import Final

from litestar import get

from kabao import packs
from kabao.kernel import Refusal, Refused
from kabao.web.http import Page, PageRequest, enter, page, refusal_page

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


@get("/verify/signer.pem")
async def signer_key(request: PageRequest) -> Page:
    """Hand out the key that packs and rulings are signed with, as OpenSSL reads it; the newest where there are more."""
    visit = await enter(request)
    if not visit.services.pack_keys.signers:
        return refusal_page(visit, Refused(Refusal.NOT_FOUND), back="/verify", link="看怎样核对")
    headers = {
        "content-disposition": 'attachment; filename="signer.pem"',
        "cache-control": "no-cache",
        "x-content-type-options": "nosniff",
    }
    pem = packs.pem_of(visit.services.pack_keys.signers[0])
    return Page(pem, media_type="application/x-pem-file", headers=headers)


@cache
def _verifier() -> bytes:
    return Path(packs.verify.__file__).read_bytes()


handlers = [verify_page, verifier_file, signer_key]
