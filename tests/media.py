"""Small films, sounds, pictures and documents, made byte by byte, for tests of what is taken as evidence."""

import io
import struct
from datetime import UTC, datetime

from PIL import Image

MADE = datetime(2026, 11, 23, 6, 2, 5, tzinfo=UTC)
_MAC = datetime(1904, 1, 1, tzinfo=UTC)


def box(name: bytes, content: bytes = b"") -> bytes:
    return struct.pack(">I", 8 + len(content)) + name + content


def udta(name: bytes, text: str) -> bytes:
    raw = text.encode()
    return box(name, struct.pack(">HH", len(raw), 0) + raw)


def track(handler: bytes, codec: bytes, size: tuple[int, int] = (0, 0)) -> bytes:
    entry = box(b"stsd", struct.pack(">II", 0, 1) + struct.pack(">I", 16) + codec + bytes(8))
    media = box(b"hdlr", bytes(8) + handler + bytes(12)) + box(b"minf", box(b"stbl", entry))
    return box(
        b"trak", box(b"tkhd", bytes(76) + struct.pack(">II", size[0] << 16, size[1] << 16)) + box(b"mdia", media)
    )


def film(
    *, brand: bytes = b"isom", tracks: bytes | None = None, words: bytes = b"", media: int = 300, wide: bool = False
) -> bytes:
    """A film of 90.5 seconds, 640 by 360, whose sound and pictures are nothing but zeros."""
    created = int((MADE - _MAC).total_seconds())
    head = (
        b"\x01\0\0\0" + struct.pack(">QQIQ", created, created, 1000, 90_500)
        if wide
        else bytes(4) + struct.pack(">IIII", created, created, 1000, 90_500)
    )
    if tracks is None:
        tracks = track(b"vide", b"avc1", (640, 360)) + track(b"soun", b"mp4a")
    index = box(b"moov", box(b"mvhd", head) + tracks + (box(b"udta", words) if words else b""))
    return box(b"ftyp", brand + bytes(4) + b"isom") + index + box(b"mdat", bytes(media))


def element(name: str, content: bytes, *, unknown: bool = False) -> bytes:
    size = b"\x01" + b"\xff" * 7 if unknown else struct.pack(">Q", len(content) | 1 << 56)
    return bytes.fromhex(name) + size + content


def webm(*, video: bool = True, live: bool = False, blocks: int = 3, extra: bytes = b"", block: int = 40) -> bytes:
    """A film as a browser writes it: of unknown length where it is `live`."""
    info = element("2AD7B1", b"\x0f\x42\x40") + element("5741", b"Browser 1.0")
    if not live:
        info += element("4489", struct.pack(">d", 2500.0)) + element("4461", struct.pack(">q", 786_175_325 * 10**9))
    picture = element("E0", element("B0", struct.pack(">H", 640)) + element("BA", struct.pack(">H", 360)))
    entry = element("86", b"V_VP8" if video else b"A_OPUS") + (picture if video else b"")
    cluster = element("E7", b"\0") + b"".join(element("A3", bytes(block)) for _ in range(blocks))
    body = element("1549A966", info) + element("1654AE6B", element("AE", entry)) + extra
    body += element("1F43B675", cluster, unknown=live)
    return element(
        "1A45DFA3", element("4282", b"webm").replace(element("4282", b"webm"), b"\x42\x82\x84webm")
    ) + element("18538067", body, unknown=live)


def ogg(codec: bytes = b"OpusHead", pages: int = 3) -> bytes:
    first = b"OggS" + bytes(22) + b"\x01" + bytes([19]) + codec + bytes(19 - len(codec))
    return first + (b"OggS" + bytes(22) + b"\x02\xff\x05" + bytes(260)) * pages


def mp3(frames: int = 4, *, tag: bytes = b"", end: bytes = b"") -> bytes:
    """Frames of MPEG 1 layer III at 128 kbit/s and 44.1 kHz, 417 bytes each."""
    return tag + (b"\xff\xfb\x90\x00" + bytes(413)) * frames + end


def pdf(extra: bytes = b"", *, words: bytes = b"") -> bytes:
    return (
        b"%PDF-1.7\n1 0 obj\n<< /Type /Catalog >>\nendobj\n2 0 obj\n<< "
        + words
        + b" >>\nendobj\n"
        + extra
        + b"xref\n0 1\n"
        b"trailer\n<< /Root 1 0 R >>\nstartxref\n9\n%%EOF\n"
    )


def picture(kind: str, size: tuple[int, int] = (40, 30), **options: object) -> bytes:
    written = io.BytesIO()
    Image.effect_noise(size, 90).convert("RGB").save(written, kind, **options)
    return written.getvalue()


def archive() -> bytes:
    """The end of a ZIP without entries."""
    return b"PK\x05\x06" + bytes(18)
