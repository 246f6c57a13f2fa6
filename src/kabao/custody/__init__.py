"""Custody: the licensed institution that holds the money, as a port, and a simulated institution behind it.

Invariants: kabao never holds money, it sends instructions and books what the institution confirms; an instruction is
executed at most once however often it is sent; the institution never pays out more of a payment than was paid in; the
simulated institution keeps books of its own, in its own schema, and reads none of kabao's tables.
"""

from kabao.custody.model import Checkout, CheckoutRequest, Instruction, PaymentNotice, SandboxCheckout
from kabao.custody.ports import Custodian, CustodianRefused, CustodianUnreachable
from kabao.custody.sandbox import SandboxInstitution

__all__ = [
    "Checkout",
    "CheckoutRequest",
    "Custodian",
    "CustodianRefused",
    "CustodianUnreachable",
    "Instruction",
    "PaymentNotice",
    "SandboxCheckout",
    "SandboxInstitution",
]
