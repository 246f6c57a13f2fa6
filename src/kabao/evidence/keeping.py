"""How long evidence is kept: three years after the order and its last case ended, longer under a hold.

What is erased leaves a tombstone: number, digest and time stay, bytes and words go. The same bytes may be evidence of
another order; they go when no item needs them any more.
"""

from collections.abc import Callable, Iterator, Mapping
from datetime import UTC, datetime, timedelta
from typing import Final

import msgspec

from kabao.evidence import rules, store
from kabao.evidence.blobs import Blobs, Condition
from kabao.evidence.items import Items
from kabao.evidence.ports import OnErased, no_record
from kabao.kernel import Clock, IdSource, Refusal, Refused, format_ref
from kabao.postgres import Database

KEPT: Final = timedelta(days=3 * 366)
"""At least three years."""
SETTLED: Final = timedelta(days=1)
"""A blob written more lately than this is left: its row may be about to be written."""
MAX_REASON: Final = 500
_PAGE: Final = 200
_FIRST: Final = store.Place(-1, -1, -1)


class Purged(msgspec.Struct, frozen=True):
    """What one purge did: items that became tombstones, blobs that were removed."""

    items: int
    blobs: int


class Unsound(msgspec.Struct, frozen=True):
    """A file of the store that is not what an item says: `what` is original or preview, `state` why."""

    order: str
    item_no: int
    what: str
    state: Condition
    sha256: str


class Checked(msgspec.Struct, frozen=True):
    """What a look at the whole store came to: files read, and those that are missing or changed."""

    files: int
    unsound: list[Unsound]


class KeepingService:
    """Holds, erasure, and the end of evidence that is old."""

    def __init__(
        self,
        *,
        database: Database,
        clock: Clock,
        ids: IdSource,
        items: Items,
        on_erased: OnErased = no_record,
        settled: timedelta = SETTLED,
    ) -> None:
        self._database = database
        self._clock = clock
        self._ids = ids
        self._blobs: Blobs = items.blobs
        self._on_erased = on_erased
        self._settled = settled

    async def hold(self, shop_id: int, order_id: int, reason: str, staff_id: int) -> Refused | None:
        """Keep an order's evidence until the hold is lifted; refuses INVALID_FIELDS, NOT_FOUND."""
        text = rules.clean_text(reason, MAX_REASON)
        if text is None:
            return Refused(Refusal.INVALID_FIELDS, {"reason": "写 1 到 500 个字。"})
        async with self._database.connection() as conn:
            hold_id, at = self._ids.next(), self._clock.instant()
            done = await store.set_hold(conn, shop_id, order_id, hold_id, text, staff_id, at)
        return None if done else Refused(Refusal.NOT_FOUND)

    async def release(self, shop_id: int, order_id: int, staff_id: int) -> int:
        """Lift every hold that stands on an order; returns how many did."""
        async with self._database.connection() as conn:
            return await store.lift_holds(conn, shop_id, order_id, staff_id, self._clock.instant())

    async def is_held(self, shop_id: int, order_id: int) -> bool:
        """Tell whether a hold stands on an order."""
        async with self._database.connection() as conn:
            return await store.is_held(conn, shop_id, order_id)

    async def erase(self, shop_id: int, order_id: int, item_id: int, staff_id: int) -> Refused | None:
        """Erase an item at a person's justified request; refuses NOT_FOUND, EVIDENCE_ON_HOLD.

        Erasing again is harmless. The bytes go at once or with the next purge.
        """
        refused = await self._erase(store.Place(shop_id, order_id, item_id), "personal_data", staff_id)
        await self._drop_erased()
        return refused

    async def purge_due(self, limit: int = 1000) -> Purged:
        """Erase up to `limit` items whose time is over and remove what nobody needs; safe to repeat and to break."""
        items, after = 0, _FIRST
        while items < limit:
            async with self._database.connection() as conn:
                due = await store.due_items(conn, self._clock.instant(), KEPT, after, min(_PAGE, limit - items))
            if not due:
                break
            for place in due:
                items += await self._erase(place, "retention", None) is None
            after = due[-1]
        return Purged(items, await self._drop_erased())

    async def _erase(self, place: store.Place, why: str, by_id: int | None) -> Refused | None:
        async with self._database.transaction() as conn:
            # A hold that is being set waits for this, or this for it.
            there = await store.lock_order(conn, place.shop_id, place.order_id)
            item = await store.find_item(conn, place.shop_id, place.order_id, place.object_id) if there else None
            if item is None:
                return Refused(Refusal.NOT_FOUND)
            if await store.is_held(conn, place.shop_id, place.order_id):
                return Refused(Refusal.EVIDENCE_ON_HOLD)
            at = self._clock.instant()
            if await store.erase_item(conn, place.shop_id, place.order_id, place.object_id, why, by_id, at):
                await self._on_erased(conn, place.shop_id, place.order_id, place.object_id)
        return None

    async def check_store(self, on_file: Callable[[], None] = lambda: None) -> Checked:
        """Read every file that items point at and compare it with its digest; what several items share is read once.

        What is erased meanwhile is no finding; what is handed in meanwhile may be left to the next look.
        """
        known: dict[bytes, Condition] = {}
        unsound: list[Unsound] = []
        after = _FIRST
        while True:
            async with self._database.connection() as conn:
                some = await store.standing_items(conn, after, _PAGE)
            for item in some:
                for digest in item.digests:
                    # What was found wanting is looked at again: it may have been erased and handed in anew.
                    if known.get(digest) is not Condition.WHOLE:
                        known[digest] = await self._blobs.condition(digest)
                        on_file()
                found = list(_unsound(item, known))
                unsound += found if found and await self._stands(item.place) else []
            if len(some) < _PAGE:
                return Checked(len(known), unsound)
            after = some[-1].place

    async def _stands(self, place: store.Place) -> bool:
        async with self._database.connection() as conn:
            item = await store.find_item(conn, place.shop_id, place.order_id, place.object_id)
        return item is not None and item.erased_at is None

    async def _drop_erased(self) -> int:
        dropped = 0
        while True:
            cleared = 0
            async with self._database.connection() as conn:
                erased = await store.uncleared_erasures(conn, _PAGE)
            for tombstone in erased:
                gone = [await self._drop(digest) for digest in tombstone.digests]
                dropped += gone.count(True)
                if None not in gone:
                    cleared += 1
                    async with self._database.connection() as conn:
                        await store.clear_erasure(conn, tombstone)
            if not cleared:
                return dropped

    async def _drop(self, digest: bytes) -> bool | None:
        """Remove bytes that no item needs: true where they went, None where it is too early to say."""
        written_at = await self._blobs.written_at(digest)
        if written_at is None:
            return False
        # The store's own time is compared with the machine's: neither is the clock of the order.
        if datetime.now(UTC) - written_at < self._settled:
            return None
        async with self._database.connection() as conn:
            if await store.is_used(conn, digest):
                return False
        await self._blobs.drop(digest)
        return True


def _unsound(item: store.Standing, known: Mapping[bytes, Condition]) -> Iterator[Unsound]:
    for place, digest in enumerate(item.digests):
        if known[digest] is not Condition.WHOLE:
            yield Unsound(
                order=format_ref(item.place.shop_id, item.place.order_id),
                item_no=item.item_no,
                what="preview" if place else "original",
                state=known[digest],
                sha256=digest.hex(),
            )
