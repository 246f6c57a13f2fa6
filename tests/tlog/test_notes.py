"""Notes, checkpoints, cosignatures and proofs: published vectors, strictness, and an implementation not ours."""

import shutil
import subprocess
from pathlib import Path

import pytest
from hypothesis import given
from hypothesis import strategies as st
from tlog_scales.signing import NoteSignature as TheirSignature
from tlog_scales.signing import PlainEd25519Signer, Vkey
from tlog_scales.tlog import Checkpoint as TheirCheckpoint

from kabao.tlog.notes import (
    NoteMalformedError,
    NoteSignature,
    NoteSigner,
    NoteUnsignedError,
    TreeHead,
    VerifierKey,
    checkpoint_text,
    cosigned_at,
    from_base64,
    is_name,
    open_note,
    parse_checkpoint,
    parse_decimal,
    parse_note,
    parse_signatures,
)
from kabao.tlog.proofs import parse_proof, write_proof

# c2sp.org/signed-note: its example of a verifier key and a signature.
C2SP_KEY = "example.com/foo+530d903a+AekyeRrm56hApGFkyQR4ZCbV54Id2LKaANYcrnKv3U2k"
C2SP_NOTE = (
    "This is an example message.\n\n\u2014 example.com/foo Uw2QOkn8srV1yJGh2VYRlL1Tnagv1YEq6TfXppzi2ONncAlTgK7Ztg1ERYNZ"
    "XsYjOBH3mFXmRKuwHjG1Yu72IneyaQM=\n"
).encode()
# c2sp.org/signed-note: the poem, whose key is not published.
POEM = (
    "Ognuno sta solo sul cuor della terra\ntrafitto da un raggio di sole:\n\ned è subito sera.\n\n\u2014 "
    "quasimodo.example/salvatore NnugSzTjtVAewIS+Z/iJhUPeFDkO/5QQ2i5ddnGITLlC+EhfLW9oJKONrMouFSQU0xMcXxj9"
    "9ihAQwaqP3ZekRwNtIc=\n"
).encode()
# golang.org/x/mod/sumdb/note: its example, private key and all.
GO_KEY = "PeterNeumann+c74f20a3+ARpc2QcUPDhMQegwxbzhKqiBfsVkmqq/LDE4izWy10TW"
GO_SEED = "AYEKFALVFGyNhPJEMzD1QIDr+Y7hfZx09iUvxdXHKDFz"
GO_TEXT = "If you think cryptography is the answer to your problem,\nthen you don't know what your problem is.\n"
GO_LINE = (
    "\u2014 PeterNeumann x08go/ZJkuBS9UG/SffcvIAQxVBtiFupLLr8pAcElZInNIuGUgYN1FFYC2pZSNXgKvqfqdngotpRZb6KE6RyyBwJnAM=\n"
)
# A checkpoint of a public log, with a signature of a kind we do not know, its Ed25519 one, and a witness's.
REAL = (
    "arche2025h1.staging.ct.transparency.dev\n1432088532\nU7WM79jrzyhGZ5/GUBTpM7NzwdyfFx61t3RovgcC4Ro=\n\n"
    "\u2014 arche2025h1.staging.ct.transparency.dev zTM8sQAAAZ5W0WdjBAMARjBEAiBjW5IQf9pvsYLfQFX6hoGREPMHb"
    "dQ3urbllzalApkptQIgIpwtEroeW2BXaHAI4kJXFbon5Ch9MNL5zRNZ55lvGt0=\n"
    "\u2014 arche2025h1.staging.ct.transparency.dev ui8GwCF1+kWqZrxGdhj4aX3gcw7XUlXQQabg/27lefwhUkzbC3Nyg"
    "NI75MdhL1bfTW9g8Ei59RA23oHP7Ry1k3ZFWwQ=\n"
    "\u2014 remora.n621.de 2net5wAAAABqEiEgPlfF3V06o0Y+fHM+J5J9s27wgxxcOVSpZ/2g/KSiXCg9DEZI+aVCIobWX9sXTy"
    "nk5XeU/zZ0WBxtqB0DrAWfBw==\n"
).encode()
REAL_LOG = "arche2025h1.staging.ct.transparency.dev+ba2f06c0+AU0vHmlGCS/PdN8b2OaGmKprLI8HKM+dJ472xgFYh15f"
REAL_WITNESS = "remora.n621.de+da77ade7+BOvN63jn/bLvkieywe8R6UYAtVtNbZpXh34x7onlmtw2"

ROOT = bytes(range(32))
HEAD = TreeHead("kabao.example/log", 41, ROOT)
SIGNER = NoteSigner("kabao.example/log", b"s" * 32)


def test_the_documents_example_verifies() -> None:
    key = VerifierKey.parse(C2SP_KEY)
    assert key.text == C2SP_KEY
    assert key.key_id.hex() == "530d903a"
    assert open_note(C2SP_NOTE, key).text == b"This is an example message.\n"
    with pytest.raises(NoteUnsignedError):
        open_note(C2SP_NOTE.replace(b"example message", b"exemple message"), key)


def test_the_documents_poem_is_taken_apart_at_the_last_blank_line() -> None:
    note = parse_note(POEM)
    assert note.text.decode().endswith("sole:\n\ned è subito sera.\n")
    assert [one.name for one in note.signatures] == ["quasimodo.example/salvatore"]
    assert note.text + b"\n" + note.signatures[0].line == POEM
    with pytest.raises(NoteUnsignedError):
        open_note(POEM, VerifierKey.parse(C2SP_KEY))


def test_gos_example_is_signed_to_the_byte() -> None:
    signer = NoteSigner("PeterNeumann", from_base64(GO_SEED)[1:])
    assert signer.key.text == GO_KEY
    assert signer.sign(GO_TEXT.encode()).decode() == f"{GO_TEXT}\n{GO_LINE}"


def test_a_real_checkpoint_with_a_real_witness_verifies() -> None:
    note = open_note(REAL, VerifierKey.parse(REAL_LOG))
    assert parse_checkpoint(note.text)[:2] == ("arche2025h1.staging.ct.transparency.dev", 1_432_088_532)
    witness = VerifierKey.parse(REAL_WITNESS)
    assert [cosigned_at(note.text, one, witness) for one in note.signatures] == [None, None, 1_779_573_024]
    changed = note.text.replace(b"1432088532", b"1432088533")
    assert cosigned_at(changed, note.signatures[2], witness) is None
    value = note.signatures[2].value
    later = note.signatures[2]._replace(value=(2**63).to_bytes(8) + value[8:])
    assert cosigned_at(note.text, later, witness) is None
    assert cosigned_at(note.text, note.signatures[2], VerifierKey.parse(C2SP_KEY)) is None


def test_another_implementation_accepts_our_checkpoint_and_ours_theirs() -> None:
    note = SIGNER.sign(checkpoint_text(HEAD))
    theirs = TheirCheckpoint.from_text(note.decode())
    theirs.verify(Vkey.from_string(SIGNER.key.text))
    assert (theirs.origin, theirs.size, theirs.root_hash) == HEAD
    assert theirs.serialize().encode() == note
    made = TheirCheckpoint.make_signed(*HEAD, [PlainEd25519Signer(HEAD.origin, b"s" * 32)])
    assert made.serialize().encode() == note
    their_key = PlainEd25519Signer("other.example/log", b"t" * 32)
    made = TheirCheckpoint.make_signed("other.example/log", 7, ROOT, [their_key])
    opened = open_note(made.serialize().encode(), VerifierKey.parse(their_key.vkey.serialize()))
    assert parse_checkpoint(opened.text) == TreeHead("other.example/log", 7, ROOT)
    assert TheirSignature.from_line(opened.signatures[0].line.decode().rstrip("\n")) in made.signatures


@pytest.mark.skipif(shutil.which("openssl") is None, reason="OpenSSL's command is not installed")
def test_openssl_checks_our_signature_by_the_key_we_hand_out(tmp_path: Path) -> None:
    note = parse_note(SIGNER.sign(checkpoint_text(HEAD)))
    for name, content in (("key", SIGNER.key.pem), ("text", note.text), ("value", note.signatures[0].value)):
        (tmp_path / name).write_bytes(content)
    command = ["openssl", "pkeyutl", "-verify", "-pubin", "-inkey", "key", "-rawin", "-in", "text", "-sigfile", "value"]
    assert subprocess.run(command, cwd=tmp_path, capture_output=True, check=False).returncode == 0
    (tmp_path / "text").write_bytes(note.text.replace(b"41", b"42"))
    assert subprocess.run(command, cwd=tmp_path, capture_output=True, check=False).returncode != 0


def test_signatures_of_unknown_keys_are_passed_over_and_wrong_ones_of_ours_are_not() -> None:
    note = SIGNER.sign(checkpoint_text(HEAD))
    stranger = NoteSignature("stranger.example", b"abcd", b"x" * 64).line
    namesake = NoteSignature(SIGNER.key.name, b"abcd", b"x" * 64).line
    assert len(open_note(note + stranger + namesake, SIGNER.key).signatures) == 3
    with pytest.raises(NoteUnsignedError):
        open_note(note + NoteSignature(SIGNER.key.name, SIGNER.key.key_id, b"x" * 64).line, SIGNER.key)
    with pytest.raises(NoteUnsignedError):
        open_note(note, SIGNER.key._replace(name="kabao.example"))


BAD_NOTES = {
    "no blank line": b"text\n",
    "no signature": b"text\n\n",
    "no last newline": SIGNER.sign(b"text\n")[:-1],
    "blank line at the end": SIGNER.sign(b"text\n") + b"\n",
    "carriage return": SIGNER.sign(b"text\r\n"),
    "tab": SIGNER.sign(b"te\txt\n"),
    "not UTF-8": SIGNER.sign(b"te\xffxt\n"),
    "signature not UTF-8": SIGNER.sign(b"text\n") + b"\xe2\x80\x94 \xff AAAAAAAA\n",
    "hyphen for dash": SIGNER.sign(b"text\n").replace("\u2014".encode(), b"-"),
    "name with plus": SIGNER.sign(b"text\n").replace(b"kabao.example/log", b"kabao+log"),
    "name with wide space": SIGNER.sign(b"text\n").replace(b"kabao.example/log", "kabao\u3000log".encode()),
    "base64 without padding": "text\n\n\u2014 a AAAAAAA\n".encode(),
    "base64 with loose bits": "text\n\n\u2014 a AAAAAAB=\n".encode(),
    "base64 in the middle padded": "text\n\n\u2014 a AAA=AAAA\n".encode(),
    "signature too short": "text\n\n\u2014 a AAAAAA==\n".encode(),
    "too long": SIGNER.sign(b"x" * 65_600 + b"\n"),
}


@pytest.mark.parametrize("raw", BAD_NOTES.values(), ids=BAD_NOTES)
def test_a_note_written_in_another_way_is_refused(raw: bytes) -> None:
    with pytest.raises(NoteMalformedError):
        parse_note(raw)


def test_signature_lines_alone_are_read() -> None:
    note = parse_note(REAL)
    assert parse_signatures(REAL.partition(b"\n\n")[2]) == note.signatures
    with pytest.raises(NoteMalformedError):
        parse_signatures(b"")


@pytest.mark.parametrize(
    "text",
    [
        "",
        "example.com/foo",
        "example.com/foo+530d903a",
        "example.com/foo+530d903b+AekyeRrm56hApGFkyQR4ZCbV54Id2LKaANYcrnKv3U2k",
        "example.com/foo+530D903A+AekyeRrm56hApGFkyQR4ZCbV54Id2LKaANYcrnKv3U2k",
        "example.com/foo+530d903+AekyeRrm56hApGFkyQR4ZCbV54Id2LKaANYcrnKv3U2k",
        C2SP_KEY + "\n",
        C2SP_KEY + "=",
        "example com+530d903a+AekyeRrm56hApGFkyQR4ZCbV54Id2LKaANYcrnKv3U2k",
        VerifierKey("a", 6, b"x" * 32).text,
        VerifierKey("a", 1, b"x" * 31).text,
        VerifierKey("a", 1, b"").text,
    ],
)
def test_a_key_written_in_another_way_is_refused(text: str) -> None:
    with pytest.raises(NoteMalformedError):
        VerifierKey.parse(text)


def test_a_key_whose_base64_holds_a_plus_is_read() -> None:
    key = VerifierKey("plus.example", 1, b"\xfb\xef" * 16)
    assert key.text.count("+") > 2
    assert VerifierKey.parse(key.text) == key


@pytest.mark.parametrize("name", ["", "a b", "a+b", "a\u00a0b", "a\nb", "a\x1fb", "a\x01b"])
def test_a_name_has_no_spaces_and_no_plus(name: str) -> None:
    assert not is_name(name)
    with pytest.raises(NoteMalformedError):
        NoteSigner(name, b"s" * 32)


@pytest.mark.parametrize(
    "text",
    [
        "",
        "log\n5\n",
        "log\n5\nAAAA\n",
        f"log\n05\n{'A' * 43}=\n",
        f"log\n-5\n{'A' * 43}=\n",
        f"log\n+5\n{'A' * 43}=\n",
        f"log\n5 \n{'A' * 43}=\n",
        f"log\n9223372036854775808\n{'A' * 43}=\n",
        f"log\n{'9' * 30}\n{'A' * 43}=\n",
        f"\n5\n{'A' * 43}=\n",
        f"log\n5\n{'A' * 43}=",
        f"log\n5\n{'A' * 43}=\n\n",
        f"log\n5\n{'A' * 42}B=\n",
    ],
)
def test_a_checkpoint_written_in_another_way_is_refused(text: str) -> None:
    with pytest.raises(NoteMalformedError):
        parse_checkpoint(text.encode())


def test_extension_lines_of_a_checkpoint_are_passed_over() -> None:
    assert parse_checkpoint(checkpoint_text(HEAD) + b"more\n") == HEAD


@given(st.integers(0, 2**63 - 1))
def test_numbers_have_one_spelling(number: int) -> None:
    assert parse_decimal(str(number)) == number
    assert parse_decimal(f"0{number}") is None


@given(
    st.none() | st.binary(max_size=80),
    st.integers(0, 2**63 - 1),
    st.lists(st.binary(min_size=32, max_size=32), max_size=63),
)
def test_a_proof_reads_back(extra: bytes | None, position: int, steps: list[bytes]) -> None:
    note = SIGNER.sign(checkpoint_text(HEAD))
    assert parse_proof(write_proof(position, steps, note, extra)) == (extra, position, steps, note)


def test_a_proof_is_written_as_the_document_shows() -> None:
    note = SIGNER.sign(checkpoint_text(HEAD))
    lines = write_proof(7, [ROOT], note, b"salt").decode().split("\n")
    assert lines[:5] == [
        "c2sp.org/tlog-proof@v1",
        "extra c2FsdA==",
        "index 7",
        "AAECAwQFBgcICQoLDA0ODxAREhMUFRYXGBkaGxwdHh8=",
        "",
    ]
    assert lines[5:8] == checkpoint_text(HEAD).decode().split("\n")[:3]
    assert write_proof(0, [], note).startswith(b"c2sp.org/tlog-proof@v1\nindex 0\n\nkabao.example/log\n")


GOOD_PROOF = write_proof(7, [ROOT], SIGNER.sign(checkpoint_text(HEAD)), b"salt")
BAD_PROOFS = {
    "empty": b"",
    "other version": GOOD_PROOF.replace(b"@v1", b"@v2"),
    "no index": GOOD_PROOF.replace(b"index 7\n", b""),
    "index twice": GOOD_PROOF.replace(b"index 7\n", b"index 7\nindex 7\n"),
    "index padded": GOOD_PROOF.replace(b"index 7\n", b"index 07\n"),
    "extra after index": GOOD_PROOF.replace(b"extra c2FsdA==\nindex 7", b"index 7\nextra c2FsdA=="),
    "extra not base64": GOOD_PROOF.replace(b"c2FsdA==", b"c2FsdA"),
    "short hash": GOOD_PROOF.replace(b"AAECAwQFBgcICQoLDA0ODxAREhMUFRYXGBkaGxwdHh8=", b"AAECAw=="),
    "no blank line": GOOD_PROOF.replace(b"\n\n", b"\n"),
    "no checkpoint": GOOD_PROOF.partition(b"\n\n")[0] + b"\n\n",
    "unsigned checkpoint": GOOD_PROOF.partition(b"\n\n")[0] + b"\n\nlog\n",
    "carriage returns": GOOD_PROOF.replace(b"\n", b"\r\n"),
    "not UTF-8": b"\xff" + GOOD_PROOF,
    "header alone": b"c2sp.org/tlog-proof@v1\n\n" + SIGNER.sign(checkpoint_text(HEAD)),
    "too many hashes": write_proof(7, [ROOT] * 64, SIGNER.sign(checkpoint_text(HEAD))),
    "too long": GOOD_PROOF + NoteSignature("a", b"abcd", b"x" * 65_000).line,
}


@pytest.mark.parametrize("raw", BAD_PROOFS.values(), ids=BAD_PROOFS)
def test_a_proof_written_in_another_way_is_refused(raw: bytes) -> None:
    with pytest.raises(NoteMalformedError):
        parse_proof(raw)
