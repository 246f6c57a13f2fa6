"""The caller's own account: the e-mail address that notices go to, and which of them."""

from typing import Annotated, Self

import msgspec
from litestar import delete, get, post, put
from litestar.params import JSONBody
from msgspec import Meta

from kabao.api.documents import READING, STEP
from kabao.api.entry import ACTS_AS, ANY_PARTY, Caller, services_of, visitor
from kabao.api.inputs import Input
from kabao.api.problems import granted
from kabao.identity import EmailState
from kabao.notices import QuietHours, Topic


class EmailIn(Input, frozen=True, kw_only=True):
    """An address to send a code to."""

    email: Annotated[str, Meta(min_length=1, max_length=254)]


class CodeIn(Input, frozen=True, kw_only=True):
    """The code that came by mail."""

    code: Annotated[str, Meta(min_length=1, max_length=20)]


class TopicsIn(Input, frozen=True, kw_only=True):
    """Which topics go by mail; one that is left out stays as it is."""

    orders: bool
    cases: bool
    receipts: bool
    reminders: bool | None = None
    digest: bool | None = None


class QuietIn(Input, frozen=True, kw_only=True):
    """Hours in which no letter goes out: minutes of the day, at most 12 hours apart; from after to is over midnight."""

    from_minute: Annotated[int, Meta(ge=0, le=1439)]
    to_minute: Annotated[int, Meta(ge=0, le=1439)]
    zone: Annotated[str, Meta(min_length=1, max_length=40)] = "Asia/Shanghai"


class QuietOut(msgspec.Struct, frozen=True, kw_only=True):
    """The hours in which no letter goes out."""

    from_minute: int
    to_minute: int
    zone: str


class PendingOut(msgspec.Struct, frozen=True, kw_only=True):
    """The masked address a code went to; the address in force stays until the code is given."""

    pending: str


class MailOut(msgspec.Struct, frozen=True, kw_only=True):
    """How the caller gets mail. `email` and `pending` are masked, null where there is none.

    `is_on` tells whether this site sends mail at all, `is_working` whether letters go to `email`.
    """

    is_on: bool
    email: str | None
    is_working: bool
    pending: str | None
    orders: bool
    cases: bool
    receipts: bool
    reminders: bool
    digest: bool
    quiet: QuietOut | None

    @classmethod
    def of(cls, state: EmailState, choices: dict[Topic, bool], quiet: QuietHours | None, *, is_on: bool) -> Self:
        """Write the settings."""
        return cls(
            is_on=is_on,
            email=state.email_masked,
            is_working=state.is_working,
            pending=state.pending_masked,
            orders=choices[Topic.ORDERS],
            cases=choices[Topic.CASES],
            receipts=choices[Topic.RECEIPTS],
            reminders=choices[Topic.REMINDERS],
            digest=choices[Topic.DIGEST],
            quiet=None if quiet is None else QuietOut(**msgspec.structs.asdict(quiet)),
        )


@get("/me/notices", responses=READING, tags=["account"])
async def mail_settings(request: Caller) -> MailOut:
    """Show the caller's address, masked, and which notices go there."""
    return await _shown(request)


@put("/me/notices", opt={ACTS_AS: ANY_PARTY}, responses=STEP, tags=["account"])
async def choose_topics(request: Caller, data: JSONBody[TopicsIn]) -> MailOut:
    """Set which notices go by mail; on the site all of them stay."""
    mailer = services_of(request).mailer
    asked = {topic: getattr(data, topic) for topic in Topic}
    kept = await mailer.choices(request.user)
    wanted = (topic for topic in Topic if (kept[topic] if asked[topic] is None else asked[topic]))
    await mailer.choose(request.user, frozenset(wanted))
    return await _shown(request)


@put("/me/quiet-hours", opt={ACTS_AS: ANY_PARTY}, responses=STEP, tags=["account"])
async def set_quiet_hours(request: Caller, data: JSONBody[QuietIn]) -> MailOut:
    """Set the hours in which no letter goes out, but for one that would come too late for a deadline."""
    hours = QuietHours(data.from_minute, data.to_minute, data.zone)
    granted(await services_of(request).mailer.keep_quiet(request.user, hours))
    return await _shown(request)


@delete("/me/quiet-hours", opt={ACTS_AS: ANY_PARTY}, responses=STEP, status_code=200, tags=["account"])
async def end_quiet_hours(request: Caller) -> MailOut:
    """Let letters go out at any hour again; those that were held go out now."""
    granted(await services_of(request).mailer.keep_quiet(request.user, None))
    return await _shown(request)


@post("/me/email", opt={ACTS_AS: ANY_PARTY}, responses=STEP, status_code=202, tags=["account"])
async def ask_code(request: Caller, data: JSONBody[EmailIn]) -> PendingOut:
    """Send a code to an address: once a minute and 5 times an hour at most."""
    sent = await services_of(request).emails.request(request.user, data.email, visitor(request))
    return PendingOut(pending=granted(sent))


@post("/me/email/confirm", opt={ACTS_AS: ANY_PARTY}, responses=STEP, status_code=200, tags=["account"])
async def confirm_email(request: Caller, data: JSONBody[CodeIn]) -> MailOut:
    """Put the address in force that the code went to."""
    granted(await services_of(request).emails.confirm(request.user, data.code))
    return await _shown(request)


@delete("/me/email", opt={ACTS_AS: ANY_PARTY}, responses=STEP, status_code=200, tags=["account"])
async def remove_email(request: Caller) -> MailOut:
    """Forget the caller's address; nothing more goes there."""
    await services_of(request).emails.remove(request.user)
    return await _shown(request)


async def _shown(request: Caller) -> MailOut:
    services = services_of(request)
    state, choices = await services.emails.state(request.user), await services.mailer.choices(request.user)
    quiet = await services.mailer.quiet_hours(request.user)
    return MailOut.of(state, choices, quiet, is_on=services.emails.is_on)


handlers = [mail_settings, choose_topics, set_quiet_hours, end_quiet_hours, ask_code, confirm_email, remove_email]
