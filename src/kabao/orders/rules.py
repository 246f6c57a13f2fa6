"""Pure decisions about orders: fees, what a viewer may do, and when the sweep must not release."""

import hmac
import re
from datetime import datetime, timedelta
from typing import Final, Literal

import msgspec

from kabao.kernel import half_width, yuan_text
from kabao.orders.machine import OrderState
from kabao.orders.model import Dwell

RESERVE: Final = timedelta(minutes=15)
"""How long an unpaid order keeps its keys."""
UNPAID_CAP: Final = 3
"""Unpaid orders a buyer may have in one shop at a time."""
CLOCK_TOLERANCE: Final = timedelta(seconds=60)
"""How far the database's clock may run from the machine's monotonic clock between two ticks."""
ABNORMAL_AT_LEAST: Final = 1000
"""Below this many due escrows a sweep is never abnormal by volume."""
CLAIM_LEAST: Final = timedelta(hours=24)
"""What the release clock shows at least after a withdrawn case."""

DWELL_MOST: Final = 86_400_000
"""Milliseconds: a page left open for longer than a day tells nothing."""
NOTICE_ID_MOST: Final = 48


def kept_dwell(dwell: Dwell | None, confirmed: list[str]) -> Dwell | None:
    """Keep what was measured of the notices that were ticked, where it can be; None where nothing is left."""
    if dwell is None:
        return None
    kept = {
        notice: millis
        for notice, millis in dwell.millis.items()
        if notice in confirmed and len(notice) <= NOTICE_ID_MOST and 0 <= millis <= DWELL_MOST
    }
    return Dwell(millis=kept, measured_by=dwell.measured_by) if kept else None


def payer_mark(key: bytes, provider: str, payer: str) -> bytes | None:
    """Mark the account that a custodian says paid, so that it is known again and cannot be read; None for none."""
    return hmac.digest(key, f"{provider}\0{payer}".encode(), "sha256") if payer else None


_ACCOUNT: Final = re.compile(r"[A-Za-z0-9._@-]{4,60}")


def account_of(text: str) -> str | None:
    """Read the name of an account at the custodian, as banks print it in groups too; None where it can be none."""
    account = "".join(half_width(text).split())
    return account if _ACCOUNT.fullmatch(account) else None


def fee_minor(released_minor: int, fee_bps: int) -> int:
    """Return the fee in minor units: basis points of what is released, rounded down in the merchant's favour."""
    return released_minor * fee_bps // 10_000


class Tick(msgspec.Struct, frozen=True):
    """What a sweep knows of one moment: the database's clock and the machine's monotonic seconds."""

    wall: datetime
    monotonic: float


def halt_reason(before: Tick | None, now: Tick, *, due: int, held: int, accepted: bool) -> str | None:
    """Say why the sweep must stop rather than release; None where it may go on.

    A clock set forward makes every escrow look due. Between two ticks of one process that shows against the
    monotonic clock; across a restart it shows as an abnormal share of everything held being due at once. An operator
    who has looked may accept the volume for a while; nobody may accept disagreeing clocks.
    """
    if before is not None:
        drift = abs((now.wall - before.wall) - timedelta(seconds=now.monotonic - before.monotonic))
        if drift > CLOCK_TOLERANCE:
            return f"clocks disagree by {drift.total_seconds():.0f} s"
    if not accepted and due > max(ABNORMAL_AT_LEAST, held // 2):
        return f"abnormal volume: {due} of {held} held escrows are due at once"
    return None


class Standing(msgspec.Struct, frozen=True, kw_only=True):
    """What decides the acts open to a viewer of an order."""

    role: str
    state: OrderState
    escrow: str | None
    sealed_keys: int
    opened_keys: int
    replaced_keys: int = 0
    """How many of the sealed keys are agreed replacements, which the no-reason refund does not reach."""
    in_case: bool = False
    may_claim: bool = False
    """Whether the order is released and inside its claim days, with something left to give back."""
    left_minor: int = 0
    """What of the price has not been given back after the release, in minor units."""
    stranded_minor: int = 0
    """What the custodian could not pay out to the buyer."""


def allowed_acts(standing: Standing) -> frozenset[str]:
    """List what the viewer may do next.

    pay, cancel, reveal, refund, confirm, problem, complain (a merchant's case), redirect, give_back, read, say.
    """
    acts = {"say"}
    if standing.role == "merchant" and standing.left_minor > 0 and not standing.in_case:
        acts.add("give_back")
    if standing.role == "merchant" and standing.escrow == "held" and standing.opened_keys and not standing.sealed_keys:
        acts.add("complain")
    return frozenset(acts) if standing.role != "buyer" else frozenset(acts | _buyers_acts(standing))


def _buyers_acts(standing: Standing) -> set[str]:
    acts = set()
    if standing.stranded_minor > 0:
        acts.add("redirect")
    if standing.may_claim:
        acts.add("problem")
    if standing.state is OrderState.PLACED:
        acts |= {"pay", "cancel"}
    if standing.opened_keys and standing.state is not OrderState.REFUNDED:
        acts.add("read")
    if standing.escrow == "held":
        acts |= {"confirm", "problem"}
    if standing.sealed_keys and standing.escrow in ("held", "released", "split") and not standing.in_case:
        acts.add("reveal")
    if standing.sealed_keys > standing.replaced_keys and standing.escrow == "held":
        acts.add("refund")
    return acts


def masked_name(name: str) -> str:
    """Show a buyer's name to the other side: the first character and two stars."""
    return f"{name[:1]}**"


def refused_subject(named: str, amount_minor: int, *, is_order: bool) -> str:
    """Write the notice of money that its payee's account takes no more; the amount is in minor units."""
    amount = yuan_text(amount_minor)
    if is_order:
        return f"「{named}」有 {amount} 没能退到原付款账户，还在托管方，请到订单里换一个收款账户"
    return f"「{named}」的 {amount} 没能退到原付款账户，还在托管方，请看保证金页"


def charged_back_subject(title: str, taken_minor: int, *, is_buyer: bool) -> str:
    """Write the notice that the payer's bank took an order's payment back; the amount is in minor units."""
    amount = yuan_text(taken_minor)
    if taken_minor == 0:
        return f"「{title}」的付款被付款银行撤回，这笔钱早已付清，订单的钱没有动"
    if is_buyer:
        return f"「{title}」的付款被你的付款银行撤回，{amount} 由银行退给你，平台不再退第二次"
    return f"「{title}」的付款被买家的付款银行撤回，{amount} 从托管方退了回去，不再付给店铺"


def digest_subject(kind: Literal["sale", "payout"], shop_name: str, orders: int, amount_minor: int) -> str:
    """Write a merchant's notice of sales or payouts; the amount is in minor units, of payouts what reached them."""
    amount = yuan_text(amount_minor)
    if kind == "sale":
        return f"「{shop_name}」卖出 {orders} 单，共 {amount}，卡密已封存送达，钱在托管方"
    return f"「{shop_name}」{orders} 单已放款，扣除费用后 {amount} 付到商家账户"
