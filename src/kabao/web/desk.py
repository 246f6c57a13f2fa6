"""The desk of those who decide: the check of staff, the queue, a case with both sides, drafts, the ruling in two steps.

Questions, first views, votes and the rest of the ladder are in `ladder`.
"""

from collections.abc import Sequence
from datetime import datetime
from typing import Final

from litestar import Response, get, post
from litestar.params import FromPath

from kabao.cases import RULED_BY, Action, CaseView, DecisionView, DeskView, Remedy, Rule
from kabao.cases.ladder.awards import differs
from kabao.cases.ladder.grounds import TAKES, Point
from kabao.cases.ladder.model import UNDO
from kabao.identity import CASE_ROLES, Act
from kabao.kernel import Refusal, Refused
from kabao.web.cases import used_percent, version_of
from kabao.web.deskforms import (
    CITED,
    FIELDS,
    NOT_DRAFTED,
    NOT_KEPT,
    Citing,
    citing_of,
    given_by,
    read_fact,
    read_ruling,
)
from kabao.web.deskqueue import queue_of
from kabao.web.deskview import (
    AXIS_WIDTH,
    ToldPoint,
    agreements,
    axis_of,
    compared,
    suggestion_text,
    told_points,
    typed_of,
)
from kabao.web.http import (
    HEADERS,
    Page,
    PageRequest,
    Visit,
    page,
    posted,
    redirect,
    refusal_page,
    signed,
)
from kabao.web.macros import Macro, macros_of, summary_of
from kabao.web.render import stamp
from kabao.web.rulings import ruling_preview
from kabao.web.words import (
    AUTHORITIES,
    DRAFT_DROPPED,
    DRAFT_SAVED,
    FAVOURS,
    OUTCOMES,
    OUTSIDE,
    PARTIES,
    REPLACING,
    RULED,
    SENT,
    STAFF_OK,
    SURENESS,
    WAYS,
    size_text,
)

TALK: Final = frozenset({Action.SAY, Action.ADD_FILE})


@get("/desk")
async def queue_page(request: PageRequest) -> Page:
    """List what waits for who is signed in, the least time left first."""
    visit = await _staff(request)
    if not isinstance(visit, Visit):
        return visit
    return page("desk.html", visit, queue=await queue_of(visit), c=None)


@get("/desk/check")
async def check_page(request: PageRequest) -> Page:
    """Ask a staff member for password and one-time code."""
    visit = await signed(request)
    if not isinstance(visit, Visit):
        return visit
    if CASE_ROLES.isdisjoint(visit.me.roles):
        return refusal_page(visit, Refused(Refusal.NOT_FOUND))
    return page("desk_check.html", visit, private=True)


@post("/desk/check", status_code=200)
async def check(request: PageRequest) -> Page:
    """Check a staff member; it holds for twelve hours."""
    visit = await posted(request)
    if not isinstance(visit, Visit) or visit.signed_in is None:
        return visit if not isinstance(visit, Visit) else refusal_page(visit, Refused(Refusal.SIGN_IN_REQUIRED))
    form = visit.form
    wrong = await visit.services.identity.staff_check(visit.signed_in, form.raw("password"), form.text("totp"))
    if isinstance(wrong, Refused):
        errors = {"password" if wrong.code is Refusal.WRONG_CREDENTIALS else "": wrong.zh}
        return page("desk_check.html", visit, status=wrong.status, private=True, errors=errors)
    return redirect("/desk", flash=STAFF_OK, visit=visit)


@get("/desk/{ref:str}")
async def desk_case(request: PageRequest, ref: FromPath[str]) -> Page:
    """Show a case with both sides, its evidence and the ruling form."""
    found = await desk_case_of(request, ref)
    if not isinstance(found, tuple):
        return found
    return await show_desk(*found)


@get("/desk/{ref:str}/beside")
async def beside_page(request: PageRequest, ref: FromPath[str]) -> Page:
    """Answer the page's script who else has the case open and whether it has moved on; renews one's own lease."""
    found = await desk_case_of(request, ref)
    if not isinstance(found, tuple):
        return found
    visit, case = found
    beside = await visit.services.cases.desk.arrive(visit.me, case.ref)
    if isinstance(beside, Refused):
        return refusal_page(visit, beside, back="/desk", link="回客服台")
    points = await visit.services.cases.ladder.points(visit.me, case.ref)
    is_new = _version(case, points) != request.query_params.get("v", "")
    return page("desk_beside.html", visit, private=True, c=case, beside=beside, is_new=is_new, parties=PARTIES)


@post("/desk/{ref:str}/draft", status_code=200)
async def draft(request: PageRequest, ref: FromPath[str]) -> Page:
    """Keep, or throw away, what somebody has typed of a ruling; the page's script is answered with the time alone."""
    found = await desk_case_of(request, ref, is_post=True)
    if not isinstance(found, tuple):
        return found
    visit, case = found
    desk = visit.services.cases.desk
    if visit.form.text("step") == "drop":
        await desk.drop_draft(visit.me, case.ref)
        return redirect(f"/desk/{case.ref}", flash=DRAFT_DROPPED, visit=visit)
    saved: datetime | Refused = Refused(Refusal.TOO_MANY_TRIES)
    if await visit.services.identity.may(Act.SAVE_DRAFT, visit.me.account_id):
        saved = await desk.save_draft(visit.me, case.ref, typed_of(visit.form.typed(), NOT_KEPT))
    if "x-kabao-draft" in request.headers:
        text, status = (saved.zh, saved.status) if isinstance(saved, Refused) else (stamp(saved)[11:], 200)
        return Response(
            text, status_code=status, media_type="text/plain", headers=HEADERS | {"cache-control": "no-store"}
        )
    if isinstance(saved, Refused):
        return await show_desk(visit, case, errors=saved.fields or {"": saved.zh}, status=saved.status)
    return redirect(f"/desk/{case.ref}#a-h", flash=DRAFT_SAVED, visit=visit)


@post("/desk/{ref:str}/say", status_code=200)
async def desk_say(request: PageRequest, ref: FromPath[str]) -> Page:
    """Write to both sides."""
    found = await desk_case_of(request, ref, is_post=True)
    if not isinstance(found, tuple):
        return found
    visit, case = found
    if not await visit.services.identity.may(Act.SAY, visit.me.account_id):
        too_often = Refused(Refusal.TOO_MANY_TRIES)
        return await show_desk(visit, case, errors={"": too_often.zh}, status=too_often.status)
    said = await visit.services.cases.say(visit.me, case.ref, visit.form.text("body"))
    if isinstance(said, Refused):
        return await show_desk(visit, case, errors=said.fields or {"": said.zh}, status=said.status)
    return redirect(f"/desk/{case.ref}", flash=SENT, visit=visit)


@post("/desk/{ref:str}/fact", status_code=200)
async def desk_fact(request: PageRequest, ref: FromPath[str]) -> Page:
    """Keep what support finds of a fact: which way, by what kind of evidence, how surely; no decision is shown."""
    found = await desk_case_of(request, ref, is_post=True)
    if not isinstance(found, tuple):
        return found
    visit, case = found
    wish = read_fact(visit)
    if isinstance(wish, dict):
        return await show_desk(visit, case, errors=wish, status=422)
    if not await visit.services.identity.may(Act.SAY_FACT, visit.me.account_id):
        too_often = Refused(Refusal.TOO_MANY_TRIES)
        return await show_desk(visit, case, errors={"": too_often.zh}, status=too_often.status)
    said = await visit.services.decisions.say_fact(visit.me, case.ref, wish)
    if isinstance(said, Refused):
        return await show_desk(visit, case, errors=said.fields or {"": said.zh}, status=said.status)
    return redirect(f"/desk/{case.ref}#said-h", flash=SENT, visit=visit)


@post("/desk/{ref:str}/rule", status_code=200)
async def rule(request: PageRequest, ref: FromPath[str]) -> Page:
    """First show what the ruling will do; with the second step, rule."""
    found = await desk_case_of(request, ref, is_post=True)
    if not isinstance(found, tuple):
        return found
    visit, case = found
    wish, errors = read_ruling(visit, case, *await resting_on(visit, case))
    if errors or wish is None:
        return await show_desk(visit, case, errors=await with_lacks(visit, case, wish, errors), status=422)
    step, typed = visit.form.text("step"), typed_of(visit.form.typed(), NOT_DRAFTED)
    if step == "back":
        return await show_desk(visit, case)
    # What two people rule at once is lost for neither: the one who comes second still has the draft.
    await visit.services.cases.desk.save_draft(visit.me, case.ref, typed_of(visit.form.typed(), NOT_KEPT))
    if step != "sure":
        return await show_preview(visit, case, wish, typed)
    ruled = await visit.services.cases.ladder.rule(visit.me, case.ref, wish)
    if isinstance(ruled, Refused):
        again = await visit.services.cases.case(visit.me, case.ref)
        now = case if isinstance(again, Refused) else again
        return await show_desk(visit, now, errors=ruled.fields or {"": ruled.zh}, status=ruled.status)
    return redirect(f"/desk/{case.ref}", flash=RULED, visit=visit)


async def with_lacks(
    visit: Visit, case: CaseView, wish: Rule | None, errors: dict[str, str], *, is_vote: bool = False
) -> dict[str, str]:
    """Add to what is wrong with the fields of a form what it lacks beside, so that all of it is told at once."""
    if wish is None:
        return errors
    lacks = await visit.services.cases.ladder.wanting(visit.me, case.ref, wish, is_vote=is_vote)
    if isinstance(lacks, Refused):
        return {_field_of(lacks): lacks.zh} | errors
    later = await _come_since(visit, case, wish)
    decision = await _decision(visit, case, [one.key for one in later])
    return form_names(_with_suggestion(case, wish, decision, lacks)) | errors


def _with_suggestion(
    case: CaseView, wish: Rule, decision: DecisionView | None, lacks: dict[str, str]
) -> dict[str, str]:
    """Name what the rules suggest where a ruling lacks why it differs; who lacks that has seen the suggestion."""
    suggested = None if decision is None else decision.suggests(case.demand, case.held_minor)
    if "differs_reason" not in lacks or not differs(suggested, given_by(wish, case)):
        return lacks
    told = "没有推出赔偿" if decision is None or suggested is None else f"推出的是{suggestion_text(decision)}"
    return lacks | {"differs_reason": f"按规则{told}，你写的不同，要写明为什么。"}


async def show_preview(
    visit: Visit, case: CaseView, wish: Rule, typed: dict[str, str], *, is_vote: bool = False
) -> Page:
    """Show a ruling, or what a vote asks for, as both parties will read it, before it is handed in."""
    later = await _come_since(visit, case, wish)
    given, decision = given_by(wish, case), await _decision(visit, case, [one.key for one in later])
    suggested = None if decision is None else decision.suggests(case.demand, case.held_minor)
    lacks = await visit.services.cases.ladder.wanting(visit.me, case.ref, wish, is_vote=is_vote)
    if isinstance(lacks, Refused):
        return await show_desk(visit, case, errors={_field_of(lacks): lacks.zh}, status=lacks.status)
    if lacks:
        told = form_names(_with_suggestion(case, wish, decision, lacks))
        return await show_desk(visit, case, errors=told, status=422)
    preview = await ruling_preview(visit.services, visit.me, case.ref, wish, visit.now)
    if isinstance(preview, Refused):
        return await show_desk(visit, case, errors={"": preview.zh}, status=preview.status)
    beside = await visit.services.cases.desk.arrive(visit.me, case.ref)
    own = None if isinstance(beside, Refused) else beside.own_view
    return page(
        "desk_rule.html",
        visit,
        private=True,
        c=case,
        wish=wish,
        is_vote=is_vote,
        is_alone=not isinstance(beside, Refused) and beside.seats is not None and beside.seats.needed == 1,
        refund=given.refund_minor,
        typed=typed,
        preview=preview,
        labels=dict(REPLACING),
        agreed=agreements(given, own, suggested),
        later=later,
        parties=PARTIES,
    )


def _field_of(refused: Refused) -> str:
    return "damages" if refused.code is Refusal.DAMAGES_OUT_OF_RANGE else ""


async def _come_since(visit: Visit, case: CaseView, wish: Rule) -> list[ToldPoint]:
    """Name what the parties brought forward since the form was opened, and whoever rules neither read nor answered."""
    read = None if wish.read is None else {*wish.read, *(one.point for one in wish.grounds.answers)}
    points = await visit.services.cases.ladder.points(visit.me, case.ref)
    if read is None or isinstance(points, Refused):
        return []
    facts = await visit.services.decisions.facts(visit.me, case.ref)
    return told_points([one for one in points if one.key not in read], facts, [])


async def _staff(request: PageRequest, *, is_post: bool = False) -> Visit | Page:
    """Let checked staff in; to anyone else the desk does not exist."""
    visit = await (posted if is_post else signed)(request)
    if not isinstance(visit, Visit):
        return visit
    if CASE_ROLES.isdisjoint(visit.me.roles):
        return refusal_page(visit, Refused(Refusal.NOT_FOUND))
    return visit if visit.me.staff_checked else redirect("/desk/check")


async def desk_case_of(request: PageRequest, ref: str, *, is_post: bool = False) -> tuple[Visit, CaseView] | Page:
    """Find a case for checked staff; somebody who is a party is led to its own page."""
    visit = await _staff(request, is_post=is_post)
    if not isinstance(visit, Visit):
        return visit
    case = await visit.services.cases.case(visit.me, ref)
    if isinstance(case, Refused):
        return refusal_page(visit, case, back="/desk", link="回客服台")
    if case.viewer.is_party:
        # Someone who is a party reads the case on its own page, like every party, and rules nothing here.
        return redirect(f"/c/{case.ref}")
    return visit, case


async def resting_on(visit: Visit, case: CaseView) -> tuple[list[Point], Citing]:
    """Read what a ruling answers and may name."""
    points = await visit.services.cases.ladder.points(visit.me, case.ref)
    judge = await visit.services.decisions.judge(case)
    book = None if isinstance(judge, Refused) else judge.book
    return [] if isinstance(points, Refused) else points, citing_of(book, case)


def form_names(errors: dict[str, str]) -> dict[str, str]:
    """Tell what is wrong at the fields of the form: the first of several for what a ruling names."""
    fields = {"articles": "article_1", "laws": "law_1"}
    return {fields.get(name, name): text for name, text in errors.items()}


async def _decision(visit: Visit, case: CaseView, unread: Sequence[str] = ()) -> DecisionView | None:
    """Ask the rulebook, for somebody who has put a first view down; nobody else is told anything."""
    if not case.reads_rules:
        return None
    decision = await visit.services.decisions.decision(visit.me, case.ref, unread)
    return None if isinstance(decision, Refused) else decision


async def show_desk(visit: Visit, case: CaseView, *, errors: dict[str, str] | None = None, status: int = 200) -> Page:
    """Show a case on the desk."""
    services, order, query = visit.services, case.order, visit.request.query_params
    beside = await services.cases.desk.arrive(visit.me, case.ref)
    if isinstance(beside, Refused):
        return refusal_page(visit, beside, back="/desk", link="回客服台")
    checks = await services.archive.checklists.of(case)
    facts = await services.decisions.facts(visit.me, case.ref)
    decision = await _decision(visit, case)
    items = await services.evidence.items(order.shop_id, order.order_id)
    macros = macros_of(case, visit.now)
    points, citing = await resting_on(visit, case)
    return page(
        "desk.html",
        visit,
        status=status,
        errors=form_names(errors or {}),
        queue=await queue_of(visit, case.ref),
        c=case,
        o=order,
        beside=beside,
        version=_version(case, points),
        has_precedents=await visit.services.precedents.has_like(case.claim),
        axis=axis_of(case, visit.now),
        axis_width=AXIS_WIDTH,
        checks=None if isinstance(checks, Refused) else checks,
        items=items,
        compared=compared(items, query.get("left", ""), query.get("right", "")),
        may=frozenset(str(action) for action in case.allowed),
        acts=bool(case.allowed - TALK),
        decision=decision,
        suggested=None if decision is None else decision.suggests(case.demand, case.held_minor),
        suggestion="" if decision is None else suggestion_text(decision),
        ruled_by=RULED_BY,
        parties=PARTIES,
        outside=OUTSIDE,
        authorities=AUTHORITIES,
        outcomes=REPLACING if case.demand is Remedy.REPLACEMENT else OUTCOMES,
        macros=macros,
        form=_filled(visit, case, beside, macros, points),
        points=told_points(points, facts, items),
        come=_come_in_undo(case, points),
        citing=citing,
        cited=CITED,
        takes=tuple((take.value, text) for take, text in TAKES.items()),
        waits=[one for one in case.questions if one.is_open and one.stage == case.stage],
        unsent=_unsent(visit, case, beside),
        summary=summary_of(case, len(items)),
        facts=None if isinstance(facts, Refused) else facts,
        favours=FAVOURS,
        ways=tuple(WAYS.items()),
        sureness=SURENESS,
        size_text=size_text,
        used=used_percent(case, visit),
    )


def _version(case: CaseView, points: Sequence[Point] | Refused) -> str:
    """Name what an open desk showed: the case, and how much the parties had brought forward."""
    return f"{version_of(case)}-{0 if isinstance(points, Refused) else len(points)}"


def _come_in_undo(case: CaseView, points: Sequence[Point]) -> bool:
    """Tell whether something came in since a ruling was handed in that can still be taken back."""
    return case.pending is not None and any(one.at > case.pending.visible_at - UNDO for one in points)


def _filled(
    visit: Visit, case: CaseView, beside: DeskView, macros: list[Macro], points: Sequence[Point]
) -> dict[str, str]:
    """Fill the forms: what was typed just now, then a template asked for, then one's own draft of this stage."""
    kept = beside.draft.typed if beside.draft is not None and beside.draft.stage == case.stage else {}
    wanted = visit.request.query_params.get("macro", "")
    for macro in macros:
        if macro.key == wanted:
            kept = kept | ({"question": macro.text, "to": macro.to} if macro.to else {"body": macro.text})
    names = [*FIELDS, *(f"{part}_{point.key}" for point in points for part in ("take", "why"))]
    return {name: visit.form.text(name) or kept.get(name, "") for name in names}


def _unsent(visit: Visit, case: CaseView, beside: DeskView) -> list[str]:
    """Give back what somebody has written of a ruling that can no longer be handed in."""
    if case.pending is not None or not case.allowed.isdisjoint({Action.RULE, Action.VOTE, Action.FIRST_VIEW}):
        return []
    kept = {} if beside.draft is None else beside.draft.typed
    return [text for name in ("facts", "reasons") if (text := visit.form.text(name) or kept.get(name, ""))]


handlers = [queue_page, check_page, check, desk_case, beside_page, draft, desk_say, desk_fact, rule]
