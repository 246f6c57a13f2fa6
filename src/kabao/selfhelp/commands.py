"""What `kabao selfhelp` does with a folder and prints of it, for people and as JSON; with which exit code."""

from collections.abc import Mapping
from datetime import datetime
from functools import partial
from pathlib import Path
from typing import Any, Final, NamedTuple

import msgspec

from kabao.adjudication.model import Text
from kabao.selfhelp import folder
from kabao.selfhelp.answering import answered
from kabao.selfhelp.assessing import assess
from kabao.selfhelp.book import law_rules
from kabao.selfhelp.calendar import SOURCE_LABELS, deadlines, remaining
from kabao.selfhelp.checklist import checklist, hows
from kabao.selfhelp.ics import ics
from kabao.selfhelp.model import CHINA, Language, Story, To
from kabao.selfhelp.pack import Packed, PackNotMadeError, pack
from kabao.selfhelp.questions import questions
from kabao.selfhelp.results import Assessment, CheckState, Deadline, Question
from kabao.selfhelp.results import Path as Way
from kabao.selfhelp.rules import faults
from kabao.selfhelp.storyfile import UnreadableCaseError
from kabao.selfhelp.words import ADDRESSEES, PATHS, STRENGTHS

DONE, REFUSED, UNREADABLE = 0, 1, 2
MOST_DAYS: Final = 5


class Said(NamedTuple):
    """What to print, and how to end."""

    text: str
    code: int = DONE


class Rung(NamedTuple):
    """The next letter to write, or until when to wait for an answer to the last."""

    to: To | None
    wait_until: datetime | None


def new_command(place: Path, source: Path | None, now: datetime, language: Language, *, as_json: bool) -> Said:
    """Make the folder of a new case, empty or from a file that tells a story already."""
    try:
        given: dict[str, Any] = {
            "case_id": folder.new_case_id(),
            "created_at": now.replace(microsecond=0),
            "language": language,
        }
        if source is None:
            story = Story(**given)
            folder.make(place, story)
        else:
            story = folder.load(source.parent, source.name, given)
            folder.make(place, story, source=source.parent)
    except UnreadableCaseError as error:
        return unreadable(error, language, as_json=as_json)
    except FileExistsError:
        said = Text(f"{place} 里已经有东西了，没有动它", f"{place} is not empty and was left as it was")
        return refused("folder_not_empty", said, language, as_json=as_json)
    except OSError as error:
        return refused("cannot_read", Text(str(error.strerror), str(error.strerror)), language, as_json=as_json)
    if as_json:
        return Said(json_of({"case_id": story.case_id, "folder": str(place)}))
    zh = f"已建好：{place}\n把材料放进去，再运行 kabao selfhelp next {place}"
    return Said(said_in(Text(zh, f"Made: {place}\nPut in what you have, then kabao selfhelp next {place}"), language))


def next_command(place: Path, answers: tuple[str, ...], now: datetime, *, as_json: bool) -> Said:
    """Take in what was dropped and answered, and say what comes next."""
    language = Language.ZH
    try:
        story = folder.load(place)
        language = story.language
        stock = folder.take_stock(place, story, now)
        story = stock.story
        for one in answers:
            field, _, value = one.partition("=")
            story = answered(story, field.strip(), value.strip())
        folder.save(place, story)
        doubted = faults(story, now)
        where = folder.placed(place, (one for fault in doubted for one in fault.places))
    except UnreadableCaseError as error:
        return unreadable(error, language, as_json=as_json)
    except OSError as error:
        return no_case(place, error, language, as_json=as_json)
    rules = law_rules()
    found = assess(story, rules, now)
    open_now = questions(story, rules, now)
    days = deadlines(story, now)
    ready = checklist(story, found)
    if as_json:
        rung = next_rung(story, found, now)
        return Said(
            json_of(
                {
                    "case_id": story.case_id,
                    "path": _way(found, open_now),
                    "first": found.first,
                    "questions": open_now,
                    "faults": doubted,
                    "where": where,
                    "added": stock.added,
                    "changed": stock.changed,
                    "plainly": found.plainly,
                    "asks": found.asks,
                    "offer": found.offer,
                    "wanted": found.wanted,
                    "risks": found.risks,
                    "terms": found.terms,
                    "letters": found.letters,
                    "next_letter": rung.to,
                    "wait_until": rung.wait_until,
                    "deadlines": days,
                    "checklist": ready,
                    "hows": hows(ready),
                    "unverified": found.unverified,
                }
            )
        )
    return Said("\n".join(_told(story, found, open_now, stock, days, now, where)))


def calendar_command(place: Path, target: Path, now: datetime, *, as_json: bool) -> Said:
    """Write the days that matter as a calendar file."""
    try:
        story = folder.load(place)
        days = deadlines(story, now)
        folder.write_whole(target, [ics(story, days, now, story.language)])
    except UnreadableCaseError as error:
        return unreadable(error, Language.ZH, as_json=as_json)
    except OSError as error:
        return no_case(place, error, Language.ZH, as_json=as_json)
    if as_json:
        return Said(json_of({"file": str(target), "deadlines": days}))
    written = said_in(Text(f"已写好：{target}", f"Written: {target}"), story.language)
    return Said("\n".join([*_days(days, now, story.language), written]))


def pack_command(place: Path, target: Path, now: datetime, *, as_json: bool) -> Said:
    """Take in what was dropped, then write the case as an evidence pack, signed by the folder's own key."""
    language = Language.ZH
    try:
        story = folder.load(place)
        language = story.language
        stock = folder.take_stock(place, story, now)
        folder.save(place, stock.story)
        found = assess(stock.story, law_rules(), now)
        packed = pack(stock.story, found, partial(folder.inside, place), folder.seed_of(place), target, now)
    except UnreadableCaseError as error:
        return unreadable(error, language, as_json=as_json)
    except PackNotMadeError as error:
        return refused(error.code, error.text, language, as_json=as_json)
    except OSError as error:
        return no_case(place, error, language, as_json=as_json)
    if as_json:
        return Said(json_of({"file": str(target), "added": stock.added, **packed._asdict()}))
    return Said("\n".join(said_in(one, language) for one in _packed(target, stock, packed)))


def _packed(target: Path, stock: folder.Stock, packed: Packed) -> list[Text]:
    whole, prints = len(packed.originals), len(packed.fingerprints)
    lines = [Text(f"已收进：{one}", f"Taken in: {one}") for one in stock.added]
    lines += [
        Text(f"已打包：{target}", f"Packed: {target}"),
        Text(
            f"证据原件 {whole} 件，只有指纹或遮过的 {prints} 件",
            f"{whole} originals, {prints} blacked out or by fingerprint alone",
        ),
    ]
    if whole:
        said = (
            "图片、录屏里的卡密遮不住，交出去以前自己看一遍。",
            "Keys in pictures stay visible: look before you hand it out.",
        )
        lines.append(Text(*said))
    if prints:
        said = (
            "要放原件，在 case.yaml 那一项写 include: yes。",
            "To put an original in, write include: yes at it in case.yaml.",
        )
        lines.append(Text(*said))
    lines += [
        Text(f"签名钥匙：{packed.key}", f"Signed by: {packed.key}"),
        Text(f"核对：kabao evidence verify {target}", f"To check: kabao evidence verify {target}"),
    ]
    return lines


def next_rung(story: Story, found: Assessment, now: datetime) -> Rung:
    """Say which letter comes next: the first not sent yet, once the time of the last one is over or it was answered."""
    sent = {one.to for one in story.letters}
    waiting = [one.due.at for one in story.letters if one.due and one.answered is None and one.due.at > now]
    if story.ending or any(one.settled for one in story.letters):
        return Rung(None, None)
    if waiting:
        return Rung(None, max(waiting))
    return Rung(next((to for to in found.letters if to not in sent), None), None)


def said_in(text: Text, language: Language) -> str:
    """Return the words in the language of the case."""
    return text.zh if language is Language.ZH else text.en


def unreadable(error: UnreadableCaseError, language: Language, *, as_json: bool) -> Said:
    """Name every mistake by file and line."""
    if as_json:
        return Said(json_of({"error": "unreadable", "wrong": error.wrongs}), UNREADABLE)
    lines = [f"{one.file}:{one.line}: " * bool(one.file) + said_in(one.text, language) for one in error.wrongs]
    return Said("\n".join(lines), UNREADABLE)


def refused(code: str, text: Text, language: Language, *, as_json: bool) -> Said:
    """Say why nothing was done."""
    return Said(json_of({"error": code, "text": text}) if as_json else said_in(text, language), REFUSED)


def no_case(place: Path, error: OSError, language: Language, *, as_json: bool) -> Said:
    """Say that there is no case here, or why its files cannot be had."""
    if folder.is_case(place):
        text = Text(f"{error.filename}：{error.strerror}", f"{error.filename}: {error.strerror}")
        return refused("cannot_read", text, language, as_json=as_json)
    text = Text(
        f"{place} 里没有 {folder.CASE}。先运行 kabao selfhelp new {place}",
        f"{place} has no {folder.CASE}. Begin with kabao selfhelp new {place}",
    )
    return refused("no_case", text, language, as_json=as_json)


def json_of(value: Any) -> str:
    """Write a value as one JSON object."""
    return msgspec.json.encode(value).decode()


def _told(
    story: Story,
    found: Assessment,
    open_now: tuple[Question, ...],
    stock: folder.Stock,
    days: tuple[Deadline, ...],
    now: datetime,
    where: Mapping[str, str],
) -> list[str]:
    def say(zh: str, en: str) -> str:
        return zh if story.language is Language.ZH else en

    def words(text: Text) -> str:
        return said_in(text, story.language)

    lines = [say(f"已收进：{one}", f"Taken in: {one}") for one in stock.added]
    lines += [
        say(f"注意：{one} 和取指纹时不一样了", f"{one} is not what its fingerprint says") for one in stock.changed
    ]
    way = _way(found, open_now)
    lines += [words(PATHS[way]), *(f"! {words(step.text)}\n  {words(step.why)}" for step in found.first)]
    lines += [words(one) for one in found.plainly if way is not Way.INCOMPLETE]
    for one in open_now[:1]:
        at = f"{where[one.field]}: " if one.field in where else ""
        lines += ["", *([at + words(one.again)] if one.again else []), words(one.text), f"  {words(one.why)}"]
        lines += [f"  {choice.value:22} {words(choice.text)}" for choice in one.choices]
        lines.append(say("回答：", "Answer: ") + f"kabao selfhelp next DIR --answer {one.field}=…")
    if not open_now:
        lines += [f"- {words(ask.text)}（{words(STRENGTHS[ask.strength])}）" for ask in found.asks]
        lines += [words(found.offer.text)] if found.offer else []
        lines += [say(f"还缺能证明的：{words(one.text)}", f"To be shown: {words(one.text)}") for one in found.wanted]
        missing = [words(one.title) for one in checklist(story, found) if one.state is CheckState.MISSING]
        lines += [say(f"还没留的证据：{one}", f"Not kept yet: {one}") for one in missing]
        if story.chats and not any(event.source for event in story.events):
            lines.append(
                say("聊天里要写进信的话：kabao selfhelp chat DIR", "Words of the chat: kabao selfhelp chat DIR")
            )
    if not open_now or found.letters:
        rung = next_rung(story, found, now)
        if rung.to is not None:
            whom = words(ADDRESSEES[rung.to])
            lines.append(say(f"下一步：写信给{whom}", f"Next: a letter to {whom}"))
        elif rung.wait_until is not None:
            until = f"{rung.wait_until.astimezone(CHINA):%Y-%m-%d %H:%M}"
            lines.append(say(f"等对方回复，到 {until}", f"Wait for the answer until {until}"))
    if found.path is not Way.FRAUD:
        lines += _days(days, now, story.language)
    return lines


def _way(found: Assessment, open_now: tuple[Question, ...]) -> Way:
    """Say which way the case goes; nothing is concluded while a question is open that could turn it."""
    return Way.INCOMPLETE if open_now and found.path not in {Way.FRAUD, Way.UNLAWFUL} else found.path


def _days(days: tuple[Deadline, ...], now: datetime, language: Language) -> list[str]:
    ahead = [one for one in days if one.at >= now][:MOST_DAYS]
    return [
        f"{one.at.astimezone(CHINA):%Y-%m-%d %H:%M}  {said_in(one.title, language)}（{remaining(one, now, language)}，"
        f"{said_in(SOURCE_LABELS[one.source], language)}）"
        for one in ahead
    ]
