"""`/.well-known/`: which apps open links to Spaces, and what the web client is."""

from collections.abc import Mapping
from dataclasses import asdict
from typing import Final, Literal

import flask
from pydantic import BaseModel, ConfigDict, RootModel

from ..domain.web_app import WebApp
from .errors import NotConfigured
from .operations import Access, Call, Operation
from .replies import json_reply
from .schemas import Answer

CACHED: Final = "public, max-age=3600"
SPACE_LINKS: Final = "/s/*"
HANDLES_URLS: Final = "delegate_permission/common.handle_all_urls"


class AppleDetail(Answer):
    """Apps, and what they open."""

    appIDs: list[str]
    components: list[dict[Literal["/"], str]]


class AppleLinks(Answer):
    """Universal links."""

    details: list[AppleDetail]


class AppleAssociation(Answer):
    """What iOS asks a site for."""

    applinks: AppleLinks


class AndroidTarget(Answer):
    """An Android app, and who signed it."""

    namespace: str = "android_app"
    package_name: str
    sha256_cert_fingerprints: list[str]


class AndroidStatement(Answer):
    """That an app opens the links of this site."""

    relation: list[str]
    target: AndroidTarget


class AndroidStatements(RootModel[list[AndroidStatement]]):
    """What Android asks a site for."""

    model_config = ConfigDict(frozen=True, defer_build=True)


class FirebaseView(Answer):
    """The Firebase app that the web client is; nothing of it is secret."""

    api_key: str
    app_id: str
    project_id: str
    sender_id: str
    recaptcha_site_key: str | None
    vapid_key: str | None


class WebClientView(Answer):
    """What the web client needs to know before anybody is signed in."""

    firebase: FirebaseView | None


class WellKnownResource:
    """Handlers of one deployment with its operator's apps."""

    def __init__(
        self,
        apple_app_ids: tuple[str, ...],
        android_apps: Mapping[str, tuple[str, ...]],
        web_app: WebApp | None,
    ) -> None:
        self._apple_app_ids = apple_app_ids
        self._android_apps = android_apps
        self._web_app = web_app

    def apple(self, _: Call) -> flask.Response:
        """Show Apple what our apps open."""
        if not self._apple_app_ids:
            raise NotConfigured("iOS app", "PARLEY_APPLE_APP_IDS")
        detail = AppleDetail(
            appIDs=list(self._apple_app_ids), components=[{"/": SPACE_LINKS}]
        )
        return _cached(AppleAssociation(applinks=AppleLinks(details=[detail])))

    def android(self, _: Call) -> flask.Response:
        """Show Android what our apps open."""
        if not self._android_apps:
            raise NotConfigured("Android app", "PARLEY_ANDROID_APPS")
        statements = [
            AndroidStatement(
                relation=[HANDLES_URLS],
                target=AndroidTarget(
                    package_name=package, sha256_cert_fingerprints=list(fingerprints)
                ),
            )
            for package, fingerprints in self._android_apps.items()
        ]
        return _cached(AndroidStatements(statements))

    def web(self, _: Call) -> flask.Response:
        """Tell the web client how people sign in."""
        app = self._web_app
        found = FirebaseView(**asdict(app)) if app is not None else None
        return _cached(WebClientView(firebase=found))


def operations(
    apple_app_ids: tuple[str, ...],
    android_apps: Mapping[str, tuple[str, ...]],
    web_app: WebApp | None,
) -> tuple[Operation, ...]:
    """Return the operations that phones and the web client ask a site for."""
    resource = WellKnownResource(apple_app_ids, android_apps, web_app)
    return (
        Operation(
            id="apple_app_site_association",
            method="GET",
            path="/.well-known/apple-app-site-association",
            summary="The operator's iOS apps, which open links to Spaces",
            access=Access.PUBLIC,
            handle=resource.apple,
            answer=AppleAssociation,
            errors=(NotConfigured,),
        ),
        Operation(
            id="assetlinks",
            method="GET",
            path="/.well-known/assetlinks.json",
            summary="The operator's Android apps, which open links to Spaces",
            access=Access.PUBLIC,
            handle=resource.android,
            answer=AndroidStatements,
            errors=(NotConfigured,),
        ),
        Operation(
            id="web_client",
            method="GET",
            path="/.well-known/parley-web.json",
            summary="The Firebase app by which the web client signs in, if it does",
            access=Access.PUBLIC,
            handle=resource.web,
            answer=WebClientView,
        ),
    )


def _cached(answer: BaseModel) -> flask.Response:
    response = json_reply(answer)
    response.headers["Cache-Control"] = CACHED
    return response
