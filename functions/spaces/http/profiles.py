"""`/v1/me`: the caller's own account."""

import flask

from ..domain.errors import ErasureRunning, HandleTaken, ProfileNotFound, StaleRevision
from ..domain.profile import ProfileEdit
from ..service.profiles import ProfileService
from .operations import Access, Call, Operation
from .replies import json_reply
from .schemas import ProfileBody, ProfileView


class ProfileResource:
    """Handlers of the caller's own account."""

    def __init__(self, profiles: ProfileService) -> None:
        self._profiles = profiles

    def get(self, call: Call) -> flask.Response:
        """Show it."""
        found = self._profiles.get(call.actor_id)
        return json_reply(ProfileView.of(found), revision=found.revision)

    def put(self, call: Call) -> flask.Response:
        """Make or change it."""
        body = call.read(ProfileBody)
        edit = ProfileEdit(
            handle=body.handle,
            display_name=body.display_name,
            protected=body.protected,
        )
        saved = self._profiles.save(
            edit, user_id=call.actor_id, revision=call.if_match()
        )
        return json_reply(ProfileView.of(saved), revision=saved.revision)


def operations(profiles: ProfileService) -> tuple[Operation, ...]:
    """Return the operations on profiles."""
    resource = ProfileResource(profiles)
    return (
        Operation(
            id="get_me",
            method="GET",
            path="/v1/me",
            summary="The caller's profile",
            access=Access.ID_TOKEN,
            handle=resource.get,
            answer=ProfileView,
            errors=(ProfileNotFound,),
        ),
        Operation(
            id="put_me",
            method="PUT",
            path="/v1/me",
            summary="Make or change the caller's profile",
            access=Access.ID_TOKEN,
            handle=resource.put,
            body=ProfileBody,
            answer=ProfileView,
            if_match=True,
            errors=(HandleTaken, StaleRevision, ErasureRunning),
        ),
    )
