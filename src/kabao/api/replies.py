"""Replies kept under an `Idempotency-Key`: one step, one answer, however often it is asked.

The key is claimed, the step runs in its own transaction, the reply is kept. A crash in between loses nothing and
doubles nothing: the step is guarded by the state it changes, and a claim left without a reply is taken over after a
minute. Refusals are kept too, except those that say "try again later".
"""

import hashlib
from collections.abc import Awaitable, Callable
from contextlib import suppress
from http import HTTPStatus
from typing import Any, Final

import msgspec
from litestar import Request, Response

from kabao.api import store
from kabao.api.entry import Caller
from kabao.api.problems import MEDIA_TYPE, RefusedError, language_of, problem_of, refuse_now
from kabao.identity import Person
from kabao.kernel import Refusal
from kabao.postgres import Database, DatabaseUnavailable

LONGEST_KEY: Final = 200
STALE_SECONDS: Final = 60
KEPT_DAYS: Final = 30
FORGET_BATCH: Final = 1000
REPLAY_HEADER: Final = "idempotent-replayed"

Step = Callable[[str], Awaitable[msgspec.Struct]]
"""Takes the key; answers the reply's value, or raises RefusedError."""


def key_of(text: str) -> str:
    """Return an Idempotency-Key; refuses a missing one, or one that is not 1 to 200 printable ASCII letters."""
    key = text.strip()
    if not key or len(key) > LONGEST_KEY or not (key.isascii() and key.isprintable()):
        raise refuse_now(Refusal.IDEMPOTENCY_KEY_MISSING)
    return key


def fingerprint_of(request: Request[Any, Any, Any], body: bytes) -> bytes:
    """Hash what a key stands for: method, path and body."""
    return hashlib.sha256(b"\x00".join((request.method.encode(), request.url.path.encode(), body))).digest()


async def once(
    request: Caller,
    key_text: str,
    step: Step,
    *,
    database: Database,
    status: int = HTTPStatus.OK,
    stale_seconds: int = STALE_SECONDS,
) -> Response[Any]:
    """Run a step once under the request's key; a repeat gets the kept bytes and the header `Idempotent-Replayed`.

    Refusals: IDEMPOTENCY_KEY_MISSING, IDEMPOTENCY_KEY_REUSED for the same key with another body, and
    IDEMPOTENT_REPLY_PENDING while the first request still runs.
    """
    person, key = request.user, key_of(key_text)
    fingerprint = fingerprint_of(request, await request.body())
    claim = await store.claim(database, person.account_id, key, fingerprint, stale_seconds)
    if claim is not None and claim.fingerprint != fingerprint:
        raise refuse_now(Refusal.IDEMPOTENCY_KEY_REUSED)
    if claim is None or (not claim.is_mine and claim.status is None):
        raise refuse_now(Refusal.IDEMPOTENT_REPLY_PENDING)
    if not claim.is_mine:
        return _reply(claim.status or HTTPStatus.OK, claim.body or b"", {REPLAY_HEADER: "true"})
    try:
        answer = _reply(status, msgspec.json.encode(await step(key)), {})
    except RefusedError as error:
        if _is_passing(error):
            await _let_go(database, person, key)
            raise
        problem = problem_of(error.refused, language_of(request.headers.get("accept-language", "")))
        answer = _reply(problem.status, msgspec.json.encode(problem), {})
    except Exception:
        # The step's own state decides what a repeat does, so the key need not stay blocked for its minute.
        await _let_go(database, person, key)
        raise
    # A reply that cannot be kept is still the true answer; a repeat runs the guarded step again.
    with suppress(DatabaseUnavailable):
        await store.keep(database, person.account_id, key, answer.status_code or status, answer.content)
    return answer


async def forget_old_replies(database: Database) -> int:
    """Remove replies older than 30 days, a batch at a time; returns how many."""
    total, batch = 0, FORGET_BATCH
    while (removed := await store.forget_old(database, KEPT_DAYS, batch)) == batch:
        total += removed
    return total + removed


def _is_passing(error: RefusedError) -> bool:
    return error.refused.status >= HTTPStatus.INTERNAL_SERVER_ERROR or error.refused.code is Refusal.TOO_MANY_TRIES


async def _let_go(database: Database, person: Person, key: str) -> None:
    with suppress(DatabaseUnavailable):
        await store.give_up(database, person.account_id, key)


def _reply(status: int, body: bytes, headers: dict[str, str]) -> Response[bytes]:
    media_type = MEDIA_TYPE if status >= HTTPStatus.BAD_REQUEST else "application/json"
    return Response(content=body, status_code=status, media_type=media_type, headers=headers)
