"""How each service of the stack is started, and when it counts as started."""

import socket
from collections.abc import Sequence
from pathlib import Path
from typing import Final
from urllib.parse import urlsplit

from .processes import ProcessSpec
from .services import Service, accepts, answers_http
from .stack import QUEUE, READY_PATH, TASKS_SERVICE_ACCOUNT, Stack

_QUICK_GRACE_S: Final = 3.0


def services(
    stack: Stack,
    *,
    base: dict[str, str],
    functions: dict[str, str],
    public: Sequence[socket.socket],
    tls: tuple[Path, Path] | None,
) -> list[Service]:
    """
    Return the services in the order in which they depend on each other.

    Args:
        base: Environment of every child.
        functions: Environment of the functions alone, beside `base`.
        public: The gateway's listening sockets; the second speaks `tls`.
    """
    logs = stack.folder.logs
    return [
        Service(
            _firestore(stack, base),
            ready=accepts(stack.firestore_port, address=stack.firestore_address),
            logs=logs,
        ),
        Service(_tasks(stack, base), ready=accepts(stack.tasks_port), logs=logs),
        Service(
            _gateway(stack, base, public, tls),
            ready=answers_http(stack.port, READY_PATH),
            logs=logs,
        ),
        Service(
            _functions(stack, base | functions),
            ready=answers_http(stack.functions_port, READY_PATH),
            logs=logs,
        ),
    ]


def _firestore(stack: Stack, base: dict[str, str]) -> ProcessSpec:
    return ProcessSpec(
        name="firestore",
        arguments=(
            *("-m", "infra.local", "firestore"),
            *("--host", stack.firestore_address),
            *("--port", str(stack.firestore_port)),
            *("--data", str(stack.folder.firestore)),
        ),
        environment=base,
    )


def _tasks(stack: Stack, base: dict[str, str]) -> ProcessSpec:
    return ProcessSpec(
        name="tasks",
        arguments=(
            *("-m", "infra.local", "tasks"),
            *("--port", str(stack.tasks_port)),
            *("--data", str(stack.folder.tasks)),
            *("--keys", str(stack.folder.keys)),
            *("--twice", str(stack.twice)),
            *("--sweep-queue", QUEUE),
            *("--sweep-url", f"{stack.loopback_url}/tasks/sweep"),
            *("--sweep-audience", stack.tasks_audience),
            *("--sweep-account", TASKS_SERVICE_ACCOUNT),
        ),
        environment=base,
        grace_s=_QUICK_GRACE_S,
    )


def _gateway(
    stack: Stack,
    base: dict[str, str],
    public: Sequence[socket.socket],
    tls: tuple[Path, Path] | None,
) -> ProcessSpec:
    secure: tuple[str, ...] = ()
    public_host = urlsplit(stack.public_url).hostname or stack.media_address
    if tls is not None:
        chain, key = tls
        secure = (
            *("--tls-fd", str(public[1].fileno())),
            *("--tls-chain", str(chain)),
            *("--tls-key", str(key)),
        )
    return ProcessSpec(
        name="gateway",
        arguments=(
            *("-m", "infra.local.gateway"),
            *("--data", str(stack.folder.root)),
            *("--listen-fd", str(public[0].fileno())),
            *("--host", public_host, "--host", stack.media_address),
            *("--functions-port", str(stack.functions_port)),
            *("--firestore", stack.firestore_host),
            *("--tasks-port", str(stack.tasks_port)),
            *secure,
        ),
        environment=base | stack.client_environment(),
        descriptors=tuple(listener.fileno() for listener in public),
        grace_s=_QUICK_GRACE_S,
    )


def _functions(stack: Stack, environment: dict[str, str]) -> ProcessSpec:
    return ProcessSpec(
        name="functions",
        arguments=(
            *("-m", "infra.local.functions_server"),
            *("--port", str(stack.functions_port)),
        ),
        environment=environment,
    )
