"""Legal holds and the end of evidence from the command line, beside a running server."""

import json
import re
from pathlib import Path
from typing import Any

import httpx
import pytest

from program import kabao

Demo = tuple[Path, Any]


@pytest.fixture(scope="module")
def order(demo: Demo) -> str:
    _, serving = demo
    link = re.search(r"buyer +(http\S+/sign-in/link/\S+)", serving.output)
    assert link is not None
    with httpx.Client(base_url=serving.origin, follow_redirects=True) as buyer:
        page = buyer.get(link[1]).text
        csrf = re.search(r'name="csrf_token" value="([^"]+)"', page)
        assert csrf is not None
        buyer.post(link[1], data={"csrf_token": csrf[1]}, headers={"origin": serving.origin})
        found = re.search(r'href="/o/([0-9A-Z]+-[0-9A-Z]+)"', buyer.get("/o").text)
    assert found is not None
    return found[1]


def test_a_hold_is_set_and_lifted(demo: Demo, order: str) -> None:
    data, _ = demo
    made = kabao("token", "create", "--data", data, "--account", "值班", "--role", "support")
    assert made.returncode == 0, made.stderr
    held = kabao("evidence", "hold", order, "--reason", "法院调取", "--by", "值班", "--data", data)
    assert held.returncode == 0, held.stderr
    lifted = kabao("evidence", "release", order, "--by", "值班", "--data", data)
    assert (lifted.returncode, lifted.stdout) == (0, "1 lifted\n")
    assert kabao("evidence", "release", order, "--by", "值班", "--data", data).returncode == 1


def test_a_hold_on_nothing_or_by_nobody_is_refused(demo: Demo, order: str) -> None:
    data, _ = demo
    for ref, by in (("7-ABC", "值班"), ("nonsense", "值班"), (order, "没有这个人")):
        refused = kabao("evidence", "hold", ref, "--reason", "x", "--by", by, "--data", data)
        assert refused.returncode == 1, ref
        assert "Traceback" not in refused.stderr


def test_only_staff_holds_and_releases(demo: Demo, order: str) -> None:
    data, _ = demo
    assert kabao("token", "create", "--data", data, "--account", "路人", "--role", "merchant").returncode == 0
    for command in (("hold", order, "--reason", "x"), ("release", order)):
        refused = kabao("evidence", *command, "--by", "路人", "--data", data)
        assert refused.returncode == 1, command
        assert "no staff account" in refused.stderr
        assert "Traceback" not in refused.stderr


def test_nothing_of_a_young_market_is_purged(demo: Demo) -> None:
    data, _ = demo
    done = kabao("evidence", "purge", "--data", data, "--json")
    assert json.loads(done.stdout) == {"items": 0, "blobs": 0}, done.stderr
    assert kabao("evidence", "purge", "--data", data).stdout == "0 items erased, 0 files removed\n"


def test_the_store_is_read_through_and_a_changed_file_named(demo: Demo, order: str) -> None:
    data, serving = demo
    token = kabao("token", "create", "--data", data, "--account", "演示买家", "--role", "buyer").stdout.split()[-1]
    headers = {"authorization": f"Bearer {token}", "idempotency-key": "a-link-to-look-for"}
    address = {"link": "https://shop.example/1"}
    kept = httpx.post(f"{serving.origin}/api/v1/orders/{order}/links", json=address, headers=headers)
    assert kept.is_success, kept.text
    done = kabao("evidence", "check", "--data", data, "--json")
    checked = json.loads(done.stdout)
    assert (done.returncode, checked["unsound"]) == (0, [])
    assert checked["files"] > 0
    blob = next(path for path in sorted((Path(data) / "blobs" / "sha256").rglob("*")) if path.is_file())
    content = blob.read_bytes()
    blob.write_bytes(bytes([content[0] ^ 1]) + content[1:])
    try:
        done = kabao("evidence", "check", "--data", data)
        assert done.returncode == 1
        assert f"changed ({blob.parent.name}{blob.name})" in done.stdout
        assert f"{checked['files']} files read" in done.stdout
    finally:
        blob.write_bytes(content)
