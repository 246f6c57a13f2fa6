"""The form that says what is wrong with an order, and opens a case."""

from functools import partial
from typing import Final

from litestar import get, post
from litestar.params import FromPath

from kabao.cases import CLAIMS, KIND_LABELS, ClaimKind, OpenCase, Remedy
from kabao.kernel import Refused, parse_yuan
from kabao.orders import OrderView
from kabao.web.files import choose_again, take_files
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
from kabao.web.render import stamp, yuan_text
from kabao.web.words import CASE_OPENED, REMEDIES

STATEMENT_LIMIT: Final = 2000
BLANKS: Final = ("（第几张）", "（几点几分）", "（哪里）", "（看到的原话）", "（全额退款、部分退款或补发）")
"""What the prefilled statement leaves to be said; left as they are they would tell the other side nothing."""
GROUPS: Final = tuple(
    (KIND_LABELS[kind], tuple((c.claim_id, c.label, c.hint) for c in CLAIMS.values() if c.kind is kind))
    for kind in (ClaimKind.MERCHANT, ClaimKind.BUYER, ClaimKind.RULES)
)


@get("/o/{ref:str}/problem")
async def problem_page(request: PageRequest, ref: FromPath[str]) -> Page:
    """Ask what is wrong, what is wanted, and what happened."""
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
    claim = request.query_params.get("claim", "")
    return _form(visit, order, {"claim": claim, "demand": "full_refund", "amount": "", "statement": template(order)})


@post("/o/{ref:str}/problem", status_code=200, request_max_body_size=UPLOAD_LIMIT)
async def open_case(request: PageRequest, ref: FromPath[str]) -> Page:
    """Open the case: the money freezes in the same step; the files follow."""
    visit = await posted(request)
    if not isinstance(visit, Visit):
        return visit
    order = await visit.services.orders.order(visit.me, ref)
    if isinstance(order, Refused):
        return refusal_page(visit, order, back="/o", link="看我的订单")
    form = {name: visit.form.text(name) for name in ("claim", "demand", "amount", "statement")}
    wanted = read_claim(form, order)
    if isinstance(wanted, dict):
        return _form(visit, order, form, errors=wanted, status=422)
    case = await visit.services.cases.open(visit.me, order.ref, wanted)
    if isinstance(case, Refused):
        if not case.fields and order.open_case_ref:
            return redirect(f"/c/{order.open_case_ref}")
        return _form(visit, order, form, errors=case.fields or {"": case.zh}, status=case.status)
    left = await take_files(visit.form.files("files"), partial(visit.services.cases.add_file, visit.me, case.ref))
    return redirect(f"/c/{case.ref}", flash=CASE_OPENED, visit=visit, left=left)


def read_claim(form: dict[str, str], order: OrderView) -> OpenCase | dict[str, str]:
    """Read the form; answers what is wrong with each field instead where something is."""
    errors: dict[str, str] = {}
    held = order.escrow.held_minor if order.escrow else 0
    if form["claim"] not in CLAIMS:
        errors["claim"] = "选一种情况"
    if form["demand"] not in set(Remedy):
        errors["demand"] = "选一个要求"
    amount = parse_yuan(form["amount"]) if form["amount"] else None
    if form["demand"] == Remedy.PARTIAL_REFUND:
        if amount is None or amount.minor <= 0:
            errors["amount"] = "填想退多少元，例如 36.50"
        elif amount.minor > held:
            errors["amount"] = f"退款金额不能超过 {yuan_text(held)}"
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
    )


def template(order: OrderView) -> str:
    """Write the beginning of a statement: fact, demand, date, next step; the buyer changes it freely."""
    which, at, where, said, wish = BLANKS
    opened = [slot for slot in order.keys if slot.state == "opened"]
    # Of several cards the other side has to know which; of one opened alone the page knows it.
    card = "卡密" if order.quantity == 1 else f"第 {opened[0].pos} 张卡密" if len(opened) == 1 else f"{which}卡密"
    done = f"{stamp(order.opened_at)} 拆封，" if order.opened_at else "还没有拆封，"
    return (
        f"订单 {order.ref}（{order.title}），{card} {done}{at}在{where}使用时提示{said}。\n"
        f"要求：{wish}。\n"
        "请在 48 小时内回应；没有回应，会由客服介入。"
    )


def _form(
    visit: Visit, order: OrderView, form: dict[str, str], *, errors: dict[str, str] | None = None, status: int = 200
) -> Page:
    return page(
        "problem.html",
        visit,
        status=status,
        private=True,
        errors=choose_again(visit, errors),
        o=order,
        groups=GROUPS,
        remedies=REMEDIES,
        form=form,
        sealed=[slot.pos for slot in order.keys if slot.state == "sealed"],
    )


handlers = [problem_page, open_case]
