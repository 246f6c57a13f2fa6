"""The ladder on pages: first views, questions and votes on the desk; answers, review and waiver for the parties."""

from functools import partial
from typing import Final

from litestar import get, post
from litestar.params import FromPath

from kabao.cases import Action, CaseView, CastVote, GiveFirstView, Outcome, Remedy, Side
from kabao.identity import Act
from kabao.kernel import Refusal, Refused, parse_yuan
from kabao.web.cases import TOO_OFTEN, case_of, done, posted_case, show_case
from kabao.web.desk import desk_case_of, resting_on, show_desk, show_preview, with_lacks
from kabao.web.deskforms import (
    DAMAGES_WRONG,
    NEEDED,
    NOT_DRAFTED,
    NOT_KEPT,
    SHARES_WRONG,
    read_damages,
    read_grounds,
    read_points,
    read_refund,
    read_shares,
    refund_wrong,
    wished_by,
)
from kabao.web.deskview import typed_of
from kabao.web.files import CHOOSE_AGAIN, take_files
from kabao.web.http import UPLOAD_LIMIT, Page, PageRequest, Visit, page, redirect
from kabao.web.macros import SUMMARY_BLANKS
from kabao.web.words import (
    ASKED,
    AUTHORITIES,
    PASSED_ON,
    QUESTION_WITHDRAWN,
    RECUSED,
    REPLIED,
    REVIEW_ASKED,
    ROUTED_BACK,
    ROUTED_OUT,
    TAKEN_BACK,
    VIEWED,
    VOTED,
    WAIVED,
    Flash,
)

FIELD_OF: Final = {"body": "question"}
"""What a service's field is called in the desk's forms, where it is called otherwise."""
UPHOLDS: Final = {"yes": True, "no": False}


@post("/desk/{ref:str}/first-view", status_code=200)
async def first_view(request: PageRequest, ref: FromPath[str]) -> Page:
    """Put down a first view; only then the suggestion is shown."""
    found = await desk_case_of(request, ref, is_post=True)
    if not isinstance(found, tuple):
        return found
    visit, case = found
    outcome = visit.form.text("outcome")
    refund, damages = read_refund(outcome, visit.form.text("refund"), case), read_damages(visit)
    errors = {} if refund is not None else {"refund": refund_wrong(outcome)}
    if damages is None:
        errors["damages"] = DAMAGES_WRONG
    if outcome not in set(Outcome):
        errors["outcome"] = "选一种结果"
    if not read_shares(visit).is_whole:
        errors["shares"] = SHARES_WRONG
    if not visit.form.text("sentence"):
        errors["sentence"] = "写一句理由"
    if errors or refund is None or damages is None:
        return await show_desk(visit, case, errors=errors, status=422)
    wish = GiveFirstView(
        outcome=outcome,
        refund_minor=refund,
        damages_minor=damages,
        shares=read_shares(visit),
        sentence=visit.form.text("sentence"),
    )
    return await _decided(visit, case, await visit.services.cases.ladder.first_view(visit.me, case.ref, wish), VIEWED)


@post("/desk/{ref:str}/ask", status_code=200)
async def ask(request: PageRequest, ref: FromPath[str]) -> Page:
    """Ask a party."""
    found = await desk_case_of(request, ref, is_post=True)
    if not isinstance(found, tuple):
        return found
    visit, case = found
    to = visit.form.text("to")
    if to not in {Side.BUYER, Side.MERCHANT}:
        return await show_desk(visit, case, errors={"to": "选问谁"}, status=422)
    if not await visit.services.identity.may(Act.SAY, visit.me.account_id):
        return await show_desk(visit, case, errors={"": TOO_OFTEN.zh}, status=TOO_OFTEN.status)
    asked = await visit.services.cases.ladder.ask(visit.me, case.ref, Side(to), visit.form.text("question"))
    return await _decided(visit, case, asked, ASKED)


@post("/desk/{ref:str}/withdraw-question", status_code=200)
async def withdraw_question(request: PageRequest, ref: FromPath[str]) -> Page:
    """Take a question back that nobody has answered."""
    found = await desk_case_of(request, ref, is_post=True)
    if not isinstance(found, tuple):
        return found
    visit, case = found
    number = _number(visit.form.text("question"))
    withdrawn = await visit.services.cases.ladder.withdraw_question(visit.me, case.ref, number)
    return await _decided(visit, case, withdrawn, QUESTION_WITHDRAWN)


@post("/desk/{ref:str}/pass-on", status_code=200)
async def pass_on(request: PageRequest, ref: FromPath[str]) -> Page:
    """Pass a case on to the panel, with a summary that both sides read as well."""
    found = await desk_case_of(request, ref, is_post=True)
    if not isinstance(found, tuple):
        return found
    visit, case = found
    summary = visit.form.text("summary")
    if any(blank in summary for blank in SUMMARY_BLANKS):
        return await show_desk(visit, case, errors={"summary": "把括号里的改成你的话。"}, status=422)
    passed = await visit.services.cases.ladder.pass_on(visit.me, case.ref, summary)
    return await _decided(visit, case, passed, PASSED_ON)


@post("/desk/{ref:str}/route-out", status_code=200)
async def route_out(request: PageRequest, ref: FromPath[str]) -> Page:
    """Hand a case to an authority; first show what that does."""
    found = await desk_case_of(request, ref, is_post=True)
    if not isinstance(found, tuple):
        return found
    visit, case = found
    reason, step = visit.form.text("reason"), visit.form.text("step")
    if not reason:
        return await show_desk(visit, case, errors={"reason": "写为什么转、依据什么证据。"}, status=422)
    if step == "back":
        return await show_desk(visit, case)
    if step != "sure":
        return page("desk_route.html", visit, private=True, c=case, reason=reason, authorities=AUTHORITIES)
    routed = await visit.services.cases.ladder.route_out(visit.me, case.ref, reason)
    return await _left(visit, case, routed, ROUTED_OUT)


@post("/desk/{ref:str}/route-back", status_code=200)
async def route_back(request: PageRequest, ref: FromPath[str]) -> Page:
    """Give a case that an authority has to the panel."""
    found = await desk_case_of(request, ref, is_post=True)
    if not isinstance(found, tuple):
        return found
    visit, case = found
    given = await visit.services.cases.ladder.route_back(visit.me, case.ref, visit.form.text("reason"))
    return await _left(visit, case, given, ROUTED_BACK)


@post("/desk/{ref:str}/vote", status_code=200)
async def vote(request: PageRequest, ref: FromPath[str]) -> Page:
    """Vote on the panel, blind; first show what the vote asks for where that is wanted."""
    found = await desk_case_of(request, ref, is_post=True)
    if not isinstance(found, tuple):
        return found
    visit, case = found
    form, amount = visit.form, parse_yuan(visit.form.text("refund"))
    errors = {} if form.text("upholds") in UPHOLDS else {"upholds": "选成立还是不成立"}
    if amount is None or not 0 < amount.minor <= case.held_minor:
        errors["refund"] = "填 0.01 元到这单还能退的金额之间的数"
    damages, replaces = read_damages(visit), form.text("replaces")
    if damages is None:
        errors["damages"] = DAMAGES_WRONG
    if case.demand is Remedy.REPLACEMENT and replaces not in UPHOLDS:
        errors["replaces"] = "选补发还是退款"
    points, citing = await resting_on(visit, case)
    step, typed = form.text("step"), typed_of(form.typed(), NOT_DRAFTED)
    if step == "back" and not errors:
        return await show_desk(visit, case)
    errors |= {name: text for name, text in NEEDED.items() if not form.text(name)}
    errors |= {} if read_shares(visit).is_whole else {"shares": SHARES_WRONG}
    grounds = read_grounds(visit, points, citing, errors)
    if "upholds" in errors or "refund" in errors or amount is None or damages is None:
        return await show_desk(visit, case, errors=errors, status=422)
    wish = CastVote(
        upholds=UPHOLDS[form.text("upholds")],
        refund_minor=amount.minor,
        damages_minor=damages,
        replaces=UPHOLDS.get(replaces, False),
        shares=read_shares(visit),
        facts=form.text("facts"),
        reasons=form.text("reasons"),
        differs_reason=form.text("differs_reason"),
        grounds=grounds,
        read=read_points(visit),
    )
    if errors:
        told = await with_lacks(visit, case, wished_by(wish, case), errors, is_vote=True)
        return await show_desk(visit, case, errors=told, status=422)
    await visit.services.cases.desk.save_draft(visit.me, case.ref, typed_of(form.typed(), NOT_KEPT))
    if step == "preview":
        return await show_preview(visit, case, wished_by(wish, case), typed, is_vote=True)
    return await _decided(visit, case, await visit.services.cases.ladder.vote(visit.me, case.ref, wish), VOTED)


@post("/desk/{ref:str}/take-back", status_code=200)
async def take_back(request: PageRequest, ref: FromPath[str]) -> Page:
    """Take a ruling back that nobody has seen."""
    found = await desk_case_of(request, ref, is_post=True)
    if not isinstance(found, tuple):
        return found
    visit, case = found
    return await _decided(visit, case, await visit.services.cases.ladder.take_back(visit.me, case.ref), TAKEN_BACK)


@post("/desk/{ref:str}/recuse", status_code=200)
async def recuse(request: PageRequest, ref: FromPath[str]) -> Page:
    """Leave one's seat on the panel."""
    found = await desk_case_of(request, ref, is_post=True)
    if not isinstance(found, tuple):
        return found
    visit, case = found
    refused = await visit.services.cases.ladder.recuse(visit.me, case.ref, visit.form.text("why"))
    return await _left(visit, case, refused, RECUSED)


@post("/c/{ref:str}/reply", status_code=200, request_max_body_size=UPLOAD_LIMIT)
async def reply(request: PageRequest, ref: FromPath[str]) -> Page:
    """Answer a question, and keep the files that go with the answer."""
    found = await posted_case(request, ref)
    if not isinstance(found, tuple):
        return found
    visit, case = found
    if not await visit.services.identity.may(Act.SAY, visit.me.account_id):
        return await show_case(visit, case, errors={"": TOO_OFTEN.zh}, status=TOO_OFTEN.status)
    files, number = visit.form.files("proofs"), _number(visit.form.text("question"))
    answered = await visit.services.cases.ladder.reply(visit.me, case.ref, number, visit.form.text("answer"))
    if isinstance(answered, Refused) and answered.code is Refusal.INVALID_FIELDS:
        again = {f"proofs-{number}": CHOOSE_AGAIN} if files else {}
        return await show_case(visit, case, errors={f"answer-{number}": "写一句话回答。"} | again, status=422)
    if isinstance(answered, Refused):
        return done(visit, case, answered, REPLIED)
    left = await take_files(files, partial(visit.services.cases.add_file, visit.me, case.ref))
    return redirect(f"/c/{case.ref}", flash=REPLIED, visit=visit, left=left)


@post("/c/{ref:str}/review", status_code=200)
async def ask_review(request: PageRequest, ref: FromPath[str]) -> Page:
    """Ask for a review of the ruling."""
    found = await posted_case(request, ref)
    if not isinstance(found, tuple):
        return found
    visit, case = found
    asked = await visit.services.cases.ladder.ask_review(visit.me, case.ref, visit.form.text("reason"))
    if isinstance(asked, Refused) and asked.code is Refusal.INVALID_FIELDS:
        return await show_case(visit, case, errors=asked.fields, status=422)
    return done(visit, case, asked, REVIEW_ASKED)


@get("/c/{ref:str}/waive")
async def waive_page(request: PageRequest, ref: FromPath[str]) -> Page:
    """State what waiving the review gives up before it is done."""
    found = await case_of(request, ref)
    if not isinstance(found, tuple):
        return found
    visit, case = found
    if Action.WAIVE not in case.allowed:
        return redirect(f"/c/{case.ref}")
    return page("case_waive.html", visit, private=True, c=case)


@post("/c/{ref:str}/waive", status_code=200)
async def waive(request: PageRequest, ref: FromPath[str]) -> Page:
    """Waive the review of the ruling."""
    found = await posted_case(request, ref)
    if not isinstance(found, tuple):
        return found
    visit, case = found
    return done(visit, case, await visit.services.cases.ladder.waive(visit.me, case.ref), WAIVED)


def _number(text: str) -> int:
    """Read a question's number; 0, which none has, for what is none."""
    number = int(text) if text.isascii() and text.isdigit() and len(text) < 20 else 0  # noqa: PLR2004  digits of 64 bits
    return number if number < 2**63 else 0


async def _left(visit: Visit, case: CaseView, refused: Refused | None, flash: Flash) -> Page:
    """Lead to the queue who may no longer see the case after this step."""
    if refused is not None:
        return await _decided(visit, case, refused, flash)
    return redirect("/desk", flash=flash, visit=visit)


async def _decided(visit: Visit, case: CaseView, answer: CaseView | Refused, flash: Flash) -> Page:
    if isinstance(answer, Refused):
        errors = {FIELD_OF.get(name, name): text for name, text in answer.fields.items()} or {"": answer.zh}
        return await show_desk(visit, case, errors=errors, status=answer.status)
    return redirect(f"/desk/{case.ref}", flash=flash, visit=visit)


handlers = [
    first_view,
    ask,
    withdraw_question,
    pass_on,
    route_out,
    route_back,
    vote,
    take_back,
    recuse,
    reply,
    ask_review,
    waive_page,
    waive,
]
