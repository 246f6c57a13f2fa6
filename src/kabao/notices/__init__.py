"""What kabao tells people on its own pages.

Invariants: a notice is written in the transaction that made it true; it links only to a path of this site; nobody
reads or marks another person's notices.
"""

from kabao.notices.model import Notice
from kabao.notices.service import NoticeService

__all__ = ["Notice", "NoticeService"]
