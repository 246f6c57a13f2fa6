"""The simulated custodian's own checkout page: another institution in looks and words, and plainly a simulation."""

from typing import Final

from litestar import get, post
from litestar.params import FromPath

from kabao.custody import SandboxCheckout
from kabao.kernel import Refusal, Refused
from kabao.web.http import (
    Page,
    PageRequest,
    Visit,
    enter,
    local_path,
    page,
    read_form,
    redirect,
    refusal_page,
    same_origin,
)
from kabao.web.words import PAID, PAYER_CLOSED, PAYMENT_ENDS, PAYMENT_TAKEN_BACK

MAX_PAYER: Final = 40


@get("/sandbox-custodian/checkout/{checkout:str}")
async def checkout_page(request: PageRequest, checkout: FromPath[str]) -> Page:
    """Show what is to be paid, to whom, and that no real money moves."""
    visit = await enter(request)
    return await _checkout(visit, checkout)


@post("/sandbox-custodian/checkout/{checkout:str}", status_code=200)
async def pay_at_custodian(request: PageRequest, checkout: FromPath[str]) -> Page:
    """Take the payment into the institution's own books, tell kabao, and send the payer back."""
    visit = await enter(request)
    visit.form = await read_form(request)
    custody = visit.services.custody
    found = await _found(visit, checkout)
    if found is None:
        return refusal_page(visit, Refused(Refusal.NOT_FOUND))
    if not same_origin(request):
        return refusal_page(visit, Refused(Refusal.CSRF_MISMATCH), back=request.url.path, link="回到付款页")
    flash, payer = None, visit.form.text("payer")[:MAX_PAYER]
    if found.paid_at is None and (payment_id := await custody.pay(checkout, payer=payer)) is not None:
        # Until kabao has answered its notice, all that is known is that the institution has the money.
        flash = PAID

        async def tell(body: bytes, signature: str) -> bool:
            nonlocal flash
            booked = await visit.services.orders.take_notice(body, signature)
            if isinstance(booked, Refused):
                return False
            flash = PAYMENT_ENDS.get(booked.outcome, PAID)
            return True

        await custody.notify(payment_id, tell)
    return redirect(local_path(found.return_path, "/o"), flash=flash, visit=visit)


@post("/sandbox-custodian/checkout/{checkout:str}/close", status_code=200)
async def close_payer(request: PageRequest, checkout: FromPath[str]) -> Page:
    """Close the account that paid, so that a refund that cannot arrive may be seen."""
    visit = await enter(request)
    visit.form = await read_form(request)
    found = await _found(visit, checkout)
    if found is None:
        return refusal_page(visit, Refused(Refusal.NOT_FOUND))
    if not same_origin(request):
        return refusal_page(visit, Refused(Refusal.CSRF_MISMATCH), back=request.url.path, link="回到付款页")
    await visit.services.custody.close_payers(checkout)
    return redirect(local_path(found.return_path, "/o"), flash=PAYER_CLOSED, visit=visit)


@post("/sandbox-custodian/checkout/{checkout:str}/chargeback", status_code=200)
async def charge_back(request: PageRequest, checkout: FromPath[str]) -> Page:
    """Let the bank of who paid take the payment back, so that it may be seen on all sides."""
    visit = await enter(request)
    visit.form = await read_form(request)
    found = await _found(visit, checkout)
    if found is None:
        return refusal_page(visit, Refused(Refusal.NOT_FOUND))
    if not same_origin(request):
        return refusal_page(visit, Refused(Refusal.CSRF_MISMATCH), back=request.url.path, link="回到付款页")
    custody = visit.services.custody
    await custody.charge_back_all(checkout)

    async def tell(body: bytes, signature: str) -> bool:
        return not isinstance(await visit.services.orders.take_notice(body, signature), Refused)

    await custody.deliver_notices(tell)
    return redirect(local_path(found.return_path, "/o"), flash=PAYMENT_TAKEN_BACK, visit=visit)


async def _found(visit: Visit, checkout: str) -> SandboxCheckout | None:
    """Find a checkout by what the address says; a database takes no NUL."""
    return await visit.services.custody.find_checkout(checkout) if checkout.isprintable() else None


async def _checkout(visit: Visit, checkout: str) -> Page:
    found = await _found(visit, checkout)
    if found is None:
        return refusal_page(visit, Refused(Refusal.NOT_FOUND))
    # As a browser fills in the account its owner pays from: the same one each time, until another is typed.
    payer = f"演示账户 {visit.person.account_id % 10**8:08d}" if visit.person else ""
    back = local_path(found.return_path, "/o")
    return page("custodian.html", visit, private=True, c=found, return_path=back, payer=payer, max_payer=MAX_PAYER)


handlers = [checkout_page, pay_at_custodian, close_payer, charge_back]
