"""Every call of the API once at least, each billed as Google bills it."""

import time
from collections.abc import Callable
from datetime import timedelta
from functools import partial
from typing import Any

import grpc
from werkzeug.test import TestResponse

from infra.local.firestore.operations import fetch_operations
from spaces.adapters.cloud_tasks import task_call
from spaces.adapters.firestore.client import BoundedClient
from spaces.adapters.firestore.codec import runtime_to_doc
from spaces.domain.effects import EraseAccount, ShutOut
from spaces.domain.public_numbers import number_of
from spaces.service.ports import LaunchedWorkload, Workload, WorkloadKind
from spaces_contract import paths
from spaces_contract.ids import SpaceId, UserId
from spaces_contract.runtime import WorkerState
from tests.applications import ADMIN_KEY
from tests.billed_recordings import recorded_calls
from tests.builders import AN_OFFER, NOW, a_runtime
from tests.world import World

SPACES = "/v1/spaces"
Counted = dict[str, tuple[int, int, int]]


class Bill:
    """Does calls one by one and keeps what each of them cost."""

    def __init__(self, world: World, counter: grpc.Channel) -> None:
        self._world = world
        self._counter = counter
        self.counted: Counted = {}
        self.took_s: dict[str, list[float]] = {}

    def call(
        self, name: str, method: str, path: str, user: str, **kwargs: Any
    ) -> TestResponse:
        """Do an API call; note its cost as that of `name`."""
        return self.noted(
            name, lambda: self._world.call(method, path, as_user=user, **kwargs)
        )

    def noted(self, name: str, do: Callable[[], TestResponse]) -> TestResponse:
        """Do it, and note its cost as that of `name`."""
        before = fetch_operations(self._counter)
        began_s = time.perf_counter()
        answer = do()
        took_s = time.perf_counter() - began_s
        self.took_s.setdefault(name, []).append(took_s)
        after = fetch_operations(self._counter)
        assert answer.status_code < 300, answer.text
        reads, writes, deletes = (
            after[kind] - before[kind] for kind in ("reads", "writes", "deletes")
        )
        self.counted[name] = (reads, writes, deletes)
        return answer


def every_call(bill: Bill, world: World, client: BoundedClient) -> None:
    """Do every call of the table once at least, in a deployment that is new."""
    bill.noted("task sweep, nothing lost", lambda: world.task("sweep", {}))
    for user in ("host", "ana", "bo", "cleo", "dan"):
        person = {"handle": f"bill_{user}", "display_name": user}
        bill.call("put_me", "PUT", "/v1/me", user, json=person)
    bill.call("get_me", "GET", "/v1/me", "host")
    path = _open_and_start(bill)
    client.document("users/host/following/cleo").set({})
    _look_for_room(bill, world, path)
    _join(bill, path, client)
    _edit_and_leave(bill, path)
    _requests(bill, path)
    _invites(bill, world, path, client)
    _words(bill, path)
    _finding(bill, client)
    _finding_as_x_does(bill, path)
    _schedule(bill, world, client)
    _people(bill, path)
    _media_and_tasks(bill, world, path, client)
    recorded_calls(bill, world)
    _listening(bill, world, path)
    bill.call("end_space", "POST", f"{path}/end", "host")
    over = {"space_id": path.rsplit("/", 1)[1]}
    bill.noted("task live-edge-sweep", lambda: world.task("live-edge-sweep", over))
    bill.call("delete_me", "DELETE", "/v1/me", "dan")
    _erasing(bill, world)
    _operators(bill, world)


def _open_and_start(bill: Bill) -> str:
    def create(name: str, **headers: str) -> str:
        body = {"speaker_policy": "following"}
        made = bill.call(name, "POST", "/v1/spaces", "host", json=body, headers=headers)
        return str(made.get_json()["id"])

    create("create_space")
    key = {"Idempotency-Key": "bill-1"}
    path = f"/v1/spaces/{create('create_space, with a key', **key)}"
    create("create_space, the key again", **key)
    bill.call("get_space", "GET", path, "host")
    bill.call("start_space", "POST", f"{path}/start", "host")
    bill.call("start_space, again", "POST", f"{path}/start", "host")
    return path


def _look_for_room(bill: Bill, world: World, path: str) -> None:
    """Look as joins do, beside a call that costs nothing."""

    def look() -> TestResponse:
        world.listening.service.has_room(SpaceId(path.rsplit("/", 1)[1]))
        return world.call("GET", "/v1/me/capabilities", as_user="host")

    bill.noted("whether a worker has room", look)


def _listening(bill: Bill, world: World, path: str) -> None:
    name, token_path = "create_listen_token", f"{path}/listen-token"
    query = f"?t={bill.call(name, 'POST', token_path, 'bo').get_json()['token']}"
    rest = {"get_listen_playlist": "/listen.m3u8", "get_hls_key": "/keys/1/1"}
    for name, end in rest.items():
        bill.noted(name, partial(world.call, "GET", path + end + query))


def _join(bill: Bill, path: str, client: BoundedClient) -> None:
    speak, hide = {"role": "speaker"}, {"anonymous": True}
    join = f"{path}/join"
    bill.call("join_space, to listen", "POST", join, "ana")
    bill.call("join_space, again", "POST", join, "ana")
    bill.call("join_space, anonymous", "POST", join, "bo", json=hide)
    bill.call("join_space, followed by the host", "POST", join, "cleo", json=speak)
    space = client.document(path.removeprefix("/v1/"))
    space.update({"speaker_policy": "everyone"})
    bill.call("join_space, to speak", "POST", join, "dan", json=speak)
    bill.call("join_space, the host", "POST", join, "host")
    bill.call("get_membership", "GET", f"{path}/me", "ana")


def _edit_and_leave(bill: Bill, path: str) -> None:
    def edit(name: str, user: str, **change: object) -> None:
        target = f"{path}/participants/{user}"
        bill.call(f"edit_participant, {name}", "PATCH", target, "host", json=change)

    edit("mute", "dan", muted=True)
    edit("promote", "ana", role="speaker")
    bill.call("leave_space, a speaker", "POST", f"{path}/leave", "ana")
    bill.call("join_space, to listen", "POST", f"{path}/join", "ana")
    bill.call("leave_space, a listener", "POST", f"{path}/leave", "ana")


def _requests(bill: Bill, path: str) -> None:
    ask, ana = f"{path}/speak-requests", f"{path}/speak-requests/ana"
    bill.call("join_space, to listen", "POST", f"{path}/join", "ana")
    bill.call("ask_to_speak", "POST", ask, "ana")
    bill.call("list_speak_requests, of one", "GET", ask, "host")
    bill.call("decline_speak_request", "POST", f"{ana}/decline", "host")
    bill.call("ask_to_speak", "POST", ask, "ana")
    bill.call("withdraw_speak_request", "DELETE", ana, "ana")
    bill.call("ask_to_speak", "POST", ask, "ana")
    bill.call("accept_speak_request", "POST", f"{ana}/accept", "host")
    for other in ("cleo", "dan"):
        bill.call("leave_space, a speaker", "POST", f"{path}/leave", other)
    bill.call(
        "edit_participant, mute",
        "PATCH",
        f"{path}/participants/ana",
        "ana",
        json={"muted": False},
    )
    bill.call("mute_all, of one", "POST", f"{path}/mute-all", "host")


def _invites(bill: Bill, world: World, path: str, client: BoundedClient) -> None:
    def send() -> None:
        body = {"user_ids": ["bo"]}
        invites = f"{path}/invites"
        bill.call("send_invites, to one", "POST", invites, "host", json=body)

    bo = f"{path}/invites/bo"
    send()
    bill.call("list_invites, of one", "GET", f"{path}/invites", "host")
    bill.call("get_inbox, of one", "GET", "/v1/me/inbox", "bo")
    bill.call("revoke_invite", "DELETE", bo, "host")
    send()
    bill.call("decline_invite", "POST", f"{bo}/decline", "bo")
    send()
    phone = client.document("users/bo/devices/phone")
    phone.set({"uid": "bo", "token": "t", "platform": "web"})
    world.clock.advance(1)
    _, task = task_call(list(world.effects.tasks.values())[-1])
    bill.noted("task tell-page, an invite", lambda: world.task("tell-page", task))
    phone.delete()
    bill.call("join_space, to listen", "POST", f"{path}/join", "bo")
    bill.call("accept_invite", "POST", f"{bo}/accept", "bo")


def _people(bill: Bill, path: str) -> None:
    follow, block = "/v1/me/following/ana", "/v1/me/blocks/ana"
    bill.call("follow", "PUT", follow, "host")
    bill.call("unfollow", "DELETE", follow, "host")
    bill.call("block, of a speaker", "PUT", block, "host")
    bill.call("unblock", "DELETE", block, "host")
    device = {"platform": "web", "token": f"bill-{path}", "app_version": "1.0"}

    def put(name: str, user: str) -> None:
        bill.call(name, "PUT", "/v1/me/devices/d1", user, json=device)

    put("put_device", "ana")
    put("put_device, again", "ana")
    put("put_device, another's token", "bo")
    bill.call("delete_device", "DELETE", "/v1/me/devices/d1", "bo")
    bill.call("get_capabilities", "GET", "/v1/me/capabilities", "bo")


def _words(bill: Bill, path: str) -> None:
    spam = {"reason": "spam"}
    bill.call("edit_space", "PATCH", path, "host", json={"title": "Coffee"})
    bill.call("report_space", "POST", f"{path}/reports", "bo", json=spam)
    made = bill.call("create_space", "POST", "/v1/spaces", "host", json={})
    other = f"/v1/spaces/{made.get_json()['id']}"
    bill.call("cancel_space", "DELETE", other, "host")


def _finding(bill: Bill, client: BoundedClient) -> None:
    def find(name: str, path: str, user: str) -> None:
        bill.call(name, "GET", path, user)

    follow, block = "users/cleo/following/host", "users/cleo/blocks/dan"
    client.document(follow).set({"since": NOW, "uid": "host"})
    client.document(block).set({"since": NOW})
    client.document("users/cleo/lists/following").set({"user_ids": ["host"]})
    find("list_spaces, of one", SPACES, "cleo")
    find("list_spaces, the feed", f"{SPACES}?feed=following", "cleo")
    find("search_spaces, of one", f"{SPACES}/search?query=coff", "host")
    find("list_my_spaces, of none", "/v1/me/spaces", "cleo")
    find("list_following, of one", "/v1/me/following", "cleo")
    find("list_blocks, of one", "/v1/me/blocks", "cleo")
    find("list_followers, of one", "/v1/me/followers", "host")
    find("search_users, of one", "/v1/users/search?query=bill_d", "cleo")


def _finding_as_x_does(bill: Bill, path: str) -> None:
    def find(name: str, rest: str) -> None:
        bill.call(name, "GET", f"/2/spaces{rest}", "ana")

    space_id, host = path.rsplit("/", 1)[1], number_of(UserId("host"))
    with_host = f"?ids={space_id}&expansions=creator_id"
    find("x_get_space", f"/{space_id}")
    find("x_get_spaces, of one, with its host", with_host)
    find("x_get_spaces_by_creators, of two", f"/by/creator_ids?user_ids={host}")
    find("x_search_spaces, of one", "/search?query=coff")


def _media_and_tasks(
    bill: Bill, world: World, path: str, client: BoundedClient
) -> None:
    space_id = SpaceId(path.rsplit("/", 1)[1])
    task = {"space_id": space_id, "epoch": 1, "n": 1}
    bill.noted("task launch", lambda: world.task("launch", task))
    bill.noted("task watchdog", lambda: world.task("watchdog", task))
    _slow_to_come(bill, world, space_id, client)
    claimed = runtime_to_doc(a_runtime()) | {"control_url": "http://127.0.0.1:9"}
    client.document(paths.runtime_worker(space_id)).set(claimed)
    client.document(paths.runtime_worker(space_id)).update({"heartbeat_at": NOW})
    bill.noted("task watchdog, the host is gone", lambda: world.task("watchdog", task))
    worker = client.document(paths.runtime_worker(space_id))
    worker.update({"capacity": 10, "listener_count": 10})
    bill.noted("task watchdog, a relay is placed", lambda: world.task("watchdog", task))
    worker.update({"listener_count": 0, "leaving": True})
    bill.noted(
        "task watchdog, the worker is leaving", lambda: world.task("watchdog", task)
    )
    grant = world.call("POST", f"{path}/join", as_user="host").get_json()["grant"]
    opened = bill.noted(
        "open_whep", lambda: world.post_sdp(f"{path}/whep", grant, AN_OFFER)
    )
    headers = {"Authorization": f"Bearer {grant}"}
    clap: dict[str, Any] = {"json": {"emoji": "👏"}, "headers": headers}
    bill.noted("react", lambda: world.call("POST", f"{path}/reactions", **clap))
    session = "/v1/" + opened.headers["Location"].split("/v1/")[1]
    bill.noted("close_session", lambda: world.call("DELETE", session, headers=headers))


def _slow_to_come(
    bill: Bill, world: World, space_id: SpaceId, client: BoundedClient
) -> None:
    task = {"space_id": space_id, "epoch": 1, "n": 1}
    room = Workload(kind=WorkloadKind.ROOM, key=space_id, epoch=1)
    slow = a_runtime(WorkerState.LAUNCHING, launched_at=NOW - timedelta(seconds=20))
    client.document(paths.runtime_worker(space_id)).set(runtime_to_doc(slow))
    world.launcher.known = [LaunchedWorkload(ref="", workload=room, launched_at=NOW)]
    bill.noted(
        "task watchdog, the worker is slow to come",
        lambda: world.task("watchdog", task),
    )
    world.launcher.known = []


def _erasing(bill: Bill, world: World) -> None:
    def export() -> TestResponse:
        answer = world.call("GET", "/v1/me/export", as_user="nobody")
        answer.get_data()  # it is read from Firestore as it is sent
        return answer

    bill.noted("export_me, of nobody", export)
    (task,) = (e for e in world.effects.tasks.values() if isinstance(e, EraseAccount))
    path, body = task_call(task)
    erase = path.removeprefix("/tasks/")
    world.task(erase, body)
    bill.noted("task erase-account, nothing left", lambda: world.task(erase, body))


def _operators(bill: Bill, world: World) -> None:
    def admin(name: str, method: str, path: str, body: Any = None) -> TestResponse:
        headers = {"Authorization": f"Bearer {ADMIN_KEY}"}
        path = f"/v1/admin{path}"
        return bill.noted(
            name, lambda: world.call(method, path, json=body, headers=headers)
        )

    eve = {"uid": "eve", "handle": "bill_eve", "display_name": "Eve"}
    admin("admin_put_users, one", "POST", "/users", {"users": [eve]})
    listed = admin("admin_list_reports, of one", "GET", "/reports").get_json()
    report = f"/reports/{listed['reports'][0]['id']}/resolve"
    admin("admin_resolve_report", "POST", report, {"note": "seen"})
    admin("admin_suspend", "PUT", "/users/eve/suspension")
    (task,) = (e for e in world.effects.tasks.values() if isinstance(e, ShutOut))
    path, about = task_call(task)
    shut_out = path.removeprefix("/tasks/")
    bill.noted("task shut-out, of one", lambda: world.task(shut_out, about))
    free = ("GET", "/v1/me/capabilities", "bo")
    bill.call("whether anybody is suspended", *free)
    admin("admin_unsuspend", "DELETE", "/users/eve/suspension")
    made = world.call("POST", "/v1/spaces", as_user="host", json={}).get_json()
    admin("admin_close_space", "POST", f"/spaces/{made['id']}/end")


def _schedule(bill: Bill, world: World, client: BoundedClient) -> None:
    def task(name: str, path: str, **body: object) -> None:
        about = {"space_id": space_id, "version": 2, **body}
        bill.noted(f"task {name}", lambda: world.task(path, about))

    start, later = (NOW + timedelta(days=days) for days in (1, 2))
    body = {"scheduled_start": start.isoformat()}
    made = bill.call("create_space, scheduled", "POST", SPACES, "host", json=body)
    space_id = made.get_json()["id"]
    path = f"{SPACES}/{space_id}"
    phone = {"uid": "ana", "token": "t", "platform": "web"}
    client.document("users/ana/devices/phone").set(phone)
    bill.call("subscribe", "PUT", f"{path}/reminder", "ana")
    bill.call("get_membership, of a scheduled Space", "GET", f"{path}/me", "ana")
    task("count-subscribers", "count-subscribers")
    body = {"scheduled_start": later.isoformat()}
    bill.call("edit_space, move", "PATCH", path, "host", json=body)
    task("announce-schedule", "announce-schedule")
    for name in ("tell-page, to one", "tell-page, again"):
        task(name, "tell-page", kind="moved", page=0)
    task("schedule-step", "schedule-step", step="remind")
    bill.call("unsubscribe", "DELETE", f"{path}/reminder", "ana")
    bill.call("cancel_space, scheduled", "DELETE", path, "host")
    made = world.call("POST", SPACES, as_user="host", json=body).get_json()
    path = f"{SPACES}/{made['id']}"
    bill.call("start_space, scheduled", "POST", f"{path}/start", "host")
    world.call("POST", f"{path}/end", as_user="host")
