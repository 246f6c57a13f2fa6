"""A case in a plain folder: ``case.yaml`` beside the files it names. The only part of self-help that touches a disk.

Every file is written beside its place, made durable, then renamed; nothing outside the folder is read, and no link is
followed. What cannot be read is told of with its file and line, all of it at once, and nothing is written then.
"""

import hashlib
import mimetypes
import os
import re
import secrets
import stat
from collections.abc import Iterable, Iterator, Mapping
from datetime import datetime
from functools import partial
from pathlib import Path, PurePosixPath
from typing import Any, Final, NamedTuple, TypeVar

import msgspec

from kabao.adjudication.model import Text
from kabao.adjudication.yamlread import MAX_BYTES
from kabao.selfhelp.book import names
from kabao.selfhelp.model import CHINA, ChatText, EvidenceItem, Kind, Language, Side, Story, TermsKind, TermsText
from kabao.selfhelp.storyfile import UnreadableCaseError, Wrong, lines_of, read_story, write_story
from kabao.terms.reading import UnreadableError, decode, read_file

CASE: Final = "case.yaml"
CHATS, TERMS, EVIDENCE, LETTERS = "chat", "terms", "evidence", "letters"
FOLDERS: Final = (CHATS, TERMS, EVIDENCE, LETTERS)
SEED: Final = "signer.key"
SEED_SIZE: Final = 32

LARGEST_TEXT: Final = 5 * 1024 * 1024
LARGEST_ITEM: Final = 2 * 1024**3
MOST_FILES: Final = 200
CHUNK: Final = 1 << 20
SHORTEST_SECRET: Final = 4

HEAD: Final = {
    Language.ZH: "# 这份文件可以直接改，写在 # 后面的话会留着。时间写 2026-11-14 20:51，金额写 268.00。\n"
    "# 聊天记录放进 chat/，规则和商品页放进 terms/，截图和录屏放进 evidence/，再运行 kabao selfhelp next。\n",
    Language.EN: "# Edit this file as you like; words after # stay. Write times as 2026-11-14 20:51, sums as 268.00.\n"
    "# Put chats into chat/, terms and pages into terms/, pictures into evidence/; then run kabao selfhelp next.\n",
}


class Stock(NamedTuple):
    """What stands in the folder: the story with new files taken in, which these are, and which differ by now."""

    story: Story
    added: tuple[str, ...]
    changed: tuple[str, ...]
    """Items of evidence whose content is no longer what its fingerprint says."""


def new_case_id() -> str:
    """Return a name for a case that nobody else's has."""
    return secrets.token_hex(6)


def is_case(folder: Path) -> bool:
    """Tell whether a folder holds a case."""
    return (folder / CASE).is_file()


def make(folder: Path, story: Story, *, source: Path | None = None) -> None:
    """Make the folder of a new case; files that the story names come from below `source`.

    Raises FileExistsError where the folder holds anything, UnreadableCaseError for a file that cannot be had.
    """
    if folder.exists() and any(folder.iterdir()):
        raise FileExistsError(folder)
    named = _files(story)
    found = [] if source is None else [inside(source, file) for file in named]
    for part in FOLDERS:
        (folder / part).mkdir(parents=True, exist_ok=True)
    for file, origin in zip(named, found, strict=bool(found)):
        target = folder / file
        target.parent.mkdir(parents=True, exist_ok=True)
        with origin.open("rb") as opened:
            write_whole(target, iter(partial(opened.read, CHUNK), b""))
    write_whole(folder / CASE, [HEAD[story.language].encode() + write_story(story, None)])


def load(folder: Path, file: str = CASE, given: Mapping[str, Any] | None = None) -> Story:
    """Read a case with the texts it names; `given` holds where it says nothing.

    Raises UnreadableCaseError, FileNotFoundError where there is none.
    """
    with (folder / file).open("rb") as opened:
        raw = opened.read(MAX_BYTES + 1)
    story = read_story(raw, file, names(), given)
    wrongs: list[Wrong] = []
    chats = tuple(_with_text(one, folder, raw, file, wrongs) for one in story.chats)
    terms = tuple(_with_text(one, folder, raw, file, wrongs) for one in story.terms)
    for item in story.evidence:
        try:
            inside(folder, item.file)
        except UnreadableCaseError as error:
            wrongs.extend(_at(raw, file, f"file: {item.file}", one.text) for one in error.wrongs)
    if len(chats) + len(terms) + len(story.evidence) > MOST_FILES:
        wrongs.append(Wrong(file, 1, Text(f"最多 {MOST_FILES} 个文件", f"at most {MOST_FILES} files")))
    for secret in story.secrets:
        if len(secret) < SHORTEST_SECRET:
            text = f"卡密、密码至少 {SHORTEST_SECRET} 个字符，太短的遮不住", "a secret this short cannot be blacked out"
            wrongs.append(_at(raw, file, "secrets", Text(*text)))
    if wrongs:
        raise UnreadableCaseError(tuple(sorted(wrongs, key=lambda one: one.line)))
    return msgspec.structs.replace(story, chats=chats, terms=terms)


def placed(folder: Path, places: Iterable[str]) -> dict[str, str]:
    """Say where in a case's file fields of the story stand: file and line, for those that stand there."""
    return {place: f"{CASE}:{line}" for place, line in lines_of((folder / CASE).read_bytes(), places).items()}


def save(folder: Path, story: Story) -> None:
    """Write ``case.yaml`` anew where something differs; comments survive."""
    before = (folder / CASE).read_bytes()
    after = write_story(story, before)
    if after != before:
        write_whole(folder / CASE, [after])


def take_stock(folder: Path, story: Story, now: datetime) -> Stock:
    """Take in files that were dropped into the folder, and take fingerprints; nothing is written.

    Raises UnreadableCaseError for a file that cannot be taken in.
    """
    known = set(_files(story))
    chats, terms, items = list(story.chats), list(story.terms), []
    added: list[str] = []
    changed: list[str] = []
    for item in story.evidence:
        size, digest = _fingerprint(inside(folder, item.file))
        if item.sha256 and item.sha256 != digest:
            changed.append(item.file)
        items.append(item if item.sha256 else _fixed(item, size, digest, now))
    for part in (CHATS, TERMS, EVIDENCE):
        for file in _dropped(folder, part):
            if file in known:
                continue
            added.append(file)
            if len(known) + len(added) > MOST_FILES:
                raise _wrong(file, f"最多 {MOST_FILES} 个文件", f"at most {MOST_FILES} files")
            if part == EVIDENCE:
                size, digest = _fingerprint(inside(folder, file))
                items.append(_fixed(EvidenceItem(file=file, kind=_kind_of(file)), size, digest, now))
            elif part == CHATS:
                text = _chat_text(inside(folder, file), file)
                chats.append(ChatText(file=file, text=text, seen=now.astimezone(CHINA).date()))
            else:
                text = _terms_text(inside(folder, file), file)
                terms.append(TermsText(file=file, of=Side.MERCHANT, kind=TermsKind.NOTICE, text=text))
    taken = msgspec.structs.replace(story, chats=tuple(chats), terms=tuple(terms), evidence=tuple(items))
    return Stock(taken, tuple(added), tuple(changed))


def seed_of(folder: Path) -> bytes:
    """Return the seed that signs this folder's packs; made at first use, readable by its owner alone."""
    place = folder / SEED
    if not place.exists():
        write_whole(place, [secrets.token_bytes(SEED_SIZE)])
    if place.is_symlink() or len(seed := place.read_bytes()) != SEED_SIZE:
        raise _wrong(SEED, "签名钥匙坏了，删掉它会重新做一把", "the signing key is broken; delete it for a new one")
    return seed


def part_of(folder: Path, part: str) -> Path:
    """Return a part of the folder to write into, made where it is missing. Raises UnreadableCaseError for a link."""
    place = folder / part
    if place.is_symlink():
        raise _wrong(part, f"{part} 是链接，不写", f"{part} is a link and is not written into")
    place.mkdir(exist_ok=True)
    return place


def write_whole(target: Path, chunks: Iterable[bytes]) -> None:
    """Write a file whole or not at all, readable by its owner alone."""
    part = target.with_name(f".{target.name}.{secrets.token_hex(8)}.part")
    try:
        with os.fdopen(os.open(part, os.O_WRONLY | os.O_CREAT | os.O_EXCL | os.O_CLOEXEC, 0o600), "wb") as opened:
            opened.writelines(chunks)
            opened.flush()
            os.fsync(opened.fileno())
        part.replace(target)
    except BaseException:
        part.unlink(missing_ok=True)
        raise


T = TypeVar("T", ChatText, TermsText)


# ---- files


def _files(story: Story) -> list[str]:
    return [
        *(one.file for one in story.chats),
        *(one.file for one in story.terms),
        *(one.file for one in story.evidence),
    ]


def inside(folder: Path, file: str) -> Path:
    """Find a file below the folder. Raises UnreadableCaseError for one that is elsewhere, a link, or not there."""
    pure = PurePosixPath(file)
    if pure.is_absolute() or ".." in pure.parts or not pure.parts or "\0" in file or "\\" in file:
        raise _wrong(file, "文件要在这个文件夹里面，写相对路径", "a file lies inside the folder, by its relative path")
    place = folder
    for part in pure.parts:
        place = place / part
        try:
            mode = place.lstat().st_mode
        except OSError:
            raise _wrong(file, f"没有这个文件：{file}", f"there is no file {file}") from None
        if stat.S_ISLNK(mode):
            raise _wrong(file, f"{file} 是链接，不读", f"{file} is a link and is not followed")
    if not stat.S_ISREG(mode):
        raise _wrong(file, f"{file} 不是文件", f"{file} is no file")
    return place


def _wrong(file: str, zh: str, en: str) -> UnreadableCaseError:
    return UnreadableCaseError((Wrong(file, 1, Text(zh, en)),))


def _at(raw: bytes, case: str, named: str, text: Text) -> Wrong:
    """Place what is wrong at the line that names it."""
    lines = raw.decode("utf-8-sig", "replace").splitlines()
    naming = (number for number, line in enumerate(lines, 1) if named in line and not line.lstrip().startswith("#"))
    return Wrong(case, next(naming, 1), text)


def _with_text(one: T, folder: Path, raw: bytes, case: str, wrongs: list[Wrong]) -> T:
    try:
        place = inside(folder, one.file)
        read = _chat_text if isinstance(one, ChatText) else _terms_text
        return msgspec.structs.replace(one, text=read(place, one.file))
    except UnreadableCaseError as error:
        wrongs.extend(_at(raw, case, f"file: {one.file}", wrong.text) for wrong in error.wrongs)
        return one


def _bytes(place: Path, file: str) -> bytes:
    with place.open("rb") as opened:
        content = opened.read(LARGEST_TEXT + 1)
    if len(content) > LARGEST_TEXT:
        raise _wrong(file, f"{file} 超过 5 MB，请分成几份", f"{file} is larger than 5 MB; split it")
    return content


def _chat_text(place: Path, file: str) -> str:
    try:
        return decode(_bytes(place, file))
    except UnreadableError as error:
        raise _wrong(file, f"{file}：{error}", f"{file} cannot be read as text") from None


def _terms_text(place: Path, file: str) -> str:
    try:
        return read_file(_bytes(place, file), place.name).text
    except UnreadableError as error:
        raise _wrong(file, f"{file}：{error}", f"{file} cannot be read") from None


def _dropped(folder: Path, part: str) -> Iterator[str]:
    place = folder / part
    if place.is_symlink() or not place.is_dir():
        return
    for found in sorted(place.iterdir()):
        if not found.name.startswith(".") and found.is_file() and not found.is_symlink():
            yield f"{part}/{found.name}"


def _fingerprint(place: Path) -> tuple[int, str]:
    digest, size = hashlib.sha256(), 0
    with place.open("rb") as opened:
        while chunk := opened.read(CHUNK):
            size += len(chunk)
            if size > LARGEST_ITEM:
                raise _wrong(place.name, f"{place.name} 超过 2 GB", f"{place.name} is larger than 2 GB")
            digest.update(chunk)
    return size, digest.hexdigest()


def _fixed(item: EvidenceItem, size: int, digest: str, now: datetime) -> EvidenceItem:
    guessed, _ = mimetypes.guess_type(item.file)
    return msgspec.structs.replace(
        item,
        sha256=digest,
        size=size,
        media_type=guessed or "application/octet-stream",
        added_at=now.astimezone(CHINA).replace(microsecond=0),
    )


def _kind_of(file: str) -> Kind:
    """Guess what a dropped file is; the person may say better."""
    guessed, _ = mimetypes.guess_type(file)
    if (guessed or "").startswith(("video/", "audio/")):
        return Kind.RECORDING
    if re.search(r"(?i)chat|聊天|对话", file):
        return Kind.CHAT_RECORD
    if re.search(r"(?i)order|订单", file):
        return Kind.ORDER_RECORD
    if re.search(r"(?i)pay|付款|支付|账单", file):
        return Kind.PAYMENT_RECORD
    return Kind.SCREENSHOT
