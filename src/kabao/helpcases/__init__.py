"""Purchases made elsewhere that a person saved: kept encrypted, gone for good when deleted, packed as the folder is.

Invariants:

- What was told is encrypted under a key of its case, which is wrapped by the server's key and goes with the row: what
  is left in the blob store opens no more. Files are encrypted under the same key, piece by piece.
- A case is its owner's alone; to everybody else it is not there.
- What was saved elsewhere meanwhile is never written over unasked (``version``); what is added beside it (files,
  letters sent, answers, the ending) is added to whatever stands there.
- A saved case, the folder of ``kabao selfhelp`` and its zip hold the same; one becomes the other and back.
- A day is told once, in the transaction that notes it.
- Of a counted ending nothing is kept but a month and a word.
"""

from kabao.helpcases.files import HelpFiles
from kabao.helpcases.model import CaseState, CaseView, Edited, HelpState, SavedAs, SavedCase
from kabao.helpcases.service import CaseKeyLost, HelpCases

__all__ = [
    "CaseKeyLost",
    "CaseState",
    "CaseView",
    "Edited",
    "HelpCases",
    "HelpFiles",
    "HelpState",
    "SavedAs",
    "SavedCase",
]
