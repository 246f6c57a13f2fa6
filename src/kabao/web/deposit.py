"""A merchant's deposit (保证金): what lies there, every movement, paying in and asking it back."""

from typing import Final

from litestar import get, post
from litestar.params import FromPath

from kabao.kernel import Money, Refusal, Refused, ShopId, parse_yuan
from kabao.ledger import AccountNo
from kabao.shops import ShopView
from kabao.web.http import Page, PageRequest, Visit, page, redirect, refusal_page
from kabao.web.merchant import shop_of
from kabao.web.words import DEPOSIT_ASKED

MOVEMENTS: Final = {
    "deposit_paid": "交入保证金",
    "deposit_return": "退回保证金",
    "deposit_return_refused": "原账户不收钱，退回的又入账",
    "claim_refund": "放款后退给买家",
    "claim_returned": "付款被银行撤回，没有退出去，还回来",
    "damages": "赔给买家",
    "recoup": "放款时扣还平台垫付",
    "chargeback": "付款被银行撤回，那次扣还不算",
}
REASONS: Final = {"settled": "和解", "ruled": "裁决", "goodwill": "自愿"}
BOUND: Final = {
    "debt": "平台垫付的钱还没还清，保证金先不能退。",
    "damages": "还欠买家的赔偿没付清，保证金先不能退。",
    "case": "有没结束的纠纷，保证金先不能退。",
    "held": "还有钱在托管中的订单，保证金先不能退。",
    "claim_days": "还有没过售后期的订单，保证金先不能退。",
}


@get("/m/{shop:str}/deposit")
async def deposit_page(request: PageRequest, shop: FromPath[str]) -> Page:
    """Show a shop's deposit and debt, every movement, and the two forms."""
    found = await shop_of(request, shop)
    return await _deposit(*found) if isinstance(found, tuple) else found


@post("/m/{shop:str}/deposit/pay", status_code=200)
async def pay_in(request: PageRequest, shop: FromPath[str]) -> Page:
    """Send the merchant to the custodian's page with the amount typed."""
    found = await shop_of(request, shop, is_post=True)
    if not isinstance(found, tuple):
        return found
    visit, mine = found
    amount = _amount(visit, "amount")
    if isinstance(amount, Refused):
        return await _deposit(visit, mine, errors=amount.fields, status=amount.status)
    back = f"/m/{mine.ref}/deposit"
    path = await visit.services.deposits.pay_in(visit.me, ShopId(mine.shop_id), amount.minor, back)
    if isinstance(path, Refused):
        return await _deposit(visit, mine, errors={"amount": path.zh}, status=path.status)
    return redirect(path)


@post("/m/{shop:str}/deposit/return", status_code=200)
async def ask_back(request: PageRequest, shop: FromPath[str]) -> Page:
    """Ask part or all of the deposit back; it goes where it was last paid from."""
    found = await shop_of(request, shop, is_post=True)
    if not isinstance(found, tuple):
        return found
    visit, mine = found
    amount = _amount(visit, "back")
    if isinstance(amount, Refused):
        return await _deposit(visit, mine, errors=amount.fields, status=amount.status)
    deposits, step = visit.services.deposits, visit.form.text("step")
    left = await deposits.give_back(visit.me, ShopId(mine.shop_id), amount.minor, step)
    if isinstance(left, Refused):
        return await _deposit(visit, mine, errors={"back": left.zh}, status=left.status)
    return redirect(f"/m/{mine.ref}/deposit", flash=DEPOSIT_ASKED, visit=visit)


def _amount(visit: Visit, name: str) -> Money | Refused:
    amount = parse_yuan(visit.form.text(name))
    if amount is None or amount.minor <= 0:
        return Refused(Refusal.INVALID_FIELDS, {name: "填多少元，例如 500 或 1200.50"})
    return amount


async def _deposit(visit: Visit, mine: ShopView, *, errors: dict[str, str] | None = None, status: int = 200) -> Page:
    view = await visit.services.deposits.deposit(visit.me, ShopId(mine.shop_id))
    if isinstance(view, Refused):
        return refusal_page(visit, view, back="/m", link="回卖家中心")
    waiting = await visit.services.cases.inbox.waiting(visit.me, mine.shop_id)
    sent = visit.form.text if visit.request.method == "POST" else lambda _name: ""
    return page(
        "m_deposit.html",
        visit,
        status=status,
        private=True,
        errors=errors or {},
        shop=mine,
        d=view,
        waiting=[] if isinstance(waiting, Refused) else waiting,
        form={"amount": sent("amount"), "back": sent("back")},
        step=f"r{visit.services.ids.next()}",
        bound=BOUND.get(view.bound, ""),
        movements=MOVEMENTS,
        reasons=REASONS,
        is_recourse=lambda line: line.account is AccountNo.RECOURSE,
    )


handlers = [deposit_page, pay_in, ask_back]
