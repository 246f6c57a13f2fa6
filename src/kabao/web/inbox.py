"""A shop's cases as its owner works through them: by the time left, with what each comes to; many granted at once."""

from typing import Final, NamedTuple
from urllib.parse import urlencode

from litestar import get, post
from litestar.params import FromPath

from kabao.cases import (
    BULK_AT_MOST,
    COUNTED,
    Action,
    CaseCard,
    CaseView,
    DecisionView,
    InboxPage,
    Remedy,
    Tab,
    ToGrant,
    read_cursor,
    was_granted,
    write_cursor,
)
from kabao.figures import Choice, Move, best_move
from kabao.identity import Act
from kabao.kernel import Refusal, Refused, ShopId
from kabao.shops import ShopView
from kabao.web.costs import costs_of
from kabao.web.http import Page, PageRequest, Visit, page, redirect, refusal_page
from kabao.web.merchant import shop_of
from kabao.web.words import time_left

TABS: Final = {
    Tab.MINE: "轮到我",
    Tab.THEIRS: "等别人",
    Tab.REVIEW: "可申请复核",
    Tab.RULED: "有裁决",
    Tab.CLOSED: "已结束",
}
MOVES: Final = {
    Move.ACCEPT: "照办最省：早晚要退，现在办马上结案",
    Move.OFFER: "按预计的数提个方案",
    Move.REPLACE: "补发一张能用的",
    Move.CONTEST: "回应说明，附上记录",
    Move.SHOW: "补上能证明的材料再谈",
}
WAITS: Final = {
    "buyer": "等买家",
    "support": "等客服",
    "panel": "等争议组",
    "duty": "等值班长",
    "parties": "等复核期满",
    "nobody": "等保证金到位",
}
LONGEST_REF: Final = 40


class Row(NamedTuple):
    """A case in the list: the time left and how urgent it is, and what the rules come to where it can be told."""

    card: CaseCard
    left: str
    mood: str
    decision: DecisionView | None
    move: Move | None
    costs: list[Choice]
    may_grant: bool


class Asked(NamedTuple):
    """A case chosen to be granted, with what that costs now."""

    case: CaseView
    refund_minor: int


@get("/m/{shop:str}/cases")
async def inbox(request: PageRequest, shop: FromPath[str]) -> Page:
    """List a shop's cases under a tab."""
    found = await shop_of(request, shop)
    return await _list(*found) if isinstance(found, tuple) else found


@post("/m/{shop:str}/cases/grant", status_code=200)
async def grant(request: PageRequest, shop: FromPath[str]) -> Page:
    """Show what granting the chosen cases costs, and on the second form do it; a repeat changes nothing."""
    found = await shop_of(request, shop, is_post=True)
    if not isinstance(found, tuple):
        return found
    visit, mine = found
    refs = list(dict.fromkeys(ref[:LONGEST_REF] for ref in visit.form.every("ref")))
    if not 0 < len(refs) <= BULK_AT_MOST:
        wrong = "先勾选要照办的纠纷。" if not refs else f"一次最多 {BULK_AT_MOST} 件。"
        return await _list(visit, mine, errors={"ref": wrong}, status=422)
    if not await visit.services.identity.may(Act.GRANT_MANY, visit.me.account_id):
        refused = Refused(Refusal.TOO_MANY_TRIES)
        return await _list(visit, mine, errors={"": refused.zh}, status=refused.status)
    if not visit.form.ticked("sure"):
        return await _confirm(visit, mine, refs)
    wishes = [ToGrant(ref, visit.form.number(f"cost-{ref}") or 0) for ref in refs]
    done = await visit.services.cases.inbox.grant(visit.me, mine.shop_id, wishes)
    if isinstance(done, Refused):
        return await _list(visit, mine, errors=done.fields, status=done.status)
    told = [(one.ref, one.refused or "done") for one in done]
    return redirect(f"/m/{mine.ref}/cases/granted?" + urlencode([("c", f"{ref}.{why}") for ref, why in told]))


@get("/m/{shop:str}/cases/granted")
async def granted(request: PageRequest, shop: FromPath[str]) -> Page:
    """Tell what became of each case; what stands there is read anew, so that the address alone claims nothing."""
    found = await shop_of(request, shop)
    if not isinstance(found, tuple):
        return found
    visit, mine = found
    told = []
    for text in request.query_params.getall("c", [])[:BULK_AT_MOST]:
        ref, _, why = text.partition(".")
        case = await visit.services.cases.case(visit.me, ref[:LONGEST_REF])
        if isinstance(case, Refused) or case.order.shop_id != mine.shop_id:
            continue
        told.append((case, was_granted(case), Refused(Refusal(why)).zh if why in set(Refusal) else ""))
    total = sum(case.offers[-1].refund_minor for case, is_done, _ in told if is_done and case.offers)
    return page("m_granted.html", visit, private=True, shop=mine, told=told, total=total)


async def _list(visit: Visit, mine: ShopView, *, errors: dict[str, str] | None = None, status: int = 200) -> Page:
    asked = visit.request.query_params
    tab = Tab(asked.get("t", "")) if asked.get("t", "") in set(Tab) else Tab.MINE
    found = await visit.services.cases.inbox.page(
        visit.me, ShopId(mine.shop_id), tab, read_cursor(asked.get("after", ""))
    )
    if isinstance(found, Refused):
        return refusal_page(visit, found, back="/m", link="回卖家中心")
    return page(
        "m_cases.html",
        visit,
        status=status,
        private=True,
        errors=errors or {},
        shop=mine,
        tab=tab,
        tabs=[(one, name, _counted(found, one)) for one, name in TABS.items()],
        rows=[await _row(visit, card) for card in found.cards],
        chosen=set(visit.form.every("ref")),
        moves=MOVES,
        waits=WAITS,
        more="" if found.after is None else write_cursor(found.after),
        at_most=BULK_AT_MOST,
    )


def _counted(found: InboxPage, tab: Tab) -> str:
    count = found.counts[tab]
    return f"{count}+" if count >= COUNTED and not tab.is_by_due else str(count)


async def _row(visit: Visit, card: CaseCard) -> Row:
    left = ("", "") if card.due_at is None else time_left(int((card.due_at - visit.now).total_seconds()))
    case = await visit.services.cases.case(visit.me, card.ref) if card.stage.is_undecided else None
    if case is None or isinstance(case, Refused):
        return Row(card, *left, None, None, [], may_grant=False)
    decision = await visit.services.decisions.decide(case)
    may_grant = Action.ACCEPT_DEMAND in case.allowed
    if isinstance(decision, Refused):
        return Row(card, *left, None, None, [], may_grant=may_grant)
    move = best_move(
        held_minor=case.held_minor,
        demand=case.demand,
        demand_minor=case.demand_minor,
        outcome=decision.outcome,
        refund_minor=decision.refund_minor,
    )
    return Row(card, *left, decision, move, costs_of(case, decision), may_grant=may_grant)


async def _confirm(visit: Visit, mine: ShopView, refs: list[str]) -> Page:
    """List what was chosen, with what each costs and the sum; what moved on meanwhile is named and left out."""
    asked: list[Asked] = []
    gone: list[CaseView] = []
    for ref in refs:
        case = await visit.services.cases.case(visit.me, ref)
        if isinstance(case, Refused) or case.order.shop_id != mine.shop_id:
            return refusal_page(visit, Refused(Refusal.NOT_FOUND), back=f"/m/{mine.ref}/cases", link="回纠纷列表")
        if Action.ACCEPT_DEMAND in case.allowed:
            asked.append(Asked(case, _cost(case)))
        else:
            gone.append(case)
    return page(
        "m_grant.html",
        visit,
        private=True,
        shop=mine,
        asked=asked,
        gone=gone,
        total=sum(one.refund_minor for one in asked),
        kept=sum(_kept(one) for one in asked),
        from_deposit=sum(one.refund_minor for one in asked if one.case.order.is_released),
        replacements=sum(one.case.demand is Remedy.REPLACEMENT for one in asked),
    )


def _kept(one: Asked) -> int:
    """Tell what reaches the merchant at once of what is held, after the fee; new keys leave it held."""
    case = one.case
    if case.order.is_released or case.demand is Remedy.REPLACEMENT:
        return 0
    rest = case.held_minor - one.refund_minor
    return rest - case.order.fee_on(rest)


def _cost(case: CaseView) -> int:
    return case.held_minor if case.demand is Remedy.FULL_REFUND else case.demand_minor


handlers = [inbox, grant, granted]
