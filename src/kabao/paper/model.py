"""What the documents are made from: text that is ready to be printed, in the order it is printed."""

from typing import Literal

import msgspec


class PaperFact(msgspec.Struct, frozen=True):
    """A label and what stands beside it; a digest or key is set in small figures."""

    label: str
    text: str


class PaperLine(msgspec.Struct, frozen=True, kw_only=True):
    """One line of the timeline: when, what happened, and the person's own words where there are any."""

    at: str
    who: str
    text: str
    said: str = ""


class PaperItem(msgspec.Struct, frozen=True, kw_only=True):
    """One item of evidence; `picture` names one of the pictures given to the press, empty where there is none."""

    no: int
    name: str
    about: str
    sha256: str
    note: str = ""
    picture: str = ""


class PaperSection(msgspec.Struct, frozen=True, kw_only=True):
    """A part of a document: a heading, words people wrote, and labelled lines, each where there are any."""

    title: str
    said: str = ""
    facts: list[PaperFact] = []


class RulingPaper(msgspec.Struct, frozen=True, kw_only=True):
    """A ruling as it is printed; never called final, so the ways outside stand below it, and `more` below them."""

    title: str
    facts: list[PaperFact]
    found: str
    reasons: str
    outside: str
    sections: list[PaperSection] = []
    more: list[PaperSection] = []


class PackPaper(msgspec.Struct, frozen=True, kw_only=True):
    """The paper of an evidence pack."""

    title: str
    subtitle: str
    facts: list[PaperFact]
    parties: list[PaperFact]
    verifying: list[str]
    proves: str
    timeline: list[PaperLine]
    items: list[PaperItem]
    ruling: RulingPaper | None
    absent: list[PaperFact]


class StoryPaper(msgspec.Struct, frozen=True, kw_only=True):
    """The paper of a purchase made elsewhere, in the order an official reads; `foot` says what it does not claim."""

    title: str
    subtitle: str
    running: str
    before: list[PaperSection]
    timeline_title: str
    timeline: list[PaperLine]
    items_title: str
    items: list[PaperItem]
    after: list[PaperSection]
    foot: str


Template = Literal["pack", "ruling", "story"]
