"""All of evidence in one hand: what is said and handed in, uploads by chunk, and how long it is kept."""

from datetime import timedelta

from obstore.store import ObjectStore

from kabao.evidence.blobs import Write, write_whole
from kabao.evidence.items import Items
from kabao.evidence.keeping import SETTLED, KeepingService
from kabao.evidence.ports import NotBefore, OnErased, no_record, nothing_logged
from kabao.evidence.uploads import UploadService
from kabao.kernel import Clock, IdSource
from kabao.postgres import Database


class EvidenceService(Items):
    """Messages and items of an order, with their uploads and their keeping.

    `not_before` is what recordings are opened with, `on_erased` takes an erased item out of the log's records.
    """

    def __init__(
        self,
        *,
        database: Database,
        clock: Clock,
        ids: IdSource,
        blobs: ObjectStore,
        write: Write = write_whole,
        not_before: NotBefore = nothing_logged,
        on_erased: OnErased = no_record,
        settled: timedelta = SETTLED,
    ) -> None:
        super().__init__(database=database, clock=clock, ids=ids, blobs=blobs, write=write)
        self.uploads = UploadService(database=database, clock=clock, ids=ids, items=self, not_before=not_before)
        self.keeping = KeepingService(
            database=database, clock=clock, ids=ids, items=self, on_erased=on_erased, settled=settled
        )
