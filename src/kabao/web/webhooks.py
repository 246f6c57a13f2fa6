"""A shop's webhooks (回调): where its own programs hear of orders and cases, the secret once, and the log."""

from typing import Final

from litestar import get, post
from litestar.params import FromPath

from kabao.identity import Act
from kabao.kernel import Refusal, Refused, parse_ref
from kabao.shops import ShopView
from kabao.web.http import Page, PageRequest, Visit, page, redirect, refusal_page
from kabao.web.merchant import shop_of
from kabao.web.words import HOOK_REMOVED, HOOK_TESTED, SAVED, Flash
from kabao.webhooks import Endpoint, NewSecret

DELIVERY_STATES: Final = {
    "waiting": ("等待重试", "warn"),
    "sent": ("已送达", "ok"),
    "failed": ("已放弃", "bad"),
    "dropped": ("停用时作废", ""),
}
WHYS: Final = {
    "no answer in time": "10 秒内没有回答",
    "no trusted TLS connection": "证书不受信任",
    "not an address of the public network": "域名指向的不是公网地址",
    "an answer longer than 64 KB": "回答太长",
    "gaierror": "查不到这个域名",
}
"""What kept a message from arriving, as the sender names it."""
STATES: Final = {"on": ("开启", "ok"), "off": ("已停用", ""), "failed": ("收不到，已停用", "bad")}


@get("/m/{shop:str}/webhooks")
async def webhooks_page(request: PageRequest, shop: FromPath[str]) -> Page:
    """List a shop's endpoints, and ask for one."""
    found = await shop_of(request, shop)
    return await _list(*found) if isinstance(found, tuple) else found


@post("/m/{shop:str}/webhooks", status_code=200)
async def add(request: PageRequest, shop: FromPath[str]) -> Page:
    """Add an endpoint and show its secret, this once."""
    found = await shop_of(request, shop, is_post=True)
    if not isinstance(found, tuple):
        return found
    visit, mine = found
    if not await _may(visit):
        return await _list(visit, mine, Refused(Refusal.TOO_MANY_TRIES))
    made = await visit.services.webhooks.add(visit.me, mine.shop_id, visit.form.text("url"))
    return await _list(visit, mine, made) if isinstance(made, Refused) else _secret(visit, mine, made)


@get("/m/{shop:str}/webhooks/{ref:str}")
async def webhook_page(request: PageRequest, shop: FromPath[str], ref: FromPath[str]) -> Page:
    """Show an endpoint: its messages and what became of each."""
    found = await _endpoint_of(request, shop, ref)
    return await _show(*found) if isinstance(found, tuple) else found


@post("/m/{shop:str}/webhooks/{ref:str}/rotate", status_code=200)
async def rotate(request: PageRequest, shop: FromPath[str], ref: FromPath[str]) -> Page:
    """Make a new secret and show it, this once."""
    found = await _endpoint_of(request, shop, ref, is_post=True)
    if not isinstance(found, tuple):
        return found
    visit, mine, hook = found
    made = await visit.services.webhooks.rotate(visit.me, mine.shop_id, hook.endpoint_id)
    return await _show(visit, mine, hook, made) if isinstance(made, Refused) else _secret(visit, mine, made)


@post("/m/{shop:str}/webhooks/{ref:str}/end-previous", status_code=200)
async def end_previous(request: PageRequest, shop: FromPath[str], ref: FromPath[str]) -> Page:
    """Let the old secret sign no more."""
    found = await _endpoint_of(request, shop, ref, is_post=True)
    if not isinstance(found, tuple):
        return found
    visit, mine, hook = found
    return await _done(*found, await visit.services.webhooks.end_previous(visit.me, mine.shop_id, hook.endpoint_id))


@post("/m/{shop:str}/webhooks/{ref:str}/turn", status_code=200)
async def turn(request: PageRequest, shop: FromPath[str], ref: FromPath[str]) -> Page:
    """Turn an endpoint on or off."""
    found = await _endpoint_of(request, shop, ref, is_post=True)
    if not isinstance(found, tuple):
        return found
    visit, mine, hook = found
    on = visit.form.text("to") == "on"
    return await _done(*found, await visit.services.webhooks.turn(visit.me, mine.shop_id, hook.endpoint_id, on=on))


@post("/m/{shop:str}/webhooks/{ref:str}/test", status_code=200)
async def test(request: PageRequest, shop: FromPath[str], ref: FromPath[str]) -> Page:
    """Send a message that tries the endpoint."""
    found = await _endpoint_of(request, shop, ref, is_post=True)
    if not isinstance(found, tuple):
        return found
    visit, mine, hook = found
    sent = await visit.services.webhooks.test(visit.me, mine.shop_id, hook.endpoint_id)
    return await _done(*found, sent, flash=HOOK_TESTED)


@post("/m/{shop:str}/webhooks/{ref:str}/remove", status_code=200)
async def remove(request: PageRequest, shop: FromPath[str], ref: FromPath[str]) -> Page:
    """Forget an endpoint with its log."""
    found = await _endpoint_of(request, shop, ref, is_post=True)
    if not isinstance(found, tuple):
        return found
    visit, mine, hook = found
    await visit.services.webhooks.remove(visit.me, mine.shop_id, hook.endpoint_id)
    return redirect(f"/m/{mine.ref}/webhooks", flash=HOOK_REMOVED, visit=visit)


async def _done(visit: Visit, mine: ShopView, hook: Endpoint, refused: Refused | None, *, flash: Flash = SAVED) -> Page:
    """Answer a step on an endpoint with its page; why, where it was refused."""
    if refused is not None:
        return await _show(visit, mine, hook, refused)
    return redirect(f"/m/{mine.ref}/webhooks/{hook.ref}", flash=flash, visit=visit)


async def _may(visit: Visit) -> bool:
    return await visit.services.identity.may(Act.WEBHOOK, visit.me.account_id)


async def _endpoint_of(
    request: PageRequest, shop: str, text: str, *, is_post: bool = False
) -> tuple[Visit, ShopView, Endpoint] | Page:
    """Find who asks, the own shop and its endpoint that the address names, or the page to answer instead."""
    found = await shop_of(request, shop, is_post=is_post)
    if not isinstance(found, tuple):
        return found
    visit, mine = found
    back, ref = f"/m/{mine.ref}/webhooks", parse_ref(text)
    if ref is None or ref.shop_id != mine.shop_id:
        return refusal_page(visit, Refused(Refusal.NOT_FOUND), back=back, link="回到回调")
    hook = await visit.services.webhooks.endpoint(visit.me, mine.shop_id, ref.object_id)
    if isinstance(hook, Refused):
        return refusal_page(visit, hook, back=back, link="回到回调")
    if is_post and not await _may(visit):
        return refusal_page(visit, Refused(Refusal.TOO_MANY_TRIES), back=f"{back}/{hook.ref}", link="回到这个地址")
    return visit, mine, hook


def _secret(visit: Visit, mine: ShopView, made: NewSecret) -> Page:
    return page("m_webhook_secret.html", visit, private=True, shop=mine, hook=made.endpoint, secret=made.secret)


async def _list(visit: Visit, mine: ShopView, refused: Refused | None = None) -> Page:
    hooks = await visit.services.webhooks.endpoints(visit.me, mine.shop_id)
    if isinstance(hooks, Refused):
        return refusal_page(visit, hooks, back="/m", link="回卖家中心")
    return page(
        "m_webhooks.html",
        visit,
        status=200 if refused is None else refused.status,
        private=True,
        errors={} if refused is None else refused.fields or {"": refused.zh},
        shop=mine,
        hooks=hooks,
        states=STATES,
        form={"url": visit.form.text("url")},
    )


async def _show(visit: Visit, mine: ShopView, hook: Endpoint, refused: Refused | None = None) -> Page:
    lines = await visit.services.webhooks.deliveries(visit.me, mine.shop_id, hook.endpoint_id)
    return page(
        "m_webhook.html",
        visit,
        status=200 if refused is None else refused.status,
        private=True,
        errors={} if refused is None else {"": refused.zh},
        shop=mine,
        hook=hook,
        lines=[] if isinstance(lines, Refused) else lines,
        states=STATES,
        delivery_states=DELIVERY_STATES,
        whys=WHYS,
    )


handlers = [webhooks_page, add, webhook_page, rotate, end_previous, turn, test, remove]
