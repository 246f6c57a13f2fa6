"""A large pack is checked while the page holds none of it."""

import json
import random
import zlib
from collections.abc import Iterator
from hashlib import sha256
from pathlib import Path

import pytest

from kabao.packs import verify
from packbuilder import canonical, count, manifest_bytes, sample, signature_of

from .conftest import HOST, Laboratory

pytestmark = [pytest.mark.browser, pytest.mark.soak]

SIZE = 1 << 30
ROOM = 400 << 20
"""Bytes that a browser may let gather before it takes back what is no longer used, however large the pack."""
LARGE = "items/001.png"

CHECKED = """async () => {
  const worker = new Worker('/static/verify/worker.js', { type: 'module' }), places = [];
  const report = await new Promise((done, failed) => {
    worker.onerror = failed;
    worker.onmessage = ({ data }) => {
      if (data.ready) worker.postMessage({ number: 1, file: document.querySelector('input').files[0], pins: {} });
      else if (data.report) done(data.report);
      else if (data.failed) failed(data.failed);
      else places.push([data.done, data.total]);
    };
  });
  return { exit: report.exit, failed: report.checks.filter(({ state }) => state === 'failed'), places };
}"""


def blocks() -> Iterator[bytes]:
    block = random.Random(1).randbytes(1 << 20)  # noqa: S311  any bytes will do
    for number in range(SIZE >> 20):
        yield number.to_bytes(4, "big") + block[4:]


def write_large_pack(path: Path) -> None:
    """Write a pack with one large item, block by block."""
    draft = sample()
    for name in set(draft.files) - {"VERIFY.txt", "verify.py", "keys/signer.pem", LARGE}:
        draft.drop(name)
    item = {**draft.manifest["items"][0], "record": None}
    draft.manifest.update(log=None, records=[], checkpoints=[], items=[item])
    count(draft)
    digest, crc = sha256(), 0
    for block in blocks():
        digest.update(block)
        crc = zlib.crc32(block, crc)
    value = json.loads(manifest_bytes(draft))
    value["items"][0] |= {"size": SIZE, "sha256": digest.hexdigest()}
    [listed] = [one for one in value["files"] if one["name"] == LARGE]
    listed |= {"size": SIZE, "sha256": digest.hexdigest(), "crc32": f"{crc:08x}"}
    manifest = canonical(value)
    signature = signature_of(manifest, draft.signer)
    head = [
        verify.Entry(name, len(raw), zlib.crc32(raw))
        for name, raw in ((verify.MANIFEST, manifest), (verify.SIGNATURE, signature))
    ]
    rest = [verify.Entry(one["name"], one["size"], int(one["crc32"], 16)) for one in value["files"]]
    contents = {
        verify.MANIFEST: [manifest],
        verify.SIGNATURE: [signature],
        **{name: [raw] for name, raw in draft.files.items()},
    }
    with path.open("wb") as file:
        directory = b""
        for entry in [*head, *rest]:
            directory += verify.central_header(entry.name, entry.crc32, entry.size, file.tell())
            file.write(verify.local_header(entry.name, entry.crc32, entry.size))
            for block in blocks() if entry.name == LARGE else contents[entry.name]:
                file.write(block)
        offset = file.tell()
        file.write(directory + verify.end_records(len(head) + len(rest), len(directory), offset))


def test_a_large_pack_holds_and_memory_stays_flat(laboratory: Laboratory, tmp_path: Path) -> None:
    path = tmp_path / "large.zip"
    write_large_pack(path)
    laboratory.page.goto(HOST)
    laboratory.run("() => document.body.append(Object.assign(document.createElement('input'), { type: 'file' }))")
    laboratory.page.set_input_files("input", path)
    before = peaks_of(laboratory)
    found = laboratory.run(CHECKED)
    assert (found["exit"], found["failed"]) == (0, [])
    grown = [peak - before[number] for number, peak in peaks_of(laboratory).items() if number in before]
    assert max(grown) < ROOM
    places = [done for done, total in found["places"] if total == path.stat().st_size]
    assert len(places) == len(found["places"]) > SIZE >> 22
    assert places == sorted(places)


def peaks_of(laboratory: Laboratory) -> dict[int, int]:
    """The most memory that each process of the browser has held, in bytes."""
    browser = laboratory.page.context.browser
    assert browser is not None
    session = browser.new_browser_cdp_session()
    numbers = [one["id"] for one in session.send("SystemInfo.getProcessInfo")["processInfo"]]
    session.detach()
    peaks = {}
    for number in numbers:
        status = Path(f"/proc/{number}/status")
        if status.exists():
            lines = dict(line.split(":", 1) for line in status.read_text("ascii", "replace").splitlines())
            peaks[number] = int(lines["VmHWM"].split()[0]) * 1024
    return peaks
