"""`kabao selfhelp letter`: writes a letter into the folder, as text and as PDF, and never over one that is there."""

from datetime import datetime
from pathlib import Path

import msgspec

from kabao.adjudication.model import Text
from kabao.paper import PaperSection, Press, StoryPaper
from kabao.selfhelp import folder
from kabao.selfhelp.assessing import assess
from kabao.selfhelp.blanks import blanks_in
from kabao.selfhelp.book import law_rules
from kabao.selfhelp.commands import Said, json_of, no_case, refused, said_in, unreadable
from kabao.selfhelp.letters import letter
from kabao.selfhelp.masks import hide
from kabao.selfhelp.model import Language, Moment, SentLetter, Story, To
from kabao.selfhelp.results import Letter, NoLetter
from kabao.selfhelp.storyfile import UnreadableCaseError


def letter_command(
    place: Path, to: To, now: datetime, *, pdf: bool, again: bool, sent: bool, as_json: bool, blank: bool = False
) -> Said:
    """Write the letter, or give the one that is there; `again` writes a new one beside it, `sent` notes it as sent.

    A letter in which something is still to be filled in is noted as sent only with `blank`.
    """
    language = Language.ZH
    try:
        story = folder.load(place)
        language = story.language
        made = letter(story, assess(story, law_rules(), now), to, language, now)
        if isinstance(made, NoLetter):
            return _none(made, language, as_json=as_json)
        folder.part_of(place, folder.LETTERS)
        file, is_kept = _file_of(place, to, again=again)
        if not is_kept:
            folder.write_whole(place / file, [f"{made.title}\n\n{made.body}\n".encode()])
        text = hide(folder.inside(place, file).read_text("utf-8"), story)
        printed = _print(place, file, text, now) if pdf else None
        left = blanks_in(text)
        if sent and left and not blank:
            return refused("blanks_left", still_blank(left, "--with-blanks"), language, as_json=as_json)
        if sent:
            folder.save(place, _with_sent(story, made, file, now))
    except UnreadableCaseError as error:
        return unreadable(error, language, as_json=as_json)
    except UnicodeDecodeError:
        said = Text(f"{to} 的信不是 UTF-8 文字", f"the letter to {to} is not UTF-8 text")
        return refused("cannot_read", said, language, as_json=as_json)
    except OSError as error:
        return no_case(place, error, language, as_json=as_json)
    whole = msgspec.structs.asdict(made) | {
        "file": file, "kept": is_kept, "text": text, "pdf": printed, "blanks": left,
    }  # fmt: skip
    return Said(json_of(whole) if as_json else "\n".join(_told(made, text, file, printed, language, is_kept=is_kept)))


def still_blank(left: tuple[str, ...], how: str) -> Text:
    """Say what a letter that is to be noted as sent still leaves blank, and how it is noted all the same."""
    named = "".join(f"【{one}】" for one in left)
    return Text(
        f"信里还有没填的：{named}，没有记成发出。先填好；发之前在纸上填了，或者就是这样发的，加 {how}。",
        f"Still blank in the letter: {named}; it was not noted as sent. Fill it in first; if you did so on paper, or "
        f"sent it as it is, add {how}.",
    )


def _none(made: NoLetter, language: Language, *, as_json: bool) -> Said:
    if as_json:
        return Said(json_of({"error": "no_letter", "why": made.why, "first": made.first}), 1)
    lines = [said_in(made.why, language), *(f"! {said_in(one.text, language)}" for one in made.first)]
    return Said("\n".join(lines), 1)


def _file_of(place: Path, to: To, *, again: bool) -> tuple[str, bool]:
    """Name the file of a letter and tell whether it is there: the newest, or the next one."""
    number = 1
    while (place / _named(to, number + 1)).exists():
        number += 1
    is_there = (place / _named(to, number)).exists()
    if is_there and again:
        return _named(to, number + 1), False
    return _named(to, number), is_there


def _named(to: To, number: int) -> str:
    return f"{folder.LETTERS}/{to.value}{'' if number == 1 else f'-{number}'}.txt"


def _print(place: Path, file: str, text: str, now: datetime) -> str:
    """Print a letter as it stands: its first line is the title."""
    title, _, body = text.partition("\n")
    paper = StoryPaper(
        title=title, subtitle="", running="", before=[PaperSection(title="", said=body.strip())],
        timeline_title="", timeline=[], items_title="", items=[], after=[], foot="",
    )  # fmt: skip
    target = f"{file.removesuffix('.txt')}.pdf"
    folder.write_whole(place / target, [Press().story(paper, at=now)])
    return target


def _with_sent(story: Story, made: Letter, file: str, now: datetime) -> Story:
    one = SentLetter(to=made.to, sent=Moment(now.replace(second=0, microsecond=0)), due=made.due, file=file)
    return msgspec.structs.replace(story, letters=(*story.letters, one))


def _told(made: Letter, text: str, file: str, printed: str | None, language: Language, *, is_kept: bool) -> list[str]:
    zh = language is Language.ZH
    lines = [text.rstrip(), "", "----"]
    lines.append((f"在 {file}" if zh else f"In {file}") + (f"，{printed}" if printed else ""))
    if is_kept:
        lines.append(
            "这份已经在了，没有动它。要重新写一份，加 --again。"
            if zh
            else "This is the one you have; --again writes another."
        )
    if left := blanks_in(text):
        lines.append(("还要自己填：" if zh else "To fill in: ") + "、".join(left))
    return [*lines, *(f"* {one}" for one in made.notes)]
