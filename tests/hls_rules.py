"""The rules of RFC 8216 for a live media playlist, and for what may change in one."""

import re
from dataclasses import dataclass
from datetime import datetime, timedelta
from typing import Final

HEADERS: Final = (
    "#EXT-X-VERSION",
    "#EXT-X-TARGETDURATION",
    "#EXT-X-MEDIA-SEQUENCE",
    "#EXT-X-DISCONTINUITY-SEQUENCE",
)
PER_SEGMENT: Final = (
    "#EXTINF",
    "#EXT-X-DISCONTINUITY",
    "#EXT-X-KEY",
    "#EXT-X-PROGRAM-DATE-TIME",
)
OTHERS: Final = ("#EXT-X-DEFINE", "#EXT-X-ENDLIST")
ATTRIBUTE: Final = re.compile(r'([A-Z0-9-]+)=("[^"\r\n]*"|[^",\s]+)(?:,|$)')
SECOND: Final = timedelta(seconds=1)


@dataclass(frozen=True, slots=True, kw_only=True)
class Listed:
    """One segment, with all that the tags before it say."""

    number: int
    stretch: int
    uri: str
    duration_s: float
    key_uri: str
    initial_vector: bytes
    begins_at: datetime


@dataclass(frozen=True, slots=True)
class Playlist:
    """A playlist that keeps the rules."""

    target_s: int
    first_number: int
    first_stretch: int
    segments: tuple[Listed, ...]
    ended: bool


def attributes(text: str) -> dict[str, str]:
    """Return an attribute list (4.2), names unique; quotes are taken off."""
    found = ATTRIBUTE.findall(text)
    assert ",".join(f"{name}={value}" for name, value in found) == text
    assert len({name for name, _ in found}) == len(found)
    return {name: value.strip('"') for name, value in found}


def read(text: str) -> Playlist:
    """Return a media playlist; AssertionError names the rule that it breaks."""
    assert text.endswith("\n"), "the last line ends too (4.1)"
    lines = text.splitlines()
    assert lines[0] == "#EXTM3U", "first line (4.3.1.1)"
    headers = _headers(lines)
    assert headers["#EXT-X-VERSION"] >= 8, "EXT-X-DEFINE needs version 8"
    defined = {
        attributes(line.partition(":")[2])["IMPORT"]
        for line in lines
        if line.startswith("#EXT-X-DEFINE:")
    }
    used = set(re.findall(r"\{\$([^}]*)\}", text))
    assert used <= defined, "a variable that nobody defines"
    segments = _segments(lines[1:], headers)
    for segment in segments:
        assert round(segment.duration_s) <= headers["#EXT-X-TARGETDURATION"], "4.3.3.1"
    return Playlist(
        target_s=headers["#EXT-X-TARGETDURATION"],
        first_number=headers["#EXT-X-MEDIA-SEQUENCE"],
        first_stretch=headers["#EXT-X-DISCONTINUITY-SEQUENCE"],
        segments=tuple(segments),
        ended=lines[-1] == "#EXT-X-ENDLIST",
    )


def _headers(lines: list[str]) -> dict[str, int]:
    names = [line.partition(":")[0] for line in lines]
    first_media = next((i for i, n in enumerate(names) if n in PER_SEGMENT), len(names))
    for name in HEADERS:
        assert names.count(name) == 1, f"{name} once"
        assert names.index(name) < first_media, f"{name} before any segment (4.3.3.2)"
    known = {"#EXTM3U", *HEADERS, *PER_SEGMENT, *OTHERS}
    assert {name for name in names if name.startswith("#")} <= known
    values = (lines[names.index(name)].partition(":")[2] for name in HEADERS)
    return dict(zip(HEADERS, map(int, values), strict=True))


def _segments(lines: list[str], headers: dict[str, int]) -> list[Listed]:
    found: list[Listed] = []
    stretch = headers["#EXT-X-DISCONTINUITY-SEQUENCE"]
    key: dict[str, str] = {}
    moment: datetime | None = None
    duration_s: float | None = None
    for line in lines:
        name, _, value = line.partition(":")
        match name:
            case "#EXT-X-DISCONTINUITY":
                stretch, moment = stretch + 1, None
            case "#EXT-X-KEY":
                key = attributes(value)
                assert key["METHOD"] == "AES-128"
                assert re.fullmatch(r"0x[0-9a-f]{32}", key["IV"]), "IV of 128 bits"
            case "#EXT-X-PROGRAM-DATE-TIME":
                moment = datetime.fromisoformat(value)
                assert moment.tzinfo is not None, "with a time zone (4.3.2.6)"
            case "#EXTINF":
                assert duration_s is None, "one EXTINF for each segment"
                duration_s = float(value.removesuffix(","))
            case _ if not line.startswith("#"):
                assert duration_s is not None, "EXTINF is required (4.3.2.1)"
                assert moment is not None, "when a stretch began is told"
                found.append(
                    Listed(
                        number=headers["#EXT-X-MEDIA-SEQUENCE"] + len(found),
                        stretch=stretch,
                        uri=line,
                        duration_s=duration_s,
                        key_uri=key["URI"],
                        initial_vector=bytes.fromhex(key["IV"][2:]),
                        begins_at=moment,
                    )
                )
                moment, duration_s = moment + duration_s * SECOND, None
    return found


def check_update(before: Playlist, after: Playlist) -> None:
    """Hold what 6.2.1 and 6.2.2 say of a playlist that replaces another."""
    assert not before.ended, "nothing follows an end"
    assert after.target_s == before.target_s, "the target duration never changes"
    assert after.first_number >= before.first_number
    assert after.first_stretch >= before.first_stretch
    old = {segment.number: segment for segment in before.segments}
    for segment in after.segments:
        same = old.get(segment.number)
        if same is None:
            continue
        assert (same.uri, same.duration_s, same.stretch, same.key_uri) == (
            segment.uri,
            segment.duration_s,
            segment.stretch,
            segment.key_uri,
        ), "a segment keeps its number"
        drift = abs(same.begins_at - segment.begins_at)
        assert drift < 0.002 * SECOND, "and its time"
    kept_s = sum(segment.duration_s for segment in after.segments)
    removed = old.keys() - {segment.number for segment in after.segments}
    assert not removed or kept_s >= 3 * after.target_s or after.first_number > max(old)
