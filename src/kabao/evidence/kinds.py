"""What a file is, told from its bytes and never from its name, without holding a large one in memory."""

from typing import Final, NamedTuple

from kabao.evidence import boxes, hints, rules
from kabao.evidence.blobs import Source
from kabao.evidence.model import LIMITS, Hints, MediaFacts, MediaType
from kabao.kernel import Refusal, Refused

HEAD: Final = 4096
_WHOLE: Final = frozenset(
    {MediaType.PNG, MediaType.JPEG, MediaType.WEBP, MediaType.GIF, MediaType.AVIF, MediaType.PDF, MediaType.TEXT}
)
"""Read as a whole: at most 50 MiB."""


class Known(NamedTuple):
    """What a file is, what was measured in it and what it says of itself; the content of a small one."""

    media_type: MediaType
    facts: MediaFacts
    hints: Hints
    content: bytes


def begins_well(head: bytes) -> bool:
    """Tell from the first bytes of an upload whether something that is taken can come of it."""
    kind = rules.looks_like(head[:HEAD])
    return kind is not None and not rules.is_two_things(head[:HEAD], b"", kind)


def know(source: Source, file_name: str, *, may_be_cut: bool = False) -> Known | Refused:
    """Tell what a file is; a recording `may_be_cut`.

    Refuses FILE_EMPTY, FILE_TYPE_UNKNOWN, FILE_TOO_LARGE for its kind, FILE_UNREADABLE, and FILE_NAME_MISLEADS where
    the name's ending is that of another kind of thing.
    """
    if source.size == 0:
        return Refused(Refusal.FILE_EMPTY)
    head = source.read(0, HEAD)
    looks = rules.looks_like(head)
    tail = source.read(max(0, source.size - rules.ZIP_TAIL), rules.ZIP_TAIL)
    if looks is None or rules.is_two_things(head, tail, looks):
        return Refused(Refusal.FILE_TYPE_UNKNOWN)
    if source.size > LIMITS[looks]:
        return Refused(Refusal.FILE_TOO_LARGE)
    try:
        known = _small(source, looks) if looks in _WHOLE else _moving(source, looks, may_be_cut=may_be_cut)
    except boxes.Malformed:
        return Refused(Refusal.FILE_UNREADABLE)
    if isinstance(known, Refused):
        return known
    return _fitting(known, source.size, file_name)


def _fitting(known: Known, size: int, file_name: str) -> Known | Refused:
    fits = rules.is_named_as(known.media_type, file_name)
    if fits is None:
        return Refused(Refusal.FILE_TYPE_UNKNOWN)
    if size > LIMITS[known.media_type]:
        return Refused(Refusal.FILE_TOO_LARGE)
    return known if fits else Refused(Refusal.FILE_NAME_MISLEADS)


def _small(source: Source, looks: MediaType) -> Known | Refused:
    content = source.read(0, source.size)
    if looks is MediaType.AVIF:
        boxes.check_still(source)
    else:
        kind = rules.media_type_of(content)
        if isinstance(kind, Refused):
            return kind
    facts, said = hints.read(content, looks)
    return Known(looks, facts, said, content)


def _moving(source: Source, looks: MediaType, *, may_be_cut: bool) -> Known:
    match looks:
        case MediaType.OGG:
            return Known(looks, boxes.check_ogg(source), Hints(), b"")
        case MediaType.MP3:
            return Known(looks, boxes.check_mp3(source), Hints(), b"")
        case MediaType.WEBM:
            media = boxes.read_webm(source, may_be_cut=may_be_cut)
        case _:
            media = boxes.read_film(source)
            looks = looks if media.has_video else MediaType.M4A
    return Known(looks, media.facts, media.hints, b"")
