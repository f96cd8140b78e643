"""What is there of a recording: its stems' epochs, keys, journals and gaps."""

import logging
from collections.abc import Iterable
from dataclasses import dataclass, field
from typing import Protocol

import obstore

from spaces_contract import recording_objects as names
from spaces_contract.recording import GapReason, RecordingId, StemId
from spaces_contract.recording_objects import StemObject, parse_stem_object
from spaces_contract.recording_render import ConsentedStem, RenderJob

from .journal import Gap, InvalidJournal, Journal
from .key_encryption import KeyLost
from .opening import Stores
from .sealing import PageSeal, StemPlace
from .stem_reader import StemReader, stem_objects
from .stores import object_names

logger = logging.getLogger(__name__)


@dataclass(slots=True, kw_only=True)
class StemEpoch:
    """One consenting speaker's stem in one epoch, with its key."""

    consented: ConsentedStem
    epoch: int
    reader: StemReader


@dataclass(slots=True, kw_only=True)
class StemSet:
    """
    Everything that may be rendered.

    Args:
        lost: Stems of which some epoch's key is gone.
        journals: By epoch.
    """

    epochs: list[StemEpoch]
    lost: list[StemId]
    journals: dict[int, Journal] = field(default_factory=dict)

    def shifts(self) -> dict[int, int]:
        """
        Return by how many samples each epoch is to be moved later.

        Workers' clocks may differ: what came after a crash stays after it.
        """
        shifts: dict[int, int] = {}
        end = 0
        for epoch, journal in sorted(self.journals.items()):
            shifts[epoch] = max(0, end - journal.opened) if shifts else 0
            end = max(end, journal.alive + shifts[epoch])
        return shifts

    def gaps(self) -> list[Gap]:
        """Return what is missing of these stems; `stem` is empty where of all."""
        stems = {item.consented.stem for item in self.epochs}
        shifts = self.shifts()
        found: list[Gap] = []
        for epoch, journal in sorted(self.journals.items()):
            shift = shifts[epoch]
            found += [
                Gap(
                    stem=gap.stem,
                    reason=gap.reason,
                    start=gap.start + shift,
                    end=gap.end + shift,
                )
                for gap in journal.gaps
                if gap.stem in stems
            ]
        return found + self._crashes(shifts)

    @property
    def is_complete(self) -> bool:
        """Whether every epoch ended in good order, with all its keys there."""
        closed = all(journal.closed for journal in self.journals.values())
        return closed and not self.lost

    def _crashes(self, shifts: dict[int, int]) -> list[Gap]:
        epochs = sorted(self.journals)
        gaps = []
        for epoch, later in zip(epochs, [*epochs[1:], None], strict=True):
            journal = self.journals[epoch]
            if journal.closed:
                continue
            start = journal.kept + shifts[epoch]
            end = journal.alive + shifts[epoch]
            if later is not None:
                end = max(end, self.journals[later].opened + shifts[later])
            gaps.append(
                Gap(stem=StemId(""), reason=GapReason.WORKER_LOST, start=start, end=end)
            )
        return gaps


class StemJob(Protocol):
    """What a render and a clip both say of the stems that they are made of."""

    @property
    def recording_id(self) -> RecordingId:
        """Whose stems."""

    @property
    def version(self) -> int:
        """The last one under which they were stored."""

    @property
    def stems(self) -> tuple[ConsentedStem, ...]:
        """Those that may be opened, and no other."""


def stem_set(job: StemJob, stores: Stores) -> StemSet:
    """
    Return what the store has of a job's stems.

    Raises:
        StoreErrors, KeyServiceDown: not to be had just now.
    """
    found = object_names(stores.objects, names.recording_prefix(job.recording_id))
    consented = {item.stem: item for item in job.stems}
    objects = stem_objects(found, consented, up_to_version=job.version)
    result = StemSet(epochs=[], lost=[], journals=_journals(found, stores))
    for (stem, epoch), items in sorted(objects.items()):
        reader = _reader(job, stem, epoch, items, stores)
        if reader is None:
            result.lost.append(stem)
        else:
            result.epochs.append(
                StemEpoch(consented=consented[stem], epoch=epoch, reader=reader)
            )
    for item in result.epochs:  # an epoch whose journal was lost with its machine
        result.journals.setdefault(
            item.epoch, Journal(epoch=item.epoch, opened=0, alive=0)
        )
    return result


def sweep(job: RenderJob, stores: Stores) -> None:
    """
    Store what a worker on this machine left in the spool; of other stems, delete it.

    That worker must be done, or dead: see `wait_settled`.

    Raises:
        StoreErrors: some of it is still there.
    """
    consented = {item.stem for item in job.stems}
    for name in stores.spool.names(job.recording_id):
        item = parse_stem_object(name)
        data = stores.spool.read(name)
        if data is not None and (item is None or item.stem in consented):
            obstore.put(stores.objects, name, data)
        stores.spool.stored(name)
    stores.spool.forget_dead(job.recording_id)


def _reader(
    job: StemJob,
    stem: StemId,
    epoch: int,
    objects: list[StemObject],
    stores: Stores,
) -> StemReader | None:
    place = StemPlace(recording_id=job.recording_id, stem=stem, epoch=epoch)
    try:
        seal = PageSeal(stores.keys.get(place), place)
    except KeyLost as error:
        extra = {"stem": stem, "epoch": epoch, "reason": str(error)}
        logger.warning("stem is erased", extra=extra)
        return None
    return StemReader(stores.objects, seal, objects)


def _journals(found: Iterable[str], stores: Stores) -> dict[int, Journal]:
    journals = {}
    for name in found:
        epoch = names.journal_epoch(name)
        if epoch is None:
            continue
        try:
            data = bytes(obstore.get(stores.objects, name).bytes())
            journals[epoch] = Journal.from_bytes(data)
        except InvalidJournal as error:
            logger.error("journal unreadable", extra={"reason": str(error)})
    return journals
