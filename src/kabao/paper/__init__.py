"""Chinese documents on paper (PDF by typst) from plain values; what they say is decided elsewhere.

Invariants: only the packaged font is used; the same value and date give the same bytes; what people wrote reaches
the page as text and never as markup or code; nothing is read but the template, the value and the pictures given.
"""

from kabao.paper.model import PackPaper, PaperFact, PaperItem, PaperLine, PaperSection, RulingPaper, StoryPaper
from kabao.paper.press import Press, thumbnail

__all__ = [
    "PackPaper",
    "PaperFact",
    "PaperItem",
    "PaperLine",
    "PaperSection",
    "Press",
    "RulingPaper",
    "StoryPaper",
    "thumbnail",
]
