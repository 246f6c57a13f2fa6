"""The evidence in parts: the log's sequencer, proofs in a large tree, and what other packages measure of themselves.

A part gets a folder of its own and whether to be quick; it answers figures with `bars` and `passed`.
"""

import asyncio
import tempfile
from collections.abc import AsyncIterator, Awaitable, Callable, Sequence
from contextlib import asynccontextmanager
from functools import partial
from pathlib import Path
from typing import Any, Final, NamedTuple

from kabao.bench import store
from kabao.bench.stand import open_market, place_order
from kabao.bench.uploads import upload
from kabao.kernel import parse_ref
from kabao.packs.bench import bench_verify
from kabao.tlog.bench import bench_proofs, bench_sequencing
from kabao.wiring import App, Settings, start

Say = Callable[[str], None]

ENTRIES: Final = (60_000, 6_000)
LEAVES: Final = (10_000_000, 100_000)
PACK_MEGABYTES: Final = (1024, 64)
"""In full, and quick."""
VERIFY_BAR: Final = 0.7
"""Of sha256sum's rate."""
GROWTH_MIB: Final = 64.0
"""How much more memory a pack sixteen times as large may take."""
MIB: Final = 1 << 20


class Part(NamedTuple):
    """One thing that is measured; `run` gets a fresh folder, whether to be quick, and what to tell of its steps."""

    name: str
    run: Callable[[Path, bool, Say], Awaitable[dict[str, Any]]]


async def sequencing(folder: Path, quick: bool, say: Say) -> dict[str, Any]:  # noqa: FBT001  a part's own shape
    """Sequence the talk of an order through the sources that production uses."""
    async with _app(folder) as app:
        say("rows")
        stand = await open_market(app, 0, 1)
        buyer, ref = await place_order(stand)
        at = parse_ref(ref)
        assert at is not None  # noqa: S101  the market made this reference
        await store.run_evidence(app.database, "messages", *at, buyer.account_id, ENTRIES[quick])
        say("sequencing")
        return await bench_sequencing(app.database, app.foundations.log)


async def proofs(folder: Path, quick: bool, say: Say) -> dict[str, Any]:  # noqa: FBT001  a part's own shape
    """Make proofs in a large tree, in a database whose own log has not begun."""
    async with _app(folder) as app:
        return await bench_proofs(app.database, LEAVES[quick], say)


async def verifying(folder: Path, quick: bool, say: Say) -> dict[str, Any]:  # noqa: ARG001, FBT001  a part's own shape
    """Verify a large pack beside sha256sum over the same bytes."""
    figures = await asyncio.to_thread(bench_verify, PACK_MEGABYTES[quick])
    growth = round((figures["peak_bytes"] - figures["peak_bytes_small"]) / MIB, 1)
    passed = figures["ratio"] >= VERIFY_BAR and growth <= GROWTH_MIB
    return {**figures, "growth_mib": growth, "bars": {"ratio": VERIFY_BAR, "growth_mib": GROWTH_MIB}, "passed": passed}


PARTS: Final[Sequence[Part]] = (
    Part("sequencing", sequencing),
    Part("proofs", proofs),
    Part("verifying", verifying),
    Part("upload", upload),
)


async def bench_evidence(
    *, quick: bool = False, only: str = "", say: Say = lambda _: None, parts: Sequence[Part] = PARTS
) -> dict[str, Any]:
    """Run the parts, or one of them, each in a folder made for it and removed after.

    Raises RuntimeError where what was measured is not right, and LookupError for a part that does not exist.
    """
    wanted = [part for part in parts if only in ("", part.name)]
    if not wanted:
        raise LookupError(f"there is no part {only}; there are: {', '.join(part.name for part in parts)}")
    figures: dict[str, dict[str, Any]] = {}
    for part in wanted:
        with tempfile.TemporaryDirectory(prefix="kabao-bench-") as folder:
            figures[part.name] = await part.run(Path(folder), quick, partial(_named, say, part.name))
    return {"quick": quick, "passed": all(figure["passed"] for figure in figures.values()), "parts": figures}


def _named(say: Say, name: str, step: str) -> None:
    say(f"{name}: {step}")


@asynccontextmanager
async def _app(folder: Path) -> AsyncIterator[App]:
    app = await start(Settings.of(folder / "data", environment={}))
    try:
        yield app
    finally:
        await app.close()
