"""
The fan-out's CPU for each packet, against bare `sendmmsg` of the same bytes.

Both send to the same 1,000 loopback sockets, round about in one run; the sockets are
left unread, as load clients' are, so the kernel's receive side costs both the same.
"""

import statistics
import time
from collections.abc import Callable
from typing import Any, Final

from pylibsrtp import Policy, Session

from media_worker.audio.frames import EncodedFrame
from media_worker.egress.fan_out import FanOut
from media_worker.egress.hearers import Hearer
from media_worker.egress.srtp import SrtpHandle
from media_worker.transport.srtp_keys import aead_keys
from tests.benchmarks.bare_send import addresses, bare_tick, sockets

HEARERS: Final = 1_000
TICKS: Final = 100
ROUNDS: Final = 7
PAYLOAD_BYTES: Final = 80  # 20 ms of Opus at 32 kb/s
PROFILES: Final = {
    "AEAD_AES_256_GCM": (Policy.SRTP_PROFILE_AEAD_AES_256_GCM, 44),
    "AES128_CM_SHA1_80": (Policy.SRTP_PROFILE_AES128_CM_SHA1_80, 30),
}
_PACKET_BYTES: Final = 12 + 4 + PAYLOAD_BYTES + 16


def run() -> list[dict[str, Any]]:
    """Measure each profile and return rows of `bench.json`."""
    return [_measure(name) for name in PROFILES]


def _measure(profile: str) -> dict[str, Any]:
    with sockets(HEARERS + 1) as (source, *sinks):
        names = addresses(sinks)
        fan_out = _fan_out(source.fileno(), names, profile)
        bare = bare_tick(source.fileno(), names, _PACKET_BYTES)
        ours_us, bare_us = [], []
        for _ in range(ROUNDS):
            ours_us.append(_cpu_us(lambda index: _tick(fan_out, index)))
            bare_us.append(_cpu_us(bare))
    if fan_out.counters.packets_sent != ROUNDS * TICKS * HEARERS:
        raise RuntimeError(f"packets were lost: {fan_out.counters}")
    ratios = [ours / base for ours, base in zip(ours_us, bare_us, strict=True)]
    return {
        "name": f"fan-out CPU per packet, {HEARERS} hearers, {profile}",
        "value": statistics.median(ours_us),
        "unit": "us",
        "baseline": "bare sendmmsg of the same bytes",
        "baseline_value": statistics.median(bare_us),
        "ratio": statistics.median(ratios),
        "spread": f"{min(ratios):.2f}-{max(ratios):.2f}",
    }


def _fan_out(descriptor: int, names: list[Any], profile: str) -> FanOut:
    number, key_bytes = PROFILES[profile]
    fan_out = FanOut(descriptor, name_bytes=16, ssrc=7)
    for index, name in enumerate(names):
        key = index.to_bytes(4, "big") + bytes(key_bytes - 4)
        policy = Policy(
            key=key, ssrc_type=Policy.SSRC_ANY_OUTBOUND, srtp_profile=number
        )
        hearer = Hearer(
            srtp=SrtpHandle(Session(policy)),
            aead=aead_keys(key) if "GCM" in profile else None,
            address=name,
            payload_type=111,
            level_extension_id=0,
            source="full",
        )
        fan_out.add(hearer)
    return fan_out


def _tick(fan_out: FanOut, index: int) -> None:
    frame = EncodedFrame(
        payload=bytes(PAYLOAD_BYTES),
        timestamp=index * 960,
        duration_samples=960,
        csrcs=(1,),
    )
    fan_out.begin({"full": frame})
    while fan_out.step():
        pass


def _cpu_us(tick: Callable[[int], None]) -> float:
    """Return user + system time for each packet of `TICKS` ticks."""
    begin_s = time.process_time()
    for index in range(TICKS):
        tick(index)
    return (time.process_time() - begin_s) * 1e6 / (TICKS * HEARERS)
