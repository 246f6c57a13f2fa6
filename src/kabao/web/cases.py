"""A quarrel about an order, as buyer, merchant and support see it: the same page, each with their own next steps."""

from functools import partial
from typing import Final

from litestar import get, post
from litestar.params import FromPath

from kabao.cases import (
    CORE,
    PLATFORM,
    RULED_BY,
    Action,
    CaseView,
    MakeOffer,
    Remedy,
    SayFact,
    Side,
    TextKind,
    fill,
    unfilled,
)
from kabao.cases.rules import WITHDRAWALS_AT_MOST
from kabao.identity import Act
from kabao.kernel import Refusal, Refused, parse_yuan, yuan_text
from kabao.web.aside import FIELD, hand_in, put_aside
from kabao.web.costs import costs_of
from kabao.web.files import take_files
from kabao.web.http import (
    POLL_STOP,
    UPLOAD_LIMIT,
    Page,
    PageRequest,
    Visit,
    own_ref,
    page,
    posted,
    redirect,
    refusal_page,
    signed,
)
from kabao.web.texts import FILL, chosen, filled, joined, values_of
from kabao.web.words import (
    ACCEPTED,
    ANSWERED,
    AUTHORITIES,
    DRAFT_KEPT,
    ESCALATED,
    FACT_SAID,
    NOTHING_KEPT,
    OFFERED,
    OUTSIDE,
    PARTIES,
    PERSON_ASKED,
    REFUSED,
    REMEDIES,
    SENT,
    WITHDRAWN,
    Flash,
    size_text,
)

TOO_OFTEN: Final = Refused(Refusal.TOO_MANY_TRIES)
BLANKS_LEFT: Final = "把括号里的改成你的话。"
DRAFT: Final = "draft"
"""The value of a form's button `then` that keeps what was typed instead of sending it."""


@get("/cases/{ref:str}")
async def other_spelling(ref: FromPath[str]) -> Page:
    """Send the longer address to the page itself."""
    return redirect(f"/c/{own_ref(ref)}")


@get("/c/{ref:str}")
async def case_page(request: PageRequest, ref: FromPath[str]) -> Page:
    """Show a case to those it concerns."""
    found = await case_of(request, ref)
    if not isinstance(found, tuple):
        return found
    return await show_case(*found)


@get("/c/{ref:str}/live")
async def case_live(request: PageRequest, ref: FromPath[str]) -> Page:
    """Answer htmx: nothing new, or a bar that says the page has an update; content is never swapped under a finger."""
    found = await case_of(request, ref)
    if not isinstance(found, tuple):
        return found
    visit, case = found
    seen = request.query_params.get("v", "")
    is_new = version_of(case) != seen
    return page(
        "_live.html",
        visit,
        status=POLL_STOP if is_new else 200,
        is_new=is_new,
        live_href=f"/c/{case.ref}/live?v={seen}",
        page_href=f"/c/{case.ref}",
        every="20s",
    )


def version_of(case: CaseView) -> str:
    """Name what an open page showed."""
    return f"{case.stage}-{case.turn}-{len(case.timeline)}-{len(case.offers)}"


@post("/c/{ref:str}/say", status_code=200, request_max_body_size=UPLOAD_LIMIT)
async def say(request: PageRequest, ref: FromPath[str]) -> Page:
    """Add words and files to the case; the merchant's answer to the claim is sent here too."""
    found = await posted_case(request, ref)
    if not isinstance(found, tuple):
        return found
    visit, case = found
    body, files = visit.form.text("body"), visit.form.files("files")
    is_answer = visit.form.text("kind") == "answer"
    if (then := visit.form.text("then")) in {FILL, DRAFT}:
        return await (show_case(visit, case) if then == FILL else _keep_draft(visit, case, body))
    is_empty = not body and (is_answer or not (files or visit.form.every(FIELD)))
    if is_empty or unfilled(body):
        wrong = "写一句话，或者选一个文件。" if is_empty else BLANKS_LEFT
        return await show_case(visit, case, errors={"body": wrong}, status=422)
    if not await visit.services.identity.may(Act.SAY, visit.me.account_id):
        return await show_case(visit, case, errors={"": TOO_OFTEN.zh}, status=TOO_OFTEN.status)
    if body:
        cases = visit.services.cases
        said = await (cases.answer if is_answer else cases.say)(visit.me, case.ref, body)
        if isinstance(said, Refused):
            return await show_case(visit, case, errors=said.fields or {"": said.zh}, status=said.status)
        await cases.texts.keep_draft(visit.me, case, "")
    left = await take_files(files, partial(visit.services.cases.add_file, visit.me, case.ref))
    left += await hand_in(visit, case.order)
    given = len(files) + len(visit.form.every(FIELD))
    flash = ANSWERED if is_answer else SENT if body or len(left) < given else NOTHING_KEPT
    # Back to the composer, where the talk goes on; to the top where something there wants to be read.
    return redirect(f"/c/{case.ref}" + ("" if left else "#say"), flash=flash, visit=visit, left=left)


async def _keep_draft(visit: Visit, case: CaseView, body: str) -> Page:
    if not await visit.services.identity.may(Act.SAY, visit.me.account_id):
        return await show_case(visit, case, errors={"": TOO_OFTEN.zh}, status=TOO_OFTEN.status)
    await visit.services.cases.texts.keep_draft(visit.me, case, body)
    return redirect(f"/c/{case.ref}#say", flash=DRAFT_KEPT, visit=visit)


@post("/c/{ref:str}/fact", status_code=200)
async def say_fact(request: PageRequest, ref: FromPath[str]) -> Page:
    """Say that a fact holds and what shows it; the decision of the rules is made anew."""
    found = await posted_case(request, ref)
    if not isinstance(found, tuple):
        return found
    visit, case = found
    if not await visit.services.identity.may(Act.SAY_FACT, visit.me.account_id):
        return await show_case(visit, case, errors={"": Refused(Refusal.TOO_MANY_TRIES).zh}, status=429)
    wish = SayFact(
        fact=visit.form.text("fact"),
        shows=True,
        item_no=visit.form.number("item_no") or None,
        note=visit.form.text("note"),
    )
    said = await visit.services.decisions.say_fact(visit.me, case.ref, wish)
    if isinstance(said, Refused):
        return await show_case(visit, case, errors=said.fields or {"": said.zh}, status=said.status)
    return redirect(f"/c/{case.ref}#h-dec", flash=FACT_SAID, visit=visit)


@get("/c/{ref:str}/offer")
async def offer_page(request: PageRequest, ref: FromPath[str]) -> Page:
    """Ask for an offer or counter-offer."""
    found = await case_of(request, ref)
    if not isinstance(found, tuple):
        return found
    visit, case = found
    if Action.OFFER not in case.allowed:
        return redirect(f"/c/{case.ref}")
    return await _offer_form(visit, case)


@post("/c/{ref:str}/offer", status_code=200)
async def make_offer(request: PageRequest, ref: FromPath[str]) -> Page:
    """Put an offer on the table in place of the open one."""
    found = await posted_case(request, ref)
    if not isinstance(found, tuple):
        return found
    visit, case = found
    form, errors = visit.form, {}
    if form.text("then") == FILL:
        return await _offer_form(visit, case)
    kind = form.text("kind")
    if kind not in set(Remedy):
        errors["kind"] = "选一种方案"
    amount = parse_yuan(form.text("refund"))
    if kind == Remedy.PARTIAL_REFUND and (amount is None or not 0 < amount.minor <= case.held_minor):
        errors["refund"] = f"填 ¥0.01 到 {yuan_text(case.held_minor)} 之间的数"
    if unfilled(form.text("note")):
        errors["note"] = BLANKS_LEFT
    if errors:
        return await _offer_form(visit, case, errors=errors, status=422)
    if not await visit.services.identity.may(Act.OFFER, visit.me.account_id, case.ref):
        return await _offer_form(visit, case, errors={"": TOO_OFTEN.zh}, status=TOO_OFTEN.status)
    refund = amount.minor if amount and kind == Remedy.PARTIAL_REFUND else 0
    wanted = MakeOffer(kind=Remedy(kind), refund_minor=refund, note=form.text("note"))
    made = await visit.services.cases.offer(visit.me, case.ref, wanted)
    if isinstance(made, Refused):
        return await _offer_form(visit, case, errors=made.fields or {"": made.zh}, status=made.status)
    return redirect(f"/c/{case.ref}", flash=OFFERED, visit=visit)


@get("/c/{ref:str}/accept")
async def accept_page(request: PageRequest, ref: FromPath[str]) -> Page:
    """State what accepting does before it is done: the open offer, or for a merchant the demand itself."""
    found = await case_of(request, ref)
    if not isinstance(found, tuple):
        return found
    visit, case = found
    is_demand = request.query_params.get("what") == "demand"
    if (Action.ACCEPT_DEMAND if is_demand else Action.ACCEPT) not in case.allowed:
        return redirect(f"/c/{case.ref}")
    return page("case_accept.html", visit, private=True, c=case, is_demand=is_demand)


@post("/c/{ref:str}/accept", status_code=200)
async def accept(request: PageRequest, ref: FromPath[str]) -> Page:
    """Accept exactly the offer that was read; another one that came meanwhile is not accepted by it."""
    found = await posted_case(request, ref)
    if not isinstance(found, tuple):
        return found
    visit, case = found
    cases = visit.services.cases
    if visit.form.text("what") == "demand":
        return done(visit, case, await cases.accept_demand(visit.me, case.ref), ACCEPTED)
    return done(visit, case, await cases.accept(visit.me, case.ref, _offer_id(visit)), ACCEPTED)


@post("/c/{ref:str}/refuse", status_code=200)
async def refuse(request: PageRequest, ref: FromPath[str]) -> Page:
    """Refuse the open offer; it counts against nobody."""
    found = await posted_case(request, ref)
    if not isinstance(found, tuple):
        return found
    visit, case = found
    return done(visit, case, await visit.services.cases.refuse_offer(visit.me, case.ref, _offer_id(visit)), REFUSED)


@post("/c/{ref:str}/escalate", status_code=200)
async def escalate(request: PageRequest, ref: FromPath[str]) -> Page:
    """Ask support in."""
    found = await posted_case(request, ref)
    if not isinstance(found, tuple):
        return found
    visit, case = found
    return done(visit, case, await visit.services.cases.escalate(visit.me, case.ref), ESCALATED)


@post("/c/{ref:str}/person", status_code=200)
async def ask_person(request: PageRequest, ref: FromPath[str]) -> Page:
    """Want a person to decide instead of a rule by itself."""
    found = await posted_case(request, ref)
    if not isinstance(found, tuple):
        return found
    visit, case = found
    return done(visit, case, await visit.services.cases.ask_person(visit.me, case.ref), PERSON_ASKED)


@get("/c/{ref:str}/withdraw")
async def withdraw_page(request: PageRequest, ref: FromPath[str]) -> Page:
    """State what withdrawing does before it is done."""
    found = await case_of(request, ref)
    if not isinstance(found, tuple):
        return found
    visit, case = found
    if Action.WITHDRAW not in case.allowed:
        return redirect(f"/c/{case.ref}")
    return page("case_withdraw.html", visit, private=True, c=case, at_most=WITHDRAWALS_AT_MOST)


@post("/c/{ref:str}/withdraw", status_code=200)
async def withdraw(request: PageRequest, ref: FromPath[str]) -> Page:
    """Withdraw the claim; the release clock runs on."""
    found = await posted_case(request, ref)
    if not isinstance(found, tuple):
        return found
    visit, case = found
    return done(visit, case, await visit.services.cases.withdraw(visit.me, case.ref), WITHDRAWN)


async def case_of(request: PageRequest, ref: str) -> tuple[Visit, CaseView] | Page:
    """Find a case for those it concerns."""
    visit = await signed(request)
    return await _found(visit, ref) if isinstance(visit, Visit) else visit


async def posted_case(request: PageRequest, ref: str) -> tuple[Visit, CaseView] | Page:
    """Take a form of a case, from those it concerns."""
    visit = await posted(request)
    return await _found(visit, ref) if isinstance(visit, Visit) else visit


async def _found(visit: Visit, ref: str) -> tuple[Visit, CaseView] | Page:
    case = await visit.services.cases.case(visit.me, ref)
    if isinstance(case, Refused):
        return refusal_page(visit, case, back="/o?t=in_case", link="看我的纠纷")
    return visit, case


def done(visit: Visit, case: CaseView, answer: object, flash: Flash) -> Page:
    """Lead back to the case, or say why the step was refused."""
    if isinstance(answer, Refused):
        return refusal_page(visit, answer, back=f"/c/{case.ref}", link="回到纠纷")
    return redirect(f"/c/{case.ref}", flash=flash, visit=visit)


def _offer_id(visit: Visit) -> int:
    text = visit.form.text("offer")
    return int(text) if text.isascii() and text.isdigit() and len(text) < 20 else 0  # noqa: PLR2004


async def show_case(visit: Visit, case: CaseView, *, errors: dict[str, str] | None = None, status: int = 200) -> Page:
    """Show a case to a viewer."""
    order = case.order
    decision = await visit.services.decisions.decision(visit.me, case.ref)
    checks = await visit.services.archive.checklists.of(case)
    facts = await visit.services.decisions.facts(visit.me, case.ref)
    texts = visit.services.cases.texts
    suiting = await texts.suiting(case, TextKind.ANSWER if Action.ANSWER in case.allowed else TextKind.MESSAGE)
    rules = None if isinstance(decision, Refused) else decision
    begun, typed, ours = chosen(visit, suiting, case, rules), visit.form.raw("body"), filled(suiting, case, rules)
    if begun:
        typed = joined(typed, begun, [*ours, answer_template(case)])
    draft = await texts.draft(visit.me, case)
    # Only a form that can still come right keeps its files: not one that was refused, nor one of a step not open.
    step = Action.ANSWER if visit.form.text("kind") == "answer" else Action.SAY
    is_fit = case.viewer.is_party and step in case.allowed and status in {200, 422}
    told, kept = await put_aside(visit, order, errors) if is_fit else (errors or {}, [])
    return page(
        "case.html",
        visit,
        status=status,
        errors=told,
        kept=kept,
        c=case,
        decision=None if isinstance(decision, Refused) else decision,
        checks=None if isinstance(checks, Refused) else checks,
        facts=None if isinstance(facts, Refused) else facts,
        costs=[] if isinstance(decision, Refused) else costs_of(case, decision),
        o=order,
        items=await visit.services.evidence.items(order.shop_id, order.order_id),
        may=frozenset(str(action) for action in case.allowed),
        parties=PARTIES,
        outside=OUTSIDE,
        authorities=AUTHORITIES,
        body=typed or (draft.body if draft is not None else ""),
        draft=None if begun else draft,
        texts=suiting,
        reply_text=visit.form.raw("answer"),
        reply_to=visit.form.text("question"),
        review_text=visit.form.raw("reason"),
        ruled_by=RULED_BY,
        answer_template=answer_template(case),
        size_text=size_text,
        has_precedents=await visit.services.precedents.has_like(case.claim),
        used=used_percent(case, visit),
        version=version_of(case),
        unread=await _own_unread(visit, case),
        asked_item=visit.request.query_params.get("item", ""),
        core_fact=CORE.get(case.claim, ""),
    )


async def _own_unread(visit: Visit, case: CaseView) -> int:
    """Count what a party brought forward too late for the ruling to answer it."""
    grounds = None if case.ruling is None else case.ruling.grounds
    if grounds is None or not grounds.unread or not case.viewer.is_party:
        return 0
    points = await visit.services.cases.ladder.points(visit.me, case.ref)
    found = [] if isinstance(points, Refused) else points
    return sum(point.key in grounds.unread and point.by == case.viewer for point in found)


def used_percent(case: CaseView, visit: Visit) -> int:
    """Return how much of the stage's time is gone, 0 to 100; the start of the time is the stage's own."""
    if case.due_at is None:
        return 0
    whole = (case.due_at - case.stage_since).total_seconds()
    # In a pause it stands still, at what is gone once the clock runs on.
    now = max(visit.now, case.paused_until or visit.now)
    return max(0, min(100, int(100 * (now - case.stage_since).total_seconds() / whole))) if whole > 0 else 100


def answer_template(case: CaseView) -> str:
    """Write the beginning of a merchant's answer: fact, attitude, date, next step; a buyer answers in his own words."""
    if case.opened_by is Side.MERCHANT:
        return ""
    plain = next(text for text in PLATFORM if text.kind is TextKind.ANSWER and not text.claims)
    return fill(plain.body, values_of(case, None))


async def _offer_form(visit: Visit, case: CaseView, *, errors: dict[str, str] | None = None, status: int = 200) -> Page:
    form = visit.form
    found = await visit.services.decisions.decision(visit.me, case.ref)
    decision = None if isinstance(found, Refused) else found
    texts = await visit.services.cases.texts.suiting(case, TextKind.OFFER)
    note = joined(form.raw("note"), chosen(visit, texts, case, decision), filled(texts, case, decision))
    return page(
        "case_offer.html",
        visit,
        status=status,
        private=True,
        errors=errors or {},
        c=case,
        remedies=REMEDIES,
        form={"kind": form.text("kind"), "refund": form.text("refund"), "note": note, "text": form.text("text")},
        texts=texts,
        decision=decision,
    )


handlers = [
    other_spelling,
    case_page,
    case_live,
    say,
    say_fact,
    offer_page,
    make_offer,
    accept_page,
    accept,
    refuse,
    escalate,
    ask_person,
    withdraw_page,
    withdraw,
]
