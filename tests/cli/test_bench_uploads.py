"""The bench of uploads says what it sent, how fast, and how far the server's memory grew."""

import asyncio
from pathlib import Path

from kabao.bench.uploads import upload


def test_a_quick_upload_is_measured(tmp_path: Path) -> None:
    said: list[str] = []
    measured = asyncio.run(upload(tmp_path, True, said.append))  # noqa: FBT003  a part's own shape
    assert said == ["sending"]
    assert measured["bytes"] == 64 * 1024 * 1024
    assert measured["is_correct"]
    assert measured["mib_per_second"] > 0
    assert measured["passed"] == (measured["rss_growth_mib"] <= measured["bars"]["rss_growth_mib"])
