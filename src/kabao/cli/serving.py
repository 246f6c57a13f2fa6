"""`kabao serve` and `kabao demo`."""

import os
from pathlib import Path
from typing import Annotated

from cyclopts import Parameter

from kabao.cli.running import DEFAULT_DATA, DataOption, ExitCode, out, print_secret, run, speaks_chinese
from kabao.wiring import App, DemoMarket, Settings, demo_access, migrate, seed_demo, serve, start
from kabao.wiring.settings import DEFAULT_HOST, DEFAULT_PORT

PortOption = Annotated[int, Parameter(name="--port", help="The port to listen on; 0 takes a free one.")]
HostOption = Annotated[str, Parameter(name="--host", help="The address to listen on; by default this machine only.")]


def serve_command(
    data: DataOption = DEFAULT_DATA, port: PortOption = DEFAULT_PORT, host: HostOption = DEFAULT_HOST
) -> ExitCode:
    """Serve the pages and the API until Ctrl-C.

    Starts PostgreSQL inside the data folder, which is made on first use. KABAO_DATABASE_URL names another PostgreSQL
    instead, KABAO_PUBLIC_ORIGIN the address that browsers use when kabao stands behind a proxy.
    """
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
    """Serve a small made-up market, with a sign-in link per role.

    The market is made only where the data folder holds no shop; what is there already stays as it is. At each start
    the demo's own staff accounts get new passwords and authenticators, printed here.
    """
    settings = _settings(data, port, host)

    async def prepare_market(app: App) -> None:
        made = await seed_demo(app)
        out.print("演示市场已建好" if made else "数据目录里已有店铺，内容保持不变")

    async def ready(app: App) -> None:
        await _say_ready(app)
        _say_access(await demo_access(app), app.settings)

    async def work() -> None:
        if serve_it:
            await serve(settings, prepare=prepare_market, on_ready=ready)
            return
        await migrate(settings)
        app = await start(settings, purpose="command")
        try:
            await prepare_market(app)
        finally:
            await app.close()

    return run(work)


def _settings(data: Path, port: int, host: str) -> Settings:
    return Settings.of(data, port=port, host=host, environment=os.environ)


async def _say_ready(app: App) -> None:
    if speaks_chinese():
        out.print(f"卡保已就绪：{app.settings.origin}（按 Ctrl-C 停止）")
    else:
        out.print(f"kabao is ready: {app.settings.origin} (Ctrl-C stops it)")


def _say_access(market: DemoMarket, settings: Settings) -> None:
    if not market.links:
        out.print("这里不是演示市场，所以没有登录链接。请用手机号登录，验证码会显示在这个终端。")
        return
    out.print("\n登录链接，每个只能用一次，24 小时内有效：")
    for link in market.links:
        print_secret(f"  {link.name}（{link.role}）  {link.url}")
    out.print("\n工作人员登录后还要输入密码和动态码，每次启动都会换新：")
    for staff in market.staff:
        print_secret(f"  {staff.name}  密码 {staff.password}  验证器 {staff.totp_uri}")
        print_secret(f"    没有验证器时，运行：kabao staff code --data {settings.data} --account {staff.name}")
    print_secret("")
