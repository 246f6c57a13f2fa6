"""What an endpoint may be, what a message says and how it is signed, and when it is tried again; without I/O."""

import base64
import hmac
import ipaddress
import re
from datetime import UTC, datetime, timedelta
from typing import Final
from urllib.parse import urlsplit

from kabao.kernel import format_ref
from kabao.kernel.canonical import canonical_bytes
from kabao.outgoing import is_public
from kabao.shops import shop_ref
from kabao.webhooks.model import Event, Leased

MAX_URL: Final = 500
ENDPOINTS_AT_MOST: Final = 5
OLD_SECRET_LIVES: Final = timedelta(hours=24)
GIVEN_UP_AFTER: Final = timedelta(days=3)
"""A message this old is given up, and an endpoint where nothing arrived for so long is turned off."""
KEPT_FOR: Final = timedelta(days=30)
BACKOFF: Final = tuple(timedelta(minutes=minutes) for minutes in (1, 5, 30, 120, 360))
"""Waits after the first, second, … failure of a message; the last repeats."""
RESTS: Final = tuple(timedelta(seconds=seconds) for seconds in (0, 10, 60, 300, 900))
"""How long an endpoint is left alone after so many failures in a row; the last repeats."""
VERSION: Final = 1

_VISIBLE: Final = re.compile(r"[!-~]+")
_HOST: Final = re.compile(r"(?:[a-z0-9](?:[a-z0-9-]{0,61}[a-z0-9])?\.)+[a-z][a-z0-9-]{0,61}[a-z0-9]")
_OWN_PORTS: Final = 1024
_HTTPS: Final = 443
_OK: Final = range(200, 300)


def url_fault(url: str) -> str | None:
    """Say in Chinese what is wrong with an endpoint's address; None where nothing is. Names are looked up when used."""
    if not _VISIBLE.fullmatch(url) or len(url) > MAX_URL:
        return f"地址最长 {MAX_URL} 个字符，只能用英文字母、数字和常用符号。"
    try:
        parts = urlsplit(url)
        port = parts.port or _HTTPS
    except ValueError:
        return "地址的写法不对。"
    if parts.scheme != "https" or parts.username is not None or parts.fragment:
        return "地址要以 https:// 开头，不带用户名，也不带 #。"
    if port != _HTTPS and port < _OWN_PORTS:
        return "端口用 443，或者 1024 以上的。"
    host = (parts.hostname or "").lower()
    return None if _is_numeric_public(host) or _HOST.fullmatch(host) else "要用公网上的域名或地址。"


def _is_numeric_public(host: str) -> bool:
    try:
        ipaddress.ip_address(host)
    except ValueError:
        return False
    return is_public(host)


def secret_of(key: bytes, shop_id: int, endpoint_id: int, generation: int) -> str:
    """Make an endpoint's secret from the server's key: nothing needs to be stored, so nothing stored can be read."""
    made = hmac.digest(key, f"secret\0{shop_id}\0{endpoint_id}\0{generation}".encode(), "sha256")
    return "whsec_" + base64.urlsafe_b64encode(made).decode().rstrip("=")


def event_id(key: bytes, shop_id: int, event: str) -> str:
    """Name an event to the outside, the same at each try; the place in our tables behind it tells nobody anything."""
    return "evt_" + hmac.digest(key, f"event\0{shop_id}\0{event}".encode(), "sha256")[:15].hex()


def live_generations(generation: int, previous_until: datetime | None, now: datetime) -> list[int]:
    """List which secrets sign, the newest first."""
    return [generation] if previous_until is None or now >= previous_until else [generation, generation - 1]


def body_of(key: bytes, shop_id: int, told: Event) -> bytes:
    """Write a message; the same bytes at each try. Nothing of anybody's but references, states and times."""
    about = {
        "order": None if told.order_id is None else format_ref(shop_id, told.order_id),
        "case": None if told.case_id is None else format_ref(shop_id, told.case_id),
        "stage" if told.case_id is not None else "state": told.standing,
        "due_at": _time(told.answer_by),
    }
    fixed = {
        "v": VERSION,
        "id": event_id(key, shop_id, told.event),
        "type": told.kind,
        "shop": shop_ref(shop_id),
        "number": told.number,
        "at": _time(told.at),
    }
    return canonical_bytes(fixed | {name: text for name, text in about.items() if text is not None})


def _time(at: datetime | None) -> str | None:
    return None if at is None else at.astimezone(UTC).strftime("%Y-%m-%dT%H:%M:%SZ")


def is_taken(status: int) -> bool:
    """Tell whether an answer means that the message arrived; a redirect is not followed and means it did not."""
    return status in _OK


def next_try(leased: Leased) -> timedelta | None:
    """Say how long a message waits after a failure; None where it is given up."""
    if leased.now - leased.told.at >= GIVEN_UP_AFTER:
        return None
    return BACKOFF[min(leased.attempt, len(BACKOFF)) - 1]


def rest(failures: int) -> timedelta:
    """Say how long an endpoint is left alone after so many failures in a row, this one included."""
    return RESTS[min(failures, len(RESTS)) - 1]


def is_turned_off(failing_since: datetime | None, now: datetime) -> bool:
    """Tell whether an endpoint that has just failed again has failed for too long."""
    return failing_since is not None and now - failing_since >= GIVEN_UP_AFTER
