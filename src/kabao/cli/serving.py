"""`kabao serve` and `kabao demo`."""

import os
import shlex
from pathlib import Path
from typing import Annotated

import msgspec
from cyclopts import Parameter

from kabao.cli.running import run
from kabao.cli.terminal import DEFAULT_DATA, DataOption, ExitCode, out, print_secret, say
from kabao.notices import TerminalTransport
from kabao.wiring import (
    App,
    DemoMarket,
    Door,
    Settings,
    demo_access,
    finish_demo,
    is_demo_unfinished,
    migrate,
    seed_demo,
    serve,
    start,
)
from kabao.wiring.settings import DEFAULT_HOST, DEFAULT_PORT

PortOption = Annotated[int, Parameter(name="--port", help="The port to listen on; 0 takes a free one.")]
HostOption = Annotated[str, Parameter(name="--host", help="The address to listen on; by default this machine only.")]


def serve_command(
    data: DataOption = DEFAULT_DATA, port: PortOption = DEFAULT_PORT, host: HostOption = DEFAULT_HOST
) -> ExitCode:
    """Serve the pages and the API until Ctrl-C."""
    settings = _settings(data, port, host)

    async def work() -> None:
        await serve(settings, on_ready=_say_ready)

    return run(work)


def demo_command(
    data: DataOption = DEFAULT_DATA,
    port: PortOption = DEFAULT_PORT,
    host: HostOption = DEFAULT_HOST,
    *,
    serve_it: Annotated[bool, Parameter(name="--serve", help="Serve after making the market.")] = True,
) -> ExitCode:
    """Serve a small made-up market, with a sign-in link per role."""
    settings = msgspec.structs.replace(_settings(data, port, host), has_simulated_authorities=True)

    async def prepare_market(app: App) -> None:
        made = await seed_demo(app)
        if made:
            say("演示市场已建好。", "The demo market has been made.")
        elif await is_demo_unfinished(app):
            folder = shlex.quote(str(settings.data))
            say(
                f"演示市场上次没有建完就中断了，里面不完整，内容保持不变。"
                f"要重新建，请换一个空的数据目录（--data），或者先移走 {folder}，再运行 kabao demo。",
                f"Making the demo market broke off last time: it is incomplete, and stays as it is. To start anew, "
                f"name another empty folder with --data, or move {folder} away, then run kabao demo again.",
            )
        else:
            say("数据目录里已有店铺，内容保持不变。", "The data folder holds shops already; they stay as they are.")

    async def ready(app: App) -> None:
        access = await demo_access(app)
        if access.links:
            door = Door(app, access)
            app.demo = door
            _say_start(f"{app.settings.origin}{door.path}")
        _say_access(access, app.settings)
        await _say_ready(app)

    async def work() -> None:
        if serve_it:
            transport = TerminalTransport()
            await serve(settings, prepare=prepare_market, on_ready=ready, beside=finish_demo, transport=transport)
            return
        await migrate(settings)
        app = await start(settings, purpose="command")
        try:
            await app.rulebook.begin()
            await prepare_market(app)
        finally:
            await app.close()

    return run(work)


def _settings(data: Path, port: int, host: str) -> Settings:
    return Settings.of(data, port=port, host=host, environment=os.environ)


async def _say_ready(app: App) -> None:
    say(
        f"卡保已就绪：{app.settings.origin}（按 Ctrl-C 停止）",
        f"kabao is ready: {app.settings.origin} (Ctrl-C stops it)",
    )


def _say_start(address: str) -> None:
    say("\n演示首页，从这里进入每个角色：", "\nThe demo's start page, which leads to every role:")
    print_secret(f"  {address}")


def _say_access(market: DemoMarket, settings: Settings) -> None:
    if not market.links:
        say(
            "这里不是演示市场，所以没有登录链接。请用手机号登录，验证码会显示在这个终端。",
            "This is not the demo market, so there are no sign-in links. Sign in by phone; codes appear here.",
        )
        return
    say("\n登录链接，每个只能用一次，24 小时内有效：", "\nSign-in links, each good once within 24 hours:")
    for link in market.links:
        print_secret(f"  {link.role:9} {link.url}  {link.name}")
    say(
        "\n工作人员登录后还要输入密码和动态码，每次启动都会换新：",
        "\nStaff also give a password and a one-time code; both are new at each start:",
    )
    for staff in market.staff:
        print_secret(f"  {staff.name}  {staff.password}  {staff.totp_uri}")
        command = f"kabao staff code --data {shlex.quote(str(settings.data))} --account {staff.name}"
        say(f"    没有验证器时，用这个命令看动态码：{command}", f"    Without an authenticator: {command}")
    out.print("")
