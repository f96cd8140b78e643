"""What people notice when a part of Parley is killed: as little as can be."""

import asyncio
import contextlib
import time
from functools import partial

import psutil
from playwright.async_api import expect

from spaces_contract.roles import PeerKind
from tests import browser, speech
from tests.api import Api, ApiError
from tests.browser import PageFor
from tests.hearing import expect_heard
from tests.light_clients import LightPeer, LightSpeaker, opus_frames
from tests.running_stack import RunningStack, command_line
from tests.worker_process import until

SPEECH = speech.DATA / "austen_cold_hearted.wav"
# The watchdog needs 15 s of silence and comes every 5 s; the rest is a busy machine.
RECOVERY_S = 120.0
HEARD_S = 7.0
RESTART_S = 60.0


async def test_audio_comes_back_after_a_worker_was_killed(
    stack: RunningStack, page_for: PageFor
) -> None:
    """
    Host and listeners hear each other again without a reload when the worker died,
    whether by WebRTC or by HLS.
    """
    host = await page_for("hana", SPEECH)
    path = await browser.start_space(host, "Killed in the act")
    listener = await page_for("ivo", on_feed=False)
    await browser.without_hls(listener)
    await browser.listen(listener, path)
    behind = await page_for("jan", on_feed=False)
    await behind.add_init_script(browser.BLOCK_UDP)
    await browser.listen(behind, path)
    await browser.expect_transport(behind, "hls")
    await host.get_by_test_id("mic").click()
    for page in (host, listener, behind):
        await page.evaluate("window.name = 'not reloaded'")
    (worker,) = stack.workers(path.removeprefix("/s/"))

    worker.kill()
    room = listener.get_by_test_id("room")
    await expect(room).to_have_attribute(
        "data-connection", "reconnecting", timeout=1000 * RECOVERY_S
    )
    for page in (host, listener):
        await expect(page.get_by_test_id("room")).to_have_attribute(
            "data-connection", "live", timeout=1000 * RECOVERY_S
        )
    # The host may have noticed later, and looked live still.
    tile = listener.locator("[data-testid=stage-member][data-handle=hana]")
    await expect(tile).to_have_attribute(
        "data-talking", "true", timeout=1000 * RECOVERY_S
    )
    record = partial(browser.record, listener, HEARD_S)
    await expect_heard(record, speech.load(SPEECH))
    await browser.expect_transport(behind, "hls")
    await browser.expect_audible(behind)

    for page in (host, listener, behind):
        assert await page.evaluate("window.name") == "not reloaded"


async def test_the_space_goes_on_without_firestore_and_tasks(
    stack: RunningStack,
) -> None:
    """
    With both servers killed audio goes on; restarted, they know all that was
    acknowledged, and a mute reaches the worker again.
    """
    async with contextlib.AsyncExitStack() as opened:
        host = await opened.enter_async_context(Api(stack.url, "jo"))
        guest = await opened.enter_async_context(Api(stack.url, "kim"))
        space_id = await host.open_space("Before the crash")
        joined = await host.join(space_id)
        speaker = LightSpeaker(host, opus_frames(speech.load(SPEECH)))
        opened.push_async_callback(speaker.aclose)
        await speaker.connect(joined["whip_url"], joined["grant"])
        speaker.start_talking()
        ears = LightPeer(guest, PeerKind.WHEP)
        opened.push_async_callback(ears.aclose)
        joined = await guest.join(space_id)
        await ears.connect(joined["whep_url"], joined["grant"])

        _kill(stack, "firestore", "tasks")
        wanted = ears.arrivals.packets + 100
        await until(lambda: ears.arrivals.packets >= wanted)

        space = await _answered(host, f"/v1/spaces/{space_id}")
        assert (space["state"], space["title"]) == ("live", "Before the crash")
        assert (await guest.call("GET", f"/v1/spaces/{space_id}/me"))["role"]
        assert len(stack.workers(space_id)) == 1

        path = f"/v1/spaces/{space_id}/participants/{host.uid}"
        await host.call("PATCH", path, {"muted": True})
        await _until_muted(host, joined["room_url"])


def _kill(stack: RunningStack, *subcommands: str) -> None:
    victims = [
        child
        for child in stack.children()
        if any(word in command_line(child) for word in subcommands)
    ]
    assert len(victims) == len(subcommands)
    for victim in victims:
        victim.kill()
    psutil.wait_procs(victims, timeout=40)


async def _answered(api: Api, path: str) -> dict[str, object]:
    """Ask until the servers are back; what fails meanwhile must say 503."""
    deadline_s = time.monotonic() + RESTART_S
    while True:
        try:
            answer: dict[str, object] = await api.call("GET", path)
        except ApiError as error:
            if error.status != 503 or time.monotonic() > deadline_s:
                raise
            await asyncio.sleep(0.2)
        else:
            return answer


async def _until_muted(api: Api, room_url: str) -> None:
    path = room_url.removeprefix(api.base_url)
    async with asyncio.timeout(RESTART_S):
        while True:
            room = await api.call("GET", path)
            if room["stage"] and room["stage"][0]["muted"]:
                return
            await asyncio.sleep(0.2)
