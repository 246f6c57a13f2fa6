"""`kabao log audit` beside a running server: nothing to find, then something that was changed."""

import asyncio
import json
import time
from pathlib import Path
from typing import Any

import httpx

from kabao.postgres import DATABASE, OWNER_ROLE, EmbeddedServer, open_pool
from program import kabao

Demo = tuple[Path, Any]


def test_the_log_of_a_running_market_holds(demo: Demo) -> None:
    data, serving = demo
    deadline = time.monotonic() + 60
    while httpx.get(f"{serving.origin}/log/checkpoint").text.split("\n")[1] == "0":
        assert time.monotonic() < deadline
        time.sleep(0.1)
    time.sleep(1.5)
    done = kabao("log", "audit", "--data", data)
    assert done.returncode == 0, done.stdout + done.stderr
    assert done.stdout.startswith("ok: ")
    report = json.loads(kabao("log", "audit", "--data", data, "--json").stdout)
    assert report["ok"]
    assert report["is_signed"]
    assert report["records"] == report["size"] > 10
    assert (report["faults"], report["waiting"], report["findings"]) == (0, 0, [])


def change(data: Path, statement: str) -> None:
    async def work() -> None:
        server = await asyncio.to_thread(EmbeddedServer.attach, data)
        try:
            async with await open_pool(server.dsn(DATABASE, OWNER_ROLE), size=1) as owner:
                await owner.execute(statement)
        finally:
            await asyncio.to_thread(server.stop)

    asyncio.run(work())


def test_what_was_changed_is_named_and_the_command_fails(demo: Demo) -> None:
    data, _ = demo
    change(data, "UPDATE log_record SET salt = sha256('x') WHERE record_id = 3")
    done = kabao("log", "audit", "--data", data)
    assert done.returncode == 1
    assert "NOT OK, 1 faults" in done.stdout
    assert "body: position 3: salt and body do not give the commitment" in done.stdout
    change(
        data,
        """INSERT INTO log_checkpoint SELECT n, sha256('x'), 'x', now(), signed + n - 900000
             FROM generate_series(900001, 900060) n, log_head;
           UPDATE log_head SET signed = signed + 60""",
    )
    done = kabao("log", "audit", "--data", data)
    assert "checkpoint: size 900001: it was signed over a larger tree than there is" in done.stdout
    assert done.stdout.splitlines()[-1] == "  and 11 more"
    report = json.loads(kabao("log", "audit", "--data", data, "--json").stdout)
    assert (report["ok"], report["faults"], len(report["findings"])) == (False, 61, 50)
