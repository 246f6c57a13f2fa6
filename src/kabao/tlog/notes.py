"""Signed notes, the checkpoints written in them, and the cosignatures of witnesses.

After c2sp.org/signed-note, c2sp.org/tlog-checkpoint and c2sp.org/tlog-cosignature, Ed25519 alone. Reading is strict:
one spelling of every thing. A signature by a key nobody named is passed over, as the note's document asks.
"""

import base64
import re
from hashlib import sha256
from typing import Final, NamedTuple, Self

from cryptography.exceptions import InvalidSignature
from cryptography.hazmat.primitives.asymmetric.ed25519 import Ed25519PrivateKey, Ed25519PublicKey
from cryptography.hazmat.primitives.serialization import Encoding, PublicFormat

from kabao.tlog.merkle import HASH_BYTES

ED25519: Final = 0x01
COSIGNATURE: Final = 0x04
MAX_NOTE: Final = 64 * 1024
MAX_SIZE: Final = 2**63
"""Above every tree size: sizes are 63-bit numbers in the database."""
_KEY_ID_BYTES: Final = 4
_TIME_BYTES: Final = 8
_SIGNATURE: Final = re.compile("\u2014 ([^ ]+) ([A-Za-z0-9+/]+={0,2})")
_HEX_ID: Final = re.compile("[0-9a-f]{8}")
_DECIMAL: Final = re.compile("0|[1-9][0-9]{0,18}")


class NoteMalformedError(ValueError):
    """A note, checkpoint or key is not written as its document says; the message names what, never the content."""


class NoteUnsignedError(ValueError):
    """A note carries no signature by the key that should have signed it, or a wrong one."""


class VerifierKey(NamedTuple):
    """A key that verifies notes: `kind` 0x01 signs the text itself, 0x04 cosigns a checkpoint with the time."""

    name: str
    kind: int
    public: bytes

    @property
    def key_id(self) -> bytes:
        """The four bytes that stand before each of its signatures."""
        return sha256(self.name.encode() + b"\n" + bytes([self.kind]) + self.public).digest()[:_KEY_ID_BYTES]

    @property
    def text(self) -> str:
        """The key as people hand it on: name, key id and key, with plus signs between."""
        return f"{self.name}+{self.key_id.hex()}+{to_base64(bytes([self.kind]) + self.public)}"

    @property
    def pem(self) -> bytes:
        """The key alone, for OpenSSL (SubjectPublicKeyInfo)."""
        key = Ed25519PublicKey.from_public_bytes(self.public)
        return key.public_bytes(Encoding.PEM, PublicFormat.SubjectPublicKeyInfo)

    @classmethod
    def parse(cls, text: str) -> Self:
        """Read a key as people hand it on; raises NoteMalformedError."""
        name, key_id, encoded = (*text.split("+", 2), "", "")[:3]
        raw = from_base64(encoded)
        key = cls(name, raw[0] if raw else 0, raw[1:])
        if not is_name(name) or _HEX_ID.fullmatch(key_id) is None or key_id != key.key_id.hex():
            raise NoteMalformedError("the verifier key has a wrong name or key id")
        if key.kind not in (ED25519, COSIGNATURE) or len(key.public) != HASH_BYTES:
            raise NoteMalformedError("the verifier key is not an Ed25519 key")
        return key


class NoteSignature(NamedTuple):
    """One signature line of a note."""

    name: str
    key_id: bytes
    value: bytes

    @property
    def line(self) -> bytes:
        """The line as it stands in the note, with its newline."""
        return f"\u2014 {self.name} {to_base64(self.key_id + self.value)}\n".encode()


class Note(NamedTuple):
    """A note taken apart: the text, with its last newline, and the signatures in their order."""

    text: bytes
    signatures: list[NoteSignature]


class TreeHead(NamedTuple):
    """What a checkpoint says: whose log, how many leaves, which root."""

    origin: str
    size: int
    root: bytes


class NoteSigner:
    """Signs notes with an Ed25519 key; the same text always gives the same note (RFC 8032)."""

    def __init__(self, name: str, seed: bytes) -> None:
        if not is_name(name):
            raise NoteMalformedError("a key's name has no spaces and no plus signs")
        self._private = Ed25519PrivateKey.from_private_bytes(seed)
        self.key = VerifierKey(name, ED25519, self._private.public_key().public_bytes_raw())

    def sign(self, text: bytes) -> bytes:
        """Return the note over a text that ends in a newline."""
        return text + b"\n" + NoteSignature(self.key.name, self.key.key_id, self._private.sign(text)).line


def is_name(name: str) -> bool:
    """Tell whether a text may name a key: not empty, no spaces, no plus signs."""
    return bool(name) and "+" not in name and not any(letter.isspace() or letter < " " for letter in name)


def parse_note(raw: bytes) -> Note:
    """Take a signed note apart; raises NoteMalformedError."""
    if len(raw) > MAX_NOTE:
        raise NoteMalformedError("the note is too long")
    at = raw.rfind(b"\n\n")
    if at < 0:
        raise NoteMalformedError("the note has no blank line before its signatures")
    text = _text(raw[: at + 1])
    if any(letter < " " and letter != "\n" for letter in text):
        raise NoteMalformedError("the note holds a control character")
    return Note(raw[: at + 1], parse_signatures(raw[at + 2 :]))


def parse_signatures(raw: bytes) -> list[NoteSignature]:
    """Read signature lines alone, at least one; raises NoteMalformedError."""
    lines = _text(raw).split("\n")
    if lines.pop() or not lines:
        raise NoteMalformedError("a signature line does not end in a newline")
    found: list[NoteSignature] = []
    for line in lines:
        match = _SIGNATURE.fullmatch(line)
        value = b"" if match is None else from_base64(match[2])
        if match is None or not is_name(match[1]) or len(value) <= _KEY_ID_BYTES:
            raise NoteMalformedError("a line after the text is no signature")
        found.append(NoteSignature(match[1], value[:_KEY_ID_BYTES], value[_KEY_ID_BYTES:]))
    return found


def open_note(raw: bytes, key: VerifierKey) -> Note:
    """Take a note apart that a key of kind 0x01 has signed.

    Raises NoteMalformedError, and NoteUnsignedError where the key's signature is missing or wrong; a note with a
    right and a wrong signature of the same key is refused too.
    """
    note = parse_note(raw)
    mine = [one.value for one in note.signatures if (one.name, one.key_id) == (key.name, key.key_id)]
    if not mine or not all(_is_signed(note.text, value, key) for value in mine):
        raise NoteUnsignedError("the note is not signed by the key that was asked for")
    return note


def cosigned_at(text: bytes, signature: NoteSignature, key: VerifierKey) -> int | None:
    """Return the POSIX time at which a witness cosigned a checkpoint; None where the cosignature is not its own."""
    at = int.from_bytes(signature.value[:_TIME_BYTES])
    if key.kind != COSIGNATURE or (signature.name, signature.key_id) != (key.name, key.key_id) or at >= MAX_SIZE:
        return None
    said = f"cosignature/v1\ntime {at}\n".encode() + text
    return at if _is_signed(said, signature.value[_TIME_BYTES:], key) else None


def checkpoint_text(head: TreeHead) -> bytes:
    """Write the text of a checkpoint."""
    return f"{head.origin}\n{head.size}\n{to_base64(head.root)}\n".encode()


def parse_checkpoint(text: bytes) -> TreeHead:
    """Read the text of a checkpoint; extension lines are passed over. Raises NoteMalformedError."""
    lines = _text(text).split("\n")
    if len(lines) < 4 or lines.pop() or not all(lines):  # noqa: PLR2004  three lines, and nothing after the last newline
        raise NoteMalformedError("the checkpoint does not have its three lines")
    origin, size, root = lines[0], parse_decimal(lines[1]), from_base64(lines[2])
    if size is None or len(root) != HASH_BYTES:
        raise NoteMalformedError("the checkpoint's size or root is not written as it should be")
    return TreeHead(origin, size, root)


def parse_decimal(text: str) -> int | None:
    """Read a number of at most 63 bits in the one way to write it; None where it is not."""
    number = int(text) if _DECIMAL.fullmatch(text) else MAX_SIZE
    return number if number < MAX_SIZE else None


def to_base64(raw: bytes) -> str:
    """Write bytes in base64 (RFC 4648, 4)."""
    return base64.b64encode(raw).decode()


def from_base64(text: str) -> bytes:
    """Read base64 in the one way to write it; raises NoteMalformedError."""
    try:
        raw = base64.b64decode(text, validate=True)
    except ValueError as error:
        raise NoteMalformedError("that is not base64") from error
    if to_base64(raw) != text:
        raise NoteMalformedError("that base64 is not written in the one way there is")
    return raw


def _is_signed(said: bytes, value: bytes, key: VerifierKey) -> bool:
    try:
        Ed25519PublicKey.from_public_bytes(key.public).verify(value, said)
    except InvalidSignature:
        return False
    return True


def _text(raw: bytes) -> str:
    try:
        return raw.decode()
    except UnicodeDecodeError as error:
        raise NoteMalformedError("the note is not UTF-8") from error
