"""The form on which a merchant says what is wrong with a buyer: what it would come to, then opening his own case."""

from collections.abc import Mapping
from functools import partial
from typing import Final

from litestar import get, post
from litestar.params import FromPath

from kabao.cases import MERCHANT_CLAIMS, MERCHANTS_CORE, OpenCase, Remedy
from kabao.figures import Forecast
from kabao.kernel import Refusal, Refused, parse_yuan
from kabao.orders import OrderView
from kabao.web.aside import hand_in, put_aside
from kabao.web.files import take_files
from kabao.web.http import UPLOAD_LIMIT, Page, PageRequest, Visit, page, posted, redirect, refusal_page, signed
from kabao.web.problem import foreseen, may_foresee, say_what_they_show
from kabao.web.words import MERCHANT_CASE_OPENED, size_text

DEMANDS: Final = (
    ("release", "全部付给我", "买家这单不退钱"),
    ("partial_refund", "扣一部分", "退给买家一部分，剩下的付给我"),
)
EMPTY: Final = {"claim": "", "demand": "release", "amount": "", "statement": ""}


@get("/m/orders/{ref:str}/complain")
async def complain_page(request: PageRequest, ref: FromPath[str]) -> Page:
    """Ask what is wrong and what is demanded."""
    visit = await signed(request)
    if not isinstance(visit, Visit):
        return visit
    order = await _mine(visit, ref)
    if not isinstance(order, OrderView):
        return order
    return redirect(f"/o/{order.ref}") if "complain" not in order.allowed else await _form(visit, order, EMPTY)


@post("/m/orders/{ref:str}/complain", status_code=200, request_max_body_size=UPLOAD_LIMIT)
async def complain(request: PageRequest, ref: FromPath[str]) -> Page:
    """Show the forecast, or open the case."""
    visit = await posted(request)
    if not isinstance(visit, Visit):
        return visit
    order = await _mine(visit, ref)
    if not isinstance(order, OrderView):
        return order
    form = {name: visit.form.text(name) for name in EMPTY}
    if not visit.form.ticked("statement") or visit.form.text("step") == "forecast":
        return await _second_step(visit, order, form)
    wanted = read_complaint(form, order)
    if isinstance(wanted, dict):
        return await _again(visit, order, form, wanted, status=422)
    return await _open(visit, order, form, wanted)


async def _open(visit: Visit, order: OrderView, form: dict[str, str], wanted: OpenCase) -> Page:
    """Open the case: the money freezes in the same step; the files follow."""
    before = {item.item_id for item in await visit.services.evidence.items(order.shop_id, order.order_id)}
    case = await visit.services.cases.open(visit.me, order.ref, wanted)
    if isinstance(case, Refused):
        if not case.fields and order.open_case_ref:
            return redirect(f"/c/{order.open_case_ref}")
        return await _again(visit, order, form, case.fields or {"": case.zh}, status=case.status)
    left = await take_files(visit.form.files("files"), partial(visit.services.cases.add_file, visit.me, case.ref))
    left += await hand_in(visit, case.order)
    await say_what_they_show(visit, case, before)
    return redirect(f"/c/{case.ref}", flash=MERCHANT_CASE_OPENED, visit=visit, left=left)


async def _again(visit: Visit, order: OrderView, form: dict[str, str], errors: dict[str, str], *, status: int) -> Page:
    """Give the second form back with what is wrong in it; files and forecast stay."""
    wanted = read_complaint(form | {"statement": "-"}, order)
    told = None if isinstance(wanted, dict) or not await may_foresee(visit) else await foreseen(visit, order, wanted)
    forecast = None if isinstance(told, Refused) else told
    return await _form(visit, order, form, errors=errors, status=status, is_second=True, forecast=forecast)


async def _second_step(visit: Visit, order: OrderView, form: dict[str, str]) -> Page:
    """Show what the claim would come to, before anything is frozen and the buyer is told."""
    if "complain" not in order.allowed:
        return redirect(f"/c/{order.open_case_ref}" if order.open_case_ref else f"/o/{order.ref}")
    wanted = read_complaint(form | {"statement": "-"}, order)
    if isinstance(wanted, dict):
        is_second = visit.form.ticked("statement")
        return await _form(visit, order, form, errors=wanted, status=422, is_second=is_second)
    if not await may_foresee(visit):
        refused = Refused(Refusal.TOO_MANY_TRIES)
        return await _form(visit, order, form, errors={"": refused.zh}, status=refused.status)
    found = await foreseen(visit, order, wanted)
    if isinstance(found, Refused) and found.code is not Refusal.NOT_FOUND:
        return await _form(visit, order, form, errors=found.fields or {"": found.zh}, status=found.status)
    return await _form(visit, order, form, is_second=True, forecast=None if isinstance(found, Refused) else found)


def read_complaint(form: Mapping[str, str], order: OrderView) -> OpenCase | dict[str, str]:
    """Read the form; answers what is wrong with each field instead where something is."""
    errors: dict[str, str] = {}
    if form["claim"] not in MERCHANT_CLAIMS:
        errors["claim"] = "选一种情况"
    if form["demand"] not in {name for name, _, _ in DEMANDS}:
        errors["demand"] = "选一个要求"
    amount = parse_yuan(form["amount"]) if form["amount"] else None
    is_part = form["demand"] == Remedy.PARTIAL_REFUND
    if is_part and (amount is None or not 0 < amount.minor < order.at_stake_minor):
        errors["amount"] = "填 0.01 元以上、托管中的钱以下的数"
    if not form["statement"]:
        errors["statement"] = "写一句发生了什么"
    if errors:
        return errors
    return OpenCase(
        claim=form["claim"],
        demand=Remedy(form["demand"]),
        demand_minor=amount.minor if amount and is_part else 0,
        statement=form["statement"],
    )


async def _mine(visit: Visit, ref: str) -> OrderView | Page:
    order = await visit.services.orders.order(visit.me, ref)
    if isinstance(order, Refused):
        return refusal_page(visit, order, back="/m", link="回我的店铺")
    if order.role != "merchant":
        return refusal_page(visit, Refused(Refusal.NOT_FOUND), back="/m", link="回我的店铺")
    return order


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
    claim = MERCHANT_CLAIMS.get(form["claim"])
    proves = await visit.services.decisions.label_of(order, MERCHANTS_CORE[claim.claim_id]) if claim else ""
    return page(
        "m_complain.html",
        visit,
        status=status,
        private=True,
        errors=told,
        kept=kept,
        size_text=size_text,
        o=order,
        claims=list(MERCHANT_CLAIMS.values()),
        demands=DEMANDS,
        form=form,
        is_second=is_second,
        forecast=forecast,
        proves=proves,
        claim_label=claim.label if claim else "",
        demand_label=next((label for key, label, _ in DEMANDS if key == form["demand"]), ""),
        back_minor=amount.minor if amount else 0,
    )


handlers = [complain_page, complain]
