"""What every way to send a short message keeps to; the one there is prints on the operator's terminal."""

import io
from collections.abc import Callable
from dataclasses import dataclass

import msgspec
import pytest

from kabao.notices import ShortMessage, ShortMessages, TerminalShortMessages

MESSAGE = ShortMessage(
    message_id=7,
    to="+8613800138000",
    kind="due_case",
    line="「点卡」的纠纷：轮到你了，还剩 3 小时",
    url="https://kabao.example.org/c/1-2",
)


@dataclass
class Channel:
    """A transport, and what came out at its far end."""

    transport: ShortMessages
    arrived: Callable[[], list[str]]


@pytest.fixture
def channel() -> Channel:
    stream = io.StringIO()
    return Channel(TerminalShortMessages(stream), lambda: stream.getvalue().splitlines())


async def test_a_message_arrives_whole_with_whom_to_and_where_to_look(channel: Channel) -> None:
    await channel.transport.send(MESSAGE)
    [arrived] = channel.arrived()
    assert all(part in arrived for part in (MESSAGE.to, MESSAGE.line, MESSAGE.url))


async def test_no_line_becomes_two_messages(channel: Channel) -> None:
    await channel.transport.send(msgspec.structs.replace(MESSAGE, line="一行\nkabao: message to 别人: 假的\x1b[2J"))
    [arrived] = channel.arrived()
    assert arrived.startswith(f"kabao: message to {MESSAGE.to}: ")
    assert "\x1b" not in arrived


async def test_what_only_shows_messages_says_so_and_writes_what_the_terminal_can(
    capsys: pytest.CaptureFixture[str],
) -> None:
    assert not TerminalShortMessages().delivers
    await TerminalShortMessages().send(MESSAGE)
    assert MESSAGE.line in capsys.readouterr().out
    raw = io.BytesIO()
    narrow = io.TextIOWrapper(raw, encoding="ascii")
    await TerminalShortMessages(narrow).send(MESSAGE)
    assert raw.getvalue().startswith(b"kabao: message to +8613800138000: ?")
