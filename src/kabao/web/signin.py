"""Who is here: sign in by phone and code or by a one-use link, sign out, the name, the inbox."""

from typing import Final

from litestar import get, post
from litestar.params import FromPath

from kabao.identity import CASE_ROLES, NewSession, Person, Role, normal_phone
from kabao.kernel import Refusal, Refused
from kabao.shops import ListingView
from kabao.web.http import (
    KEPT_FIELD,
    PRE_COOKIE,
    SESSION_COOKIE,
    SESSION_SECONDS,
    Form,
    Page,
    PageRequest,
    Visit,
    cookie,
    enter,
    forget,
    goes_on,
    local_path,
    open_kept,
    page,
    posted,
    read_cookie,
    read_form,
    redirect,
    refusal_page,
    signed,
    stale_page,
    token_matches,
)
from kabao.web.words import SAVED, SIGNED_OUT

LINK_LIMIT: Final = 200
RESEND_SECONDS: Final = 60
"""How long identity waits between two codes to one phone."""
START: Final = dict.fromkeys(CASE_ROLES, "/desk") | {Role.MERCHANT: "/m"}
"""Where a sign-in link leads, by the role it was made for."""


@get("/sign-in")
async def sign_in_page(request: PageRequest) -> Page:
    """Ask for the phone number; someone already here is sent on."""
    visit = await enter(request)
    next_path = local_path(request.query_params.get("next", "/"))
    if visit.signed_in is not None:
        return redirect(next_path)
    return _ask_phone(visit, next_path)


@post("/sign-in", status_code=200)
async def send_code(request: PageRequest) -> Page:
    """Send a code to the phone and ask for it."""
    visit = await _before_sign_in(request)
    if not isinstance(visit, Visit):
        return visit
    phone = visit.form.text("phone")
    sent = await visit.services.identity.request_code(phone, visit.visitor)
    known = normal_phone(phone)
    if isinstance(sent, Refused) and sent.code is Refusal.TOO_MANY_TRIES and known:
        # A code that was sent a moment ago still works, so its field must not go away.
        return _ask_code(visit, known, note=resend_note(visit), sent_at=_sent_at(visit), status=sent.status)
    if isinstance(sent, Refused):
        return _ask_phone(visit, _next(visit), errors=_sentences(sent, "phone"), status=sent.status)
    return _ask_code(visit, sent, sent_at=int(visit.now.timestamp()))


@post("/sign-in/code", status_code=200)
async def check_code(request: PageRequest) -> Page:
    """Check the code, open a session and go back to where the person was."""
    visit = await _before_sign_in(request)
    if not isinstance(visit, Visit):
        return visit
    phone = visit.form.text("phone")
    opened = await visit.services.identity.sign_in(
        phone, visit.form.text("code"), visit.visitor, replacing=_earlier(visit)
    )
    if isinstance(opened, Refused):
        errors, sent_at = _sentences(opened, "code"), _sent_at(visit)
        return _ask_code(visit, phone, errors=errors, sent_at=sent_at, status=opened.status)
    return await _let_in(visit, opened)


@get("/sign-in/link/{token:str}")
async def link_page(request: PageRequest, token: FromPath[str]) -> Page:
    """Show a button; looking at a link spends nothing, since chat programs look at links too."""
    visit = await enter(request)
    return page("signin_link.html", visit, private=True, token=token[:LINK_LIMIT])


@post("/sign-in/link/{token:str}", status_code=200)
async def use_link(request: PageRequest, token: FromPath[str]) -> Page:
    """Spend the link and open a session."""
    visit = await enter(request)
    visit.form = await read_form(request)
    if visit.signed_in is None and not token_matches(visit):
        return stale_page(visit)
    if visit.signed_in is not None and visit.form.raw("csrf_token") != visit.csrf:
        return stale_page(visit)
    opened = await visit.services.identity.sign_in_by_link(token[:LINK_LIMIT], visit.visitor, replacing=_earlier(visit))
    if isinstance(opened, Refused):
        return refusal_page(visit, opened, back="/sign-in", link="用手机号登录")
    return await _let_in(visit, opened, START.get(opened.role or Role.BUYER, "/"))


@post("/sign-out", status_code=200)
async def sign_out(request: PageRequest) -> Page:
    """End this session on the server and forget its cookie."""
    visit = await posted(request)
    if not isinstance(visit, Visit):
        return visit
    await visit.services.identity.sign_out(read_cookie(request, SESSION_COOKIE))
    answer = redirect("/", flash=SIGNED_OUT, visit=visit)
    answer.cookies.append(forget(visit, SESSION_COOKIE))
    return answer


@get("/me")
async def me_page(request: PageRequest) -> Page:
    """Show the name others see."""
    visit = await signed(request)
    if not isinstance(visit, Visit):
        return visit
    return page("me.html", visit, form={"display_name": visit.me.display_name})


@post("/me", status_code=200)
async def change_me(request: PageRequest) -> Page:
    """Change the name."""
    visit = await posted(request)
    if not isinstance(visit, Visit):
        return visit
    name = visit.form.text("display_name")
    answer = await visit.services.identity.rename(visit.me.account_id, name)
    if isinstance(answer, Refused):
        errors = answer.fields or {"": answer.zh}
        return page("me.html", visit, status=answer.status, errors=errors, form={"display_name": name})
    return redirect("/me", flash=SAVED, visit=visit)


@get("/messages")
async def inbox_page(request: PageRequest) -> Page:
    """List what happened that concerns this person, newest first."""
    visit = await signed(request)
    if not isinstance(visit, Visit):
        return visit
    return page("messages.html", visit, notices=await visit.services.notices.inbox(visit.me))


@post("/messages", status_code=200)
async def read_inbox(request: PageRequest) -> Page:
    """Mark everything read."""
    visit = await posted(request)
    if not isinstance(visit, Visit):
        return visit
    await visit.services.notices.mark_read(visit.me)
    return redirect("/messages")


@get("/signin")
async def old_sign_in(request: PageRequest) -> Page:
    """Keep the short spelling working."""
    return redirect("/sign-in" + (f"?{request.url.query}" if request.url.query else ""))


async def _before_sign_in(request: PageRequest) -> Visit | Page:
    visit = await enter(request)
    visit.form = await read_form(request)
    if visit.signed_in is not None:
        return redirect(_next(visit))
    if not token_matches(visit):
        # What was kept is dropped with a wrong token: it may have been handed in by another site.
        return _ask_phone(
            visit,
            _next(visit),
            errors={"": "这个页面过期了，请再填一次手机号。"},
            status=403,
            keep=False,
        )
    return visit


def _next(visit: Visit) -> str:
    return local_path(visit.form.text("next", "/"))


def _sentences(refused: Refused, name: str) -> dict[str, str]:
    is_about_it = refused.code in {Refusal.CODE_WRONG, Refusal.CODE_EXPIRED, Refusal.INVALID_FIELDS}
    return refused.fields or {name if is_about_it else "": refused.zh}


def resend_note(visit: Visit) -> str:
    """Say when the next code may be asked for, as far as the page that asked knows when the last one went out."""
    sent = _sent_at(visit)
    wait = sent + RESEND_SECONDS - int(visit.now.timestamp()) if sent else 0
    if 0 < wait <= RESEND_SECONDS:
        return f"刚才的验证码还有效，{wait} 秒后可以重发。"
    return "验证码要得太频繁了，没有再发。5 分钟内收到过的还能用，填在下面；没有的话过几分钟再来。"


def _sent_at(visit: Visit) -> int | None:
    text = visit.form.text("sent")
    return int(text) if text.isascii() and text.isdigit() and len(text) < 12 else None  # noqa: PLR2004


def _kept(visit: Visit) -> tuple[str, str]:
    """Return the sealed form that came along, and the path it is for; two empty texts where there is none."""
    sealed = visit.form.raw(KEPT_FIELD)
    kept = open_kept(sealed, visit.pre_token) if sealed else None
    return (sealed, kept[0]) if kept else ("", "")


def _ask_phone(
    visit: Visit, next_path: str, *, errors: dict[str, str] | None = None, status: int = 200, keep: bool = True
) -> Page:
    kept, path = _kept(visit) if keep else ("", "")
    return page(
        "signin.html",
        visit,
        sends_codes=visit.services.identity.sends_codes,
        status=status,
        private=True,
        errors=errors or {},
        form={"phone": visit.form.text("phone")},
        next_path=next_path,
        kept=kept,
        kept_for=goes_on(path),
        ran_out=False,
    )


def _ask_code(
    visit: Visit,
    phone: str,
    *,
    errors: dict[str, str] | None = None,
    note: str = "",
    sent_at: int | None,
    status: int = 200,
) -> Page:
    return page(
        "signin_code.html",
        visit,
        sends_codes=visit.services.identity.sends_codes,
        status=status,
        private=True,
        errors=errors or {},
        phone=phone,
        next_path=_next(visit),
        kept=_kept(visit)[0],
        note=note,
        sent=sent_at or "",
    )


def _earlier(visit: Visit) -> str | None:
    return read_cookie(visit.request, SESSION_COOKIE) or None


async def _let_in(visit: Visit, opened: NewSession, start: str = "") -> Page:
    kept = open_kept(visit.form.raw(KEPT_FIELD), visit.pre_token) if visit.form.raw(KEPT_FIELD) else None
    if kept is None:
        answer = redirect(start or _next(visit))
    else:
        path, fields = kept
        answer = page(
            "resume.html",
            visit,
            private=True,
            csrf_token=opened.csrf,
            path=path,
            fields=fields,
            shown=_shown(fields),
            kept_for=goes_on(path),
            buying=await _buying(visit, opened.person, path, fields),
        )
    answer.cookies = [
        cookie(visit, SESSION_COOKIE, opened.token, SESSION_SECONDS),
        forget(visit, PRE_COOKIE),
    ]
    return answer


async def _buying(
    visit: Visit, person: Person, path: str, fields: dict[str, list[str]]
) -> tuple[ListingView, int] | None:
    """Return what a kept order form would buy, and how many, so that nobody orders blindly."""
    if not path.startswith("/buy/"):
        return None
    quantity = Form([("quantity", text) for text in fields.get("quantity", [])]).number("quantity")
    listing = await visit.services.shops.listing(path.removeprefix("/buy/"), person)
    return None if isinstance(listing, Refused) or not quantity else (listing, quantity)


def _shown(fields: dict[str, list[str]]) -> list[str]:
    """Pick what a person wrote in their own words, to be shown before it is sent."""
    return [
        value for name in ("statement", "body", "note", "facts", "reasons") for value in fields.get(name, []) if value
    ]


handlers = [
    sign_in_page,
    send_code,
    check_code,
    link_page,
    use_link,
    sign_out,
    me_page,
    change_me,
    inbox_page,
    read_inbox,
    old_sign_in,
]
