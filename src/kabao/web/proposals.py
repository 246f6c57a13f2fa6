"""Proposals to change the rules: what was put up and what became of it, one's own, and the form for another."""

from litestar import get, post

from kabao.figures import Propose
from kabao.identity import Act
from kabao.kernel import Refusal, Refused
from kabao.web.http import Page, PageRequest, Visit, enter, page, posted, redirect, signed
from kabao.web.words import SENT

FIELDS = ("article", "clause", "suggestion", "reason")


@get("/rules/proposals")
async def proposals_page(request: PageRequest) -> Page:
    """List what was put up for everybody, and one's own."""
    visit = await enter(request)
    proposals = visit.services.proposals
    return page(
        "proposals.html",
        visit,
        shown=await proposals.shown(),
        own=[] if visit.person is None else await proposals.own(visit.person),
        titles=await _titles(visit),
    )


@get("/rules/proposals/new")
async def new_page(request: PageRequest) -> Page:
    """Ask what should be changed."""
    visit = await signed(request)
    if not isinstance(visit, Visit):
        return visit
    return await _form(visit, dict.fromkeys(FIELDS, "") | {"article": request.query_params.get("article", "")[:80]})


@post("/rules/proposals/new", status_code=200)
async def propose(request: PageRequest) -> Page:
    """File a proposal; nobody reads it but the rulekeeper until it is put up."""
    visit = await posted(request)
    if not isinstance(visit, Visit):
        return visit
    form = {name: visit.form.text(name) for name in FIELDS}
    if not await visit.services.identity.may(Act.PROPOSE, visit.me.account_id):
        filed: int | Refused = Refused(Refusal.TOO_MANY_TRIES)
    else:
        filed = await visit.services.proposals.propose(visit.me, Propose(**form))
    if isinstance(filed, Refused):
        return await _form(visit, form, errors=filed.fields or {"": filed.zh}, status=filed.status)
    return redirect("/rules/proposals", flash=SENT, visit=visit)


async def _form(visit: Visit, form: dict[str, str], *, errors: dict[str, str] | None = None, status: int = 200) -> Page:
    options = [("", "不针对哪一条"), *(await _titles(visit)).items()]
    return page(
        "proposal_new.html", visit, status=status, private=True, form=form, errors=errors or {}, articles=options
    )


async def _titles(visit: Visit) -> dict[str, str]:
    """Name the articles in force, by number."""
    current = await visit.services.rulebook.in_force()
    if isinstance(current, Refused):
        return {}
    ordered = sorted(current.book.articles.values(), key=lambda one: one.number)
    return {one.article_id: f"第 {one.number} 条 {one.title.zh}" for one in ordered}


handlers = [proposals_page, new_page, propose]
