"""The pages: what a person sees in the browser, in Chinese; the JSON interface lives in `kabao.api`.

Invariants: a page decides nothing, it asks a service and shows the answer; every form carries a token; every POST
answers with a redirect or with the form as it was typed; no page stores anything in the browser but three cookies.
"""

from litestar.datastructures import CacheControlHeader
from litestar.static_files import create_static_files_router
from litestar.types import ControllerRouterHandler

from kabao.web import (
    buying,
    cases,
    custodian_page,
    desk,
    files,
    listings,
    market,
    merchant,
    orders,
    problem,
    signin,
    stock,
)
from kabao.web.http import error_page
from kabao.web.render import STATIC

__all__ = ["error_page", "routes"]


def routes() -> list[ControllerRouterHandler]:
    """Return every page handler and the static files; services are found at `request.app.state.kabao`."""
    areas = (
        market.handlers,
        signin.handlers,
        buying.handlers,
        orders.handlers,
        problem.handlers,
        cases.handlers,
        files.handlers,
        merchant.handlers,
        listings.handlers,
        stock.handlers,
        desk.handlers,
        custodian_page.handlers,
    )
    static = create_static_files_router(
        path="/static",
        directories=[STATIC],
        name="static",
        include_in_schema=False,
        cache_control=CacheControlHeader(public=True, max_age=31536000, immutable=True),
    )
    return [*(handler for area in areas for handler in area), static]
