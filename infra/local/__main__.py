"""Command line of the embedded cloud: `python -m infra.local --help`."""

import argparse
import sys
from collections.abc import Sequence
from pathlib import Path


def main(argv: Sequence[str]) -> int:
    """Run one subcommand; return the process's exit code."""
    # What a subcommand does not know belongs to the server that it starts, which
    # parses it itself: importing all three to print help would cost two seconds.
    parser = _parser()
    options, rest = parser.parse_known_args(argv)
    if options.command == "up":
        if rest:
            parser.error(f"unrecognized arguments: {' '.join(rest)}")
        from .up import UpOptions, up

        return up(
            UpOptions(
                port=options.port,
                data=options.data,
                host=options.host,
                debug=options.debug,
                engine=options.engine,
                image=options.image,
                s3=options.s3,
                twice=options.twice,
            )
        )
    server = ["--port", str(options.port), "--data", str(options.data), *rest]
    if options.command == "firestore":
        from .firestore.server import main as firestore

        return firestore(server)
    from .tasks.server import main as tasks

    return tasks(server)


def _parser() -> argparse.ArgumentParser:
    parser = argparse.ArgumentParser(
        prog="python -m infra.local",
        description="Parley's embedded cloud: everything on this machine, no account.",
    )
    commands = parser.add_subparsers(dest="command", required=True, metavar="COMMAND")
    up = commands.add_parser(
        "up", help="start everything, print `ready URL`, stay until Ctrl-C"
    )
    _add_port(up, default=8080)
    _add_data(up)
    up.add_argument(
        "--host",
        metavar="ADDR",
        help="also serve this address of the machine over TLS, for a phone",
    )
    up.add_argument(
        "--debug", action="store_true", help="run asyncio's debug mode in the children"
    )
    up.add_argument(
        "--engine",
        metavar="URL",
        help="run workers in containers of this engine: unix:///run/podman/podman.sock",
    )
    up.add_argument("--image", metavar="NAME", help="of the worker, with --engine")
    up.add_argument(
        "--s3",
        action="store_true",
        help="reach objects by the S3 at AWS_ENDPOINT_URL, which keeps them in the data"
        " folder: its buckets are `objects` and `recording_keys`",
    )
    up.add_argument(
        "--twice",
        type=_share,
        default=0.0,
        metavar="SHARE",
        help="deliver this share of tasks twice, as Cloud Tasks may (default 0)",
    )
    for name, what in (("firestore", "Firestore"), ("tasks", "Cloud Tasks")):
        server = commands.add_parser(name, help=f"run the embedded {what} alone (gRPC)")
        _add_port(server)
        _add_data(server)
    return parser


def _add_port(parser: argparse.ArgumentParser, default: int | None = None) -> None:
    shown = "" if default is None else f" (default {default})"
    parser.add_argument(
        "--port",
        type=_port,
        default=default,
        required=default is None,
        metavar="N",
        help=f"port on loopback; 0 picks a free one{shown}",
    )


def _add_data(parser: argparse.ArgumentParser) -> None:
    parser.add_argument(
        "--data",
        type=Path,
        default=Path(".local"),
        metavar="DIR",
        help="folder that keeps the data (default .local)",
    )


def _port(text: str) -> int:
    port = int(text)
    if not 0 <= port <= 65535:
        raise argparse.ArgumentTypeError("a port is between 0 and 65535")
    return port


def _share(text: str) -> float:
    share = float(text)
    if not 0 <= share <= 1:
        raise argparse.ArgumentTypeError("a share is between 0 and 1")
    return share


if __name__ == "__main__":
    try:
        sys.exit(main(sys.argv[1:]))
    except KeyboardInterrupt:  # while it was still being imported: nothing runs yet
        sys.exit(130)
