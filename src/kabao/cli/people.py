"""`kabao token` and `kabao staff`: API tokens for scripts, staff accounts, the code of a staff authenticator."""

import secrets
from hashlib import sha256
from typing import Annotated, Final, Literal

from cyclopts import App, Parameter

from kabao import wiring
from kabao.cli.running import granted, joined, run
from kabao.cli.terminal import DEFAULT_DATA, CommandRefusedError, DataOption, ExitCode, notes, out, print_secret
from kabao.identity import STAFF_ROLES, Role, normal_phone
from kabao.kernel import AccountId

token = App(name="token")
staff = App(name="staff")

AccountOption = Annotated[str, Parameter(name="--account", help="A phone number, or the name of an account.")]

# The numbers +1 ... 555-01xx belong to nobody: they are reserved for fiction (North American Numbering Plan).
_AREA_CODES: Final = ("202", "212", "213", "303", "312", "404", "415", "503", "602", "617", "702", "713", "801", "907")


@token.command(name="create")
def token_create(
    account: AccountOption,
    role: Annotated[Role, Parameter(name="--role", help="What the token acts as.")],
    data: DataOption = DEFAULT_DATA,
) -> ExitCode:
    """Print a new API token on standard output; it is shown this once.

    An account that does not exist is made and one without the role is given it; both are said on standard error. A
    token of a staff role counts as checked, so keep it as you would keep the password.
    """

    async def work() -> None:
        async with joined(data) as app:
            account_id, known_as = await _account(app, account, role)
            await app.identity.grant(account_id, role)
            text = granted(await app.identity.create_token(known_as, role))
        print_secret(text)

    return run(work)


@staff.command(name="add")
def staff_add(
    account: AccountOption,
    role: Annotated[
        Literal["support", "panel", "duty", "operator"], Parameter(name="--role", help="What the account acts as.")
    ],
    data: DataOption = DEFAULT_DATA,
) -> ExitCode:
    """Make an account staff and print its new password and authenticator address; both are shown this once."""

    async def work() -> None:
        password = secrets.token_urlsafe(12)
        async with joined(data) as app:
            account_id, _ = await _account(app, account, Role(role))
            await app.identity.grant(account_id, Role(role))
            uri = granted(await app.identity.set_staff_credential(account_id, password))
        out.print("password and authenticator; earlier ones are void:")
        print_secret(password)
        print_secret(uri)

    return run(work)


@staff.command(name="list")
def staff_list(data: DataOption = DEFAULT_DATA) -> ExitCode:
    """Print who holds a staff role: name, phone with its middle hidden, roles."""

    async def work() -> None:
        async with joined(data) as app:
            for one in await app.identity.staff():
                held = ", ".join(sorted(STAFF_ROLES & one.roles))
                out.print(f"{one.display_name}  {one.phone_masked}  {held}", markup=False, soft_wrap=True)

    return run(work)


@staff.command(name="remove")
def staff_remove(
    account: AccountOption,
    role: Annotated[
        Literal["support", "panel", "duty", "operator", "all"],
        Parameter(name="--role", help="What the account no longer acts as."),
    ],
    data: DataOption = DEFAULT_DATA,
) -> ExitCode:
    """Take a staff role, or all, from an account: at once, with the checks and tokens it gave.

    A panellist's seats are drawn anew, unless he has voted. What was ruled, voted and written stays as it is. Without a
    staff role left, password and authenticator are void; the account may still buy and sell.
    """

    async def work() -> None:
        async with joined(data) as app:
            account_id = await staff_account(app, account)
            (person,) = [one for one in await app.identity.staff() if one.account_id == account_id]
            taken, left = await app.dismiss(person, STAFF_ROLES if role == "all" else [Role(role)])
            if not taken:
                raise CommandRefusedError(f"{account!r} is no {role}")
        out.print(f"no longer {', '.join(sorted(taken))}; {left} panel seats are drawn anew", markup=False)

    return run(work)


@staff.command(name="code")
def staff_code(account: AccountOption, data: DataOption = DEFAULT_DATA) -> ExitCode:
    """Print the current one-time code of a staff account, for who runs the server and has no authenticator at hand."""

    async def work() -> None:
        async with joined(data) as app:
            code = granted(await app.identity.staff_code(only_account(await app.accounts(account), account)))
        print_secret(code)

    return run(work)


async def _account(app: wiring.App, text: str, role: Role) -> tuple[AccountId, str]:
    """Find an account, or make it; returns its id and what finds it again (its phone, where that is known)."""
    found = await app.accounts(text)
    if found:
        return only_account(found, text), text
    phone = normal_phone(text) or await _free_number(app, text)
    name = f"账号{phone[-4:]}" if phone == normal_phone(text) else text
    try:
        account_id = await app.identity.find_or_create(phone, name, [Role.BUYER, role])
    except ValueError as error:
        raise CommandRefusedError(f"{text!r} is neither a phone number nor a name of 1 to 40 characters") from error
    notes.print(f"account {name!r} was new and has been made", markup=False)
    return account_id, phone


async def _free_number(app: wiring.App, name: str) -> str:
    """Choose a number that belongs to nobody for an account that scripts alone use."""
    start = int.from_bytes(sha256(name.encode()).digest()[:4])
    total = len(_AREA_CODES) * 100
    for step in range(total):
        area, line = divmod((start + step) % total, 100)
        phone = f"+1{_AREA_CODES[area]}55501{line:02d}"
        if not await app.accounts(phone):
            return phone
    raise CommandRefusedError("no number is left for a new account; give a phone number instead of a name")


async def staff_account(app: wiring.App, text: str) -> AccountId:
    """Return the one staff account of a phone or name; none, several, or one without a staff role end the command."""
    found = await app.accounts(text)
    staff_found = await app.staff(found)
    if found and not staff_found:
        raise CommandRefusedError(f"{text!r} is no staff account; make one with `kabao staff add`")
    return only_account(staff_found, text)


def only_account(found: list[AccountId], text: str) -> AccountId:
    """Return the one account that was found; none or several end the command."""
    if not found:
        raise CommandRefusedError(f"no account {text!r}")
    if len(found) > 1:
        raise CommandRefusedError(f"several accounts are named {text!r}; use the phone number")
    return found[0]
