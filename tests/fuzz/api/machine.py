"""People who do whatever the API has, at once and over time, on the embedded cloud."""

import contextlib
import itertools
import threading
from collections import Counter
from collections.abc import Sequence
from datetime import timedelta
from random import Random
from typing import Any, ClassVar, Final

from hypothesis import strategies as st
from hypothesis.stateful import RuleBasedStateMachine, initialize, rule
from werkzeug.test import TestResponse

from spaces.adapters.firestore.client import BoundedClient, dependency_errors
from spaces.adapters.firestore.codec import participant_from_doc, runtime_to_doc
from spaces.domain.announcement import AnnouncementKind
from spaces.domain.errors import Contended, DependencyUnavailable
from spaces.domain.space import Space
from spaces.domain.states import RequestState, SpaceState
from spaces.http.openapi import problem_codes
from spaces_contract import paths
from spaces_contract.ids import SpaceId
from spaces_contract.roles import MAX_SPEAKERS
from spaces_contract.runtime import WorkerState
from tests.applications import ADMIN_KEY
from tests.builders import a_runtime
from tests.firestore_world import FirestoreWorld
from tests.fuzz.api.actions import NAMES, POLICIES, Action, Scene, act, an_action
from tests.fuzz.api.invariants import Snapshot, broken
from tests.simulated_queue import SimulatedQueue

SLICE_S: Final = 5  # how often a worker reports
SHORT_WAITS: Final = (1, 12, 70)
LONG_WAITS: Final = (*SHORT_WAITS, 400, 35 * 60, 25 * 3600)
MAX_SPACES: Final = 4
STEP: Final = "steps"
PATIENCE: Final = 10  # looks of some seconds each

_runs = itertools.count()


class ApiMachine(RuleBasedStateMachine):
    """
    One deployment, its people, and what is known of it.

    Args of the class, set by whoever runs it:
        client: Of the Firestore that all runs share; each has people of its own.
        steps: Counts them.
    """

    client: ClassVar[BoundedClient]
    steps: ClassVar[Counter[str]] = Counter()

    def __init__(self) -> None:
        super().__init__()
        self.world = FirestoreWorld(self.client)
        self.queue = SimulatedQueue(self.world)
        self.spaces: dict[str, Space | None] = {}
        self.taken = 0
        self.asking: list[tuple[str, str]] = []
        self.connected: dict[str, set[str]] = {}  # Spaces whose worker is alive
        self.expected: set[tuple[str, str]] = set()  # person, id of what they are told
        run = next(_runs)
        self.people = [f"fuzz-{run}-{name}" for name in NAMES]
        self.operations = {each.id: each for each in self.world.operations}

    @initialize(
        policy=st.sampled_from([*POLICIES, None]),
        full=st.sampled_from([False] * 3 + [True]),
    )
    def arrive(self, policy: str | None, full: bool) -> None:
        """
        Give everybody an account and a phone; let most be in a live Space.

        Where it is `full`, one seat is left on its stage.
        """
        for number, uid in enumerate(self.people):
            self._sign_up(uid, number)
            self._buy_phone(uid)
        if policy is not None:
            path = self._open("everyone" if full else policy)
            for uid in self.people[:5]:
                self._must("POST", f"{path}/join", uid)
            for number in range(MAX_SPEAKERS - 1 if full else 0):
                uid = f"{self.people[0]}-{number}"
                self._sign_up(uid, len(self.people) + number)
                self._must("POST", f"{path}/join", uid, {"role": "speaker"})

    @rule(number=st.integers(0, 2**63))
    def something_happens(self, number: int) -> None:
        """
        Take one step of any kind; most are calls.

        What is drawn depends on what there is, and that on threads: so one number
        stands for the whole step.
        """
        self.steps[STEP] += 1
        self.taken += 1  # Hypothesis likes to draw the same number again
        dice = Random(f"{number}/{self.taken}")
        kinds = [
            *[self._somebody_acts] * 8,
            *[self._people_act_at_once] * 3,
            *[self._time_goes_by] * 2,
            self._connections_change,
            self._somebody_starts_afresh,
        ]
        dice.choice(kinds)(dice)

    def _somebody_acts(self, dice: Random) -> None:
        """Do one call, and see what came of it."""
        action = an_action(dice, self._scene())
        before = self._subscribers(action)
        self._judge(action, self._done(action), alone=True)
        self._note_live(action, before)
        self._look()

    def _people_act_at_once(self, dice: Random) -> None:
        """Do two or three calls in the same moment."""
        count = dice.randint(2, 3)
        actions = [an_action(dice, self._scene()) for _ in range(count)]
        answers: list[TestResponse | None] = [None] * count
        together = threading.Barrier(count)

        def act(number: int) -> None:
            together.wait(10)
            answers[number] = self._done(actions[number])

        threads = [threading.Thread(target=act, args=(n,)) for n in range(count)]
        for thread in threads:
            thread.start()
        for thread in threads:
            thread.join(60)
        for action, answer in zip(actions, answers, strict=True):
            assert answer is not None, f"no answer: {action}"
            self._judge(action, answer, alone=False)
        self._look()

    def _time_goes_by(self, dice: Random) -> None:
        """Let tasks run, each twice, while workers report who is there."""
        live = any(
            s is not None and s.state is SpaceState.LIVE for s in self.spaces.values()
        )
        wait_s = dice.choice(SHORT_WAITS if live else LONG_WAITS)
        end = self.world.clock() + timedelta(seconds=wait_s)
        while self.world.clock() < end:
            self._report()
            step_s = SLICE_S if live else wait_s
            self.queue.run_until(
                min(end, self.world.clock() + timedelta(seconds=step_s)), twice=True
            )
        self._look()
        self._count_subscribers()

    def _connections_change(self, dice: Random) -> None:
        """Let a worker come, or go, with some of the stage connected."""
        if not self.spaces:
            return
        space_id = dice.choice(list(self.spaces))
        if dice.randrange(4) == 0:
            self.connected.pop(space_id, None)
        else:
            count = dice.randint(0, len(self.people))
            self.connected[space_id] = set(dice.sample(self.people, count))

    def _somebody_starts_afresh(self, dice: Random) -> None:
        """Erase the last person, while others act, and let them come again."""
        gone = self.people[-1]
        erased = act("delete_me", "DELETE", "/v1/me", gone)
        self._judge(erased, self._done(erased), alone=True)
        self._somebody_acts(dice)
        self._tell()
        assert not self._named(gone), f"still named: {self._named(gone)}"
        pardon = f"/v1/admin/users/{gone}/suspension"
        self._done(act("admin_unsuspend", "DELETE", pardon, None))
        back = act("put_me", "PUT", "/v1/me", gone, self._profile(gone, 6))
        self._judge(back, self._done(back), alone=True)
        self._buy_phone(gone)
        self._look()

    def teardown(self) -> None:
        """See that everybody was told what they were to be told, and nothing twice."""
        self._tell()
        for space_id in self.spaces:  # or every suspension in later runs looks at them
            with contextlib.suppress(DependencyUnavailable, Contended):
                self.world.operating.close_space(SpaceId(space_id))
        sent = Counter((p.device.user_id, p.id) for p in self.world.pushes.sent)
        twice = [each for each, times in sent.items() if times > 1]
        missing = self.expected - set(sent)
        assert not twice, f"told twice: {twice}"
        assert not missing, f"not told: {missing}"

    def _sign_up(self, uid: str, number: int) -> None:
        self._must("PUT", "/v1/me", uid, self._profile(uid, number))

    def _profile(self, uid: str, number: int) -> dict[str, str]:
        return {"handle": f"z{number}_{uid.split('-')[1]}", "display_name": uid}

    def _named(self, uid: str) -> list[str]:
        """Return Spaces in which somebody who erased themselves is still named."""
        snapshots = [self._read(space_id) for space_id in self.spaces]
        return [snapshot.space.id for snapshot in snapshots if uid in str(snapshot)]

    def _buy_phone(self, uid: str) -> None:
        phone = {"platform": "android", "token": f"t-{uid}", "app_version": "1.0"}
        self._must("PUT", "/v1/me/devices/phone", uid, phone)

    def _open(self, policy: str) -> str:
        """Start a Space of the first person; return its path."""
        host, body = self.people[0], {"speaker_policy": policy}
        space_id = self._must("POST", "/v1/spaces", host, body).get_json()["id"]
        self._must("POST", f"/v1/spaces/{space_id}/start", host)
        self.spaces[space_id] = None
        return f"/v1/spaces/{space_id}"

    def _must(
        self, method: str, path: str, user: str, body: Any = None
    ) -> TestResponse:
        answer = self.world.call(method, path, as_user=user, json=body)
        assert answer.status_code < 300, answer.text
        return answer

    def _scene(self) -> Scene:
        return Scene(
            people=self.people,
            spaces=list(self.spaces),
            now=self.world.clock(),
            asking=self.asking,
            invited=[
                (space_id, uid)
                for space_id, space in self.spaces.items()
                for uid in (space.invited_user_ids if space else ())
            ],
        )

    def _done(self, action: Action) -> TestResponse:
        headers = {}
        if action.user is None:
            headers["Authorization"] = f"Bearer {ADMIN_KEY}"
        return self.world.call(
            action.method,
            action.path,
            as_user=action.user,
            json=action.body,
            headers=headers,
        )

    def _judge(self, action: Action, answer: TestResponse, *, alone: bool) -> None:
        """See that an answer is one that its operation documents."""
        status = answer.status_code
        self.steps[f"{action.operation} {status}"] += 1
        if status >= 400:
            code = answer.get_json()["type"].rsplit("/", 1)[1]
            documented = problem_codes(self.operations[action.operation])
            assert code in documented.get(status, ()), f"{action}: {status} {code}"
            assert not (alone and code == "contended"), f"{action}: by nobody else"
        elif action.operation == "create_space":
            space_id = answer.get_json()["id"]
            if len(self.spaces) < MAX_SPACES:
                self.spaces[space_id] = None
        elif action.operation == "send_invites":
            self._note_invites(action, answer.get_json()["invites"], alone=alone)

    def _note_invites(
        self, action: Action, invites: Sequence[dict[str, Any]], *, alone: bool
    ) -> None:
        """Whoever was invited, and nothing else happened, is told within seconds."""
        if not alone:
            return
        self._tell()
        told = {(p.device.user_id, p.kind) for p in self.world.pushes.sent}
        kinds = {
            "speaker": AnnouncementKind.INVITED_TO_SPEAK,
            "co_host": AnnouncementKind.INVITED_TO_CO_HOST,
            "listener": AnnouncementKind.INVITED_TO_LISTEN,
        }
        for invite in invites:
            if invite["state"] == "pending":
                who, kind = invite["uid"], kinds[invite["role"]].value
                assert (who, kind) in told, f"{action}: {who} was not told"

    def _tell(self) -> None:
        """Let what is due in the next seconds be done."""
        self.queue.run_until(self.world.clock() + timedelta(seconds=2), twice=True)

    def _subscribers(self, action: Action) -> list[str]:
        if action.operation != "start_space":
            return []
        path = f"spaces/{action.path.split('/')[3]}/subscribers"
        return [doc.id for doc in self.client.collection(path).stream()]

    def _note_live(self, action: Action, subscribers: Sequence[str]) -> None:
        """Expect that those who waited are told, if the Space goes live by this."""
        if action.operation != "start_space":
            return
        space_id = action.path.split("/")[3]
        before, after = self.spaces.get(space_id), self._read(space_id).space
        started = before is None or before.state is SpaceState.SCHEDULED
        if started and after.state is SpaceState.LIVE and after.schedule_version:
            news = f"{space_id}-live-{after.schedule_version}"
            self.expected |= {(uid, news) for uid in subscribers}
            self._tell()

    def _look(self) -> None:
        """Hold every invariant against every Space."""
        self.asking.clear()
        for space_id, before in self.spaces.items():
            snapshot = self._read(space_id)
            wrong = broken(snapshot, before)
            assert not wrong, f"{space_id}: {wrong}"
            self.spaces[space_id] = snapshot.space
            self.asking += [
                (space_id, member.user_id)
                for member in snapshot.people
                if member.speak_request is RequestState.PENDING
            ]

    def _read(self, space_id: str) -> Snapshot:
        """Look at all of a Space, and wait for a machine too busy to answer."""
        for _ in range(PATIENCE):
            with contextlib.suppress(DependencyUnavailable), dependency_errors():
                return self._snapshot(space_id)
        return self._snapshot(space_id)

    def _snapshot(self, space_id: str) -> Snapshot:
        people = self.client.collection(paths.participants(space_id)).stream()
        return Snapshot(
            self.world.spaces.get(SpaceId(space_id)),
            [participant_from_doc(doc.to_dict() or {}, "") for doc in people],
        )

    def _report(self) -> None:
        """Write each living worker's heartbeat."""
        for space_id, connected in self.connected.items():
            space = self.spaces[space_id]
            if space is None or space.state is not SpaceState.LIVE:
                continue
            runtime = a_runtime(WorkerState.READY, epoch=space.epoch)
            heartbeat = {
                "control_url": "http://127.0.0.1:9",
                "heartbeat_at": self.world.clock(),
                "connected_ids": sorted(connected),
            }
            ref = self.client.document(paths.runtime_worker(space_id))
            ref.set(runtime_to_doc(runtime) | heartbeat)

    def _count_subscribers(self) -> None:
        """See that shown counts are right, once the tasks had their time."""
        self.queue.run_until(self.world.clock() + timedelta(seconds=11), twice=True)
        for space_id in self.spaces:
            wishes = self.client.collection(f"spaces/{space_id}/subscribers").get()
            shown = self.world.spaces.get(SpaceId(space_id)).subscriber_count
            assert shown == len(wishes), f"{space_id}: {shown} of {len(wishes)} shown"
        self._look()
