"""Recordings by signed URL: the embedded gateway in the place of a bucket."""

import datetime as dt
import time
from collections.abc import AsyncIterator, Callable
from pathlib import Path

import pytest

from spaces.adapters.local_playback import LocalPlaybackUrls
from spaces_contract.recording import RecordingId
from spaces_contract.recording_objects import (
    ClipFile,
    RenderFile,
    clip_file,
    render_file,
)
from tests.integration.local.gateways import (
    PLAYBACK_SECRET,
    Gateway,
    running_gateway,
)

RECORDING = RecordingId("1Space1Space1")
NOWHERE = "http://127.0.0.1:9"  # the functions, whom no recording comes from
AUDIO = bytes(range(256)) * 16


def signed(gateway: Gateway, file: RenderFile, *, lifetime_s: int = 900) -> str:
    """Return a URL as the functions sign it, from now on."""
    now = dt.datetime.fromtimestamp(int(time.time()), dt.UTC)
    urls = LocalPlaybackUrls(gateway.url, PLAYBACK_SECRET)
    lifetime = dt.timedelta(seconds=lifetime_s)
    name = render_file(RECORDING, 1, file)
    return urls.sign(name, now=now, lifetime=lifetime)


@pytest.fixture
async def rendered(tmp_path: Path) -> AsyncIterator[Gateway]:
    """Yield a gateway whose store holds a render, and a voice beside it."""
    async with running_gateway(tmp_path, NOWHERE) as gateway:
        _render(gateway)
        yield gateway


def _render(gateway: Gateway) -> None:
    folder = gateway.folder.objects / "recordings" / RECORDING / "v1"
    voice = folder / "1" / "stem-number-1" / "00000000.pages"
    voice.parent.mkdir(parents=True)
    voice.write_bytes(b"sealed")
    (folder / "audio.m4a").write_bytes(AUDIO)
    (folder / "job.json").write_text("{}")
    clip = folder.parent / "clips" / "1"
    clip.mkdir(parents=True)
    (clip / ClipFile.AUDIO).write_bytes(AUDIO)
    (clip / ClipFile.JOB).write_text("{}")


async def test_a_signed_url_plays_in_parts(rendered: Gateway) -> None:
    """
    A player asks for ranges, and is told that it is audio which nobody may cache.
    """
    url = signed(rendered, RenderFile.AUDIO)

    async with rendered.session.get(url, headers={"Range": "bytes=256-511"}) as part:
        assert part.status == 206
        assert await part.read() == AUDIO[256:512]
        assert part.headers["Content-Range"] == f"bytes 256-511/{len(AUDIO)}"
        assert part.content_type == "audio/mp4"
        assert part.headers["Cache-Control"] == "private, no-store"


async def test_a_clip_plays_and_its_job_is_nobodys_to_read(rendered: Gateway) -> None:
    """
    A signed URL of a clip's sound is good; one of its job is not, however signed.
    """
    now = dt.datetime.fromtimestamp(int(time.time()), dt.UTC)
    urls = LocalPlaybackUrls(rendered.url, PLAYBACK_SECRET)
    answers = {}
    for file in ClipFile:
        name = clip_file(RECORDING, 1, file)
        url = urls.sign(name, now=now, lifetime=dt.timedelta(minutes=15))
        async with rendered.session.get(url) as answer:
            answers[file] = (answer.status, answer.content_type)

    assert answers.pop(ClipFile.AUDIO) == (200, "audio/mp4")
    assert {status for status, _ in answers.values()} == {404}


@pytest.mark.parametrize(
    "spoil",
    [
        lambda url: url.split("?")[0],
        lambda url: url.replace("signature=", "signature=A"),
        lambda url: url.replace("expires=", "expires=9"),
        lambda url: url.replace("/v1/", "/v2/"),
    ],
)
async def test_a_url_that_was_not_signed_is_refused(
    rendered: Gateway, spoil: Callable[[str], str]
) -> None:
    """
    No signature, another one, a later expiry, another version: 403.
    """
    url = spoil(signed(rendered, RenderFile.AUDIO))

    async with rendered.session.get(url) as answer:
        assert answer.status == 403
        assert (await answer.json())["type"].endswith("/playback-refused")


async def test_an_expired_url_is_refused(rendered: Gateway) -> None:
    """
    After its time the same URL plays no more.
    """
    async with rendered.session.get(
        signed(rendered, RenderFile.AUDIO, lifetime_s=-1)
    ) as answer:
        assert answer.status == 403


async def test_what_was_deleted_is_gone_at_once(rendered: Gateway) -> None:
    """
    A URL that is still good finds nothing after a withdrawal.
    """
    url = signed(rendered, RenderFile.AUDIO)
    (rendered.folder.objects / "recordings" / RECORDING / "v1" / "audio.m4a").unlink()

    async with rendered.session.get(url) as answer:
        assert answer.status == 404


async def test_voices_and_jobs_are_served_to_nobody(rendered: Gateway) -> None:
    """
    Not even with a signature: only what was rendered has an address.
    """
    sealed = "/recordings/1Space1Space1/v1/1/stem-number-1/00000000.pages"
    for path in (sealed, signed(rendered, RenderFile.JOB).removeprefix(rendered.url)):
        async with rendered.session.get(rendered.url + path) as answer:
            assert answer.status == 404
