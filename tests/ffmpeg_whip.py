"""
FFmpeg's WHIP muxer says a WAV file.

`python -m tests.ffmpeg_whip URL TOKEN WAV SECONDS`; SIGTERM ends it sooner, as well.

A process of its own: PyAV holds the interpreter's lock while FFmpeg shakes hands.
"""

import signal
import sys
import tempfile
import threading
import time
from pathlib import Path
from typing import Any

import av
import numpy as np
from aiortc import RTCCertificate
from cryptography.hazmat.primitives import serialization as form

from tests import speech

BLOCK_SAMPLES = 960
RATE_HZ = 48_000


def publish(url: str, token: str, wav: Path, duration_s: float) -> None:
    """Open a WHIP session, talk in stereo at the pace of speech, and close it."""
    told_to_stop = threading.Event()
    signal.signal(signal.SIGTERM, lambda *_: told_to_stop.set())
    samples = speech.load(wav)
    with tempfile.TemporaryDirectory() as folder:
        container: Any = av.open(
            url,
            "w",
            format="whip",
            options={
                "authorization": token,
                "whip_flags": "dtls_active",  # a server cannot begin
                **_certificate(Path(folder)),
            },
        )
        stream = container.add_stream("libopus", rate=RATE_HZ, layout="stereo")
        began_s = time.monotonic()
        for start in range(0, int(duration_s * RATE_HZ), BLOCK_SAMPLES):
            places = np.arange(start, start + BLOCK_SAMPLES)
            mono = np.take(samples, places, mode="wrap")
            frame = av.AudioFrame.from_ndarray(
                np.repeat(mono, 2)[None, :], format="s16", layout="stereo"
            )
            frame.sample_rate, frame.pts = RATE_HZ, start
            for packet in stream.encode(frame):
                container.mux(packet)
            due_s = began_s + (start + BLOCK_SAMPLES) / RATE_HZ
            if told_to_stop.wait(max(0.0, due_s - time.monotonic())):
                break
        container.close()


def _certificate(folder: Path) -> dict[str, str]:
    """
    Return options with a certificate (P-256) for FFmpeg to show.

    The one that GnuTLS would make for it is of P-224, which its own ClientHello does
    not list, so OpenSSL refuses it ("wrong curve").
    """
    made: Any = RTCCertificate.generateCertificate()
    key, certificate = folder / "key.pem", folder / "certificate.pem"
    key.write_bytes(
        made._key.private_bytes(
            form.Encoding.PEM, form.PrivateFormat.PKCS8, form.NoEncryption()
        )
    )
    certificate.write_bytes(made._cert.public_bytes(form.Encoding.PEM))
    return {"key_file": str(key), "cert_file": str(certificate)}


if __name__ == "__main__":
    publish(sys.argv[1], sys.argv[2], Path(sys.argv[3]), float(sys.argv[4]))
