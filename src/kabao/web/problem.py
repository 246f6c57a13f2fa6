"""The form that says what is wrong with an order, in two steps: what it would come to, then opening the case."""

from collections.abc import Mapping
from functools import partial
from typing import Final

from litestar import get, post
from litestar.params import FromPath

from kabao.cases import CLAIMS, CORE, KIND_LABELS, MERCHANTS_CORE, CaseView, ClaimKind, OpenCase, Remedy, SayFact
from kabao.figures import Forecast, ForeseeOrder
from kabao.identity import Act
from kabao.kernel import Money, Refusal, Refused, parse_yuan, yuan_text
from kabao.orders import OrderView
from kabao.web.aside import hand_in, put_aside
from kabao.web.files import take_files
from kabao.web.http import (
    UPLOAD_LIMIT,
    Page,
    PageRequest,
    Visit,
    page,
    posted,
    redirect,
    refusal_page,
    signed,
)
from kabao.web.render import stamp
from kabao.web.words import AT_ONCE, CASE_OPENED, CLAIM_OPENED, REMEDIES, size_text

STATEMENT_LIMIT: Final = 2000
FIELDS: Final = ("claim", "demand", "amount", "statement", "by_person")
BLANKS: Final = (
    "（第几张）",
    "（几点几分）",
    "（哪里）",
    "（看到的原话）",
    "（商品页的原话）",
    "（实际是什么）",
    "（少了什么）",
    "（对你有什么影响）",
    "（发生了什么）",
)
"""What the prefilled statement leaves to be said; left as they are they would tell the other side nothing."""
WHICH, AT, WHERE, SAID, PROMISED, IN_FACT, LACKING, EFFECT, HAPPENED = BLANKS
GROUPS: Final = tuple(
    (KIND_LABELS[kind], tuple((c.claim_id, c.label, c.hint) for c in CLAIMS.values() if c.kind is kind))
    for kind in (ClaimKind.MERCHANT, ClaimKind.BUYER, ClaimKind.RULES)
)


@get("/o/{ref:str}/problem")
async def problem_page(request: PageRequest, ref: FromPath[str]) -> Page:
    """Ask what is wrong and what is wanted; what follows from it is told before anything is filed."""
    visit = await signed(request)
    if not isinstance(visit, Visit):
        return visit
    order = await visit.services.orders.order(visit.me, ref)
    if isinstance(order, Refused):
        return refusal_page(visit, order, back="/o", link="看我的订单")
    if order.open_case_ref:
        return redirect(f"/c/{order.open_case_ref}")
    if "problem" not in order.allowed:
        return redirect(f"/o/{order.ref}")
    spent = await visit.services.cases.why_not_open(visit.me, order.ref)
    if spent is not None:
        return refusal_page(visit, spent, back=f"/o/{order.ref}", link="回到订单，和商家说")
    claim = request.query_params.get("claim", "")
    return await _form(visit, order, dict.fromkeys(FIELDS, "") | {"claim": claim, "demand": "full_refund"})


@post("/o/{ref:str}/problem", status_code=200, request_max_body_size=UPLOAD_LIMIT)
async def open_case(request: PageRequest, ref: FromPath[str]) -> Page:
    """Show the forecast, or open the case: the money freezes in the same step; the files follow."""
    visit = await posted(request)
    if not isinstance(visit, Visit):
        return visit
    order = await visit.services.orders.order(visit.me, ref)
    if isinstance(order, Refused):
        return refusal_page(visit, order, back="/o", link="看我的订单")
    form = {name: visit.form.text(name) for name in FIELDS}
    if not visit.form.ticked("statement") or visit.form.text("step") == "forecast":
        return await _second_step(visit, order, form)
    wanted = read_claim(form, order)
    if isinstance(wanted, dict):
        return await _again(visit, order, form, wanted, status=422)
    before = {item.item_id for item in await visit.services.evidence.items(order.shop_id, order.order_id)}
    case = await visit.services.cases.open(visit.me, order.ref, wanted)
    if isinstance(case, Refused):
        return await _not_opened(visit, order, form, case)
    left = await take_files(visit.form.files("files"), partial(visit.services.cases.add_file, visit.me, case.ref))
    left += await hand_in(visit, case.order)
    await say_what_they_show(visit, case, before)
    flash = AT_ONCE if case.green_minor is not None else CLAIM_OPENED if order.claim.is_open else CASE_OPENED
    return redirect(f"/c/{case.ref}", flash=flash, visit=visit, left=left)


async def say_what_they_show(visit: Visit, case: CaseView, before: set[int]) -> None:
    """Say of the files that came with the claim that they show what the claim itself states, and nothing else."""
    fact = (CORE | MERCHANTS_CORE).get(case.claim)
    if fact is None or case.green_minor is not None:
        return
    for item in await visit.services.evidence.items(case.order.shop_id, case.order.order_id):
        if item.item_id not in before and item.given_by == visit.me.account_id:
            # Who has said enough keeps the file all the same.
            said = SayFact(fact=fact, shows=True, item_no=item.item_no)
            await visit.services.decisions.say_fact(visit.me, case.ref, said)


async def _not_opened(visit: Visit, order: OrderView, form: dict[str, str], refused: Refused) -> Page:
    if not refused.fields and order.open_case_ref:
        return redirect(f"/c/{order.open_case_ref}")
    errors = refused.fields or {"": refused.zh}
    return await _again(visit, order, form, errors, status=refused.status)


async def _again(visit: Visit, order: OrderView, form: dict[str, str], errors: dict[str, str], *, status: int) -> Page:
    """Give the second form back with what is wrong in it; files and forecast stay."""
    found = None
    if not {"claim", "demand", "amount"} & set(errors) and await may_foresee(visit):
        wanted = read_claim(form | {"statement": "-"}, order)
        found = None if isinstance(wanted, dict) else await foreseen(visit, order, wanted)
    forecast = None if isinstance(found, Refused) else found
    return await _form(visit, order, form, errors=errors, status=status, is_second=True, forecast=forecast)


async def may_foresee(visit: Visit) -> bool:
    """Tell whether whoever asks may be told another forecast; counts it."""
    return await visit.services.identity.may(Act.FORECAST, visit.me.account_id)


async def foreseen(visit: Visit, order: OrderView, wanted: OpenCase) -> Forecast | Refused:
    """Foresee what a case as wanted would come to; refusals as `ForecastService.of_order`."""
    wish = ForeseeOrder(order_ref=order.ref, claim=wanted.claim, demand=wanted.demand, demand_minor=wanted.demand_minor)
    return await visit.services.forecasts.of_order(visit.me, wish)


async def _second_step(visit: Visit, order: OrderView, form: dict[str, str]) -> Page:
    """Show what the claim would come to, and the statement to send, filled from the order where it is still empty."""
    if order.open_case_ref:
        return redirect(f"/c/{order.open_case_ref}")
    # The statement is asked for on this step, so that an empty one is no mistake yet.
    wanted = read_claim(form | {"statement": "-"}, order)
    if isinstance(wanted, dict):
        is_second = visit.form.ticked("statement")
        return await _form(visit, order, form, errors=wanted, status=422, is_second=is_second)
    if not await may_foresee(visit):
        refused = Refused(Refusal.TOO_MANY_TRIES)
        return await _form(visit, order, form, errors={"": refused.zh}, status=refused.status)
    found = await foreseen(visit, order, wanted)
    if isinstance(found, Refused) and found.code is not Refusal.NOT_FOUND:
        return await _form(visit, order, form, errors=found.fields or {"": found.zh}, status=found.status)
    is_ours = not form["statement"] or _is_template(form["statement"], order)
    form = form | {"statement": template(order, wanted) if is_ours else form["statement"]}
    return await _form(visit, order, form, is_second=True, forecast=None if isinstance(found, Refused) else found)


def read_claim(form: dict[str, str], order: OrderView) -> OpenCase | dict[str, str]:
    """Read the form; answers what is wrong with each field instead where something is."""
    errors: dict[str, str] = {}
    if form["claim"] not in CLAIMS:
        errors["claim"] = "选一种情况"
    if form["demand"] not in set(Remedy):
        errors["demand"] = "选一个要求"
    amount = parse_yuan(form["amount"]) if form["amount"] else None
    wrong = _amount_wrong(form, amount, order.at_stake_minor)
    if wrong:
        errors["amount"] = wrong
    if not form["statement"]:
        errors["statement"] = "写一句发生了什么"
    elif any(blank in form["statement"] for blank in BLANKS):
        errors["statement"] = "把括号里的改成你的事实"
    elif len(form["statement"]) > STATEMENT_LIMIT:
        errors["statement"] = f"最多 {STATEMENT_LIMIT} 个字，现在有 {len(form['statement'])} 个"
    if errors:
        return errors
    return OpenCase(
        claim=form["claim"],
        demand=Remedy(form["demand"]),
        demand_minor=amount.minor if amount and form["demand"] == Remedy.PARTIAL_REFUND else 0,
        statement=form["statement"],
        by_person=form.get("by_person", "") == "yes",
    )


def _amount_wrong(form: dict[str, str], amount: Money | None, held: int) -> str:
    """Say what is wrong with the amount demanded; one beside another demand would silently count for nothing."""
    if form["demand"] != Remedy.PARTIAL_REFUND:
        return "只想退这么多的，要求选“部分退款”；要全额退、补发的，这里清空" if form["amount"] else ""
    if amount is None or amount.minor <= 0:
        return "填想退多少元，例如 36.50"
    return f"退款金额不能超过 {yuan_text(held)}" if amount.minor > held else ""


def template(order: OrderView, wanted: OpenCase) -> str:
    """Write the beginning of a statement: fact, demand, next step; the buyer changes it freely.

    By when to answer is not in it: that is known once the case is opened, and a letter must not say otherwise.
    """
    demanded = {
        Remedy.FULL_REFUND: f"全额退款 {yuan_text(order.at_stake_minor)}",
        Remedy.PARTIAL_REFUND: f"退款 {yuan_text(wanted.demand_minor)}",
        Remedy.REPLACEMENT: "补发一张能用的",
    }[wanted.demand]
    return (
        f"订单 {order.ref}（{order.title}），{_fact(order, wanted.claim)}。\n"
        f"要求：{demanded}。\n"
        "请在纠纷页写明的时间前回应；没有回应，由平台按规则往下处理。"
    )


def _fact(order: OrderView, claim: str) -> str:
    """Write what the order's records know of a claim, and leave blanks for what only the buyer has seen."""
    opened = [slot for slot in order.keys if slot.state == "opened"]
    # Of several cards the other side has to know which; of one opened alone the page knows it.
    card = "卡密" if order.quantity == 1 else f"第 {opened[0].pos} 张卡密" if len(opened) == 1 else f"{WHICH}卡密"
    done = f"{card} {stamp(order.opened_at)} 拆封" if order.opened_at else f"{card}还没有拆封"
    match claim:
        case "already_used" | "key_invalid":
            return f"{done}，{AT}在{WHERE}使用时提示{SAID}"
        case "not_as_described":
            return f"{done}，商品页写的是{PROMISED}，实际是{IN_FACT}"
        case "not_delivered":
            return f"没有收到：{LACKING}"
        case "late" if order.paid_at and order.delivered_at:
            return f"{stamp(order.paid_at)} 付款，{stamp(order.delivered_at)} 送达，{EFFECT}"
        case "reclaimed" | "warranty_refused":
            return f"{done}，{AT}起不能用，提示{SAID}"
        case _:
            return f"{done}，{HAPPENED}"


def _is_template(statement: str, order: OrderView) -> bool:
    """Tell whether a statement is one of ours by its first line: a changed demand writes the rest anew."""
    first = statement.partition("\n")[0]
    return first in {f"订单 {order.ref}（{order.title}），{_fact(order, claim)}。" for claim in CLAIMS}


async def _form(
    visit: Visit,
    order: OrderView,
    form: Mapping[str, str],
    *,
    errors: dict[str, str] | None = None,
    status: int = 200,
    is_second: bool = False,
    forecast: Forecast | None = None,
) -> Page:
    told, kept = await put_aside(visit, order, errors)
    amount = parse_yuan(form["amount"]) if form["demand"] == Remedy.PARTIAL_REFUND else None
    fact = CORE.get(form["claim"], "")
    proves = "" if not is_second or not fact else await visit.services.decisions.label_of(order, fact)
    return page(
        "problem.html",
        visit,
        status=status,
        private=True,
        errors=told,
        kept=kept,
        size_text=size_text,
        asked_minor=amount.minor if amount else None,
        o=order,
        groups=GROUPS,
        remedies=REMEDIES,
        form=form,
        sealed=[slot.pos for slot in order.keys if slot.state == "sealed"],
        is_second=is_second,
        proves=proves,
        forecast=forecast,
        claim_label=CLAIMS[form["claim"]].label if form["claim"] in CLAIMS else "",
        demand_label=next((label for key, label, _ in REMEDIES if key == form["demand"]), ""),
    )


handlers = [problem_page, open_case]
