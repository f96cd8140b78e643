"""Hearing by HLS where WebRTC does not get through, and by WebRTC where it does."""

import asyncio
import json
import re
from pathlib import Path

import pytest
from playwright.async_api import Page, Request, Route, expect

from tests import browser, speech
from tests.api import Api, ApiError
from tests.browser import PageFor
from tests.hls_library import built_hls_js
from tests.programs import missing
from tests.running_stack import RunningStack

SPEECH = speech.DATA / "austen_cold_hearted.wav"
NO_PLAYER = "HTMLMediaElement.prototype.canPlayType = () => '';"
TASK_S = 60.0
POLL_S = 0.2
LIBRARY = "**/vendor/hls.min.mjs"


@pytest.fixture(scope="session")
def library(tmp_path_factory: pytest.TempPathFactory) -> Path:
    """hls.js, as the build brings it in; npm checks its digest."""
    library = built_hls_js(tmp_path_factory.mktemp("hosting"))
    if library is None:
        missing("needs npm: apt-get install npm")
    return library


async def talking_host(page_for: PageFor, title: str) -> tuple[Page, str]:
    """Return a host who talks, and the path of their Space."""
    host = await page_for("hana", SPEECH)
    path = await browser.start_space(host, title)
    await host.get_by_test_id("mic").click()
    return host, path


async def turn_listeners_away(page: Page) -> None:
    """Let joins answer as those of a full worker do; the stage is let in always."""

    async def answer(route: Route) -> None:
        response = await route.fetch()
        joined = await response.json()
        if response.ok and joined["whip_url"] is None:
            joined["whep_url"] = None
        await route.fulfill(response=response, body=json.dumps(joined))

    await page.route("**/join", answer)


async def test_without_udp_one_hears_by_hls(page_for: PageFor) -> None:
    """
    The page says that it plays late, goes on trying, and is back on WebRTC as soon as
    that gets through, without anybody doing anything.
    """
    _, path = await talking_host(page_for, "Behind a firewall")
    listener = await page_for("ivo", on_feed=False)
    await listener.add_init_script(browser.BLOCK_UDP)

    await browser.listen(listener, path)
    await browser.expect_transport(listener, "hls")
    await expect(listener.get_by_test_id("delayed")).to_be_visible()
    await browser.expect_audible(listener)

    await listener.evaluate("window.udpBlocked = false")
    await listener.evaluate("window.dispatchEvent(new Event('online'))")
    await browser.expect_transport(listener, "webrtc")
    await expect(listener.get_by_test_id("delayed")).to_be_hidden()
    await browser.expect_audible(listener)


@pytest.mark.parametrize("player", ["native", "hls.js"])
async def test_the_cookie_renews_what_a_player_began_with(
    page_for: PageFor, library: Path, player: str
) -> None:
    """
    A playlist whose token is no good plays, for each key comes with the cookie too.
    """
    _, path = await talking_host(page_for, f"Renewed in {player}")
    listener = await page_for("ivo", on_feed=False)
    await listener.add_init_script(browser.BLOCK_UDP)
    await listener.route(LIBRARY, lambda route: route.fulfill(path=library))
    if player != "native":
        await listener.add_init_script(NO_PLAYER)
    keys: list[str] = []

    def note(request: Request) -> None:
        if "/keys/" in request.url:
            keys.append(request.url)

    listener.on("request", note)

    async def spoil(route: Route) -> None:
        response = await route.fetch()
        text = re.sub(r'VALUE="t=.*"', 'VALUE="t=expired"', await response.text())
        await route.fulfill(response=response, body=text)

    await listener.route("**/listen.m3u8?*", spoil)
    space_id = path.removeprefix("/s/")
    await listener.evaluate(
        "async (id) => (await import('/api.js')).listenToken(id, {anonymous: false})",
        space_id,
    )

    await browser.listen(listener, path)
    await browser.expect_transport(listener, "hls")

    await browser.expect_audible(listener)
    assert keys
    assert all(url.endswith("?t=expired") for url in keys)


async def test_a_full_worker_leaves_hls_and_promotion_webrtc(
    stack: RunningStack, page_for: PageFor
) -> None:
    """
    Whoever finds no room hears by HLS at once; brought on stage they talk at once.
    """
    async with Api(stack.url, "lou") as host:
        space_id = await host.open_space("Full house")
        listener = await page_for("mio", on_feed=False)
        await turn_listeners_away(listener)
        await browser.listen(listener, f"/s/{space_id}")
        await browser.expect_transport(listener, "hls")

        uid = await listener.evaluate(
            "async () => (await import('/session.js')).account().uid"
        )
        path = f"/v1/spaces/{space_id}/participants/{uid}"
        await host.call("PATCH", path, {"role": "speaker"})
        await listener.get_by_test_id("promotion-accept").click()

        await browser.expect_transport(listener, "webrtc")
        await expect(listener.get_by_test_id("room")).to_have_attribute(
            "data-role", "speaker"
        )


async def test_a_browser_that_can_play_neither_says_so(page_for: PageFor) -> None:
    """
    Without UDP, a player of its own or the library, the page says that no sound gets
    through, as it always did.
    """
    _, path = await talking_host(page_for, "No way")
    listener = await page_for("ivo", on_feed=False)
    await listener.add_init_script(browser.BLOCK_UDP + NO_PLAYER)
    await listener.route(LIBRARY, lambda route: route.fulfill(status=404))
    await listener.goto(path)
    await listener.get_by_test_id("join-listen").click()

    notice = listener.get_by_test_id("media-blocked")
    await expect(notice).to_contain_text("No sound gets through")


async def test_a_removed_listener_gets_no_key_and_the_end_leaves_nothing(
    stack: RunningStack,
) -> None:
    """
    The next key is refused; after the end playlist and segments are swept away.
    """
    async with Api(stack.url, "nea") as host, Api(stack.url, "oda") as guest:
        space_id = await host.open_space("Left behind")
        space = f"/v1/spaces/{space_id}"
        await guest.join(space_id)
        token = (await guest.call("POST", f"{space}/listen-token"))["token"]
        own = f"{space}/listen.m3u8?t={token}"
        await _until(guest, own, refused=False)  # the worker may be on its way still
        playlist = await guest.text(f"/live/{space_id}/audio.m3u8")
        key = re.findall(r'URI="{\$k}/(\d+/\d+)\?', playlist)[-1]
        segments = re.findall(r"^[^#].*\.ts$", playlist, re.MULTILINE)
        await guest.text(f"{space}/keys/{key}?t={token}")

        person = f"{space}/participants/{guest.uid}"
        await host.call("PATCH", person, {"removed": True})
        refusal = await _until(guest, f"{space}/keys/{key}?t={token}", refused=True)
        assert refusal == "removed"

        await host.call("POST", f"{space}/end")
        await _run_task(host, f"live-edge-sweep-{space_id}")
        left = [f"/live/{space_id}/{name}" for name in ("audio.m3u8", *segments)]
        assert segments
        codes = {await _until(guest, path, refused=True) for path in left}
        assert codes == {"not-found"}


async def _refusal(api: Api, path: str) -> str | None:
    """Return why a GET is refused; None where it is not."""
    try:
        await api.text(path)
    except ApiError as error:
        return error.code
    return None


async def _until(api: Api, path: str, *, refused: bool) -> str | None:
    """Wait until a GET is refused, or is no more; return why it is."""
    async with asyncio.timeout(TASK_S):
        while True:
            code = await _refusal(api, path)
            if (code is not None) is refused:
                return code
            await asyncio.sleep(POLL_S)


async def _run_task(api: Api, prefix: str) -> None:
    """Wait for a task of this name to be there, and run it."""
    async with asyncio.timeout(TASK_S):
        while True:
            tasks = (await api.call("GET", "/local/tasks"))["tasks"]
            names = [str(each["name"]) for each in tasks]
            found = [name for name in names if f"/{prefix}" in name]
            if found:
                break
            await asyncio.sleep(POLL_S)
    await api.call("POST", "/local/tasks/run", {"name": found[0]})
