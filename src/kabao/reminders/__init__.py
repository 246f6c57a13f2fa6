"""Reminders: who is told before a time limit passes, and what staff read in the morning.

Invariants:

- At most one reminder a case, deadline and mark, however many run the job, and after any crash: what was told is a row
  of the transaction that tells it. A deadline that moved is another deadline.
- Nobody is reminded of a closed case, nor of a deadline that has passed.
- No row waits for its time: deadlines are read from where they stand.
"""

from kabao.reminders.digest import StaffDigest
from kabao.reminders.service import Reminders

__all__ = ["Reminders", "StaffDigest"]
