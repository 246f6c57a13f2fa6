"""What is taken as text, name and file, told from the bytes alone."""

import hashlib
import io
import struct
import zlib

import pytest
from hypothesis import given
from hypothesis import strategies as st
from PIL import Image

from kabao.evidence import rules
from kabao.evidence.model import MAX_FILE_NAME_CHARS, TEXT_PREVIEW_BYTES, Chunk, MediaType
from kabao.kernel import Refusal, Refused
from market import NOON

PAGE = b"<!DOCTYPE html><script>alert(1)</script>"


def picture(kind: str, size: tuple[int, int] = (40, 30), **options: object) -> bytes:
    written = io.BytesIO()
    Image.effect_noise(size, 90).convert("RGB").save(written, kind, **options)
    return written.getvalue()


def code(answer: object) -> Refusal:
    assert isinstance(answer, Refused), answer
    return answer.code


@pytest.mark.parametrize(
    ("content", "kind"),
    [
        (picture("PNG"), MediaType.PNG),
        (picture("JPEG", (300, 200)), MediaType.JPEG),
        (picture("JPEG", (300, 200), progressive=True), MediaType.JPEG),
        (picture("JPEG", (300, 200), restart_marker_rows=1), MediaType.JPEG),
        (picture("WEBP"), MediaType.WEBP),
        ("卡密提示\t已被使用\r\n2026-11-23 > 14:05".encode(), MediaType.TEXT),
        (b"\xef\xbb\xbfwith a byte order mark", MediaType.TEXT),
        (b"1 < 2 and a <b> in a sentence", MediaType.TEXT),
    ],
    ids=["png", "jpeg", "progressive", "restarts", "webp", "text", "bom", "angle brackets"],
)
def test_what_is_taken(content: bytes, kind: MediaType) -> None:
    assert rules.media_type_of(content) is kind


@pytest.mark.parametrize(
    "content",
    [
        PAGE,
        b"\n  <svg xmlns='http://www.w3.org/2000/svg'><script/></svg>",
        b"see below <IFRAME src=x>",
        b"<?xml version='1.0'?><a/>",
        b"PK\x03\x04",
        b"MZ program",
        b"#!/bin/sh",
        b"a\0b",
        b"bell\x07",
        "中文".encode("gbk"),
        b"\xff\xfea\0",
    ],
)
def test_what_is_not_taken(content: bytes) -> None:
    assert code(rules.media_type_of(content)) is Refusal.FILE_TYPE_UNKNOWN


def test_an_empty_file_is_named_as_such() -> None:
    assert code(rules.media_type_of(b"")) is Refusal.FILE_EMPTY


@pytest.mark.parametrize("kind", ["PNG", "WEBP"])
@pytest.mark.parametrize("tail", [PAGE, b"PK\x05\x06", b"anything"])
def test_nothing_may_follow_a_png_or_webp(kind: str, tail: bytes) -> None:
    assert code(rules.media_type_of(picture(kind) + tail)) is Refusal.FILE_TYPE_UNKNOWN


def test_a_camera_may_append_to_a_jpeg_but_not_a_second_document() -> None:
    photograph = picture("JPEG")
    assert rules.media_type_of(photograph + b"ftypmp42" + bytes(500)) is MediaType.JPEG
    for tail in (PAGE, b"PK\x05\x06" + bytes(18), b"%PDF-1.4"):
        assert code(rules.media_type_of(photograph + tail)) is Refusal.FILE_TYPE_UNKNOWN


def test_markup_hidden_in_an_images_head_is_refused() -> None:
    photograph = picture("JPEG")
    comment = b"\xff\xfe" + struct.pack(">H", len(PAGE) + 2) + PAGE
    assert code(rules.media_type_of(photograph[:2] + comment + photograph[2:])) is Refusal.FILE_TYPE_UNKNOWN


@pytest.mark.parametrize("kind", ["PNG", "JPEG", "WEBP"])
def test_a_cut_image_is_unreadable(kind: str) -> None:
    whole = picture(kind, (200, 200))
    for size in (13, len(whole) // 2, len(whole) - 3):
        assert code(rules.media_type_of(whole[:size])) is Refusal.FILE_UNREADABLE


def test_a_jpeg_that_is_no_chain_of_segments_is_unreadable() -> None:
    assert code(rules.media_type_of(b"\xff\xd8\xff\xe0\x00\x04xxGARBAGE")) is Refusal.FILE_UNREADABLE


def test_fill_bytes_and_bare_markers_of_a_jpeg_are_stepped_over() -> None:
    photograph = picture("JPEG")
    assert rules.media_type_of(photograph[:2] + b"\xff\xff\xff\x01" + photograph[2:]) is MediaType.JPEG


def test_a_jpeg_of_more_scans_than_anyone_writes_is_unreadable() -> None:
    photograph = picture("JPEG", progressive=True)
    last = photograph[photograph.rindex(b"\xff\xda") : -2]
    usual = photograph.count(b"\xff\xda")
    assert rules.media_type_of(photograph[:-2] + last * (100 - usual) + b"\xff\xd9") is MediaType.JPEG
    bomb = photograph[:-2] + last * (101 - usual) + b"\xff\xd9"
    assert code(rules.media_type_of(bomb)) is Refusal.FILE_UNREADABLE


@given(st.binary(max_size=300))
def test_any_bytes_are_answered(content: bytes) -> None:
    rules.media_type_of(content)
    rules.media_type_of(b"\xff\xd8\xff" + content)
    rules.media_type_of(b"\x89PNG\r\n\x1a\n" + content)
    rules.media_type_of(b"RIFF" + content)


@pytest.mark.parametrize(
    ("given", "kept"),
    [
        ("截图.png", "截图.png"),
        ("C:\\Users\\someone\\a.txt", "a.txt"),
        ("../../etc/passwd", "passwd"),
        ("a\x00\n  b\u202egnp.exe", "a bgnp.exe"),
        ("  ..  ", rules.NAMELESS),
        ("", rules.NAMELESS),
        ("x" * 200 + ".jpeg", "x" * 115 + ".jpeg"),
        ("x" * 200, "x" * 120),
        ("a." + "y" * 200, "a." + "y" * 118),
        ("." + "z" * 200, "z" * 120),
    ],
)
def test_a_file_name_keeps_what_can_be_seen(given: str, kept: str) -> None:
    assert rules.clean_file_name(given) == kept


@given(st.text(max_size=400))
def test_a_file_name_is_always_short_and_printable(name: str) -> None:
    kept = rules.clean_file_name(name)
    assert 0 < len(kept) <= MAX_FILE_NAME_CHARS
    assert kept.isprintable()
    assert not set("/\\") & set(kept)


@pytest.mark.parametrize(
    ("text", "kept"),
    [
        ("  好的\r\n谢谢\t ", "好的\n谢谢"),
        ("字" * 10, "字" * 10),
        ("字" * 11, None),
        (" \n ", None),
        ("a\0b", None),
        ("a\ud800", None),
        ("👩‍👧", "👩‍👧"),
        ("退 \u202e00.69\u202c 元", "退 00.69 元"),
        ("\u2066字\u2069" * 10, "字" * 10),
        ("\u202a\u2067 \u2068", None),
    ],
)
def test_what_somebody_wrote_is_trimmed_or_refused(text: str, kept: str | None) -> None:
    assert rules.clean_text(text, 10) == kept


def test_a_text_preview_is_cut_between_characters() -> None:
    preview = rules.text_preview(b"\xef\xbb\xbf" + "字".encode() * TEXT_PREVIEW_BYTES)
    assert TEXT_PREVIEW_BYTES - 3 < len(preview) <= TEXT_PREVIEW_BYTES
    assert set(preview.decode()) == {"字"}
    assert rules.text_preview(b"short") == b"short"


def test_a_blob_lives_under_its_digest() -> None:
    assert rules.blob_path(bytes.fromhex("abcdef" + "00" * 29)) == "sha256/ab/cdef" + "00" * 29


def test_a_png_with_a_false_checksum_still_ends_where_it_ends() -> None:
    chunk = b"tEXtkey\0value"
    extra = struct.pack(">I", len(chunk) - 4) + chunk + struct.pack(">I", zlib.crc32(chunk))
    whole = picture("PNG")
    assert rules.media_type_of(whole[:33] + extra + whole[33:]) is MediaType.PNG


def chunk(seq: int, digest: bytes, head: bytes | None) -> Chunk:
    return Chunk(seq=seq, digest=digest, byte_size=1, received_at=NOON, head=head)


def test_a_chain_tells_which_chunk_was_changed_moved_or_left_out() -> None:
    heads = [rules.first_head(b"note")]
    for number in range(1, 4):
        heads.append(rules.next_head(heads[-1], bytes([number]) * 32, number))
    whole = [chunk(number, bytes([number]) * 32, heads[number]) for number in range(1, 4)]
    assert rules.breaks_in_chain(b"note", whole) == []
    assert rules.breaks_in_chain(b"note", whole[:2]) == []
    assert rules.breaks_in_chain(b"another note", whole) == [1, 2, 3]
    assert rules.breaks_in_chain(b"note", [whole[0], whole[2]]) == [2]
    assert rules.breaks_in_chain(b"note", [whole[0], chunk(2, bytes(32), heads[2]), whole[2]]) == [2, 3]


def test_a_gif_is_walked_to_its_last_block() -> None:
    frames = [Image.new("P", (8, 8), colour) for colour in (1, 2)]
    written = io.BytesIO()
    frames[0].save(written, "GIF", save_all=True, append_images=frames[1:], comment=b"made by hand", loop=0)
    whole = written.getvalue()
    assert rules.media_type_of(whole) is MediaType.GIF
    blocks = 13 + (3 << (whole[10] & 7) + 1 if whole[10] & 0x80 else 0)
    for broken in (whole[:-1], whole[:20], whole[:blocks] + b"\x99" + whole[blocks + 1 :], whole[: len(whole) // 2]):
        assert code(rules.media_type_of(broken)) is Refusal.FILE_UNREADABLE
    assert code(rules.media_type_of(whole + b"<script>")) is Refusal.FILE_TYPE_UNKNOWN


@pytest.mark.parametrize(
    ("header", "is_read"),
    [
        ("sha-256=:ungWv48Bz+pBQUDeXa4iI7ADYaOWF3qctBD/YfIAFa0=:", True),
        ("sha-512=:AAAA:, sha-256=:ungWv48Bz+pBQUDeXa4iI7ADYaOWF3qctBD/YfIAFa0=:", True),
        ("", False),
        ("sha-256=ungWv48Bz+pBQUDeXa4iI7ADYaOWF3qctBD/YfIAFa0=", False),
        ("sha-256=:AAAA:", False),
        ("sha-256=:A:", False),
        ("sha-256=:\u00e9\u00e9\u00e9\u00e9:", False),
    ],
)
def test_a_digest_in_a_header_is_read_or_nothing(header: str, *, is_read: bool) -> None:
    assert rules.content_digest(header) == (hashlib.sha256(b"abc").digest() if is_read else None)
