"""A Space whose relay is a container beside its first worker's."""

import json
from pathlib import Path
from typing import Any

import docker

from media_worker.egress.processes.placement import LISTENERS_PER_PROCESS
from spaces.adapters.launchers.container import LABEL
from spaces.adapters.launchers.settings import PORTS_PER_WORKER
from tests.audio import level_at, tone
from tests.clients import WhepClient
from tests.containers.logs import told
from tests.light_clients import opus_frames
from tests.phones import another_address
from tests.relayed_space import relayed_space, session_relay, two_fill_a_worker
from tests.running_stack import running_stack

IMAGE = "localhost/parley-worker:latest"
CAPACITY = LISTENERS_PER_PROCESS * (PORTS_PER_WORKER - 1)
WHISTLE_HZ = 450
HEARD_S = 2.0


async def test_a_listener_hears_through_a_relays_container(
    engine: docker.DockerClient, engine_url: str, tmp_path: Path
) -> None:
    """
    A full Space gets one with ports of its own, which reaches the first worker's
    control address and UDP port as the machine publishes them.
    """
    options = ("--engine", engine_url, "--image", IMAGE)
    whistle = opus_frames(tone(WHISTLE_HZ, seconds=2))
    with (
        two_fill_a_worker(CAPACITY),
        running_stack(tmp_path, host=another_address(), options=options) as stack,
        told(engine, stack.url, tmp_path),
    ):
        async with relayed_space(stack.url, whistle) as space:
            api = await space.person("third")
            joined = await api.join(space.space_id)
            async with WhepClient(api) as ears:
                await ears.connect(joined["whep_url"], joined["grant"])
                heard = await ears.record(HEARD_S)
                assert ears._session is not None
                relay = session_relay(ears._session[0])
            ports = _udp_ports(engine, stack.url)

    assert relay == 0
    assert level_at(heard[-48_000:], WHISTLE_HZ) > 1_000
    assert len(ports["room"] | ports["relay"]) == 2 * PORTS_PER_WORKER


def _udp_ports(engine: docker.DockerClient, deployment: str) -> dict[str, set[str]]:
    """Return what the machine publishes of a deployment, by the workload's kind."""
    label = f"dev.parley.deployment={deployment}"
    running: list[Any] = engine.containers.list(filters={"label": label})
    return {
        json.loads(each.labels[LABEL])["kind"]: {
            published["HostPort"]
            for port, bindings in each.ports.items()
            if port.endswith("/udp")
            for published in bindings
        }
        for each in running
    }
