"""What every custodian must keep, run against the simulated institution."""

from uuid import uuid4

import pytest

from kabao.custody import (
    ChargebackNotice,
    ChargedBack,
    CheckoutRequest,
    Custodian,
    CustodianRefused,
    Instruction,
    PaymentNotice,
    SandboxInstitution,
)
from kabao.kernel import FixedClock, IdSource, Refusal, canonical_bytes
from kabao.postgres import Database
from market import NOON

REQUEST = CheckoutRequest(
    merchant_ref="7-ABC", subject="点卡 × 1", amount_minor=500, currency="CNY", return_path="/o/7-ABC"
)


@pytest.fixture
def sandbox(database: Database) -> SandboxInstitution:
    return SandboxInstitution(database=database, clock=FixedClock(NOON), ids=IdSource(), secret=b"s" * 32)


@pytest.fixture
async def payment(sandbox: SandboxInstitution) -> str:
    custodian: Custodian = sandbox
    paid = await sandbox.pay((await custodian.checkout(REQUEST)).checkout_id)
    assert paid is not None
    return paid


def payout(of_payment: str, amount: int, **fields: object) -> Instruction:
    given: dict[str, object] = {
        "instruction_id": uuid4(),
        "payment_id": of_payment,
        "kind": "refund",
        "amount_minor": amount,
        "fee_minor": 0,
        "currency": "CNY",
    }
    return Instruction(**(given | fields))  # type: ignore[arg-type]


async def test_a_checkout_of_one_reference_is_found_again(sandbox: SandboxInstitution) -> None:
    first, second = await sandbox.checkout(REQUEST), await sandbox.checkout(REQUEST)
    assert first == second
    shown = await sandbox.find_checkout(first.checkout_id)
    assert shown is not None
    assert (shown.amount_minor, shown.subject, shown.paid_at) == (500, "点卡 × 1", None)
    assert await sandbox.find_checkout("nothing") is None
    assert await sandbox.pay("nothing") is None
    assert not await sandbox.notify("nothing", lambda _body, _signature: pytest.fail("no notice"))


async def test_an_instruction_is_executed_once(sandbox: SandboxInstitution, payment: str) -> None:
    order = payout(payment, 500)
    await sandbox.carry_out(order)
    await sandbox.carry_out(order)
    with pytest.raises(CustodianRefused):
        await sandbox.carry_out(payout(payment, 1))


async def test_an_id_is_never_taken_for_another_payout(sandbox: SandboxInstitution, payment: str) -> None:
    order = payout(payment, 100)
    await sandbox.carry_out(order)
    with pytest.raises(CustodianRefused):
        await sandbox.carry_out(payout(payment, 101, instruction_id=order.instruction_id))


@pytest.mark.parametrize("wrong", [{"amount_minor": 501}, {"currency": "USD"}, {"payment_id": "unknown"}])
async def test_what_does_not_fit_the_payment_is_refused(
    sandbox: SandboxInstitution, payment: str, wrong: dict[str, object]
) -> None:
    with pytest.raises(CustodianRefused):
        await sandbox.carry_out(payout(payment, 1, **wrong))


async def test_a_notice_is_sent_until_it_is_confirmed(
    sandbox: SandboxInstitution, payment: str, database: Database
) -> None:
    seen: list[PaymentNotice] = []
    answers = [False, True]

    async def sink(body: bytes, signature: str) -> bool:
        notice = sandbox.verify_notice(body, signature)
        assert isinstance(notice, PaymentNotice)
        seen.append(notice)
        return answers.pop(0)

    assert await sandbox.deliver_notices(sink) == 0
    assert await sandbox.deliver_notices(sink) == 0
    later = FixedClock(NOON)
    later.at = NOON.replace(hour=13)
    again = SandboxInstitution(database=database, clock=later, ids=IdSource(), secret=b"s" * 32)
    assert await again.deliver_notices(sink) == 1
    assert await again.deliver_notices(sink) == 0
    assert [notice.payment_id for notice in seen] == [payment, payment]
    assert seen[0].amount_minor == 500


def test_a_notice_of_another_institution_is_not_verified(sandbox: SandboxInstitution, database: Database) -> None:
    other = SandboxInstitution(database=database, clock=FixedClock(NOON), ids=IdSource(), secret=b"o" * 32)
    notice = PaymentNotice(payment_id="p", merchant_ref="7-ABC", amount_minor=1, currency="CNY", paid_at="now")
    body = other.notice_body(notice)
    assert sandbox.verify_notice(body, sandbox.sign(body)) == notice
    assert sandbox.verify_notice(body, other.sign(body)) is Refusal.SIGNATURE_WRONG
    assert sandbox.verify_notice(body + b" ", sandbox.sign(body)) is Refusal.SIGNATURE_WRONG
    assert sandbox.verify_notice(body, "no base64!") is Refusal.SIGNATURE_WRONG


@pytest.mark.parametrize(
    "wrong",
    [
        {"amount_minor": 0},
        {"amount_minor": -5},
        {"amount_minor": 2**63},
        {"amount_minor": "5"},
        {"currency": "cny"},
        {"currency": ""},
        {"payment_id": "a b"},
        {"payment_id": "a" * 101},
        {"payment_id": "a\x00"},
        {"merchant_ref": "7" * 101},
        {"extra": 1},
    ],
)
def test_a_signed_notice_with_a_value_out_of_range_is_malformed(
    sandbox: SandboxInstitution, wrong: dict[str, object]
) -> None:
    good = {"payment_id": "p", "merchant_ref": "7-ABC", "amount_minor": 1, "currency": "CNY", "paid_at": "now"}
    body = canonical_bytes(good | wrong)
    assert sandbox.verify_notice(body, sandbox.sign(body)) is Refusal.NOTICE_MALFORMED
    deep = b"[" * 1000
    assert sandbox.verify_notice(deep, sandbox.sign(deep)) is Refusal.NOTICE_MALFORMED


async def test_a_chargeback_takes_what_is_left_once_and_stops_every_later_payout(
    sandbox: SandboxInstitution, payment: str
) -> None:
    paid, late = payout(payment, 200), payout(payment, 300)
    await sandbox.carry_out(paid)
    taken = await sandbox.charge_back(payment)
    assert taken is not None
    assert (taken.payment_id, taken.taken_minor, taken.merchant_ref) == (payment, 300, "7-ABC")
    assert await sandbox.charge_back(payment) == taken
    for again in (late, late, payout(payment, 1, kind="release")):
        with pytest.raises(ChargedBack):
            await sandbox.carry_out(again)
    await sandbox.carry_out(paid)


async def test_a_chargeback_leaves_accounts_alone(sandbox: SandboxInstitution, payment: str) -> None:
    into = CheckoutRequest(
        merchant_ref="d", subject="d", amount_minor=300, currency="CNY", return_path="/", into_account="reserve"
    )
    deposit = await sandbox.pay((await sandbox.checkout(into)).checkout_id)
    assert deposit is not None
    assert await sandbox.charge_back(deposit) is None
    assert await sandbox.charge_back("nothing") is None
    await sandbox.charge_back(payment)
    await sandbox.carry_out(payout(payment, 300, kind="claim_refund", from_account="reserve"))
    assert await sandbox.balance("reserve") == 0


async def test_a_chargeback_is_told_after_its_payment_and_until_it_is_confirmed(
    sandbox: SandboxInstitution, payment: str, database: Database
) -> None:
    taken = await sandbox.charge_back(payment)
    seen: list[object] = []
    answers = [False, True, False, True]

    async def sink(body: bytes, signature: str) -> bool:
        seen.append(sandbox.verify_notice(body, signature))
        return answers.pop(0)

    later = FixedClock(NOON)
    again = SandboxInstitution(database=database, clock=later, ids=IdSource(), secret=b"s" * 32)
    for _ in range(3):
        await again.deliver_notices(sink)
        later.at = later.at.replace(hour=later.at.hour + 2)
    assert [type(notice) for notice in seen] == [PaymentNotice, PaymentNotice, ChargebackNotice, ChargebackNotice]
    assert seen[-1] == taken
    assert await again.deliver_notices(sink) == 0


@pytest.mark.parametrize(
    "wrong", [{"kind": "other"}, {"taken_minor": -1}, {"chargeback_id": "a b"}, {"amount_minor": 1}, {"currency": ""}]
)
def test_a_signed_chargeback_with_a_value_out_of_range_is_malformed(
    sandbox: SandboxInstitution, wrong: dict[str, object]
) -> None:
    good = {"kind": "chargeback", "chargeback_id": "c", "payment_id": "p", "merchant_ref": "7-ABC", "taken_minor": 0}
    good |= {"currency": "CNY", "taken_at": "now"}
    body = canonical_bytes(good)
    assert isinstance(sandbox.verify_notice(body, sandbox.sign(body)), ChargebackNotice)
    body = canonical_bytes(good | wrong)
    assert sandbox.verify_notice(body, sandbox.sign(body)) is Refusal.NOTICE_MALFORMED
