"""Writes packs: names every file, measures it, signs the manifest, and streams everything into one canonical ZIP.

The headers come from the verifier, so that both have one form; contents are read twice, once to measure and once to
write, and a content that changed in between is refused. Nothing is ever held whole but records, proofs and the like.
"""

import hashlib
import os
import secrets
import zlib
from collections.abc import Iterable, Iterator, Mapping
from contextlib import contextmanager
from datetime import timedelta
from itertools import chain
from pathlib import Path
from typing import IO, Any, Final, NamedTuple

from kabao.kernel.canonical import canonical_bytes
from kabao.packs import verify
from kabao.packs.guide import guide_of
from kabao.packs.model import (
    PackContent,
    PackItem,
    PackRecord,
    Source,
    item_file,
    proof_file,
    record_file,
    stamp_files,
)
from kabao.packs.signer import PackSigner

CHUNK: Final = 1 << 20
FAULTS_TOLD: Final = 5
VERIFIER: Final = Path(verify.__file__)
PARTS: Final = ("items", "records", "proofs", "checkpoints", "timestamps", "ruling")


class PackRefusedError(ValueError):
    """The values do not make a pack: parts that do not go together, a file too large, one that changed meanwhile."""


class _Placed(NamedTuple):
    role: str
    source: Source


class _Measured(NamedTuple):
    name: str
    role: str
    source: Source
    size: int
    crc32: int
    sha256: str


def write_pack(target: Path, content: PackContent, signer: PackSigner) -> None:
    """Write a pack, whole or not at all: to a file beside the target, made durable, then given its name.

    The same content and signer always give the same bytes. Blocks while it reads and writes. The file can be read by
    its owner alone. Raises PackRefusedError, and OSError where the disk fails.
    """
    try:
        files = sorted(_files_of(content, signer).items())
    except verify.WrongError as wrong:
        raise PackRefusedError(f"a key, a proof or a timestamp cannot be read: {wrong}") from wrong
    measured = [_measure(name, placed) for name, placed in files]
    manifest = canonical_bytes(_manifest_of(content, signer, measured))
    _, faults = verify.read_manifest(manifest)
    if faults:
        raise PackRefusedError("; ".join(fault.line(english=True) for fault in faults[:FAULTS_TOLD]))
    signature = signer.note(f"{verify.FORMAT}\n{hashlib.sha256(manifest).hexdigest()}\n")
    head = [
        _measure(verify.MANIFEST, _Placed("", manifest)),
        _measure(verify.SIGNATURE, _Placed("", signature)),
    ]
    part = target.with_name(f".{target.name}.{secrets.token_hex(8)}.part")
    with _removed_on_failure(part):
        with os.fdopen(os.open(part, os.O_WRONLY | os.O_CREAT | os.O_EXCL | os.O_CLOEXEC, 0o600), "wb") as file:
            _write_zip(file, [*head, *measured])
            file.flush()
            os.fsync(file.fileno())
        part.replace(target)
    _make_name_durable(target.parent)


@contextmanager
def _removed_on_failure(part: Path) -> Iterator[None]:
    try:
        yield
    except BaseException:
        part.unlink(missing_ok=True)
        raise


def _make_name_durable(folder: Path) -> None:
    descriptor = os.open(folder, os.O_RDONLY | os.O_DIRECTORY | os.O_CLOEXEC)
    try:
        os.fsync(descriptor)
    finally:
        os.close(descriptor)


def _files_of(content: PackContent, signer: PackSigner) -> dict[str, _Placed]:
    """Name every file of the pack but the two of the manifest."""
    placed: dict[str, _Placed] = {}
    for name, one in chain(
        _item_files(content),
        _record_files(content),
        _log_files(content),
        ((file.name, _Placed(file.role, file.source)) for file in content.files),
        _own_files(content, signer),
    ):
        if placed.setdefault(name, one) != one:
            raise PackRefusedError(f"two files would be called {name}")
    return placed


def _item_files(content: PackContent) -> Iterator[tuple[str, _Placed]]:
    for item in content.items:
        name = item_file(item)
        if (name is None) is not (item.source is None):
            raise PackRefusedError(f"item {item.no} is {item.shown} and its content does not go with that")
        if name is not None and item.source is not None:
            yield name, _Placed("preview" if item.shown == "preview" else "item", item.source)


def _record_files(content: PackContent) -> Iterator[tuple[str, _Placed]]:
    for record in content.records:
        if record.body is not None:
            yield record_file(record.no), _Placed("record", record.body)
        if record.proof is not None:
            yield proof_file(record.no), _Placed("proof", record.proof)


def _log_files(content: PackContent) -> Iterator[tuple[str, _Placed]]:
    for point in content.checkpoints:
        yield f"checkpoints/{point.size}.txt", _Placed("checkpoint", point.note)
        if point.witnesses is not None:
            yield f"checkpoints/{point.size}.witnesses", _Placed("witnesses", point.witnesses)
    for stamp in stamp_files(content.checkpoints):
        yield stamp.file, _Placed("timestamp", stamp.stamp.response)
        yield stamp.roots, _Placed("authority", stamp.stamp.roots_pem)


def _own_files(content: PackContent, signer: PackSigner) -> Iterator[tuple[str, _Placed]]:
    """Give what the writer adds: keys, the verifier, the guide."""
    yield "keys/signer.pem", _Placed("key", signer.pem)
    if content.log is not None:
        yield "keys/log.pem", _Placed("key", verify.ed25519_pem(verify.read_verifier_key(content.log.key).key))
    verifier = VERIFIER.read_bytes()
    guide = guide_of(content, signer.verifier_key, hashlib.sha256(verifier).hexdigest())
    yield VERIFIER.name, _Placed("verifier", verifier)
    yield "VERIFY.txt", _Placed("guide", guide.encode())


def _measure(name: str, placed: _Placed) -> _Measured:
    if isinstance(placed.source, Path):
        _refuse_large(name, placed.source.stat().st_size)  # before it is read for minutes
    size, crc32, digest = 0, 0, hashlib.sha256()
    for chunk in _chunks(placed.source):
        size += len(chunk)
        crc32 = zlib.crc32(chunk, crc32)
        digest.update(chunk)
    _refuse_large(name, size)
    return _Measured(name, placed.role, placed.source, size, crc32, digest.hexdigest())


def _refuse_large(name: str, size: int) -> None:
    if size > verify.ENTRY_LIMIT:
        raise PackRefusedError(f"{name} is larger than 4 GiB")


def _chunks(source: Source) -> Iterator[bytes]:
    if isinstance(source, bytes):
        yield source
    elif isinstance(source, Path):
        with source.open("rb") as file:
            while chunk := file.read(CHUNK):
                yield chunk
    else:
        yield from source()


def _write_zip(file: IO[bytes], entries: Iterable[_Measured]) -> None:
    offset, count, directory = 0, 0, bytearray()
    for entry in entries:
        header = verify.local_header(entry.name, entry.crc32, entry.size)
        file.write(header)
        written, digest = 0, hashlib.sha256()
        for chunk in _chunks(entry.source):
            written += len(chunk)
            if written > entry.size:
                break
            digest.update(chunk)
            file.write(chunk)
        if written != entry.size or digest.hexdigest() != entry.sha256:
            raise PackRefusedError(f"{entry.name} changed while the pack was written")
        directory += verify.central_header(entry.name, entry.crc32, entry.size, offset)
        offset += len(header) + entry.size
        count += 1
    file.write(directory)
    file.write(verify.end_records(count, len(directory), offset))


def _manifest_of(content: PackContent, signer: PackSigner, files: list[_Measured]) -> dict[str, Any]:
    stamps = stamp_files(content.checkpoints)
    counted = (
        len(content.items),
        len(content.records),
        sum(record.proof is not None for record in content.records),
        len(content.checkpoints),
        len(stamps),
        int(any(file.name == "ruling/ruling.json" for file in files)),
    )
    return {
        "format": verify.FORMAT,
        "variant": content.variant,
        "about": {"order": content.order, "case": content.case, "title": content.title},
        "made_at": _second(content),
        "signer": signer.verifier_key,
        "log": None if content.log is None else {"origin": content.log.origin, "key": content.log.key},
        "parts": dict(zip(PARTS, counted, strict=True)),
        "files": [
            {"name": one.name, "size": one.size, "crc32": f"{one.crc32:08x}", "sha256": one.sha256, "role": one.role}
            for one in files
        ],
        "items": [_item_of(item) for item in content.items],
        "records": [_record_of(record) for record in content.records],
        "checkpoints": [
            {
                "file": f"checkpoints/{point.size}.txt",
                "witnesses": None if point.witnesses is None else f"checkpoints/{point.size}.witnesses",
                "timestamps": [
                    {"authority": one.stamp.authority, "file": one.file, "roots": one.roots}
                    for one in stamps
                    if one.checkpoint is point
                ],
            }
            for point in content.checkpoints
        ],
        "absent": [{"part": one.part, "why": one.why} for one in content.absent],
    }


def _second(content: PackContent) -> str:
    if content.made_at.utcoffset() != timedelta():
        raise PackRefusedError("made_at is not in UTC")
    return f"{content.made_at:%Y-%m-%dT%H:%M:%SZ}"


def _item_of(item: PackItem) -> Mapping[str, Any]:
    return {
        "no": item.no,
        "name": item.name,
        "media_type": item.media_type,
        "size": item.size,
        "sha256": item.sha256.hex(),
        "record": item.record,
        "file": item_file(item),
        "shown": item.shown,
    }


def _record_of(record: PackRecord) -> Mapping[str, Any]:
    return {
        "no": record.no,
        "kind": record.kind,
        "commitment": None if record.commitment is None else record.commitment.hex(),
        "body": None if record.body is None else record_file(record.no),
        "proof": None if record.proof is None else proof_file(record.no),
    }
