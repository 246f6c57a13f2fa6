"""What goes by mail: one confirmed address, the topics a person wants and when, and the link that stops a letter.

The link is the only form here without a token of the page: a mail program follows it by itself (RFC 8058), and its
signature stands for the holder of the letter. All it can do is stop one topic, which its owner can start again.
"""

import re
from typing import Final

from litestar import get, post

from kabao.identity import CASE_ROLES
from kabao.kernel import Refusal, Refused
from kabao.notices import Channel, QuietHours, Topic
from kabao.web.http import Page, PageRequest, Visit, enter, page, posted, read_form, redirect, refusal_page, signed
from kabao.web.words import MAIL_CODE_SENT, MAIL_CONFIRMED, MAIL_REMOVED, SAVED

HERE: Final = "/me/notices"
TOKEN_LIMIT: Final = 100
TOPICS: Final = (
    (Topic.ORDERS, "订单", "卖出、放款和订单的变化"),
    (Topic.CASES, "案件", "纠纷里轮到你、方案、裁决，多数有时限"),
    (
        Topic.REMINDERS,
        "时限提醒",
        "时限还剩 24 小时和 3 小时；案件或留言等了你 24 和 48 小时；钱自动付给商家以前；我的维权里的日子",
    ),
    (Topic.RECEIPTS, "证据回执", "你的每份证据存证以后的凭证，带附件"),
    (Topic.DIGEST, "工作台日报", "每天早上九点，等你处理的案件"),
)
CHANNELS: Final = {
    Channel.SMS: ("短信", "发到登录的手机号"),
    Channel.WECHAT: ("微信", "先用登录的手机号关注本站的公众号，找不到你时会停发并在站内告诉你"),
}
ZONES: Final = (
    ("Asia/Shanghai", "北京时间"),
    ("Asia/Urumqi", "乌鲁木齐"),
    ("Asia/Tokyo", "东京、首尔"),
    ("Asia/Singapore", "新加坡"),
    ("Australia/Sydney", "悉尼"),
    ("Europe/London", "伦敦"),
    ("Europe/Berlin", "柏林、巴黎"),
    ("America/New_York", "纽约"),
    ("America/Los_Angeles", "洛杉矶"),
)
NIGHT: Final = QuietHours(22 * 60, 8 * 60, ZONES[0][0])
"""What the form proposes."""
NAMES: Final = {topic: name for topic, name, _ in TOPICS}
_TIME: Final = re.compile(r"([01][0-9]|2[0-3]):([0-5][0-9])")
GONE: Final = Refused(Refusal.NOT_FOUND)


@get(HERE)
async def settings_page(request: PageRequest) -> Page:
    """Show the address in force, masked, and what goes there."""
    visit = await signed(request)
    return await _show(visit) if isinstance(visit, Visit) else visit


@post(f"{HERE}/email", status_code=200)
async def ask_code(request: PageRequest) -> Page:
    """Send a code to an address; nothing else changes until it is typed in."""
    visit = await posted(request)
    if not isinstance(visit, Visit):
        return visit
    email = visit.form.text("email")
    sent = await visit.services.emails.request(visit.me, email, visit.visitor)
    if isinstance(sent, Refused):
        return await _show(visit, sent.fields or {"": sent.zh}, email=email, status=sent.status)
    return redirect(HERE, flash=MAIL_CODE_SENT, visit=visit)


@post(f"{HERE}/confirm", status_code=200)
async def confirm(request: PageRequest) -> Page:
    """Put the address in force whose code was typed in."""
    visit = await posted(request)
    if not isinstance(visit, Visit):
        return visit
    refused = await visit.services.emails.confirm(visit.me, visit.form.text("code"))
    if refused is not None:
        errors = {"code" if refused.code is Refusal.CODE_WRONG else "": refused.zh}
        return await _show(visit, errors, status=refused.status)
    return redirect(HERE, flash=MAIL_CONFIRMED, visit=visit)


@post(f"{HERE}/remove", status_code=200)
async def remove(request: PageRequest) -> Page:
    """Forget the address; nothing more goes there."""
    visit = await posted(request)
    if not isinstance(visit, Visit):
        return visit
    await visit.services.emails.remove(visit.me)
    return redirect(HERE, flash=MAIL_REMOVED, visit=visit)


@post(HERE, status_code=200)
async def choose(request: PageRequest) -> Page:
    """Keep which topics go by mail."""
    visit = await posted(request)
    if not isinstance(visit, Visit):
        return visit
    ticked = visit.form.every("topic")
    wanted = {topic for topic in Topic if topic in ticked}
    if CASE_ROLES.isdisjoint(visit.me.roles):
        # It stands on the page of staff alone, so nobody else has unticked it.
        wanted.add(Topic.DIGEST)
    await visit.services.mailer.choose(visit.me, frozenset(wanted))
    return redirect(HERE, flash=SAVED, visit=visit)


@post(f"{HERE}/short", status_code=200)
async def choose_short(request: PageRequest) -> Page:
    """Keep by which short messages a person wants to hear, of those the site has."""
    visit = await posted(request)
    if not isinstance(visit, Visit):
        return visit
    ticked = visit.form.every("channel")
    await visit.services.texter.choose(visit.me, frozenset(one for one in Channel if one in ticked))
    return redirect(HERE, flash=SAVED, visit=visit)


@post(f"{HERE}/quiet", status_code=200)
async def keep_quiet(request: PageRequest) -> Page:
    """Keep the hours in which no letter goes out, or none."""
    visit = await posted(request)
    if not isinstance(visit, Visit):
        return visit
    form = visit.form
    hours = QuietHours(minute_of(form.text("from")), minute_of(form.text("to")), form.text("zone"))
    refused = await visit.services.mailer.keep_quiet(visit.me, hours if form.ticked("quiet") else None)
    if refused is not None:
        return await _show(visit, refused.fields, quiet=hours, status=refused.status)
    return redirect(HERE, flash=SAVED, visit=visit)


def minute_of(text: str) -> int:
    """Read a time of day such as 22:30 as a minute of the day; -1 where it is none."""
    found = _TIME.fullmatch(text)
    return int(found[1]) * 60 + int(found[2]) if found else -1


def time_of(minute: int) -> str:
    """Write a minute of the day as a field of a form holds it; empty for none."""
    return f"{minute // 60:02d}:{minute % 60:02d}" if minute >= 0 else ""


@get("/mail/unsubscribe")
async def unsubscribe_page(request: PageRequest) -> Page:
    """Show a button: mail programs look at links by themselves, and looking stops nothing."""
    visit = await enter(request)
    token = request.query_params.get("t", "")[:TOKEN_LIMIT]
    topic = await visit.services.mailer.topic_of_link(token)
    if topic is None:
        return _gone(visit)
    return page("unsubscribe.html", visit, private=True, name=NAMES[topic], token=token, is_done=False)


@post("/mail/unsubscribe", status_code=200)
async def unsubscribe(request: PageRequest) -> Page:
    """Stop the topic the link is for, asked by a person or by one click in a mail program."""
    visit = await enter(request)
    form = await read_form(request)
    token = (request.query_params.get("t", "") or form.text("t"))[:TOKEN_LIMIT]
    topic = await visit.services.mailer.unsubscribe(token)
    if topic is None:
        return _gone(visit)
    return page("unsubscribe.html", visit, private=True, name=NAMES[topic], token="", is_done=True)


def _gone(visit: Visit) -> Page:
    return refusal_page(visit, GONE, back=HERE, link="看通知设置")


async def _show(
    visit: Visit,
    errors: dict[str, str] | None = None,
    *,
    email: str = "",
    quiet: QuietHours | None = None,
    status: int = 200,
) -> Page:
    services = visit.services
    wanted = await services.mailer.choices(visit.me)
    kept = quiet or await services.mailer.quiet_hours(visit.me)
    hours = kept or NIGHT
    is_on, state = services.emails.is_on, await services.emails.state(visit.me)
    short = await services.texter.choices(visit.me)
    is_staff = not CASE_ROLES.isdisjoint(visit.me.roles)
    return page(
        "notice_settings.html",
        visit,
        status=status,
        errors=errors or {},
        is_on=is_on,
        is_delivered=services.mailer.is_delivered,
        state=state,
        topics=[
            (topic, name, hint, wanted[topic]) for topic, name, hint in TOPICS if is_staff or topic is not Topic.DIGEST
        ],
        channels=[(one, *CHANNELS[one], is_wanted) for one, is_wanted in short.items()],
        phone=visit.me.phone_masked,
        has_far=(is_on and bool(state.email_masked)) or any(short.values()),
        zones=ZONES,
        form={
            "email": email,
            "quiet": kept is not None,
            "from": time_of(hours.from_minute),
            "to": time_of(hours.to_minute),
            "zone": hours.zone,
        },
    )


handlers = [settings_page, ask_code, confirm, remove, choose, choose_short, keep_quiet, unsubscribe_page, unsubscribe]
