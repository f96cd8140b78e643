"""
What each call of the API reads and writes in Firestore: every document by name.

This is the table that a test counts against, and the only place where a call may
become dearer.  Deletes are billed apart and stand apart.
"""

from collections.abc import Mapping
from dataclasses import dataclass
from types import MappingProxyType
from typing import Final

SPACE: Final = "spaces/{space}: what it is, and whether it is live"
WORKER: Final = "spaces/{space}/runtime/worker: where its worker is"
RELAYS: Final = "spaces/{space}/runtime/relays: which relays were asked for"
RELAY: Final = "spaces/{space}/runtime/relay-{index}: by what its origin knows it"
WORKLOAD: Final = "spaces/{space}/runtime/workload: what to stop later"
MEMBER: Final = "spaces/{space}/participants/{uid}: role, muted, removed"
PROFILE: Final = "users/{uid}: handle and name to show, protected"
ERASURE: Final = "erasures/{uid}: an earlier account is being erased"
HANDLE: Final = "handles/{handle}: whose it is"
BLOCK: Final = "users/{host}/blocks/{uid}: the host has blocked them"
FOLLOW: Final = "users/{host}/following/{uid}: the host follows them"
BLOCKED_ON_STAGE: Final = "users/{uid}/blocks: whom they blocked and meet on stage"
ONCE: Final = "idempotency/{key}: what the key made before"
INVITE: Final = "spaces/{space}/invites/{uid}: the role offered, pending or answered"
INVITER: Final = "users/{inviter}: whose name the invite shows"
BLOCKED_BY: Final = "users/{uid}/blocks/{inviter}: they blocked whoever invites"
ASKING: Final = "spaces/{space}/participants: those who ask to speak, each one read"
SPEAKERS: Final = "spaces/{space}/participants/{speaker}: each one read"
REPORT: Final = "reports/{id}: a complaint"
SUSPENDED: Final = "operator/suspended: everybody whom the operator has shut out"
OPEN_HOSTED: Final = "spaces: those which they host live or have scheduled"
LIVE: Final = "spaces: live ones, each one read"
LIVE_HOSTED: Final = "spaces: how many older ones their host has live, counted"
PRESENT_IN: Final = "spaces/*/participants: where they are present"
SLOTS: Final = "users/{host}/hosting/scheduled: ten at once and no more"
SUBSCRIBER: Final = "spaces/{space}/subscribers/{uid}: who wants to be told"
COUNTED: Final = "spaces/{space}/subscribers: one read for each 1,000 counted"
FAN_OUT: Final = "fan_outs/{announcement}: how far it is, and who is at it"
DEVICE: Final = "users/{uid}/devices/{device}: where to push, each one read"
OTHER: Final = "users/{other}: whether there is such a person"
BLOCKS: Final = ("users/{uid}/blocks/{other}", "users/{other}/blocks/{uid}")
FOLLOWS: Final = ("users/{uid}/following/{other}", "users/{other}/following/{uid}")
FOLLOWED: Final = "users/{uid}/lists/following: all whom they follow, as one"
FOLLOWED_BY: Final = "users/{other}/lists/following: all whom the other follows"
LISTED: Final = "spaces: those of the page and one more, each one read; of none: one"
LOOKED_AT: Final = "spaces: live ones, or each 30 followed people asked for: the lesser"
APART: Final = ("users/{uid}/blocks/{host}", "users/{host}/blocks/{uid}")  # each host
RELATION: Final = "users/{uid}/following or blocks: each one read"
NAMED: Final = "users/{other}: the name to show, each one read"
FOLLOWERS: Final = "following: one read for each 1,000 counted"
HANDLES: Final = "handles: those that begin so, each one read"
HOSTED: Final = "spaces: those which the blocker hosts, open, each one read"
REGISTERED: Final = "users/{uid}/devices/{device}: where pushes go"
ALL_DEVICES: Final = "users/{uid}/devices: those they have, each one read; none: one"
TOKEN: Final = "push_tokens/{digest}: whose device has it"  # noqa: S105 - no secret
OUTBOX: Final = "outbox/{effect}: until the task queue has it"


BELOW: Final = tuple(f"users/{{uid}}/{of}" for of in ("following", "blocks", "devices"))
MENTIONED: Final = (
    "spaces: those which they host",
    "spaces/*/participants: those of them",
    "spaces/*/invites: those to them",
    "spaces/*/subscribers: those of them",
    "spaces/*/consents: those of them",
    "reports: those by them",
)
FOLLOWING_THEM: Final = "users/*/following: those of them"
INVITED_BY: Final = "spaces/*/invites: those by them"


@dataclass(frozen=True, slots=True)
class Cost:
    """Documents of one call where nobody else interferes."""

    reads: tuple[str, ...] = ()
    writes: tuple[str, ...] = ()
    deletes: tuple[str, ...] = ()


JOIN_FACTS: Final = (SPACE, PROFILE, MEMBER, BLOCKED_ON_STAGE, BLOCK)
SEAT: Final = (MEMBER, SPACE)
INVITEE: Final = (PROFILE, MEMBER, INVITE, BLOCK, BLOCKED_BY)
ANSWER: Final = (SPACE, MEMBER, INVITE)

COSTS: Final[Mapping[str, Cost]] = MappingProxyType(
    {
        "put_me": Cost((PROFILE, ERASURE, HANDLE), (PROFILE, HANDLE)),
        "delete_me": Cost(
            (ERASURE, PROFILE), (ERASURE, OUTBOX), (PROFILE, HANDLE, OUTBOX)
        ),
        # A query that finds nothing is billed as one read, and so is each document.
        "export_me, of nobody": Cost((PROFILE, *BELOW, *MENTIONED)),
        "task erase-account, nothing left": Cost(
            (*BELOW, *MENTIONED, FOLLOWING_THEM, INVITED_BY),
            (),
            (ERASURE, FOLLOWED, SLOTS),
        ),
        "get_me": Cost((PROFILE,)),
        "create_space": Cost((PROFILE,), (SPACE, MEMBER)),
        "create_space, with a key": Cost((PROFILE,), (SPACE, MEMBER, ONCE)),
        "create_space, the key again": Cost((PROFILE, ONCE, SPACE)),
        "get_space": Cost((SPACE,)),
        "start_space": Cost((PROFILE, SPACE), (SPACE, WORKER, OUTBOX), (OUTBOX,)),
        "start_space, again": Cost((PROFILE, SPACE)),
        "start_space, scheduled": Cost(
            (PROFILE, SPACE, LIVE_HOSTED), (SPACE, WORKER, OUTBOX), (OUTBOX,)
        ),
        "join_space, to listen": Cost(JOIN_FACTS, (MEMBER,)),
        "join_space, again": Cost(JOIN_FACTS),
        "join_space, anonymous": Cost(JOIN_FACTS),
        # A seat is taken in the Space's own document, or two could take the last one.
        "join_space, to speak": Cost(JOIN_FACTS, SEAT),
        "join_space, followed by the host": Cost((*JOIN_FACTS, FOLLOW), SEAT),
        "join_space, the host": Cost((SPACE, PROFILE, MEMBER, BLOCKED_ON_STAGE)),
        # Of everybody's joins one in 5 s, for each Space and instance.
        "whether a worker has room": Cost((WORKER,)),
        # Again every ten minutes; nobody writes that somebody listens.
        "create_listen_token": Cost(JOIN_FACTS),
        "get_listen_playlist": Cost((SPACE, WORKER)),
        "get_hls_key": Cost((WORKER,)),
        "get_membership": Cost((SPACE, MEMBER)),
        # Whether one is to be told of its start, which of others nobody is.
        "get_membership, of a scheduled Space": Cost((SPACE, MEMBER, SUBSCRIBER)),
        "edit_participant, mute": Cost((SPACE, MEMBER), (MEMBER,)),
        "edit_participant, promote": Cost((SPACE, MEMBER), SEAT),
        "follow": Cost((OTHER, FOLLOWED, *BLOCKS), (*FOLLOWS[:1], FOLLOWED)),
        "unfollow": Cost((), (FOLLOWED,), FOLLOWS[:1]),
        # Of one in a live Space of the blocker, who has another that is to come.
        "block, of a speaker": Cost(
            (OTHER, *(HOSTED, *ANSWER), *(HOSTED, *ANSWER)),
            (*BLOCKS[:1], FOLLOWED, FOLLOWED_BY, *SEAT),
            FOLLOWS,
        ),
        "unblock": Cost((), (), BLOCKS[:1]),
        "list_spaces, of one": Cost((LISTED,)),
        # Of one live Space, whose host is followed, and none that is scheduled.
        "list_spaces, the feed": Cost((FOLLOWED, LOOKED_AT, *APART, LISTED, LISTED)),
        "search_spaces, of one": Cost((LISTED, LISTED)),
        "list_my_spaces, of none": Cost((LISTED,)),
        "list_following, of one": Cost((RELATION, NAMED)),
        "list_blocks, of one": Cost((RELATION, NAMED)),
        "list_followers, of one": Cost((RELATION, NAMED, FOLLOWERS)),
        "search_users, of one": Cost((HANDLES, NAMED, *APART)),
        "x_get_space": Cost((SPACE,)),
        "x_get_spaces, of one, with its host": Cost((SPACE, NAMED)),
        "x_get_spaces_by_creators, of two": Cost((LISTED, LISTED)),
        "x_search_spaces, of one": Cost((LISTED, LISTED)),
        "put_device": Cost((REGISTERED, TOKEN, ALL_DEVICES), (REGISTERED, TOKEN)),
        "put_device, again": Cost((REGISTERED, TOKEN)),
        "put_device, another's token": Cost(
            (REGISTERED, TOKEN, ALL_DEVICES), (REGISTERED, TOKEN), (REGISTERED,)
        ),
        "delete_device": Cost((REGISTERED, TOKEN), (), (REGISTERED, TOKEN)),
        "get_capabilities": Cost(),
        # Everybody's calls share this: one read in 30 s for each instance.
        "whether anybody is suspended": Cost((SUSPENDED,)),
        "admin_put_users, one": Cost((PROFILE, ERASURE, HANDLE), (PROFILE, HANDLE)),
        "admin_list_reports, of one": Cost((REPORT,)),
        "admin_resolve_report": Cost((REPORT,), (REPORT,)),
        "admin_suspend": Cost((SUSPENDED,), (SUSPENDED, OUTBOX), (OUTBOX,)),
        # With one Space live, and none of theirs.  Each live one more costs as much as
        # this one, whose last three rows it is; it is gone through twice.
        "task shut-out, of one": Cost(
            (SUSPENDED, OPEN_HOSTED, PROFILE, PRESENT_IN, LIVE, SPACE, MEMBER),
            (MEMBER,),
        ),
        "admin_unsuspend": Cost((), (SUSPENDED,)),
        "admin_close_space": Cost((SPACE,), (SPACE,)),
        "edit_space": Cost((SPACE,), (SPACE,)),
        "cancel_space": Cost((SPACE,), (SPACE,)),
        "report_space": Cost((SPACE,), (REPORT,)),
        "ask_to_speak": Cost((SPACE, MEMBER), (MEMBER,)),
        "list_speak_requests, of one": Cost((SPACE, MEMBER, ASKING)),
        "accept_speak_request": Cost((SPACE, MEMBER), SEAT),
        "decline_speak_request": Cost((SPACE, MEMBER), (MEMBER,)),
        "withdraw_speak_request": Cost((SPACE, MEMBER), (MEMBER,)),
        "mute_all, of one": Cost((SPACE, SPEAKERS), (SPEAKERS,)),
        "send_invites, to one": Cost((SPACE, INVITER, *INVITEE), (INVITE, SPACE)),
        "list_invites, of one": Cost((SPACE, INVITE)),
        "get_inbox, of one": Cost((INVITE, SPACE)),
        "accept_invite": Cost(ANSWER, (INVITE, *SEAT)),
        "decline_invite": Cost(ANSWER, (INVITE, SPACE)),
        "revoke_invite": Cost(ANSWER, (INVITE, SPACE)),
        "open_whep": Cost((SPACE, WORKER)),
        "close_session": Cost((SPACE, WORKER)),
        # Of a batch, which one in a crowd sends for all.
        "react": Cost((SPACE, WORKER)),
        "leave_space, a listener": Cost((SPACE, MEMBER), (MEMBER,)),
        "leave_space, a speaker": Cost((SPACE, MEMBER), SEAT),
        "end_space": Cost((SPACE,), (SPACE,)),
        "create_space, scheduled": Cost((PROFILE, SLOTS), (SPACE, MEMBER, SLOTS)),
        # Read again behind the write: see ReminderService.
        "subscribe": Cost((SPACE, SPACE), (SUBSCRIBER,)),
        "unsubscribe": Cost(deletes=(SUBSCRIBER,)),
        "edit_space, move": Cost((SPACE,), (SPACE, OUTBOX), (OUTBOX,)),
        "cancel_space, scheduled": Cost((SPACE,), (SPACE, OUTBOX), (OUTBOX,)),
        "task count-subscribers": Cost((COUNTED, SPACE), (SPACE,)),
        "task announce-schedule": Cost((SPACE,)),
        "task schedule-step": Cost((SPACE,)),
        "task tell-page, to one": Cost(
            (SPACE, FAN_OUT, SUBSCRIBER, DEVICE, FAN_OUT), (FAN_OUT, FAN_OUT)
        ),
        "task tell-page, again": Cost((SPACE, FAN_OUT)),
        "task tell-page, an invite": Cost(
            (SPACE, FAN_OUT, INVITE, DEVICE, FAN_OUT), (FAN_OUT, FAN_OUT)
        ),
        "task launch": Cost((SPACE, WORKER, LIVE_HOSTED, WORKLOAD), (WORKLOAD,)),
        "task watchdog": Cost((SPACE, WORKER)),
        # From 15 s after the launch until the claim: was it launched, is it there?
        "task watchdog, the worker is slow to come": Cost((SPACE, WORKER, WORKLOAD)),
        "task live-edge-sweep": Cost((SPACE,)),
        # Once for each relay; while it is on its way a look reads RELAYS and no more.
        "task watchdog, a relay is placed": Cost(
            (SPACE, WORKER, RELAYS, RELAYS), (RELAYS, RELAY, RELAYS)
        ),
        "task watchdog, the worker is leaving": Cost(
            (SPACE, WORKER, SPACE, WORKER), (WORKER, OUTBOX), (OUTBOX,)
        ),
        # Once for each step of the host's absence, not for each look at it.
        "task watchdog, the host is gone": Cost(
            (SPACE, WORKER, SPACE, WORKER), (SPACE,)
        ),
    }
)
