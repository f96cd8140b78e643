"""
An S3 that keeps objects in folders, as a process that can be killed.

    python -m tests.soak.store --port N --folder .local

Each bucket is a folder below the given one; a name is a path in it.
"""

import argparse
import hashlib
import sys
from collections.abc import Iterable
from datetime import UTC, datetime
from pathlib import Path
from typing import Final
from xml.sax.saxutils import escape

from aiohttp import web

MAX_OBJECT_BYTES: Final = 1 << 27
_PART: Final = ".part"  # what is being written; nobody sees it


class FolderS3:
    """The calls that obstore makes: objects one by one, lists, deletes by the list."""

    def __init__(self, root: Path) -> None:
        self._root = root

    def app(self) -> web.Application:
        """Return the server."""
        app = web.Application(client_max_size=MAX_OBJECT_BYTES)
        app.add_routes(
            [
                web.get("/{bucket}", self._list),
                web.post("/{bucket}", self._delete_many),
                web.put("/{bucket}/{name:.+}", self._put),
                web.post("/{bucket}/{name:.+}", self._put_in_parts),
                web.get("/{bucket}/{name:.+}", self._get),  # and HEAD
                web.delete("/{bucket}/{name:.+}", self._delete),
            ]
        )
        return app

    def _file(self, request: web.Request) -> Path:
        file = self._bucket(request) / request.match_info["name"]
        if ".." in file.parts:
            raise web.HTTPBadRequest
        return file

    def _bucket(self, request: web.Request) -> Path:
        return self._root / request.match_info["bucket"]

    async def _put(self, request: web.Request) -> web.Response:
        data = await request.read()
        file, number = self._file(request), request.query.get("partNumber")
        file.parent.mkdir(parents=True, exist_ok=True)
        part = _part(file, int(number or 0))
        part.write_bytes(data)
        if number is None:
            part.replace(file)  # whole, or not at all: a kill is between the two
        return web.Response(headers={"ETag": _etag(data)})

    async def _put_in_parts(self, request: web.Request) -> web.Response:
        """Begin, or end, what is too large for one request; one at a time of a name."""
        if "uploads" in request.query:
            return _xml(
                "<InitiateMultipartUploadResult><UploadId>1</UploadId>"
                "</InitiateMultipartUploadResult>"
            )
        file, told = self._file(request), await request.text()
        whole = _part(file, 0)
        numbers = range(1, told.count("<PartNumber>") + 1)
        whole.write_bytes(b"".join(_part(file, n).read_bytes() for n in numbers))
        whole.replace(file)
        for n in numbers:
            _part(file, n).unlink()
        return _xml(
            "<CompleteMultipartUploadResult><ETag>1</ETag>"
            "</CompleteMultipartUploadResult>"
        )

    async def _get(self, request: web.Request) -> web.Response:
        try:
            file = self._file(request)
            data, changed_s = file.read_bytes(), file.stat().st_mtime
        except (FileNotFoundError, IsADirectoryError, NotADirectoryError):
            raise web.HTTPNotFound from None
        when = datetime.fromtimestamp(changed_s, UTC)
        headers = {
            "ETag": _etag(data),
            "Last-Modified": when.strftime("%a, %d %b %Y %H:%M:%S GMT"),
        }
        return web.Response(body=data, headers=headers)

    async def _delete(self, request: web.Request) -> web.Response:
        self._file(request).unlink(missing_ok=True)
        return web.Response(status=204)

    async def _delete_many(self, request: web.Request) -> web.Response:
        text = await request.text()
        names = [part.partition("</Key>")[0] for part in text.split("<Key>")[1:]]
        for name in names:
            (self._bucket(request) / name).unlink(missing_ok=True)
        deleted = "".join(f"<Deleted><Key>{name}</Key></Deleted>" for name in names)
        return _xml(f"<DeleteResult>{deleted}</DeleteResult>")

    async def _list(self, request: web.Request) -> web.Response:
        prefix = request.query.get("prefix", "")
        files = list(_files(self._bucket(request), prefix))
        common: list[str] = []
        if delimiter := request.query.get("delimiter", ""):
            rest = {n.removeprefix(prefix): n for n, _ in files}
            folders = {each.split(delimiter)[0] for each in rest if delimiter in each}
            common = sorted(f"{prefix}{folder}{delimiter}" for folder in folders)
            files = [(n, f) for n, f in files if not n.startswith(tuple(common))]
        contents = "".join(_entry(name, file) for name, file in files)
        contents += "".join(
            f"<CommonPrefixes><Prefix>{escape(each)}</Prefix></CommonPrefixes>"
            for each in common
        )
        return _xml(
            "<ListBucketResult><IsTruncated>false</IsTruncated>"
            f"{contents}</ListBucketResult>"
        )


def _part(file: Path, number: int) -> Path:
    return file.with_name(f".{file.name}.{number}{_PART}")


def _files(bucket: Path, prefix: str) -> Iterable[tuple[str, Path]]:
    folder = bucket / prefix.rpartition("/")[0]
    for file in sorted(folder.rglob("*")):
        name = file.relative_to(bucket).as_posix()
        if name.startswith(prefix) and not name.endswith(_PART) and file.is_file():
            yield name, file


def _entry(name: str, file: Path) -> str:
    status = file.stat()
    when = datetime.fromtimestamp(status.st_mtime, UTC)
    return (
        f"<Contents><Key>{escape(name)}</Key><Size>{status.st_size}</Size>"
        f"<LastModified>{when:%Y-%m-%dT%H:%M:%S}.000Z</LastModified>"
        '<ETag>"1"</ETag></Contents>'
    )


def _etag(data: bytes) -> str:
    return f'"{hashlib.sha256(data).hexdigest()[:32]}"'


def _xml(body: str) -> web.Response:
    return web.Response(text=body, content_type="application/xml")


def main() -> None:
    """Serve until killed."""
    parser = argparse.ArgumentParser(description=__doc__)
    parser.add_argument("--port", type=int, required=True)
    parser.add_argument("--folder", type=Path, required=True)
    options = parser.parse_args()
    web.run_app(
        FolderS3(options.folder).app(),
        host="127.0.0.1",
        port=options.port,
        print=lambda *_: sys.stdout.flush(),
        access_log=None,
    )


if __name__ == "__main__":
    main()
