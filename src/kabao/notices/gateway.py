"""The operator's own gateway to SMS or WeChat: one signed JSON message a time over https, and what its answers mean.

The gateway holds the contract with the provider, the signature line and the wordings approved for each kind; kabao
tells it what happened, to whom and where to look. It takes a message once by its `message_id`, the same at each try.
"""

import asyncio
import ssl
from datetime import UTC, datetime
from time import monotonic
from typing import Final
from urllib.parse import urlsplit

import structlog

from kabao import outgoing
from kabao.identity import CodeUnreachable, CodeWrongAddress
from kabao.identity.rules import CODE_SECONDS
from kabao.kernel import IdSource, canonical_bytes
from kabao.notices import words
from kabao.notices.model import Channel, ShortMessage
from kabao.notices.ports import NotTaken
from kabao.notices.rules import Failure, fit_subject
from kabao.postgres import ExplainedError

SECONDS: Final = 10.0
"""For one message from connecting to the gateway's last word; a lease is longer."""
MIN_SECRET: Final = 32
VERSION: Final = 1
_LOCAL: Final = frozenset({"127.0.0.1", "::1", "localhost"})
_VARIABLES: Final = {Channel.SMS: "KABAO_SMS_GATEWAY", Channel.WECHAT: "KABAO_WECHAT_GATEWAY"}
_log = structlog.get_logger(__name__)


class GatewaySettingsWrong(ExplainedError):  # noqa: N818  named for what happened
    """The settings of a gateway cannot be used; the message never quotes them."""


def gateways_of(urls: dict[Channel, str], secret: str) -> dict[Channel, "Gateway"]:
    """Make a gateway for each channel that has an address; an empty one leaves its channel off.

    An address is https, or http on this machine; it is the operator's own, so it may lie in a private network. Raises
    `GatewaySettingsWrong`.
    """
    made = {}
    for channel, url in urls.items():
        if not url:
            continue
        name = _VARIABLES[channel]
        if not is_gateway(url):
            raise GatewaySettingsWrong(
                zh=f"{name} 要写成 https://主机/路径（本机可以用 http），不带用户名和 #。没有启动。",
                en=f"{name} has to be https://host/path (http on this machine alone), without a user and without #.",
            )
        if len(secret) < MIN_SECRET:
            raise GatewaySettingsWrong(
                zh=f"设了 {name}，还要用 KABAO_GATEWAY_SECRET 给出至少 {MIN_SECRET} 个字符的密钥。没有启动。",
                en=f"With {name} set, KABAO_GATEWAY_SECRET has to be a secret of at least {MIN_SECRET} characters.",
            )
        made[channel] = Gateway(channel, url, secret)
    return made


def is_gateway(url: str) -> bool:
    """Tell whether an address may be a gateway's."""
    try:
        to = urlsplit(url)
        has_port = to.port is None or to.port > 0
    except ValueError:
        return False
    is_safe = to.scheme == "https" or (to.scheme == "http" and to.hostname in _LOCAL)
    return is_safe and bool(to.hostname) and has_port and "@" not in to.netloc and not to.fragment and url.isprintable()


class Gateway:
    """Hands messages of one channel to the operator's gateway."""

    delivers = True

    def __init__(
        self,
        channel: Channel,
        url: str,
        secret: str,
        *,
        seconds: float = SECONDS,
        tls: ssl.SSLContext | None = None,
        connect: outgoing.Connect | None = None,
    ) -> None:
        self.channel = channel
        self._url = url
        self._secret = secret
        self._seconds = seconds
        self._tls = tls or outgoing.public_tls()
        self._connect = connect

    def __repr__(self) -> str:
        """Leave out address and secret: a repr ends up in logs."""
        return f"Gateway({self.channel})"

    async def send(self, message: ShortMessage) -> None:
        """Return once the gateway has taken the message; raises NotTaken, ADDRESS for who can never be reached."""
        body = canonical_bytes(
            {
                "v": VERSION,
                "channel": self.channel.value,
                "message_id": str(message.message_id),
                "to": message.to,
                "kind": message.kind,
                "line": fit_subject(message.line),
                "url": message.url,
                "code": message.code or None,
            }
        )
        answer = await asyncio.to_thread(self._post, body)
        failure = failure_of(answer)
        if failure is not None:
            raise NotTaken(failure, str(answer))

    def _post(self, body: bytes) -> int | str:
        signed = outgoing.signature([self._secret], body, datetime.now(UTC))
        headers = {"Content-Type": "application/json", "User-Agent": "kabao-gateway", "Kabao-Signature": signed}
        ends, more = monotonic() + self._seconds, {} if self._connect is None else {"connect": self._connect}
        try:
            return outgoing.post(self._url, body, headers, ends=ends, tls=self._tls, **more).status
        except outgoing.NoAnswer as none:
            return str(none)


def failure_of(answer: int | str) -> Failure | None:
    """Say what a gateway's answer means; None where the message was taken.

    A redirect is followed nowhere, and a gateway that does not know our signature takes nothing from us.
    """
    match answer:
        case int() if 200 <= answer < 300:  # noqa: PLR2004
            return None
        case 404 | 410:
            return Failure.ADDRESS
        case 400 | 413 | 422:
            return Failure.MESSAGE
        case 408 | 409 | 425 | 429:
            return Failure.LATER
        case _:
            return Failure.SERVER


class GatewayCodeSender:
    """Takes sign-in codes to phones by the SMS gateway, at once: a code is stored nowhere but as its hash."""

    delivers = True

    def __init__(self, gateway: Gateway, ids: IdSource) -> None:
        self._gateway = gateway
        self._ids = ids

    async def send(self, phone: str, code: str) -> None:
        """Send a code; raises CodeUnreachable, CodeWrongAddress where the gateway never takes the number."""
        line = words.phone_code(code, CODE_SECONDS // 60)
        message = ShortMessage(message_id=self._ids.next(), to=phone, kind="code", line=line, url="", code=code)
        try:
            await self._gateway.send(message)
        except NotTaken as refused:
            _log.warning("a sign-in code could not be sent", why=str(refused))
            raise (CodeWrongAddress if refused.failure is Failure.ADDRESS else CodeUnreachable) from refused
