"""
`python -m media_worker.recording`: what is done with recordings outside of a room.

    render --recording ID --version N          configured by the environment
    clip --recording ID --clip N               likewise
    verify FILE MANIFEST [RECEIPT ...] [--keys parley-keys.json]     offline;
                                               a render's file, or a clip's
    rotate-key FILE                            a new local key wraps from now on
"""

import argparse
import json
import logging
import os
import sys
from collections.abc import Callable, Iterator, Mapping, Sequence
from contextlib import contextmanager
from enum import IntEnum
from pathlib import Path
from typing import Any

import obstore

from spaces_contract.clip_manifest import KIND as CLIP_KIND
from spaces_contract.clip_manifest import ClipManifest
from spaces_contract.consent_receipts import SignedReceipt, from_base64url
from spaces_contract.json_documents import InvalidDocument
from spaces_contract.recording import RECORDING_ID_PATTERN, RecordingId
from spaces_contract.recording_manifest import Manifest
from spaces_contract.recording_objects import (
    ClipFile,
    RenderFile,
    clip_file,
    render_file,
)
from spaces_contract.recording_render import (
    ClipJob,
    RenderJob,
    RenderProgress,
)
from spaces_contract.trace_context import within
from spaces_tracing.spans import install, span, uninstall

from ..config import ConfigError, RecordingConfig
from ..json_logs import configure
from ..start_trace import launch_trace
from .key_encryption import KeyServiceDown, LocalKeyEncryption, UnknownKeyEncryption
from .last_resort import end_in
from .opening import Stores, open_stores
from .proof import ManifestSigner
from .stores import StoreErrors
from .verify import verify

logger = logging.getLogger("media_worker.recording")

PROOF_KEY: str = "PARLEY_PROOF_PRIVATE_KEY"


class ExitCode(IntEnum):
    """What the process answers."""

    DONE = 0
    TRY_AGAIN = 1  # a store or the key service did not answer
    WRONG = 2  # the call, the configuration or the job; or a file that is not proved


def main(arguments: Sequence[str], env: Mapping[str, str]) -> ExitCode:
    """Run one command."""
    options = _parser().parse_args(arguments)
    match options.command:
        case "render":
            about = {"recording_id": options.recording, "version": options.version}
            configure(env.get("PARLEY_PROJECT_ID"), **about)
            recording, version = RecordingId(options.recording), options.version
            with _traced("render recording", env):
                return _made(lambda: _render(recording, version, env))
        case "clip":
            about = {"recording_id": options.recording, "clip": options.clip}
            configure(env.get("PARLEY_PROJECT_ID"), **about)
            recording, number = RecordingId(options.recording), options.clip
            with _traced("make clip", env):
                return _made(lambda: _clip(recording, number, env))
        case "verify":
            return _verify(options)
        case _:
            LocalKeyEncryption(options.file).rotate()
            return ExitCode.DONE


class StillRecorded(Exception):
    """What is to be rendered still goes on."""


@contextmanager
def _traced(name: str, env: Mapping[str, str]) -> Iterator[None]:
    """Let a job be a span of the trace that launched it."""
    install(env, "parley-render")
    try:
        with within(launch_trace(env)), span(name):
            yield
    finally:
        uninstall()


def _made(make: Callable[[], RenderProgress]) -> ExitCode:
    try:
        progress = make()
    except (ConfigError, UnknownKeyEncryption, FileNotFoundError, ValueError) as error:
        logger.error("cannot render: %s", error)
        return ExitCode.WRONG
    except StillRecorded:
        logger.error("the recording still goes on")
        return ExitCode.TRY_AGAIN
    except (*StoreErrors, KeyServiceDown) as error:
        logger.warning("render interrupted: %s", error)
        return ExitCode.TRY_AGAIN
    logger.info("render ended", extra=progress.to_json())
    return ExitCode.DONE


def _render(
    recording_id: RecordingId, version: int, env: Mapping[str, str]
) -> RenderProgress:
    # FFmpeg's libraries take a while to load, and nothing else here needs them.
    from .render import Render
    from .settling import wait_settled

    stores, signer = _stores(env), _signer(env)
    name = render_file(recording_id, version, RenderFile.JOB)
    job = RenderJob.from_json(_json(stores, name))
    if (job.recording_id, job.version) != (recording_id, version):
        raise InvalidDocument("the job is of another version or recording")
    if not wait_settled(job, stores):
        raise StillRecorded
    return Render(job, stores, signer=signer, end_in=end_in).run()


def _clip(
    recording_id: RecordingId, number: int, env: Mapping[str, str]
) -> RenderProgress:
    from .clip import ClipMaking

    stores, signer = _stores(env), _signer(env)
    name = clip_file(recording_id, number, ClipFile.JOB)
    job = ClipJob.from_json(_json(stores, name))
    if (job.recording_id, job.number) != (recording_id, number):
        raise InvalidDocument("the job is of another clip or recording")
    return ClipMaking(job, stores, signer=signer, end_in=end_in).run()


def _signer(env: Mapping[str, str]) -> ManifestSigner:
    return ManifestSigner(env.get(PROOF_KEY, ""))


def _json(stores: Stores, name: str) -> Any:
    return json.loads(bytes(obstore.get(stores.objects, name).bytes()))


def _stores(env: Mapping[str, str]) -> Stores:
    config = RecordingConfig.from_env(env)
    if config is None:
        raise ConfigError("no recordings are configured")
    return open_stores(
        recordings_url=config.recordings_url,
        keys_url=config.keys_url,
        key_encryption_url=config.key_encryption_url,
        spool_dir=config.spool_dir,
    )


def _verify(options: argparse.Namespace) -> ExitCode:
    try:
        manifest = _manifest(json.loads(options.manifest.read_bytes()))
        receipts = [
            SignedReceipt.from_json(item)
            for path in options.receipts
            for item in _listed(json.loads(path.read_bytes()))
        ]
        published = None if options.keys is None else _published(options.keys)
        verdict = verify(options.file, manifest, receipts, published=published)
    except (OSError, ValueError) as error:
        sys.stderr.write(f"cannot verify: {error}\n")
        return ExitCode.WRONG
    for line in (*verdict.notes, *(f"WRONG: {error}" for error in verdict.errors)):
        sys.stdout.write(f"{line}\n")
    sys.stdout.write("REFUSED\n" if verdict.errors else "VERIFIED\n")
    return ExitCode.WRONG if verdict.errors else ExitCode.DONE


def _manifest(fields: Any) -> Manifest | ClipManifest:
    if isinstance(fields, dict) and fields.get("kind") == CLIP_KIND:
        return ClipManifest.from_json(fields)
    return Manifest.from_json(fields)


def _listed(value: Any) -> list[Any]:
    return value if isinstance(value, list) else [value]


def _published(path: Path) -> dict[str, bytes]:
    """Read a JWK Set of Ed25519 keys (RFC 8037)."""
    try:
        keys = json.loads(path.read_bytes())["keys"]
        return {key["kid"]: from_base64url(key["x"]) for key in keys}
    except (KeyError, TypeError) as error:
        raise InvalidDocument(f"{path.name} is no JWK Set") from error


def _recording_id(text: str) -> str:
    if not RECORDING_ID_PATTERN.fullmatch(text):
        raise argparse.ArgumentTypeError("no recording's id")
    return text


def _parser() -> argparse.ArgumentParser:
    parser = argparse.ArgumentParser(prog="python -m media_worker.recording")
    commands = parser.add_subparsers(dest="command", required=True)
    render = commands.add_parser("render", help="render one version of a recording")
    render.add_argument("--recording", type=_recording_id, required=True)
    render.add_argument("--version", type=int, required=True)
    clip = commands.add_parser("clip", help="make one clip of a recording")
    clip.add_argument("--recording", type=_recording_id, required=True)
    clip.add_argument("--clip", type=int, required=True)
    check = commands.add_parser("verify", help="check a file and its manifest, offline")
    check.add_argument("file", type=Path)
    check.add_argument("manifest", type=Path)
    check.add_argument("receipts", type=Path, nargs="*")
    check.add_argument("--keys", type=Path, help="the operator's parley-keys.json")
    rotate = commands.add_parser("rotate-key", help="wrap with a new local key")
    rotate.add_argument("file", type=Path)
    return parser


if __name__ == "__main__":
    sys.exit(main(sys.argv[1:], os.environ))
