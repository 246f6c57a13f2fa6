"""What one running kabao is told from outside: folder, port, addresses, databases. No secret is printed."""

from collections.abc import Mapping
from pathlib import Path
from typing import Final, Self

import msgspec

DEFAULT_PORT: Final = 8080
DEFAULT_HOST: Final = "127.0.0.1"


class Settings(msgspec.Struct, frozen=True, kw_only=True):
    """Where kabao keeps its data, where it listens, and how the world reaches it.

    `owner_dsn` and `app_dsn` are set where PostgreSQL is somebody else's; then no embedded server is started.
    `smtp_url` holds a password and is read by `kabao.notices`; empty, this kabao sends no mail. So are the addresses of
    gateways to SMS and WeChat and the secret that signs what goes there.
    `log_origin` names the public log before its first record (later ones must be the same); witnesses and authorities
    are written as `kabao.tlog` and `kabao.timestamps` read them, simulated authorities are for the demo.
    `public_origin` is scheme, host and port as browsers see it; https there makes cookies Secure.
    """

    data: Path
    port: int = DEFAULT_PORT
    host: str = DEFAULT_HOST
    public_origin: str = ""
    owner_dsn: str = ""
    app_dsn: str = ""
    pool_size: int = 32
    fee_bps: int = 300
    smtp_url: str = ""
    sms_gateway: str = ""
    wechat_gateway: str = ""
    gateway_secret: str = ""
    mail_from: str = ""
    mail_reply_to: str = ""
    log_origin: str = ""
    log_witnesses: str = ""
    timestamp_authorities: str = ""
    has_simulated_authorities: bool = False

    @classmethod
    def of(
        cls, data: Path, *, port: int = DEFAULT_PORT, host: str = DEFAULT_HOST, environment: Mapping[str, str]
    ) -> Self:
        """Add to the command line what stands in the environment.

        Reads KABAO_DATABASE_URL, KABAO_APP_DATABASE_URL, KABAO_PUBLIC_ORIGIN, KABAO_SMTP_URL, KABAO_MAIL_FROM,
        KABAO_MAIL_REPLY_TO, KABAO_SMS_GATEWAY, KABAO_WECHAT_GATEWAY, KABAO_GATEWAY_SECRET, KABAO_LOG_ORIGIN,
        KABAO_LOG_WITNESSES and KABAO_TIMESTAMP_AUTHORITIES.
        """
        owner_dsn = environment.get("KABAO_DATABASE_URL", "")
        return cls(
            data=data.absolute(),
            port=port,
            host=host,
            public_origin=environment.get("KABAO_PUBLIC_ORIGIN", "").rstrip("/"),
            owner_dsn=owner_dsn,
            app_dsn=environment.get("KABAO_APP_DATABASE_URL", "") or owner_dsn,
            smtp_url=environment.get("KABAO_SMTP_URL", "").strip(),
            sms_gateway=environment.get("KABAO_SMS_GATEWAY", "").strip(),
            wechat_gateway=environment.get("KABAO_WECHAT_GATEWAY", "").strip(),
            gateway_secret=environment.get("KABAO_GATEWAY_SECRET", "").strip(),
            mail_from=environment.get("KABAO_MAIL_FROM", "").strip(),
            mail_reply_to=environment.get("KABAO_MAIL_REPLY_TO", "").strip(),
            log_origin=environment.get("KABAO_LOG_ORIGIN", "").strip(),
            log_witnesses=environment.get("KABAO_LOG_WITNESSES", ""),
            timestamp_authorities=environment.get("KABAO_TIMESTAMP_AUTHORITIES", ""),
        )

    @property
    def origin(self) -> str:
        """The address to show and to link to, without a slash at the end."""
        return self.public_origin or f"http://{'[' + self.host + ']' if ':' in self.host else self.host}:{self.port}"

    @property
    def is_https(self) -> bool:
        """Whether browsers reach kabao by https only, so that cookies may be Secure."""
        return self.public_origin.startswith("https://")

    def __repr__(self) -> str:
        return f"Settings(data={str(self.data)!r}, port={self.port}, host={self.host!r}, origin={self.origin!r})"
