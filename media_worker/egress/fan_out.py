"""The fan-out: one frame a source and tick in, one encrypted packet a hearer out."""

from collections import deque
from collections.abc import Mapping
from dataclasses import dataclass, field
from typing import Final, NamedTuple

from ..audio.frames import EncodedFrame
from .hearers import Hearer, HearerGroup, SentSoFar
from .packet_block import BLOCK_ROWS, FEW_ROWS, PacketBlock
from .packet_head import level_element_at, shared_head

# By one system call: the caller is given way to other work after each.
SLICE_ROWS: Final = 256


class _GroupKey(NamedTuple):
    """What all hearers of a group have in common."""

    source: str
    with_levels: bool
    sealed: bool
    keeps: bool  # what was sent, for who may ask for it again


@dataclass(slots=True)
class FanOutCounters:
    """Totals since the start."""

    packets_sent: int = 0
    packets_dropped: int = 0
    packets_failed: int = 0
    frames_refused: int = 0


class _Job(NamedTuple):
    """One block of a tick: `hearers` of `group` from row `start`."""

    group: HearerGroup
    start: int
    hearers: int
    head: bytes
    payload: bytes
    level_at: int | None
    keeps: bool


@dataclass(slots=True)
class _Changes:
    """Joins and leaves that wait for the tick in progress to be sent."""

    joining: list[Hearer] = field(default_factory=list)
    leaving: list[Hearer] = field(default_factory=list)
    turning: dict[int, tuple[Hearer, str]] = field(default_factory=dict)


class FanOut:
    """
    Stamps, encrypts and sends; knows neither sessions nor the event loop.

    `begin` takes a tick, each `step` sends one slice of it: the caller gives way to
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
        self._unsent: deque[_Job] = deque()
        self._ready = range(0)  # rows of the block that wait to be sent

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

    @property
    def is_sent(self) -> bool:
        """Whether the tick that was begun is sent."""
        return not (self._ready or self._unsent)

    def begin(self, frames: Mapping[str, EncodedFrame]) -> None:
        """
        Take one tick.  What is left of the tick before is sent first.

        Sources with fewer hearers come first: those are people who talk.
        """
        while not self.is_sent:
            self.step()
        for key, group in self._groups.items():
            frame = frames.get(key.source)
            if frame is not None:
                self._plan(group, frame, key.with_levels, key.keeps)

    def step(self) -> int:
        """Send the next slice; return for how many it was, 0 if all was sent before."""
        if not self._ready:
            self._fill()
        rows, self._ready = self._ready[:SLICE_ROWS], self._ready[SLICE_ROWS:]
        if rows:
            counts = self._block.send(self._descriptor, rows)
            self.counters.packets_sent += counts.sent
            self.counters.packets_dropped += counts.dropped
            self.counters.packets_failed += counts.failed
            self._settle()
        return len(rows)

    def _fill(self) -> None:
        """Make the packets of the next block."""
        rows = 0
        # What few people hear shares a block with what few others do.
        while self._unsent:
            if rows and rows + self._unsent[0].hearers > FEW_ROWS:
                break
            job = self._unsent.popleft()
            refused = self._prepare(job, rows)
            if job.keeps:
                self._keep(job, rows, refused)
            rows += job.hearers
        self._ready = range(rows)

    def _plan(
        self, group: HearerGroup, frame: EncodedFrame, with_levels: bool, keeps: bool
    ) -> None:
        try:
            head = shared_head(frame, ssrc=self.ssrc, with_levels=with_levels)
        except ValueError:
            self.counters.frames_refused += 1
            return
        levelled = with_levels and frame.levels_dbov
        level_at = level_element_at(frame) if levelled else None
        if frame.skipped:
            group.skip(frame.skipped)
        group.note_sent(len(frame.payload))
        hearers = len(group)
        for start in range(0, hearers, BLOCK_ROWS):
            count = min(BLOCK_ROWS, hearers - start)
            job = _Job(group, start, count, head, frame.payload, level_at, keeps)
            self._unsent.append(job)

    def _prepare(self, job: _Job, first: int) -> list[int]:
        """Stamp and encrypt from row `first` on; return which rows were refused."""
        group, start, count = job.group, job.start, job.hearers
        if group.sealed and count <= FEW_ROWS:  # a small group, or what is left of one
            rows = range(first, first + count)
            self._block.write_few(
                group, start, rows, job.head, job.payload, job.level_at
            )
            return []
        packet = job.head if group.sealed else job.head + job.payload
        self._block.stamp(group, start, count, packet, job.level_at, first=first)
        return self._block.encrypt(group, start, count, job.payload, first=first)

    def _keep(self, job: _Job, first: int, refused: list[int]) -> None:
        """Keep what is about to be sent for those who may ask for it again."""
        hearers = job.group.members[job.start : job.start + job.hearers]
        for row, hearer in enumerate(hearers, first):
            if hearer.sent_packets is not None and row not in refused:
                hearer.sent_packets.keep(self._block.packet(row))

    def _settle(self) -> None:
        """Apply what changed, unless a tick is in progress."""
        if not self.is_sent:
            return
        changes = self._changes
        if not (changes.joining or changes.leaving or changes.turning):
            return
        self._changes = _Changes()
        self._apply(changes)
        occupied = ((key, group) for key, group in self._groups.items() if group)
        # `begin` promises this order.
        self._groups = dict(sorted(occupied, key=lambda item: len(item[1])))

    def _apply(self, changes: _Changes) -> None:
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

    def _group(self, hearer: Hearer, source: str) -> HearerGroup:
        key = _GroupKey(
            source,
            with_levels=hearer.level_extension_id != 0,
            sealed=hearer.aead is not None,
            keeps=hearer.sent_packets is not None,
        )
        if key not in self._groups:
            self._groups[key] = HearerGroup(self._name_bytes, sealed=key.sealed)
        return self._groups[key]
