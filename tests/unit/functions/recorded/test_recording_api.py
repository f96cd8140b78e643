"""The API of recording: what hosts, speakers and listeners do and see."""

import hashlib
import json
from datetime import timedelta
from typing import Any

import pytest
from cryptography.hazmat.primitives.asymmetric.ed25519 import Ed25519PublicKey

from spaces.domain.notice import NOTICE_VERSION
from spaces.domain.states import SpaceState
from spaces.service.ports import WorkloadKind
from spaces_contract.consent_receipts import SignedReceipt, from_base64url
from spaces_contract.ids import UserId
from spaces_contract.recording import RecordingState
from tests.builders import HOST, SPACE_ID, a_runtime
from tests.recorded_world import (
    CONSENT,
    NO,
    OF_SPACE,
    ONE,
    YES,
    end,
    get,
    put,
    ready,
    rendered,
    requested,
    state,
    work,
)
from tests.simulated_queue import SimulatedQueue
from tests.world import World, code_of


def test_from_request_to_replay(world: World) -> None:
    """
    Off, pending, recording, finishing, ready: and then there is something to hear.
    """
    assert state(world) == "off"
    requested(world)
    assert state(world) == "pending"
    put(world, CONSENT, "ana", YES)
    assert state(world) == "recording"
    end(world)
    assert state(world) == "finishing"
    rendered(world)

    assert state(world) == "ready"
    playback = get(world, f"{ONE}/playback", "listener")
    assert playback["duration_ms"] == 90_000
    (job,) = {job.version: job for job in world.recording.objects.jobs}.values()
    assert [stem.uid for stem in job.stems] == ["ana"]


def test_a_request_is_not_the_hosts_own_consent(world: World) -> None:
    """
    Whoever requests is asked like everybody else.
    """
    requested(world)

    assert get(world, CONSENT, HOST)["state"] == "asked"
    assert get(world, OF_SPACE, HOST)["consents"] == {"granted": 0, "asked": 4}


def test_hosts_see_numbers_and_nobody_else_does(world: World) -> None:
    """
    "2 of 4" for the host; a speaker and a listener are told none of it.
    """
    requested(world)
    put(world, CONSENT, "ana", YES)
    put(world, CONSENT, HOST, YES)
    put(world, CONSENT, "bo", NO)

    assert get(world, OF_SPACE, HOST)["consents"] == {"granted": 2, "asked": 4}
    for other in ("ana", "listener"):
        assert get(world, OF_SPACE, other)["consents"] is None


def test_pause_resume_and_stop(world: World) -> None:
    """
    A host interrupts, goes on, and ends it while the Space goes on.
    """
    requested(world)
    put(world, CONSENT, "ana", YES)

    put(world, OF_SPACE, HOST, {"requested": True, "paused": True})
    assert state(world) == "paused"
    put(world, OF_SPACE, HOST, {"requested": True})
    assert state(world) == "recording"
    put(world, OF_SPACE, HOST, {"requested": False})
    assert state(world) == "finishing"
    again = world.call("PUT", OF_SPACE, as_user=HOST, json={"requested": True})
    assert (again.status_code, code_of(again)) == (409, "recording-closed")


@pytest.mark.parametrize("user", ["ana", "listener"])
def test_only_hosts_request(world: World, user: str) -> None:
    """
    A speaker or a listener cannot have the others asked.
    """
    answer = world.call("PUT", OF_SPACE, as_user=user, json={"requested": True})

    assert (answer.status_code, code_of(answer)) == (403, "moderator-only")


@pytest.mark.parametrize(
    ("user", "body", "status", "code"),
    [
        ("listener", YES, 409, "not-asked"),
        ("stranger", YES, 409, "not-asked"),
        ("ana", {"granted": True, "notice_version": "1999"}, 409, "notice-outdated"),
        ("ana", {"granted": True}, 422, "invalid-field"),
        ("ana", YES | {"scopes": ["clips"]}, 422, "invalid-field"),
        ("ana", YES | {"scopes": ["archive", "all"]}, 422, "invalid-field"),
        ("ana", YES | {"uid": "bo"}, 422, "unknown-field"),
    ],
)
def test_answers_that_are_none(
    world: World, user: str, body: dict[str, Any], status: int, code: str
) -> None:
    """
    Nobody answers for another, from outside, to old words, or to nothing in particular.
    """
    requested(world)

    answer = world.call("PUT", CONSENT, as_user=user, json=body)

    assert (answer.status_code, code_of(answer)) == (status, code)
    assert state(world) == "pending"


def test_without_a_recording_nobody_answers(world: World) -> None:
    """
    Where nothing is recorded there is nothing to consent to, nor to withdraw.
    """
    for method in ("PUT", "DELETE"):
        answer = world.call(method, CONSENT, as_user="ana", json=YES)
        assert (answer.status_code, code_of(answer)) == (404, "recording-not-found")


@pytest.mark.parametrize(("header", "lang"), [("ja,en;q=0.5", "ja"), ("fr", "en")])
def test_the_notice_comes_in_the_readers_language(
    world: World, header: str, lang: str
) -> None:
    """
    By `Accept-Language`; the receipt says which words were read.
    """
    requested(world)
    headers = {"Accept-Language": header}

    answer = world.call("PUT", CONSENT, as_user="ana", json=YES, headers=headers)

    assert answer.get_json()["notice"]["lang"] == lang
    assert answer.get_json()["receipt"]["receipt"]["notice_lang"] == lang


def test_a_recorded_space_is_joined_with_the_notice_only(world: World) -> None:
    """
    Without its version, or with an old one: 409 with the notice to show.
    """
    requested(world)
    join = f"/v1/spaces/{SPACE_ID}/join"

    for body in ({}, {"recording_notice": "1999"}):
        refused = world.call("POST", join, as_user="listener", json=body)
        assert refused.status_code == 409
        assert code_of(refused) == "recording-notice-required"
        notice = refused.get_json()["notice"]
    assert notice["version"] == NOTICE_VERSION
    seen = {"recording_notice": notice["version"]}
    joined = world.call("POST", join, as_user="listener", json=seen)
    assert joined.status_code == 200
    assert joined.get_json()["recording_notice"] == notice


def test_a_space_that_is_not_recorded_needs_no_notice(world: World) -> None:
    """
    Joining it says nothing of recording.
    """
    joined = world.call("POST", f"/v1/spaces/{SPACE_ID}/join", as_user="listener")

    assert joined.get_json()["recording_notice"] is None


def _checked(world: World, signed: dict[str, Any]) -> SignedReceipt:
    """Verify a receipt as its holder would, with the published keys alone."""
    keys = world.call("GET", "/.well-known/parley-keys.json").get_json()["keys"]
    (key,) = [each for each in keys if each["kid"] == signed["key_id"]]
    canonical = json.dumps(
        signed["receipt"], sort_keys=True, separators=(",", ":"), ensure_ascii=False
    ).encode()
    public = Ed25519PublicKey.from_public_bytes(from_base64url(key["x"]))
    public.verify(from_base64url(signed["signature"]), canonical)
    opened = hashlib.sha256(bytes.fromhex(signed["salt"]) + canonical)
    assert opened.hexdigest() == signed["commitment"]
    return SignedReceipt.from_json(signed)


def test_receipts_are_checked_with_the_published_keys(world: World) -> None:
    """
    Each answer's receipt verifies offline, and its commitment is in the chain.
    """
    requested(world)
    yes = put(world, CONSENT, "ana", YES)["receipt"]
    no = put(world, CONSENT, "bo", NO)["receipt"]
    end(world)
    rendered(world)

    chain = world.recording.objects.jobs[0].commitments
    for number, (signed, action) in enumerate([(yes, "grant"), (no, "decline")]):
        receipt = _checked(world, signed)
        assert receipt.receipt.action == action
        assert chain[number] == signed["commitment"]


def test_people_download_their_own_receipts(world: World) -> None:
    """
    `GET /v1/me/receipts` has the caller's answers and nobody else's.
    """
    requested(world)
    put(world, CONSENT, "ana", YES)
    put(world, CONSENT, "bo", NO)

    (mine,) = get(world, "/v1/me/receipts", "ana")["answers"]

    assert (mine["state"], mine["space_id"]) == ("granted", SPACE_ID)
    assert [_checked(world, each).receipt.uid for each in mine["receipts"]] == ["ana"]
    assert get(world, "/v1/me/receipts", "cleo")["answers"] == []


def test_a_withdrawal_after_the_end(world: World) -> None:
    """
    Nothing can be played at once; keys and pages go; version 2 has the others alone;
    the receipt of the yes is gone, its commitment stays.
    """
    ready(world, "ana", "bo")
    old = world.recording.objects.jobs[0]
    stem = {each.uid: each.stem for each in old.stems}["ana"]

    withdrawn = world.call("DELETE", f"{ONE}/consent", as_user="ana").get_json()

    assert withdrawn["state"] == "withdrawn"
    refused = world.call("GET", f"{ONE}/playback", as_user="bo")
    assert (refused.status_code, code_of(refused)) == (409, "recording-not-ready")
    rendered(world, version=2)
    objects = world.recording.objects
    assert objects.erased_stems == [stem]
    assert objects.erased_below == 2
    new = objects.jobs[-1]
    assert (new.version, [each.uid for each in new.stems]) == (2, ["bo"])
    assert new.commitments[: len(old.commitments)] == old.commitments
    assert get(world, f"{ONE}/playback", "bo")["version"] == 2
    (mine,) = get(world, "/v1/me/receipts", "ana")["answers"]
    assert [each["receipt"]["action"] for each in mine["receipts"]] == ["withdraw"]


def test_a_space_that_ends_between_two_workers_ends_its_recording(
    world: World,
) -> None:
    """
    Its worker died, another was to be launched, and the host ended it before that:
    the recording is rendered all the same, and kept no longer than any other.
    """
    requested(world)
    put(world, CONSENT, "ana", YES)
    world.database.runtimes[SPACE_ID] = a_runtime()
    world.clock.advance(60)
    world.task("watchdog", {"space_id": SPACE_ID, "epoch": 1, "n": 1})
    world.call("POST", f"/v1/spaces/{SPACE_ID}/end", as_user=HOST)
    SimulatedQueue(world).run_until(world.clock() + timedelta(seconds=60))

    assert world.database.spaces[SPACE_ID].epoch == 2
    assert [each.kind for each in world.launcher.launched] == [WorkloadKind.RENDER]


def test_who_leaves_for_good_takes_their_voice_along(world: World) -> None:
    """
    Erasing an account withdraws each yes and deletes the receipts; the chain stays.
    """
    ready(world, "ana", "bo")

    world.recording.consents.forget(UserId("ana"))
    rendered(world, version=2)

    (stem,) = world.recording.objects.jobs[-1].stems
    assert stem.uid == "bo"
    assert get(world, "/v1/me/receipts", "ana")["answers"] == []
    assert len(world.recording.objects.jobs[-1].commitments) == 3


def test_the_stage_is_asked_by_push_once(world: World) -> None:
    """
    Each person on stage is told once, however often the host requests.
    """
    requested(world)
    work(world)
    put(world, OF_SPACE, HOST, {"requested": False})
    requested(world)
    work(world)

    told = [name for name in world.effects.names if "recording_asked" in name]
    assert len(told) == 4


def test_withdrawal_by_the_removed(world: World) -> None:
    """
    Removed from the Space, one still takes a yes back.
    """
    requested(world)
    put(world, CONSENT, "ana", YES)
    person = f"/v1/spaces/{SPACE_ID}/participants/ana"
    world.call("PATCH", person, as_user=HOST, json={"removed": True})

    answer = world.call("DELETE", CONSENT, as_user="ana")

    assert answer.get_json()["state"] == "withdrawn"


def test_a_recording_nobody_consented_to_is_off_again(world: World) -> None:
    """
    A request that nobody granted leaves nothing, and can be made again.
    """
    requested(world)
    put(world, CONSENT, "ana", NO)

    end(world)

    assert state(world) == "off"
    assert world.recording.objects.jobs == []


def test_the_space_counts_not_its_watchdog(world: World) -> None:
    """
    Between a Space's end and the look at it, the recording is over for everybody.
    """
    requested(world)
    put(world, CONSENT, "ana", YES)
    world.call("POST", f"/v1/spaces/{SPACE_ID}/end", as_user=HOST)

    late = world.call("PUT", CONSENT, as_user="bo", json=YES)

    assert get(world, OF_SPACE, "ana")["state"] == RecordingState.FINISHING
    assert code_of(late) == "recording-closed"
    assert world.database.spaces[SPACE_ID].state is SpaceState.ENDED
