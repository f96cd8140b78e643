"""The gateway: static client, reverse proxy, live edge."""

import asyncio
import io
from pathlib import Path

import pytest
from aiohttp import web
from yarl import URL

from infra.local.gateway.hosting import Hosting
from infra.local.gateway.hosting_rules import read_rules
from tests.integration.local.gateways import (
    HOST,
    functions_app,
    running_gateway,
    serving,
)

AWAY = "http://127.0.0.1:9"


@pytest.fixture
def root(tmp_path: Path) -> Path:
    """A repository with a tiny client."""
    public = tmp_path / "infra" / "hosting" / "public"
    (public / "views").mkdir(parents=True)
    (public / "index.html").write_text("<title>Parley</title>")
    (public / "app.js").write_text("export {}")
    (public / ".secret").write_text("no")
    (tmp_path / "outside.txt").write_text("no")
    return tmp_path


async def echo(request: web.Request) -> web.Response:
    """Answer with what was asked."""
    body = await request.read()
    return web.json_response(
        {
            "method": request.method,
            "path": request.raw_path,
            "headers": [[name, value] for name, value in request.headers.items()],
            "size": len(body),
        },
        status=201,
        headers={"Link": "<a>; rel=x", "Connection": "close"},
    )


async def test_a_request_reaches_the_functions_as_it_is(root: Path) -> None:
    """
    Method, path, query, body and headers; the answer's status and headers return.
    """
    async with (
        serving(functions_app(echo)) as functions,
        running_gateway(root, functions) as gateway,
        gateway.session.patch(
            URL(f"{gateway.url}/v1/a%2Fb?x=%20y&x=2", encoded=True),
            data=b"z" * 70_000,
            headers={"X-Mine": "1", "Connection": "X-Hop", "X-Hop": "1"},
        ) as answer,
    ):
        seen = await answer.json()
        headers = {name.lower(): value for name, value in seen["headers"]}

        assert answer.status == 201
        assert answer.headers["Link"] == "<a>; rel=x"
        assert (seen["method"], seen["size"]) == ("PATCH", 70_000)
        assert seen["path"] == "/v1/a%2Fb?x=%20y&x=2"
        assert headers["x-mine"] == "1"
        assert "x-hop" not in headers


async def test_the_edge_says_who_is_asking(root: Path) -> None:
    """
    X-Forwarded-* are the gateway's own words, whatever a client claims.
    """
    forged = {"X-Forwarded-For": "6.6.6.6", "X-Forwarded-Proto": "gopher"}
    async with (
        serving(functions_app(echo)) as functions,
        running_gateway(root, functions) as gateway,
        gateway.session.get(f"{gateway.url}/v1/a", headers=forged) as answer,
    ):
        headers = {n.lower(): v for n, v in (await answer.json())["headers"]}

        assert headers["x-forwarded-for"] == "127.0.0.1"
        assert headers["x-forwarded-proto"] == "http"
        assert headers["x-forwarded-host"] == headers["host"]
        assert gateway.url.endswith(headers["host"])


async def test_an_answer_is_streamed(root: Path) -> None:
    """
    The first part arrives before the functions have sent the last.
    """
    more = asyncio.Event()

    async def slow(request: web.Request) -> web.StreamResponse:
        response = web.StreamResponse()
        await response.prepare(request)
        await response.write(b"first")
        await more.wait()
        await response.write(b"last")
        return response

    async with (
        serving(functions_app(slow)) as functions,
        running_gateway(root, functions) as gateway,
        gateway.session.get(f"{gateway.url}/v1/a") as answer,
    ):
        first = await answer.content.readany()
        more.set()

        assert first == b"first"
        assert await answer.content.read() == b"last"


async def test_functions_that_are_away_are_503(root: Path) -> None:
    """
    problem+json with Retry-After, not a hang and not a stack trace.
    """
    async with (
        running_gateway(root, AWAY) as gateway,
        gateway.session.get(f"{gateway.url}/v1/spaces") as answer,
    ):
        body = await answer.json(content_type="application/problem+json")

        assert answer.status == 503
        assert answer.headers["Retry-After"] == "1"
        assert body["type"].endswith("/functions-unavailable")


async def test_a_flood_of_bytes_is_413(root: Path) -> None:
    """
    Far above the API's own limit the gateway answers itself.
    """
    flood = b"x" * 5_000_000
    async with (
        running_gateway(root, AWAY) as gateway,
        gateway.session.post(f"{gateway.url}/v1/a", data=io.BytesIO(flood)) as answer,
    ):
        assert answer.status == 413


@pytest.mark.parametrize(
    ("path", "status", "content_type"),
    [
        ("/", 200, "text/html; charset=utf-8"),
        ("/app.js", 200, "text/javascript; charset=utf-8"),
        ("/s/1abcDEF234567", 200, "text/html; charset=utf-8"),
        ("/nothing", 404, "application/problem+json; charset=utf-8"),
        ("/views/", 404, "application/problem+json; charset=utf-8"),
        ("/.secret", 404, "application/problem+json; charset=utf-8"),
        ("/%2e%2e/%2e%2e/%2e%2e/outside.txt", 404, None),
        ("/..%2f..%2f..%2foutside.txt", 404, None),
        ("/%00", 404, None),
        ("/local/nothing", 404, "application/problem+json; charset=utf-8"),
    ],
)
async def test_the_client_is_served_and_nothing_else(
    root: Path, path: str, status: int, content_type: str | None
) -> None:
    """
    Files of the public folder, the client for a Space's page, and 404.
    """
    async with (
        running_gateway(root, AWAY) as gateway,
        gateway.session.get(URL(gateway.url + path, encoded=True)) as answer,
    ):
        assert answer.status == status
        assert content_type in (None, answer.headers["Content-Type"])
        assert await answer.read() != b"no"
        if not path.startswith("/local/"):
            assert answer.headers["X-Content-Type-Options"] == "nosniff"


async def test_where_nothing_is_a_person_gets_a_page(root: Path) -> None:
    """
    As Hosting serves a site's 404.html; a program gets the problem, as ever.
    """
    public = root / "infra" / "hosting" / "public"
    (public / "404.html").write_text("<h1>Nothing here</h1>")
    async with running_gateway(root, AWAY) as gateway:
        asked = {"Accept": "text/html,*/*"}
        url = f"{gateway.url}/nothing"
        async with gateway.session.get(url, headers=asked) as answer:
            person = (answer.status, await answer.text())
        async with gateway.session.get(url) as answer:
            program = (answer.status, answer.content_type)

    assert person == (404, "<h1>Nothing here</h1>")
    assert program == (404, "application/problem+json")


async def test_headers_of_firebase_json_are_set(root: Path) -> None:
    """
    As Hosting sets them, but for HSTS, which would lock a laptop's plain HTTP.
    """
    (root / "firebase.json").write_text(
        '{"hosting": {"headers": [{"source": "**", "headers": ['
        '{"key": "Content-Security-Policy", "value": "default-src \'none\'"},'
        '{"key": "Strict-Transport-Security", "value": "max-age=1"}]}]}}'
    )
    async with (
        running_gateway(root, AWAY) as gateway,
        gateway.session.get(f"{gateway.url}/index.html") as answer,
    ):
        assert answer.headers["Content-Security-Policy"] == "default-src 'none'"
        assert "Strict-Transport-Security" not in answer.headers


@pytest.mark.parametrize("path", ["/", "/index.html", "/app.js", "/inbox", "/s/a/b"])
async def test_headers_are_those_of_production(root: Path, path: str) -> None:
    """
    What works under the local gateway is not refused by a policy of Hosting's.
    """
    ours = Path(__file__).parents[3] / "firebase.json"
    (root / "firebase.json").write_bytes(ours.read_bytes())
    expected = read_rules(ours).headers_for(path)
    del expected["Strict-Transport-Security"]  # would lock a laptop's plain HTTP
    of_files = {
        *("Accept-Ranges", "Content-Length", "Content-Type", "Date", "Etag"),
        *("Last-Modified", "Server", "Cache-Control"),
    }
    async with (
        running_gateway(root, AWAY) as gateway,
        gateway.session.get(gateway.url + path) as answer,
    ):
        served = dict(answer.headers)

    assert answer.status == 200
    assert served.items() >= expected.items()
    assert served.keys() - of_files == expected.keys() - of_files


async def test_an_unchanged_file_is_not_sent_again(root: Path) -> None:
    """
    Revalidation by ETag answers 304.
    """
    async with running_gateway(root, AWAY) as gateway:
        async with gateway.session.get(f"{gateway.url}/app.js") as answer:
            etag = answer.headers["ETag"]
        headers = {"If-None-Match": etag}
        async with gateway.session.get(
            f"{gateway.url}/app.js", headers=headers
        ) as again:
            assert again.status == 304


async def test_room_json_is_public_and_fresh(root: Path) -> None:
    """
    Anyone may read it from any page, and a cache keeps it for one second.
    """
    async with running_gateway(root, AWAY) as gateway:
        room = gateway.folder.objects / "live" / "s1" / "1"
        room.mkdir(parents=True)
        (room / "room.json").write_text("{}")
        async with gateway.session.get(f"{gateway.url}/live/s1/1/room.json") as answer:
            assert answer.status == 200
            assert answer.headers["Cache-Control"] == "public, max-age=1"
            assert answer.headers["Access-Control-Allow-Origin"] == "*"
            assert answer.content_type == "application/json"


async def test_a_playlist_comes_whole(root: Path) -> None:
    """
    A player that asks for a range gets all of it, never 416: it is rewritten each
    second.  Segments, which never change, come by ranges too.
    """
    async with running_gateway(root, AWAY) as gateway:
        folder = gateway.folder.objects / "live" / "s1"
        folder.mkdir(parents=True)
        for name in ("audio.m3u8", "7.ts"):
            (folder / name).write_bytes(b"#EXTM3U")

        async def ask(name: str, wanted: str) -> tuple[int, bytes]:
            url, headers = f"{gateway.url}/live/s1/{name}", {"Range": wanted}
            async with gateway.session.get(url, headers=headers) as answer:
                return answer.status, await answer.read()

        assert await ask("audio.m3u8", "bytes=100-") == (200, b"#EXTM3U")
        assert await ask("7.ts", "bytes=1-3") == (206, b"EXT")


@pytest.mark.parametrize(
    "path",
    [
        "/live/s1/1/missing.json",
        "/live/s1",
        "/live/",
        "/live/../../outside.txt",
        "/live/%2e%2e/%2e%2e/outside.txt",
        "/live/..%2f..%2foutside.txt",
        "/live/s1/1/.hidden",
    ],
)
async def test_only_objects_below_live_are_public(root: Path, path: str) -> None:
    """
    Folders, other files and odd names are 404, readable across origins.
    """
    async with running_gateway(root, AWAY) as gateway:
        hidden = gateway.folder.objects / "live" / "s1" / "1"
        hidden.mkdir(parents=True)
        (hidden / ".hidden").write_text("no")
        async with gateway.session.get(URL(gateway.url + path, encoded=True)) as answer:
            assert answer.status == 404


@pytest.mark.parametrize(
    ("host", "status"),
    [
        (HOST, 204),
        (f"{HOST.upper()}:8080", 204),
        ("127.0.0.1:8080", 204),
        ("LocalHost", 204),
        ("[::1]:8080", 204),
        ("rebound.example:8080", 404),
        ("127.0.0.1.rebound.example", 404),
        (f"{HOST}.rebound.example", 404),
        ("[::1", 404),
        ("[rebound]", 404),
        ("", 404),
    ],
)
async def test_local_pages_are_no_other_sites(
    root: Path, host: str, status: int
) -> None:
    """
    A page whose own name points here cannot read or run what is under /local/.
    """
    async with running_gateway(root, AWAY) as gateway:
        headers = {"Host": host}
        url = f"{gateway.url}/local/ready"
        async with gateway.session.get(url, headers=headers) as answer:
            assert answer.status == status
        async with gateway.session.get(
            f"{gateway.url}/app.js", headers=headers
        ) as public:
            assert public.status == 200


@pytest.mark.parametrize("path", ["/" + "x" * 300, "/views/" + "y/" * 2000])
async def test_a_name_that_no_file_can_have_is_404(root: Path, path: str) -> None:
    """
    However long: it is looked for in vain, and is no error of the gateway's.
    """
    async with (
        running_gateway(root, AWAY) as gateway,
        gateway.session.get(gateway.url + path) as answer,
    ):
        assert answer.status == 404
        assert answer.content_type == "application/problem+json"


async def test_a_target_with_a_host_reaches_the_functions(root: Path) -> None:
    """
    The absolute form, which every server must take (RFC 9112), is read as its path.
    """
    async with (
        serving(functions_app(echo)) as functions,
        running_gateway(root, functions) as gateway,
    ):
        port = URL(gateway.url).port
        reader, writer = await asyncio.open_connection("127.0.0.1", port)
        writer.write(
            b"GET http://other.example:1/v1/a?b=%20 HTTP/1.1\r\n"
            b"Host: 127.0.0.1\r\nConnection: close\r\n\r\n"
        )
        answered = await reader.read()
        writer.close()

        assert answered.startswith(b"HTTP/1.1 201 ")
        assert b'"path": "/v1/a?b=%20"' in answered


async def test_an_unexpected_error_is_a_problem(
    root: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    """
    500 in the same form as every other error, with nothing of the inside in it.
    """

    async def broken(*_: object) -> web.StreamResponse:
        raise RuntimeError("secret")

    monkeypatch.setattr(Hosting, "answer", broken)
    async with (
        running_gateway(root, AWAY) as gateway,
        gateway.session.get(f"{gateway.url}/app.js") as answer,
    ):
        assert answer.status == 500
        assert answer.content_type == "application/problem+json"
        assert b"secret" not in await answer.read()
