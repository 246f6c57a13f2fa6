"""A large film goes through the server without its memory growing with it."""

import asyncio
import re
from pathlib import Path
from typing import Any

import httpx

from kabao.evidence.bench import bench_upload
from kabao.evidence.model import MIB
from program import kabao

SIZE = 160 * MIB


def test_an_upload_is_never_held_in_memory(demo: tuple[Path, Any]) -> None:
    data, serving = demo
    made = kabao("token", "create", "--data", data, "--account", "演示买家", "--role", "buyer")
    assert made.returncode == 0, made.stderr
    token = made.stdout.strip()
    orders = httpx.get(f"{serving.origin}/api/v1/orders", headers={"authorization": f"Bearer {token}"}).json()["orders"]
    ref = next(order["ref"] for order in orders if order["state"] != "placed")
    port = re.search(r":(\d+)$", serving.origin)
    assert port is not None
    measured = asyncio.run(bench_upload(int(port[1]), token, ref, serving.process.pid, SIZE))
    assert measured.is_correct
    assert measured.bytes == SIZE
    assert measured.rss_growth_mib < SIZE / MIB / 2, measured
