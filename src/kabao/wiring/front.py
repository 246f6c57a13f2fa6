"""What stands before every handler: how long a body may take, HEAD for pages, and how often one may ask in vain.

A body that stops arriving would hold its connection, and a connection is what there are few of.
"""

import asyncio
from collections.abc import Callable
from http import HTTPStatus
from typing import Any, Final, NamedTuple, cast

from litestar import Litestar, Request, Response
from litestar.exceptions import HTTPException
from litestar.types import ASGIApp, HTTPReceiveMessage, Message, Receive, Scope, Send

from kabao.identity import visitor_of
from kabao.kernel import Refusal, Refused
from kabao.postgres import DatabaseUnavailable
from kabao.wiring.app import App

SLOWEST: Final = 4096
"""Bytes a second; each buys its time, so that a large upload over a poor line is waited for."""
MACHINE_PATHS: Final = ("/api/", "/schema")
SHARED_FILES: Final = ("/static/", "/log/")
"""Files for everyone, whose names are no secret: who mirrors the log may ask for one that is not there yet."""

Answer = Callable[[Refused, Request[Any, Any, Any]], Response[Any]]


class Patience(NamedTuple):
    """How long kabao waits for a client, in seconds, and for how many connections at once."""

    headers: float = 20.0
    stall: float = 30.0
    """For the next piece of a body."""
    body: float = 60.0
    """For all of a body together, and what its bytes buy beyond that."""
    connections: int = 512


class BodyTooSlow(HTTPException):
    """The rest of a body did not come in time; nobody waits for it any longer."""

    status_code = HTTPStatus.REQUEST_TIMEOUT


class Front(Litestar):
    """The application behind its waiting limits, answering HEAD on a page like GET without the body."""

    patience: Patience = Patience()

    async def __call__(self, scope: Any, receive: Any, send: Any) -> None:
        """Take one connection."""
        if scope["type"] != "http":
            await super().__call__(scope, receive, send)
            return
        if scope["method"] == "HEAD" and not scope["path"].startswith(MACHINE_PATHS):
            scope, send = {**scope, "method": "GET"}, _without_body(send)
        await super().__call__(scope, _in_time(receive, self.patience), send)


def counting_misses(answer: Answer) -> Callable[[ASGIApp], ASGIApp]:
    """Make the layer that turns "not found" into "too many tries" for who asks in vain again and again.

    It counts addresses that name a thing by its reference. What is found is never held back.
    """

    def layer(app: ASGIApp) -> ASGIApp:
        async def counted(scope: Scope, receive: Receive, send: Send) -> None:
            is_refused = False

            async def sending(message: Message) -> None:
                nonlocal is_refused
                if is_refused:
                    return
                if message["type"] == "http.response.start" and message["status"] == HTTPStatus.NOT_FOUND:
                    request: Request[Any, Any, Any] = Request(scope)
                    is_refused = _names_something(scope) and not await _may_miss(request)
                    if is_refused:
                        refused = answer(Refused(Refusal.TOO_MANY_TRIES), request)
                        await refused.to_asgi_response(None, request)(scope, receive, send)
                        return
                await send(message)

            await app(scope, receive, sending)

        return counted

    return layer


def _names_something(scope: Scope) -> bool:
    return bool(scope.get("path_params")) and not scope["path"].startswith(SHARED_FILES)


async def _may_miss(request: Request[Any, Any, Any]) -> bool:
    app: App = request.app.state.kabao
    visitor = visitor_of(request.headers.get("user-agent", ""), request.client.host if request.client else "")
    try:
        return await app.identity.may_miss(request.scope.get("user"), visitor)
    except DatabaseUnavailable:
        # The answer stands; counting it is not worth losing it.
        return True


def _in_time(receive: Receive, patience: Patience) -> Receive:
    """Give each piece of a body, and all of them together, their time; raises BodyTooSlow.

    Only waiting counts: how long a handler takes over what has come is not the client's doing.
    """
    loop = asyncio.get_running_loop()
    left = patience.body
    is_whole = False

    async def received() -> HTTPReceiveMessage:
        nonlocal is_whole, left
        if is_whole:  # what is awaited now is the client's going away
            return cast("HTTPReceiveMessage", await receive())
        begun = loop.time()
        try:
            async with asyncio.timeout(min(patience.stall, left)):
                message = cast("HTTPReceiveMessage", await receive())
        except TimeoutError as error:
            raise BodyTooSlow from error
        if message["type"] == "http.request":
            left += len(message.get("body", b"")) / SLOWEST - (loop.time() - begun)
            is_whole = not message.get("more_body", False)
        return message

    return cast("Receive", received)


def _without_body(send: Send) -> Send:
    async def sending(message: Message) -> None:
        if message["type"] == "http.response.body":
            message = {**message, "body": b""}
        await send(message)

    return sending
