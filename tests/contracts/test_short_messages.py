"""What every way to send a short message keeps to: on the operator's terminal, and by a gateway of his own."""

import io
import socket
from collections.abc import Callable, Iterator
from dataclasses import dataclass
from datetime import UTC, datetime
from pathlib import Path

import msgspec
import pytest

from gateways import SECRET, Gate, standing
from hooks import listening
from kabao.notices import (
    Channel,
    Gateway,
    GatewaySettingsWrong,
    NotTaken,
    ShortMessage,
    ShortMessages,
    TerminalShortMessages,
    gateways_of,
)
from kabao.notices.gateway import is_gateway
from kabao.notices.rules import Failure
from kabao.outgoing import signature

MESSAGE = ShortMessage(
    message_id=7,
    to="+8613800138000",
    kind="due_case",
    line="「点卡」的纠纷：轮到你了，还剩 3 小时",
    url="https://kabao.example.org/c/1-2",
)


@dataclass
class Way:
    """A transport, and what came out at its far end."""

    transport: ShortMessages
    arrived: Callable[[], list[str]]


@pytest.fixture
def gate() -> Iterator[Gate]:
    with standing() as gate:
        yield gate


@pytest.fixture(params=["terminal", "gateway"])
def channel(request: pytest.FixtureRequest, gate: Gate) -> Way:
    if request.param == "gateway":
        return Way(
            Gateway(Channel.SMS, gate.url("sms"), SECRET),
            lambda: [f"kabao: message to {one['to']}: {one['line']} {one['url']}" for one in gate.taken],
        )
    stream = io.StringIO()
    return Way(TerminalShortMessages(stream), lambda: stream.getvalue().splitlines())


async def test_a_message_arrives_whole_with_whom_to_and_where_to_look(channel: Way) -> None:
    await channel.transport.send(MESSAGE)
    [arrived] = channel.arrived()
    assert all(part in arrived for part in (MESSAGE.to, MESSAGE.line, MESSAGE.url))


async def test_no_line_becomes_two_messages(channel: Way) -> None:
    await channel.transport.send(msgspec.structs.replace(MESSAGE, line="一行\nkabao: message to 别人: 假的\x1b[2J"))
    [arrived] = channel.arrived()
    assert arrived.startswith(f"kabao: message to {MESSAGE.to}: ")
    assert "\x1b" not in arrived
    assert "\n" not in arrived


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


async def test_a_gateway_is_sent_signed_json_that_names_the_message_at_each_try(gate: Gate) -> None:
    gate.answers = [503]
    sms = Gateway(Channel.SMS, gate.url("sms"), SECRET)
    with pytest.raises(NotTaken):
        await sms.send(MESSAGE)
    await sms.send(MESSAGE)
    assert gate.taken == [
        {
            "v": 1,
            "channel": "sms",
            "message_id": "7",
            "to": MESSAGE.to,
            "kind": "due_case",
            "line": MESSAGE.line,
            "url": MESSAGE.url,
            "code": None,
        }
    ]
    (first, body), (_, again) = gate.signed
    assert body == again
    at = datetime.fromtimestamp(int(first.partition(",")[0].removeprefix("t=")), UTC)
    assert first == signature([SECRET], body, at)
    assert all(word not in repr(sms) + repr(MESSAGE) for word in (SECRET, str(gate.port), MESSAGE.to, MESSAGE.line))


@pytest.mark.parametrize(
    ("answer", "failure"),
    [
        (404, Failure.ADDRESS),
        (410, Failure.ADDRESS),
        (422, Failure.MESSAGE),
        (429, Failure.LATER),
        (302, Failure.SERVER),
        (401, Failure.SERVER),
        (500, Failure.SERVER),
    ],
)
async def test_what_a_gateway_answers_decides_what_becomes_of_a_message(
    gate: Gate, answer: int, failure: Failure
) -> None:
    gate.answers = [answer]
    with pytest.raises(NotTaken) as raised:
        await Gateway(Channel.WECHAT, gate.url("wechat"), SECRET).send(MESSAGE)
    assert (raised.value.failure, raised.value.why) == (failure, str(answer))
    assert len(gate.signed) == 1, "a redirect is followed nowhere"


async def test_a_gateway_that_is_away_or_dawdles_or_shows_another_certificate_took_nothing(
    gate: Gate, tmp_path: Path
) -> None:
    gate.pause = 0.6
    with socket.socket() as idle:
        idle.bind(("127.0.0.1", 0))
        ways = [
            Gateway(Channel.SMS, f"http://127.0.0.1:{idle.getsockname()[1]}/", SECRET),
            Gateway(Channel.SMS, gate.url("sms"), SECRET, seconds=0.2),
        ]
        with listening(tmp_path) as program:
            ways.append(Gateway(Channel.SMS, program.url, SECRET, connect=program.connect))
            trusted = Gateway(Channel.SMS, program.url, SECRET, connect=program.connect, tls=program.trusted)
            await trusted.send(MESSAGE)
            assert len(program.taken) == 1
            for way in ways:
                with pytest.raises(NotTaken) as raised:
                    await way.send(MESSAGE)
                assert raised.value.failure is Failure.SERVER
                assert all(word not in raised.value.why for word in ("127.0.0.1", "hooks.example.org", SECRET))
            assert len(program.taken) == 1


@pytest.mark.parametrize(
    ("url", "is_fit"),
    [
        ("https://sms.example.org/send?to=kabao", True),
        ("http://127.0.0.1:9000/sms", True),
        ("http://[::1]:9000/sms", True),
        ("http://sms.example.org/send", False),
        ("https://user:pass@sms.example.org/", False),
        ("https://sms.example.org/#x", False),
        ("https:///send", False),
        ("https://sms.example.org:99999/", False),
        ("ftp://sms.example.org/", False),
        ("https://sms.example.org/\n", False),
    ],
)
def test_a_gateway_is_reached_by_https_or_on_this_machine(url: str, is_fit: bool) -> None:  # noqa: FBT001
    assert is_gateway(url) is is_fit


def test_settings_that_cannot_be_used_are_told_without_quoting_them() -> None:
    assert gateways_of({Channel.SMS: "", Channel.WECHAT: ""}, "") == {}
    made = gateways_of({Channel.SMS: "https://sms.example.org/", Channel.WECHAT: ""}, SECRET)
    assert (list(made), made[Channel.SMS].delivers) == ([Channel.SMS], True)
    for url, secret, name in (
        ("http://sms.example.org/", SECRET, "KABAO_WECHAT_GATEWAY"),
        ("https://sms.example.org/", "short", "KABAO_GATEWAY_SECRET"),
    ):
        with pytest.raises(GatewaySettingsWrong) as raised:
            gateways_of({Channel.WECHAT: url}, secret)
        assert name in str(raised.value)
        assert "example.org" not in str(raised.value)
