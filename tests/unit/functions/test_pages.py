"""Pages and files beside the API: share links, apps' associations, the docs."""

import base64
import hashlib
import re
import struct
from datetime import timedelta
from html.parser import HTMLParser
from pathlib import Path
from typing import Any

import pytest
from werkzeug.test import TestResponse

from infra.local.gateway.hosting_rules import read_rules
from spaces.domain.errors import DependencyUnavailable
from spaces.domain.link_preview import preview_of
from spaces.domain.states import SpaceState
from spaces.domain.web_app import WebApp
from spaces.http import share, well_known
from spaces.http.openapi import document, problem_codes
from tests.applications import ANDROID_APPS, APPLE_APP_IDS, PUBLIC_URL
from tests.builders import NOW, SPACE_ID, a_space
from tests.world import World, code_of

ROOT = Path(__file__).parents[3]
PATH = f"/s/{SPACE_ID}"


class Tags(HTMLParser):
    """Reads a page's title, its tags by name, and what it runs or loads."""

    def __init__(self, page: str) -> None:
        super().__init__()
        self.named: dict[str, str] = {}
        self.started: list[str] = []
        self.title = ""
        self.feed(page)

    def handle_starttag(self, tag: str, attrs: Any) -> None:
        found = dict(attrs)
        self.started.append(tag)
        name = found.get("property") or found.get("name")
        if tag == "meta" and name:
            assert name not in self.named, f"{name} stands twice"
            self.named[name] = found["content"]

    def handle_data(self, data: str) -> None:
        if self.started and self.started[-1] == "title" and not self.title:
            self.title = data


def test_a_link_says_what_it_leads_to(world: World) -> None:
    """
    Title, state, host and topics for chats, in the page that people get.
    """
    world.database.put_space(a_space(topics=("tea", "bridges")))

    answer = world.call("GET", PATH)

    tags = Tags(answer.text)
    assert answer.status_code == 200
    assert answer.content_type == "text/html; charset=utf-8"
    assert tags.title == tags.named["og:title"] == "Tea and bridges"
    text = "Live now · hosted by Host (@host) · tea, bridges"
    assert tags.named["og:description"] == tags.named["description"] == text
    assert tags.named["og:url"] == f"{PUBLIC_URL}{PATH}"
    assert tags.named["twitter:card"] == "summary_large_image"
    assert answer.headers["Content-Security-Policy"] == "default-src 'none'"
    assert "s-maxage=60" in answer.headers["Cache-Control"]


def test_a_link_has_a_picture(world: World) -> None:
    """
    A PNG that hosting has, as large as is said, which other sites may show.
    """
    world.database.put_space(a_space())

    named = Tags(world.call("GET", PATH).text).named

    path = named["og:image"].removeprefix(PUBLIC_URL)
    picture = (ROOT / "infra/hosting/public" / path.lstrip("/")).read_bytes()
    size = struct.unpack(">II", picture[16:24])  # of the first chunk, IHDR
    said = tuple(int(named[f"og:image:{side}"]) for side in ("width", "height"))
    assert picture.startswith(b"\x89PNG\r\n")
    assert size == said
    headers = read_rules(ROOT / "firebase.json").headers_for(path)
    assert headers.get("Cross-Origin-Resource-Policy") in (None, "cross-origin")


def test_a_page_is_revalidated(world: World) -> None:
    """
    The same page is 304; another state is another page.
    """
    world.database.put_space(a_space())
    etag = {"If-None-Match": world.call("GET", PATH).headers["ETag"]}

    same = world.call("GET", PATH, headers=etag)
    world.database.put_space(a_space(SpaceState.ENDED))
    other = world.call("GET", PATH, headers=etag)

    assert (same.status_code, other.status_code) == (304, 200)


@pytest.mark.parametrize(
    "title", ['"><script>alert(1)</script>', "</title><b>", r"\1 \g<0> & 'x'"]
)
def test_a_title_is_text(world: World, title: str) -> None:
    """
    Whatever a host writes is shown as they wrote it, and runs nothing.
    """
    world.database.put_space(a_space(title=title, host_display_name=title))

    tags = Tags(world.call("GET", PATH).text)

    assert tags.title == tags.named["og:title"] == title
    assert title in tags.named["og:description"]
    assert not {"script", "b"} & set(tags.started)


@pytest.mark.parametrize(
    ("fields", "text"),
    [
        ({"state": SpaceState.LIVE}, "Live now"),
        ({"state": SpaceState.ENDED}, "Ended"),
        ({"state": SpaceState.CANCELLED}, "Cancelled"),
        ({"state": SpaceState.SCHEDULED}, "Not started yet"),
        (
            {
                "state": SpaceState.SCHEDULED,
                "scheduled_start": NOW + timedelta(hours=5, minutes=30),
            },
            "Scheduled for Sat, 04 May 2030, 17:30 UTC",
        ),
    ],
)
def test_previews_by_state(fields: dict[str, Any], text: str) -> None:
    """
    Each state has its words; a Space without a title is its host's.
    """
    preview = preview_of(a_space(**fields, title=None, topics=()))

    assert preview.title == "Host's Space"
    assert preview.description == f"{text} · hosted by Host (@host)"


def test_what_is_not_there_is_still_the_client(world: World) -> None:
    """
    An unknown Space is 404 with the client's page, which says so itself.
    """
    for path in ("/s/1Nobody1Nobod", "/s/x"):
        answer = world.call("GET", path)
        assert answer.status_code == 404
        assert Tags(answer.text).named["og:title"] == "Parley"


def test_no_client_no_page(world: World) -> None:
    """
    While the client's page cannot be read, a problem says to come again.
    """
    world.database.put_space(a_space())
    world.web_shell.error = DependencyUnavailable()

    assert code_of(world.call("GET", PATH)) == "dependency-unavailable"


def test_the_clients_own_tags_are_replaced() -> None:
    """
    Title and description of the page itself do not stand beside the Space's.
    """
    shell = '<head><meta name="description" content="x">\n<title>Parley</title></head>'

    site = "https://x.example"
    page = share.with_tags(shell, preview_of(a_space()), f"{site}/s", f"{site}/i.png")

    assert Tags(page).title == "Tea and bridges"
    assert page.count("<title>") == page.count('name="description"') == 1


def test_phones_learn_whose_links_these_are(world: World) -> None:
    """
    Both associations name the operator's apps; a Space's page is what they open.
    """
    apple = world.call("GET", "/.well-known/apple-app-site-association")
    android = world.call("GET", "/.well-known/assetlinks.json")

    assert apple.content_type == android.content_type == "application/json"
    (detail,) = apple.get_json()["applinks"]["details"]
    assert detail == {"appIDs": list(APPLE_APP_IDS), "components": [{"/": "/s/*"}]}
    (statement,) = android.get_json()
    assert statement["relation"] == ["delegate_permission/common.handle_all_urls"]
    assert statement["target"] == {
        "namespace": "android_app",
        "package_name": "example.parley",
        "sha256_cert_fingerprints": list(ANDROID_APPS["example.parley"]),
    }


def test_without_apps_there_is_no_association(world: World) -> None:
    """
    A deployment without apps answers 404, and says what to configure.
    """
    for operation in well_known.operations((), {}, None)[:2]:
        with pytest.raises(operation.errors[0], match="PARLEY_"):
            operation.handle(None)  # type: ignore[arg-type]  # it takes no look at it


def test_the_web_client_learns_how_people_sign_in(world: World) -> None:
    """
    By Firebase where there is an app of it, and else as the embedded stack has it.
    """
    path = "/.well-known/parley-web.json"
    without = world.call("GET", path).get_json()
    configured = World()
    configured.web_app = WebApp(
        api_key="k", app_id="1:2", project_id="p", sender_id="2"
    )

    assert without == {"firebase": None}
    assert configured.call("GET", path).get_json()["firebase"] == {
        "api_key": "k",
        "app_id": "1:2",
        "project_id": "p",
        "sender_id": "2",
        "recaptcha_site_key": None,
        "vapid_key": None,
    }


@pytest.fixture(scope="module")
def documented() -> World:
    """Return a deployment of which no more is asked than what it says of itself."""
    return World()


@pytest.fixture(scope="module")
def docs(documented: World) -> TestResponse:
    """Return the docs' page as people get it."""
    return documented.call("GET", "/docs")


def test_the_docs_are_one_strict_page(docs: TestResponse) -> None:
    """
    The page loads nothing and runs nothing; its one style is named by its digest.
    """
    (style,) = re.findall(r"<style>(.*?)</style>", docs.text, re.DOTALL)
    digest = base64.b64encode(hashlib.sha256(style.encode()).digest()).decode()
    policy = docs.headers["Content-Security-Policy"]
    assert policy.startswith(f"default-src 'none'; style-src 'sha256-{digest}'; ")
    started = Tags(docs.text).started
    assert not {"script", "link", "img", "iframe"} & set(started)
    assert not re.search(r"\s(style|on\w+)=", docs.text)


def test_the_docs_begin_with_what_somebody_new_needs(
    documented: World, docs: TestResponse
) -> None:
    """
    By headings: one's profile first, then Spaces and their media, the operator last.
    """
    described = document(documented.operations, PUBLIC_URL)

    tags = [tag["name"] for tag in described["tags"]]
    calls = list(described["paths"])
    assert (tags[0], tags[1], tags[-1]) == ("Profile", "Spaces", "Admin")
    assert (calls[0], calls.index("/v1/spaces") < calls.index("/2/spaces")) == (
        "/v1/me",
        True,
    )
    assert calls[-1].startswith("/v1/admin/")
    headings = re.findall(r'<h2 id="calls-[^"]+">([^<]+)</h2>', docs.text)
    assert headings == tags


def test_the_docs_have_every_call_model_and_problem(
    documented: World, docs: TestResponse
) -> None:
    """
    All that the OpenAPI document has is on the page, and every link on it leads there.
    """
    text = docs.text
    described = document(documented.operations, PUBLIC_URL)

    ids = set(re.findall(r'id="([^"]+)"', text))
    for operation in documented.operations:
        assert operation.id in ids
        for codes in problem_codes(operation).values():
            assert {f"problem-{code}" for code in codes} <= ids
    assert {f"model-{name}" for name in described["components"]["schemas"]} <= ids
    assert set(re.findall(r'href="#([^"]+)"', text)) <= ids
