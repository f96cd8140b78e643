"""Keys, spool and journal: what a crash, a full disk and a lost key leave behind."""

import errno
import fcntl
import os
from dataclasses import replace
from pathlib import Path

import pytest

from media_worker.recording.journal import InvalidJournal, Journal
from media_worker.recording.key_encryption import (
    KeyLost,
    LocalKeyEncryption,
    UnknownKeyEncryption,
    WrappedKey,
    key_encryption,
)
from media_worker.recording.sealing import StemPlace, new_key
from media_worker.recording.spool import Spool, SpoolFull
from media_worker.recording.stem_set import sweep
from media_worker.recording.stores import StemKeys, erase_stem, object_names, open_store
from spaces_contract import recording_objects as names
from spaces_contract.recording import GapReason, RecordingId, StemId
from spaces_contract.recording_objects import StemObject
from tests.stems import a_job, stem_of, stores_in

RECORDING = RecordingId("recording-1")
ANA, BO = StemId("stem-ana1"), StemId("stem-bo01")


def an_object(stem: StemId, seq: int = 0, *, version: int = 1, epoch: int = 1) -> str:
    """Return the name of a stem's object."""
    return StemObject(
        recording_id=RECORDING, version=version, epoch=epoch, stem=stem, seq=seq
    ).name


def test_a_wrapped_key_opens_with_any_key_of_the_file(tmp_path: Path) -> None:
    """
    Rotation changes what wraps from now on, and loses nothing that was wrapped.
    """
    path = tmp_path / "keys.json"
    encryption, key = LocalKeyEncryption(path), new_key()
    old = encryption.wrap(key, context=b"ana")
    encryption.rotate()
    new = encryption.wrap(key, context=b"ana")

    reopened = LocalKeyEncryption(path)

    assert old.wrapped_by != new.wrapped_by
    assert reopened.unwrap(old, context=b"ana") == key
    assert reopened.unwrap(new, context=b"ana") == key
    assert key not in old.to_bytes()
    assert path.stat().st_mode & 0o077 == 0


def test_a_process_that_is_running_follows_a_rotation(tmp_path: Path) -> None:
    """
    What another process wrapped with a newer key opens without a restart.
    """
    path = tmp_path / "keys.json"
    running, key = LocalKeyEncryption(path), new_key()
    other = LocalKeyEncryption(path)
    other.rotate()

    assert running.unwrap(other.wrap(key, context=b""), context=b"") == key


def test_a_lost_key_is_told_as_lost(tmp_path: Path) -> None:
    """
    Wrapped elsewhere, for another stem, cut off or unreadable: erased, not a crash.
    """
    encryption = LocalKeyEncryption(tmp_path / "a.json")
    wrapped = encryption.wrap(new_key(), context=b"ana")
    stranger = LocalKeyEncryption(tmp_path / "b.json")
    cut = WrappedKey(wrapped_by=wrapped.wrapped_by, wrapped=wrapped.wrapped[:5])

    for unwrap in (
        lambda: stranger.unwrap(wrapped, context=b"ana"),
        lambda: encryption.unwrap(wrapped, context=b"bo"),
        lambda: encryption.unwrap(cut, context=b"ana"),
        lambda: WrappedKey.from_bytes(b"{}"),
        lambda: WrappedKey.from_bytes(b"\xff"),
    ):
        with pytest.raises(KeyLost):
            unwrap()


def test_only_known_ways_of_wrapping_are_taken(tmp_path: Path) -> None:
    """
    A URL that names no key service is refused by name, without its secrets.
    """
    key_encryption(f"file://{tmp_path}/keys.json")

    with pytest.raises(UnknownKeyEncryption, match=r"^vault$"):
        key_encryption("vault://user:secret@host")


async def test_erasing_a_stem_takes_its_keys_and_objects_and_nothing_else(
    tmp_path: Path,
) -> None:
    """
    Every version and epoch of a stem is deleted, its keys first; others stay.
    """
    store = open_store(f"file://{tmp_path}/objects")
    key_store = open_store(f"file://{tmp_path}/keys")
    keys = StemKeys(key_store, LocalKeyEncryption(tmp_path / "kek.json"))
    places = [
        StemPlace(recording_id=RECORDING, stem=stem, epoch=epoch)
        for stem, epoch in ((ANA, 1), (ANA, 2), (BO, 1))
    ]
    for place in places:
        await keys.put(place, new_key())
    kept = [an_object(BO), names.journal(RECORDING, 1, 1)]
    for name in [an_object(ANA), an_object(ANA, 1, version=2, epoch=2), *kept]:
        store.put(name, b"x")

    await erase_stem(store, keys, RECORDING, ANA)
    await erase_stem(store, keys, RECORDING, ANA)

    assert object_names(store, "recordings") == sorted(kept)
    assert object_names(key_store, "") == [names.stem_key(RECORDING, BO, 1)]
    with pytest.raises(KeyLost):
        keys.get(places[0])


def test_what_was_spooled_is_there_for_the_next_process(tmp_path: Path) -> None:
    """
    Another process finds whole files under the names of their objects.
    """
    name = an_object(ANA)
    Spool(tmp_path).append(name, b"one")
    Spool(tmp_path).append(name, b"two")

    later = Spool(tmp_path)

    assert later.names(RECORDING) == [name]
    assert later.read(name) == b"onetwo"
    later.stored(name)
    assert later.names(RECORDING) == []
    assert later.read(name) is None


def test_a_full_spool_refuses_and_frees_up(tmp_path: Path) -> None:
    """
    Beyond its share of the disk nothing is taken, until something was stored.
    """
    spool = Spool(tmp_path, limit_bytes=10)
    spool.append(an_object(ANA), b"12345678")

    with pytest.raises(SpoolFull):
        spool.append(an_object(BO), b"123")
    spool.stored(an_object(ANA))
    spool.append(an_object(BO), b"123")

    assert spool.names(RECORDING) == [an_object(BO)]


def test_a_disk_that_fills_up_leaves_whole_records(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    """
    A write that the disk takes only in part is undone, so that what follows is read.
    """
    spool, whole = Spool(tmp_path), os.write
    spool.append(an_object(ANA), b"first")

    def in_part(descriptor: int, data: bytes) -> int:
        whole(descriptor, data[:2])
        return 2

    monkeypatch.setattr(os, "write", in_part)
    with pytest.raises(SpoolFull):
        spool.append(an_object(ANA), b"second")
    monkeypatch.setattr(os, "write", whole)
    spool.append(an_object(ANA), b"third")

    assert spool.read(an_object(ANA)) == b"firstthird"


def test_no_disk_is_a_full_spool(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    """
    Whatever the operating system says, the recorder hears one thing.
    """

    def refuse(*_: object) -> int:
        raise OSError(errno.ENOSPC, "no space left")

    monkeypatch.setattr(os, "write", refuse)

    with pytest.raises(SpoolFull):
        Spool(tmp_path).append(an_object(ANA), b"x")


def test_the_spool_forgets_one_stem(tmp_path: Path) -> None:
    """
    A withdrawal takes what was not stored yet, and leaves the others'.
    """
    spool = Spool(tmp_path)
    for name in (an_object(ANA), an_object(ANA, 1), an_object(BO)):
        spool.append(name, b"x")

    spool.erase(RECORDING, ANA)

    assert spool.names(RECORDING) == [an_object(BO)]


@pytest.fixture
def spools(tmp_path: Path) -> tuple[Spool, Spool]:
    """Return those of two processes on one machine, over a lock that one left."""
    lock = tmp_path / names.recording_prefix(RECORDING) / "1.lock"
    lock.parent.mkdir(parents=True)
    lock.touch()
    return Spool(tmp_path), Spool(tmp_path)


def test_nothing_stays_of_a_process_that_was_killed(
    spools: tuple[Spool, Spool],
) -> None:
    """
    Its lock tells that nobody writes its files any more: it goes when they are stored,
    and that of a process that lives stays.
    """
    living, spool = spools
    living.hold(RECORDING, 2)
    spool.append(an_object(ANA, epoch=1), b"x")

    spool.forget_dead(RECORDING)
    waiting = spool.holders(RECORDING)
    spool.stored(an_object(ANA, epoch=1))
    spool.forget_dead(RECORDING)

    assert waiting == {1: False, 2: True}
    assert spool.holders(RECORDING) == {2: True}


def test_a_render_leaves_nothing_in_the_spool(tmp_path: Path) -> None:
    """
    It stores what a worker left that was killed, and no other follows.
    """
    stores, page = stores_in(tmp_path), an_object(stem_of("ana"))
    stores.spool.append(page, b"x")
    (tmp_path / "spool" / names.recording_prefix(RECORDING) / "1.lock").touch()

    sweep(a_job("ana"), stores)

    assert list(object_names(stores.objects, "")) == [page]
    assert [path for path in (tmp_path / "spool").rglob("*") if path.is_file()] == []


def test_one_who_locks_just_now_is_not_forgotten(
    spools: tuple[Spool, Spool], monkeypatch: pytest.MonkeyPatch
) -> None:
    """
    Between its opening and its lock a file looks like that of a killed process: deleted
    then, it is made anew.
    """
    starting, spool = spools
    flock = fcntl.flock

    def late(descriptor: int, mode: int) -> None:
        if mode == fcntl.LOCK_SH:
            monkeypatch.setattr(fcntl, "flock", flock)
            spool.forget_dead(RECORDING)
        flock(descriptor, mode)

    monkeypatch.setattr(fcntl, "flock", late)
    starting.hold(RECORDING, 1)

    assert spool.holders(RECORDING) == {1: True}


def test_two_who_forget_leave_a_third_alone(
    spools: tuple[Spool, Spool], tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    """
    What was opened and is locked at last may not be the file that is there by now.
    """
    slow, starting = spools
    flock = fcntl.flock

    def overtaken(descriptor: int, mode: int) -> None:
        monkeypatch.setattr(fcntl, "flock", flock)
        Spool(tmp_path).forget_dead(RECORDING)
        starting.hold(RECORDING, 1)
        flock(descriptor, mode)

    monkeypatch.setattr(fcntl, "flock", overtaken)
    slow.forget_dead(RECORDING)

    assert slow.holders(RECORDING) == {1: True}


def test_refusals_in_a_row_are_one_gap() -> None:
    """
    Packets refused for one reason within a second make one gap; others their own.
    """
    journal = Journal(epoch=1, opened=0, alive=0)
    for start in range(0, 4_800, 960):
        journal.note_gap(ANA, GapReason.CONSENT_UNKNOWN, start, start + 960)
        journal.note_gap(BO, GapReason.PAUSED, start, start + 960)
    journal.note_gap(ANA, GapReason.PAUSED, 4_800, 5_760)
    journal.note_gap(BO, GapReason.PAUSED, 480_000, 480_960)

    assert [(g.stem, g.reason, g.start, g.end) for g in journal.gaps] == [
        (ANA, GapReason.CONSENT_UNKNOWN, 0, 4_800),
        (BO, GapReason.PAUSED, 0, 4_800),
        (ANA, GapReason.PAUSED, 4_800, 5_760),
        (BO, GapReason.PAUSED, 480_000, 480_960),
    ]


def test_a_journal_is_read_back_and_nonsense_is_not() -> None:
    """
    What is stored is what was noted; anything else is refused, not guessed at.
    """
    journal = Journal(epoch=2, opened=48_000, alive=96_000, closed=True)
    journal.note_gap(ANA, GapReason.STORE_LOST, 1, 2)

    copy = replace(journal, closed=False, stored=48_000)
    assert Journal.from_bytes(journal.to_bytes()) == journal
    assert Journal.from_bytes(copy.to_bytes()) == copy
    for bad in (b"", b"[]", b"{}", journal.to_bytes().replace(b"store-lost", b"oops")):
        with pytest.raises(InvalidJournal):
            Journal.from_bytes(bad)
