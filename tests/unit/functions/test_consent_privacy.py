"""Nobody but themselves can learn who declined: two worlds, answer by answer."""

import json
import re
from pathlib import Path
from typing import Any

import pytest

from spaces.adapters.firestore.codec import participant_to_doc, space_to_doc
from spaces.adapters.firestore.recording_codec import recording_to_doc
from spaces.domain.notice import NOTICE_VERSION
from spaces_contract.recording import desired_recording
from spaces_contract.roles import Role
from tests.builders import HOST, SPACE_ID, a_participant, a_profile, a_runtime, a_space
from tests.world import World

ROOT = Path(__file__).parents[3]
CONSENT = f"/v1/spaces/{SPACE_ID}/recording/consent"
STAGE = ("ana", "bo", "cleo")
YES = {"granted": True, "notice_version": NOTICE_VERSION}
NO = {"granted": False}
# What differs between any two worlds, whoever declined: tokens and random ids.
RANDOM = re.compile(
    r'"(grant|stem|receipt_id|signature|salt|x|kid|key_id|commitment|hls_url|token)"'
    r': ?"[^"]*"'
)
OWN = ("Content-Type", "Retry-After", "WWW-Authenticate", "Allow")
# What is asked for, where an empty body would not get far.
BODIES: dict[str, dict[str, Any]] = {
    "put_space_recording": {"requested": True, "paused": True},
    "put_consent": YES,
    "join_space": {"recording_notice": NOTICE_VERSION},
    "edit_participant": {"muted": True},
    "send_invites": {"user_ids": ["listener"], "role": "speaker"},
    "edit_recording": {"private": True},
    "make_clip": {"version": 1, "start_ms": 0, "duration_ms": 5_000},
}


def a_world(answers: dict[str, dict[str, Any] | None]) -> World:
    """Return a world in which the people on stage answered so; None: not at all."""
    world = World()
    world.database.put_space(a_space(speaker_ids=STAGE))
    world.database.runtimes[SPACE_ID] = a_runtime()
    for user_id in (HOST, *STAGE, "listener"):
        world.database.put_profile(a_profile(user_id))
        role = Role.SPEAKER if user_id in STAGE else Role.LISTENER
        role = Role.HOST if user_id == HOST else role
        world.database.put_member(SPACE_ID, a_participant(user_id, role))
    path = f"/v1/spaces/{SPACE_ID}/recording"
    world.call("PUT", path, as_user=HOST, json={"requested": True})
    for user_id, body in answers.items():
        world.clock.advance(1)  # so that a time that moves with an answer is seen
        if body is not None:
            answered = world.call("PUT", CONSENT, as_user=user_id, json=body)
            assert answered.status_code == 200
    return world


def everything_seen(world: World, by: str) -> str:
    """Return what every operation answers this person, changes included."""
    seen = []
    for operation in world.operations:
        path = operation.path.format(
            space_id=SPACE_ID,
            recording_id=SPACE_ID,
            clip_id="1",
            epoch=1,
            number=1,
            user_id="bo",
            session_id="session-0123456789",
            device_id="phone",
            report_id="0" * 32,
            id=SPACE_ID,
        )
        query = {"space_id": SPACE_ID} if operation.id == "list_recordings" else {}
        answer = world.call(
            operation.method,
            path,
            as_user=by,
            query_string=query,
            json=BODIES.get(operation.id),
        )
        headers = {name: answer.headers.get(name) for name in OWN}
        body = RANDOM.sub("", answer.text)
        seen.append([operation.id, answer.status_code, headers, body])
    return json.dumps(seen, indent=1)


# Each pair differs in what bo said, and in nothing that the others did.
PAIRS = [
    ({"ana": YES, "bo": NO}, {"ana": YES, "bo": None}),
    ({"ana": YES, "bo": NO, "cleo": None}, {"ana": YES, "bo": None, "cleo": NO}),
    ({"bo": NO}, {"bo": None}),
]


@pytest.mark.parametrize(
    ("by", "one", "other"),
    [(HOST, *PAIRS[0]), ("ana", *PAIRS[0]), ("listener", *PAIRS[0]), (HOST, *PAIRS[1])],
)
def test_no_answer_of_the_api_tells_who_declined(
    by: str, one: dict[str, Any], other: dict[str, Any]
) -> None:
    """
    Every operation, called by host, speaker and listener, answers the same to the
    byte whether somebody else declined, or has not answered, or a third one did.
    """
    assert everything_seen(a_world(one), by) == everything_seen(a_world(other), by)


def test_the_comparison_sees_a_difference() -> None:
    """
    It is not blind: the person's own answer, and the host's count of the consenting,
    are told apart.
    """
    no, none = a_world({"ana": YES, "bo": NO}), a_world({"ana": YES, "bo": None})
    assert everything_seen(no, "bo") != everything_seen(none, "bo")

    more = a_world({"ana": YES, "bo": YES})
    assert everything_seen(more, HOST) != everything_seen(none, HOST)


@pytest.mark.parametrize(("one", "other"), PAIRS)
def test_documents_that_clients_read_do_not_tell(
    one: dict[str, Any], other: dict[str, Any]
) -> None:
    """
    The Space, which anybody may read, and people's own documents are the same.
    """
    worlds = (a_world(one), a_world(other))

    spaces = [space_to_doc(world.database.spaces[SPACE_ID]) for world in worlds]
    people = [
        {key: participant_to_doc(each) for key, each in world.database.members.items()}
        for world in worlds
    ]
    assert spaces[0] == spaces[1]
    assert people[0] == people[1]


def test_the_rules_let_no_client_read_answers() -> None:
    """
    Below a Space clients read their own participant's document, and nothing else:
    neither `consents` nor `runtime`, which holds the recording.
    """
    rules = (ROOT / "infra/firestore.rules").read_text()
    matches = re.findall(r"match /([^\s]+) \{", rules)

    assert "spaces/{space}" in matches  # not {document=**}: that reaches below it
    for match in matches:
        assert "consents" not in match
        assert "runtime" not in match
    recursive = rules.split("match /{document=**} {")[1]
    assert "allow write: if false;" in recursive
    assert "read" not in recursive.split("}")[0]
    assert "get" not in recursive.split("}")[0]


def test_the_worker_is_told_of_consents_alone() -> None:
    """
    What the worker reads, and so what could ever reach room.json or the data channel,
    names who granted; a refusal is not in it.
    """
    world = a_world({"ana": YES, "bo": NO})
    _, recording = world.recording.store.get(SPACE_ID)
    assert recording is not None

    desired = desired_recording(recording_to_doc(recording))

    assert list(desired.stems) == ["ana"]
    assert '"bo"' not in json.dumps(recording_to_doc(recording), default=str)
