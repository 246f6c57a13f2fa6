"""How far a case is, what a change keeps, when its days are told and in which words; without I/O."""

from collections.abc import Collection, Iterable, Mapping
from datetime import datetime, timedelta
from typing import Final

import msgspec

from kabao.helpcases.model import (
    ACCOUNT_BYTES,
    CASE_BYTES,
    LARGEST_FILE,
    MOST_FILES,
    CaseState,
    Edited,
    HelpState,
    SavedCase,
)
from kabao.kernel import Refusal, Refused
from kabao.selfhelp import CHINA, Deadline, DueSource, Ending, EvidenceItem, Moment, SentLetter, Story, To

DAY: Final = timedelta(days=1)
HOUR: Final = timedelta(hours=1)
SOON: Final = timedelta(hours=3)
LAST_HOURS: Final = 48
"""Up to so many hours the time that is left is told in hours."""
MORNING: Final = 9
"""The hour, in China, at which a day is told that counts as a whole."""
MONTH: Final = timedelta(days=30)
FAR: Final = timedelta(days=60)
"""Days that were further off than this are told a month before as well."""
_OF_RULES: Final = {
    DueSource.PLATFORM_RULE: "平台规则里的期限",
    DueSource.MERCHANT_RULE: "商家规则里的期限",
    DueSource.CHANNEL_RULE: "支付渠道规则里的期限",
}
"""What a notice calls a time whose words the person entered, so that nothing told stands outside the case."""


def state_of(story: Story) -> CaseState:
    """Say how far a case is."""
    if story.ending is not None:
        return CaseState.CLOSED
    return CaseState.ONGOING if story.letters else CaseState.DRAFT


def fresh(carried: HelpState, seed: bytes) -> SavedCase:
    """Make a new case of what a page carries; what belongs to a case saved before stays with that one."""
    story = carried.story
    letters = tuple(msgspec.structs.replace(one, file="") for one in story.letters)
    story = msgspec.structs.replace(story, evidence=(), letters=letters)
    return SavedCase(state=msgspec.structs.replace(carried, story=story, saved=None), seed=seed)


def rewritten(held: SavedCase, carried: HelpState) -> SavedCase:
    """Take what the steps of the form hold; what is added beside them stays as it is saved."""
    kept = held.state.story
    story = msgspec.structs.replace(
        carried.story, case_id=kept.case_id, created_at=kept.created_at, evidence=kept.evidence, letters=kept.letters,
        ending=kept.ending,
    )  # fmt: skip
    return msgspec.structs.replace(held, state=msgspec.structs.replace(carried, story=story, saved=None))


def with_item(held: SavedCase, item: EvidenceItem, file_id: int) -> SavedCase:
    """Add an item of evidence with its file."""
    story = held.state.story
    return _with_story(
        msgspec.structs.replace(held, files={**held.files, item.file: file_id}),
        msgspec.structs.replace(story, evidence=(*story.evidence, item)),
    )


def without_item(held: SavedCase, file_id: int) -> SavedCase | None:
    """Take an item of evidence out; None where there is none with this file."""
    named = next((file for file, number in held.files.items() if number == file_id), None)
    if named is None:
        return None
    story = held.state.story
    return _with_story(
        msgspec.structs.replace(held, files={file: number for file, number in held.files.items() if file != named}),
        msgspec.structs.replace(story, evidence=tuple(one for one in story.evidence if one.file != named)),
    )


def described(held: SavedCase, file_id: int, *, shows: Collection[str], include: bool) -> SavedCase | None:
    """Say anew what an item shows and whether its original goes into the pack; None where there is no such item."""
    named = next((file for file, number in held.files.items() if number == file_id), None)
    if named is None:
        return None
    story = held.state.story
    items = tuple(
        msgspec.structs.replace(one, shows=tuple(shows), include=include) if one.file == named else one
        for one in story.evidence
    )
    return _with_story(held, msgspec.structs.replace(story, evidence=items))


def with_letter(held: SavedCase, to: To, sent: Moment, due: Moment | None, text: str) -> SavedCase:
    """Note a letter as sent, with its text as it was; a changed one is no draft any more."""
    story = held.state.story
    file = letter_name(to, held.sent)
    letters = (*story.letters, SentLetter(to=to, sent=sent, due=due, file=file))
    edited = tuple(one for one in held.state.edited if one.to is not to)
    changed = msgspec.structs.replace(
        held, sent={**held.sent, file: text}, state=msgspec.structs.replace(held.state, edited=edited)
    )
    return _with_story(changed, msgspec.structs.replace(story, letters=letters))


def with_answer(held: SavedCase, number: int, at: Moment, answer: str, *, settled: bool) -> SavedCase | None:
    """Note what was answered to a letter (from 1); None where there is no such letter."""
    story = held.state.story
    if not 0 < number <= len(story.letters):
        return None
    letters = list(story.letters)
    letters[number - 1] = msgspec.structs.replace(letters[number - 1], answered=at, answer=answer, settled=settled)
    return _with_story(held, msgspec.structs.replace(story, letters=tuple(letters)))


def ended(held: SavedCase, ending: Ending | None) -> SavedCase:
    """Close a case, or open it again."""
    return _with_story(held, msgspec.structs.replace(held.state.story, ending=ending))


def letter_name(to: To, taken: Mapping[str, str]) -> str:
    """Name the next letter to somebody as the folder does."""
    number = 1
    while (name := f"letters/{to.value}{'' if number == 1 else f'-{number}'}.txt") in taken:
        number += 1
    return name


def drafts(edited: Iterable[Edited], taken: Mapping[str, str]) -> dict[str, Edited]:
    """Name the letters that were changed and not sent; the newest language of each addressee's."""
    named: dict[str, Edited] = {}
    for one in edited:
        named[letter_name(one.to, taken)] = one
    return named


def file_name(name: str, taken: Collection[str]) -> str:
    """Name a file of the folder's evidence as nothing there is named."""
    stem, dot, ending = name.rpartition(".")
    stem, ending = (stem, dot + ending) if stem else (name, "")
    number, found = 1, f"evidence/{name}"
    while found.casefold() in {one.casefold() for one in taken}:
        number += 1
        found = f"evidence/{stem}-{number}{ending}"
    return found


def why_no_room(*, size: int, files: int, case_bytes: int, account_bytes: int) -> Refused | None:
    """Say whether a file has room: of the case, and of the person."""
    if (
        size > LARGEST_FILE
        or files >= MOST_FILES
        or case_bytes + size > CASE_BYTES
        or account_bytes + size > ACCOUNT_BYTES
    ):
        return Refused(Refusal.HELP_FILES_FULL)
    return None


# ---- days


def moments(due: Deadline, made_at: datetime) -> list[datetime]:
    """Say when a day is told: in the morning of the day before, or a day and three hours before where the hour counts.

    One that was far off when the case was saved is told a month before too, and the end of the time that a letter gave
    as it comes, since then the next step is open.
    """
    if due.source is DueSource.ADVICE:
        return []
    if due.all_day:
        morning = due.at.astimezone(CHINA).replace(hour=MORNING, minute=0, second=0)
        return [morning - MONTH, morning - DAY] if due.at - made_at > FAR else [morning - DAY]
    return [due.at - DAY, due.at - SOON, *([due.at] if due.source is DueSource.OWN_LETTER else [])]


def next_reminder(days: Iterable[Deadline], made_at: datetime, after: datetime) -> datetime | None:
    """Say when the next day of a case is told; None where none is left."""
    return min((at for day in days for at in moments(day, made_at) if at > after), default=None)


def due_now(days: Iterable[Deadline], made_at: datetime, since: datetime, now: datetime) -> list[Deadline]:
    """List the days that are told now: their moment came since; of those that have passed, the ends of letters."""
    return [
        day
        for day in days
        if any(since <= at <= now and (day.at > now or at == day.at) for at in moments(day, made_at))
    ]


def reminder_subject(day: Deadline, now: datetime) -> str:
    """Say which day comes and when; nothing that the person told stands in it."""
    local = day.at.astimezone(CHINA)
    what = f"我的维权：{_OF_RULES.get(day.source, day.title.zh)}"
    if day.at <= now:
        return f"{what}。没有答复的，可以走下一步；有了答复，记一笔"
    when = f"{local.month} 月 {local.day} 日" + ("" if day.all_day else f" {local:%H:%M}")
    days, hours = (local.date() - now.astimezone(CHINA).date()).days, max(round((day.at - now) / HOUR), 1)
    return f"{what}，{when}，还剩 {f'{days} 天' if day.all_day or hours > LAST_HOURS else f'{hours} 小时'}"


def _with_story(held: SavedCase, story: Story) -> SavedCase:
    return msgspec.structs.replace(held, state=msgspec.structs.replace(held.state, story=story))
