"""The ledger: one row is one balanced transfer, and nothing is ever edited.

Invariants: the application may only insert transfers; a transfer's id derives from its order and step, so that a step
books once; no balance is written while money moves, deltas are folded afterwards, and a balance is always the folded
figure plus the deltas not folded yet. The transfers themselves are written inside the money steps of the migrations.
"""

from kabao.ledger.model import PLATFORM, AccountNo, Balance, Movement, Transfer
from kabao.ledger.service import LedgerService

__all__ = ["PLATFORM", "AccountNo", "Balance", "LedgerService", "Movement", "Transfer"]
