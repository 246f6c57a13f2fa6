"""The port every custodian implements; tests/contracts runs one suite against each."""

from typing import Protocol

from kabao.custody.model import ChargebackNotice, Checkout, CheckoutRequest, Instruction, PaymentNotice
from kabao.kernel import Refusal


class CustodianUnreachable(Exception):  # noqa: N818  named for what happened
    """The custodian gave no answer; the instruction may be sent again."""


class CustodianRefused(Exception):  # noqa: N818  named for what happened
    """The custodian answered no; the reason is for the operator and holds no personal data."""


class PayeeGone(CustodianRefused):
    """The payee's account takes no money: this instruction will never be executed, however often it is sent."""


class ChargedBack(CustodianRefused):
    """The payer's bank took the payment back: this instruction will never be executed, however often it is sent."""


class Custodian(Protocol):
    """A licensed institution that takes payments and executes instructions."""

    @property
    def provider(self) -> str:
        """The institution's short name, part of every payment's key."""

    async def checkout(self, request: CheckoutRequest) -> Checkout:
        """Open (or find again) the checkout of an order. Raises CustodianUnreachable."""

    async def carry_out(self, instruction: Instruction) -> None:
        """Execute once; a repeat is answered alike.

        Raises CustodianUnreachable, CustodianRefused, PayeeGone, ChargedBack. A payment taken back stops what comes out
        of it, not what comes out of an account.
        """

    def verify_notice(self, body: bytes, signature: str) -> PaymentNotice | ChargebackNotice | Refusal:
        """Return the notice, SIGNATURE_WRONG where another signed it, or NOTICE_MALFORMED for a value out of range."""
