"""Calls of the API that people might make at any moment, sensible or not."""

from collections.abc import Callable, Sequence
from dataclasses import dataclass
from datetime import datetime, timedelta
from typing import Any, Final

from hypothesis import strategies as st

NAMES: Final = ("host", "ana", "bo", "cy", "dee", "eve", "fay")
ROLES: Final = ("speaker", "co_host", "listener")
POLICIES: Final = ("everyone", "following", "invited")
AHEAD: Final = (timedelta(minutes=6), timedelta(hours=1), timedelta(days=2))

Draw = Callable[[st.SearchStrategy[Any]], Any]


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


def an_action(draw: Draw, scene: Scene) -> Action:
    """Draw a call; most are about a Space, if there is one."""
    kinds = [*ALONE]
    if scene.spaces:
        kinds += [*IN_SPACE, *IN_SPACE, *IN_SPACE]
    kind: Callable[[Draw, Scene], Action] = draw(st.sampled_from(kinds))
    return kind(draw, scene)


def _create(draw: Draw, scene: Scene) -> Action:
    body: dict[str, Any] = {"speaker_policy": draw(st.sampled_from(POLICIES))}
    if draw(st.booleans()):
        start = scene.now + draw(st.sampled_from(AHEAD))
        body["scheduled_start"] = start.isoformat()
    user = draw(st.sampled_from([scene.people[0], *scene.people[:2]]))
    return _act("create_space", "POST", "/v1/spaces", user, body)


def _relate(draw: Draw, scene: Scene) -> Action:
    user, other = _someone(draw, scene), _someone(draw, scene)
    name, what = draw(
        st.sampled_from(
            [
                ("follow", "following"),
                ("unfollow", "following"),
                ("block", "blocks"),
                ("unblock", "blocks"),
            ]
        )
    )
    method = "DELETE" if name.startswith("un") else "PUT"
    return _act(name, method, f"/v1/me/{what}/{other}", user)


def _suspend(draw: Draw, scene: Scene) -> Action:
    person = draw(st.sampled_from(scene.people[-2:]))
    name, method = draw(
        st.sampled_from(
            [("admin_suspend", "PUT"), *[("admin_unsuspend", "DELETE")] * 2]
        )
    )
    return _act(name, method, f"/v1/admin/users/{person}/suspension", None)


def _inbox(draw: Draw, scene: Scene) -> Action:
    return _act("get_inbox", "GET", "/v1/me/inbox", _someone(draw, scene))


def _life(draw: Draw, scene: Scene) -> Action:
    name, what = draw(
        st.sampled_from(
            [
                *[("start_space", "/start")] * 6,
                ("end_space", "/end"),
                ("mute_all", "/mute-all"),
                *[("leave_space", "/leave")] * 2,
                *[("ask_to_speak", "/speak-requests")] * 4,
            ]
        )
    )
    if name == "start_space":
        space = draw(st.sampled_from(scene.spaces))
        return _act(name, "POST", f"/v1/spaces/{space}{what}", scene.people[0])
    return _in_space(draw, scene, name, "POST", what)


def _edit(draw: Draw, scene: Scene) -> Action:
    start = scene.now + draw(st.sampled_from(AHEAD))
    changes = [{"speaker_policy": p} for p in POLICIES]
    change = draw(st.sampled_from([*changes, {"scheduled_start": start.isoformat()}]))
    if draw(st.integers(0, 3)) == 0:
        return _in_space(draw, scene, "cancel_space", "DELETE", "")
    return _in_space(draw, scene, "edit_space", "PATCH", "", change)


def _join(draw: Draw, scene: Scene) -> Action:
    body = {
        "role": draw(st.sampled_from(["speaker", "listener"])),
        "anonymous": draw(st.integers(0, 4)) == 0,
    }
    return _in_space(draw, scene, "join_space", "POST", "/join", body)


def _moderate(draw: Draw, scene: Scene) -> Action:
    change = draw(
        st.sampled_from(
            [
                *({"role": role} for role in ROLES),
                {"role": "speaker"},
                {"muted": True},
                {"muted": False},
                {"removed": True},
                {"removed": False},
            ]
        )
    )
    what = f"/participants/{_someone(draw, scene)}"
    return _in_space(draw, scene, "edit_participant", "PATCH", what, change)


def _answer_request(draw: Draw, scene: Scene) -> Action:
    name, method, end = draw(
        st.sampled_from(
            [
                *[("accept_speak_request", "POST", "/accept")] * 3,
                ("decline_speak_request", "POST", "/decline"),
                ("withdraw_speak_request", "DELETE", ""),
            ]
        )
    )
    if scene.asking and draw(st.booleans()):
        space, person = draw(st.sampled_from(scene.asking))
        user = person if method == "DELETE" else scene.people[0]
        path = f"/v1/spaces/{space}/speak-requests/{person}{end}"
        return _act(name, method, path, user)
    what = f"/speak-requests/{_someone(draw, scene)}{end}"
    return _in_space(draw, scene, name, method, what)


def _invite(draw: Draw, scene: Scene) -> Action:
    people = st.lists(st.sampled_from(scene.people), min_size=1, max_size=3)
    body = {
        "user_ids": draw(people),
        "role": draw(st.sampled_from(ROLES)),
    }
    return _in_space(draw, scene, "send_invites", "POST", "/invites", body)


def _answer_invite(draw: Draw, scene: Scene) -> Action:
    space, person = draw(st.sampled_from(scene.spaces)), _someone(draw, scene)
    if scene.invited and draw(st.booleans()):
        space, person = draw(st.sampled_from(scene.invited))
    name, method, end = draw(
        st.sampled_from(
            [
                *[("accept_invite", "POST", "/accept")] * 3,
                ("decline_invite", "POST", "/decline"),
                ("revoke_invite", "DELETE", ""),
            ]
        )
    )
    user = scene.people[0] if name == "revoke_invite" else person
    return _act(name, method, f"/v1/spaces/{space}/invites/{person}{end}", user)


def _remind(draw: Draw, scene: Scene) -> Action:
    name, method = draw(
        st.sampled_from([*[("subscribe", "PUT")] * 3, ("unsubscribe", "DELETE")])
    )
    return _in_space(draw, scene, name, method, "/reminder")


def _look(draw: Draw, scene: Scene) -> Action:
    name, what = draw(
        st.sampled_from(
            [
                ("get_space", ""),
                ("get_membership", "/me"),
                ("list_participants", "/participants"),
                ("list_invites", "/invites"),
                ("list_speak_requests", "/speak-requests"),
            ]
        )
    )
    return _in_space(draw, scene, name, "GET", what)


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


def _someone(draw: Draw, scene: Scene) -> str:
    return str(draw(st.sampled_from(scene.people)))


def _in_space(
    draw: Draw, scene: Scene, name: str, method: str, what: str, body: Any = None
) -> Action:
    space = draw(st.sampled_from(scene.spaces))
    # Hosts do the most: what others try is mostly refused.
    user = draw(st.sampled_from([*scene.people, *[scene.people[0]] * 4]))
    return _act(name, method, f"/v1/spaces/{space}{what}", user, body)


def _act(
    name: str, method: str, path: str, user: str | None, body: Any = None
) -> Action:
    return Action(operation=name, method=method, path=path, user=user, body=body)
