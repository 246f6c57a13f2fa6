"""Erasure of personal data: what a record said is destroyed in the log and in the row; its place and proof stay."""

from typing import Final

from kabao.dossier import store
from kabao.dossier.ports import Log
from kabao.evidence import clean_text
from kabao.kernel import Clock, IdSource, Refusal, Refused, parse_ref
from kabao.postgres import Connection, Database

MAX_REASON: Final = 500
ITEM_ERASED: Final = "证据文件已按规定删除。"


class EraseService:
    """Erases records, for the operator's command; who asks is known to the command, the reason is kept for ever."""

    def __init__(self, *, database: Database, clock: Clock, ids: IdSource, log: Log) -> None:
        self._database = database
        self._clock = clock
        self._ids = ids
        self._log = log

    async def erase(self, ref: str, record_id: int, reason: str, by_id: int) -> Refused | None:
        """Destroy what a record says, its salt, and the words it was written from, in one transaction.

        `ref` is an order's or a case's, `by_id` the account that answers for it (0: whoever runs the machine). A
        file's bytes go with the evidence's own clearing. Refuses NOT_FOUND (no such record, or one that holds no
        person's words), INVALID_FIELDS (reason), EVIDENCE_ON_HOLD (a legal hold stands), FILE_ERASED (it is gone).
        """
        text = clean_text(reason, MAX_REASON)
        if text is None:
            return Refused(Refusal.INVALID_FIELDS, {"reason": f"写 1 到 {MAX_REASON} 个字。"})
        at = parse_ref(ref)
        if at is None:
            return Refused(Refusal.NOT_FOUND)
        async with self._database.transaction() as conn:
            order_id = await store.order_of_case(conn, at.shop_id, at.object_id) or at.object_id
            found = await store.lock_record(conn, at.shop_id, order_id, record_id)
            if isinstance(found, Refused):
                return found
            instant = self._clock.instant()
            if not await store.erase_words(conn, found, by_id, instant):
                return Refused(Refusal.NOT_FOUND)
            await self._log.erase(conn, at.shop_id, record_id)
            await store.add_erasure(conn, self._ids.next(), found, by_id, text, instant)
        return None

    async def item_erased(self, conn: Connection, shop_id: int, order_id: int, item_id: int) -> None:
        """Take an item's words out of the log, in the transaction that erases the item; nothing where not logged."""
        found = await store.lock_item_record(conn, shop_id, order_id, item_id)
        if found is None:
            return
        await self._log.erase(conn, shop_id, found.record_id)
        await store.add_erasure(conn, self._ids.next(), found, 0, ITEM_ERASED, self._clock.instant())
