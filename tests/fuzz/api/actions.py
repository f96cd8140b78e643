"""Calls of the API that people might make at any moment, sensible or not."""

from collections.abc import Callable, Sequence
from dataclasses import dataclass
from datetime import datetime, timedelta
from random import Random
from typing import Any, Final

NAMES: Final = ("host", "ana", "bo", "cy", "dee", "eve", "fay")
ROLES: Final = ("speaker", "co_host", "listener")
POLICIES: Final = ("everyone", "following", "invited")
AHEAD: Final = (timedelta(minutes=6), timedelta(hours=1), timedelta(days=2))


@dataclass(frozen=True, slots=True, kw_only=True)
class Action:
    """
    One call.

    Args:
        operation: Its id in the API's document.
        user: Who calls; None: an operator.
    """

    operation: str
    method: str
    path: str
    user: str | None
    body: Any = None

    def __str__(self) -> str:
        return f"{self.user}: {self.method} {self.path} {self.body or ''}"


@dataclass(frozen=True, slots=True, kw_only=True)
class Scene:
    """
    Who and what there is to act upon.

    Args:
        asking: Space and person of each pending request to speak.
        invited: Space and person of some who are invited to speak.
    """

    people: Sequence[str]
    spaces: Sequence[str]
    now: datetime
    asking: Sequence[tuple[str, str]] = ()
    invited: Sequence[tuple[str, str]] = ()


def an_action(dice: Random, scene: Scene) -> Action:
    """Draw a call; most are about a Space, if there is one."""
    kinds = [*ALONE]
    if scene.spaces:
        kinds += [*IN_SPACE, *IN_SPACE, *IN_SPACE]
    kind: Callable[[Random, Scene], Action] = dice.choice(kinds)
    return kind(dice, scene)


def _create(dice: Random, scene: Scene) -> Action:
    body: dict[str, Any] = {"speaker_policy": dice.choice(POLICIES)}
    if dice.random() < 0.5:
        start = scene.now + dice.choice(AHEAD)
        body["scheduled_start"] = start.isoformat()
    user = dice.choice([scene.people[0], *scene.people[:2]])
    return act("create_space", "POST", "/v1/spaces", user, body)


def _relate(dice: Random, scene: Scene) -> Action:
    user, other = _someone(dice, scene), _someone(dice, scene)
    name, what = dice.choice(
        [
            ("follow", "following"),
            ("unfollow", "following"),
            ("block", "blocks"),
            ("unblock", "blocks"),
        ]
    )
    method = "DELETE" if name.startswith("un") else "PUT"
    return act(name, method, f"/v1/me/{what}/{other}", user)


def _suspend(dice: Random, scene: Scene) -> Action:
    person = dice.choice(scene.people[-2:])
    name, method = dice.choice(
        [("admin_suspend", "PUT"), *[("admin_unsuspend", "DELETE")] * 2]
    )
    return act(name, method, f"/v1/admin/users/{person}/suspension", None)


def _inbox(dice: Random, scene: Scene) -> Action:
    return act("get_inbox", "GET", "/v1/me/inbox", _someone(dice, scene))


def _life(dice: Random, scene: Scene) -> Action:
    name, what = dice.choice(
        [
            *[("start_space", "/start")] * 6,
            ("end_space", "/end"),
            ("mute_all", "/mute-all"),
            *[("leave_space", "/leave")] * 2,
            *[("ask_to_speak", "/speak-requests")] * 4,
        ]
    )
    if name == "start_space":
        space = dice.choice(scene.spaces)
        return act(name, "POST", f"/v1/spaces/{space}{what}", scene.people[0])
    return _in_space(dice, scene, name, "POST", what)


def _edit(dice: Random, scene: Scene) -> Action:
    start = scene.now + dice.choice(AHEAD)
    changes = [{"speaker_policy": p} for p in POLICIES]
    change = dice.choice([*changes, {"scheduled_start": start.isoformat()}])
    if dice.randrange(4) == 0:
        return _in_space(dice, scene, "cancel_space", "DELETE", "")
    return _in_space(dice, scene, "edit_space", "PATCH", "", change)


def _join(dice: Random, scene: Scene) -> Action:
    body = {
        "role": dice.choice(["speaker", "listener"]),
        "anonymous": dice.randrange(5) == 0,
    }
    return _in_space(dice, scene, "join_space", "POST", "/join", body)


def _moderate(dice: Random, scene: Scene) -> Action:
    change = dice.choice(
        [
            *({"role": role} for role in ROLES),
            {"role": "speaker"},
            {"muted": True},
            {"muted": False},
            {"removed": True},
            {"removed": False},
        ]
    )
    what = f"/participants/{_someone(dice, scene)}"
    return _in_space(dice, scene, "edit_participant", "PATCH", what, change)


def _answer_request(dice: Random, scene: Scene) -> Action:
    name, method, end = dice.choice(
        [
            *[("accept_speak_request", "POST", "/accept")] * 3,
            ("decline_speak_request", "POST", "/decline"),
            ("withdraw_speak_request", "DELETE", ""),
        ]
    )
    if scene.asking and dice.random() < 0.5:
        space, person = dice.choice(scene.asking)
        user = person if method == "DELETE" else scene.people[0]
        path = f"/v1/spaces/{space}/speak-requests/{person}{end}"
        return act(name, method, path, user)
    what = f"/speak-requests/{_someone(dice, scene)}{end}"
    return _in_space(dice, scene, name, method, what)


def _invite(dice: Random, scene: Scene) -> Action:
    body = {
        "user_ids": dice.sample(scene.people, dice.randint(1, 3)),
        "role": dice.choice(ROLES),
    }
    return _in_space(dice, scene, "send_invites", "POST", "/invites", body)


def _answer_invite(dice: Random, scene: Scene) -> Action:
    space, person = dice.choice(scene.spaces), _someone(dice, scene)
    if scene.invited and dice.random() < 0.5:
        space, person = dice.choice(scene.invited)
    name, method, end = dice.choice(
        [
            *[("accept_invite", "POST", "/accept")] * 3,
            ("decline_invite", "POST", "/decline"),
            ("revoke_invite", "DELETE", ""),
        ]
    )
    user = scene.people[0] if name == "revoke_invite" else person
    return act(name, method, f"/v1/spaces/{space}/invites/{person}{end}", user)


def _remind(dice: Random, scene: Scene) -> Action:
    name, method = dice.choice([*[("subscribe", "PUT")] * 3, ("unsubscribe", "DELETE")])
    return _in_space(dice, scene, name, method, "/reminder")


def _look(dice: Random, scene: Scene) -> Action:
    name, what = dice.choice(
        [
            ("get_space", ""),
            ("get_membership", "/me"),
            ("list_participants", "/participants"),
            ("list_invites", "/invites"),
            ("list_speak_requests", "/speak-requests"),
        ]
    )
    return _in_space(dice, scene, name, "GET", what)


ALONE: Final = (_create, _relate, _suspend, _inbox)
IN_SPACE: Final = (
    _life,
    _life,
    _edit,
    _join,
    _join,
    _join,
    _moderate,
    _moderate,
    _answer_request,
    _invite,
    _answer_invite,
    _remind,
    _look,
)


def _someone(dice: Random, scene: Scene) -> str:
    return str(dice.choice(scene.people))


def _in_space(
    dice: Random, scene: Scene, name: str, method: str, what: str, body: Any = None
) -> Action:
    space = dice.choice(scene.spaces)
    # Hosts do the most: what others try is mostly refused.
    user = dice.choice([*scene.people, *[scene.people[0]] * 4])
    return act(name, method, f"/v1/spaces/{space}{what}", user, body)


def act(
    name: str, method: str, path: str, user: str | None, body: Any = None
) -> Action:
    """Return one call; `user` None is an operator."""
    return Action(operation=name, method=method, path=path, user=user, body=body)
