"""Spaces, and taking part in them: what most calls are."""

import time

from ..adapters.clock import random_space_id, random_token, utc_now
from ..adapters.firestore.members import FirestoreMemberStore
from ..adapters.firestore.people_finder import FirestorePeopleFinder
from ..adapters.firestore.profiles import FirestoreProfileStore
from ..adapters.firestore.reports import FirestoreReportStore
from ..adapters.firestore.space_finder import FirestoreSpaceFinder
from ..adapters.firestore.subscribers import FirestoreSubscriberStore
from ..adapters.secure_links import SecureLinks
from ..adapters.worker_control import HttpWorkerControl
from ..domain.notice import notice_in
from ..http import (
    client_app,
    discovery,
    editing,
    listening,
    media,
    membership,
    reactions,
    reminders,
    spaces,
)
from ..http.hls_urls import HlsUrls
from ..http.operations import Operation
from ..service.discovery import DiscoveryService
from ..service.editing import EditingService, ReportService
from ..service.ice_servers import ice_servers
from ..service.listening import ListeningService
from ..service.media import MediaService
from ..service.membership import MembershipService
from ..service.reactions import ReactionService
from ..service.recording_asks import RecordingAsks
from ..service.schedule import ReminderService
from ..service.spaces import SpaceService
from .parts import Parts


def operations(parts: Parts) -> tuple[Operation, ...]:
    """Return the operations on Spaces, and on the caller in them."""
    return (*_of_spaces(parts), *_taking_part(parts))


def _of_spaces(parts: Parts) -> tuple[Operation, ...]:
    url = parts.config.public_url
    hosting = SpaceService(
        spaces=parts.spaces,
        profiles=FirestoreProfileStore(parts.client),
        effects=parts.effects,
        now=utc_now,
        new_space_id=random_space_id,
    )
    changing = EditingService(spaces=parts.spaces, effects=parts.effects, now=utc_now)
    reporting = ReportService(
        reports=FirestoreReportStore(parts.client), now=utc_now, new_token=random_token
    )
    finding = DiscoveryService(
        spaces=FirestoreSpaceFinder(parts.client),
        people=FirestorePeopleFinder(parts.client),
        now=utc_now,
    )
    return (
        *discovery.operations(finding, url),
        *spaces.operations(hosting, url),
        *editing.operations(changing, reporting, url),
    )


def _taking_part(parts: Parts) -> tuple[Operation, ...]:
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
        *media.operations(talking, config.public_url, ice),
        *reactions.operations(reacting, parts.limiter.react),
    )
