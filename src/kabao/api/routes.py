"""The API's handlers under one path, with what they share."""

from typing import Final

from litestar import Router

from kabao.api import (
    account,
    archive,
    cases,
    decisions,
    forecast,
    inbox,
    ladder,
    market,
    orders,
    precedents,
    rulebook_api,
    webhooks,
)
from kabao.api.documents import SIGNED_IN
from kabao.api.entry import enter

PATH: Final = "/api/v1"
JSON_LIMIT: Final = 64 * 1024
"""Bytes of a JSON body."""


def routes() -> list[Router]:
    """Return the routers of the API: what anyone may call, and what needs a token."""
    return [
        Router(
            PATH,
            route_handlers=[
                *market.open_handlers,
                *cases.open_handlers,
                *rulebook_api.open_handlers,
                *precedents.open_handlers,
            ],
            before_request=enter,
            request_max_body_size=JSON_LIMIT,
        ),
        Router(
            PATH,
            route_handlers=[
                *market.handlers,
                *orders.handlers,
                *cases.handlers,
                *inbox.handlers,
                *ladder.handlers,
                *decisions.handlers,
                *forecast.handlers,
                *archive.handlers,
                *account.handlers,
                *webhooks.handlers,
            ],
            before_request=enter,
            request_max_body_size=JSON_LIMIT,
            security=SIGNED_IN,
        ),
    ]
