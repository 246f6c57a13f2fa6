"""Which addresses may be named, what a message holds, and how it is signed and tried again."""

import inspect
import json
import re
from collections.abc import Callable
from datetime import UTC, datetime, timedelta
from pathlib import Path
from typing import Any

import msgspec
import pytest

from kabao.cases import words
from kabao.kernel import format_ref
from kabao.outgoing import signature
from kabao.webhooks.model import CASE_KINDS, ORDER_KINDS, Event, Leased
from kabao.webhooks.rules import (
    BACKOFF,
    body_of,
    event_id,
    is_taken,
    is_turned_off,
    live_generations,
    next_try,
    rest,
    secret_of,
    url_fault,
)

DOCS = Path(__file__).parents[2] / "docs" / "webhooks.md"
KEY = b"k" * 32
NOW = datetime(2026, 11, 24, 9, 20, tzinfo=UTC)
DAY = timedelta(days=1)
OPENED = Event(
    event="c9",
    kind="case.opened",
    order_id=3,
    case_id=4,
    number=1,
    standing="negotiation",
    answer_by=NOW + 2 * DAY,
    at=NOW,
)
LEASED = Leased(
    shop_id=7,
    endpoint_id=8,
    delivery_id=9,
    attempt=1,
    now=NOW,
    url="https://hooks.example.org/",
    generation=1,
    previous_until=None,
    failures=0,
    failing_since=None,
    owner_id=5,
    told=OPENED,
)


@pytest.mark.parametrize(
    "url",
    [
        "https://hooks.example.org/kabao?shop=1",
        "https://hooks.example.org:8443/",
        "https://HOOKS.Example.ORG",
        "https://xn--fiq228c.example/x",
        "https://93.184.215.14/x",
        "https://[2606:2800:21f:cb07:6820:80da:af6b:8b2c]/",
    ],
)
def test_public_https_addresses_may_be_named(url: str) -> None:
    assert url_fault(url) is None


@pytest.mark.parametrize(
    "url",
    [
        "",
        "hooks.example.org",
        "http://hooks.example.org/",
        "ftp://hooks.example.org/",
        "https://user@hooks.example.org/",
        "https://hooks.example.org/#part",
        "https://hooks.example.org:22/",
        "https://hooks.example.org:99999/",
        "https://hooks.example.org:x/",
        "https://[::1/",
        "https://localhost/",
        "https://printer/",
        "https://127.0.0.1/",
        "https://127.1/",
        "https://0x7f000001/",
        "https://2130706433/",
        "https://10.0.0.1/",
        "https://169.254.169.254/latest",
        "https://[::1]/",
        "https://[::ffff:127.0.0.1]/",
        "https://hooks.example.org/a b",
        "https://hooks.example.org/\nx",
        "https://回调.example/",
        "https://hooks.example.org/" + "a" * 500,
    ],
)
def test_everything_else_is_refused(url: str) -> None:
    assert url_fault(url)


def test_a_message_holds_references_states_and_times_and_is_the_same_each_time() -> None:
    body = body_of(KEY, 7, OPENED)
    assert body == body_of(KEY, 7, OPENED)
    assert json.loads(body) == {
        "v": 1,
        "id": event_id(KEY, 7, "c9"),
        "type": "case.opened",
        "shop": "7",
        "order": format_ref(7, 3),
        "case": format_ref(7, 4),
        "number": 1,
        "stage": "negotiation",
        "due_at": "2026-11-26T09:20:00Z",
        "at": "2026-11-24T09:20:00Z",
    }
    paid = msgspec.structs.replace(OPENED, kind="order.paid", case_id=None, standing="paid", answer_by=None)
    assert {"state": "paid"}.items() <= json.loads(body_of(KEY, 7, paid)).items()
    assert not {"case", "stage", "due_at"} & json.loads(body_of(KEY, 7, paid)).keys()
    tried = msgspec.structs.replace(paid, kind="test", order_id=None, standing=None)
    assert json.loads(body_of(KEY, 7, tried)).keys() == {"v", "id", "type", "shop", "number", "at"}


def test_ids_and_secrets_are_each_their_own_and_tell_nothing_of_each_other() -> None:
    ids = {event_id(KEY, shop, event) for shop in (7, 8) for event in ("c9", "o9", "c10")}
    assert len(ids) == 6
    assert all(re.fullmatch(r"evt_[0-9a-f]{30}", one) for one in ids)
    secrets = {secret_of(KEY, shop, hook, made) for shop in (7, 8) for hook in (1, 2) for made in (1, 2)}
    assert len(secrets) == 8
    assert all(re.fullmatch(r"whsec_[A-Za-z0-9_-]{43}", one) for one in secrets)
    assert secret_of(b"x" * 32, 7, 1, 1) not in secrets


def verifier() -> Callable[..., bool]:
    """Take the example out of the documentation, as a reader would."""
    [example] = re.findall(r"```python\n(.*?)```", DOCS.read_text(encoding="utf-8"), flags=re.DOTALL)
    names: dict[str, Any] = {}
    exec(compile(example, DOCS.name, "exec"), names)  # noqa: S102  our own documentation
    found: Callable[..., bool] = names["is_from_kabao"]
    return found


def test_the_documented_check_takes_what_is_ours_and_nothing_else() -> None:
    is_from_kabao = verifier()
    body, old, new = body_of(KEY, 7, OPENED), secret_of(KEY, 7, 8, 1), secret_of(KEY, 7, 8, 2)
    both, one = signature([new, old], body, NOW), signature([new], body, NOW)
    now = NOW.timestamp()
    assert is_from_kabao(new, one, body, now)
    assert all(is_from_kabao(secret, both, body, now + 300) for secret in (old, new))
    assert not is_from_kabao(old, one, body, now)
    assert not is_from_kabao(new, one, body + b" ", now)
    assert not is_from_kabao(new, one, body, now + 301)
    assert not is_from_kabao(new, one, body, now - 301)
    assert not is_from_kabao(new, one.replace("t=", "t=1"), body, now)
    assert not is_from_kabao(new, f"t={int(now)},{one}", body, now)
    for broken in ("", "t=", "v1=", "t=x,v1=y", "t=١,v1=é", one.partition(",")[0]):
        assert not is_from_kabao(new, broken, body, now), broken
    assert not is_from_kabao(new, one, body)


def test_every_documented_type_is_sent_and_every_sent_one_documented() -> None:
    text = " ".join(DOCS.read_text(encoding="utf-8").split())
    for start, kinds in (("order", ORDER_KINDS), ("case", CASE_KINDS)):
        found = re.search(rf"`{start}\.`: ([a-z_,;: ]+)\.", text)
        assert found is not None
        assert sorted(re.split(r", |; after the release: ", found[1])) == sorted(kinds)


def test_every_step_that_pages_have_words_for_is_told_or_left_out_on_purpose() -> None:
    for write, told, left_out in (
        (words.case_event_text, CASE_KINDS, {"seated", "recused"}),
        (words.order_event_text, ORDER_KINDS, set()),
    ):
        named = set(re.findall(r'^ +"([a-z_]+)":', inspect.getsource(write), flags=re.MULTILINE))
        assert len(named) > 20
        assert named - set(told) == left_out


def test_the_old_secret_signs_until_its_time() -> None:
    assert live_generations(2, NOW, NOW) == [2]
    assert live_generations(2, NOW + timedelta(seconds=1), NOW) == [2, 1]
    assert live_generations(1, None, NOW) == [1]


@pytest.mark.parametrize(("status", "arrived"), [(200, True), (204, True), (299, True), (302, False), (410, False)])
def test_only_a_2xx_is_an_arrival(status: int, *, arrived: bool) -> None:
    assert is_taken(status) is arrived


def test_waits_grow_and_end_after_three_days() -> None:
    waits = [next_try(msgspec.structs.replace(LEASED, attempt=attempt)) for attempt in range(1, 8)]
    assert waits == [*BACKOFF, BACKOFF[-1], BACKOFF[-1]]
    assert next_try(msgspec.structs.replace(LEASED, now=NOW + 3 * DAY)) is None
    assert [rest(failures).total_seconds() for failures in (1, 2, 3, 4, 5, 50)] == [0, 10, 60, 300, 900, 900]
    assert not is_turned_off(None, NOW)
    assert not is_turned_off(NOW - 3 * DAY + timedelta(seconds=1), NOW)
    assert is_turned_off(NOW - 3 * DAY, NOW)
