"""Small whole packs, made without the product: the ZIP by Python's zipfile, the log by a naive tree.

`sample()` gives a draft of a pack; change it as a test needs, then `bytes_of(draft)` fills in the manifest's list of
files, signs it and writes the ZIP. What was changed before signing is what a dishonest signer could do; what is changed
in the bytes is what anybody could do.
"""

import base64
import copy
import io
import json
import zipfile
import zlib
from collections.abc import Mapping
from dataclasses import dataclass, field, replace
from hashlib import sha256
from pathlib import Path
from typing import Any

from cryptography.hazmat.primitives.asymmetric.ed25519 import Ed25519PrivateKey

from kabao.packs import verify

STAMPS = Path(__file__).parent / "vectors" / "timestamps"


def canonical(value: Any) -> bytes:
    """Enough of RFC 8785 for ASCII keys."""
    return json.dumps(value, ensure_ascii=False, separators=(",", ":"), sort_keys=True).encode()


@dataclass(frozen=True)
class Key:
    """An Ed25519 key that signs notes, or as a witness."""

    name: str
    seed: bytes
    kind: int = 1

    @property
    def private(self) -> Ed25519PrivateKey:
        return Ed25519PrivateKey.from_private_bytes(self.seed)

    @property
    def public(self) -> bytes:
        return self.private.public_key().public_bytes_raw()

    @property
    def number(self) -> bytes:
        return sha256(self.name.encode() + b"\n" + bytes([self.kind]) + self.public).digest()[:4]

    @property
    def text(self) -> str:
        return f"{self.name}+{self.number.hex()}+{base64.b64encode(bytes([self.kind]) + self.public).decode()}"

    def line(self, signature: bytes) -> str:
        return f"— {self.name} {base64.b64encode(self.number + signature).decode()}\n"

    def note(self, text: str) -> bytes:
        return f"{text}\n{self.line(self.private.sign(text.encode()))}".encode()

    def cosignature(self, text: str, at: int) -> str:
        signed = f"cosignature/v1\ntime {at}\n{text}".encode()
        return self.line(at.to_bytes(8, "big") + self.private.sign(signed))


SIGNER = Key("kabao.example/pack", b"\x01" * 32)
LOG = Key("kabao.example/log", b"\x02" * 32)
WITNESS = Key("witness.example/w1", b"\x03" * 32, 4)
STRANGER = Key("kabao.example/pack", b"\x04" * 32)


def leaf_hash(entry: bytes) -> bytes:
    return sha256(b"\x00" + entry).digest()


def root_hash(entries: list[bytes]) -> bytes:
    """RFC 6962, 2.1, word by word."""
    if not entries:
        return sha256(b"").digest()
    if len(entries) == 1:
        return leaf_hash(entries[0])
    split = _split(len(entries))
    return sha256(b"\x01" + root_hash(entries[:split]) + root_hash(entries[split:])).digest()


def path_to(index: int, entries: list[bytes]) -> list[bytes]:
    """RFC 6962, 2.1.1, word by word."""
    if len(entries) == 1:
        return []
    split = _split(len(entries))
    if index < split:
        return [*path_to(index, entries[:split]), root_hash(entries[split:])]
    return [*path_to(index - split, entries[split:]), root_hash(entries[:split])]


def _split(count: int) -> int:
    split = 1
    while 2 * split < count:
        split *= 2
    return split


@dataclass
class Draft:
    """A pack before it is signed: the manifest without its list of files, and the files by name."""

    manifest: dict[str, Any]
    files: dict[str, bytes]
    roles: dict[str, str]
    signer: Key = SIGNER
    entries: list[bytes] = field(default_factory=list)
    """The whole log the proofs are taken from."""

    def copy(self) -> "Draft":
        return replace(self, manifest=copy.deepcopy(self.manifest), files=dict(self.files), roles=dict(self.roles))

    def add(self, name: str, content: bytes, role: str) -> None:
        self.files[name] = content
        self.roles[name] = role

    def drop(self, name: str) -> None:
        del self.files[name], self.roles[name]


def manifest_bytes(draft: Draft) -> bytes:
    listed = [
        {
            "name": name,
            "size": len(content),
            "crc32": f"{zlib.crc32(content):08x}",
            "sha256": sha256(content).hexdigest(),
            "role": draft.roles[name],
        }
        for name, content in sorted(draft.files.items())
    ]
    return canonical({"files": listed, **draft.manifest})


def signature_of(manifest: bytes, signer: Key) -> bytes:
    return signer.note(f"kabao-pack/1\n{sha256(manifest).hexdigest()}\n")


def entries_of(draft: Draft) -> dict[str, bytes]:
    """Every entry in its order, the two of the manifest first."""
    manifest = manifest_bytes(draft)
    head = {"manifest.json": manifest, "manifest.sig": signature_of(manifest, draft.signer)}
    return {**head, **dict(sorted(draft.files.items()))}


def zip_of(entries: Mapping[str, bytes]) -> bytes:
    """The canonical ZIP of these entries in this order, by Python's own writer."""
    target = io.BytesIO()
    with zipfile.ZipFile(target, "w", zipfile.ZIP_STORED) as archive:
        for name, content in entries.items():
            archive.writestr(entry_of(name), content)
    return target.getvalue()


def entry_of(name: str) -> zipfile.ZipInfo:
    entry = zipfile.ZipInfo(name, (1980, 1, 1, 0, 0, 0))
    entry.create_system, entry.create_version, entry.extract_version = 3, 20, 20
    entry.external_attr = 0o100644 << 16
    return entry


def bytes_of(draft: Draft) -> bytes:
    return zip_of(entries_of(draft))


def body_of(number: int, kind: str, content: dict[str, Any]) -> bytes:
    return canonical(
        {
            "v": 1,
            "kind": kind,
            "order": "7-1H8K",
            "at": f"2026-11-24T20:{number:02}:00.000001Z",
            "by": "buyer",
            "content": content,
        }
    )


PICTURE = b"\x89PNG\r\n\x1a\n a picture of a payment"
VIDEO = b"\x00\x00\x00\x18ftypmp42 a recording of the screen"
LETTER = "尊敬的商家：卡密提示已被使用。".encode()


def sample(*, stamps: Mapping[str, tuple[bytes, bytes]] | None = None, others: int = 5) -> Draft:
    """A pack of a case with everything: an original, a preview, a withheld item, records with and without bodies.

    `stamps` gives timestamps over the checkpoint by authority: response and roots. `others` entries of other orders
    stand in the log before, between and after.
    """
    preview = b"\x89PNG\r\n\x1a\n a small picture of a recording"
    bodies: list[tuple[str, bytes]] = [
        ("order_event", body_of(1, "order_event", {"event": "placed", "title": "月卡 30 天"})),
        ("evidence_item", body_of(2, "evidence_item", _told(PICTURE, "付款截图.png", "image/png"))),
        ("message", body_of(3, "message", {"text": "卡密提示已被使用\n请退款"})),
        (
            "evidence_item",
            body_of(4, "evidence_item", {**_told(VIDEO, "录屏.mp4", "video/mp4"), "preview_sha256": _hex(preview)}),
        ),
        ("evidence_item", body_of(5, "evidence_item", _told(LETTER, "信.txt", "text/plain"))),
        ("case_event", body_of(6, "case_event", {"event": "ruled"})),
    ]
    draft = Draft(_manifest(), {}, {})
    draft.add("items/001.png", PICTURE, "item")
    draft.add("previews/002.png", preview, "preview")
    draft.manifest["items"] = [
        _item(1, PICTURE, "付款截图.png", "image/png", record=2, file="items/001.png", shown="original"),
        _item(2, VIDEO, "录屏.mp4", "video/mp4", record=4, file="previews/002.png", shown="preview"),
        _item(3, LETTER, "信.txt", "text/plain", record=5, file=None, shown="withheld"),
    ]
    log_records(draft, bodies, withheld={5}, others=others)
    for authority, (response, roots) in (stamps or {}).items():
        add_stamp(draft, authority, response, roots)
    draft.add("index.html", "<!doctype html><title>证据包</title>".encode(), "index")
    draft.add("pack.pdf", b"%PDF-1.7 a paper", "paper")
    draft.add("ruling/ruling.json", canonical({"outcome": "refund"}), "ruling")
    draft.add("documents/listing.json", canonical({"title": "月卡"}), "document")
    draft.add("verify.py", Path(verify.__file__).read_bytes(), "verifier")
    draft.add("VERIFY.txt", "怎样核验".encode(), "guide")
    draft.add("keys/signer.pem", pem_of(SIGNER), "key")
    draft.add("keys/log.pem", pem_of(LOG), "key")
    count(draft)
    return draft


def log_records(
    draft: Draft,
    bodies: list[tuple[str, bytes]],
    *,
    withheld: set[int],
    others: int = 5,
    salts: Mapping[int, bytes] | None = None,
) -> None:
    """Put records into a log of their own among `others` entries, and their proofs into the draft.

    `salts` gives some of them, by the records' numbers.
    """
    own = {number: sha256(f"salt {number - 1}".encode()).digest() for number in range(1, len(bodies) + 1)}
    given = {**own, **(salts or {})}
    commitments = [sha256(salt + body).digest() for salt, (_, body) in zip(given.values(), bodies, strict=True)]
    strange = [sha256(f"other {number}".encode()).digest() for number in range(others)]
    draft.entries = [*strange[: others // 2], *commitments, *strange[others // 2 :]]
    note = LOG.note(checkpoint_text(draft.entries))
    size = len(draft.entries)
    draft.manifest["records"] = []
    for number, ((kind, body), salt, commitment) in enumerate(zip(bodies, given.values(), commitments, strict=True), 1):
        place = others // 2 + number - 1
        is_shown = number not in withheld
        extra = [f"extra {base64.b64encode(salt).decode()}"] if is_shown else []
        path = [base64.b64encode(one).decode() for one in path_to(place, draft.entries)]
        lines = ["c2sp.org/tlog-proof@v1", *extra, f"index {place}", *path, "", ""]
        names = f"records/{number:06}.json", f"proofs/{number:06}.tlog-proof"
        if is_shown:
            draft.add(names[0], body, "record")
        draft.add(names[1], "\n".join(lines).encode() + note, "proof")
        draft.manifest["records"].append(
            {
                "no": number,
                "kind": kind,
                "commitment": commitment.hex(),
                "body": names[0] if is_shown else None,
                "proof": names[1],
            }
        )
    draft.add(f"checkpoints/{size}.txt", note, "checkpoint")
    draft.add(
        f"checkpoints/{size}.witnesses", WITNESS.cosignature(checkpoint_text(draft.entries), AT).encode(), "witnesses"
    )
    draft.manifest["checkpoints"] = [
        {"file": f"checkpoints/{size}.txt", "witnesses": f"checkpoints/{size}.witnesses", "timestamps": []}
    ]


AT = 1_795_554_000
"""When the witness cosigned, POSIX seconds."""


def checkpoint_text(entries: list[bytes], origin: str = LOG.name) -> str:
    return f"{origin}\n{len(entries)}\n{base64.b64encode(root_hash(entries)).decode()}\n"


def checkpoint_of(draft: Draft) -> bytes:
    return draft.files[draft.manifest["checkpoints"][0]["file"]]


def add_stamp(draft: Draft, authority: str, response: bytes, roots: bytes) -> None:
    """Add a timestamp over the draft's first checkpoint."""
    size = len(draft.entries)
    names = f"timestamps/{size}-{authority}.tsr", f"authorities/{authority}.pem"
    draft.add(names[0], response, "timestamp")
    draft.add(names[1], roots, "authority")
    draft.manifest["checkpoints"][0]["timestamps"].append({"authority": authority, "file": names[0], "roots": names[1]})


def count(draft: Draft) -> None:
    """Fill in `parts`, and say that timestamps are absent where there are none."""
    value = draft.manifest
    value["parts"] = {
        "items": len(value["items"]),
        "records": len(value["records"]),
        "proofs": sum(record["proof"] is not None for record in value["records"]),
        "checkpoints": len(value["checkpoints"]),
        "timestamps": sum(len(point["timestamps"]) for point in value["checkpoints"]),
        "ruling": int("ruling/ruling.json" in draft.files),
    }
    told = {one["part"] for one in value["absent"]}
    for part in ("records", "proofs", "checkpoints", "timestamps"):
        if value["parts"][part] == 0 and part not in told:
            value["absent"].append({"part": part, "why": "这个包里没有"})


def pem_of(key: Key) -> bytes:
    from cryptography.hazmat.primitives.serialization import Encoding, PublicFormat  # noqa: PLC0415

    return key.private.public_key().public_bytes(Encoding.PEM, PublicFormat.SubjectPublicKeyInfo)


def _manifest() -> dict[str, Any]:
    return {
        "format": "kabao-pack/1",
        "variant": "redacted",
        "about": {"order": "7-1H8K", "case": "7-1H8M", "title": "月卡 30 天"},
        "made_at": "2026-11-24T21:00:00Z",
        "signer": SIGNER.text,
        "log": {"origin": LOG.name, "key": LOG.text},
        "parts": {},
        "items": [],
        "records": [],
        "checkpoints": [],
        "absent": [],
    }


def _item(no: int, content: bytes, name: str, media_type: str, **more: Any) -> dict[str, Any]:
    return {"no": no, "name": name, "media_type": media_type, "size": len(content), "sha256": _hex(content), **more}


def _told(content: bytes, name: str, media_type: str) -> dict[str, Any]:
    return {"sha256": _hex(content), "name": name, "media_type": media_type, "size": len(content)}


def _hex(content: bytes) -> str:
    return sha256(content).hexdigest()
