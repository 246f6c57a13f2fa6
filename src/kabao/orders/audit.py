"""The audit: everything recomputed from the transfers and compared with every other book.

It reads one consistent snapshot, so it may run beside a working server.
"""

from typing import Any, Final

import msgspec

from kabao.orders import store
from kabao.postgres import Connection

CHECKS: Final = (
    "escrow_against_transfers",
    "balances_against_transfers",
    "clearing_against_instructions",
    "payments_against_custodian",
    "payments_for_two_orders",
    "payouts_against_custodian",
    "custodian_overpaid",
    "chargebacks_against_custodian",
    "states_against_money",
    "keys_against_orders",
    "claims_against_transfers",
    "damages_against_payouts",
    "claims_taken_back",
    "claims_sent_before_price",
    "claims_over_price",
    "funds_against_transfers",
    "reserve_against_shops",
    "reversals_over_refund",
    "accounts_against_bookings",
    "refused_and_paid",
)
FINDINGS_SHOWN: Final = 50


class Finding(msgspec.Struct, frozen=True):
    """One row that does not agree: which check, which object, by how much (minor units)."""

    check: str
    subject: str
    off_minor: int


class AuditReport(msgspec.Struct, frozen=True, kw_only=True):
    """What the audit saw; ok where nothing disagrees. lost_minor sums what is off, in minor units."""

    ok: bool
    orders: int
    holds: int
    transfers: int
    held_minor: int
    mismatches: int
    lost_minor: int
    findings: list[Finding]


async def audit(conn: Connection) -> AuditReport:
    """Audit all shops; ``conn`` must be in a REPEATABLE READ (or stricter) transaction."""
    figures = await store.audit_figures(conn)
    findings = [
        Finding(check, _subject(row), int(row["off_minor"]))
        for check in CHECKS
        for row in await store.audit_check(conn, check)
    ]
    return AuditReport(
        ok=not findings,
        orders=figures["orders"],
        holds=figures["holds"],
        transfers=figures["transfers"],
        held_minor=figures["held_minor"],
        mismatches=len(findings),
        lost_minor=sum(finding.off_minor for finding in findings),
        findings=findings[:FINDINGS_SHOWN],
    )


def _subject(row: Any) -> str:
    return " ".join(f"{name}={value}" for name, value in row.items() if name != "off_minor")
