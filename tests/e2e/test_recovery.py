"""What breaks comes back, and nobody has to reload."""

import asyncio

from playwright.async_api import expect

from spaces_contract.ids import SpaceId
from spaces_contract.runtime import HEARTBEAT_STALE_S
from tests import browser, speech
from tests.browser import PageFor
from tests.running_stack import RunningStack
from tests.similarity import rms

SPEECH = speech.DATA / "austen_cold_hearted.wav"
BACK_S = 10.0  # after the watchdog has acted
WATCHDOG_S = 5.0
AUDIBLE_RMS = 200.0


async def test_audio_is_back_after_the_worker_is_killed(
    stack: RunningStack, page_for: PageFor
) -> None:
    """
    After `kill -9` of the worker the pages say that they reconnect, and then the
    listener hears the host again, without a reload.
    """
    host = await page_for("xara", SPEECH)
    path = await browser.start_space(host, "Unbreakable")
    listener = await page_for("yuri")
    await browser.listen(listener, path)
    await host.get_by_test_id("mic").click()
    await listener.evaluate("document.body.dataset.loaded = 'once'")
    space_id = SpaceId(path.removeprefix("/s/"))

    [worker] = stack.workers(space_id)
    worker.kill()

    room = listener.get_by_test_id("room")
    await expect(room).to_have_attribute(
        "data-connection", "reconnecting", timeout=8_000
    )
    back_ms = (HEARTBEAT_STALE_S + WATCHDOG_S + BACK_S) * 1000
    await expect(room).to_have_attribute("data-connection", "live", timeout=back_ms)
    host_room = host.get_by_test_id("room")
    await expect(host_room).to_have_attribute(
        "data-connection", "live", timeout=back_ms
    )
    await asyncio.sleep(1.0)
    assert rms(await browser.record(listener, 5.0)) > AUDIBLE_RMS
    assert await listener.evaluate("document.body.dataset.loaded") == "once"
