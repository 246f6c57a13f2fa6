"""The public case library as anyone may read it, with the search for similar cases."""

from http import HTTPStatus
from urllib.parse import urlencode

from litestar import get, post
from litestar.params import FromPath

from kabao.cases import CLAIMS
from kabao.figures import Search
from kabao.figures.precedents import DEEPEST_PAGE, FACTS_ASKED, OUTCOMES, WITHDRAWN
from kabao.kernel import Refused
from kabao.web.http import Page, PageRequest, Visit, enter, own_ref, page, posted, redirect, refusal_page, signed
from kabao.web.words import SAVED

LONGEST_WORD = 60


@get("/precedents")
async def precedents_page(request: PageRequest) -> Page:
    """Search the library by claim, outcome and facts."""
    visit = await enter(request)
    wish = read_search(request)
    found = await visit.services.precedents.search(wish)
    return page(
        "precedents.html",
        visit,
        wish=wish,
        found=found,
        claims=[("", "任何诉求")] + [(claim.claim_id, claim.label) for claim in CLAIMS.values()],
        outcomes=[("", "任何结果"), *OUTCOMES.items()],
        more_href=address(wish, wish.page + 1) if found.has_more and wish.page < DEEPEST_PAGE else "",
        less_href=address(wish, wish.page - 1) if wish.page else "",
    )


@get("/precedents/{public_id:str}")
async def precedent_page(request: PageRequest, public_id: FromPath[str]) -> Page:
    """Show one precedent; staff of its case also a form for the public summary."""
    return await _one(await enter(request), public_id)


@post("/precedents/{public_id:str}/summary", status_code=200)
async def release_summary(request: PageRequest, public_id: FromPath[str]) -> Page:
    """Publish a summary that a member of staff wrote for the public."""
    visit = await posted(request)
    if not isinstance(visit, Visit):
        return visit
    text = visit.form.raw("summary")
    refused = await visit.services.precedents.release_summary(visit.me, public_id, text)
    if refused is None:
        return redirect(f"/precedents/{public_id}", flash=SAVED, visit=visit)
    if refused.fields:
        return await _one(visit, public_id, typed=text, errors=refused.fields, status=refused.status)
    return refusal_page(visit, refused, back="/precedents", link="看公开案例")


@post("/precedents/{public_id:str}/withdraw", status_code=200)
async def withdraw_precedent(request: PageRequest, public_id: FromPath[str]) -> Page:
    """Take a precedent out of the library."""
    visit = await posted(request)
    if not isinstance(visit, Visit):
        return visit
    refused = await visit.services.precedents.withdraw(visit.me, public_id, visit.form.text("why"))
    if refused is None:
        return redirect(f"/precedents/{public_id}", flash=SAVED, visit=visit)
    if refused.fields:
        return await _one(visit, public_id, errors=refused.fields, status=refused.status)
    return refusal_page(visit, refused, back="/precedents", link="看公开案例")


@post("/precedents/{public_id:str}/restore", status_code=200)
async def restore_precedent(request: PageRequest, public_id: FromPath[str]) -> Page:
    """Put a withdrawn precedent back."""
    visit = await posted(request)
    if not isinstance(visit, Visit):
        return visit
    refused = await visit.services.precedents.restore(visit.me, public_id)
    if refused is not None:
        return refusal_page(visit, refused, back="/precedents", link="看公开案例")
    return redirect(f"/precedents/{public_id}", flash=SAVED, visit=visit)


@get("/c/{ref:str}/similar")
async def similar_cases(request: PageRequest, ref: FromPath[str]) -> Page:
    """Lead from a case to those like it; the address names its claim and facts, never the case."""
    visit = await signed(request)
    if not isinstance(visit, Visit):
        return visit
    wish = await visit.services.precedents.like_case(visit.me, ref)
    if isinstance(wish, Refused):
        return refusal_page(visit, wish, back=f"/c/{own_ref(ref)}", link="回到纠纷")
    return redirect(address(wish, 0))


@get("/c/{ref:str}/precedent")
async def precedent_of_case(request: PageRequest, ref: FromPath[str]) -> Page:
    """Lead from a case to its place in the library, or to the library where it is not in it yet."""
    visit = await signed(request)
    if not isinstance(visit, Visit):
        return visit
    public_id = await visit.services.precedents.of_case(visit.me, ref)
    if isinstance(public_id, Refused):
        return refusal_page(visit, public_id, back="/precedents", link="看公开案例")
    return redirect(f"/precedents/{public_id}" if public_id else "/precedents")


def read_search(request: PageRequest) -> Search:
    """Read a search from an address; what is no word of ours finds nothing and hurts nobody."""
    asked = request.query_params
    number = asked.get("page", "")[:4]
    return Search(
        claim=asked.get("claim", "")[:LONGEST_WORD],
        outcome=asked.get("outcome", "")[:LONGEST_WORD],
        facts=[fact[:LONGEST_WORD] for fact in asked.getall("fact", [])[:FACTS_ASKED]],
        page=int(number) if number.isascii() and number.isdigit() else 0,
    )


def address(wish: Search, number: int) -> str:
    """Write the address of a search's page."""
    asked = [("claim", wish.claim), ("outcome", wish.outcome), *(("fact", fact) for fact in wish.facts)]
    asked += [("page", str(number))] if number else []
    return "/precedents?" + urlencode([(name, value) for name, value in asked if value])


async def _one(
    visit: Visit, public_id: str, *, typed: str = "", errors: dict[str, str] | None = None, status: int = 200
) -> Page:
    library = visit.services.precedents
    case_ref = None if visit.person is None else await library.case_behind(visit.person, public_id)
    if (gone := await library.withdrawal(public_id)) is not None:
        return page(
            "precedent_gone.html", visit, status=HTTPStatus.GONE, gone=gone, public_id=public_id, case_ref=case_ref
        )
    found = await library.precedent(public_id)
    if isinstance(found, Refused):
        return refusal_page(visit, found, back="/precedents", link="看公开案例")
    return page(
        "precedent.html",
        visit,
        status=status,
        p=found,
        case_ref=case_ref,
        typed=typed or found.summary,
        errors=errors or {},
        reasons=[(key, why, "") for key, why in WITHDRAWN.items()],
        similar_href=address(Search(claim=found.claim, facts=[fact.literal for fact in found.facts]), 0),
    )


handlers = [
    precedents_page,
    precedent_page,
    release_summary,
    withdraw_precedent,
    restore_precedent,
    similar_cases,
    precedent_of_case,
]
