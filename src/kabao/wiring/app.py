"""Builds every service from the settings and takes them down again, in order."""

import asyncio
from collections.abc import Iterable
from contextlib import AsyncExitStack
from dataclasses import dataclass, field
from typing import Final, Literal, TypedDict

import msgspec
import structlog
from obstore.store import LocalStore

from kabao.adjudication.service import RulebookService
from kabao.cases import CaseService, DecisionService
from kabao.custody import SandboxInstitution
from kabao.deposits import DepositService
from kabao.evidence import EvidenceService
from kabao.figures import FigureService, ForecastService, PrecedentService, ProposalService
from kabao.helpcases import HelpCases, HelpFiles
from kabao.identity import CodeSender, EmailService, IdentityService, Person, Role, TerminalCodeSender, normal_phone
from kabao.inventory import InventoryService, Keyring, open_keyring
from kabao.kernel import AccountId, Clock, DatabaseClock, IdSource, Refused
from kabao.ledger import LedgerService
from kabao.notices import (
    Channel,
    CodeMail,
    GatewayCodeSender,
    Mailer,
    MailTransport,
    NoticeService,
    Texter,
    gateways_of,
)
from kabao.orders import InstructionRunner, OrderService, SweepService
from kabao.postgres import (
    APP_ROLE,
    DATABASE,
    Database,
    DataFolder,
    EmbeddedServer,
    latest_schema,
    open_pool,
    prepare,
    upgrade,
)
from kabao.shops import OnMerchant, ShopService
from kabao.terms.apart import Readers
from kabao.web.packkeys import PackKeys
from kabao.web.services import DemoDoor
from kabao.webhooks import WebhookService
from kabao.wiring import store
from kabao.wiring.archive import Archive, Foundations, build_archive, found_evidence
from kabao.wiring.listingterms import faults_in
from kabao.wiring.post import mail_of
from kabao.wiring.settings import Settings
from kabao.wiring.telling import Telling, build_telling

Purpose = Literal["serve", "command"]

SECRETS_FOLDER: Final = "secrets"
BLOBS_FOLDER: Final = "blobs"
WORKSHOP_FOLDER: Final = "workshop"
LEFT_STAFF: Final = "不再是争议组成员。"
"""Why somebody who was dismissed is off a panel, for the record."""
"""Where saved cases of self-help are laid out while they are packed."""

log = structlog.get_logger("kabao.wiring")


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
    emails: EmailService
    shops: ShopService
    inventory: InventoryService
    orders: OrderService
    cases: CaseService
    rulebook: RulebookService
    decisions: DecisionService
    forecasts: ForecastService
    figures: FigureService
    precedents: PrecedentService
    proposals: ProposalService
    evidence: EvidenceService
    foundations: Foundations
    archive: Archive
    notices: NoticeService
    mailer: Mailer
    texter: Texter
    telling: Telling
    custody: SandboxInstitution
    ledger: LedgerService
    deposits: DepositService
    sweep: SweepService
    instructions: InstructionRunner
    money_moved: asyncio.Event
    """Set after a money step that left an instruction, so that the custodian hears of it at once."""
    form_key: bytes
    """Signs what pages hand out and take back, such as when a form was shown."""
    help_files: HelpFiles
    pack_keys: PackKeys
    """What this site signs packs and its log with, for the page that checks packs."""
    readers: Readers = field(default_factory=Readers)
    demo: DemoDoor | None = None
    """The start page of a demo market; None everywhere else."""
    _stack: AsyncExitStack = field(default_factory=AsyncExitStack)

    @property
    def webhooks(self) -> WebhookService:
        """Where shops' own programs hear of orders and cases."""
        return self.telling.webhooks

    @property
    def help_cases(self) -> HelpCases:
        """Purchases made elsewhere that people saved."""
        return self.help_files.cases

    async def probe(self) -> None:
        """Return when the database works; raises `DatabaseUnavailable`."""
        await store.ping(self.database)

    async def has_shops(self) -> bool:
        """Tell whether any shop exists: a demo market is only made where there is none."""
        return await store.has_shops(self.database)

    async def accounts(self, text: str) -> list[AccountId]:
        """Find the accounts of a phone or of a display name, for the command line."""
        phone = normal_phone(text)
        if phone is not None:
            return list((await store.accounts_of(self.database, [phone])).values())
        return await store.accounts_named(self.database, text.strip())

    async def staff(self, accounts: list[AccountId]) -> list[AccountId]:
        """Keep of some accounts those that hold a staff role."""
        return await store.staff_among(self.database, accounts)

    async def dismiss(self, staff: Person, roles: Iterable[Role]) -> tuple[frozenset[Role], int]:
        """Take staff roles from somebody, whose panel seats are drawn anew unless he has voted.

        Answers the roles that were taken and how many seats were left.
        """
        taken = await self.identity.dismiss(staff.account_id, roles)
        left = 0
        if Role.PANEL in taken:
            # Without the role he is drawn for nothing more; the seats he has are left in it once again.
            was = msgspec.structs.replace(staff, roles=frozenset({Role.PANEL}), staff_checked=True)
            for ref in await self.cases.desk.seats_of(was):
                left += await self.cases.ladder.recuse(was, ref, LEFT_STAFF) is None
        return taken, left

    async def take_notice(self, body: bytes, signature: str) -> bool:
        """Receive a notice of the simulated institution; True where it is booked, now or before."""
        outcome = await self.orders.take_notice(body, signature)
        if isinstance(outcome, Refused):
            log.warning("payment notice refused", code=str(outcome.code))
            return False
        return True

    async def close(self) -> None:
        """Close the pool, then stop the server this process started, then let the folder go; safe to repeat."""
        await self._stack.aclose()


async def start(
    settings: Settings,
    *,
    purpose: Purpose = "serve",
    sender: CodeSender | None = None,
    transport: MailTransport | None = None,
) -> App:
    """Start (or, for a command, join) the database, migrate it, and build every service.

    Raises an `ExplainedError` (folder refused or busy, database newer, server failed, key file or mail wrong) or
    `DatabaseUnavailable`, and leaves nothing running.
    """
    async with AsyncExitStack() as stack:
        server, dsn = await _database_of(settings, purpose, stack)
        database = await open_pool(dsn, size=settings.pool_size)
        stack.push_async_callback(database.close)
        app = await build(settings, database, server=server, sender=sender, transport=transport)
        if purpose == "serve":
            await app.help_cases.probe()
            await app.rulebook.begin()
        app._stack = stack.pop_all()  # noqa: SLF001  the App owns from here on what was opened above
        return app


async def build(
    settings: Settings,
    database: Database,
    *,
    server: EmbeddedServer | None = None,
    sender: CodeSender | None = None,
    transport: MailTransport | None = None,
    clock: Clock | None = None,
    ids: IdSource | None = None,
) -> App:
    """Build every service over an open database; `transport` takes mail where the settings name no server."""
    clock, ids = clock or DatabaseClock(), ids or IdSource()
    base, timed = _Base(database=database, clock=clock, ids=ids), _Timed(database=database, clock=clock)
    keyring = await open_keyring(settings.data / SECRETS_FOLDER, database)
    blobs = LocalStore(settings.data / BLOBS_FOLDER, mkdir=True)
    money_moved = asyncio.Event()
    identity, texter = _phones(settings, base, keyring, sender)
    inventory = InventoryService(**base, keyring=keyring)
    custody = SandboxInstitution(**base, secret=keyring.derive("sandbox"))
    on = await found_evidence(settings, database, clock, ids, keyring, settings.data / SECRETS_FOLDER)
    evidence = EvidenceService(**base, blobs=blobs, not_before=on.not_before, on_erased=on.erasing.item_erased)
    emails, mailer, notices = _mail(settings, base, keyring, transport, texter)
    orders = _orders(base, custody, inventory, keyring.derive("payers"), notices, money_moved)
    rulebook = RulebookService(database=database, clock=clock)
    cases = CaseService(**base, orders=orders, evidence=evidence, notices=notices, rulebook=rulebook)
    orders.chargebacks.cases = cases.ladder.bank
    decisions = DecisionService(**base, cases=cases, evidence=evidence, rulebook=rulebook)
    return App(
        settings=settings,
        server=server,
        **base,
        keyring=keyring,
        identity=identity,
        emails=emails,
        shops=ShopService(**base, fee_bps=settings.fee_bps, on_merchant=_merchant_of(identity), terms_check=faults_in),
        inventory=inventory,
        orders=orders,
        cases=cases,
        rulebook=rulebook,
        decisions=decisions,
        forecasts=ForecastService(database=database, orders=orders, decisions=decisions, rulebook=rulebook),
        figures=FigureService(database=database, clock=clock),
        precedents=PrecedentService(**timed, cases=cases, decisions=decisions, rulebook=rulebook),
        proposals=ProposalService(**base, notices=notices, rulebook=rulebook),
        evidence=evidence,
        foundations=on,
        archive=build_archive(
            settings, on, orders=orders, cases=cases, decisions=decisions, evidence=evidence, mailer=mailer, **timed
        ),
        form_key=keyring.derive("forms"),
        pack_keys=on.keys,
        help_files=_help(settings, base, keyring, blobs, notices),
        notices=notices,
        mailer=mailer,
        texter=texter,
        telling=build_telling(settings, keyring, cases=cases, notices=notices, mailer=mailer, **base),
        custody=custody,
        ledger=LedgerService(database=database),
        deposits=_deposits(base, custody, money_moved),
        sweep=SweepService(database=database, clock=clock),
        instructions=InstructionRunner(database=database, clock=clock, custodian=custody, notices=notices),
        money_moved=money_moved,
    )


class _Timed(TypedDict):
    """What every service stands on."""

    database: Database
    clock: Clock


class _Base(_Timed):
    """What those stand on that name new things."""

    ids: IdSource


def _help(settings: Settings, base: _Base, keyring: Keyring, blobs: LocalStore, notices: NoticeService) -> HelpFiles:
    cases = HelpCases(**base, key=keyring.derive("help cases"), blobs=blobs, notices=notices)
    return HelpFiles(cases, settings.data / WORKSHOP_FOLDER)


def _orders(
    base: _Base,
    custody: SandboxInstitution,
    inventory: InventoryService,
    payer_key: bytes,
    notices: NoticeService,
    money_moved: asyncio.Event,
) -> OrderService:
    return OrderService(
        **base,
        custodian=custody,
        open_key=inventory.open_key,
        payer_key=payer_key,
        notices=notices,
        kick=money_moved.set,
    )


def _phones(
    settings: Settings, base: _Base, keyring: Keyring, sender: CodeSender | None
) -> tuple[IdentityService, Texter]:
    gateways = gateways_of(
        {Channel.SMS: settings.sms_gateway, Channel.WECHAT: settings.wechat_gateway}, settings.gateway_secret
    )
    by_phone = GatewayCodeSender(gateways[Channel.SMS], base["ids"]) if Channel.SMS in gateways else None
    codes = by_phone or sender or TerminalCodeSender()
    identity = IdentityService(**base, sender=codes, secret=keyring.derive("identity"))
    return identity, Texter(**base, phones=identity, transports=gateways, origin=settings.origin)


def _mail(
    settings: Settings, base: _Base, keyring: Keyring, transport: MailTransport | None, texter: Texter
) -> tuple[EmailService, Mailer, NoticeService]:
    carrier, sender = mail_of(settings, transport)
    database, clock, ids = base["database"], base["clock"], base["ids"]
    codes = CodeMail(clock=clock, ids=ids, transport=carrier, sender=sender) if carrier else None
    emails = EmailService(database=database, clock=clock, sender=codes, secret=keyring.derive("identity"))
    secret = keyring.derive("mail")
    mailer = Mailer(**base, addresses=emails, transport=carrier, sender=sender, secret=secret)
    return emails, mailer, NoticeService(**base, mailer=mailer, texter=texter)


def _deposits(base: _Base, custody: SandboxInstitution, money_moved: asyncio.Event) -> DepositService:
    return DepositService(
        **base, custodian=custody, ledger=LedgerService(database=base["database"]), kick=money_moved.set
    )


def _merchant_of(identity: IdentityService) -> OnMerchant:
    async def grant(account_id: int) -> None:
        await identity.grant(account_id, Role.MERCHANT)

    return grant


async def _database_of(
    settings: Settings, purpose: Purpose, stack: AsyncExitStack
) -> tuple[EmbeddedServer | None, str]:
    """Bring up the database and return the server (None where it is somebody else's) and the application's DSN."""
    if settings.owner_dsn:
        if purpose == "serve":
            folder = await asyncio.to_thread(DataFolder.open, settings.data)
            stack.callback(folder.close)
            await upgrade(settings.owner_dsn)
            folder.record_schema(latest_schema())
        return None, settings.app_dsn
    begin = EmbeddedServer.start if purpose == "serve" else EmbeddedServer.attach
    server = await asyncio.to_thread(begin, settings.data)
    stack.push_async_callback(asyncio.to_thread, server.stop)
    if server.is_owned:
        await prepare(server)
    return server, server.dsn(DATABASE, APP_ROLE)
