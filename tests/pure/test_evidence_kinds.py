"""What a file is: told from its content to the last byte, and refused where it is two things or not whole."""

import io
import struct

import pytest
from PIL import Image
from PIL.PngImagePlugin import PngInfo

from dispute import code
from kabao.evidence.blobs import FileSource
from kabao.evidence.kinds import Known, begins_well, know
from kabao.evidence.model import LIMITS, MediaType
from kabao.evidence.rules import hint_sentences
from kabao.kernel import Refusal, Refused
from media import archive, box, element, film, mp3, ogg, pdf, picture, track, udta, webm


def told(content: bytes, name: str = "证据", *, may_be_cut: bool = False) -> Known | Refused:
    return know(FileSource(io.BytesIO(content)), name, may_be_cut=may_be_cut)


def known(content: bytes, name: str = "证据") -> Known:
    answer = told(content, name)
    assert isinstance(answer, Known), answer
    return answer


class Large:
    """A source that claims to be large and holds only a beginning."""

    def __init__(self, head: bytes, size: int) -> None:
        self.head, self.size = head, size

    def read(self, start: int, length: int) -> bytes:
        return self.head.ljust(min(start + length, self.size), b"a")[start : start + length]


@pytest.mark.parametrize(
    ("content", "kind"),
    [
        (picture("PNG"), MediaType.PNG),
        (picture("JPEG"), MediaType.JPEG),
        (picture("WEBP"), MediaType.WEBP),
        (picture("GIF"), MediaType.GIF),
        (picture("AVIF"), MediaType.AVIF),
        (film(), MediaType.MP4),
        (film(wide=True), MediaType.MP4),
        (film(brand=b"qt  "), MediaType.QUICKTIME),
        (film(tracks=track(b"soun", b"mp4a")), MediaType.M4A),
        (film(brand=b"M4A ", tracks=track(b"soun", b"mp4a")), MediaType.M4A),
        (webm(), MediaType.WEBM),
        (webm(live=True), MediaType.WEBM),
        (ogg(), MediaType.OGG),
        (ogg(b"\x01vorbis"), MediaType.OGG),
        (mp3(), MediaType.MP3),
        (mp3(tag=b"ID3\x04\0\0\0\0\0\x04abcd"), MediaType.MP3),
        (mp3(end=b"TAG" + bytes(125)), MediaType.MP3),
        (pdf(), MediaType.PDF),
        ("卡密已被使用".encode(), MediaType.TEXT),
    ],
)
def test_each_kind_is_known_by_its_content(content: bytes, kind: MediaType) -> None:
    assert known(content).media_type is kind
    assert begins_well(content)


@pytest.mark.parametrize(
    "content",
    [
        b"<svg xmlns='http://www.w3.org/2000/svg' onload='x'/>",
        b"<!doctype html><script>alert(1)</script>",
        b"#!/bin/sh\nrm -rf x",
        b"MZ\x90\0",
        archive(),
        b"ftypheic".rjust(12, b"\0") + bytes(40),
        film() + archive(),
        webm(live=True) + archive(),
        mp3() + archive(),
        picture("PNG") + archive(),
        pdf() + archive(),
        "说明".encode() + archive(),
        box(b"ftyp", b"isom" + b"<script>alert(1)</script>") + film()[20:],
        box(b"ftyp", b"isom" + b"%PDF-1.7 ") + film()[20:],
        pdf(b"<html><script>"),
        b"\x1aE\xdf\xa3",
        b"",
    ],
)
def test_what_is_nothing_of_that_or_two_things_is_refused(content: bytes) -> None:
    assert code(told(content)) in {Refusal.FILE_TYPE_UNKNOWN, Refusal.FILE_EMPTY, Refusal.FILE_UNREADABLE}
    if content[:4] != b"\x1aE\xdf\xa3":
        assert code(told(content)) is not Refusal.FILE_UNREADABLE


@pytest.mark.parametrize(
    "content",
    [
        film()[:-1],
        film() + b"more",
        film().replace(b"mdat", b"evil"),
        film().replace(b"moov", b"free"),
        film() + box(b"moov"),
        box(b"ftyp", b"isom\0\0\0\0") + box(b"ftyp", b"isom\0\0\0\0"),
        box(b"ftyp", b"isom\0\0\0\0") + b"\0\0\0\x01mdat" + bytes(8),
        film().replace(b"mvhd" + bytes(1), b"mvhd\x01"),
        box(b"ftyp", b"isom\0\0\0\0") + box(b"moov", box(b"mvhd", b"\0")) + box(b"mdat"),
        picture("AVIF")[:-4],
        webm()[:-4],
        webm(live=True)[:-4],
        webm().replace(b"webm", b"mkv1"),
        webm().replace(bytes.fromhex("18538067"), bytes.fromhex("18538068")),
        webm(extra=element("1941A469", b"attachment")),
        webm().replace(bytes.fromhex("1654AE6B"), bytes.fromhex("114D9B74")),
        element("1A45DFA3", b"\x42\x82\x84webm") + b"\0",
        ogg(b"Speex   "),
        ogg()[:-1],
        ogg() + b"x",
        ogg() + b"OggS",
        mp3(1),
        mp3() + b"x",
        mp3().replace(b"\xff\xfb\x90", b"\xff\xfb\xf0", 2),
        b"ID3\x04\0\0\0\0\0",
        b"%PDF-1.7 and nothing more",
        picture("GIF")[:-1],
        picture("GIF")[:13] + b"\0",
    ],
)
def test_what_is_not_whole_is_refused(content: bytes) -> None:
    assert code(told(content)) is Refusal.FILE_UNREADABLE


@pytest.mark.parametrize("cut", [4, 30, 60])
def test_a_recording_may_end_in_the_middle(cut: int) -> None:
    assert isinstance(told(webm(live=True)[:-cut], may_be_cut=True), Known)


@pytest.mark.parametrize(
    ("name", "why"),
    [
        ("截图.png", Refusal.FILE_NAME_MISLEADS),
        ("说明.txt", Refusal.FILE_NAME_MISLEADS),
        ("发票.pdf", Refusal.FILE_NAME_MISLEADS),
        ("页面.html", Refusal.FILE_TYPE_UNKNOWN),
        ("安装.exe", Refusal.FILE_TYPE_UNKNOWN),
        ("图.SVG", Refusal.FILE_TYPE_UNKNOWN),
    ],
)
def test_a_name_that_says_something_else_is_refused(name: str, why: Refusal) -> None:
    assert code(told(film(), name)) is why


@pytest.mark.parametrize("name", ["录屏.mp4", "录屏.MOV", "录屏", ".mp4", "录屏.2026", "录屏.webm"])
def test_a_name_that_says_the_same_or_nothing_is_taken(name: str) -> None:
    assert known(film(), name).media_type is MediaType.MP4


@pytest.mark.parametrize(
    ("head", "limit"),
    [
        (b"", MediaType.TEXT),
        (b"\x89PNG\r\n\x1a\n", MediaType.PNG),
        (b"%PDF-1.7", MediaType.PDF),
        (film(), MediaType.MP4),
    ],
)
def test_each_kind_has_its_own_most_bytes(head: bytes, limit: MediaType) -> None:
    assert code(know(Large(head, LIMITS[limit] + 1), "证据")) is Refusal.FILE_TOO_LARGE


def test_sound_in_a_container_of_films_has_the_room_of_sound() -> None:
    sound = film(tracks=track(b"soun", b"mp4a"), media=100)
    padded = Large(sound[:-108] + (LIMITS[MediaType.M4A]).to_bytes(4, "big") + b"mdat", 0)
    padded.size = len(sound) - 108 + LIMITS[MediaType.M4A]
    assert code(know(padded, "证据")) is Refusal.FILE_TOO_LARGE


def test_a_film_says_how_long_large_and_old_it_is() -> None:
    words = (
        udta(b"\xa9mak", "Maker") + udta(b"\xa9mod", "Phone 9") + udta(b"\xa9swr", "Edit 2") + udta(b"\xa9xyz", "+30")
    )
    media = known(film(words=words))
    assert (media.facts.width, media.facts.height, media.facts.millis) == (640, 360, 90_500)
    assert media.facts.codecs == ["avc1", "mp4a"]
    assert hint_sentences(media.hints) == [
        "文件自称拍摄或制作于 2026-11-23 06:02:05+00:00。",
        "文件自称由 Maker Phone 9 拍摄。",
        "文件自称由软件 Edit 2 保存。",
        "原件里带有地点信息，预览中已去掉。",
    ]


def test_a_recorded_film_says_its_browser_and_size() -> None:
    media = known(webm())
    assert (media.facts.width, media.facts.height, media.facts.millis) == (640, 360, 2500)
    assert (media.facts.codecs, media.hints.software) == (["V_VP8"], "Browser 1.0")
    assert media.hints.made_at == "2025-11-30 06:02:05+00:00"
    assert known(webm(live=True)).facts.millis == 0
    assert known(webm(video=False)).facts.codecs == ["A_OPUS"]


def test_sound_says_its_length_where_that_is_cheap() -> None:
    assert known(mp3(100)).facts.millis == 2612
    assert known(ogg()).facts.codecs == ["opus"]


def test_a_photograph_says_when_where_and_with_what() -> None:
    exif = Image.Exif()
    exif[0x010F], exif[0x0110], exif[0x0131] = "Maker", "Maker Phone 9", "Adobe Photoshop 27"
    exif[0x0132] = "2026:11:23 18:00:00"
    exif.get_ifd(0x8769)[0x9003] = "2026:11:23 14:02:05"
    exif.get_ifd(0x8769)[0x9011] = "+08:00"
    exif.get_ifd(0x8825)[1] = "N"
    photograph = known(picture("JPEG", exif=exif, comment=b"saved twice", xmp=b"<x:xmpmeta>xmpMM:History</x:xmpmeta>"))
    hints = photograph.hints
    assert (photograph.facts.width, photograph.facts.height) == (40, 30)
    assert (hints.made_at, hints.changed_at) == ("2026-11-23 14:02:05+08:00", "2026-11-23 18:00:00")
    assert (hints.device, hints.software, hints.has_location) == ("Maker Phone 9", "Adobe Photoshop 27", True)
    assert hints.traces == ["photoshop", "history", "comment"]
    assert hint_sentences(hints)[-1] == "文件带有注释，这不说明内容被改过。"


def test_a_screenshot_says_little_and_a_broken_picture_nothing() -> None:
    assert hint_sentences(known(picture("PNG")).hints) == []
    about = PngInfo()
    about.add_text("Software", "Draw\u202e 1")
    assert known(picture("PNG", pnginfo=about)).hints.software == "Draw 1"
    assert known(picture("WEBP", xmp=b"<x:xmpmeta CreatorTool='Lens 3'/>")).hints.software == "Lens 3"
    assert known(b"\x89PNG\r\n\x1a\n\0\0\0\0IEND1234").facts.width == 0


def test_a_pdf_says_who_made_it_and_what_it_carries() -> None:
    words = b"/CreationDate (D:20261123140205+08'00') /ModDate (D:20261124) /Creator (\xfe\xff\x00W\x00P\x00S)"
    hints = known(pdf(b"/JavaScript /EmbeddedFile %%EOF\n", words=words)).hints
    assert (hints.made_at, hints.changed_at, hints.software) == ("2026-11-23 14:02:05", "2026-11-24 00:00:00", "WPS")
    assert hints.traces == ["updated", "scripts", "attachments"]
    assert known(pdf(words=rb"/Producer (a \(b\))")).hints.software == "a (b)"
    assert hint_sentences(known(pdf()).hints) == []


@pytest.mark.parametrize("width", [2**31, 2**96, 2**40_000], ids=["pixels", "integers", "digits"])
def test_a_width_that_no_picture_has_is_unknown(width: int) -> None:
    said = width.to_bytes(width.bit_length() // 8 + 1, "big")
    picture = element("E0", element("B0", said) + element("BA", b"\x01\x68"))
    tracks = element("1654AE6B", element("AE", element("86", b"V_VP8") + picture))
    facts = known(webm(extra=tracks)).facts
    assert (facts.width, facts.height) == (0, 360)


@pytest.mark.parametrize("length", [-1000.0, 1e20, 1e300])
def test_a_length_that_no_film_has_is_unknown(length: float) -> None:
    recorded = webm().replace(struct.pack(">d", 2500.0), struct.pack(">d", length))
    assert known(recorded).facts.millis == 0
    longest = film(wide=True).replace(struct.pack(">Q", 90_500), struct.pack(">Q", 2**63))
    assert known(longest).facts.millis == 0


def test_no_more_than_sixteen_tracks_are_looked_at() -> None:
    entries = b"".join(element("AE", element("86", f"V_{n}".encode())) for n in range(100))
    assert known(webm(extra=element("1654AE6B", entries))).facts.codecs == [f"V_{n}" for n in range(16)]
    same = b"".join(track(b"vide", f"{n:04d}".encode()) for n in range(100))
    assert known(film(tracks=same)).facts.codecs == [f"{n:04d}" for n in range(16)]


@pytest.mark.parametrize(
    "content",
    [
        b"\xff\xd8" + b"\xff" * 300_000 + b"\xd9",
        b"\xff\xd8" + b"\xff\x01" * 300_000 + b"\xff\xd9",
        b"GIF89a" + bytes(7) + b"!\xf9" + b"\x01x" * 300_000 + b"\0;",
        b"GIF89a" + bytes(7) + b"!\xf9\0" * 300_000 + b";",
        b"\x89PNG\r\n\x1a\n" + (bytes(4) + b"teXt" + bytes(4)) * 300_000 + bytes(4) + b"IEND" + bytes(4),
        webm(extra=b"\xec\x80" * 600_000),
        b"OggS" + bytes(22) + b"\x01\x13OpusHead" + bytes(11) + (b"OggS" + bytes(23)) * 600_000,
        (b"\xff\xf3\x14\x00" + bytes(20)) * 600_000,
    ],
    ids=["filled jpeg", "bare jpeg", "one gif block", "many gif blocks", "png", "webm", "ogg", "mp3"],
)
def test_a_file_of_endlessly_many_parts_is_given_up(content: bytes) -> None:
    assert code(told(content)) is Refusal.FILE_UNREADABLE
