"""One Litestar application over an `App`: what every answer carries and what every failure looks like."""

import secrets
from collections.abc import Callable, Mapping
from http import HTTPStatus
from importlib import metadata
from typing import Any, Final

import structlog
from litestar import Litestar, MediaType, Request, Response, Router, get
from litestar.datastructures import State
from litestar.exceptions import HTTPException, ValidationException
from litestar.openapi import OpenAPIConfig
from litestar.openapi.plugins import JsonRenderPlugin
from litestar.openapi.spec import Components, License, SecurityScheme
from litestar.types import Message, Scope

from kabao import api, web
from kabao.api.problems import RefusedError, internal_problem, method_problem, problem_response
from kabao.evidence import StorageFull
from kabao.kernel import Refusal, Refused
from kabao.postgres import DatabaseFull, DatabaseUnavailable
from kabao.wiring.app import App
from kabao.wiring.front import MACHINE_PATHS, BodyTooSlow, Front, Patience, counting_misses

log = structlog.get_logger("kabao.http")

AnyRequest = Request[Any, Any, Any]
Answer = Response[Any]

FORM_LIMIT: Final = 256 * 1024
"""Bytes of an ordinary form; handlers that take files or JSON set their own limit."""

POLICY: Final = (
    "default-src 'none'; script-src 'self'; style-src 'self'; img-src 'self' data:; connect-src 'self'; "
    "form-action 'self'; base-uri 'none'; frame-ancestors 'none'"
)
_EVERYWHERE: Final[Mapping[str, str]] = {
    "content-security-policy": POLICY,
    "x-content-type-options": "nosniff",
    "cross-origin-opener-policy": "same-origin",
    "cross-origin-resource-policy": "same-origin",
    "permissions-policy": "camera=(), geolocation=(), microphone=(), payment=(), usb=()",
    "x-frame-options": "DENY",
    "cache-control": "no-store",
}
_HUNG_UP: Final = "client disconnected prematurely"
"""Litestar's words for a body that ended early; nobody is left to read an answer."""
_BY_STATUS: Final[Mapping[int, Refusal]] = {
    HTTPStatus.UNAUTHORIZED: Refusal.SIGN_IN_REQUIRED,
    HTTPStatus.FORBIDDEN: Refusal.NOT_ALLOWED,
    HTTPStatus.NOT_FOUND: Refusal.NOT_FOUND,
    HTTPStatus.REQUEST_ENTITY_TOO_LARGE: Refusal.BODY_TOO_LARGE,
    HTTPStatus.TOO_MANY_REQUESTS: Refusal.TOO_MANY_TRIES,
}


def create_asgi(app: App, patience: Patience | None = None) -> Litestar:
    """Build the application: pages at `/`, the API at `/api/v1`, `/schema/openapi.json`, `/healthz`.

    Handlers find the services at `request.app.state.kabao`.
    """
    misses = counting_misses(answer_refusal)
    pages = Router("/", route_handlers=web.routes(), include_in_schema=False, request_max_body_size=FORM_LIMIT)
    front = Front(
        route_handlers=[pages, *api.routes(), healthz],
        middleware=[misses],
        state=State({"kabao": app}),
        before_send=[_headers_for(is_https=app.settings.is_https)],
        exception_handlers={
            HTTPException: _http_failure,
            BodyTooSlow: _too_slow,
            RefusedError: _refused,
            DatabaseUnavailable: _database_lost,
            StorageFull: _storage_full,
            Exception: _bug,
        },
        openapi_config=_openapi(),
        logging_config=None,
        request_max_body_size=FORM_LIMIT,
        debug=False,
    )
    front.patience = patience or Patience()
    return front


@get("/healthz", include_in_schema=False, media_type=MediaType.JSON)
async def healthz(request: AnyRequest) -> Response[dict[str, str]]:
    """Say whether kabao can do its work: 200 with the database, 503 without."""
    app: App = request.app.state.kabao
    try:
        await app.probe()
    except DatabaseUnavailable:
        return Response({"status": "database_unavailable"}, status_code=HTTPStatus.SERVICE_UNAVAILABLE)
    return Response({"status": "ok"})


def answer_refusal(refused: Refused, request: AnyRequest) -> Answer:
    """Answer a refusal in the manner of its address: a problem document for programs, a page for people."""
    if request.url.path.startswith(MACHINE_PATHS):
        return problem_response(refused, request)
    return web.error_page(refused, request)


def _refused(request: AnyRequest, error: RefusedError) -> Answer:
    return answer_refusal(error.refused, request)


def _http_failure(request: AnyRequest, error: HTTPException) -> Answer:
    if error.status_code == HTTPStatus.METHOD_NOT_ALLOWED:
        return _method_failure(request, (error.headers or {}).get("allow", ""))
    if error.status_code >= HTTPStatus.INTERNAL_SERVER_ERROR:
        if error.detail == _HUNG_UP:
            log.info("client hung up", path=request.url.path)
            return Response(b"", status_code=HTTPStatus.BAD_REQUEST)
        return _bug(request, error)
    if isinstance(error, ValidationException) and isinstance(error.extra, list):
        names = [entry.get("key", "") for entry in error.extra if isinstance(entry, dict)]
        return answer_refusal(Refused(Refusal.INVALID_FIELDS, {name: "格式不对" for name in names if name}), request)
    return answer_refusal(Refused(_BY_STATUS.get(error.status_code, Refusal.MALFORMED)), request)


def _method_failure(request: AnyRequest, allow: str) -> Answer:
    if request.url.path.startswith(MACHINE_PATHS):
        return method_problem(allow, request)
    answer = web.error_page(Refused(Refusal.MALFORMED), request)
    answer.status_code = HTTPStatus.METHOD_NOT_ALLOWED
    answer.headers |= {"allow": allow} if allow else {}
    return answer


def _too_slow(request: AnyRequest, error: BodyTooSlow) -> Answer:
    log.info("body too slow", path=request.url.path)
    answer = answer_refusal(Refused(Refusal.MALFORMED), request)
    answer.status_code = error.status_code
    # What is left of the body belongs to no request any more.
    answer.headers["connection"] = "close"
    return answer


def _database_lost(request: AnyRequest, error: DatabaseUnavailable) -> Answer:
    log.warning("database_unavailable", path=request.url.path, reason=str(error))
    code = Refusal.STORAGE_FULL if isinstance(error, DatabaseFull) else Refusal.DATABASE_UNAVAILABLE
    return answer_refusal(Refused(code), request)


def _storage_full(request: AnyRequest, _error: StorageFull) -> Answer:
    return answer_refusal(Refused(Refusal.STORAGE_FULL), request)


def _bug(request: AnyRequest, error: Exception) -> Answer:
    reference = secrets.token_hex(6)
    # The message of an unknown error may quote a row, so the log has its type and where it came from, no values.
    log.error(
        "internal_error", reference=reference, path=request.url.path, error=type(error).__name__, at=_origin(error)
    )
    if request.url.path.startswith(MACHINE_PATHS):
        return internal_problem(reference, request)
    return Response(
        _BUG_PAGE.format(reference=reference),
        status_code=HTTPStatus.INTERNAL_SERVER_ERROR,
        media_type=MediaType.HTML,
    )


_BUG_PAGE: Final = (
    '<!doctype html><html lang="zh-CN"><meta charset="utf-8"><meta name="viewport" content="width=device-width">'
    "<title>出错了</title><h1>平台内部出错了</h1><p>这一步没有完成，托管中的钱没有动。请稍后再试。</p>"
    '<p>联系客服时请报上编号 {reference}。</p><p><a href="/">回首页</a></p></html>'
)


def _origin(error: BaseException) -> list[str]:
    """List the frames an error passed through, innermost last, as file:line and function."""
    frames: list[str] = []
    trace = error.__traceback__
    while trace is not None:
        code = trace.tb_frame.f_code
        frames.append(f"{code.co_filename.rpartition('/src/')[2]}:{trace.tb_lineno} {code.co_name}")
        trace = trace.tb_next
    return frames[-6:]


def _headers_for(*, is_https: bool) -> Callable[[Message, Scope], Any]:
    """Make the hook that gives every answer its protective headers; a handler's own value stays."""
    page = _encoded({**_EVERYWHERE, "referrer-policy": "same-origin"}, is_https=is_https)
    machine = _encoded({**_EVERYWHERE, "referrer-policy": "no-referrer"}, is_https=is_https)

    async def add_headers(message: Message, scope: Scope) -> None:
        if message["type"] != "http.response.start":
            return
        own = list(message["headers"])
        present = {name for name, _ in own}
        wanted = machine if scope["path"].startswith(MACHINE_PATHS) else page
        message["headers"] = [*own, *(header for header in wanted if header[0] not in present)]

    return add_headers


def _encoded(headers: dict[str, str], *, is_https: bool) -> list[tuple[bytes, bytes]]:
    wanted = headers | ({"strict-transport-security": "max-age=31536000"} if is_https else {})
    return [(name.lower().encode(), value.encode()) for name, value in wanted.items()]


def _openapi() -> OpenAPIConfig:
    return OpenAPIConfig(
        title="卡保 kabao",
        version=metadata.version("kabao"),
        summary="Escrow, sealed card keys and fair refunds.",
        description=(
            "Amounts are whole minor units (分). Objects are named by references such as `7-1H8K2M9QXV3D0`. A POST "
            "that moves money needs an `Idempotency-Key` header; a repeat under the same key answers the same bytes. "
            "Errors are RFC 9457 problem documents with a stable `code`."
        ),
        license=License(name="Apache-2.0", identifier="Apache-2.0"),
        path="/schema",
        render_plugins=[JsonRenderPlugin(path=["/openapi.json", "/"])],
        use_handler_docstrings=True,
        components=Components(
            security_schemes={
                "bearer": SecurityScheme(
                    type="http", scheme="bearer", description="A token made by `kabao token create`."
                )
            }
        ),
    )
