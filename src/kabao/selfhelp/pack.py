"""Writes the pack of a purchase made elsewhere: a kabao evidence pack, signed by the folder's own key.

It carries the paper, the same as text, letters as they were sent, terms and chats, all with keys blacked out, and of
the evidence the fingerprints; an original only where the person said so and no secret can be found in it. A key that
only a picture shows cannot be found.
"""

import hashlib
from collections.abc import Callable, Iterator
from datetime import UTC, datetime
from pathlib import Path
from typing import Final, NamedTuple

from kabao.adjudication.model import Text
from kabao.packs import Absent, PackContent, PackFile, PackItem, PackSigner, item_file, write_pack
from kabao.paper import Press
from kabao.selfhelp.chats import messages
from kabao.selfhelp.masks import hide
from kabao.selfhelp.model import ChatText, EvidenceItem, Language, Side, Story
from kabao.selfhelp.packpage import page_of
from kabao.selfhelp.packpaper import WHO, Carried, paper_of, plain_of
from kabao.selfhelp.results import Assessment
from kabao.selfhelp.results import Path as Way
from kabao.terms.reading import UnreadableError, decode

SIGNER: Final = "kabao-selfhelp"
CHUNK: Final = 1 << 20
LARGEST_TEXT: Final = 5 * 1024 * 1024
LONGEST_NAME: Final = 200
TEXT_TYPES: Final = ("text/", "application/json", "application/xml", "message/")

NO_ORIGINAL: Final = Text("原件在本人手里，这里只有指纹。", "I hold the original; the pack has its fingerprint.")
HOLDS_SECRET: Final = Text(
    "原件里有卡密或密码，没有放进来，只有指纹。", "The original holds a key or password; the pack has its fingerprint."
)
BLACKED_OUT: Final = Text(
    "放进来的这份遮住了卡密；指纹是原件的。", "The copy here has keys blacked out; the fingerprint is the original’s."
)
NOT_READ: Final = Text(
    "这份文字读不出来或者太长，查不了有没有卡密，没有放进来，只有指纹。",
    "This text cannot be read or is too long to look for keys in; the pack has its fingerprint.",
)
NO_LOG: Final = Text(
    "这是本人自己打的包，没有公开日志，也没有第三方时间戳。",
    "A person packed this; there is no public log and no outside timestamp.",
)
LOGGED_PARTS: Final = ("records", "proofs", "checkpoints", "timestamps")


class PackNotMadeError(ValueError):
    """Why there is no pack, as a word for programs and a sentence for people."""

    def __init__(self, code: str, text: Text) -> None:
        super().__init__(text.en)
        self.code = code
        self.text = text


class Packed(NamedTuple):
    """What went into a pack: the verifier key that signed it, items with an original, items by fingerprint alone."""

    key: str
    originals: tuple[int, ...]
    fingerprints: tuple[int, ...]


def pack(
    story: Story, found: Assessment, find: Callable[[str], Path], seed: bytes, target: Path, now: datetime
) -> Packed:
    """Write the pack, whole or not at all; `find` gives the place of a file that the story names.

    Raises PackNotMadeError where the case cannot be packed yet or a file changed, and what `find` and the disk raise.
    """
    _refuse_early(story, found)
    items, carried = [], []
    for number, item in enumerate(story.evidence, 1):
        placed, why = _item(number, item, story, find)
        items.append(placed)
        carried.append(Carried(number, _say(story, why) if why else ""))
    signer = PackSigner(name=SIGNER, seed=seed)
    paper = paper_of(story, found, carried)
    shown = tuple(item.no for item in items if item.shown == "original")
    documents = (
        PackFile(name="documents/1-summary.txt", role="document", source=plain_of(paper).encode()),
        *_letters(story, find),
        *_terms(story),
        *_chats(story),
    )
    there = {item.no: name for item in items if (name := item_file(item)) is not None}
    page = page_of(paper, story.language, there, ["pack.pdf", *(one.name for one in documents)])
    printed = Press().story(paper, at=now)
    content = PackContent(
        variant="full" if len(shown) == len(items) else "redacted",
        order=None,
        case=None,
        title=paper.title[:LONGEST_NAME],
        made_at=now.astimezone(UTC).replace(microsecond=0),
        items=tuple(items),
        files=(
            PackFile(name="index.html", role="index", source=page),
            PackFile(name="pack.pdf", role="paper", source=printed),
            *documents,
        ),
        absent=tuple(Absent(part=part, why=_say(story, NO_LOG)) for part in LOGGED_PARTS),
        is_own=True,
    )
    write_pack(target, content, signer)
    return Packed(signer.verifier_key, shown, tuple(item.no for item in items if item.no not in shown))


def _say(story: Story, text: Text) -> str:
    return text.zh if story.language is Language.ZH else text.en


def _refuse_early(story: Story, found: Assessment) -> None:
    if found.path is Way.UNLAWFUL:
        raise PackNotMadeError("goods_unlawful", found.plainly[0])
    if found.path is Way.INCOMPLETE or not story.claim or story.payment.amount is None:
        said = "还有必须回答的问题，先运行 next。", "Questions are open that a pack needs; run next first."
        raise PackNotMadeError("incomplete", Text(*said))
    for item in story.evidence:
        if not item.sha256:
            said = f"{item.file} 还没有取指纹，先运行 next。", f"{item.file} has no fingerprint yet; run next first."
            raise PackNotMadeError("no_fingerprint", Text(*said))


def _item(number: int, item: EvidenceItem, story: Story, find: Callable[[str], Path]) -> tuple[PackItem, Text | None]:
    name = hide(item.file.rpartition("/")[2], story)[:LONGEST_NAME]

    def made(size: int, shown: str, source: bytes | Path | None) -> PackItem:
        return PackItem(
            no=number,
            name=name,
            media_type=item.media_type,
            size=size,
            sha256=bytes.fromhex(item.sha256),
            record=None,
            shown="original" if shown == "original" else "preview" if shown == "preview" else "withheld",
            extension="txt" if shown == "preview" else item.file.rpartition(".")[2].lower(),
            source=source,
        )

    place = find(item.file)
    size, digest, has_secret = _read(place, story.secrets)
    if digest != item.sha256:
        said = (
            f"{item.file} 和取指纹时不一样了。把原来的放回去，或者在 case.yaml 里删掉它的 sha256 重新取。",
            f"{item.file} is not what its fingerprint says. Put the old one back, or remove its sha256 from case.yaml.",
        )
        raise PackNotMadeError("file_changed", Text(*said))
    if not item.include:
        return made(size, "withheld", None), NO_ORIGINAL
    is_text = item.media_type.startswith(TEXT_TYPES)
    if not is_text and not has_secret:
        return made(size, "original", place), None
    text = _text(place, size) if is_text else None
    if text is None:
        return made(size, "withheld", None), HOLDS_SECRET if has_secret else NOT_READ
    hidden = hide(text, story)
    if hidden == text:
        return made(size, "original", place), None
    return made(size, "preview", hidden.encode()), BLACKED_OUT


def _read(place: Path, secrets: tuple[str, ...]) -> tuple[int, str, bool]:
    """Measure a file, and look whether a secret stands in its bytes."""
    sought = [one.encode(code) for one in secrets if one for code in ("utf-8", "utf-16-le")]
    longest = max(map(len, sought), default=1)
    size, digest, has_secret, kept = 0, hashlib.sha256(), False, b""
    with place.open("rb") as opened:
        while chunk := opened.read(CHUNK):
            size += len(chunk)
            digest.update(chunk)
            looked = kept + chunk
            has_secret = has_secret or any(one in looked for one in sought)
            kept = looked[-longest:]
    return size, digest.hexdigest(), has_secret


def _text(place: Path, size: int) -> str | None:
    if size > LARGEST_TEXT:
        return None
    try:
        return decode(place.read_bytes())
    except UnreadableError:
        return None


def _letters(story: Story, find: Callable[[str], Path]) -> Iterator[PackFile]:
    """Give the letters that were sent, as they stand in the folder, with their answers."""
    for number, letter in enumerate(story.letters, 1):
        if not letter.file:
            continue
        place = find(letter.file)
        text = _text(place, place.stat().st_size)
        if text is not None:
            name = f"documents/2-letters/{number:02}-{letter.to}.txt"
            yield PackFile(name=name, role="document", source=hide(text, story).encode())


def _terms(story: Story) -> Iterator[PackFile]:
    for number, terms in enumerate(story.terms, 1):
        seen = f"（{terms.seen.words()}）" if terms.seen else ""
        text = f"{_say(story, WHO[terms.of])}{seen}\n\n{terms.text}"
        name = f"documents/3-terms/{number:02}.txt"
        yield PackFile(name=name, role="document", source=hide(text, story).encode())


def _chats(story: Story) -> Iterator[PackFile]:
    for number, chat in enumerate(story.chats, 1):
        text = _chat(story, chat)
        name = f"documents/4-chats/{number:02}.txt"
        yield PackFile(name=name, role="document", source=hide(text, story).encode())


def _chat(story: Story, chat: ChatText) -> str:
    """Write a chat message by message; as it was pasted where none can be read."""
    lines = []
    for one in messages(chat):
        who = _say(story, WHO[one.side]) if one.side is not Side.OTHER else ""
        name = f"{one.name}（{who}）" if who else one.name
        lines.append(f"{one.at.words() if one.at else '?'}  {name}\n    " + "\n    ".join(one.said.splitlines()))
    return "\n".join(lines) + "\n" if lines else chat.text
