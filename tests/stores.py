"""Where a deployment keeps everything, as the ports of its services."""

from dataclasses import dataclass

from spaces.service.announcing_ports import DeviceStore, FanOutStore, SubscriberStore
from spaces.service.discovery_ports import PeopleFinder, SpaceFinder
from spaces.service.erasure_ports import AccountStore
from spaces.service.operators_ports import ReportDesk, SuspensionStore
from spaces.service.people_ports import RegistrationStore, RelationStore
from spaces.service.ports import LaunchStore, MemberStore, ProfileStore, SpaceStore
from spaces.service.recording_ports import RecordingStore
from spaces.service.relay_ports import RelayStore
from spaces.service.stage_ports import InviteStore, ReportStore, StageStore


@dataclass(frozen=True, slots=True, kw_only=True)
class Stores:
    """Where a deployment keeps everything."""

    spaces: SpaceStore
    members: MemberStore
    profiles: ProfileStore
    launches: LaunchStore
    relays: RelayStore
    stage: StageStore
    invites: InviteStore
    reports: ReportStore
    relations: RelationStore
    registrations: RegistrationStore
    subscribers: SubscriberStore
    devices: DeviceStore
    fan_outs: FanOutStore
    accounts: AccountStore
    suspensions: SuspensionStore
    desk: ReportDesk
    space_finder: SpaceFinder
    people_finder: PeopleFinder
    recordings: RecordingStore
