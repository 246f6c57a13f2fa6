"""Serving: take the port, start everything, serve until told to stop, stop in the opposite order."""

import asyncio
import signal
import socket
from collections.abc import AsyncIterator, Awaitable, Callable, Iterator
from contextlib import asynccontextmanager, contextmanager, suppress
from typing import Final

import msgspec
import structlog
import uvicorn

from kabao.identity import CodeSender
from kabao.notices import MailTransport
from kabao.postgres import ExplainedError
from kabao.wiring.app import App, start
from kabao.wiring.front import Patience
from kabao.wiring.http import create_asgi
from kabao.wiring.protocol import waiting
from kabao.wiring.settings import Settings
from kabao.wiring.workers import Workers

log = structlog.get_logger("kabao.serve")

GRACE_SECONDS: Final = 10

OnReady = Callable[[App], Awaitable[None]]


class PortTaken(ExplainedError):  # noqa: N818  named for what happened
    """The address to listen on is taken, or not this machine's."""


class _Server(uvicorn.Server):
    """uvicorn without its own signal handling, telling when it listens."""

    def __init__(self, config: uvicorn.Config, on_listening: Callable[[], Awaitable[None]]) -> None:
        super().__init__(config)
        self._on_listening = on_listening

    async def startup(self, sockets: list[socket.socket] | None = None) -> None:
        await super().startup(sockets=sockets)
        if self.started:
            await self._on_listening()

    @contextmanager
    def capture_signals(self) -> Iterator[None]:
        yield


def take_port(settings: Settings) -> tuple[socket.socket, Settings]:
    """Bind the address before anything else starts; port 0 takes a free one, told in the settings returned.

    Raises `PortTaken`.
    """
    family = socket.AF_INET6 if ":" in settings.host else socket.AF_INET
    listener = socket.socket(family, socket.SOCK_STREAM)
    try:
        listener.setsockopt(socket.SOL_SOCKET, socket.SO_REUSEADDR, 1)
        listener.bind((settings.host, settings.port))
    except (OSError, OverflowError) as error:
        listener.close()
        reason = getattr(error, "strerror", None) or str(error)
        raise PortTaken(
            zh=f"不能监听 {settings.host}:{settings.port}（{reason}）。请用 --port 换一个端口。",
            en=f"Cannot listen on {settings.host}:{settings.port} ({reason}). Choose another with --port.",
        ) from error
    return listener, msgspec.structs.replace(settings, port=listener.getsockname()[1])


async def serve(
    settings: Settings,
    *,
    prepare: OnReady | None = None,
    on_ready: OnReady | None = None,
    beside: OnReady | None = None,
    sender: CodeSender | None = None,
    transport: MailTransport | None = None,
    stop: asyncio.Event | None = None,
    patience: Patience | None = None,
) -> None:
    """Serve until SIGINT or SIGTERM (or `stop`); a second signal stops waiting for open requests.

    `prepare` runs before the first request is taken, `on_ready` once the address answers, `beside` while it is served,
    and is cancelled where it has not ended by then. Raises what `start` raises, and `PortTaken`.
    """
    listener, settings = take_port(settings)
    stopping = stop or asyncio.Event()
    with listener, _signals_to(stopping):
        app = await start(settings, sender=sender, transport=transport)
        try:
            if prepare is not None and not stopping.is_set():
                await prepare(app)
            if not stopping.is_set():
                async with _beside(app, beside):
                    await _serve_app(app, listener, stopping, on_ready, patience or Patience())
        finally:
            await app.close()
            log.info("stopped", data=str(settings.data))


async def _serve_app(
    app: App, listener: socket.socket, stopping: asyncio.Event, on_ready: OnReady | None, patience: Patience
) -> None:
    async def listening() -> None:
        if on_ready is not None:
            await on_ready(app)

    is_behind_proxy = bool(app.settings.public_origin)
    server = _Server(
        uvicorn.Config(
            create_asgi(app, patience),
            loop="none",
            http=waiting(patience.headers),
            ws="none",
            lifespan="off",
            access_log=False,
            log_config=None,
            server_header=False,
            # Only behind a proxy may a header say who the client is.
            proxy_headers=is_behind_proxy,
            timeout_graceful_shutdown=GRACE_SECONDS,
            timeout_keep_alive=30,
            backlog=1024,
            # Beyond these uvicorn answers 503 at once and closes; the memory stays for who is being served.
            limit_concurrency=patience.connections,
        ),
        listening,
    )
    workers = Workers(app)
    workers.start()
    watching = asyncio.create_task(_stop_when(stopping, server))
    try:
        await server.serve(sockets=[listener])
    finally:
        watching.cancel()
        with suppress(asyncio.CancelledError):
            await watching
        await workers.stop()


@asynccontextmanager
async def _beside(app: App, work: OnReady | None) -> AsyncIterator[None]:
    """Let some work run along, and end it before anything it needs is taken down."""
    if work is None:
        yield
        return
    running = asyncio.create_task(_logged(app, work))
    try:
        yield
    finally:
        running.cancel()
        await asyncio.wait([running])


async def _logged(app: App, work: OnReady) -> None:
    try:
        await work(app)
    except Exception as error:  # noqa: BLE001  what runs beside the server must not end it
        # Its message may quote a row; the type is enough to find it.
        log.error("work beside the server failed", error=type(error).__name__)  # noqa: TRY400


async def _stop_when(stopping: asyncio.Event, server: uvicorn.Server) -> None:
    await stopping.wait()
    server.should_exit = True
    stopping.clear()
    await stopping.wait()
    server.force_exit = True


@contextmanager
def _signals_to(stopping: asyncio.Event) -> Iterator[None]:
    """Let SIGINT and SIGTERM set the event while the block runs."""
    loop = asyncio.get_running_loop()
    for number in (signal.SIGINT, signal.SIGTERM):
        with suppress(RuntimeError, ValueError):  # not the main thread: a test stops by its own event
            loop.add_signal_handler(number, stopping.set)
    try:
        yield
    finally:
        for number in (signal.SIGINT, signal.SIGTERM):
            with suppress(RuntimeError, ValueError):
                loop.remove_signal_handler(number)
