"""A served market to measure or to attack: a server in a process of its own, a shop, buyers with tokens, stock."""

import asyncio
import base64
import contextlib
import hashlib
import signal
import socket
import sys
from collections.abc import AsyncIterator
from dataclasses import dataclass, field
from pathlib import Path
from typing import Final, TypeVar

from cryptography.hazmat.primitives.asymmetric.ed25519 import Ed25519PrivateKey

from kabao.bench import store
from kabao.custody import PaymentNotice
from kabao.identity import Person, Role
from kabao.kernel import Refused
from kabao.orders import PlaceOrder
from kabao.shops import ListingDraft, ShopForm, Terms
from kabao.wiring import App, Settings, start

T = TypeVar("T")

SHOP: Final = ShopForm(
    name="Bench", legal_name="Bench Ltd", address="1 Bench Road, Bench", licence_number="110000000000001"
)
BUYERS: Final = 64
PRICE_MINOR: Final = 990
START_SECONDS: Final = 60.0
SERVE: Final = "import sys; from kabao.cli import main; main(sys.argv[1:])"


@dataclass
class Stand:
    """A served market ready to be loaded."""

    app: App
    port: int
    shop_id: int
    listing_id: int
    listing_ref: str
    notices: list[str]
    buyer_ids: list[int]
    tokens: list[str]
    acknowledged: list[int] = field(default_factory=list)
    asked: int = 0


class Signer:
    """Signs notices as the simulated institution does."""

    def __init__(self, app: App) -> None:
        secret = hashlib.sha256(b"sandbox notices" + app.keyring.derive("sandbox")).digest()
        self._key = Ed25519PrivateKey.from_private_bytes(secret)
        self._custody = app.custody

    def notice(self, ref: str, payment_id: str) -> tuple[bytes, str]:
        """Return a notice's body and signature."""
        body = self._custody.notice_body(
            PaymentNotice(
                payment_id=payment_id,
                merchant_ref=ref,
                amount_minor=PRICE_MINOR,
                currency="CNY",
                paid_at="2026-01-01T00:00:00+00:00",
                payer=f"PA{payment_id}",
            )
        )
        return body, base64.b64encode(self._key.sign(body)).decode()


async def open_market(app: App, port: int, keys: int) -> Stand:
    """Open a shop with one live listing and ``keys`` keys, and sign up buyers with tokens."""
    _, owner = await _person(app, 0, Role.MERCHANT)
    shop = _granted(await app.shops.open_shop(owner, SHOP))
    draft = ListingDraft(
        title="Bench", description="Bench", category="game_card", price_minor=PRICE_MINOR, terms=Terms(), max_quantity=1
    )
    listing = _granted(await app.shops.save_listing(owner, shop.shop_id, None, draft))
    listing = _granted(await app.shops.publish(owner, shop.shop_id, listing.listing_id))
    buyers = [await _person(app, number, Role.BUYER) for number in range(1, BUYERS + 1)]
    await store.run(app.database, "stock", shop.shop_id, listing.listing_id, app.ids.next(), keys)
    return Stand(
        app=app,
        port=port,
        shop_id=shop.shop_id,
        listing_id=listing.listing_id,
        listing_ref=listing.ref,
        notices=[notice.notice_id for notice in listing.notices],
        buyer_ids=[person.account_id for _, person in buyers],
        tokens=[token for token, _ in buyers],
    )


async def place_order(stand: Stand) -> tuple[Person, str]:
    """Place the first buyer's one order; returns the buyer and the order's reference."""
    buyer = await stand.app.identity.token(stand.tokens[0])
    assert buyer is not None  # noqa: S101  the market was opened with this token
    wish = PlaceOrder(
        listing_ref=stand.listing_ref, snapshot_no=1, quantity=1, confirmed=stand.notices, idempotency_key="bench"
    )
    return buyer, _granted(await stand.app.orders.place(buyer, wish)).ref


async def _person(app: App, number: int, role: Role) -> tuple[str, Person]:
    phone = f"+1202555{number:04}"
    await app.identity.find_or_create(phone, "bench", {role})
    token = _granted(await app.identity.create_token(phone, role))
    person = await app.identity.token(token)
    assert person is not None  # noqa: S101  the token was made a line above
    return token, person


def _granted(answer: T | Refused) -> T:
    if isinstance(answer, Refused):
        raise RuntimeError(f"the bench was refused: {answer.code} {answer.fields}")  # noqa: TRY004  not a type error
    return answer


@contextlib.asynccontextmanager
async def served(folder: Path) -> AsyncIterator[tuple[App, int]]:
    """Serve a new data folder in a process of its own, and join its database; yields it and the port."""
    async with serving(folder) as (app, port, _):
        yield app, port


@contextlib.asynccontextmanager
async def serving(folder: Path) -> AsyncIterator[tuple[App, int, int]]:
    """Do as `served`, and yield the server's process id too, for who watches its memory."""
    with socket.socket() as probe:
        probe.bind(("127.0.0.1", 0))
        port = probe.getsockname()[1]
    process = await asyncio.create_subprocess_exec(
        sys.executable,
        "-c",
        SERVE,
        "serve",
        "--data",
        str(folder),
        "--port",
        str(port),
        stdout=asyncio.subprocess.DEVNULL,
    )
    try:
        await _until_ready(port, process)
        app = await start(Settings.of(folder, port=port, environment={}), purpose="command")
        try:
            yield app, port, process.pid
        finally:
            await app.close()
    finally:
        with contextlib.suppress(ProcessLookupError):
            process.send_signal(signal.SIGTERM)
        await process.wait()


async def _until_ready(port: int, process: asyncio.subprocess.Process) -> None:
    async with asyncio.timeout(START_SECONDS):
        while process.returncode is None:
            try:
                _, writer = await asyncio.open_connection("127.0.0.1", port)
            except OSError:
                await asyncio.sleep(0.1)
            else:
                writer.close()
                return
    raise RuntimeError("the server under test did not start")
