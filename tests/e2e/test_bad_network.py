"""A phone on a bad network: what people see, and that they stay in charge."""

import asyncio

from playwright.async_api import Page, Route, expect

from tests import browser, speech
from tests.api import Api
from tests.browser import PageFor
from tests.light_clients import LightSpeaker, opus_frames
from tests.running_stack import RunningStack

SPEECH = speech.DATA / "austen_cold_hearted.wav"
# A network without UDP, in less time: no session ever gets as far as a connection.
BLOCK_MEDIA = """
const { prototype } = RTCPeerConnection;
const { setRemoteDescription } = prototype;
prototype.setRemoteDescription = () => Promise.reject(new Error("blocked"));
window.unblock = () => { prototype.setRemoteDescription = setRemoteDescription; };
"""


class LossySpeaker(LightSpeaker):
    """Loses every fourth packet on its way."""

    sent = 0

    def send_rtp(self, packet: bytes) -> None:
        """Send it, or lose it."""
        self.sent += 1
        if self.sent % 4:
            super().send_rtp(packet)


async def test_a_network_without_sound_is_told(
    stack: RunningStack, page_for: PageFor
) -> None:
    """
    Where the page comes through and neither WebRTC nor HLS does, it says so and goes on
    trying: once media flows the notice is gone.
    """
    async with Api(stack.url, "ines") as host:
        space_id = await host.open_space("Behind a firewall")
        page = await page_for("juri", on_feed=False)
        await page.add_init_script(BLOCK_MEDIA)
        await browser.without_hls(page)
        await page.goto(f"/s/{space_id}")
        await page.get_by_test_id("join-listen").click()
        notice = page.get_by_test_id("media-blocked")

        await expect(notice).to_contain_text("No sound gets through")
        await page.get_by_test_id("minimize").click()
        await expect(page.get_by_test_id("dock")).to_contain_text("No sound")
        await page.get_by_test_id("dock").click()
        await page.evaluate("unblock()")

        await browser.expect_live(page)
        await expect(notice).to_be_hidden()


async def test_two_devices_do_not_fight_for_the_sound(
    stack: RunningStack, page_for: PageFor
) -> None:
    """
    The device that came in last has the sound; the other says so and lets go, until
    somebody wants to listen there.
    """
    async with Api(stack.url, "lars") as host:
        space_id = await host.open_space("On two devices")
        phone = await page_for("maja", on_feed=False)
        laptop = await page_for("maja", on_feed=False)
        for page in (phone, laptop):
            await browser.without_hls(page)
        await browser.listen(phone, f"/s/{space_id}")
        await browser.listen(laptop, f"/s/{space_id}")
        problem = phone.get_by_test_id("problem")
        await expect(problem).to_contain_text("on another device")

        await phone.get_by_role("button", name="Listen here").click()

        await browser.expect_live(phone)
        await expect(laptop.get_by_test_id("problem")).to_have_attribute(
            "data-code", "session-replaced"
        )
        await browser.expect_live(phone)


async def test_the_microphone_obeys_while_the_server_is_slow(
    page_for: PageFor,
) -> None:
    """
    Somebody who unmutes can mute again at once, however long the server takes.
    """
    page = await page_for("kira", SPEECH)
    await browser.start_space(page, "Slow uplink")
    told: list[str] = []
    answered = asyncio.Event()

    async def hold(route: Route) -> None:
        told.append(route.request.post_data or "")
        await answered.wait()
        await route.continue_()

    await page.route("**/participants/*", hold)
    mic = page.get_by_test_id("mic")

    await mic.click()
    await expect(mic).to_have_attribute("data-on", "true")
    await mic.click()
    await expect(mic).to_have_attribute("data-on", "false")

    assert len(told) == 1
    answered.set()
    await _until_told(page, told)
    assert told == ['{"muted":false}', '{"muted":true}']


async def _until_told(page: Page, told: list[str]) -> None:
    async with asyncio.timeout(40):
        while len(told) < 2:
            await page.wait_for_timeout(50)


async def test_hosts_see_whose_network_is_bad(
    stack: RunningStack, page_for: PageFor
) -> None:
    """
    Of a speaker who loses a quarter of what is said, the host sees that they have a bad
    network; a listener sees nothing of it.
    """
    host = await page_for("nora", SPEECH)
    path = await browser.start_space(host, "Who is cut off?")
    listener = await page_for("ole", on_feed=False)
    await browser.listen(listener, path)
    panel = host.get_by_test_id("networks")
    await expect(panel).to_contain_text("all good")

    async with Api(stack.url, "pia") as api:
        joined = await api.join(path.removeprefix("/s/"), "speaker")
        lossy = LossySpeaker(api, opus_frames(speech.load(SPEECH)))
        await lossy.connect(joined["whip_url"], joined["grant"])
        lossy.start_talking()
        await expect(panel).to_contain_text("Pia has a bad network")
        await panel.get_by_text("Connections").click()
        await expect(panel).to_contain_text("of what they say is lost")
        await expect(listener.get_by_test_id("networks")).to_be_hidden()
        await lossy.aclose()
