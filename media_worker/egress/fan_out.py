"""The fan-out: one frame a source and tick in, one encrypted packet a hearer out."""

from collections.abc import Iterator, Mapping
from dataclasses import dataclass, field

import numpy as np

from ..audio.frames import EncodedFrame
from .hearers import Hearer, HearerGroup, SentSoFar
from .packet_block import BLOCK_ROWS, PacketBlock, SendCounts
from .packet_head import level_element_at, shared_head

_GroupKey = tuple[str, bool, bool]  # source; packets carry levels; are sealed


@dataclass(slots=True)
class FanOutCounters:
    """Totals since the start."""

    packets_sent: int = 0
    packets_dropped: int = 0
    packets_failed: int = 0
    frames_refused: int = 0


@dataclass(slots=True)
class _Changes:
    """Joins and leaves that wait for the tick in progress to be sent."""

    joining: list[Hearer] = field(default_factory=list)
    leaving: list[Hearer] = field(default_factory=list)
    turning: dict[int, tuple[Hearer, str]] = field(default_factory=dict)


class FanOut:
    """
    Stamps, encrypts and sends; knows neither sessions nor the event loop.

    `begin` takes a tick, each `step` sends one block of it: the caller gives way to
    other work between steps.  Changes of the audience take effect between ticks, since
    rows move.

    Args:
        descriptor: Of a non-blocking UDP socket.
        name_bytes: Size of that socket's addresses.
        ssrc: Shared by all streams: each hearer has keys of their own.
    """

    def __init__(self, descriptor: int, *, name_bytes: int, ssrc: int) -> None:
        self.ssrc = ssrc
        self.counters = FanOutCounters()
        self._descriptor = descriptor
        self._name_bytes = name_bytes
        self._block = PacketBlock(name_bytes)
        self._groups: dict[_GroupKey, HearerGroup] = {}
        self._changes = _Changes()
        self._tick: Iterator[None] | None = None

    def add(self, hearer: Hearer) -> None:
        """Let a hearer hear their source from the next tick on."""
        self._changes.joining.append(hearer)
        self._settle()

    def remove(self, hearer: Hearer) -> None:
        """Stop sending to a hearer, from the next tick on."""
        self._changes.leaving.append(hearer)
        self._settle()

    def turn(self, hearer: Hearer, source: str) -> None:
        """Let a hearer hear another source from the next tick on, without a break."""
        self._changes.turning[id(hearer)] = (hearer, source)
        self._settle()

    def move(self, hearer: Hearer, address: bytes) -> None:
        """Send to another address from the next packet on."""
        hearer.address = address
        if hearer.group is not None:
            hearer.group.move(hearer)

    def sent(self, hearer: Hearer) -> SentSoFar:
        """Return what was sent to a hearer, for their sender report."""
        return SentSoFar(0, 0) if hearer.group is None else hearer.group.sent(hearer)

    def begin(self, frames: Mapping[str, EncodedFrame]) -> None:
        """
        Take one tick.  What is left of the tick before is sent first.

        Sources with fewer hearers come first: those are people who talk.
        """
        while self.step():
            pass
        self._tick = self._blocks(frames)

    def step(self) -> bool:
        """Send the next block; False when the tick is sent."""
        if self._tick is not None and next(self._tick, self) is self:
            self._tick = None
            self._settle()
        return self._tick is not None

    def _blocks(self, frames: Mapping[str, EncodedFrame]) -> Iterator[None]:
        for (source, with_levels, _), group in sorted(
            self._groups.items(), key=lambda item: len(item[1])
        ):
            frame = frames.get(source)
            if frame is not None:
                yield from self._send_group(group, frame, with_levels)

    def _send_group(
        self, group: HearerGroup, frame: EncodedFrame, with_levels: bool
    ) -> Iterator[None]:
        try:
            head = shared_head(frame, ssrc=self.ssrc, with_levels=with_levels)
        except ValueError:
            self.counters.frames_refused += 1
            return
        packet = np.frombuffer(head if group.sealed else head + frame.payload, np.uint8)
        levelled = with_levels and frame.levels_dbov
        level_at = level_element_at(frame) if levelled else None
        hearers = len(group)
        for start in range(0, hearers, BLOCK_ROWS):
            count = min(BLOCK_ROWS, hearers - start)
            self._block.stamp(group, start, count, packet, level_at)
            counts = self._encrypt_and_send(group, start, count, frame.payload)
            group.packets[start : start + count] += 1
            group.octets[start : start + count] += len(frame.payload)
            self._count(counts)
            yield

    def _encrypt_and_send(
        self, group: HearerGroup, start: int, count: int, payload: bytes
    ) -> SendCounts:
        if group.sealed:
            return self._block.seal_and_send(
                self._descriptor, group, start, count, payload
            )
        return self._block.protect_and_send(self._descriptor, group, start, count)

    def _count(self, counts: SendCounts) -> None:
        self.counters.packets_sent += counts.sent
        self.counters.packets_dropped += counts.dropped
        self.counters.packets_failed += counts.failed

    def _settle(self) -> None:
        """Apply what changed, unless a tick is in progress."""
        if self._tick is not None:
            return
        changes, self._changes = self._changes, _Changes()
        for hearer in changes.joining:
            self._group(hearer, hearer.source).add(hearer)
        for hearer, source in changes.turning.values():
            hearer.source = source
            target = self._group(hearer, source)
            if hearer.group is not None and hearer.group is not target:
                target.adopt(hearer)
        for hearer in changes.leaving:
            if hearer.group is not None:
                hearer.group.remove(hearer)
        if changes.leaving or changes.turning:
            self._groups = {key: group for key, group in self._groups.items() if group}

    def _group(self, hearer: Hearer, source: str) -> HearerGroup:
        sealed = hearer.aead is not None
        key = (source, hearer.level_extension_id != 0, sealed)
        if key not in self._groups:
            self._groups[key] = HearerGroup(self._name_bytes, sealed=sealed)
        return self._groups[key]
