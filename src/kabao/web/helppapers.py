"""What self-help gives away at its end: letters to change, copy and print, the days, the folder; nothing is kept."""

import io
import zipfile
from datetime import datetime
from typing import Any, Final, NamedTuple

import msgspec

from kabao.adjudication.model import Text
from kabao.helpcases import Edited, HelpState, SavedCase
from kabao.helpcases.folders import LONGEST_LETTER, texts_of
from kabao.paper import PaperSection, Press, StoryPaper
from kabao.selfhelp import CHINA, Assessment, Language, Letter, NoLetter, Story, To
from kabao.selfhelp.blanks import blanks_in
from kabao.selfhelp.letters import letter
from kabao.selfhelp.masks import hide
from kabao.selfhelp.words import ADDRESSEES
from kabao.web.http import Form
from kabao.web.saved_as import saved_as

MOST_EDITED: Final = len(To)
NAME, LINE = 100, 200
MOST_NAMED: Final = 30
"""Characters of the goods' name in a file's."""


class Shown(NamedTuple):
    """A letter as the page shows it: as it was changed, else as it is written now."""

    letter: Letter
    body: str
    is_edited: bool

    @property
    def blanks(self) -> tuple[str, ...]:
        """What is still to be filled in by hand."""
        return blanks_in(self.body)


def chosen_letter(form: Form, assessment: Assessment, story: Story) -> To | None:
    """Return the letter a form names, else the first that was not sent; None where there is none."""
    named = form.text("pick") or form.text("letter")
    if named in {to.value for to in assessment.letters}:
        return To(named)
    sent = {one.to for one in story.letters}
    return next((to for to in assessment.letters if to not in sent), next(iter(assessment.letters), None))


def show_letter(state: HelpState, assessment: Assessment, to: To, now: datetime) -> Shown | NoLetter:
    """Write a letter, or give the one the person changed, without a secret in it."""
    story = state.story
    made = letter(story, assessment, to, story.language, now)
    if isinstance(made, NoLetter):
        return made
    kept = next((one for one in state.edited if one.to is to and one.language is story.language), None)
    if kept is None:
        return Shown(made, made.body, is_edited=False)
    return Shown(made, hide(kept.body, story), is_edited=True)


def take_letters(state: HelpState, form: Form, assessment: Assessment, now: datetime) -> HelpState:
    """Note who writes, and a letter that was changed; one that is as it was written is not kept apart."""
    story = state.story
    person = msgspec.structs.replace(
        story.person,
        name=_line(form, "person_name", NAME),
        phone=_line(form, "person_phone", NAME),
        address=_line(form, "person_address", LINE),
    )
    new = msgspec.structs.replace(state, story=msgspec.structs.replace(story, person=person))
    named = form.text("shown")
    if named not in {to.value for to in assessment.letters}:
        return new
    to = To(named)
    others = tuple(one for one in state.edited if (one.to, one.language) != (to, story.language))
    body = form.raw("body").replace("\r\n", "\n").strip()[:LONGEST_LETTER]
    before = show_letter(state, assessment, to, now)
    is_changed = isinstance(before, Shown) and bool(body) and body != before.body.strip()
    if form.ticked("fresh"):
        return msgspec.structs.replace(new, edited=others)
    if is_changed:
        edited = (*others, Edited(to=to, language=story.language, body=body))[-MOST_EDITED:]
        return msgspec.structs.replace(new, edited=edited)
    return new


def print_letter(shown: Shown, now: datetime) -> bytes:
    """Print a letter as it is shown."""
    paper = StoryPaper(
        title=shown.letter.title, subtitle="", running="", before=[PaperSection(title="", said=shown.body)],
        timeline_title="", timeline=[], items_title="", items=[], after=[], foot="",
    )  # fmt: skip
    return Press().story(paper, at=now)


def folder_of(state: HelpState, now: datetime) -> bytes:
    """Pack the folder that `kabao selfhelp` goes on with: the story, chats, terms, changed letters."""
    packed = io.BytesIO()
    with zipfile.ZipFile(packed, "w", zipfile.ZIP_DEFLATED) as archive:
        for name, content in texts_of(SavedCase(state=state, seed=b""), now).items():
            archive.writestr(name, content)
    return packed.getvalue()


def named_file(story: Story, what: Text, plain: str, now: datetime) -> str:
    """Name a file for saving, in the language of the case, after what it is, the goods and the day."""
    is_zh = story.language is Language.ZH
    goods = hide(story.title or story.shop.name, story)[:MOST_NAMED].strip()
    ending = plain.rpartition(".")[2]
    parts = (what.zh if is_zh else what.en, goods, f"{now.astimezone(CHINA):%Y-%m-%d}")
    return saved_as(f"{' '.join(part for part in parts if part)}.{ending}", plain)


def letters_given(state: HelpState, assessment: Assessment, form: Form, now: datetime) -> dict[str, Any]:
    """Give what the step of letters shows."""
    to = chosen_letter(form, assessment, state.story)
    shown = show_letter(state, assessment, to, now) if to is not None else None
    named: list[tuple[str, Text]] = [(one.value, ADDRESSEES[one]) for one in assessment.letters]
    return {"letters": named, "to": to, "shown": shown, "longest_letter": LONGEST_LETTER}


def _line(form: Form, name: str, limit: int) -> str:
    return "".join(one for one in form.text(name)[:limit] if one.isprintable())
