"""The only package that knows everything: builds the services, the ASGI application and the background work.

Invariants:

- `start(settings)` returns an `App` whose every service works, or raises one explained error and leaves nothing
  running; `App.close()` takes everything down in the opposite order.
- Handlers of `kabao.web` and `kabao.api` never import this package: they find the `App` at
  `request.app.state.kabao` and describe what they use of it by a protocol of their own.
- Each background job survives a lost database and says so in the log, without a secret.
- An embedded server that dies is started again; until then every request answers 503 and nothing is half done.
"""

from kabao.wiring.app import App, build, start
from kabao.wiring.demo import DemoMarket, demo_access, finish_demo, is_demo_unfinished, seed_demo
from kabao.wiring.demodoor import Door
from kabao.wiring.front import Patience
from kabao.wiring.http import create_asgi
from kabao.wiring.log import configure_logging
from kabao.wiring.maintenance import NotMigrated, audit_books, migrate, schema_status
from kabao.wiring.serve import PortTaken, serve, take_port
from kabao.wiring.settings import Settings
from kabao.wiring.workers import Pace, Workers

__all__ = [
    "App",
    "DemoMarket",
    "Door",
    "NotMigrated",
    "Pace",
    "Patience",
    "PortTaken",
    "Settings",
    "Workers",
    "audit_books",
    "build",
    "configure_logging",
    "create_asgi",
    "demo_access",
    "finish_demo",
    "is_demo_unfinished",
    "migrate",
    "schema_status",
    "seed_demo",
    "serve",
    "start",
    "take_port",
]
