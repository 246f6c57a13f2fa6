"""The page that checks an evidence pack inside the reader's browser; no byte of the pack comes here."""

from typing import Final

from litestar import get

from kabao.packs import known_verifiers
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
    answer = page("verify.html", visit, keys=visit.services.pack_keys, verifiers=sorted(known_verifiers()))
    answer.headers["content-security-policy"] = POLICY
    return answer


handlers = [verify_page]
