"""`/v1/me/following`, `/blocks`, `/devices` and `/capabilities`."""

import re
import zoneinfo
from collections.abc import Callable
from typing import Annotated, Final

import flask
from pydantic import AfterValidator, Field

from spaces_contract.ids import USER_ID_PATTERN, UserId

from ..domain.capability import Capability, CapabilityTable, can
from ..domain.errors import (
    CannotFollow,
    DeviceNotFound,
    ListFull,
    NotYourself,
    SpaceError,
    UserNotFound,
)
from ..domain.push import Platform
from ..domain.registration import DeviceKey, Registration
from ..service.people import DeviceService, RelationService
from ..service.ports import Clock
from .client_app import client_app
from .errors import InvalidHeader
from .operations import Access, Call, Operation
from .replies import empty_reply, json_reply
from .schemas import Answer, Instant, Request
from .text_fields import described

DEVICE_ID_PATTERN: Final = re.compile(r"[A-Za-z0-9_-]{1,64}")


def _zone(name: str) -> str:
    if name not in zoneinfo.available_timezones():
        raise ValueError("must be the IANA name of a time zone")
    return name


class DeviceBody(Request):
    """The device that the app runs on; without a token it gets no pushes."""

    platform: Platform
    token: str = Field(default="", max_length=4096)
    app_version: str = Field(pattern=r"^\d{1,6}(\.\d{1,6}){0,3}$")
    locale: str = Field(
        default="en", pattern=r"^[A-Za-z]{2,3}([-_][A-Za-z0-9]{2,8}){0,3}$"
    )
    time_zone: Annotated[
        str, AfterValidator(_zone), described(format="iana-time-zone")
    ] = "UTC"


class DeviceView(Answer):
    """A registered device; its token is not told again."""

    device_id: str
    platform: Platform
    app_version: str
    locale: str
    time_zone: str
    updated_at: Instant


class CapabilitiesView(Answer):
    """What the calling app can do here."""

    host: bool
    speak: bool
    listen: bool
    record: bool


class PeopleResource:
    """Handlers of what people say of others, and of their devices."""

    def __init__(
        self,
        relations: RelationService,
        devices: DeviceService,
        capabilities: CapabilityTable,
        now: Clock,
    ) -> None:
        self._relations = relations
        self._devices = devices
        self._capabilities = capabilities
        self._now = now

    def follow(self, call: Call) -> flask.Response:
        """Follow somebody."""
        self._relations.follow(_other(call), actor_id=call.actor_id)
        return empty_reply()

    def unfollow(self, call: Call) -> flask.Response:
        """Follow them no more."""
        self._relations.unfollow(_other(call), actor_id=call.actor_id)
        return empty_reply()

    def block(self, call: Call) -> flask.Response:
        """Block somebody."""
        self._relations.block(_other(call), actor_id=call.actor_id)
        return empty_reply()

    def unblock(self, call: Call) -> flask.Response:
        """Block them no more."""
        self._relations.unblock(_other(call), actor_id=call.actor_id)
        return empty_reply()

    def put_device(self, call: Call) -> flask.Response:
        """Register a device."""
        body = call.read(DeviceBody)
        key = _device_key(call)
        stored = self._devices.put(
            Registration(
                key=key,
                token=body.token,
                platform=body.platform,
                app_version=body.app_version,
                locale=body.locale,
                time_zone=body.time_zone,
                updated_at=self._now(),
            )
        )
        return json_reply(
            DeviceView(
                device_id=key.device_id,
                platform=stored.platform,
                app_version=stored.app_version,
                locale=stored.locale,
                time_zone=stored.time_zone,
                updated_at=stored.updated_at,
            )
        )

    def delete_device(self, call: Call) -> flask.Response:
        """Forget a device."""
        self._devices.delete(_device_key(call))
        return empty_reply()

    def capabilities(self, call: Call) -> flask.Response:
        """Show what the calling app can do."""
        platform, version = client_app(call.request)
        able = {
            each.value: can(
                self._capabilities, each, platform=platform, version=version
            )
            for each in Capability
        }
        return json_reply(CapabilitiesView(**able))


def operations(
    relations: RelationService,
    devices: DeviceService,
    capabilities: CapabilityTable,
    now: Clock,
) -> tuple[Operation, ...]:
    """Return the operations on people and devices."""
    resource = PeopleResource(relations, devices, capabilities, now)
    follow, block = "/v1/me/following/{user_id}", "/v1/me/blocks/{user_id}"
    return (
        _relation(
            "follow",
            "PUT",
            follow,
            resource.follow,
            NotYourself,
            CannotFollow,
            ListFull,
        ),
        _relation("unfollow", "DELETE", follow, resource.unfollow),
        _relation("block", "PUT", block, resource.block, NotYourself),
        _relation("unblock", "DELETE", block, resource.unblock),
        *_devices(resource),
        Operation(
            id="get_capabilities",
            method="GET",
            path="/v1/me/capabilities",
            summary="What this app can do, by Parley-Platform and Parley-App-Version",
            access=Access.ID_TOKEN,
            handle=resource.capabilities,
            answer=CapabilitiesView,
            errors=(InvalidHeader,),
        ),
    )


def _devices(resource: PeopleResource) -> tuple[Operation, ...]:
    path = "/v1/me/devices/{device_id}"
    return (
        Operation(
            id="put_device",
            method="PUT",
            path=path,
            summary="Register a device; its push token is its alone from now on",
            access=Access.ID_TOKEN,
            handle=resource.put_device,
            body=DeviceBody,
            answer=DeviceView,
            errors=(DeviceNotFound,),
        ),
        Operation(
            id="delete_device",
            method="DELETE",
            path=path,
            summary="Forget a device, as at signing out; again is harmless",
            access=Access.ID_TOKEN,
            handle=resource.delete_device,
            status=204,
            errors=(DeviceNotFound,),
        ),
    )


SUMMARIES: Final = {
    "follow": "Follow somebody; again is harmless",
    "unfollow": "Follow them no more; again is harmless",
    "block": "Block somebody, and remove them from your live Spaces",
    "unblock": "Block them no more; again is harmless",
}


def _relation(
    name: str,
    method: str,
    path: str,
    handle: Callable[[Call], flask.Response],
    *errors: type[SpaceError],
) -> Operation:
    return Operation(
        id=name,
        method=method,
        path=path,
        summary=SUMMARIES[name],
        access=Access.ID_TOKEN,
        handle=handle,
        status=204,
        errors=(UserNotFound, *errors),
    )


def _other(call: Call) -> UserId:
    if not USER_ID_PATTERN.fullmatch(call.params["user_id"]):
        raise UserNotFound
    return UserId(call.params["user_id"])


def _device_key(call: Call) -> DeviceKey:
    if not DEVICE_ID_PATTERN.fullmatch(call.params["device_id"]):
        raise DeviceNotFound
    return DeviceKey(call.actor_id, call.params["device_id"])
