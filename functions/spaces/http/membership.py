"""`/v1/spaces/{id}`: joining, leaving, and who is there."""

from datetime import UTC, datetime
from typing import Final

import flask

from spaces_contract.hls import KEY_PERIOD_S
from spaces_contract.roles import PeerKind, Role

from ..domain.capability import Capability
from ..domain.errors import (
    BlockedByHost,
    CannotUnmuteAnother,
    CoHostsFull,
    HostOnly,
    HostStays,
    ModeratorOnly,
    NotLive,
    ParticipantNotFound,
    ProfileRequired,
    RemovedFromSpace,
    SpaceNotFound,
    StageFull,
    StaleRevision,
    TargetNotOnStage,
)
from ..domain.moderation import MemberEdit
from ..domain.participant import JoinWish, Participant
from ..domain.recording_errors import RecordingNoticeRequired
from ..service.ice_servers import IceServers
from ..service.listening import ListeningService
from ..service.membership import Joined, MembershipService
from ..service.ports import Cursor
from . import page_tokens
from .client_app import Requirement
from .errors import InvalidPageToken
from .hls_urls import HlsUrls
from .languages import lang_of
from .operations import Access, Call, Operation
from .replies import empty_reply, json_reply, page
from .schemas import (
    IceServerView,
    JoinBody,
    JoinedView,
    MembershipView,
    NoticeView,
    PageQuery,
    ParticipantBody,
    ParticipantsView,
    ParticipantView,
    SpaceView,
)

JOIN_ERRORS: Final = (
    SpaceNotFound,
    NotLive,
    ProfileRequired,
    BlockedByHost,
    RemovedFromSpace,
    RecordingNoticeRequired,
)
EDIT_ERRORS: Final = (
    SpaceNotFound,
    ParticipantNotFound,
    NotLive,
    HostOnly,
    ModeratorOnly,
    HostStays,
    CannotUnmuteAnother,
    RemovedFromSpace,
    StageFull,
    CoHostsFull,
    TargetNotOnStage,
    StaleRevision,
)


class MembershipResource:
    """Handlers of one deployment, whose URLs and ICE servers are in its answers."""

    def __init__(
        self,
        membership: MembershipService,
        listening: ListeningService,
        public_url: str,
        urls: HlsUrls,
        ice_servers: IceServers,
        require: Requirement,
    ) -> None:
        self._membership = membership
        self._listening = listening
        self._require = require
        self._urls = urls
        self._public_url = public_url
        self._ice_servers = ice_servers

    def join(self, call: Call) -> flask.Response:
        """Take part."""
        body = call.read(JoinBody)
        wish = JoinWish(
            wants_stage=body.role == Role.SPEAKER.value,
            anonymous=body.anonymous,
            shown_notice=body.recording_notice,
            lang=lang_of(call.request),
        )
        if wish.wants_stage:
            self._require(call, Capability.SPEAK)
        joined = self._membership.join(call.space_id, wish, actor_id=call.actor_id)
        return json_reply(self._joined_view(joined))

    def leave(self, call: Call) -> flask.Response:
        """Step down and go."""
        self._membership.leave(call.space_id, actor_id=call.actor_id)
        return empty_reply()

    def me(self, call: Call) -> flask.Response:
        """Show what the caller is here; whoever has no document just listens."""
        found = self._membership.get(call.space_id, actor_id=call.actor_id)
        space, member = found.space, found.member
        return json_reply(
            MembershipView(
                role=member.role if member else Role.LISTENER,
                muted=member is not None and member.muted,
                removed=member is not None and member.removed,
                on_stage=member is not None and member.on_stage,
                leads=space.is_led_by(call.actor_id),
                subscribed=found.subscribed,
                speak_request=member.speak_request if member else None,
                epoch=space.epoch,
                state=space.state,
            )
        )

    def participants(self, call: Call) -> flask.Response:
        """Show a page of those who have not left."""
        query = call.query(PageQuery)
        after = page_tokens.decode(query.page_token, of=page_tokens.PARTICIPANTS)
        found = self._membership.present(
            call.space_id,
            actor_id=call.actor_id,
            limit=query.page_size + 1,
            after=after,
        )
        members, token = page(
            found, query.page_size, _cursor, of=page_tokens.PARTICIPANTS
        )
        views = [ParticipantView.of(member) for member in members]
        return json_reply(ParticipantsView(participants=views, next_page_token=token))

    def edit(self, call: Call) -> flask.Response:
        """Change one participant."""
        body = call.read(ParticipantBody)
        member = self._membership.edit(
            call.space_id,
            call.user_id,
            MemberEdit(role=body.role, muted=body.muted, removed=body.removed),
            actor_id=call.actor_id,
            revision=call.if_match(),
        )
        return json_reply(ParticipantView.of(member), revision=member.revision)

    def _joined_view(self, joined: Joined) -> JoinedView:
        space, grant = joined.space, joined.grant
        media_url = f"{self._public_url}/v1/spaces/{space.id}"
        may_talk = PeerKind.WHIP in grant.kinds
        hears_alone = not joined.role.on_stage
        # On stage one is never turned away: there are few seats.
        room = not hears_alone or self._listening.has_room(space.id)
        return JoinedView(
            space=SpaceView.of(space, self._public_url),
            uid=joined.user_id,
            role=joined.role,
            muted=joined.muted,
            epoch=grant.epoch,
            grant=joined.grant_token,
            grant_expires_at=datetime.fromtimestamp(grant.expires_at_s, UTC),
            whip_url=f"{media_url}/whip" if may_talk else None,
            whep_url=f"{media_url}/whep" if room else None,
            ice_servers=[
                IceServerView(
                    urls=list(server.urls),
                    username=server.username,
                    credential=server.credential,
                )
                for server in self._ice_servers()
            ],
            room_url=self._urls.room(space.id, space.epoch),
            hls_url=self._hls_url(joined) if hears_alone else None,
            key_period_s=KEY_PERIOD_S,
            recording_notice=NoticeView.of(joined.notice) if joined.notice else None,
            blocked_on_stage=joined.blocked_on_stage,
        )

    def _hls_url(self, joined: Joined) -> str:
        given = self._listening.pass_for(
            joined.space.id, joined.user_id, anonymous=joined.grant.anonymous
        )
        return self._urls.listen(joined.space.id, given.token)


def operations(resource: MembershipResource) -> tuple[Operation, ...]:
    """Return the operations on people in Spaces."""
    return (*_coming_and_going(resource), *_people(resource))


def _coming_and_going(resource: MembershipResource) -> tuple[Operation, ...]:
    return (
        Operation(
            id="join_space",
            needs=Capability.LISTEN,
            method="POST",
            path="/v1/spaces/{space_id}/join",
            summary="Take part: a role, a grant, and where media goes",
            access=Access.ID_TOKEN,
            handle=resource.join,
            body=JoinBody,
            body_required=False,
            answer=JoinedView,
            errors=JOIN_ERRORS,
        ),
        Operation(
            id="leave_space",
            method="POST",
            path="/v1/spaces/{space_id}/leave",
            summary="Step down from the stage and leave; again is harmless",
            access=Access.ID_TOKEN,
            handle=resource.leave,
            status=204,
            errors=(SpaceNotFound,),
        ),
        Operation(
            id="get_membership",
            method="GET",
            path="/v1/spaces/{space_id}/me",
            summary="What the caller is in this Space",
            access=Access.ID_TOKEN,
            handle=resource.me,
            answer=MembershipView,
            errors=(SpaceNotFound,),
        ),
    )


def _people(resource: MembershipResource) -> tuple[Operation, ...]:
    return (
        Operation(
            id="list_participants",
            method="GET",
            path="/v1/spaces/{space_id}/participants",
            summary="Those who have not left, in the order in which they came",
            access=Access.ID_TOKEN,
            handle=resource.participants,
            query=PageQuery,
            answer=ParticipantsView,
            errors=(SpaceNotFound, InvalidPageToken),
        ),
        Operation(
            id="edit_participant",
            method="PATCH",
            path="/v1/spaces/{space_id}/participants/{user_id}",
            summary="Change a role, mute, remove or let back",
            access=Access.ID_TOKEN,
            handle=resource.edit,
            body=ParticipantBody,
            answer=ParticipantView,
            if_match=True,
            errors=EDIT_ERRORS,
        ),
    )


def _cursor(member: Participant) -> Cursor:
    return Cursor(member.joined_at, member.user_id)
