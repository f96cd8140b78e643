"""Recording with consent in real browsers: asked, agreed, heard, withdrawn."""

import asyncio
import json
import os
import re
import sys
import wave
from pathlib import Path
from typing import Any

import aiohttp
from playwright.async_api import Page, expect

from tests import browser, speech
from tests.api import Api
from tests.browser import PageFor, Screenshot
from tests.running_stack import RunningStack

VOICES = {
    "rhea": speech.DATA / "austen_cold_hearted.wav",
    "sol": speech.DATA / "austen_not_ill_disposed.wav",
}
RENDERED_MS = 150_000  # the worker settles for 15 s, then the render runs
TALK_MS = 6_000
VERIFY_S = 60.0
ROOT = Path(__file__).parents[2]
SENT = re.compile(r"/recordings/[^?]+/audio\.m4a\?")


async def _on_stage(page: Page, path: str) -> None:
    await browser.listen(page, path)
    await page.get_by_test_id("speak").click()
    await expect(page.get_by_test_id("room")).to_have_attribute("data-role", "speaker")


async def _talking(*pages: Page) -> None:
    """Let everybody talk; each is heard for `TALK_MS` at least."""
    for page in pages:
        await page.get_by_test_id("mic").click()
    tiles = pages[0].get_by_test_id("stage-member")
    for n in range(len(pages)):
        await expect(tiles.nth(n)).to_have_attribute("data-talking", "true")
    await pages[0].wait_for_timeout(TALK_MS)


def _another_voice(folder: Path) -> Path:
    """
    Return a third voice: one of the two, backwards.

    Were it one of them, what its owner consents to might be taken for an echo of it.
    """
    said = speech.load(VOICES["sol"])
    path = folder / "backwards.wav"
    with wave.open(str(path), "wb") as file:
        file.setnchannels(1)
        file.setsampwidth(2)
        file.setframerate(speech.SAMPLE_RATE_HZ)
        file.writeframes(said[::-1].tobytes())
    return path


async def _expect_count(host: Page, text: str) -> None:
    await expect(host.get_by_test_id("rec-count")).to_have_text(text)


async def _replay(page: Page, path: str, version: str) -> Any:
    """Open the recording, wait for its `version`, and return what is to be seen."""
    await page.goto(f"{path}/recording")
    replay = page.get_by_test_id("replay")
    await expect(replay).to_be_visible(timeout=RENDERED_MS)
    await expect(replay).to_have_attribute("data-version", version)
    await page.get_by_test_id("replay-play").click()
    await page.wait_for_function(
        "() => document.querySelector('[data-testid=replay-audio]')?.currentTime > 0.5"
    )
    return await page.evaluate(
        """() => ({
          url: document.querySelector("[data-testid=replay-audio]").src,
          seconds: document.querySelector("[data-testid=replay-audio]").duration,
          lanes: [...document.querySelectorAll("[data-testid=lane] .wave__name")]
            .map((name) => name.textContent),
        })"""
    )


async def _downloaded(stack: RunningStack, path: str, folder: Path) -> list[str]:
    """
    Download file, manifest, keys and the consenting people's receipts.

    Returns:
        The arguments of `verify`.
    """
    files = {}
    async with (
        Api(stack.url, "rhea") as rhea,
        Api(stack.url, "sol") as sol,
        aiohttp.ClientSession() as http,
    ):
        space_id = path.removeprefix("/s/")
        urls = await rhea.call("GET", f"/v1/recordings/{space_id}/playback")
        for name in ("audio", "manifest"):
            async with http.get(urls[f"{name}_url"]) as answer:
                files[name] = await answer.read()
        keys = await rhea.call("GET", "/.well-known/parley-keys.json")
        files["keys"] = json.dumps(keys).encode()
        for api in (rhea, sol):
            (mine,) = (await api.call("GET", "/v1/me/receipts"))["answers"]
            files[api.handle] = json.dumps(mine["receipts"]).encode()
    for name, content in files.items():
        (folder / name).write_bytes(content)
    names = ("audio", "manifest", "rhea", "sol")
    return [*(str(folder / name) for name in names), "--keys", str(folder / "keys")]


async def _verdict(arguments: list[str]) -> str:
    """Run the offline check, and return all that it says."""
    process = await asyncio.create_subprocess_exec(
        sys.executable,
        *("-m", "media_worker.recording", "verify", *arguments),
        env={**os.environ, "PYTHONPATH": "functions"},
        cwd=ROOT,
        stdout=asyncio.subprocess.PIPE,
        stderr=asyncio.subprocess.STDOUT,
    )
    async with asyncio.timeout(VERIFY_S):
        said, _ = await process.communicate()
    return said.decode()


async def _clipped(host: Page, sol: Page, screenshot: Screenshot) -> None:
    """Make a clip of all of it, of which Sol, who is heard in it, hears too."""
    await host.goto(sol.url)
    await host.get_by_test_id("replay-clip").click()
    await host.get_by_test_id("clip-title").fill("The cold hearted")
    await host.get_by_test_id("clip-length").select_option("60")
    await host.get_by_test_id("clip-make").click()
    row = host.get_by_test_id("clip-row")
    await expect(row).to_have_attribute("data-state", "ready", timeout=RENDERED_MS)
    await sol.reload()
    await screenshot(sol, "replay")
    await sol.get_by_test_id("clip-play").click()
    await sol.wait_for_function(
        "() => document.querySelector('[data-testid=clip-audio]')?.currentTime > 0.5"
    )


async def test_ask_agree_decline_replay_withdraw_replay_again(
    stack: RunningStack, page_for: PageFor, screenshot: Screenshot, tmp_path: Path
) -> None:
    """
    Two of three agree and are heard in the replay; the third talks and is not in it.
    Anybody can check the file offline with the receipts of those in it, to the byte.
    One of the two takes the voice out: the old file is gone, the new one is without.
    """
    voices = {**VOICES, "tess": _another_voice(tmp_path)}
    host, sol, tess = [
        await page_for(name, voice, on_feed=name == "rhea")
        for name, voice in voices.items()
    ]
    path = await browser.start_space(host, "On the record")
    for page in (sol, tess):
        await _on_stage(page, path)
    await expect(host.get_by_test_id("rec-badge")).to_be_hidden()

    await host.get_by_test_id("record").click()
    for page in (host, sol, tess):
        await expect(page.get_by_test_id("consent")).to_be_visible()
        await expect(page.get_by_test_id("rec-badge")).to_be_visible()
    await screenshot(sol, "consent")
    for page in (host, sol):
        await page.get_by_test_id("consent-clips").check()
        await page.get_by_test_id("consent-yes").click()
    await tess.get_by_test_id("consent-no").click()
    await _expect_count(host, "2 of 3 agreed")
    await expect(sol.get_by_test_id("rec-count")).to_be_empty()
    for page in (host, sol, tess):
        rec = page.get_by_test_id("rec")
        await expect(rec).to_have_attribute("data-state", "recording")
    await _talking(host, sol, tess)
    await screenshot(host, "room-recording")
    await host.get_by_test_id("end").click()
    await host.get_by_test_id("end-confirm").click()

    first = await _replay(sol, path, "1")
    assert sorted(first["lanes"]) == ["Rhea", "Sol"]
    assert first["seconds"] > TALK_MS / 1000 / 2
    assert SENT.search(first["url"])
    proof = await _downloaded(stack, path, tmp_path)
    verdict = await _verdict(proof)
    assert verdict.endswith("VERIFIED\n"), verdict
    audio = bytearray((tmp_path / "audio").read_bytes())
    audio[len(audio) // 2] ^= 1
    (tmp_path / "audio").write_bytes(audio)
    assert (await _verdict(proof)).endswith("REFUSED\n")

    await _clipped(host, sol, screenshot)
    await sol.goto("/recordings")
    answer = sol.get_by_test_id("my-answer")
    await expect(answer).to_have_attribute("data-state", "granted")
    await screenshot(sol, "my-recordings")
    await sol.get_by_test_id("withdraw").click()
    await expect(answer).to_have_attribute("data-state", "withdrawn")

    again = await _replay(host, path, "2")
    assert again["lanes"] == ["Rhea"]
    await expect(host.get_by_test_id("clip-row")).to_have_count(0)
    await host.get_by_test_id("replay-private").click()
    await expect(host.get_by_test_id("replay")).to_contain_text("private")
    gone = await host.request.get(first["url"])
    assert gone.status == 404
    async with Api(stack.url, "tess") as api:
        (mine,) = (await api.call("GET", "/v1/me/receipts"))["answers"]
    assert mine["state"] == "declined"


async def test_the_next_speaker_is_another_one(page: Page) -> None:
    """
    From where somebody talks it goes on to where another one begins; after the last
    there is none.
    """
    found = await page.evaluate(
        """async () => {
          const { nextSpeaker } = await import("/components/waveform.js");
          const speakers = [
            { uid: "a", heard: [[0, 1000], [4000, 5000]] },
            { uid: "b", heard: [[2000, 3000], [4500, 6000]] },
          ];
          const at = [0, 500, 1500, 2500, 4100, 5500];
          return at.map((ms) => nextSpeaker(speakers, ms));
        }"""
    )

    assert found == [2000, 2000, 2000, 4000, 4500, None]


async def test_coming_into_a_recorded_space_takes_the_notice(
    page_for: PageFor,
) -> None:
    """
    A listener reads the notice first; who would rather not stays out, and whoever comes
    in is asked for no consent.
    """
    host = await page_for("uma", VOICES["rhea"])
    path = await browser.start_space(host, "Read this first")
    await host.get_by_test_id("record").click()
    await host.get_by_test_id("consent-yes").click()
    guest = await page_for("vic", on_feed=False)

    await guest.goto(f"{path}?raw_audio=1")
    await guest.get_by_test_id("join-listen").click()
    await guest.get_by_test_id("notice-no").click()
    await expect(guest.get_by_test_id("room")).to_be_hidden()
    await guest.goto(f"{path}?raw_audio=1")
    await guest.get_by_test_id("join-listen").click()
    await guest.get_by_test_id("notice-ok").click()
    await browser.expect_live(guest)

    await expect(guest.get_by_test_id("rec-badge")).to_be_visible()
    await expect(guest.get_by_test_id("consent")).to_be_hidden()
