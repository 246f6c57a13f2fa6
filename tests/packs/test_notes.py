"""Signatures, keys, notes and trees, by published vectors and by implementations that are not the verifier's."""

import base64
from hashlib import sha256

import pytest
from cryptography.exceptions import InvalidSignature
from cryptography.hazmat.primitives.asymmetric.ed25519 import Ed25519PrivateKey, Ed25519PublicKey
from hypothesis import given
from hypothesis import strategies as st

from kabao.packs import verify
from kabao.tlog import merkle, notes, proofs
from packbuilder import LOG, SIGNER, WITNESS, leaf_hash, path_to, pem_of, root_hash

RFC_8032 = [
    (
        "d75a980182b10ab7d54bfed3c964073a0ee172f3daa62325af021a68f707511a",
        "",
        (
            "e5564300c360ac729086e2cc806e828a84877f1eb8e5d974d873e065224901555fb8821590a33bacc61e39701cf9b46bd25bf5f0595bbe24"
            "655141438e7a100b"
        ),
    ),
    (
        "3d4017c3e843895a92b70aa74d1b7ebc9c982ccf2ec4968cc0cd55f12af4660c",
        "72",
        (
            "92a009a9f0d4cab8720e820b5f642540a2b27b5416503f8fb3762223ebdb69da085ac1e43e15996e458f3613d0f11d8c387b2eaeb4302aee"
            "b00d291612bb0c00"
        ),
    ),
    (
        "fc51cd8e6218a1a38da47ed00230f0580816ed13ba3303ac5deb911548908025",
        "af82",
        (
            "6291d657deec24024827e69c3abe01a30ce548a284743a445e3680d7db5ac3ac18ff9b538d16f290ae67f760984dc6594a7c15e9716ed28d"
            "c027beceea1ec40a"
        ),
    ),
]
SMALL_ORDER = [
    "0100000000000000000000000000000000000000000000000000000000000000",
    "ecffffffffffffffffffffffffffffffffffffffffffffffffffffffffffff7f",
    "0000000000000000000000000000000000000000000000000000000000000000",
    "0000000000000000000000000000000000000000000000000000000000000080",
    "c7176a703d4dd84fba3c0b760d10670f2a2053fa2c39ccc64ec7fd7792ac037a",
    "26e8958fc2b227b045c3f489f2ef98f0d5dfac05d3c63339b13802886d53fc05",
]
NOT_POINTS = [
    "edffffffffffffffffffffffffffffffffffffffffffffffffffffffffffff7f",  # y = p, another spelling of 0
    "eeffffffffffffffffffffffffffffffffffffffffffffffffffffffffffff7f",  # y = p + 1, another spelling of 1
    "0100000000000000000000000000000000000000000000000000000000000080",  # x = 0 with a sign
    "0200000000000000000000000000000000000000000000000000000000000000",  # on no point
]


@pytest.mark.parametrize(("key", "message", "signature"), RFC_8032)
def test_the_vectors_of_rfc_8032_hold(key: str, message: str, signature: str) -> None:
    raw = bytes.fromhex(signature)
    assert verify.ed25519_holds(bytes.fromhex(key), bytes.fromhex(message), raw)
    assert not verify.ed25519_holds(bytes.fromhex(key), bytes.fromhex(message) + b"!", raw)


def test_a_signature_with_another_s_of_the_same_meaning_is_refused() -> None:
    key, message, signature = (bytes.fromhex(part) for part in RFC_8032[2])
    for times in (1, 2, 8):
        s = int.from_bytes(signature[32:], "little") + times * verify.L
        if s < 1 << 256:
            assert not verify.ed25519_holds(key, message, signature[:32] + s.to_bytes(32, "little"))
    for wrong in (signature[:-1], signature + b"\0", b""):
        assert not verify.ed25519_holds(key, message, wrong)


@pytest.mark.parametrize("encoded", [*SMALL_ORDER, *NOT_POINTS])
def test_keys_that_would_sign_anything_or_are_no_points_are_refused(encoded: str) -> None:
    key = bytes.fromhex(encoded)
    for r in (bytes.fromhex(SMALL_ORDER[0]), key):
        for message in range(8):
            assert not verify.ed25519_holds(key, bytes((message,)), r + bytes(32))
    assert not verify.ed25519_holds(key[:-1], b"", bytes(64))


@given(seed=st.binary(min_size=32, max_size=32), message=st.binary(max_size=200), bit=st.integers(0, 511))
def test_signatures_of_another_implementation_hold_and_altered_ones_do_not(
    seed: bytes, message: bytes, bit: int
) -> None:
    private = Ed25519PrivateKey.from_private_bytes(seed)
    public, signature = private.public_key().public_bytes_raw(), private.sign(message)
    assert verify.ed25519_holds(public, message, signature)
    altered = bytearray(signature)
    altered[bit // 8] ^= 1 << bit % 8
    assert not verify.ed25519_holds(public, message, bytes(altered))
    with pytest.raises(InvalidSignature):
        Ed25519PublicKey.from_public_bytes(public).verify(bytes(altered), message)


def test_a_key_is_written_for_openssl_as_openssl_writes_it() -> None:
    assert verify.ed25519_pem(SIGNER.public) == pem_of(SIGNER)


EXAMPLE_NOTE = (
    "Ognuno sta solo sul cuor della terra\ntrafitto da un raggio di sole:\n\ned è subito sera.\n\n"
    "— quasimodo.example/salvatore NnugSzTjtVAewIS+Z/iJhUPeFDkO/5QQ2i5ddnGITLlC+EhfLW9oJKONrMouFSQU0xMcXxj99ihAQwaqP3"
    "ZekRwNtIc=\n"
)


def test_the_shape_of_the_example_of_signed_note_is_read() -> None:
    """Its document gives no key, so its signature is found not to be by a key of that name and id."""
    raw = base64.b64decode(EXAMPLE_NOTE.rpartition(" ")[2])
    key = verify.VerifierKey("quasimodo.example/salvatore", verify.NOTE_KEY, raw[:4], bytes(32))
    with pytest.raises(verify.WrongError, match="the signature is invalid"):
        verify.open_note(EXAMPLE_NOTE.encode(), key)
    with pytest.raises(verify.WrongError, match="not signed by"):
        verify.open_note(EXAMPLE_NOTE.encode(), verify.read_verifier_key(SIGNER.text))


@pytest.mark.parametrize(
    "text",
    [
        "",
        "name",
        SIGNER.text + "=",
        SIGNER.text[:-1],
        SIGNER.text.replace("+", "-"),
        SIGNER.text.replace("kabao", "other"),
        SIGNER.text.upper(),
        f" {SIGNER.text}",
        f"{SIGNER.text}\n",
        WITNESS.text,
        "a b+" + SIGNER.text.partition("+")[2],
    ],
)
def test_a_verifier_key_has_one_spelling(text: str) -> None:
    assert verify.read_verifier_key(SIGNER.text).key == SIGNER.public
    with pytest.raises(verify.WrongError):
        verify.read_verifier_key(text)


@pytest.mark.parametrize("text", ["AA", "AB==", "A===", "AA== ", "AA==\n", "=A==", "ÄA==", "AA==AA=="])
def test_base64_has_one_spelling(text: str) -> None:
    assert verify.strict_base64("AA==") == b"\0"
    with pytest.raises(verify.WrongError):
        verify.strict_base64(text)


def test_every_place_of_small_trees_is_proven_and_no_other() -> None:
    """The naive tree of RFC 6962's own words, for every size up to twenty."""
    for size in range(1, 21):
        entries = [bytes((number,)) for number in range(size)]
        root = root_hash(entries)
        for index in range(size):
            path = path_to(index, entries)
            leaf = leaf_hash(entries[index])
            assert verify.root_of(leaf, index, size, path) == root
            for other in {index - 1, index + 1, index ^ 1} - {index}:
                assert verify.root_of(leaf, other, size, path) != root
            assert verify.root_of(leaf, index, size, [*path, bytes(32)]) is None
            assert size == 1 or verify.root_of(leaf, index, size, path[:-1]) is None
            assert verify.root_of(leaf_hash(b"else"), index, size, path) != root
    assert verify.root_of(bytes(32), 0, 0, []) is None
    assert verify.root_of(bytes(32), -1, 5, []) is None


def test_roots_of_the_certificate_transparency_test_tree_are_led_to() -> None:
    """The eight leaves and roots that Certificate Transparency's implementations test with."""
    leaves = ["", "00", "10", "2021", "3031", "40414243", "5051525354555657", "606162636465666768696a6b6c6d6e6f"]
    entries = [bytes.fromhex(leaf) for leaf in leaves]
    root = bytes.fromhex("5dc9da79a70659a9ad559cb701ded9a2ab9d823aad2f4960cfe370eff4604328")
    assert root_hash(entries) == root
    for index in range(8):
        assert verify.root_of(leaf_hash(entries[index]), index, 8, path_to(index, entries)) == root


@given(size=st.integers(1, 200), place=st.integers(0, 199), extra=st.none() | st.binary(min_size=32, max_size=32))
def test_what_the_public_log_hands_out_is_read_the_same_way(size: int, place: int, extra: bytes | None) -> None:
    place %= size
    entries = [sha256(bytes((number,))).digest() for number in range(size)]
    signer = notes.NoteSigner(LOG.name, LOG.seed)
    head = notes.TreeHead(LOG.name, size, root_hash(entries))
    note = signer.sign(notes.checkpoint_text(head))
    proof = verify.read_proof(proofs.write_proof(place, path_to(place, entries), note, extra))
    assert (proof.extra, proof.place, proof.note) == (extra, place, note)
    text = verify.open_note(note, verify.read_verifier_key(signer.key.text))
    checkpoint = verify.read_checkpoint(text)
    assert checkpoint == (LOG.name, size, root_hash(entries))
    assert verify.root_of(leaf_hash(entries[place]), place, size, proof.path) == checkpoint.root
    assert merkle.HASH_BYTES == verify.HASH_BYTES


def test_a_cosignature_tells_its_time() -> None:
    text = "kabao.example/log\n1\n" + base64.b64encode(bytes(32)).decode() + "\n"
    key = verify.read_verifier_key(WITNESS.text, verify.WITNESS_KEY)
    ((name, raw),) = verify.read_signature_lines(WITNESS.cosignature(text, 1679315147))
    assert (name, verify.cosignature_time(raw, text, key)) == (WITNESS.name, 1679315147)
    for wrong in (raw[:-1], raw[:5] + b"\1" + raw[6:], raw[:4] + b"\xff" * 8 + raw[12:]):
        with pytest.raises(verify.WrongError):
            verify.cosignature_time(wrong, text, key)
