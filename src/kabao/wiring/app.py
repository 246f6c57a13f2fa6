"""Builds every service from the settings and takes them down again, in order."""

import asyncio
from contextlib import AsyncExitStack
from dataclasses import dataclass, field
from typing import Any

from obstore.store import LocalStore

from kabao.cases import CaseService
from kabao.custody import CustodyService, SandboxInstitution
from kabao.evidence import EvidenceService
from kabao.identity import CodeSender, IdentityService, TerminalCodeSender
from kabao.inventory import InventoryService, Keyring
from kabao.kernel import Clock, DatabaseClock, IdSource
from kabao.ledger import LedgerService
from kabao.notices import NoticeService
from kabao.orders import OrderService, SweepService
from kabao.postgres import APP_ROLE, DATABASE, Database, DataFolder, EmbeddedServer, open_pool, prepare, upgrade
from kabao.shops import ShopService
from kabao.wiring.settings import Settings


@dataclass(slots=True, kw_only=True)
class App:
    """Every part of a running kabao, by name; `kabao.web` and `kabao.api` see it at `request.app.state.kabao`."""

    settings: Settings
    server: EmbeddedServer | None
    database: Database
    clock: Clock
    ids: IdSource
    keyring: Keyring
    identity: IdentityService
    shops: ShopService
    inventory: InventoryService
    orders: OrderService
    cases: CaseService
    evidence: EvidenceService
    notices: NoticeService
    custody: SandboxInstitution
    ledger: LedgerService
    sweep: SweepService
    money_moved: asyncio.Event
    """Set after every money step, so that the custodian hears of it at once."""
