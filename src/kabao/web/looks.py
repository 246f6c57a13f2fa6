"""What staff look at beside the cases they decide: sides that write too much, and words both sides see masked."""

from litestar import get, post
from litestar.params import FromPath

from kabao.kernel import Refused
from kabao.web.http import Page, PageRequest, Visit, page, posted, redirect, refusal_page, signed
from kabao.web.words import PARTIES, SEEN


@get("/desk/looks")
async def looks_page(request: PageRequest) -> Page:
    """List the cases where somebody wrote too much and nobody has looked."""
    visit = await signed(request)
    if not isinstance(visit, Visit):
        return visit
    floods = await visit.services.cases.floods(visit.me)
    if isinstance(floods, Refused):
        return refusal_page(visit, floods, back="/desk", link="回客服台")
    return page("desk_looks.html", visit, private=True, floods=floods, parties=PARTIES)


@post("/desk/looks/{ref:str}", status_code=200)
async def seen(request: PageRequest, ref: FromPath[str]) -> Page:
    """Note that somebody has looked."""
    visit = await posted(request)
    if not isinstance(visit, Visit):
        return visit
    refused = await visit.services.cases.flood_seen(visit.me, ref)
    if isinstance(refused, Refused):
        return refusal_page(visit, refused, back="/desk/looks", link="回列表")
    return redirect("/desk/looks", flash=SEEN, visit=visit)


@get("/desk/{ref:str}/originals")
async def originals_page(request: PageRequest, ref: FromPath[str]) -> Page:
    """Show staff what was written where both sides read it masked."""
    visit = await signed(request)
    if not isinstance(visit, Visit):
        return visit
    found = await visit.services.cases.originals(visit.me, ref)
    if isinstance(found, Refused):
        return refusal_page(visit, found, back="/desk", link="回客服台")
    return page("desk_originals.html", visit, private=True, ref=ref, originals=found, parties=PARTIES)


handlers = [looks_page, seen, originals_page]
