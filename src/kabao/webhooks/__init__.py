"""Webhooks: a shop's own programs hear of its orders and cases, signed, at least once, and numbered.

Invariants:

- What is sent is read from the histories of orders and cases behind a cursor: no step has to write a row for it.
- A message is one row an endpoint and event, sent by who holds its lease; the same event has the same id at each try.
- No message holds more of anybody than references, states and times.
- Nothing is sent but by https to the public network, no redirect is followed, and an exchange ends in ten seconds.
- An endpoint is reached by the owner of its shop only; its secret is shown once and stored nowhere.
"""

from kabao.webhooks.model import (
    Delivery,
    DeliveryState,
    Endpoint,
    EndpointState,
    NewSecret,
)
from kabao.webhooks.sender import Sender
from kabao.webhooks.service import WebhookService

__all__ = [
    "Delivery",
    "DeliveryState",
    "Endpoint",
    "EndpointState",
    "NewSecret",
    "Sender",
    "WebhookService",
]
