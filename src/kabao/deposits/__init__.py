"""Deposits (保证金) and the platform's reserve: what a claim after the release is paid from.

Invariants: the money lies at the custodian, in an account of each shop's own and one of the platform's; a deposit never
goes below zero and comes back whole once nothing can be claimed from it; a payment into an account is booked once
whatever is replayed; what the reserve paid for a shop is owed by that shop until its releases have paid it back.
"""

from kabao.deposits.model import CLAIM_DAYS, DepositView, FundPayment, ReserveView
from kabao.deposits.service import DepositService, take_fund_payment

__all__ = ["CLAIM_DAYS", "DepositService", "DepositView", "FundPayment", "ReserveView", "take_fund_payment"]
