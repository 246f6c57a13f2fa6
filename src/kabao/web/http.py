"""What every page shares: who is here, the form that came, tokens, cookies, answers, and the way back.

Invariants: a POST without the right token changes nothing; a page of a signed-in person is never stored by a
cache; a redirect never leaves the site; what a person typed is never lost because a session ran out.
"""

import base64
import hashlib
import hmac
import json
import secrets
from collections.abc import AsyncIterator, Sequence
from dataclasses import dataclass, field
from datetime import UTC, datetime
from http import HTTPStatus
from typing import Any, Final
from urllib.parse import urlencode, urlsplit

from litestar import Request, Response
from litestar.datastructures import Cookie, UploadFile
from litestar.exceptions import ClientException

from kabao.identity import Person, SignedIn, Visitor, visitor_of
from kabao.kernel import Refusal, Refused, format_ref, half_width, parse_ref
from kabao.web.render import CSRF_FIELD, render
from kabao.web.services import Services
from kabao.web.words import FLASHES, Flash, left_sentence

SESSION_COOKIE: Final = "kabao_session"
PRE_COOKIE: Final = "kabao_pre"
FLASH_COOKIE: Final = "kabao_flash"
KEPT_FIELD: Final = "kept"
NEVER_ECHOED: Final = frozenset({CSRF_FIELD, KEPT_FIELD, "password", "totp", "code", "keys"})

NOT_WORDS: Final = frozenset(
    {"idempotency_key", "snapshot_no", "next", "sent", "offer", "version", "shown", "dwell", "state"}
)
"""Hidden fields: sent again with a kept form, but nothing that anyone typed."""
LEFT_SHOWN: Final = 5
LEFT_NAME: Final = 60

SESSION_SECONDS: Final = 30 * 24 * 3600
KEPT_LIMIT: Final = 64 * 1024
UPLOAD_LIMIT: Final = 64 * 1024 * 1024
"""The largest body of a form with files: a PDF of 50 MiB, or some pictures, and the words. More comes in chunks."""
POLL_STOP: Final = 286
"""What htmx takes as: stop asking."""
CHUNK: Final = 256 * 1024
STRANGERS_LIMIT: Final = 256 * 1024
"""Bytes of a form from somebody who is not signed in, whatever the form may hold otherwise."""
HEADERS: Final[dict[str, str]] = {
    "content-security-policy": (
        "default-src 'none'; script-src 'self'; style-src 'self'; img-src 'self' data:; connect-src 'self'; "
        "form-action 'self'; base-uri 'none'; frame-ancestors 'none'"
    ),
    "x-content-type-options": "nosniff",
    "referrer-policy": "same-origin",
}

HTML: Final = "text/html"

PageRequest = Request[Any, Any, Any]
Page = Response[Any]


class Form:
    """The fields of a POST, read with limits; files apart."""

    def __init__(self, pairs: list[tuple[str, Any]]) -> None:
        self._texts: dict[str, list[str]] = {}
        self._files: dict[str, list[UploadFile]] = {}
        for name, value in pairs:
            if isinstance(value, UploadFile):
                self._files.setdefault(name, []).append(value)
            else:
                self._texts.setdefault(name, []).append(str(value).replace("\x00", "").replace("\r\n", "\n"))

    def text(self, name: str, default: str = "") -> str:
        """Return the field without the space around it."""
        return self._texts.get(name, [default])[-1].strip()

    def raw(self, name: str) -> str:
        """Return the field as it was typed."""
        return self._texts.get(name, [""])[-1]

    def every(self, name: str) -> list[str]:
        """Return all values of a field that may be ticked more than once."""
        return self._texts.get(name, [])

    def ticked(self, name: str) -> bool:
        """Tell whether a box was ticked."""
        return name in self._texts

    def number(self, name: str) -> int | None:
        """Read a whole number of at most nine digits, wide ones too; None where it is not one."""
        text = half_width(self.text(name))
        return int(text) if text.isascii() and text.isdigit() and len(text) <= 9 else None  # noqa: PLR2004

    def files(self, name: str) -> list[UploadFile]:
        """Return the files that were chosen."""
        return self._files.get(name, [])

    def typed(self) -> dict[str, list[str]]:
        """Return what was typed, without tokens and secrets: a password, a code or a card key is never echoed."""
        return {name: values for name, values in self._texts.items() if name not in NEVER_ECHOED}


@dataclass(slots=True)
class Visit:
    """One request: the services, who asks, the moment, and the form where there is one."""

    request: PageRequest
    services: Services
    signed_in: SignedIn | None
    now: datetime
    pre_token: str
    form: Form = field(default_factory=lambda: Form([]))
    unread: int | None = None

    @property
    def person(self) -> Person | None:
        """Who is signed in, if anyone."""
        return self.signed_in.person if self.signed_in else None

    @property
    def me(self) -> Person:
        """Who is signed in, on a page that let nobody else through."""
        if self.signed_in is None:
            raise LookupError("this page asked for a person before letting anyone in")
        return self.signed_in.person

    @property
    def csrf(self) -> str:
        """The token that this visitor's forms carry."""
        return self.signed_in.csrf if self.signed_in else self.pre_token

    @property
    def visitor(self) -> Visitor:
        """Device and network, as records keep them."""
        client = self.request.client
        return visitor_of(self.request.headers.get("user-agent", ""), client.host if client else "")


def services_of(request: PageRequest) -> Services:
    """Return the services that wiring put on the application."""
    services: Services = request.app.state.kabao
    return services


async def enter(request: PageRequest) -> Visit:
    """Look up who asks; anyone may be here."""
    services = services_of(request)
    token = read_cookie(request, SESSION_COOKIE)
    signed_in = await services.identity.session(token) if token else None
    # What counts tries outside the handlers looks here for who it was.
    request.scope["user"] = signed_in.person if signed_in else None
    return Visit(
        request=request,
        services=services,
        signed_in=signed_in,
        now=services.clock.instant() or datetime.now(UTC),
        pre_token=read_cookie(request, PRE_COOKIE) or secrets.token_urlsafe(32),
        unread=await services.notices.unread_count(signed_in.person) if signed_in else None,
    )


async def read_form(request: PageRequest) -> Form:
    """Read an urlencoded or multipart body; raises ClientException for one that cannot be read."""
    try:
        return Form(list((await request.form()).multi_items()))
    except ValueError as broken:
        raise ClientException("the form cannot be read") from broken


async def signed(request: PageRequest) -> Visit | Page:
    """Let a signed-in person in; anyone else is asked to sign in and comes back here."""
    visit = await enter(request)
    if visit.signed_in is None:
        return redirect("/sign-in?" + urlencode({"next": here(request)}))
    return visit


async def posted(request: PageRequest) -> Visit | Page:
    """Let a signed-in person's form in.

    Without a session the answer is the sign-in page carrying the form sealed; with a wrong token it is a page
    that shows what was typed and changes nothing.
    """
    visit = await enter(request)
    if visit.signed_in is None and is_large(request):
        return _unread(visit)
    visit.form = await read_form(request)
    if not same_origin(request):
        return refusal_page(visit, Refused(Refusal.CSRF_MISMATCH))
    if visit.signed_in is None:
        return ask_to_sign_in(visit)
    if not hmac.compare_digest(visit.form.raw(CSRF_FIELD).encode(), visit.csrf.encode()):
        return stale_page(visit)
    return visit


def is_large(request: PageRequest) -> bool:
    """Tell whether the body is larger than a stranger's may be, or does not say how large it is."""
    declared = request.content_length
    return "transfer-encoding" in request.headers if declared is None else declared > STRANGERS_LIMIT


def _unread(visit: Visit) -> Page:
    """Answer a large form of a stranger without reading it; the browser still has it, one step back."""
    back = local_path(urlsplit(visit.request.headers.get("referer", "")).path, "/")
    answer = refusal_page(
        visit, Refused(Refusal.SIGN_IN_REQUIRED), back="/sign-in?" + urlencode({"next": back}), link="去登录"
    )
    answer.headers["connection"] = "close"
    return answer


def same_origin(request: PageRequest) -> bool:
    """Tell whether the browser says the form was sent from our own page; one that says nothing is believed."""
    origin = request.headers.get("origin")
    if origin and origin != "null":
        # Behind a proxy the Host header may be the inner one; the settings know the outer.
        return urlsplit(origin).netloc in {
            request.headers.get("host", ""),
            urlsplit(services_of(request).settings.origin).netloc,
        }
    return request.headers.get("sec-fetch-site", "same-origin") in {"same-origin", "none"}


def token_matches(visit: Visit) -> bool:
    """Check a form sent before sign-in: the hidden field must equal the visitor's own cookie."""
    cookie = read_cookie(visit.request, PRE_COOKIE)
    return (
        bool(cookie)
        and same_origin(visit.request)
        and hmac.compare_digest(visit.form.raw(CSRF_FIELD).encode(), cookie.encode())
    )


def is_own_form(visit: Visit) -> bool:
    """Tell whether a form was made for this visitor, signed in or not."""
    if visit.signed_in is None:
        return token_matches(visit)
    return same_origin(visit.request) and hmac.compare_digest(visit.form.raw(CSRF_FIELD).encode(), visit.csrf.encode())


def own_ref(ref: str) -> str:
    """Write a reference of an address the way we do, for an address to send a browser on to; "-" for what is none."""
    found = parse_ref(ref)
    return format_ref(*found) if found else "-"


def here(request: PageRequest) -> str:
    """Return the path and query of this request."""
    query = request.url.query
    return request.url.path + (f"?{query}" if query else "")


def local_path(text: str, default: str = "/") -> str:
    """Return a path of this site, or the default: never another host, a scheme, or something unprintable."""
    if not text.startswith("/") or text.startswith(("//", "/\\")) or len(text) > 500:  # noqa: PLR2004
        return default
    if "\\" in text or any(not letter.isprintable() or letter.isspace() for letter in text):
        return default
    return text


def page(template: str, visit: Visit, *, status: int = 200, private: bool | None = None, **context: object) -> Page:
    """Answer with a page; one of a signed-in person (or a private one) is never stored."""
    key, _, sealed = read_cookie(visit.request, FLASH_COOKIE).partition(".")
    flash = FLASHES.get(key)
    context.setdefault("errors", {})
    content = render(
        template,
        **{
            "now": visit.now,
            "viewer": visit.person,
            "unread": visit.unread,
            "csrf_token": visit.csrf,
            "flash": flash,
            "left": [left_sentence(name, why) for name, why in _open_left(sealed, visit.csrf)] if sealed else [],
            **context,
        },
    )
    hidden = visit.signed_in is not None if private is None else private
    headers = HEADERS | {"cache-control": "no-store" if hidden else "no-cache"}
    cookies = [forget(visit, FLASH_COOKIE)] if flash else []
    if visit.signed_in is None and not read_cookie(visit.request, PRE_COOKIE):
        cookies.append(cookie(visit, PRE_COOKIE, visit.pre_token, None))
        headers["cache-control"] = "no-store"
    return Response(content, status_code=status, media_type=HTML, headers=headers, cookies=cookies)


def cookie(visit: Visit, name: str, value: str, seconds: int | None) -> Cookie:
    """Make a cookie that scripts cannot read; seconds None ends with the browser."""
    return Cookie(
        key=_cookie_name(visit.services, name),
        value=value,
        path="/",
        httponly=True,
        samesite="lax",
        max_age=seconds,
        secure=is_https(visit.services),
    )


def read_cookie(request: PageRequest, name: str) -> str:
    """Return a cookie of ours; empty where the browser sent none."""
    return request.cookies.get(_cookie_name(services_of(request), name), "")


def _cookie_name(services: Services, name: str) -> str:
    """Name a cookie as it is sent: by https a browser takes it from this very host alone, not from a neighbour."""
    return f"__Host-{name}" if is_https(services) else name


def forget(visit: Visit, name: str) -> Cookie:
    """Make the cookie that removes another."""
    return cookie(visit, name, "", 0)


def is_https(services: Services) -> bool:
    """Tell whether people reach this site by https."""
    return services.settings.is_https


def redirect(
    path: str, *, flash: Flash | None = None, visit: Visit | None = None, left: Sequence[tuple[str, str]] = ()
) -> Page:
    """Send the browser on with 303, with one sentence to show there when told, and the files that were not taken."""
    cookies = []
    if flash and visit:
        cookies.append(
            cookie(visit, FLASH_COOKIE, flash.key + (f".{_seal_left(left, visit.csrf)}" if left else ""), 60)
        )
    return Response(
        "",
        status_code=303,
        headers=HEADERS | {"location": path, "cache-control": "no-store"},
        cookies=cookies,
    )


def refusal_page(visit: Visit, refused: Refused, *, back: str = "/", link: str = "回首页") -> Page:
    """Answer a refused step with its own page: what is wrong, where the money is, where to go."""
    return page(
        "refused.html",
        visit,
        status=refused.status,
        private=True,
        refused=refused,
        fields=list(refused.fields.values()),
        back_href=back,
        back_link=link,
    )


def error_page(refused: Refused, request: PageRequest) -> Page:
    """Answer outside any handler (unknown path, broken database) without asking the database who is here."""
    # Only what may work the second time is offered again: a page that is not there stays away.
    again = request.method == "GET" and request.url.path != "/" and refused.status >= HTTPStatus.INTERNAL_SERVER_ERROR
    content = render(
        "refused.html",
        now=datetime.now(UTC),
        viewer=None,
        csrf_token="",
        flash=None,
        refused=refused,
        fields=list(refused.fields.values()),
        back_href=local_path(here(request)) if again else "/",
        back_link="再试一次" if again else "回首页",
    )
    return Response(
        content,
        status_code=refused.status,
        media_type=HTML,
        headers=HEADERS
        | {"cache-control": "no-store"}
        | ({"retry-after": "5"} if refused.status == HTTPStatus.SERVICE_UNAVAILABLE else {}),
    )


def stale_page(visit: Visit) -> Page:
    """Answer a wrong token: nothing was changed, and what was typed stands there to be copied."""
    words = {name: values for name, values in visit.form.typed().items() if name not in NOT_WORDS}
    typed = [value for values in words.values() for value in values if len(value) > 20]  # noqa: PLR2004
    back = local_path(urlsplit(visit.request.headers.get("referer", "")).path, "/")
    return page("stale.html", visit, status=403, private=True, typed=typed, back_href=back)


# ---------------------------------------------------------------- what was typed survives sign-in


def seal_kept(form: Form, path: str, pre_token: str) -> str:
    """Seal a form under the visitor's own cookie, so that no other site can hand one in; "" when it is too long."""
    body = json.dumps({"path": path, "fields": form.typed()}, ensure_ascii=False, separators=(",", ":")).encode()
    if len(body) > KEPT_LIMIT:
        return ""
    return base64.urlsafe_b64encode(_mac(body, pre_token) + body).decode()


def open_kept(sealed: str, pre_token: str) -> tuple[str, dict[str, list[str]]] | None:
    """Open what seal_kept made; None where it is not whole or not this visitor's."""
    try:
        raw = base64.urlsafe_b64decode(sealed.encode())
    except ValueError:
        return None
    mac, body = raw[:32], raw[32:]
    if not hmac.compare_digest(mac, _mac(body, pre_token)):
        return None
    kept = json.loads(body)
    return local_path(kept["path"]), kept["fields"]


def _seal_left(left: Sequence[tuple[str, str]], token: str) -> str:
    """Seal the names of files that were not taken, and why, so that nobody else can put words on a page."""
    shown = [(name[:LEFT_NAME], why) for name, why in left[:LEFT_SHOWN]]
    body = json.dumps(shown, ensure_ascii=False, separators=(",", ":")).encode()
    return base64.urlsafe_b64encode(_mac(body, token) + body).decode().rstrip("=")


def _open_left(sealed: str, token: str) -> list[tuple[str, str]]:
    try:
        raw = base64.urlsafe_b64decode(sealed + "=" * (-len(sealed) % 4))
    except ValueError:
        return []
    mac, body = raw[:32], raw[32:]
    return [(name, why) for name, why in json.loads(body)] if hmac.compare_digest(mac, _mac(body, token)) else []


def _mac(body: bytes, pre_token: str) -> bytes:
    return hmac.new(pre_token.encode(), b"kabao kept form\x00" + body, hashlib.sha256).digest()


def ask_to_sign_in(visit: Visit) -> Page:
    """Answer a form whose session ran out: the sign-in page, carrying the form."""
    path = visit.request.url.path
    return page(
        "signin.html",
        visit,
        sends_codes=visit.services.identity.sends_codes,
        status=401,
        private=True,
        form={"phone": ""},
        next_path=path,
        kept=seal_kept(visit.form, path, visit.pre_token),
        kept_for=goes_on(path),
        ran_out=bool(read_cookie(visit.request, SESSION_COOKIE)),
    )


def goes_on(path: str) -> str:
    """Say what a kept form goes on with after sign-in; empty where nothing is kept."""
    verbs = {"/buy/": "下单", "/help-me": "保存"}
    return "" if not path else next((verb for start, verb in verbs.items() if path.startswith(start)), "提交")


# ---------------------------------------------------------------- bodies


async def chunks(upload: UploadFile) -> AsyncIterator[bytes]:
    """Read an uploaded file piece by piece."""
    await upload.seek(0)
    while piece := await upload.read(CHUNK):
        yield piece
