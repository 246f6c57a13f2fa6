"""Reading the words an order was sold by, in a thread: kept as a case is opened, for a forecast only read."""

import asyncio
import hashlib
from collections.abc import Callable, Mapping
from functools import cache
from importlib.resources import files
from typing import Final, TypeAlias

import structlog

from kabao.cases.clauses import store
from kabao.cases.clauses.documents import frozen
from kabao.cases.clauses.model import Clause
from kabao.cases.clauses.rules import TELLS, clauses_of
from kabao.cases.model import Asked
from kabao.orders import OrderView
from kabao.postgres import Connection
from kabao.terms import check

_log = structlog.get_logger(__name__)

Reader: TypeAlias = Callable[[OrderView], list[Clause]]
"""Reads an order's words, in a thread."""

DIGEST_LENGTH: Final = 16
READING: Final = ("kabao.terms", "kabao.cases.clauses")
"""The packages that decide what is read in an order's words: data and code."""


async def keep_reading(conn: Connection, order: OrderView, reader: Reader | None = None) -> None:
    """Read an order's words and keep what was found, once an order; in the transaction that opens a case.

    Words over which the checker stumbles keep nobody from his case: it is decided as one whose words were not read.
    """
    if await store.reading(conn, order.shop_id, order.order_id) is None:
        found = await _read(order, reader)
        if found is None:
            return
        await store.keep(conn, order.shop_id, order.order_id, checker(), found, order.now)


async def clauses_for(conn: Connection, asked: Asked, order: OrderView) -> list[Clause]:
    """Return what was read in an order's words; a case from before orders were read is told nothing.

    A claim that is not about terms hears nothing of it, and nothing is read for it.
    """
    if asked.claim not in TELLS:
        return []
    kept = await store.reading(conn, order.shop_id, order.order_id)
    if kept is not None:
        return kept
    return [] if asked.case_id else await _read(order) or []


@cache
def checker() -> str:
    """Name what reads: the catalogue, the engine, and what is made of an order's words before and after."""
    return name_of(sources())


def sources() -> dict[str, bytes]:
    """Return every file on which a reading depends, by its path."""
    return {
        f"{package}/{file.name}": file.read_bytes()
        for package in READING
        for file in files(package).iterdir()
        if file.name.endswith((".py", ".json"))
    }


def name_of(content: Mapping[str, bytes]) -> str:
    """Digest files with their paths, in no order but that of the paths."""
    digest = hashlib.sha256()
    for path in sorted(content):
        digest.update(f"{path}\n{len(content[path])}\n".encode() + content[path])
    return digest.hexdigest()[:DIGEST_LENGTH]


async def _read(order: OrderView, reader: Reader | None = None) -> list[Clause] | None:
    try:
        # Long words can take a while to read; others are served meanwhile.
        return await asyncio.to_thread(reader or _clauses_in, order)
    except Exception as error:  # noqa: BLE001  a bug in the checker must not stand between a buyer and his case
        _log.error("an order's words could not be read", order=order.ref, why=type(error).__name__)
        return None


def _clauses_in(order: OrderView) -> list[Clause]:
    return clauses_of(check(frozen(order.document), clause=True, waivers=False).findings)
