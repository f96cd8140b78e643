"""Which STUN and TURN servers clients are told."""

from dataclasses import dataclass
from typing import Any, Final

from .environment import EnvironmentReader
from .service.ice_servers import Turn
from .service.media import IceServer

MIN_TURN_SECRET_CHARS: Final = 32


@dataclass(frozen=True, slots=True, kw_only=True)
class IceConfig:
    """Servers as they are, and a TURN service that we sign credentials for."""

    fixed: tuple[IceServer, ...]
    turn: Turn | None


def read_ice(reader: EnvironmentReader) -> IceConfig:
    """Read the environment; what is wrong there the reader keeps."""
    return IceConfig(
        fixed=reader.json(
            "PARLEY_ICE_SERVERS",
            _ice_servers,
            default="[]",
            form='[{"urls": ["stun:…"]}, …]',
        )
        or (),
        turn=_turn(reader),
    )


def _turn(reader: EnvironmentReader) -> Turn | None:
    urls = reader.json(
        "PARLEY_TURN_URLS", _urls, default="[]", form='["turn:192.0.2.1:3478", …]'
    )
    if not urls:
        return None
    secret = reader.text("PARLEY_TURN_SECRET")
    if 0 < len(secret) < MIN_TURN_SECRET_CHARS:
        complaint = f"have at least {MIN_TURN_SECRET_CHARS} characters"
        reader.complain(f"PARLEY_TURN_SECRET must {complaint}")
    return Turn(urls=urls, secret=secret)


def _urls(entries: Any) -> tuple[str, ...]:
    if not all(entry.startswith(("turn:", "turns:")) for entry in entries):
        raise ValueError(entries)
    return tuple(entries)


def _ice_servers(entries: Any) -> tuple[IceServer, ...]:
    """Read a list like RTCConfiguration's."""
    return tuple(
        IceServer(
            urls=tuple(str(url) for url in entry["urls"]),
            username=entry.get("username"),
            credential=entry.get("credential"),
        )
        for entry in entries
    )
