"""Use cases of identity: getting in, staying in, getting out, and what an operator gives to accounts."""

from collections.abc import Iterable

from argon2 import PasswordHasher

from kabao.identity import rules, store
from kabao.identity.model import STAFF_ROLES, NewSession, Person, Role, SignedIn, Visitor
from kabao.identity.phone import normal_phone
from kabao.identity.ports import CodeSender, CodeUnreachable, CodeWrongAddress
from kabao.identity.staff import HASHER, StaffSecrets
from kabao.identity.token_cache import TokenCache
from kabao.identity.tokens import (
    TokenHasher,
    is_api_token,
    is_token,
    new_api_token,
    new_code,
    new_token,
    same,
)
from kabao.kernel import AccountId, Clock, IdSource, Refusal, Refused
from kabao.postgres import Connection, Database

_PHONE_WRONG = Refused(Refusal.INVALID_FIELDS, {"phone": "请填能收短信的手机号，境外号码带上国家代码，如 +852。"})
_PHONE_UNREACHED = Refused(Refusal.INVALID_FIELDS, {"phone": "短信发不到这个号码，换一个能收短信的。"})
_NAME_WRONG = Refused(
    Refusal.INVALID_FIELDS, {"display_name": f"昵称要有 1 到 {rules.MAX_NAME} 个字，不能有看不见的字符。"}
)
_PASSWORD_WRONG = Refused(
    Refusal.INVALID_FIELDS, {"password": f"密码要有 {rules.MIN_PASSWORD} 到 {rules.MAX_PASSWORD} 个字符。"}
)
_SEVERAL_ACCOUNTS = Refused(Refusal.INVALID_FIELDS, {"account": "有几个账号用这个名字，请改用手机号。"})


class IdentityService:
    """Everything about who someone is.

    `secret` is the server's (at least 32 bytes); codes, links, sessions and tokens made under it are void under
    another one, and so are the staff's authenticators.
    """

    def __init__(
        self,
        *,
        database: Database,
        clock: Clock,
        ids: IdSource,
        sender: CodeSender,
        secret: bytes,
        hasher: PasswordHasher | None = None,
        token_cache: TokenCache | None = None,
    ) -> None:
        self._database = database
        self._clock = clock
        self._ids = ids
        self._sender = sender
        self._hasher = TokenHasher(secret)
        self._staff = StaffSecrets(secret, hasher or HASHER)
        self._tokens = TokenCache() if token_cache is None else token_cache

    # Sign-in by phone and code

    async def request_code(self, phone_text: str, visitor: Visitor) -> str | Refused:
        """Send a code to a phone and answer the phone as E.164; what happens never depends on whether it is known.

        Refusals: INVALID_FIELDS (phone, also one that the gateway never takes), TOO_MANY_TRIES (1 a minute and 5 an
        hour per phone, 20 an hour per network), CODE_UNREACHABLE.
        """
        phone = normal_phone(phone_text)
        if phone is None:
            return _PHONE_WRONG
        code = new_code()
        if not await self._keep_code(phone, code, visitor):
            return Refused(Refusal.TOO_MANY_TRIES)
        try:
            await self._sender.send(phone, code)
        except CodeWrongAddress:
            return _PHONE_UNREACHED
        except CodeUnreachable:
            return Refused(Refusal.CODE_UNREACHABLE)
        return phone

    async def _keep_code(self, phone: str, code: str, visitor: Visitor) -> bool:
        """Keep a code's hash; False where the phone or the network has had enough of them."""
        at = self._clock.instant()
        async with self._database.transaction() as conn:
            if not await store.allow(conn, f"code-net:{visitor.network}", rules.CODES_PER_NETWORK, at):
                return False
            last = await store.lock_code(conn, phone, at)
            if last is not None and rules.was_sent_just_now(sent_at=last.sent_at, now=last.now):
                return False
            bucket = f"code-phone:{self._hasher.hash('bucket', phone).hex()}"
            if not await store.allow(conn, bucket, rules.CODES_PER_PHONE, at):
                return False
            # Two first requests at once both find no code to lock; the spacing in the upsert lets one of them send.
            code_hash = self._hasher.hash("code", phone, code)
            return await store.save_code(conn, phone, code_hash, rules.CODE_SECONDS, rules.CODE_SPACING_SECONDS, at)

    @property
    def sends_codes(self) -> bool:
        """Whether sign-in codes reach phones, and are not only shown on the server's terminal."""
        return self._sender.delivers

    async def reachable_phone(self, conn: Connection, account_id: int) -> str | None:
        """Answer an account's phone as E.164; None where it is frozen or gone."""
        return await store.reachable_phone(conn, account_id)

    async def sign_in(
        self, phone: str, code: str, visitor: Visitor, *, replacing: str | None = None
    ) -> NewSession | Refused:
        """Begin a session for who holds the phone, with a new buyer's account at the first time.

        The token is new each time, and the browser's earlier one (`replacing`) ends. Refusals: TOO_MANY_TRIES,
        INVALID_FIELDS (phone), CODE_WRONG, CODE_EXPIRED (also after the fifth wrong try), ACCOUNT_FROZEN.
        """
        normal, digits, at = normal_phone(phone), rules.clean_digits(code), self._clock.instant()
        async with self._database.transaction() as conn:
            if not await self._may_try(conn, visitor):
                return Refused(Refusal.TOO_MANY_TRIES)
            if normal is None:
                return _PHONE_WRONG
            if digits is None:
                return Refused(Refusal.CODE_WRONG)
            refused = await self._spend_code(conn, normal, digits)
            if refused is not None:
                return refused
            account_id = self._ids.next()
            name = rules.default_name(account_id)
            account = await store.ensure_account(conn, account_id, normal, name, [Role.BUYER], at)
            if account.is_frozen:
                return Refused(Refusal.ACCOUNT_FROZEN)
            return await self._begin(conn, account.person, visitor, replacing)

    async def sign_in_by_link(
        self, token: str, visitor: Visitor, *, replacing: str | None = None
    ) -> NewSession | Refused:
        """Begin a session by a link that works once; the answer's `role` says what the link was made for.

        Refusals: TOO_MANY_TRIES, LINK_SPENT, ACCOUNT_FROZEN.
        """
        async with self._database.transaction() as conn:
            if not await self._may_try(conn, visitor):
                return Refused(Refusal.TOO_MANY_TRIES)
            if not is_token(token):
                return Refused(Refusal.LINK_SPENT)
            used = await store.use_link(conn, self._hasher.hash("link", token), self._clock.instant())
            account = await store.account_by_id(conn, used[0]) if used else None
            if used is None or account is None or used[1] not in account.person.roles:
                return Refused(Refusal.LINK_SPENT)
            if account.is_frozen:
                return Refused(Refusal.ACCOUNT_FROZEN)
            return await self._begin(conn, account.person, visitor, replacing, used[1])

    async def make_link(self, account_id: int, role: Role) -> str:
        """Make the token of a sign-in link, good once within 24 hours; raises LookupError without account or role."""
        token = new_token()
        async with self._database.transaction() as conn:
            link_hash = self._hasher.hash("link", token)
            if not await store.add_link(conn, link_hash, account_id, role, rules.LINK_SECONDS, self._clock.instant()):
                raise LookupError(f"account {account_id} does not act as {role}")
        return token

    # Sessions

    async def session(self, token: str) -> SignedIn | None:
        """Answer who a session token belongs to, or None where it is unknown, over, or its account frozen.

        A session ends 30 days after it was last used; the sighting is written at most each ten minutes.
        """
        if not is_token(token):
            return None
        session_hash = self._hasher.hash("session", token)
        async with self._database.connection() as conn:
            found = await store.session(conn, session_hash, self._clock.instant())
            if found is None:
                return None
            if rules.is_seen_stale(seen_at=found.seen_at, now=found.now):
                await store.touch_session(conn, session_hash, found.now, rules.SESSION_SECONDS)
        return SignedIn(person=found.person, csrf=self._hasher.csrf(token), session_hash=session_hash)

    async def sign_out(self, token: str) -> None:
        """End a session; one that is not there is over already."""
        if is_token(token):
            async with self._database.transaction() as conn:
                await store.end_session(conn, self._hasher.hash("session", token))

    async def revoke_sessions(self, account_id: int) -> int:
        """End every session of an account and answer how many there were."""
        async with self._database.transaction() as conn:
            return await store.end_sessions(conn, account_id)

    # Staff

    async def staff_check(self, signed_in: SignedIn, password: str, totp: str) -> Refused | None:
        """Check a staff member's password and one-time code; the session then counts as checked for 12 hours.

        Takes as long for someone who is no staff member. Refusals: TOO_MANY_TRIES (5 in 15 minutes),
        WRONG_CREDENTIALS (a code used before too), SIGN_IN_REQUIRED where the session has ended meanwhile.
        """
        account_id, at = signed_in.person.account_id, self._clock.instant()
        async with self._database.connection() as conn:
            if not await store.allow(conn, f"staff:{account_id}", rules.STAFF_CHECKS_PER_ACCOUNT, at):
                return Refused(Refusal.TOO_MANY_TRIES)
            known = await store.credential(conn, account_id, at)
        matches = await self._staff.password_matches(known.password_hash, password[: rules.MAX_PASSWORD + 1])
        step = self._staff.matching_step(account_id, known.totp_sealed, rules.clean_digits(totp) or "", known.now)
        if not matches or step is None or known.password_hash is None:
            return Refused(Refusal.WRONG_CREDENTIALS)
        async with self._database.transaction() as conn:
            if not await store.spend_step(conn, account_id, step, known.password_hash):
                return Refused(Refusal.WRONG_CREDENTIALS)
            if not await store.mark_staff(conn, signed_in.session_hash, account_id, rules.STAFF_SECONDS, at):
                return Refused(Refusal.SIGN_IN_REQUIRED)
        return None

    async def set_staff_credential(self, account_id: int, password: str) -> str | Refused:
        """Set a staff member's password and a new authenticator, and answer the otpauth URI that sets the latter up.

        Checks made with the earlier ones end. Refusals: NOT_FOUND, NOT_ALLOWED (no staff role), INVALID_FIELDS.
        """
        if not rules.is_good_password(password):
            return _PASSWORD_WRONG
        async with self._database.connection() as conn:
            account = await store.account_by_id(conn, account_id)
        if account is None:
            return Refused(Refusal.NOT_FOUND)
        if not account.person.is_staff:
            return Refused(Refusal.NOT_ALLOWED)
        made = await self._staff.make(account_id, account.person.display_name, password)
        async with self._database.transaction() as conn:
            await store.save_credential(conn, account_id, made.password_hash, made.totp_sealed)
        return made.totp_uri

    async def staff_code(self, account_id: int) -> str | Refused:
        """Return the code an authenticator shows now: for the server's own command line. Refusals: NOT_FOUND."""
        async with self._database.connection() as conn:
            known = await store.credential(conn, account_id, self._clock.instant())
        if known.totp_sealed is None:
            return Refused(Refusal.NOT_FOUND)
        return self._staff.code_at(account_id, known.totp_sealed, known.now)

    # Accounts

    async def grant(self, account_id: int, role: Role, conn: "Connection | None" = None) -> None:
        """Let an account act as `role`, on the caller's transaction where one is given; once is as good as twice.

        Raises LookupError without such an account.
        """
        if conn is None:
            async with self._database.transaction() as own:
                return await self.grant(account_id, role, own)
        if await store.account_by_id(conn, account_id) is None:
            raise LookupError(f"no account {account_id}")
        return await store.add_roles(conn, account_id, [role], self._clock.instant())

    async def staff(self) -> list[Person]:
        """List everybody who holds a staff role, by name, frozen or not: for the server's own command line."""
        async with self._database.connection() as conn:
            return [account.person for account in await store.staff(conn)]

    async def dismiss(self, account_id: int, roles: Iterable[Role]) -> frozenset[Role]:
        """Take staff roles from an account, and answer those it held.

        With them end its staff checks and its tokens of these roles, and with the last its password and authenticator.
        """
        async with self._database.transaction() as conn:
            taken = await store.take_roles(conn, account_id, STAFF_ROLES.intersection(roles), self._clock.instant())
        self._tokens.clear()
        return frozenset(taken)

    async def find_or_create(self, phone: str, display_name: str, roles: Iterable[Role]) -> AccountId:
        """Answer the account of a phone, made under that name where there is none, and holding at least `roles`.

        For the command line and the demo market; raises ValueError for a phone or a name that is not one.
        """
        normal, name, at = normal_phone(phone), rules.clean_name(display_name), self._clock.instant()
        if normal is None or name is None:
            raise ValueError("an account needs a mobile number and a name of 1 to 40 characters")
        async with self._database.transaction() as conn:
            account = await store.ensure_account(conn, self._ids.next(), normal, name, [], at)
            await store.add_roles(conn, account.person.account_id, roles, at)
            return account.person.account_id

    async def rename(self, account_id: int, display_name: str) -> Refused | None:
        """Change the name others see. Refusals: INVALID_FIELDS (display_name), NOT_FOUND."""
        name = rules.clean_name(display_name)
        if name is None:
            return _NAME_WRONG
        async with self._database.transaction() as conn:
            return None if await store.rename(conn, account_id, name) else Refused(Refusal.NOT_FOUND)

    async def set_frozen(self, account_id: int, *, frozen: bool) -> Refused | None:
        """Freeze an account, which ends its sessions and stops its tokens, or thaw it. Refusals: NOT_FOUND."""
        async with self._database.transaction() as conn:
            if not await store.set_frozen(conn, account_id, self._clock.instant(), frozen=frozen):
                return Refused(Refusal.NOT_FOUND)
            if frozen:
                await store.end_sessions(conn, account_id)
        self._tokens.clear()
        return None

    # API tokens

    async def create_token(self, account: str, role: Role) -> str | Refused:
        """Make an API token for the account of a phone or a display name; it acts as `role` alone.

        Only for the server's command line: a staff role's token counts as checked, without a one-time code.
        Refusals: NOT_FOUND, INVALID_FIELDS (several accounts of that name), ACCOUNT_FROZEN, NOT_ALLOWED (not its role).
        """
        text, phone, name = new_api_token(), normal_phone(account), rules.clean_name(account)
        async with self._database.transaction() as conn:
            by_phone = await store.account_by_phone(conn, phone) if phone else None
            found = [by_phone] if by_phone else await store.accounts_by_name(conn, name) if name else []
            if len(found) > 1:
                return _SEVERAL_ACCOUNTS
            if not found:
                return Refused(Refusal.NOT_FOUND)
            if found[0].is_frozen:
                return Refused(Refusal.ACCOUNT_FROZEN)
            account_id, token_hash = found[0].person.account_id, self._hasher.hash("token", text)
            if not await store.add_token(conn, token_hash, account_id, role, self._clock.instant()):
                return Refused(Refusal.NOT_ALLOWED)
        return text

    async def token(self, text: str) -> Person | None:
        """Answer whom an API token stands for, with the token's role alone; a revocation elsewhere takes ≤ 2 s."""
        if not is_api_token(text):
            return None
        token_hash = self._hasher.hash("token", text)
        person = self._tokens.get(token_hash)
        if person is None:
            async with self._database.connection() as conn:
                person = await store.token(conn, token_hash)
            if person is not None:
                self._tokens.put(token_hash, person)
        return person

    async def revoke_token(self, text: str) -> bool:
        """End an API token and answer whether it was in force."""
        if not is_api_token(text):
            return False
        token_hash = self._hasher.hash("token", text)
        async with self._database.transaction() as conn:
            was_in_force = await store.revoke_token(conn, token_hash, self._clock.instant())
        self._tokens.drop(token_hash)
        return was_in_force

    # Limits and tidying

    async def allow(self, bucket: str, limit: int, seconds: int) -> bool:
        """Count one hit for `bucket` and answer whether it stays within `limit` per aligned window of `seconds`.

        Refused hits are not counted; a burst across a window's edge may reach twice the limit. At most one day.
        """
        async with self._database.connection() as conn:
            return await store.allow(conn, bucket, rules.Limit(limit, seconds), self._clock.instant())

    async def may(self, act: rules.Act, *whose: object) -> bool:
        """Count one act of somebody (an account, or an account and a case) and answer whether it is let through."""
        return await self.allow(":".join((act, *map(str, whose))), *rules.LIMITS[act])

    async def may_miss(self, person: Person | None, visitor: Visitor) -> bool:
        """Count one look-up that found nothing, for the account or else the network; answers False from the 61st on.

        Where it is False the answer is TOO_MANY_TRIES instead of NOT_FOUND; what is found is never held back.
        """
        return await self.may(rules.Act.MISS, "net:" + visitor.network if person is None else person.account_id)

    async def purge(self) -> int:
        """Remove ended sessions, codes, links and rate windows, and answer how many rows; a background job's work."""
        async with self._database.transaction() as conn:
            return await store.purge(conn, self._clock.instant())

    # Steps shared by the use cases above

    async def _may_try(self, conn: Connection, visitor: Visitor) -> bool:
        bucket = f"sign-in-net:{visitor.network}"
        return await store.allow(conn, bucket, rules.SIGN_INS_PER_NETWORK, self._clock.instant())

    async def _spend_code(self, conn: Connection, phone: str, digits: str) -> Refused | None:
        stored = await store.lock_code(conn, phone, self._clock.instant())
        if stored is None:
            return Refused(Refusal.CODE_EXPIRED)
        verdict = rules.judge_code(
            attempts=stored.attempts,
            expires_at=stored.expires_at,
            now=stored.now,
            matches=same(stored.code_hash, self._hasher.hash("code", phone, digits)),
        )
        if verdict is rules.CodeVerdict.RIGHT:
            # Spent, not deleted: the spacing between two codes still counts from it.
            await store.set_attempts(conn, phone, rules.CODE_TRIES)
            return None
        await store.set_attempts(conn, phone, min(stored.attempts + 1, rules.CODE_TRIES))
        return Refused(
            Refusal.CODE_WRONG if verdict is rules.CodeVerdict.WRONG else Refusal.CODE_EXPIRED,
        )

    async def _begin(
        self,
        conn: Connection,
        person: Person,
        visitor: Visitor,
        replacing: str | None,
        role: Role | None = None,
    ) -> NewSession:
        if replacing is not None and is_token(replacing):
            await store.end_session(conn, self._hasher.hash("session", replacing))
        token, at = new_token(), self._clock.instant()
        session_hash = self._hasher.hash("session", token)
        expires_at = await store.add_session(conn, session_hash, person.account_id, visitor, rules.SESSION_SECONDS, at)
        csrf = self._hasher.csrf(token)
        return NewSession(token=token, csrf=csrf, expires_at=expires_at, person=person, role=role)
