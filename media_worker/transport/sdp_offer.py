"""
SDP offers as media sections with attributes: hostile text, so bounded (RFC 8866).

Read here rather than by `aiortc.sdp`, whose parser raises whatever an odd line makes
it raise (AssertionError, KeyError, StopIteration) and has no bounds.
"""

import re
from collections.abc import Iterable
from dataclasses import dataclass, field
from typing import Final

from spaces_contract.control import ControlError
from spaces_contract.media import MAX_SDP_BYTES

from ..room.ports import SdpRefused

MAX_SECTIONS: Final = 16
MAX_LINES: Final = 1000
MAX_FORMATS: Final = 64
_MEDIA_LINE: Final = re.compile(
    r"m=([a-z]+) ([0-9]{1,5})(?:/[0-9]+)? ([A-Za-z/]+) (\S.*)"
)
_TOKEN: Final = re.compile(r"[!-~]{1,256}")


@dataclass(slots=True, kw_only=True)
class Section:
    """
    One m-line and its attributes; session-level ones are kept apart.

    Args:
        formats: Payload types, or `webrtc-datachannel`.
        attributes: Name -> values in order; a flag has the value "".
    """

    kind: str
    port: int
    protocol: str
    formats: tuple[str, ...]
    attributes: dict[str, list[str]] = field(default_factory=dict)

    def first(self, name: str) -> str | None:
        """Return the first value of attribute `name`."""
        values = self.attributes.get(name)
        return values[0] if values else None

    @property
    def mid(self) -> str | None:
        """The section's name in the bundle (RFC 5888)."""
        return self.first("mid")


@dataclass(slots=True, kw_only=True)
class Offer:
    """An offer in parts; `session` holds the attributes before the first m-line."""

    session: dict[str, list[str]]
    sections: tuple[Section, ...]

    def values(self, section: Section, name: str) -> list[str]:
        """Return `section`'s values of `name`, else the session's (RFC 8866 5.13)."""
        return section.attributes.get(name) or self.session.get(name) or []

    @property
    def bundled_mids(self) -> frozenset[str]:
        """The mids that share one transport (RFC 9143)."""
        for group in self.session.get("group", []):
            semantics, *mids = group.split(" ")
            if semantics == "BUNDLE":
                return frozenset(mids)
        return frozenset()


def parse_offer(text: str) -> Offer:
    """
    Split an offer into its sections.

    Raises:
        SdpRefused: it is empty, too large, or no SDP.
    """
    if len(text) > MAX_SDP_BYTES or len(text.encode(errors="replace")) > MAX_SDP_BYTES:
        raise SdpRefused(ControlError.SDP_TOO_LARGE, f"over {MAX_SDP_BYTES} bytes")
    lines = [line for line in re.split(r"\r\n|\n", text) if line.strip()]
    if not lines:
        raise SdpRefused(ControlError.SDP_EMPTY, "the body is empty")
    if lines[0] != "v=0" or len(lines) > MAX_LINES:
        raise _malformed("it does not begin with v=0, or has too many lines")
    return _collect(lines[1:])


def _collect(lines: Iterable[str]) -> Offer:
    session: dict[str, list[str]] = {}
    sections: list[Section] = []
    attributes = session
    for line in lines:
        if len(line) < 2 or line[1] != "=" or not line.isprintable():
            raise _malformed("a line is not <type>=<value>")
        if line.startswith("m="):
            sections.append(_section(line))
            attributes = sections[-1].attributes
        elif line.startswith("a="):
            name, _, value = line[2:].partition(":")
            attributes.setdefault(name, []).append(value.strip())
    if len(sections) > MAX_SECTIONS:
        raise _malformed("too many media sections")
    _check_mids(sections)
    return Offer(session=session, sections=tuple(sections))


def _section(line: str) -> Section:
    match = _MEDIA_LINE.fullmatch(line)
    if match is None:
        raise _malformed("an m-line is malformed")
    kind, port, protocol, formats = match.groups()
    listed = tuple(formats.split())
    if len(listed) > MAX_FORMATS:
        raise _malformed("too many formats in an m-line")
    return Section(kind=kind, port=int(port), protocol=protocol, formats=listed)


def _check_mids(sections: list[Section]) -> None:
    # Mids are written back into the answer, so they must be tokens and differ.
    mids = [section.mid for section in sections if section.mid is not None]
    if len(set(mids)) != len(mids) or not all(_TOKEN.fullmatch(mid) for mid in mids):
        raise _malformed("a mid is malformed or used twice")


def _malformed(detail: str) -> SdpRefused:
    return SdpRefused(ControlError.SDP_MALFORMED, detail)
