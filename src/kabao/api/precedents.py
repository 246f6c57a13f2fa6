"""The public case library as programs read it."""

from typing import Annotated

import msgspec
from litestar import get
from litestar.params import FromPath, QueryParameter

from kabao.api.documents import READING
from kabao.api.entry import PUBLIC, Caller, services_of
from kabao.api.problems import granted
from kabao.figures import Precedent, Search
from kabao.figures.precedents import DEEPEST_PAGE, FACTS_ASKED


class PrecedentPage(msgspec.Struct, frozen=True, kw_only=True):
    """Twenty precedents at most; with facts asked for, the most alike first."""

    precedents: list[Precedent]
    has_more: bool


@get("/precedents", opt={PUBLIC: True}, responses=READING, tags=["precedents"])
async def precedents(
    request: Caller,
    claim: Annotated[str, QueryParameter(max_length=60)] = "",
    outcome: Annotated[str, QueryParameter(max_length=20)] = "",
    fact: Annotated[
        list[str] | None,
        QueryParameter(max_items=FACTS_ASKED, description="A settled fact, `late` or `no late`; may stand repeatedly."),
    ] = None,
    page: Annotated[int, QueryParameter(ge=0, le=DEEPEST_PAGE)] = 0,
) -> PrecedentPage:
    """Search ruled cases by claim, outcome and settled facts; likeness is the percent of facts in common."""
    wish = Search(claim=claim, outcome=outcome, facts=fact or [], page=page)
    found = await services_of(request).precedents.search(wish)
    return PrecedentPage(precedents=found.precedents, has_more=found.has_more)


@get("/precedents/{public_id:str}", opt={PUBLIC: True}, responses=READING, tags=["precedents"])
async def precedent(request: Caller, public_id: FromPath[str]) -> Precedent:
    """Show one precedent."""
    return granted(await services_of(request).precedents.precedent(public_id))


open_handlers = [precedents, precedent]
