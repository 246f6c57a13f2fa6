"""kill -9 of the server, of PostgreSQL and of both, amid trade: nothing acknowledged is lost, no cent is off.

SIGKILL says nothing of a power cut; that needs a machine to reset. KABAO_KILLS sets the number of rounds.
"""

import asyncio
import contextlib
import json
import os
import random
import signal
import socket
import subprocess
import sys
from collections import Counter
from collections.abc import AsyncIterator
from dataclasses import dataclass, field
from pathlib import Path

import httpx
import pytest

from kabao.bench.stand import Stand, open_market
from kabao.custody import SandboxInstitution
from kabao.identity import Person, Role
from kabao.kernel import Refused, format_ref, parse_ref
from kabao.postgres import DatabaseUnavailable
from kabao.wiring import App, Settings, start

KILLS = int(os.environ.get("KABAO_KILLS", "6"))
TRADERS = 8
CLOSED = 0.4
"""The share of refunds whose payer has closed the account."""
SERVE = "import sys; from kabao.cli import main; main(sys.argv[1:])"
GONE = (httpx.HTTPError, DatabaseUnavailable, OSError)


@dataclass
class Acknowledged:
    """What the server has answered with success, by order."""

    placed: set[str] = field(default_factory=set)
    delivered: set[str] = field(default_factory=set)
    ended: dict[str, str] = field(default_factory=dict)
    closed: set[str] = field(default_factory=set)
    """Orders whose payer's account was closed before the refund, if that ever came to pass."""


class Served:
    """A `kabao serve` process on one data folder, killed and started again at will."""

    def __init__(self, folder: Path) -> None:
        self.folder = folder
        with socket.socket() as probe:
            probe.bind(("127.0.0.1", 0))
            self.port = probe.getsockname()[1]
        self.process: subprocess.Popen[bytes] | None = None

    async def begin(self) -> None:
        self.process = subprocess.Popen(  # noqa: ASYNC220  killed and waited for by pid
            [sys.executable, "-c", SERVE, "serve", "--data", str(self.folder), "--port", str(self.port)],
            stdout=subprocess.DEVNULL,
            stderr=subprocess.DEVNULL,
            env=os.environ,
        )
        async with asyncio.timeout(60), httpx.AsyncClient() as client:
            while True:
                assert self.process.poll() is None, "the server did not start"
                with contextlib.suppress(httpx.HTTPError):
                    if (await client.get(f"http://127.0.0.1:{self.port}/")).status_code == 200:
                        return
                await asyncio.sleep(0.1)

    def kill_server(self) -> None:
        assert self.process is not None
        self.process.kill()
        self.process.wait()

    def kill_postgres(self) -> None:
        """Kill the postmaster and every backend at once, as an out-of-memory killer gone mad would."""
        pidfile = self.folder / "postgres" / "postmaster.pid"
        postmaster = int(pidfile.read_text("utf-8").split()[0])
        children = subprocess.run(["pgrep", "-P", str(postmaster)], capture_output=True, text=True, check=False).stdout
        for pid in [postmaster, *map(int, children.split())]:
            with contextlib.suppress(ProcessLookupError):
                os.kill(pid, signal.SIGKILL)

    def end(self) -> None:
        if self.process is not None and self.process.poll() is None:
            self.process.send_signal(signal.SIGTERM)
            self.process.wait(timeout=30)

    def audit(self) -> dict[str, object]:
        said = subprocess.run(
            [sys.executable, "-c", SERVE, "ledger", "audit", "--data", str(self.folder), "--json"],
            capture_output=True,
            text=True,
            check=False,
            env=os.environ,
        )
        assert said.returncode == 0, said.stdout + said.stderr
        report: dict[str, object] = json.loads(said.stdout)
        return report


class Trader:
    """One buyer who places, pays, then confirms, takes the refund, or walks away; every answer is written down."""

    def __init__(self, served: Served, stand: Stand, number: int, said: Acknowledged) -> None:
        self.base = f"http://127.0.0.1:{served.port}"
        self.stand = stand
        self.number = number
        self.said = said
        self.custody: SandboxInstitution = stand.app.custody
        self.dice = random.Random(number)  # noqa: S311  a mix of deeds, not a secret
        self.count = 0

    async def trade(self, until: asyncio.Event) -> None:
        headers = {"authorization": f"Bearer {self.stand.tokens[self.number]}"}
        while not until.is_set():
            try:
                async with httpx.AsyncClient(base_url=self.base, headers=headers, timeout=5) as client:
                    while not until.is_set():
                        await self.one_order(client)
            except GONE:
                await asyncio.sleep(0.05)

    async def one_order(self, client: httpx.AsyncClient) -> None:
        self.count += 1
        answer = await client.post(
            "/api/v1/orders",
            json={
                "listing_ref": self.stand.listing_ref,
                "snapshot_no": 1,
                "quantity": 1,
                "confirmed": self.stand.notices,
            },
            headers={"idempotency-key": f"t{self.number}-{self.count}"},
        )
        if answer.status_code != 201:
            await self.give_way(client)
            return
        ref = answer.json()["ref"]
        self.said.placed.add(ref)
        paid = await client.post(f"/api/v1/orders/{ref}/checkout")
        if paid.status_code != 200:
            return
        payment = await self.custody.pay(paid.json()["pay_path"].rpartition("/")[2])
        assert payment is not None

        async def send(body: bytes, signature: str) -> bool:
            taken = await client.post(
                "/api/v1/custody/sandbox/notice",
                content=body,
                headers={"x-signature": signature, "content-type": "application/json"},
            )
            return taken.status_code == 200

        if await self.custody.notify(payment, send):
            self.said.delivered.add(ref)
            await self.end_it(client, ref, payment)

    async def end_it(self, client: httpx.AsyncClient, ref: str, payment: str) -> None:
        deed = self.dice.choice(["confirm", "refund", "nothing"])
        if deed == "nothing":
            return
        if deed == "refund" and self.dice.random() < CLOSED:
            await self.custody.close_account(payment)
            self.said.closed.add(ref)
        answer = await client.post(f"/api/v1/orders/{ref}/{deed}", headers={"idempotency-key": f"{deed}-{ref}"})
        if answer.status_code == 200:
            self.said.ended[ref] = {"confirm": "released", "refund": "refunded"}[deed]

    async def give_way(self, client: httpx.AsyncClient) -> None:
        """Cancel what a crash left unpaid, so that the cap on unpaid orders does not stop the trade."""
        listed = await client.get("/api/v1/orders")
        if listed.status_code == 200:
            for row in listed.json()["orders"]:
                if row["state"] == "placed":
                    await client.post(f"/api/v1/orders/{row['ref']}/cancel")
        await asyncio.sleep(0.02)


@contextlib.asynccontextmanager
async def attached(folder: Path) -> AsyncIterator[App]:
    app = await start(Settings.of(folder, environment={}), purpose="command")
    try:
        yield app
    finally:
        await app.close()


@pytest.mark.timeout(900)
async def test_nothing_acknowledged_is_lost_and_no_cent_is_off(tmp_path: Path) -> None:
    served, said, kinds = Served(tmp_path / "data"), Acknowledged(), ("server", "postgres", "both")
    await served.begin()
    try:
        async with attached(served.folder) as app:
            stand = await open_market(app, served.port, 50_000)
            until = asyncio.Event()
            traders = [
                asyncio.create_task(Trader(served, stand, number, said).trade(until)) for number in range(TRADERS)
            ]
            for number in range(KILLS):
                await asyncio.sleep(0.6 + random.random() * 0.6)  # noqa: S311  a moment, not a secret
                kind = kinds[number % len(kinds)]
                if kind in ("server", "both"):
                    served.kill_server()
                if kind in ("postgres", "both"):
                    served.kill_postgres()
                if kind != "postgres":
                    await served.begin()
                before = len(said.delivered)
                async with asyncio.timeout(60):
                    while len(said.delivered) < before + 5:
                        assert not any(task.done() for task in traders), [task for task in traders if task.done()]
                        await asyncio.sleep(0.05)
            until.set()
            await asyncio.gather(*traders)
            await settled(app)
            await check_acknowledged(app, said)
            await redirect_what_was_refused(app, said)
        report = served.audit()
        assert (report["ok"], report["lost_minor"], report["mismatches"]) == (True, 0, 0)
        assert len(said.delivered) > KILLS * 5
        assert set(Counter(said.ended.values())) == {"released", "refunded"}
    finally:
        served.end()


async def redirect_what_was_refused(app: App, said: Acknowledged) -> None:
    """Every refund to a closed account waits unpaid; named another account twice at once, each is paid once."""
    refused = await app.database.fetch(
        """SELECT o.shop_id, o.order_id, o.buyer_id, i.amount_minor
             FROM custody_instruction i JOIN orders o USING (shop_id, order_id) WHERE i.state = 'refused'"""
    )
    refunded = {ref for ref, end in said.ended.items() if end == "refunded"}
    assert refunded & said.closed <= {format_ref(row["shop_id"], row["order_id"]) for row in refused}
    assert refused
    for row in refused:
        buyer = Person(account_id=row["buyer_id"], display_name="buyer", phone_masked="", roles=frozenset({Role.BUYER}))
        ref = format_ref(row["shop_id"], row["order_id"])
        answers = await asyncio.gather(
            *(app.orders.after_release.redirect(buyer, ref, "another-account") for _ in range(2))
        )
        assert sum(0 if isinstance(answer, Refused) else answer for answer in answers) == row["amount_minor"]
    await settled(app)
    paid = await app.database.fetchval(
        "SELECT sum(amount_minor) FROM sandbox.booking WHERE to_account = 'another-account'"
    )
    assert paid == sum(row["amount_minor"] for row in refused)


async def settled(app: App) -> None:
    """Wait until the custodian has heard of everything and said everything."""
    async with asyncio.timeout(60):
        while True:
            with contextlib.suppress(DatabaseUnavailable):
                open_ends = await app.database.fetchval(
                    """SELECT (SELECT count(*) FROM custody_instruction WHERE state = 'pending')
                            + (SELECT count(*) FROM sandbox.payment WHERE notified_at IS NULL)"""
                )
                if open_ends == 0:
                    return
            await asyncio.sleep(0.3)


async def check_acknowledged(app: App, said: Acknowledged) -> None:
    rows = await app.database.fetch(
        "SELECT o.order_id, o.state, e.state AS escrow FROM orders o LEFT JOIN escrow e USING (shop_id, order_id)"
    )
    found = {row["order_id"]: row for row in rows}
    for ref in said.placed:
        at = parse_ref(ref)
        assert at is not None
        assert at.object_id in found, f"{ref} was acknowledged and is gone"
        row = found[at.object_id]
        if ref in said.delivered:
            assert row["escrow"] is not None, f"{ref} was acknowledged as delivered"
        if ref in said.ended:
            assert row["escrow"] == said.ended[ref], ref
    assert all(row["escrow"] is None or row["state"] != "placed" for row in rows)
