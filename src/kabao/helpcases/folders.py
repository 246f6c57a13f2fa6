"""A saved case as the folder of `kabao selfhelp`, and such a folder, zipped, as a case: read with limits, whole or not.

Everything here runs in a thread and knows no database.
"""

import os
import secrets
import stat
import struct
import zipfile
import zlib
from collections.abc import Iterator
from datetime import datetime
from functools import partial
from pathlib import Path, PurePosixPath
from typing import BinaryIO, Final, NamedTuple

import msgspec

from kabao.adjudication.model import Text
from kabao.evidence.blobs import FileSource
from kabao.evidence.kinds import know
from kabao.evidence.rules import clean_file_name
from kabao.helpcases import rules
from kabao.helpcases.model import CASE_BYTES, LARGEST_FILE, MIB, MOST_FILES, CaseView, Edited, HelpState, SavedCase
from kabao.kernel import Refused
from kabao.selfhelp import EvidenceItem, Letter, SentLetter, Story, To, folder
from kabao.selfhelp.assessing import assess
from kabao.selfhelp.book import law_rules
from kabao.selfhelp.chatfacts import moved
from kabao.selfhelp.folder import CASE, FOLDERS, HEAD, LETTERS, SEED, SEED_SIZE
from kabao.selfhelp.letters import letter
from kabao.selfhelp.pack import Packed, pack
from kabao.selfhelp.storyfile import UnreadableCaseError, Wrong, write_story

MOST_ENTRIES: Final = 300
"""Entries of a zipped folder, folders among them."""
MOST_BYTES: Final = CASE_BYTES + 16 * MIB
"""Bytes of a folder in all, unpacked."""
DEEPEST: Final = 4
LONGEST_LETTER: Final = 12_000
"""Characters of a letter as a person changed it."""
LAST_STEP: Final = 8
"""A case that was brought has been through every step."""
_ENCRYPTED: Final = 0x1
_UTF8: Final = 0x800
_PIECE: Final = 1 << 18
_END: Final = struct.Struct("<4s4H2LH")
_END_SIGN: Final = b"PK\5\6"
_LONGEST_COMMENT: Final = 0xFFFF
_LOCATOR: Final = 20
_LOCATOR_SIGN: Final = b"PK\6\7"
KIB: Final = 1024
"""Bytes of a directory for each entry: its name, and what systems note beside it."""
_IGNORED: Final = frozenset({"__MACOSX", "Thumbs.db", "desktop.ini"})


class Brought(NamedTuple):
    """A case out of a folder, without its files, and the items whose files lie below the place it was unpacked to."""

    case: SavedCase
    items: tuple[EvidenceItem, ...]


# ---- out


def texts_of(case: SavedCase, now: datetime) -> dict[str, bytes]:
    """Give the files of a case's folder but evidence and key: the story, chats, terms, letters sent and changed."""
    story = case.state.story
    files = {CASE: HEAD[story.language].encode() + write_story(story, None)}
    files |= {one.file: one.text.encode() for one in story.chats}
    files |= {one.file: one.text.encode() for one in story.terms}
    files |= {name: text.encode() for name, text in case.sent.items()}
    for name, one in rules.drafts(case.state.edited, case.sent).items():
        files[name] = f"{_title(story, one, now)}\n\n{one.body}\n".encode()
    return files


def _title(story: Story, edited: Edited, now: datetime) -> str:
    made = letter(story, assess(story, law_rules(), now), edited.to, edited.language, now)
    return made.title if isinstance(made, Letter) else edited.to.value


def write_folder(place: Path, case: SavedCase, now: datetime) -> None:
    """Write a case's folder but its evidence below an empty place."""
    for part in FOLDERS:
        (place / part).mkdir()
    for name, content in texts_of(case, now).items():
        (place / name).write_bytes(content)
    (place / SEED).touch(mode=0o600)
    (place / SEED).write_bytes(case.seed)


def zip_folder(view: CaseView, place: Path, target: Path, now: datetime) -> None:
    """Zip a laid out folder; what is compressed already is stored as it is."""
    del view, now
    with zipfile.ZipFile(target, "w", zipfile.ZIP_DEFLATED) as archive:
        for found in sorted(place.rglob("*")):
            if found.is_file() and found != target:
                name = found.relative_to(place).as_posix()
                kept = zipfile.ZIP_STORED if name.startswith("evidence/") else zipfile.ZIP_DEFLATED
                archive.write(found, name, kept)


def pack_folder(view: CaseView, place: Path, target: Path, now: datetime) -> Packed:
    """Pack a laid out folder as `kabao selfhelp pack` does; raises PackNotMadeError."""
    found = assess(view.story, law_rules(), now)
    return pack(view.story, found, partial(folder.inside, place), view.case.seed, target, now)


# ---- in


def read_folder(archive: BinaryIO, place: Path, now: datetime) -> Brought:
    """Unpack a zipped folder below an empty place and read it; raises UnreadableCaseError with all that is wrong."""
    try:
        _unpack(archive, place)
    except (zipfile.BadZipFile, zlib.error, EOFError, UnicodeError, OSError) as error:
        raise _wrong("", "这个文件不是完整的 zip，打不开", "this is no whole zip file") from error
    story = folder.load(place)
    stock = folder.take_stock(place, story, now)
    if stock.changed:
        raise UnreadableCaseError(
            tuple(
                Wrong(one, 1, Text("和取指纹时不一样了", "is not what its fingerprint says")) for one in stock.changed
            )
        )
    story, sent = _letters(place, stock.story)
    items = _items(place, story)
    drafts = tuple(_drafts(place, story, stock.story))
    seed = folder.seed_of(place) if (place / SEED).exists() else secrets.token_bytes(SEED_SIZE)
    places = {one.file: f"chat/{number}.txt" for number, one in enumerate(story.chats, 1)}
    plain = msgspec.structs.replace(
        moved(story, places),
        evidence=(),
        chats=tuple(msgspec.structs.replace(one, file=places[one.file]) for one in story.chats),
        terms=tuple(
            msgspec.structs.replace(one, file=f"terms/{number}.txt") for number, one in enumerate(story.terms, 1)
        ),
    )
    return Brought(
        SavedCase(state=HelpState(story=plain, edited=drafts, reached=LAST_STEP), seed=seed, sent=sent), items
    )


def _unpack(archive: BinaryIO, place: Path) -> None:
    """Write the files of an archive, those of its only folder where everything is in one."""
    if not _is_small(archive):
        raise _wrong("", f"文件太多，最多 {MOST_ENTRIES} 个", f"there are more than {MOST_ENTRIES} entries")
    with zipfile.ZipFile(archive) as opened:
        entries = opened.infolist()
        if len(entries) > MOST_ENTRIES:
            raise _wrong("", f"文件太多，最多 {MOST_ENTRIES} 个", f"there are more than {MOST_ENTRIES} entries")
        named = [(one, PurePosixPath(_name(one))) for one in entries if not one.is_dir()]
        named = [(one, path) for one, path in named if not _is_ignored(path)]
        roots = [path.parent for _, path in named if path.name == CASE and len(path.parts) <= 2]  # noqa: PLR2004
        if not roots:
            raise _wrong(CASE, f"压缩包里没有 {CASE}", f"the archive has no {CASE}")
        root = min(roots, key=lambda one: len(one.parts))
        left = MOST_BYTES
        for entry, path in named:
            left -= _unpack_one(opened, entry, path, root, place, left)


def _is_small(archive: BinaryIO) -> bool:
    """Tell from an archive's end whether its directory may be read, which `zipfile` does whole and at once.

    Looked for as `zipfile` looks; what has no such end is no archive, which it says itself. The 64-bit end is for more
    entries and bytes than are taken here, and would overrule this one. APPNOTE.TXT 4.3.14 to 4.3.16.
    """
    end = archive.seek(0, os.SEEK_END)
    start = max(end - _END.size - _LONGEST_COMMENT - _LOCATOR, 0)
    archive.seek(start)
    tail = archive.read()
    last = len(tail) - _END.size
    at = last if tail[last:].startswith(_END_SIGN) and tail.endswith(b"\0\0") else tail.rfind(_END_SIGN)
    if not 0 <= at <= last:
        return True
    *_, entries, size, _, _ = _END.unpack_from(tail, at)
    has_locator = tail[max(at - _LOCATOR, 0) : at].startswith(_LOCATOR_SIGN)
    return entries <= MOST_ENTRIES and size <= MOST_ENTRIES * KIB and not has_locator


def _unpack_one(
    opened: zipfile.ZipFile, entry: zipfile.ZipInfo, path: PurePosixPath, root: PurePosixPath, place: Path, left: int
) -> int:
    shown = str(path)[:200]
    kind = stat.S_IFMT(entry.external_attr >> 16)
    is_plain = "\\" not in str(path) and "\0" not in entry.orig_filename  # zipfile cuts a name at its first NUL
    is_safe = is_plain and not path.is_absolute() and ".." not in path.parts
    if not is_safe or not path.is_relative_to(root) or len(path.parts) > DEEPEST or kind not in {0, stat.S_IFREG}:
        raise _wrong(shown, "文件要在这个文件夹里面，不能是链接", "a file lies inside the folder and is no link")
    if entry.flag_bits & _ENCRYPTED or entry.compress_type not in {zipfile.ZIP_STORED, zipfile.ZIP_DEFLATED}:
        said = "加了密码，或者不是普通的压缩方式，打不开", "is encrypted or packed in a way that is not taken"
        raise _wrong(shown, *said)
    target = place / path.relative_to(root)
    target.parent.mkdir(parents=True, exist_ok=True)
    size = 0
    try:
        with opened.open(entry) as source, target.open("xb") as written:
            while piece := source.read(_PIECE):
                size += len(piece)
                if size > min(LARGEST_FILE, left):
                    mib = LARGEST_FILE // MIB
                    raise _wrong(
                        shown,
                        f"太大：一个文件最多 {mib} MB，一共最多 {MOST_BYTES // MIB} MB",
                        f"is too large: {mib} MB a file, {MOST_BYTES // MIB} MB in all",
                    )
                written.write(piece)
    except FileExistsError:
        raise _wrong(shown, "出现了两次", "is there twice") from None
    return size


def _name(entry: zipfile.ZipInfo) -> str:
    """Read a name; archives of Chinese systems write it in their own encoding and do not say so."""
    if entry.flag_bits & _UTF8:
        return entry.filename
    try:
        raw = entry.filename.encode("cp437")
    except UnicodeEncodeError:
        return entry.filename
    for encoding in ("utf-8", "gb18030"):
        try:
            return raw.decode(encoding)
        except UnicodeDecodeError:
            continue
    return entry.filename


def _is_ignored(path: PurePosixPath) -> bool:
    return any(part in _IGNORED or (part.startswith(".") and part != "..") for part in path.parts)


def _letters(place: Path, story: Story) -> tuple[Story, dict[str, str]]:
    """Read the letters that were sent and name them as they are named here."""
    sent: dict[str, str] = {}
    letters: list[SentLetter] = []
    for one in story.letters:
        if not one.file:
            letters.append(one)
            continue
        name = rules.letter_name(one.to, sent)
        sent[name] = _text(folder.inside(place, one.file), one.file)
        letters.append(msgspec.structs.replace(one, file=name))
    return msgspec.structs.replace(story, letters=tuple(letters)), sent


def _drafts(place: Path, story: Story, before: Story) -> Iterator[Edited]:
    """Read the newest letter to everybody that was not sent."""
    taken = {one.file for one in before.letters}
    for to in To:
        numbers = [f"{LETTERS}/{to.value}{'' if number == 1 else f'-{number}'}.txt" for number in range(1, 100)]
        found = [file for file in numbers if (place / file).is_file() and file not in taken]
        if found:
            title, _, body = _text(place / found[-1], found[-1]).partition("\n\n")
            yield Edited(to=to, language=story.language, body=(title if "\n" in title or not body else body).strip())


def _text(place: Path, file: str) -> str:
    raw = place.read_bytes() if place.stat().st_size <= 4 * LONGEST_LETTER else b"\xff"
    try:
        text = raw.decode("utf-8-sig").replace("\r\n", "\n")
    except UnicodeDecodeError:
        text = ""
    if not 0 < len(text) <= LONGEST_LETTER:
        raise _wrong(
            file,
            f"信要是 UTF-8 文字，不空，最多 {LONGEST_LETTER} 个字",
            f"a letter is UTF-8 text of at most {LONGEST_LETTER} characters",
        )
    return text


def _items(place: Path, story: Story) -> tuple[EvidenceItem, ...]:
    """Look into every file of evidence as into one that is handed in; all that is wrong is told."""
    wrongs: list[Wrong] = []
    items: list[EvidenceItem] = []
    for item in story.evidence:
        file = folder.inside(place, item.file)
        with file.open("rb") as opened:
            known = know(FileSource(opened), file.name)
        if isinstance(known, Refused):
            wrongs.append(Wrong(item.file, 1, Text(known.zh, known.en)))
            continue
        items.append(msgspec.structs.replace(item, media_type=known.media_type.partition(";")[0]))
    if len(story.evidence) > MOST_FILES:
        said = Text(f"证据最多 {MOST_FILES} 个文件", f"at most {MOST_FILES} files of evidence")
        wrongs.append(Wrong(CASE, 1, said))
    if wrongs:
        raise UnreadableCaseError(tuple(wrongs))
    return tuple(items)


def bare_name(file: str) -> str:
    """Give a file's own name, as it is kept."""
    return clean_file_name(file.rpartition("/")[2])


def _wrong(file: str, zh: str, en: str) -> UnreadableCaseError:
    return UnreadableCaseError((Wrong(file, 1, Text(zh, en)),))
