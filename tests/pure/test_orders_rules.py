"""Pure decisions about orders: steps, fees, acts, roles, and when the sweep must stop."""

from datetime import UTC, datetime, timedelta

import pytest

from kabao.orders.machine import ENDED, STEPS, OrderState, may_step
from kabao.orders.rules import Standing, Tick, allowed_acts, fee_minor, halt_reason, masked_name
from kabao.orders.view import role_of

NOON = datetime(2026, 11, 23, 12, 0, tzinfo=UTC)


def test_money_steps_never_leave_an_ended_order_except_to_settle_or_to_take_a_late_payment() -> None:
    leaving = {(a, b) for a, b in STEPS if a in ENDED}
    assert leaving == {("confirmed", OrderState.SETTLED), ("expired", OrderState.DELIVERED)}


def test_an_unpaid_order_cannot_be_confirmed() -> None:
    assert may_step("placed", OrderState.DELIVERED)
    assert not may_step("placed", OrderState.CONFIRMED)


@pytest.mark.parametrize(
    ("released", "bps", "fee"), [(9650, 200, 193), (1, 200, 0), (9999, 1, 0), (10_000, 3000, 3000)]
)
def test_the_fee_is_rounded_down(released: int, bps: int, fee: int) -> None:
    assert fee_minor(released, bps) == fee


def tick(wall_seconds: float, monotonic: float) -> Tick:
    return Tick(NOON + timedelta(seconds=wall_seconds), monotonic)


def test_the_sweep_goes_on_when_both_clocks_agree() -> None:
    assert halt_reason(tick(0, 5), tick(61, 66), due=3, held=4, accepted=False) is None


def test_a_clock_set_forward_by_thirty_days_halts_the_sweep() -> None:
    why = halt_reason(tick(0, 5), tick(30 * 86400, 7), due=1, held=4, accepted=True)
    assert why is not None
    assert why.startswith("clocks disagree")


def test_a_clock_set_back_halts_the_sweep() -> None:
    assert halt_reason(tick(0, 5), tick(-3600, 7), due=0, held=4, accepted=False) is not None


def test_after_a_restart_an_abnormal_volume_halts_until_it_is_accepted() -> None:
    assert halt_reason(None, tick(0, 0), due=1501, held=3000, accepted=False) is not None
    assert halt_reason(None, tick(0, 0), due=1501, held=3000, accepted=True) is None
    assert halt_reason(None, tick(0, 0), due=1000, held=1000, accepted=False) is None


def acts(
    role: str, state: OrderState, escrow: str | None, sealed: int = 0, opened: int = 0, replaced: int = 0
) -> set[str]:
    standing = Standing(
        role=role, state=state, escrow=escrow, sealed_keys=sealed, opened_keys=opened, replaced_keys=replaced
    )
    return set(allowed_acts(standing))


def test_what_a_buyer_may_do_at_each_state() -> None:
    assert acts("buyer", OrderState.PLACED, None) == {"say", "pay", "cancel"}
    assert acts("buyer", OrderState.DELIVERED, "held", sealed=1) == {"say", "reveal", "refund", "confirm", "problem"}
    assert acts("buyer", OrderState.OPENED, "held", opened=1) == {"say", "read", "confirm", "problem"}
    assert acts("buyer", OrderState.OPENED, "disputed", sealed=1, opened=1) == {"say", "read"}
    replaced = acts("buyer", OrderState.DELIVERED, "held", sealed=1, replaced=1)
    assert replaced == {"say", "reveal", "confirm", "problem"}
    assert acts("buyer", OrderState.SETTLED, "released", sealed=1) == {"say", "reveal"}
    assert acts("buyer", OrderState.REFUNDED, "refunded", opened=1) == {"say"}


def test_a_merchant_and_support_only_talk() -> None:
    assert acts("merchant", OrderState.DELIVERED, "held", sealed=1) == {"say"}
    assert acts("support", OrderState.OPENED, "disputed", opened=1) == {"say"}


def test_a_merchant_sees_the_first_character_of_a_buyers_name() -> None:
    assert masked_name("小买家") == "小**"


@pytest.mark.parametrize(
    ("account", "support", "case", "role"),
    [
        (1, False, False, "buyer"),
        (2, False, False, "merchant"),
        (3, True, True, "support"),
        (3, True, False, None),
        (3, False, True, None),
        (1, True, True, "buyer"),
    ],
)
def test_strangers_see_nothing(account: int, support: bool, case: bool, role: str | None) -> None:  # noqa: FBT001
    assert role_of(account, is_support=support, buyer_id=1, owner_id=2, has_case=case) == role
