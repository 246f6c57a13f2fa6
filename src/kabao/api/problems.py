"""Refusals as RFC 9457 problem documents: a stable `code`, a sentence in the reader's language, fields."""

from http import HTTPStatus
from typing import Any, Final, TypeVar

import msgspec
from litestar import Request, Response

from kabao.kernel import Refusal, Refused

MEDIA_TYPE: Final = "application/problem+json"
RETRY_SECONDS: Final = 5
_WORTH_A_RETRY: Final = frozenset(
    {
        Refusal.DATABASE_UNAVAILABLE,
        Refusal.STORAGE_FULL,
        Refusal.CUSTODIAN_UNREACHABLE,
        Refusal.MAIL_UNREACHABLE,
        Refusal.CODE_UNREACHABLE,
        Refusal.IDEMPOTENT_REPLY_PENDING,
    }
)
_INTERNAL: Final = {
    "zh": "平台内部出错了，这一步没有完成。请稍后再试；联系客服时报上这个编号。",
    "en": "Something failed inside the platform and the step was not completed. Try again; quote the reference.",
}
_METHOD: Final = {"zh": "这个地址不支持这种请求方法。", "en": "This address does not take that method."}

T = TypeVar("T")


class RefusedError(Exception):
    """Carries a refusal out of a handler; the application's exception handler writes the problem document."""

    def __init__(self, refused: Refused) -> None:
        super().__init__(refused.code)
        self.refused = refused


class Problem(msgspec.Struct, frozen=True, kw_only=True, omit_defaults=True):
    """An RFC 9457 problem document. `code` is stable; `detail` says what is wrong, where the money is, what to do."""

    type: str
    title: str
    status: int
    detail: str
    code: str
    fields: dict[str, str] = {}
    reference: str = ""


def granted(answer: T | Refused) -> T:
    """Return what a service answered; raises `RefusedError` for a refusal."""
    if isinstance(answer, Refused):
        raise RefusedError(answer)
    return answer


def refuse_now(code: Refusal, fields: dict[str, str] | None = None) -> RefusedError:
    """Make the error to raise where a handler itself refuses."""
    return RefusedError(Refused(code, fields or {}))


def language_of(accept_language: str) -> str:
    """Choose `zh` or `en` from an Accept-Language header; Chinese where nothing is preferred."""
    best: dict[str, float] = {}
    for part in accept_language[:200].split(","):
        tag, _, parameters = part.strip().partition(";")
        primary = tag.strip().lower().partition("-")[0]
        if primary in ("zh", "en"):
            best[primary] = max(best.get(primary, 0.0), _quality(parameters))
    return "en" if best.get("en", 0.0) > best.get("zh", 0.0) else "zh"


def problem_of(refused: Refused, language: str) -> Problem:
    """Write a refusal as a problem document."""
    return Problem(
        type=f"urn:kabao:problem:{refused.code}",
        title=HTTPStatus(refused.status).phrase,
        status=refused.status,
        detail=refused.en if language == "en" else refused.zh,
        code=str(refused.code),
        fields=refused.fields,
    )


def problem_response(refused: Refused, request: Request[Any, Any, Any]) -> Response[bytes]:
    """Answer a refusal; with Retry-After where trying again later is the thing to do."""
    problem = problem_of(refused, language_of(request.headers.get("accept-language", "")))
    headers = {"retry-after": str(RETRY_SECONDS)} if refused.code in _WORTH_A_RETRY else {}
    if refused.code is Refusal.SIGN_IN_REQUIRED:
        headers["www-authenticate"] = "Bearer"
    return _response(problem, headers)


def internal_problem(reference: str, request: Request[Any, Any, Any]) -> Response[bytes]:
    """Answer a bug: nothing of it but the reference under which the log has it."""
    language = language_of(request.headers.get("accept-language", ""))
    return _response(
        Problem(
            type="urn:kabao:problem:internal_error",
            title=HTTPStatus.INTERNAL_SERVER_ERROR.phrase,
            status=HTTPStatus.INTERNAL_SERVER_ERROR,
            detail=_INTERNAL[language],
            code="internal_error",
            reference=reference,
        ),
        {},
    )


def method_problem(allow: str, request: Request[Any, Any, Any]) -> Response[bytes]:
    """Answer a method that an address does not take; `allow` is the Allow header, empty where unknown."""
    language = language_of(request.headers.get("accept-language", ""))
    return _response(
        Problem(
            type="urn:kabao:problem:method_not_allowed",
            title=HTTPStatus.METHOD_NOT_ALLOWED.phrase,
            status=HTTPStatus.METHOD_NOT_ALLOWED,
            detail=_METHOD[language],
            code="method_not_allowed",
        ),
        {"allow": allow} if allow else {},
    )


def _response(problem: Problem, headers: dict[str, str]) -> Response[bytes]:
    return Response(
        content=msgspec.json.encode(problem), status_code=problem.status, media_type=MEDIA_TYPE, headers=headers
    )


def _quality(parameters: str) -> float:
    name, _, value = parameters.strip().partition("=")
    if name.strip() != "q":
        return 1.0
    try:
        return min(1.0, max(0.0, float(value)))
    except ValueError:
        return 0.0
