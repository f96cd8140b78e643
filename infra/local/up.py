"""`python -m infra.local up`: the whole stack, from the command line to its end."""

import asyncio
import logging
import os
import signal
import socket
import sys
import time
from collections.abc import Mapping
from dataclasses import dataclass, field
from pathlib import Path
from typing import Final

from cryptography.exceptions import UnsupportedAlgorithm

from . import ports
from .children import services
from .containers import Containers, containers
from .folder import DataFolder
from .keys import (
    AUTHORITY_CERTIFICATE,
    ID_TOKEN_ISSUER,
    OIDC_ISSUER,
    KeyFolder,
    private_pem,
    public_pem,
    tls_context,
)
from .recordings import LocalRecordings
from .refusals import StartRefused
from .stack import Stack
from .supervisor import Supervisor
from .workloads import Workloads

logger = logging.getLogger(__name__)

# A killed supervisor's gateway needs a moment to give the port back.
_PORT_PATIENCE_S: Final = 0.5


@dataclass(frozen=True, slots=True, kw_only=True)
class UpOptions:
    """
    What the command line says.

    Args:
        functions: What the functions are told beside that, as of another launcher.
    """

    port: int
    data: Path
    host: str | None = None
    debug: bool = False
    engine: str | None = None
    image: str | None = None
    s3: bool = False
    twice: float = 0.0
    functions: Mapping[str, str] = field(default_factory=dict)


def up(options: UpOptions) -> int:
    """Run the stack until a signal; return the process's exit code."""
    logging.basicConfig(format="parley: %(message)s", level=logging.INFO)
    try:
        folder = DataFolder(options.data.resolve(), s3=options.s3)
        folder.create()
        lock = folder.lock()
        try:
            asyncio.run(_run(options, folder))
        finally:
            os.close(lock)
    except StartRefused as refused:
        sys.stderr.write(f"parley: {refused}\n")
        return 1
    return 0


async def _run(options: UpOptions, folder: DataFolder) -> None:
    address = (
        ports.LOOPBACK if options.host is None else ports.resolve_host(options.host)
    )
    keys, tls = _make_keys(folder, options.host, address)
    public = _open_public(options.port, address)
    launcher = ports.listen(ports.LOOPBACK, 0)
    port = public[0].getsockname()[1]
    stack = _stack(options, folder, address=address, port=port, launcher=launcher)
    if tls is not None:
        logger.info(
            "a phone must trust %s once (served as %s/local/authority.crt)",
            folder.keys / AUTHORITY_CERTIFICATE,
            stack.public_url,
        )
    supervisor = _supervisor(
        stack,
        keys,
        told=options.functions,
        public=public,
        launcher=launcher,
        tls=tls,
    )
    loop = asyncio.get_running_loop()
    for number in (signal.SIGINT, signal.SIGTERM, signal.SIGHUP):
        loop.add_signal_handler(number, supervisor.interrupt)
    try:
        await supervisor.run(f"ready {stack.public_url}")
    finally:
        if stack.containers is not None:
            await asyncio.to_thread(stack.containers.stop, stack.public_url)
        for listener in (*public, launcher):
            listener.close()


def _open_public(port: int, address: str) -> list[socket.socket]:
    """
    Listen on loopback and, where it is another, on `address`; on no third one.

    Loopback is always there for the stack's own processes, in plain HTTP; every other
    address of the machine stays closed, so that a café's network sees nothing.
    """
    patient_until = time.monotonic() + _PORT_PATIENCE_S
    while True:
        try:
            loopback = ports.listen(ports.LOOPBACK, port)
            break
        except StartRefused:
            if time.monotonic() > patient_until:
                raise
            time.sleep(0.05)
    if address == ports.LOOPBACK:
        return [loopback]
    return [loopback, ports.listen(address, loopback.getsockname()[1])]


def _stack(
    options: UpOptions,
    folder: DataFolder,
    *,
    address: str,
    port: int,
    launcher: socket.socket,
) -> Stack:
    taken = {port}
    internal = []
    for _ in range(3):
        internal.append(ports.free_port(taken=taken))
        taken.add(internal[-1])
    host = options.host
    return Stack(
        folder=folder,
        public_url=(
            f"http://{ports.LOOPBACK}:{port}"
            if host is None
            else f"https://{ports.in_url(host)}:{port}"
        ),
        media_address=address,
        port=port,
        firestore_port=internal[0],
        tasks_port=internal[1],
        functions_port=internal[2],
        launcher_port=launcher.getsockname()[1],
        debug=options.debug,
        twice=options.twice,
        containers=containers(options.engine, options.image, host=options.host),
    )


def _make_keys(
    folder: DataFolder, host: str | None, address: str
) -> tuple[KeyFolder, tuple[Path, Path] | None]:
    """Return keys that can all be read, and the TLS files where there is a host."""
    keys = KeyFolder(folder.keys)
    tls = None
    try:
        for issuer in (ID_TOKEN_ISSUER, OIDC_ISSUER):
            keys.signing_key(issuer)
        keys.grant_key()
        keys.launcher_token()
        if host is not None:
            tls = keys.tls_files(tuple(dict.fromkeys((host, address))))
            tls_context(*tls)
    except (OSError, ValueError, TypeError, UnsupportedAlgorithm) as error:
        reason = " ".join(str(error).split())
        raise StartRefused(f"cannot use the keys in {folder.keys}: {reason}") from error
    return keys, tls


def _supervisor(
    stack: Stack,
    keys: KeyFolder,
    *,
    told: Mapping[str, str],
    public: list[socket.socket],
    launcher: socket.socket,
    tls: tuple[Path, Path] | None,
) -> Supervisor:
    inherited = dict(os.environ)
    grant_key = keys.grant_key()
    token = keys.launcher_token()
    recordings = LocalRecordings.of(stack.folder, keys)
    functions = stack.functions_environment(
        grant_private_key=private_pem(grant_key), launcher_token=token
    )
    functions |= recordings.functions_environment()
    functions |= stack.operators_environment(inherited)
    if stack.containers is not None:
        functions |= _container_environment(stack, stack.containers, recordings)
    functions |= told
    return Supervisor(
        services(
            stack,
            base=stack.base_environment(inherited),
            functions=functions,
            public=public,
            tls=tls,
        ),
        Workloads(
            stack,
            inherited=inherited,
            grant_public_key=public_pem(grant_key),
            recordings=recordings,
        ),
        launcher=launcher,
        launcher_token=token,
    )


def _container_environment(
    stack: Stack, containers: Containers, recordings: LocalRecordings
) -> dict[str, str]:
    folder = stack.folder
    shared = (
        *(folder.objects, folder.recording_keys),
        *(folder.spool, folder.key_encryption),
    )
    for path in shared:
        path.chmod(0o777)  # a container's user is not ours
    # A process inherits where traces go; a container is told.
    traces = {n: value for n, value in os.environ.items() if n.startswith("OTEL_")}
    return containers.environment(
        address=stack.media_address,
        shared=shared,
        worker={
            "FIRESTORE_EMULATOR_HOST": stack.firestore_host,
            "PARLEY_LIVE_EDGE_URL": folder.objects_url,
            **recordings.worker_environment(),
            **traces,
        },
        render=recordings.render_environment() | traces,
    )
