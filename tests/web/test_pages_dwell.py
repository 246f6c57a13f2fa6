"""How long a buyer had the notices before the eyes is kept with the order, as the page or the server measured it."""

from datetime import UTC, datetime, timedelta

import msgspec
import pytest

from kabao.kernel import parse_ref
from kabao.orders import Dwell
from kabao.orders.rules import DWELL_MOST, kept_dwell
from kabao.web.dwell import dwell_of, shown_mark
from kabao.web.http import Form
from pages import Site

KEY = b"k" * 32
AT = datetime(2026, 11, 24, 21, 0, tzinfo=UTC)
BOTH = ["no_reason_after_open", "validity"]


def form(*told: str, mark: str | None = None, ticked: list[str] | None = None) -> Form:
    pairs = [("notice", one) for one in (BOTH if ticked is None else ticked)]
    pairs += [("dwell", one) for one in told]
    return Form([*pairs, ("shown", shown_mark(KEY, "7-1", AT) if mark is None else mark)])


def read(sent: Form, seconds: float = 10) -> Dwell | None:
    return dwell_of(sent, KEY, "7-1", AT + timedelta(seconds=seconds))


def test_the_page_s_word_counts_where_every_tick_was_measured() -> None:
    assert read(form("no_reason_after_open:3200", "validity:9000")) == Dwell(
        millis={"no_reason_after_open": 3200, "validity": 9000}, measured_by="page"
    )


@pytest.mark.parametrize(
    "told",
    [
        (),
        ("validity:3000",),
        ("no_reason_after_open:3000", "validity:60000"),
        ("no_reason_after_open:3000", "validity:-1"),
        ("no_reason_after_open:3000", "validity:1e3"),
        ("no_reason_after_open:3000", "validity"),
        ("no_reason_after_open:3000", "validity:99999999999999999999"),
    ],
)
def test_without_a_whole_and_possible_measurement_the_server_s_counts(told: tuple[str, ...]) -> None:
    assert read(form(*told)) == Dwell(millis=dict.fromkeys(BOTH, 10_000), measured_by="server")


@pytest.mark.parametrize("mark", ["", "x", "1.2", shown_mark(b"another key", "7-1", AT), shown_mark(KEY, "7-2", AT)])
def test_a_form_that_was_not_shown_by_us_counts_for_nothing(mark: str) -> None:
    assert read(form("no_reason_after_open:3200", "validity:9000", mark=mark)) is None


def test_a_clock_that_went_back_measures_nothing_negative() -> None:
    found = read(form(), seconds=-5)
    assert found is not None
    assert set(found.millis.values()) == {0}


def test_only_what_was_ticked_and_can_be_is_kept() -> None:
    measured = Dwell(millis={"a": 5, "b": -1, "c": DWELL_MOST + 1, "d": 7, "e" * 49: 1}, measured_by="page")
    assert kept_dwell(measured, ["a", "b", "c", "e" * 49]) == Dwell(millis={"a": 5}, measured_by="page")
    assert kept_dwell(measured, ["z"]) is None
    assert kept_dwell(None, ["a"]) is None


async def test_it_is_kept_with_the_order_and_stands_in_its_record(site: Site) -> None:
    _, _, listing = await site.selling()
    buyer = await site.person("买家一")
    await buyer.get(f"/buy/{listing}")
    page = await buyer.send(
        f"/buy/{listing}",
        {"quantity": "1", "notice": BOTH, "dwell": ["no_reason_after_open:40", "validity:90"]},
    )
    ref = page.path.split("/")[2]
    await site.app.foundations.log.sequence()
    at = parse_ref(ref)
    assert at is not None
    placed = (await site.app.foundations.log.records(at.shop_id, at.object_id))[0]
    assert placed.body is not None
    notices = {one["id"]: one for one in msgspec.json.decode(placed.body)["content"]["seen"]["notices"]}
    assert {name: (one["dwell_ms"], one["dwell_by"]) for name, one in notices.items()} == {
        "no_reason_after_open": (40, "page"),
        "validity": (90, "page"),
    }


async def test_an_order_without_a_measurement_says_that_nobody_measured(site: Site) -> None:
    _, _, listing = await site.selling()
    buyer = await site.person("买家一")
    await buyer.get(f"/buy/{listing}")
    page = await buyer.send(f"/buy/{listing}", {"quantity": "1", "notice": BOTH, "shown": "1.2"})
    at = parse_ref(page.path.split("/")[2])
    assert at is not None
    await site.app.foundations.log.sequence()
    placed = (await site.app.foundations.log.records(at.shop_id, at.object_id))[0]
    assert placed.body is not None
    for one in msgspec.json.decode(placed.body)["content"]["seen"]["notices"]:
        assert (one["dwell_ms"], one["dwell_by"]) == (None, None)
