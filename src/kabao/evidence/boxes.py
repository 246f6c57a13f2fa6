"""Reads the containers of moving pictures and sound: boxes (MP4, QuickTime, AVIF), EBML (WebM), Ogg pages, MP3 frames.

Only their form is read and nothing is decoded; whatever does not fit together raises `Malformed`.
"""

import struct
from collections.abc import Iterator
from datetime import UTC, datetime, timedelta
from itertools import islice
from typing import Final, NamedTuple

from kabao.evidence.blobs import Source
from kabao.evidence.model import MIB, Hints, MediaFacts
from kabao.evidence.rules import clean_hint

MAX_BOXES: Final = 200_000
MAX_ELEMENTS: Final = 500_000
"""Elements of a WebM, pages of an Ogg, frames of an MP3: hours of them, and half a second of reading."""
MAX_HEADER: Final = 32 * MIB
"""Bytes of a film's index that are read; a longer one is no film anyone hands in."""
MAX_TRACKS: Final = 16
LARGEST: Final = 2**31 - 1
"""No picture has more pixels a side, and no film lasts longer, in milliseconds: some three weeks."""

_TOP: Final = frozenset(
    {b"ftyp", b"moov", b"mdat", b"free", b"skip", b"wide", b"moof", b"mfra", b"styp", b"sidx", b"uuid", b"meta"}
    | {b"udta", b"emsg", b"prft", b"ssix", b"pdin", b"pnot"}
)
_MAC_EPOCH: Final = datetime(1904, 1, 1, tzinfo=UTC)
_EBML_EPOCH: Final = datetime(2001, 1, 1, tzinfo=UTC)

_EBML: Final = 0x1A45DFA3
_SEGMENT: Final = 0x18538067
_INFO: Final = 0x1549A966
_TRACKS: Final = 0x1654AE6B
_TRACK: Final = 0xAE
_VIDEO: Final = 0xE0
_CLUSTER: Final = 0x1F43B675
_IN_SEGMENT: Final = frozenset({0x114D9B74, _INFO, _TRACKS, _CLUSTER, 0x1C53BB6B, 0x1254C367, 0x1043A770, 0xEC, 0xBF})
_IN_CLUSTER: Final = frozenset({0xE7, 0xA3, 0xA0, 0xA7, 0xAB, 0xAF, 0x5854, 0xEC, 0xBF})


class Malformed(Exception):  # noqa: N818  named for what it says of the file
    """The bytes are not a whole container of the kind they begin as."""


class Media(NamedTuple):
    """What a container was found to hold."""

    has_video: bool
    facts: MediaFacts
    hints: Hints


class Box(NamedTuple):
    """One box: its name, where its content begins and where it ends."""

    name: bytes
    body: int
    end: int


# ---------------------------------------------------------------- boxes


def boxes(source: Source) -> Iterator[Box]:
    """Walk the boxes at the top; each must be a known one and the last must end where the file ends."""
    at, count = 0, 0
    while at < source.size:
        head = source.read(at, 16)
        count += 1
        if len(head) < 8 or count > MAX_BOXES:  # noqa: PLR2004  size and name
            raise Malformed
        size, name = int.from_bytes(head[:4], "big"), head[4:8]
        body = at + (16 if size == 1 else 8)
        size = int.from_bytes(head[8:16], "big") if size == 1 else source.size - at if size == 0 else size
        if name not in _TOP or at + size < body or at + size > source.size:
            raise Malformed
        yield Box(name, body, at + size)
        at += size


def read_film(source: Source) -> Media:
    """Read a whole MP4, QuickTime or M4A; raises `Malformed`."""
    index: bytes | None = None
    has_media = False
    for number, box in enumerate(boxes(source)):
        if (number == 0) != (box.name == b"ftyp"):
            raise Malformed
        if box.name == b"moov":
            if index is not None or box.end - box.body > MAX_HEADER:
                raise Malformed
            index = source.read(box.body, box.end - box.body)
        has_media = has_media or box.name in {b"mdat", b"moof"}
    if index is None or not has_media:
        raise Malformed
    try:
        return _film(index)
    except (struct.error, IndexError, ValueError, OverflowError) as error:
        raise Malformed from error


def check_still(source: Source) -> None:
    """Check that an AVIF is boxes from its beginning to its end."""
    if {box.name for box in boxes(source)} < {b"ftyp", b"meta"}:
        raise Malformed


def _children(content: bytes) -> Iterator[tuple[bytes, bytes]]:
    at = 0
    while at + 8 <= len(content):
        size = int.from_bytes(content[at : at + 4], "big")
        if size < 8 or at + size > len(content):  # noqa: PLR2004  size and name
            return
        yield content[at + 4 : at + 8], content[at + 8 : at + size]
        at += size


def _film(index: bytes) -> Media:
    created, millis, width, height = "", 0, 0, 0
    codecs: list[str] = []
    words: dict[bytes, str] = {}
    handlers = set[bytes]()
    tracks = 0
    for name, body in _children(index):
        if name == b"mvhd":
            created, millis = _movie_header(body)
        elif name == b"trak" and tracks < MAX_TRACKS:
            tracks += 1
            handler, codec, size = _track(body)
            handlers.add(handler)
            codecs += [codec] if codec and codec not in codecs else []
            width, height = max(width, size[0]), max(height, size[1])
        elif name == b"udta":
            words |= {key: _udta_text(text) for key, text in _children(body)}
    device = clean_hint(" ".join((words.get(b"\xa9mak", ""), words.get(b"\xa9mod", ""))))
    hints = Hints(
        made_at=created,
        device=device,
        software=clean_hint(words.get(b"\xa9swr", "") or words.get(b"\xa9too", "")),
        has_location=b"\xa9xyz" in words or b"com.apple.quicktime.location" in index,
    )
    return Media(b"vide" in handlers, MediaFacts(width=width, height=height, millis=millis, codecs=codecs), hints)


def _movie_header(body: bytes) -> tuple[str, int]:
    created, _, scale, length = struct.unpack_from(">QQIQ" if body[0] else ">IIII", body, 4)
    made = clean_hint(f"{_MAC_EPOCH + timedelta(seconds=created):%Y-%m-%d %H:%M:%S}+00:00") if created else ""
    return made, _sane(length * 1000 // scale) if scale and length != 2**32 - 1 else 0


def _track(body: bytes) -> tuple[bytes, str, tuple[int, int]]:
    parts = dict(_children(body))
    media = dict(_children(parts.get(b"mdia", b"")))
    table = dict(_children(dict(_children(media.get(b"minf", b""))).get(b"stbl", b"")))
    handler = media.get(b"hdlr", b"")[8:12]
    width, height = struct.unpack(">II", parts.get(b"tkhd", b"")[-8:] or bytes(8))
    return handler, clean_hint(table.get(b"stsd", b"")[12:16].decode("latin-1")), (width >> 16, height >> 16)


def _sane(measured: int) -> int:
    """Keep a measure that can be true, else 0 for unknown: a container writes any number, and records hold few."""
    return measured if 0 <= measured <= LARGEST else 0


def _udta_text(text: bytes) -> str:
    length = int.from_bytes(text[:2], "big")
    return text[4 : 4 + length].decode("utf-8", errors="replace")


# ---------------------------------------------------------------- EBML


def read_webm(source: Source, *, may_be_cut: bool) -> Media:
    """Read a WebM from its beginning to its end; a cut one may end within an element. Raises `Malformed`."""
    try:
        return _webm(source, may_be_cut=may_be_cut)
    except (struct.error, IndexError, ValueError, OverflowError) as error:
        raise Malformed from error


class _Element(NamedTuple):
    name: int
    body: int
    end: int | None


def _webm(source: Source, *, may_be_cut: bool) -> Media:
    header = _element(source, 0)
    if header.name != _EBML or header.end is None or b"\x42\x82\x84webm" not in source.read(header.body, 200):
        raise Malformed
    segment = _element(source, header.end)
    if segment.name != _SEGMENT or not (segment.end is None or segment.end == source.size or may_be_cut):
        raise Malformed
    found: dict[int, bytes] = {}
    at, count, in_cluster = segment.body, 0, False
    while at < source.size:
        element, count = _element(source, at), count + 1
        in_cluster = in_cluster and element.name not in _IN_SEGMENT - _IN_CLUSTER
        if count > MAX_ELEMENTS or element.name not in (_IN_CLUSTER if in_cluster else _IN_SEGMENT):
            raise Malformed
        if element.name == _CLUSTER:
            in_cluster, at = True, element.body
            continue
        end = source.size + 1 if element.end is None else element.end
        if end > source.size:
            if may_be_cut:
                break
            raise Malformed
        if element.name in {_INFO, _TRACKS} and end - element.body <= MIB:
            found[element.name] = source.read(element.body, end - element.body)
        at = end
    if _TRACKS not in found:
        raise Malformed
    return _webm_media(found.get(_INFO, b""), found[_TRACKS])


def _element(source: Source, at: int) -> _Element:
    head = source.read(at, 12)
    name_width = _width(head[0])
    size_width = _width(head[name_width])
    size = int.from_bytes(head[name_width : name_width + size_width], "big") & ((1 << 7 * size_width) - 1)
    body = at + name_width + size_width
    is_unknown = size == (1 << 7 * size_width) - 1
    return _Element(int.from_bytes(head[:name_width], "big"), body, None if is_unknown else body + size)


def _width(first: int) -> int:
    if first == 0:
        raise Malformed
    return 9 - first.bit_length()


def _parts(content: bytes) -> Iterator[tuple[int, bytes]]:
    at = 0
    while at < len(content):
        name_width = _width(content[at])
        size_width = _width(content[at + name_width])
        body = at + name_width + size_width
        size = int.from_bytes(content[at + name_width : body], "big") & ((1 << 7 * size_width) - 1)
        yield int.from_bytes(content[at : at + name_width], "big"), content[body : body + size]
        at = body + size


def _webm_media(info: bytes, tracks: bytes) -> Media:
    about = dict(_parts(info))
    scale = int.from_bytes(about.get(0x2AD7B1, b"\x0f\x42\x40"), "big")
    length = about.get(0x4489, b"")
    ticks = struct.unpack(">d" if len(length) == 8 else ">f", length)[0] if length else 0.0  # noqa: PLR2004
    made = about.get(0x4461, b"")
    moment = _EBML_EPOCH + timedelta(microseconds=int.from_bytes(made, "big", signed=True) // 1000) if made else None
    codecs, width, height, has_video = list[str](), 0, 0, False
    entries = (body for name, body in _parts(tracks) if name == _TRACK)
    for body in islice(entries, MAX_TRACKS):
        track = dict(_parts(body))
        codec = clean_hint(track.get(0x86, b"").decode("ascii", errors="replace"))
        codecs += [codec] if codec and codec not in codecs else []
        picture = track.get(_VIDEO)
        has_video = has_video or picture is not None
        size = dict(_parts(picture or b""))
        width = max(width, _sane(int.from_bytes(size.get(0xB0, b""), "big")))
        height = max(height, _sane(int.from_bytes(size.get(0xBA, b""), "big")))
    software = about.get(0x5741, b"") or about.get(0x4D80, b"")
    return Media(
        has_video,
        MediaFacts(width=width, height=height, millis=_sane(int(ticks * scale / 1_000_000)), codecs=codecs),
        Hints(
            made_at=f"{moment:%Y-%m-%d %H:%M:%S}+00:00" if moment else "",
            software=clean_hint(software.decode("utf-8", errors="replace")),
        ),
    )


# ---------------------------------------------------------------- sound


def check_ogg(source: Source) -> MediaFacts:
    """Walk the pages of an Ogg file with Vorbis, Opus or FLAC sound to its end; raises `Malformed`."""
    first = source.read(0, 300)
    codec = next((name for mark, name in _OGG_CODECS.items() if mark in first[28:60]), "")
    at = pages = 0
    while at < source.size:
        head, pages = source.read(at, 27 + 255), pages + 1
        if pages > MAX_ELEMENTS or head[:4] != b"OggS" or len(head) < 27 + sum(head[26:27]):
            raise Malformed
        at += 27 + head[26] + sum(head[27 : 27 + head[26]])
    if not codec or at != source.size:
        raise Malformed
    return MediaFacts(codecs=[codec])


_OGG_CODECS: Final = {b"\x01vorbis": "vorbis", b"OpusHead": "opus", b"\x7fFLAC": "flac"}
_MP3_RATES: Final = {3: (44100, 48000, 32000), 2: (22050, 24000, 16000), 0: (11025, 12000, 8000)}
_MP3_BITS: Final = (32, 40, 48, 56, 64, 80, 96, 112, 128, 160, 192, 224, 256, 320)
_MP3_BITS_LOW: Final = (8, 16, 24, 32, 40, 48, 56, 64, 80, 96, 112, 128, 144, 160)


def check_mp3(source: Source) -> MediaFacts:
    """Walk the frames of an MP3, behind its tag, to its end or its last tag; raises `Malformed`."""
    head = source.read(0, 10)
    at = (
        10 + sum((byte & 127) << shift for byte, shift in zip(head[6:10], (21, 14, 7, 0), strict=True))
        if (
            head[:3] == b"ID3" and len(head) == 10  # noqa: PLR2004
        )
        else 0
    )
    frames, millis = 0, 0.0
    while at < source.size:
        if frames >= MAX_ELEMENTS:
            raise Malformed
        frame = source.read(at, 4)
        if frame[:3] == b"TAG" and source.size - at == 128:  # noqa: PLR2004  an old tag stands last
            break
        length, seconds = _frame(frame)
        frames, millis, at = frames + 1, millis + seconds * 1000, at + length
    if frames < 2:  # noqa: PLR2004  one alone may be chance
        raise Malformed
    return MediaFacts(millis=int(millis), codecs=["mp3"])


def _frame(head: bytes) -> tuple[int, float]:
    if len(head) < 4 or head[0] != 0xFF or head[1] & 0xE6 != 0xE2:  # noqa: PLR2004  sync and layer III
        raise Malformed
    version, bits, rate = head[1] >> 3 & 3, head[2] >> 4, head[2] >> 2 & 3
    if version == 1 or not 0 < bits < 15 or rate == 3:  # noqa: PLR2004
        raise Malformed
    per_second = _MP3_RATES[version][rate]
    kilobits = (_MP3_BITS if version == 3 else _MP3_BITS_LOW)[bits - 1]  # noqa: PLR2004
    samples = 1152 if version == 3 else 576  # noqa: PLR2004
    return samples // 8 * kilobits * 1000 // per_second + (head[2] >> 1 & 1), samples / per_second
