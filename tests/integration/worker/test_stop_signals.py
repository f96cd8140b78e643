"""Signals that reach a worker before it serves, and while it ends."""

import asyncio
import json
import signal
import sys
from pathlib import Path

import pytest

from tests.otlp_receiver import otlp_receiver
from tests.worker_process import (
    ROOT,
    EmbeddedFirestore,
    SpaceDocuments,
    WorkerProcess,
)

# `python -m media_worker` whose first part takes for ever to load.
LOADING = """
import sys, time

class Slow:
    def find_spec(self, name, *_):
        if name == "media_worker.program":
            print("loading", flush=True)
            time.sleep(600)

sys.meta_path.insert(0, Slow())
from media_worker.__main__ import main
sys.exit(main())
"""


@pytest.mark.parametrize("number", [signal.SIGTERM, signal.SIGINT])
async def test_a_stop_while_it_loads_ends_it_in_peace(number: signal.Signals) -> None:
    process = await asyncio.create_subprocess_exec(
        *(sys.executable, "-c", LOADING),
        cwd=ROOT,
        stdout=asyncio.subprocess.PIPE,
        stderr=asyncio.subprocess.PIPE,
    )
    assert process.stdout is not None
    assert await process.stdout.readline() == b"loading\n"

    process.send_signal(number)

    _, told = await process.communicate()
    assert (process.returncode, told) == (0, b"")


async def test_a_stop_while_it_ends_changes_nothing(tmp_path: Path) -> None:
    """
    Traces are still on their way to a collector that hangs; its log is JSON alone.
    """
    log = tmp_path / "log"
    with otlp_receiver() as receiver, log.open("wb") as told:
        receiver.hangs.set()
        async with EmbeddedFirestore(tmp_path / "data") as server:
            documents = SpaceDocuments(server.host)
            await documents.start()
            settings = {"OTEL_EXPORTER_OTLP_ENDPOINT": receiver.url}
            async with WorkerProcess(
                server.host, tmp_path / "objects", settings=settings, told=told
            ) as worker:
                await worker.ready(documents)
                ending = asyncio.create_task(worker.exit_code())
                while not ending.done():
                    worker.interrupt()
                    worker.terminate()
                    await asyncio.sleep(0.01)

            assert await ending == 0
            documents.client.close()
    lines = [json.loads(line) for line in log.read_text().splitlines()]
    assert "stopped" in {line["message"] for line in lines}
