"""Relays through the API: who is sent to them, and when they are launched."""

from dataclasses import replace

import jwt
import pytest

from spaces.domain.errors import DependencyUnavailable
from spaces.service.errors import NoCapacity, WorkerRefused, WorkerUnreachable
from spaces.service.ports import LaunchedWorkload, WorkloadKind
from spaces_contract.control import ControlError
from spaces_contract.grants import Forward
from spaces_contract.relays import FEED, RelayReport, relay_session
from spaces_contract.roles import Role
from tests.builders import AN_OFFER, SPACE_ID, a_grant, a_runtime, a_space
from tests.world import World, code_of

PATH = f"/v1/spaces/{SPACE_ID}"
RELAY_URL = "http://10.0.0.8:9000"
LOOK = {"space_id": SPACE_ID, "epoch": 1, "n": 1}


@pytest.fixture
def relayed(world: World) -> World:
    """Return a world with a Space whose origin is full and whose relay is not."""
    report = RelayReport(control_url=RELAY_URL, listeners=10, capacity=100)
    world.database.put_space(a_space())
    world.database.runtimes[SPACE_ID] = replace(
        a_runtime(), listener_count=110, capacity=200, relays={3: report}
    )
    return world


def origin_of(world: World) -> str:
    """Return the control URL of the Space's origin."""
    return world.database.runtimes[SPACE_ID].control_url or ""


def test_a_listener_is_sent_to_the_relay(relayed: World) -> None:
    """
    The offer goes there under the same forward; nothing more is read for it.
    """
    response = relayed.post_sdp(f"{PATH}/whep", a_grant(), AN_OFFER)

    assert response.status_code == 201
    assert relayed.workers.called == [RELAY_URL]


@pytest.mark.parametrize("kind", ["whip", "whep"])
def test_the_stage_stays_with_the_origin(relayed: World, kind: str) -> None:
    """
    Only there is a mix without their own voice.
    """
    response = relayed.post_sdp(f"{PATH}/{kind}", a_grant(role=Role.SPEAKER), AN_OFFER)

    assert response.status_code == 201
    assert relayed.workers.called == [origin_of(relayed)]


@pytest.mark.parametrize(
    "error",
    [
        WorkerUnreachable(),
        WorkerRefused(ControlError.WORKER_STOPPING, "leaving"),
        WorkerRefused(ControlError.WORKER_FULL, "full"),
        WorkerRefused(ControlError.STALE_EPOCH, "another epoch"),
    ],
    ids=["unreachable", "stopping", "full", "stale"],
)
def test_a_relay_in_trouble_costs_nobody_a_refusal(
    relayed: World, error: Exception
) -> None:
    """
    The origin is asked in the same request.
    """
    relayed.workers.errors_at[RELAY_URL] = error

    response = relayed.post_sdp(f"{PATH}/whep", a_grant(), AN_OFFER)

    assert response.status_code == 201
    assert relayed.workers.called == [RELAY_URL, origin_of(relayed)]


def test_who_was_removed_is_refused_by_the_relay_too(relayed: World) -> None:
    """
    What the origin would say as well is the answer.
    """
    relayed.workers.errors_at[RELAY_URL] = WorkerRefused(ControlError.REMOVED, "no")

    response = relayed.post_sdp(f"{PATH}/whep", a_grant(), AN_OFFER)

    assert (response.status_code, code_of(response)) == (403, "removed")
    assert relayed.workers.called == [RELAY_URL]


@pytest.mark.parametrize(
    ("relay", "called"), [(None, ["origin"]), (3, [RELAY_URL]), (4, [])]
)
def test_a_session_is_closed_where_it_is(
    relayed: World, relay: int | None, called: list[str]
) -> None:
    """
    Its id tells which worker; of one that is gone it is closed already.
    """
    token = "abcdefghijklmnopqrstuvwx"
    session = token if relay is None else relay_session(token, relay)
    grant = relayed.signer.sign_grant(a_grant())

    response = relayed.call(
        "DELETE",
        f"{PATH}/media/{session}",
        headers={"Authorization": f"Bearer {grant}"},
    )

    assert response.status_code == 204
    urls = [origin_of(relayed) if each == "origin" else each for each in called]
    assert relayed.workers.called == urls


def test_a_full_space_gets_a_relay(relayed: World) -> None:
    """
    The look at its worker launches one, once, with a token that is for it alone.
    """
    full = replace(a_runtime(), listener_count=80, capacity=100)
    relayed.database.runtimes[SPACE_ID] = full

    answers = [relayed.task("watchdog", LOOK).status_code for _ in range(2)]

    assert answers == [204, 204]
    (relay,) = relayed.launcher.launched
    assert (relay.kind, relay.key, relay.epoch) == (WorkloadKind.RELAY, SPACE_ID, 1)
    claims = jwt.decode(
        relayed.relays.forwards[SPACE_ID, 0], options={"verify_signature": False}
    )
    forward = Forward.from_claims(claims)
    assert (forward.method, forward.epoch, forward.session_id) == (FEED, 1, "0")
    assert relayed.relays.books[SPACE_ID].placed[0].ref == f"relay-{SPACE_ID}-1-0"


def test_without_room_for_a_relay_the_watch_goes_on(relayed: World) -> None:
    """
    Nobody is refused for it: there is HLS; the next look tries again.
    """
    full = replace(a_runtime(), listener_count=80, capacity=100)
    relayed.database.runtimes[SPACE_ID] = full
    relayed.launcher.error = NoCapacity()

    assert relayed.task("watchdog", LOOK).status_code == 204
    assert any(name.startswith("watchdog-") for name in relayed.effects.names)


def test_a_relay_to_spare_is_stopped(relayed: World) -> None:
    """
    Its listeners join again, elsewhere.
    """
    full = replace(a_runtime(), listener_count=80, capacity=100)
    relayed.database.runtimes[SPACE_ID] = full
    relayed.task("watchdog", LOOK)
    report = RelayReport(control_url=RELAY_URL, listeners=1, capacity=100)
    relayed.database.runtimes[SPACE_ID] = replace(
        a_runtime(), listener_count=5, capacity=200, relays={0: report}
    )

    relayed.task("watchdog", LOOK)

    assert relayed.launcher.terminated == [f"relay-{SPACE_ID}-1-0"]


def test_a_relay_to_spare_that_could_not_be_stopped_is_stopped_later(
    relayed: World, monkeypatch: pytest.MonkeyPatch
) -> None:
    """
    The launcher does not answer: as long as the relay reports, it is found again.
    """
    full = replace(a_runtime(), listener_count=80, capacity=100)
    relayed.database.runtimes[SPACE_ID] = full
    relayed.task("watchdog", LOOK)
    report = RelayReport(control_url=RELAY_URL, listeners=1, capacity=100)
    relayed.database.runtimes[SPACE_ID] = replace(
        a_runtime(), listener_count=5, capacity=200, relays={0: report}
    )

    with monkeypatch.context() as patched:
        patched.setattr(relayed.launcher, "terminate", _silent)
        lost = relayed.task("watchdog", LOOK)
    again = relayed.task("watchdog", LOOK)

    assert (lost.status_code, again.status_code) == (503, 204)
    assert relayed.launcher.terminated == [f"relay-{SPACE_ID}-1-0"]


@pytest.mark.parametrize("reports", [True, False])
def test_a_relay_whose_reference_was_not_noted_is_stopped(
    relayed: World, monkeypatch: pytest.MonkeyPatch, reports: bool
) -> None:
    """
    The store fails right after the launch: whether the relay is to spare later or never
    shows up, the launcher is asked for it.
    """
    full = replace(a_runtime(), listener_count=80, capacity=100)
    relayed.database.runtimes[SPACE_ID] = full
    with monkeypatch.context() as patched:
        patched.setattr(relayed.relays, "launched", _silent)
        lost = relayed.task("watchdog", LOOK)
    (launched,) = relayed.launcher.launched
    relayed.launcher.known = [
        LaunchedWorkload(ref=ref, workload=workload, launched_at=relayed.clock())
        for ref, workload in (
            ("lost-relay", launched),
            ("another", replace(launched, index=7)),
        )
    ]
    if reports:
        report = RelayReport(control_url=RELAY_URL, listeners=1, capacity=100)
        relayed.database.runtimes[SPACE_ID] = replace(
            a_runtime(), listener_count=5, capacity=200, relays={0: report}
        )
    else:
        relayed.clock.advance(61)
        relayed.database.runtimes[SPACE_ID] = replace(
            full, heartbeat_at=relayed.clock()
        )

    again = relayed.task("watchdog", {**LOOK, "n": 2})

    assert (lost.status_code, again.status_code) == (503, 204)
    assert relayed.launcher.terminated == ["lost-relay"]


def _silent(*_: object) -> None:
    raise DependencyUnavailable
