"""Custody: the licensed institution that holds the money, as a port, and a simulated institution behind it.

Invariants: kabao never holds money, it sends instructions and books what the institution confirms; an instruction is
executed at most once however often it is sent, and one refused for good is never executed; the institution never pays
more out of a payment or an account than was paid in, and nothing out of a payment that was charged back; the simulated
institution keeps books of its own, in its own schema, and reads none of kabao's tables.
"""

from kabao.custody.model import (
    RESERVE_ACCOUNT,
    ChargebackNotice,
    Checkout,
    CheckoutRequest,
    Instruction,
    PaymentNotice,
    PayoutKind,
    SandboxCheckout,
    deposit_account,
    shop_of_account,
)
from kabao.custody.ports import ChargedBack, Custodian, CustodianRefused, CustodianUnreachable, PayeeGone
from kabao.custody.sandbox import SandboxInstitution

__all__ = [
    "RESERVE_ACCOUNT",
    "ChargebackNotice",
    "ChargedBack",
    "Checkout",
    "CheckoutRequest",
    "Custodian",
    "CustodianRefused",
    "CustodianUnreachable",
    "Instruction",
    "PayeeGone",
    "PaymentNotice",
    "PayoutKind",
    "SandboxCheckout",
    "SandboxInstitution",
    "deposit_account",
    "shop_of_account",
]
