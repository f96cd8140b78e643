"""Taking part in a Space: coming, hearing, talking, reacting, being reminded."""

import time

from ..adapters.clock import random_token, utc_now
from ..adapters.firestore.members import FirestoreMemberStore
from ..adapters.firestore.subscribers import FirestoreSubscriberStore
from ..adapters.secure_links import SecureLinks
from ..adapters.worker_control import HttpWorkerControl
from ..domain.notice import notice_in
from ..http import (
    client_app,
    listening,
    media,
    membership,
    reactions,
    reminders,
)
from ..http.hls_urls import HlsUrls
from ..http.operations import Operation
from ..service.ice_servers import ice_servers
from ..service.listening import ListeningService
from ..service.media import MediaService
from ..service.membership import MembershipService
from ..service.reactions import ReactionService
from ..service.recording_asks import RecordingAsks
from ..service.schedule import ReminderService
from .parts import Parts


def operations(parts: Parts) -> tuple[Operation, ...]:
    """Return the operations on the caller in a Space, and on the others there."""
    config = parts.config
    taking_part = MembershipService(
        members=FirestoreMemberStore(parts.client),
        subscribers=FirestoreSubscriberStore(parts.client),
        grants=parts.signer,
        asks=RecordingAsks(effects=parts.effects, now=utc_now),
        now=utc_now,
        new_token=random_token,
        notice=lambda lang: notice_in(lang, kept_days=config.recording.kept_days),
    )
    talking = MediaService(
        spaces=parts.spaces,
        grants=parts.signer,
        workers=HttpWorkerControl(),
        now=utc_now,
        relays=config.relays,
    )
    keys = config.live.keys
    hearing = ListeningService(
        spaces=parts.spaces,
        grants=parts.signer,
        workers=HttpWorkerControl(),
        now=utc_now,
        monotonic=time.monotonic,
        new_token=random_token,
        key_links=SecureLinks(keys.url, keys.secret) if keys else None,
    )
    reacting = ReactionService(
        spaces=parts.spaces,
        grants=parts.signer,
        workers=HttpWorkerControl(),
        now=utc_now,
        monotonic=time.monotonic,
        sleep=time.sleep,
    )
    waiting = ReminderService(
        spaces=parts.spaces,
        subscribers=FirestoreSubscriberStore(parts.client),
        effects=parts.effects,
        now=utc_now,
    )
    urls = HlsUrls(config.public_url, config.live.url)
    ice = ice_servers(
        config.ice.fixed, config.ice.turn, now=utc_now, new_token=random_token
    )
    may = client_app.requirement(config.capabilities)
    return (
        *reminders.operations(waiting),
        *membership.operations(
            membership.MembershipResource(
                taking_part, hearing, config.public_url, urls, ice, may
            )
        ),
        *listening.operations(taking_part, hearing, urls, parts.limiter.listen),
        *media.operations(talking, config.public_url, ice, parts.limiter.open),
        *reactions.operations(reacting, parts.limiter.react),
    )
