"""Builds what keeps evidence: the public log, the timestamps, the signer of packs, and everything made from them."""

import asyncio
from pathlib import Path
from typing import Final, NamedTuple
from urllib.parse import urlsplit

import asyncpg

from kabao.cases import CaseService, DecisionService
from kabao.dossier import (
    ChecklistService,
    CheckpointStamper,
    EraseService,
    ExportService,
    ReceiptService,
    RulingService,
    record_sources,
)
from kabao.evidence import EvidenceService
from kabao.inventory import Keyring
from kabao.kernel import Clock, IdSource
from kabao.notices import Mailer
from kabao.orders import OrderService
from kabao.packs import PackSigner
from kabao.paper import Press
from kabao.postgres import Database
from kabao.timestamps import HttpPost, SandboxAuthorities, TimestampService, read_authorities, stamp_findings
from kabao.tlog import HttpWitnessPost, TransparencyLog, WitnessService, kept_origin, read_witnesses
from kabao.web.packkeys import PackKeys, root_fingerprints
from kabao.wiring.settings import Settings

PACKS_FOLDER: Final = "packs"
SIMULATED_KEYS: Final = "timestamp-sandbox-*.pem"
LOCAL_NAME: Final = "kabao.local"
"""What log and packs are signed as where no address of the site is known."""


class Foundations(NamedTuple):
    """What evidence rests on; it needs no other service."""

    log: TransparencyLog
    witnesses: WitnessService
    stamps: TimestampService
    signer: PackSigner
    keys: PackKeys
    erasing: EraseService

    async def not_before(self) -> bytes:
        """Return the newest checkpoint's note, which a recording is opened with; empty while nothing is logged."""
        head = await self.log.head()
        return head.note if head.size else b""


class Archive(NamedTuple):
    """What is made from the evidence of orders."""

    receipts: ReceiptService
    checklists: ChecklistService
    packs: ExportService
    rulings: RulingService
    erasing: EraseService
    stamper: CheckpointStamper


async def found_evidence(
    settings: Settings, database: Database, clock: Clock, ids: IdSource, keyring: Keyring, secrets: Path
) -> Foundations:
    """Build log, witnesses, timestamps and signer. Raises AuthoritiesRefused, SandboxRefused, WitnessesRefused.

    Where the settings name no authority, a demo's simulated ones are asked, in whose certificates it is written that
    they prove nothing.
    """
    name = urlsplit(settings.public_origin).netloc.replace(":", ".") or LOCAL_NAME
    log = TransparencyLog(
        database=database,
        clock=clock,
        seed=keyring.derive("log"),
        origin=settings.log_origin or await _kept(database) or f"{name}/log",
        sources=record_sources(),
        beside=[stamp_findings],
    )
    watching = read_witnesses(settings.log_witnesses)
    witnesses = WitnessService(
        database=database, clock=clock, transparency=log, witnesses=watching, post=HttpWitnessPost()
    )
    authorities = read_authorities(settings.timestamp_authorities)
    had_simulated = await asyncio.to_thread(lambda: any(secrets.glob(SIMULATED_KEYS)))
    if not authorities and (settings.has_simulated_authorities or had_simulated):
        sandbox = SandboxAuthorities(secrets)
        stamps = TimestampService(database=database, clock=clock, authorities=sandbox.authorities, post=sandbox)
    else:
        stamps = TimestampService(database=database, clock=clock, authorities=authorities, post=HttpPost())
    signer = PackSigner(name=f"{name}/pack", seed=keyring.derive("packs"))
    keys = PackKeys(
        signers=(signer.verifier_key,),
        logs=(log.verifier_key,),
        witnesses=tuple(witness.key.text for witness in watching),
        roots=root_fingerprints(authority.roots_pem for authority in stamps.authorities),
    )
    erasing = EraseService(database=database, clock=clock, ids=ids, log=log)
    return Foundations(log, witnesses, stamps, signer, keys, erasing)


def build_archive(
    settings: Settings,
    on: Foundations,
    *,
    database: Database,
    clock: Clock,
    orders: OrderService,
    cases: CaseService,
    decisions: DecisionService,
    evidence: EvidenceService,
    mailer: Mailer,
) -> Archive:
    """Build what shows, hands out and erases evidence."""
    press = Press()
    rulings = RulingService(
        database=database,
        clock=clock,
        cases=cases,
        decisions=decisions,
        log=on.log,
        press=press,
        signer=on.signer,
        site=settings.origin,
    )
    return Archive(
        receipts=ReceiptService(
            database=database, orders=orders, cases=cases, log=on.log, post=mailer, origin=settings.origin
        ),
        checklists=ChecklistService(cases=cases, decisions=decisions, evidence=evidence),
        packs=ExportService(
            database=database,
            clock=clock,
            orders=orders,
            cases=cases,
            files=evidence,
            log=on.log,
            stamps=on.stamps,
            press=press,
            rulings=rulings,
            signer=on.signer,
            site=settings.origin,
            folder=settings.data / PACKS_FOLDER,
        ),
        rulings=rulings,
        erasing=on.erasing,
        stamper=CheckpointStamper(database=database, log=on.log, stamps=on.stamps),
    )


async def _kept(database: Database) -> str | None:
    """Return the origin the log was begun under, so that a new address of the site does not begin another log."""
    try:
        return await kept_origin(database)
    except asyncpg.UndefinedTableError:
        # A command beside a database that is migrated later has no log yet.
        return None
