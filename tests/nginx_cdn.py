"""nginx as a caching CDN before a stack, and what its log says reached the origin."""

import getpass
import shutil
import signal
import socket
import subprocess
import time
from collections import Counter
from dataclasses import dataclass
from pathlib import Path
from typing import Final, Self

from infra.local.ports import free_port
from tests.bound_process import bound

START_TIMEOUT_S: Final = 60.0
FLUSH_S: Final = 1.2  # nginx writes its log once a second
CONFIG: Final = """
user {user};
worker_processes 1;
daemon off;
pid {folder}/nginx.pid;
error_log {folder}/error.log;
events {{ worker_connections 8192; }}
http {{
  log_format seen '$msec $uri $upstream_status';
  access_log {folder}/access.log seen buffer=64k flush=1s;
  client_body_temp_path {folder}/body;
  proxy_temp_path {folder}/proxy;
  fastcgi_temp_path {folder}/fastcgi;
  uwsgi_temp_path {folder}/uwsgi;
  scgi_temp_path {folder}/scgi;
  proxy_cache_path {folder}/cache keys_zone=edge:10m inactive=60s use_temp_path=off;
  {keys_map}
  upstream origin {{ server 127.0.0.1:{origin}; keepalive 16; }}
  server {{
    listen 127.0.0.1:{port} backlog=4096;
    keepalive_requests 1000000;
    proxy_http_version 1.1;
    proxy_set_header Connection "";
    proxy_set_header Host $http_host;
    location / {{ proxy_pass http://origin; }}
    location /live/ {{
      proxy_pass http://origin;
      proxy_cache edge;
      proxy_cache_key $uri;
      proxy_cache_lock on;
      proxy_cache_use_stale updating;
    }}
    {keys}
  }}
}}
"""

# As an operator would have it: a signature opens one Space's keys, until it expires;
# one that came as a cookie is newer than the one in the URL.
KEYS_MAP: Final = r"""
  map $cookie_parley_keys $keys_signature {
    default "$arg_md5,$arg_expires";
    "~^(?<keys_md5>[\w-]+)\.(?<keys_expires>[0-9]+)$" "$keys_md5,$keys_expires";
  }
"""
KEYS: Final = """
    location ~ ^(?<prefix>/live-keys/[^/]+/) {{
      root {store};
      secure_link $keys_signature;
      secure_link_md5 "$secure_link_expires$prefix {secret}";
      if ($secure_link = "") {{ return 403; }}
      if ($secure_link = "0") {{ return 410; }}
    }}
"""


@dataclass(frozen=True, slots=True, kw_only=True)
class KeyStore:
    """A folder of keys, and the secret by which its URLs are signed."""

    folder: Path
    secret: str


class NginxCdn:
    """
    A context manager; objects below `/live/` are cached as their headers say.

    Args:
        origin: Port of the stack on loopback.
        keys: Served below `/live-keys/`, where there are any.
    """

    def __init__(
        self, folder: Path, *, origin: int, keys: KeyStore | None = None
    ) -> None:
        self._folder = folder
        self.port = free_port()
        # Ours, or root's nginx would serve as somebody who may not see the folder.
        self._config = CONFIG.format(
            user=getpass.getuser(),
            folder=folder,
            origin=origin,
            port=self.port,
            keys_map=KEYS_MAP if keys else "",
            keys=KEYS.format(store=keys.folder, secret=keys.secret) if keys else "",
        )

    def __enter__(self) -> Self:
        """Start it; raises RuntimeError where it is not installed."""
        program = find_nginx()
        if program is None:
            raise RuntimeError("nginx is missing: apt-get install nginx-light")
        path = self._folder / "nginx.conf"
        path.write_text(self._config)
        self._process = subprocess.Popen(
            # Killed, it would leave its own children behind.
            bound(program, "-p", self._folder, "-c", path, by=signal.SIGTERM),
            stderr=subprocess.DEVNULL,
        )
        deadline_s = time.monotonic() + START_TIMEOUT_S
        while True:
            try:
                socket.create_connection(("127.0.0.1", self.port), 1).close()
            except OSError:
                if time.monotonic() > deadline_s:
                    self._process.kill()
                    raise
                time.sleep(0.05)
            else:
                return self

    def __exit__(self, *_: object) -> None:
        self._process.terminate()
        self._process.wait(60)

    def seen(self, since_s: float, until_s: float) -> tuple[Counter[str], Counter[str]]:
        """
        Return what was asked of the CDN, and what of the origin, by kind.

        Args:
            since_s: Unix time, as `until_s` is.
        """
        time.sleep(FLUSH_S)
        asked: Counter[str] = Counter()
        passed_on: Counter[str] = Counter()
        for line in (self._folder / "access.log").read_text().splitlines():
            at_s, uri, upstream = line.split(" ", 2)
            if since_s <= float(at_s) < until_s:
                asked[kind_of(uri)] += 1
                passed_on[kind_of(uri)] += upstream != "-"
        return asked, passed_on


def find_nginx() -> str | None:
    """Return the path of an installed nginx, or None."""
    return shutil.which("nginx", path="/usr/sbin:/usr/local/sbin:/usr/bin")


def kind_of(uri: str) -> str:
    """Return what kind of request a path is."""
    ends = {
        "audio.m3u8": "playlist",
        ".ts": "segment",
        "room.json": "room.json",
        "listen.m3u8": "own playlist",
        "/join": "join",
        "/listen-token": "token",
    }
    kinds = (kind for end, kind in ends.items() if uri.endswith(end))
    return next(kinds, "key" if "/keys/" in uri else "other")
