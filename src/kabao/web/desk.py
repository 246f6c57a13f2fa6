"""The desk of those who decide: the check of staff, the queue, a case with both sides, the ruling in two steps.

Questions, first views, votes and the rest of the ladder are in `ladder`.
"""

from typing import Final

from litestar import get, post
from litestar.params import FromPath

from kabao.cases import RULED_BY, Action, CaseView, DecisionView, Outcome, Remedy, Rule, SayFact, Shares
from kabao.identity import CASE_ROLES, Act
from kabao.kernel import Refusal, Refused, parse_yuan
from kabao.web.cases import used_percent
from kabao.web.http import Page, PageRequest, Visit, page, posted, redirect, refusal_page, signed
from kabao.web.words import (
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
    time_left,
)

FIELDS: Final = (
    "outcome",
    "refund",
    "facts",
    "reasons",
    "body",
    "fact",
    "shows",
    "kind",
    "confidence",
    "item_no",
    "note",
    "share_buyer",
    "share_merchant",
    "share_platform",
    "sentence",
    "differs_reason",
    "upholds",
    "damages",
    "replaces",
    "to",
    "question",
    "why",
)
TALK: Final = frozenset({Action.SAY, Action.ADD_FILE})
SHARES_WRONG: Final = "三方加起来要是 100"
REFUND_WRONG: Final = "填 0.01 元以上、这单还能退的金额以下的数"
DAMAGES_WRONG: Final = "填 0.01 元以上的数，没有赔偿就空着"
NEEDED: Final = {"facts": "写查明的事实", "reasons": "写理由"}


@get("/desk")
async def queue_page(request: PageRequest) -> Page:
    """List what waits for who is signed in, the least time left first."""
    visit = await _staff(request)
    if not isinstance(visit, Visit):
        return visit
    queue = await _queue(visit)
    return page("desk.html", visit, queue=queue, c=None)


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


def read_fact(visit: Visit) -> SayFact | dict[str, str]:
    """Read the form of a fact; answers what is wrong with each field instead where something is."""
    form, errors = visit.form, {}
    if not form.text("fact"):
        errors["fact"] = "选一个事实"
    if form.text("shows") not in WAYS:
        errors["shows"] = "选成立还是不成立"
    if not form.text("kind"):
        errors["kind"] = "选一种证据"
    sure = form.text("confidence")
    if sure not in SURENESS:
        errors["confidence"] = "选把握有多大"
    if form.text("item_no") and form.number("item_no") is None:
        errors["item_no"] = "没有这个编号的证据"
    if errors:
        return errors
    return SayFact(
        fact=form.text("fact"),
        shows=form.text("shows") == "yes",
        kind=form.text("kind"),
        confidence=int(sure),
        item_no=form.number("item_no"),
        note=form.text("note"),
    )


@post("/desk/{ref:str}/rule", status_code=200)
async def rule(request: PageRequest, ref: FromPath[str]) -> Page:
    """First show what the ruling will do; with the second step, rule."""
    found = await desk_case_of(request, ref, is_post=True)
    if not isinstance(found, tuple):
        return found
    visit, case = found
    wish = read_ruling(visit, case)
    if isinstance(wish, dict):
        return await show_desk(visit, case, errors=wish, status=422)
    if visit.form.text("step") != "sure":
        if visit.form.text("step") == "back":
            return await show_desk(visit, case)
        refund = case.held_minor if wish.outcome is Outcome.FULL_REFUND else wish.refund_minor
        if wish.outcome is Outcome.REPLACEMENT:
            refund = refund or case.held_minor
        return page("desk_rule.html", visit, private=True, c=case, wish=wish, refund=refund, labels=dict(REPLACING))
    ruled = await visit.services.cases.ladder.rule(visit.me, case.ref, wish)
    if isinstance(ruled, Refused):
        return await show_desk(visit, case, errors=ruled.fields or {"": ruled.zh}, status=ruled.status)
    return redirect(f"/desk/{case.ref}", flash=RULED, visit=visit)


def read_ruling(visit: Visit, case: CaseView) -> Rule | dict[str, str]:
    """Read the ruling form; answers what is wrong with each field instead where something is."""
    form, errors = visit.form, {}
    outcome = form.text("outcome")
    if outcome not in set(Outcome):
        errors["outcome"] = "选裁决结果"
    refund, damages = read_refund(form.text("outcome"), form.text("refund"), case), read_damages(visit)
    if refund is None:
        errors["refund"] = REFUND_WRONG
    if damages is None:
        errors["damages"] = DAMAGES_WRONG
    errors |= {name: text for name, text in NEEDED.items() if not form.text(name)}
    if not read_shares(visit).is_whole:
        errors["shares"] = SHARES_WRONG
    if errors or refund is None or damages is None:
        return errors
    return Rule(
        outcome=Outcome(outcome),
        refund_minor=refund,
        damages_minor=damages,
        shares=read_shares(visit),
        facts=form.text("facts"),
        reasons=form.text("reasons"),
        differs_reason=form.text("differs_reason"),
    )


def read_refund(outcome: str, typed: str, case: CaseView) -> int | None:
    """Read what a partial refund, or one in the place of a replacement, comes to; None where that is no amount for it.

    Left empty for a replacement it is 0, which stands for everything; other outcomes need none.
    """
    amount = parse_yuan(typed)
    if outcome == Outcome.PARTIAL_REFUND:
        return amount.minor if amount is not None and 0 < amount.minor < case.held_minor else None
    if outcome == Outcome.REPLACEMENT and typed:
        return amount.minor if amount is not None and 0 < amount.minor <= case.held_minor else None
    return 0


def read_damages(visit: Visit) -> int | None:
    """Read damages; 0 where nothing was typed, None where it is no amount."""
    typed = visit.form.text("damages")
    amount = parse_yuan(typed)
    return 0 if not typed else None if amount is None else amount.minor


def read_shares(visit: Visit) -> Shares:
    """Read who is responsible; what is no number counts as none, and the sum is checked by who takes it."""
    parts = {name: visit.form.number(f"share_{name}") or 0 for name in ("buyer", "merchant", "platform")}
    return Shares(**parts)


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


async def _queue(visit: Visit) -> list[dict[str, object]]:
    cards = await visit.services.cases.queue(visit.me)
    if isinstance(cards, Refused):
        return []
    lines = []
    for card in cards:
        seconds = int((card.due_at - visit.now).total_seconds()) if card.due_at else 0
        whole = (card.due_at - card.stage_since).total_seconds() if card.due_at else 0
        text, mood = time_left(seconds)
        used = max(0, min(100, 100 - int(100 * seconds / whole))) if whole > 0 else 100
        lines.append({"card": card, "left": text, "mood": mood, "used": used})
    return lines


async def show_desk(visit: Visit, case: CaseView, *, errors: dict[str, str] | None = None, status: int = 200) -> Page:
    """Show a case on the desk."""
    form, order = visit.form, case.order
    checks = await visit.services.archive.checklists.of(case)
    facts = await visit.services.decisions.facts(visit.me, case.ref)
    decision: DecisionView | Refused = Refused(Refusal.FIRST_VIEW_NEEDED)
    if case.has_first_view or case.closed_at is not None:
        decision = await visit.services.decisions.decision(visit.me, case.ref)
    return page(
        "desk.html",
        visit,
        status=status,
        errors=errors or {},
        queue=await _queue(visit),
        c=case,
        o=order,
        checks=None if isinstance(checks, Refused) else checks,
        items=await visit.services.evidence.items(order.shop_id, order.order_id),
        may=frozenset(str(action) for action in case.allowed),
        acts=bool(case.allowed - TALK),
        decision=None if isinstance(decision, Refused) else decision,
        ruled_by=RULED_BY,
        parties=PARTIES,
        outside=OUTSIDE,
        outcomes=REPLACING if case.demand is Remedy.REPLACEMENT else OUTCOMES,
        form={name: form.text(name) for name in FIELDS},
        facts=None if isinstance(facts, Refused) else facts,
        favours=FAVOURS,
        ways=tuple(WAYS.items()),
        sureness=SURENESS,
        size_text=size_text,
        used=used_percent(case, visit),
    )


handlers = [queue_page, check_page, check, desk_case, desk_say, desk_fact, rule]
