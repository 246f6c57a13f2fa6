"""Lends one Litestar application after another to tests: building one takes a while, and only its `App` differs.

Who has two sites at once gets two; where settings matter to the application itself, a test builds its own.
"""

from collections.abc import Iterator
from contextlib import contextmanager

from litestar import Litestar

from kabao.wiring import App, create_asgi

_idle: list[Litestar] = []


@contextmanager
def lent(app: App) -> Iterator[Litestar]:
    """Lend an application over `app`; over plain HTTP only, since what HTTPS adds is built in."""
    assert not app.settings.is_https
    front = _idle.pop() if _idle else create_asgi(app)
    front.state.kabao = app
    try:
        yield front
    finally:
        _idle.append(front)
