"""`/s/{id}`: the web client's page, with tags that tell a chat what the link is."""

import html
import re
from collections.abc import Mapping
from http import HTTPStatus
from typing import Final

import flask

from ..domain.errors import SpaceNotFound, Unavailable
from ..domain.link_preview import NOWHERE, LinkPreview, preview_of
from ..service.spaces import SpaceService
from ..service.web_shell import WebShell
from .operations import Access, Call, Operation

HTML: Final = "text/html"
# A crowd that follows one link is served by the CDN; a state is old for a minute.
CACHED: Final = "public, max-age=0, s-maxage=60"
UNCACHED: Final = "no-store"
IMAGE: Final = "/link-preview.png"  # of hosting; chats show no SVG
TITLE: Final = re.compile(r"<title>.*?</title>", re.DOTALL)
DESCRIPTION: Final = re.compile(r'<meta name="description"[^>]*>')
# For a host that serves the page without a policy of its own.
POLICY: Final = (
    "default-src 'self'; object-src 'none'; base-uri 'none'; frame-ancestors 'none'"
)


class ShareResource:
    """Handlers of one deployment, below whose public URL the pages are."""

    def __init__(self, spaces: SpaceService, shell: WebShell, public_url: str) -> None:
        self._spaces = spaces
        self._shell = shell
        self._public_url = public_url

    def show(self, call: Call) -> flask.Response:
        """Show the page; people and programs get the same."""
        url = f"{self._public_url}/s/{call.params['space_id']}"
        status, cached, preview = HTTPStatus.OK, CACHED, NOWHERE
        try:
            preview = preview_of(self._spaces.get(call.space_id))
        except SpaceNotFound:
            status = HTTPStatus.NOT_FOUND
        except Unavailable:  # the client itself says so, and tries again
            status, cached = HTTPStatus.SERVICE_UNAVAILABLE, UNCACHED
        shell = self._shell.read()
        response = flask.Response(
            with_tags(shell.html, preview, url, f"{self._public_url}{IMAGE}"),
            status=status,
            mimetype=HTML,
        )
        response.headers["Content-Security-Policy"] = POLICY
        response.headers.update(shell.headers)
        response.headers["Cache-Control"] = cached
        if status is HTTPStatus.OK:
            response.add_etag()
            response.make_conditional(call.request)
        return response


def with_tags(shell: str, preview: LinkPreview, url: str, image_url: str) -> str:
    """Return the page with title, description and the tags of link previews."""
    title, description = _escaped(preview.title), _escaped(preview.description)
    tags = {
        "og:type": "website",
        "og:site_name": "Parley",
        "og:title": title,
        "og:description": description,
        "og:url": _escaped(url),
        "og:image": _escaped(image_url),
        "og:image:width": "1200",
        "og:image:height": "630",
        "og:image:alt": "Parley: live audio rooms",
    }
    lines = [f'<meta property="{name}" content="{tags[name]}">' for name in tags]
    lines += _named({"twitter:card": "summary_large_image", "description": description})
    # By functions: a backslash in a title is no group of the pattern.
    page = TITLE.sub(lambda _: f"<title>{title}</title>", shell, count=1)
    page = DESCRIPTION.sub(lambda _: "", page, count=1)
    return page.replace("</head>", "\n".join([*lines, "</head>"]), 1)


def operations(
    spaces: SpaceService, shell: WebShell, public_url: str
) -> tuple[Operation, ...]:
    """Return the operation that shows a Space's page."""
    resource = ShareResource(spaces, shell, public_url)
    return (
        Operation(
            id="share_page",
            method="GET",
            path="/s/{space_id}",
            summary="A Space's page, with tags for link previews",
            access=Access.PUBLIC,
            handle=resource.show,
            page=HTML,
            page_statuses=(HTTPStatus.NOT_FOUND, HTTPStatus.SERVICE_UNAVAILABLE),
        ),
    )


def _named(tags: Mapping[str, str]) -> list[str]:
    return [f'<meta name="{name}" content="{tags[name]}">' for name in tags]


def _escaped(text: str) -> str:
    return html.escape(text, quote=True)
