"""The only package that knows everything: builds the services, the ASGI application and the background work.

Invariants:

- `start(settings)` returns an `App` whose every service works, or raises one explained error and leaves nothing
  running.
- Handlers of `kabao.web` and `kabao.api` never import this package. They ask Litestar for a service by its name:
  `orders: OrderService` in a handler's signature is injected, see `SERVICES`; `request.app.state.kabao` is the
  `App` itself.
- Each background loop survives a lost database and says so in the log, without a secret.
"""

from kabao.wiring.app import SERVICES, App, start
from kabao.wiring.http import create_asgi
from kabao.wiring.serve import serve
from kabao.wiring.settings import Settings
from kabao.wiring.workers import Workers

__all__ = ["SERVICES", "App", "Settings", "Workers", "create_asgi", "serve", "start"]
