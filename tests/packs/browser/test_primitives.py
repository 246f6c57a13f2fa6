"""What the page's verifier computes by itself: SHA-256 in pieces, Ed25519, the headers of large ZIPs, times."""

import base64
import random
from hashlib import sha256

import pytest
from cryptography.hazmat.primitives.asymmetric.ed25519 import Ed25519PrivateKey

from kabao.packs import verify
from packbuilder import path_to, root_hash

from .conftest import Laboratory

pytestmark = pytest.mark.browser

HASHED = """async (cases) => {
  const { Sha256 } = await import('/static/verify/sha256.js');
  const { hex } = await import('/static/verify/bytes.js');
  return cases.map(([letters, sizes]) => {
    const bytes = Uint8Array.from(atob(letters), (letter) => letter.charCodeAt(0));
    const hash = new Sha256();
    let at = 0;
    for (const size of sizes) hash.update(bytes.subarray(at, at += size));
    return hex(hash.update(bytes.subarray(at)).digest());
  });
}"""

SIGNED = """async (cases) => {
  const { verifies } = await import('/static/verify/ed25519.js');
  const bytes = (pairs) => Uint8Array.from(pairs.match(/../g) || [], (pair) => parseInt(pair, 16));
  const said = [];
  for (const parts of cases) {
    const [key, signature, message] = parts.map(bytes);
    said.push([await verifies(key, signature, message), await verifies(key, signature, message, true)]);
  }
  return said;
}"""

# RFC 8032, 7.1: key, message, signature.
VECTORS = [
    (
        "d75a980182b10ab7d54bfed3c964073a0ee172f3daa62325af021a68f707511a",
        "",
        "e5564300c360ac729086e2cc806e828a84877f1eb8e5d974d873e065224901555fb8821590a33bacc61e39701cf9b46bd25bf5f0595bbe24655141438e7a100b",
    ),
    (
        "3d4017c3e843895a92b70aa74d1b7ebc9c982ccf2ec4968cc0cd55f12af4660c",
        "72",
        "92a009a9f0d4cab8720e820b5f642540a2b27b5416503f8fb3762223ebdb69da085ac1e43e15996e458f3613d0f11d8c387b2eaeb4302aeeb00d291612bb0c00",
    ),
    (
        "fc51cd8e6218a1a38da47ed00230f0580816ed13ba3303ac5deb911548908025",
        "af82",
        "6291d657deec24024827e69c3abe01a30ce548a284743a445e3680d7db5ac3ac18ff9b538d16f290ae67f760984dc6594a7c15e9716ed28dc027beceea1ec40a",
    ),
]
ORDER = 2**252 + 27742317777372353535851937790883648493
NEUTRAL = (1).to_bytes(32, "little")


def test_pieces_of_any_size_make_the_same_digest(laboratory: Laboratory) -> None:
    chance, cases, due = random.Random(3), [], []  # noqa: S311  the same bytes every time
    for length in [*range(140), 4096, 70_000]:
        content = chance.randbytes(length)
        sizes = [chance.randrange(1, 150) for _ in range(chance.randrange(6))]
        cases.append([base64.b64encode(content).decode(), sizes])
        due.append(sha256(content).hexdigest())
    assert laboratory.run(HASHED, cases) == due


def test_the_vectors_of_the_rfc_hold_with_and_without_the_browsers_own(laboratory: Laboratory) -> None:
    cases = [[key, signature, message] for key, message, signature in VECTORS]
    assert laboratory.run(SIGNED, cases) == [[True, True]] * len(cases)


def test_only_the_one_right_spelling_of_a_signature_holds(laboratory: Laboratory) -> None:
    """Larger S, points in another spelling, keys of small order: what some libraries take and others do not."""
    private = Ed25519PrivateKey.from_private_bytes(b"\x07" * 32)
    key, message = private.public_key().public_bytes_raw(), b"kabao"
    signature = private.sign(message)
    larger = (int.from_bytes(signature[32:], "little") + ORDER).to_bytes(32, "little")
    field_prime = 2**255 - 19
    cases = [
        (key, signature[:32] + larger, message),
        (key, signature[:-1], message),
        (key, signature + b"\0", message),
        (key[:-1], signature, message),
        (key, signature, message + b"!"),
        (bytes([key[0] ^ 1]) + key[1:], signature, message),
        (NEUTRAL, NEUTRAL + bytes(32), message),
        (bytes(32), NEUTRAL + bytes(32), message),
        ((field_prime + 1).to_bytes(32, "little"), NEUTRAL + bytes(32), message),
        (key, field_prime.to_bytes(32, "little") + signature[32:], message),
        (NEUTRAL[:-1] + b"\x80", signature, message),
        (b"\x02" + bytes(31), signature, message),
        *((key, bytes(b ^ (at == i) for i, b in enumerate(signature)), message) for at in range(64)),
    ]
    given = [[part.hex() for part in case] for case in cases]
    assert laboratory.run(SIGNED, given) == [[False, False]] * len(cases)
    assert not any(verify.ed25519_holds(key, message, signature) for key, signature, message in cases)


def test_headers_beyond_four_gigabytes_are_written_alike(laboratory: Laboratory) -> None:
    """No test writes such a file; where the numbers no longer fit, the form has to be right all the same."""
    places = [0, 1, 0xFFFF_FFFE, 0xFFFF_FFFF, 0x1_0000_0000, 5_000_000_000_000]
    ends = [
        (count, size, offset)
        for count in (3, 0xFFFE, 0xFFFF, 0x10000)
        for size in (100, 0xFFFF_FFFE, 0xFFFF_FFFF)
        for offset in places
    ]
    script = """async ({ places, ends }) => {
      const { centralHeader, endRecords, localHeader } = await import('/static/verify/zip.js');
      const { hex } = await import('/static/verify/bytes.js');
      const entry = { name: 'items/001.png', crc32: 0xfedcba98, size: 0xfffffffe };
      const found = [...places.map((at) => centralHeader(entry, at)), ...ends.map((end) => endRecords(...end))];
      return [localHeader(entry), ...found].map(hex);
    }"""
    entry = ("items/001.png", 0xFEDCBA98, 0xFFFF_FFFE)
    due = [verify.local_header(*entry)]
    due += [verify.central_header(*entry, at) for at in places]
    due += [verify.end_records(*end) for end in ends]
    found = laboratory.run(script, {"places": places, "ends": [list(end) for end in ends]})
    assert found == [one.hex() for one in due]


def test_every_place_of_every_small_log_is_proved_and_no_other(laboratory: Laboratory) -> None:
    entries = [sha256(bytes([number])).digest() for number in range(20)]
    cases, due = [], []
    for size in range(1, len(entries) + 1):
        root = root_hash(entries[:size])
        for index in range(size):
            path = path_to(index, entries[:size])
            leaf = sha256(b"\0" + entries[index]).hexdigest()
            for place, proof in [(index, path), (index + 1, path), (index, path[:-1]), (index, [*path, root])]:
                cases.append([leaf, place, size, [one.hex() for one in proof]])
                root_found = verify.root_of(bytes.fromhex(leaf), place, size, proof)
                due.append(root_found == root)
    script = """async ({ cases, roots }) => {
      const { rootOf } = await import('/static/verify/note.js');
      const { hex, unhex } = await import('/static/verify/bytes.js');
      return cases.map(([leaf, index, size, path]) => {
        const root = rootOf(unhex(leaf, 32), index, size, path.map((one) => unhex(one, 32)));
        return root !== null && hex(root) === roots[size];
      });
    }"""
    roots = [root_hash(entries[:size]).hex() for size in range(len(entries) + 1)]
    found = laboratory.run(script, {"cases": cases, "roots": roots})
    assert found == due
    assert due.count(True) >= len(entries) * (len(entries) + 1) // 2
