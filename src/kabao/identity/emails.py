"""One e-mail address an account: asked for by a code sent there, in force from when the code is typed in."""

from typing import Final

from kabao.identity import rules, store
from kabao.identity.model import EmailState, Person, Visitor
from kabao.identity.ports import MailCodeSender, MailUnavailable
from kabao.identity.tokens import TokenHasher, new_code, same
from kabao.kernel import Clock, Refusal, Refused
from kabao.postgres import Connection, Database

_WRONG: Final = Refused(Refusal.INVALID_FIELDS, {"email": "邮箱的写法不对，例如 name@example.com。"})
_REFUSED: Final = Refused(Refusal.INVALID_FIELDS, {"email": "邮件服务器不收这个地址的信，请检查有没有写错。"})


class EmailService:
    """Addresses of accounts. Without a sender no address can be added; what is there can still be removed.

    `secret` is the server's; codes made under it are void under another one.
    """

    def __init__(self, *, database: Database, clock: Clock, sender: MailCodeSender | None, secret: bytes) -> None:
        self._database = database
        self._clock = clock
        self._sender = sender
        self._hasher = TokenHasher(secret)

    @property
    def is_on(self) -> bool:
        """Whether this site sends mail at all."""
        return self._sender is not None

    async def state(self, person: Person) -> EmailState:
        """Show a person their own address, masked."""
        async with self._database.connection() as conn:
            found = await store.email(conn, person.account_id, self._clock.instant())
        email, is_working, pending = found or (None, False, None)
        return EmailState(
            email_masked=rules.mask_email(email) if email else None,
            is_working=is_working,
            pending_masked=rules.mask_email(pending) if pending else None,
        )

    async def request(self, person: Person, text: str, visitor: Visitor) -> str | Refused:
        """Send a code to an address and answer the address masked; the address in force stays until the code is typed.

        Refusals: MAIL_OFF, INVALID_FIELDS (email), MAIL_UNREACHABLE, TOO_MANY_TRIES (1 a minute and 5 an hour per
        account, 5 an hour per address, 20 an hour per network).
        """
        if self._sender is None:
            return Refused(Refusal.MAIL_OFF)
        email, code, me = rules.clean_email(text), new_code(), person.account_id
        if email is None:
            return _WRONG
        code_hash = self._hash(me, email, code)
        if not await self._save(me, email, code_hash, visitor):
            return Refused(Refusal.TOO_MANY_TRIES)
        try:
            is_taken = await self._sender.send(email, code, rules.EMAIL_CODE_SECONDS)
        except MailUnavailable:
            await self._forget_code(me, code_hash)
            return Refused(Refusal.MAIL_UNREACHABLE)
        if not is_taken:
            await self._forget_code(me, code_hash)
            return _REFUSED
        return rules.mask_email(email)

    async def confirm(self, person: Person, code: str) -> Refused | None:
        """Put the address in force whose code this is. Refusals: CODE_WRONG, CODE_EXPIRED (after five wrong tries)."""
        digits, me, at = rules.clean_digits(code), person.account_id, self._clock.instant()
        if digits is None:
            return Refused(Refusal.CODE_WRONG)
        async with self._database.transaction() as conn:
            found = await store.lock_email_code(conn, me, at)
            if found is None:
                return Refused(Refusal.CODE_EXPIRED)
            email, stored = found
            verdict = rules.judge_code(
                attempts=stored.attempts,
                expires_at=stored.expires_at,
                now=stored.now,
                matches=same(stored.code_hash, self._hash(me, email, digits)),
            )
            if verdict is not rules.CodeVerdict.RIGHT:
                await store.set_email_attempts(conn, me, min(stored.attempts + 1, rules.CODE_TRIES))
                is_over = verdict is rules.CodeVerdict.ENDED
                return Refused(Refusal.CODE_EXPIRED if is_over else Refusal.CODE_WRONG)
            await store.set_email(conn, me, email, at)
            await store.drop_email_code(conn, me)
        return None

    async def remove(self, person: Person) -> None:
        """Forget a person's address, and a new one that waits for its code; none is as good as one."""
        async with self._database.transaction() as conn:
            await store.set_email(conn, person.account_id, None, self._clock.instant())
            await store.drop_email_code(conn, person.account_id)

    async def working_address(self, conn: Connection, account_id: int) -> str | None:
        """Answer the address mail for an account goes to, or None."""
        found = await store.email(conn, account_id, self._clock.instant())
        return found.email if found and found.is_working else None

    async def mark_failed(self, conn: Connection, account_id: int, email: str) -> bool:
        """Mark an address as not working; answers whether it was the account's and working until now."""
        return await store.fail_email(conn, account_id, email, self._clock.instant())

    def _hash(self, account_id: int, email: str, code: str) -> bytes:
        return self._hasher.hash("email-code", str(account_id), email, code)

    async def _save(self, me: int, email: str, code_hash: bytes, visitor: Visitor) -> bool:
        at = self._clock.instant()
        address = self._hasher.hash("bucket", email).hex()
        async with self._database.transaction() as conn:
            if not await store.allow(conn, f"mail-net:{visitor.network}", rules.CODES_PER_NETWORK, at):
                return False
            last = await store.lock_email_code(conn, me, at)
            if last is not None and rules.was_sent_just_now(sent_at=last[1].sent_at, now=last[1].now):
                return False
            if not await store.allow(conn, f"mail-account:{me}", rules.CODES_PER_ACCOUNT, at):
                return False
            if not await store.allow(conn, f"mail-address:{address}", rules.CODES_PER_ADDRESS, at):
                return False
            seconds, spacing = rules.EMAIL_CODE_SECONDS, rules.CODE_SPACING_SECONDS
            return await store.save_email_code(conn, me, email, code_hash, seconds, spacing, at)

    async def _forget_code(self, me: int, code_hash: bytes) -> None:
        async with self._database.connection() as conn:
            await store.drop_email_code(conn, me, code_hash)
