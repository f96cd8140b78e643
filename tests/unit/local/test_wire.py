"""The gRPC server's HTTP/2: what goes out for what comes in, byte for byte."""

import random
import struct
from collections.abc import Callable

import grpc
import pytest

from infra.local.wire import frames
from infra.local.wire.call import framed
from infra.local.wire.frames import ErrorCode, frame
from tests.wire_peer import (
    ECHO,
    LAST,
    MAX_MESSAGE,
    SLOW,
    STREAM,
    WHOLE,
    Frame,
    Peer,
    connect,
    data_of,
    window_update,
)


@pytest.fixture
async def raw() -> Peer:
    """A client that has not greeted yet."""
    return connect()


@pytest.fixture
async def peer(raw: Peer) -> Peer:
    """A client after the greetings."""
    raw.say(frames.PREFACE + frame(frames.SETTINGS, 0, 0))
    greeting = await raw.hear()
    assert [f.kind for f in greeting] == [
        frames.SETTINGS, frames.WINDOW_UPDATE, frames.SETTINGS,
    ]  # fmt: skip
    return raw


async def test_a_call_is_answered(peer: Peer) -> None:
    """
    Headers, the message, and trailers with the status.
    """
    peer.say(peer.open(ECHO, 1, b"hello"))

    headers, data, trailers = await peer.hear()

    assert peer.fields(headers)[":status"] == "200"
    assert peer.fields(headers)["content-type"] == "application/grpc"
    assert data == Frame(frames.DATA, 0, 1, framed(b"hello"))
    assert peer.fields(trailers) == {"grpc-status": "0"}
    assert trailers.flags & LAST


async def test_bytes_may_come_one_by_one(raw: Peer) -> None:
    """
    TCP keeps no boundaries.
    """
    sent = frames.PREFACE + frame(frames.SETTINGS, 0, 0) + raw.open(ECHO, 1, b"hello")
    for number in range(len(sent)):
        raw.say(sent[number : number + 1])

    assert data_of(await raw.hear()) == framed(b"hello")


async def test_headers_may_be_padded_weighted_and_continued(peer: Peer) -> None:
    """
    All that RFC 9113 allows around a header block is taken off.
    """
    block = peer.headers(ECHO)
    first = b"\x03" + b"\x00\x00\x00\x00\x10" + block[:4] + b"pad"
    flags = frames.PADDED | frames.PRIORITY
    data = b"\x02" + framed(b"hello") + b"xx"

    peer.say(
        frame(frames.HEADERS, flags, 1, first),
        frame(frames.CONTINUATION, 0, 1, block[4:9]),
        frame(frames.CONTINUATION, WHOLE, 1, block[9:]),
        frame(frames.DATA, frames.PADDED | LAST, 1, data),
    )

    assert data_of(await peer.hear()) == framed(b"hello")


async def test_each_call_reaches_its_own_method(peer: Peer) -> None:
    """
    Also when the same bytes mean another path, because the table moved on.
    """
    chosen = random.Random(5)
    names = [ECHO, *(f"/parley.Test/Unknown{n}" for n in range(70))]
    for stream in range(1, 801, 2):
        path = chosen.choice(names) if chosen.random() < 0.6 else names[stream % 3]
        peer.say(peer.open(path, stream, b"x"))

        heard = [f for f in await peer.hear() if f.kind == frames.HEADERS]

        ended = peer.fields(heard[-1])
        if path == ECHO:
            assert ended["grpc-status"] == "0"
        else:
            assert path in ended["grpc-message"]


async def test_no_more_is_sent_than_the_client_takes(peer: Peer) -> None:
    """
    Neither on one stream nor on all together; trailers wait for the data.
    """
    message, settings = b"m" * 100_000, frames.settings({frames.INITIAL_WINDOW_SIZE: 9})
    peer.say(frame(frames.SETTINGS, 0, 0, settings))
    peer.say(peer.open(ECHO, 1, message[:16_000]))
    first = data_of(await peer.hear())
    peer.say(window_update(1, 5))
    second = data_of(await peer.hear())
    settings = frames.settings({frames.INITIAL_WINDOW_SIZE: 200_000})
    peer.say(frame(frames.SETTINGS, 0, 0, settings))
    rest = await peer.hear()

    assert (len(first), len(second)) == (9, 5)
    assert first + second + data_of(rest) == framed(message[:16_000])
    assert rest[-1].flags & LAST


async def test_the_connections_window_is_shared(peer: Peer) -> None:
    """
    What one stream uses up another one waits for.
    """
    settings = frames.settings({frames.INITIAL_WINDOW_SIZE: 200_000})
    peer.say(frame(frames.SETTINGS, 0, 0, settings), peer.open(STREAM, 1))
    (chat,) = peer.chats
    for _ in range(6):
        chat.call.send(framed(b"a" * 10_000))
    peer.say(peer.open(ECHO, 3, b"b" * 16_000))
    first = await peer.hear()
    peer.say(window_update(0, 100_000))
    second = await peer.hear()

    assert len(data_of(first)) + len(data_of(first, 3)) == frames.DEFAULT_WINDOW
    assert data_of(first, 3) + data_of(second, 3) == framed(b"b" * 16_000)


async def test_large_messages_are_cut_into_frames(peer: Peer) -> None:
    """
    As large as the client takes them.
    """
    peer.say(peer.open(STREAM, 1))
    peer.chats[0].call.send(framed(b"a" * 40_000))

    heard = [f for f in await peer.hear() if f.kind == frames.DATA]

    assert [len(f.payload) for f in heard] == [16_384, 16_384, 40_005 - 2 * 16_384]


async def test_calls_wait_for_a_full_socket(peer: Peer) -> None:
    """
    And are told when there is room again.
    """
    peer.say(peer.open(STREAM, 1))
    (chat,) = peer.chats
    chat.call.send(framed(b"one"))
    await peer.hear()
    peer.connection.pause_writing()
    chat.call.send(framed(b"two"))
    assert not chat.call.ready
    assert await peer.hear() == []

    peer.connection.resume_writing()

    assert data_of(await peer.hear()) == framed(b"two")
    assert chat.call.ready
    assert chat.writable_count == 1


async def test_one_turn_is_one_system_call(peer: Peer) -> None:
    """
    Whatever the number of streams that say something in it.
    """
    for stream in range(1, 41, 2):
        peer.say(peer.open(STREAM, stream))
    await peer.hear()
    before = len(peer.transport.written)

    for chat in peer.chats:
        chat.call.send(framed(b"news"))
    await peer.hear()

    assert len(peer.chats) == 20
    assert len(peer.transport.written) == before + 1


async def test_several_messages_on_one_stream(peer: Peer) -> None:
    """
    Messages are told apart, whatever frames they come in.
    """
    sent = framed(b"one") + framed(b"") + framed(b"three" * 5_000)
    peer.say(peer.open(STREAM, 1))
    for start in range(0, len(sent), 7_000):
        peer.say(frame(frames.DATA, 0, 1, sent[start : start + 7_000]))

    assert peer.chats[0].heard == [b"one", b"", b"three" * 5_000]


async def test_an_abandoned_call_is_cancelled(peer: Peer) -> None:
    """
    By a reset of its stream, and by the end of the connection.
    """
    peer.say(peer.open(SLOW, 1, b"one"), peer.open(SLOW, 3, b"two"))
    peer.say(peer.open(STREAM, 5))
    await peer.hear()

    peer.say(frame(frames.RST_STREAM, 0, 1, struct.pack(">I", 8)))
    await peer.hear()
    assert peer.cancelled == [b"one"]
    peer.connection.connection_lost(None)
    await peer.hear()

    assert peer.cancelled == [b"one", b"two"]
    assert peer.chats[0].is_closed


REFUSED: dict[str, tuple[Callable[[Peer], bytes], grpc.StatusCode]] = {
    "an unknown method": (
        lambda peer: peer.open("/parley.Test/None", 1, b""),
        grpc.StatusCode.UNIMPLEMENTED,
    ),
    "a message that is too large": (
        lambda peer: (
            peer.open(STREAM, 1)
            + frame(frames.DATA, 0, 1, struct.pack(">BI", 0, MAX_MESSAGE + 1))
        ),
        grpc.StatusCode.INVALID_ARGUMENT,
    ),
    "a compressed message": (
        lambda peer: peer.open(STREAM, 1) + frame(frames.DATA, 0, 1, b"\1\0\0\0\1x"),
        grpc.StatusCode.UNIMPLEMENTED,
    ),
    "half a message": (
        lambda peer: peer.open(STREAM, 1) + frame(frames.DATA, LAST, 1, b"\0\0\0\0\2x"),
        grpc.StatusCode.INTERNAL,
    ),
    "no request": (
        lambda peer: frame(frames.HEADERS, WHOLE | LAST, 1, peer.headers(ECHO)),
        grpc.StatusCode.INTERNAL,
    ),
    "two requests": (
        lambda peer: (
            peer.open(ECHO, 1)
            + frame(frames.DATA, LAST, 1, framed(b"a") + framed(b"b"))
        ),
        grpc.StatusCode.INTERNAL,
    ),
}


@pytest.mark.parametrize("name", REFUSED)
async def test_refused_calls_leave_the_connection_open(peer: Peer, name: str) -> None:
    """
    The status says why; other calls go on.
    """
    sent, status = REFUSED[name]
    peer.say(sent(peer))
    ended = [f for f in await peer.hear() if f.kind == frames.HEADERS]
    peer.say(peer.open(ECHO, 3, b"hello"))

    assert peer.fields(ended[-1])["grpc-status"] == str(status.value[0])
    assert data_of(await peer.hear(), 3) == framed(b"hello")


async def test_a_long_detail_arrives_whole(peer: Peer) -> None:
    """
    Line breaks, percent signs and letters of any script included.
    """
    detail = "100 % nötig:\n" + "{}" * 500
    peer.say(peer.open(STREAM, 1))
    peer.chats[0].call.finish(grpc.StatusCode.FAILED_PRECONDITION, detail)

    told = peer.fields((await peer.hear())[0])["grpc-message"]

    assert told.startswith("100 %25 n%C3%B6tig:%0A{}")
    assert len(told) == len("100 %25 n%C3%B6tig:%0A") + 1_000


BROKEN: dict[str, tuple[bytes, ErrorCode]] = {
    "an even stream": (
        frame(frames.HEADERS, WHOLE, 2, b"\x83"),
        ErrorCode.PROTOCOL_ERROR,
    ),
    "data before headers": (
        frame(frames.DATA, 0, 1, b"x"),
        ErrorCode.PROTOCOL_ERROR,
    ),
    "a frame that is too large": (
        frame(frames.DATA, 0, 1, bytes(16_385)),
        ErrorCode.FRAME_SIZE_ERROR,
    ),
    "a header block that refers to nothing": (
        frame(frames.HEADERS, WHOLE, 1, b"\xfe"),
        ErrorCode.COMPRESSION_ERROR,
    ),
    "something else within headers": (
        frame(frames.HEADERS, 0, 1, b"\x83") + frame(frames.PING, 0, 0, bytes(8)),
        ErrorCode.PROTOCOL_ERROR,
    ),
    "headers that another stream continues": (
        frame(frames.HEADERS, 0, 1, b"\x83") + frame(frames.CONTINUATION, 0, 3, b""),
        ErrorCode.PROTOCOL_ERROR,
    ),
    "headers without end": (
        frame(frames.HEADERS, 0, 1, b"\x83")
        + frame(frames.CONTINUATION, 0, 1, bytes(16_384)) * 5,
        ErrorCode.ENHANCE_YOUR_CALM,
    ),
    "more padding than payload": (
        frame(frames.HEADERS, WHOLE | frames.PADDED, 1, b"\x09\x83"),
        ErrorCode.PROTOCOL_ERROR,
    ),
    "half a setting": (
        frame(frames.SETTINGS, 0, 0, bytes(5)),
        ErrorCode.FRAME_SIZE_ERROR,
    ),
    "a window beyond all bounds": (
        frame(frames.SETTINGS, 0, 0, frames.settings({4: 2**31})),
        ErrorCode.FLOW_CONTROL_ERROR,
    ),
    "frames without bounds": (
        frame(frames.SETTINGS, 0, 0, frames.settings({5: 2**24})),
        ErrorCode.PROTOCOL_ERROR,
    ),
    "a short ping": (frame(frames.PING, 0, 0, bytes(7)), ErrorCode.FRAME_SIZE_ERROR),
    "a promise": (
        frame(frames.PUSH_PROMISE, WHOLE, 1, bytes(4)),
        ErrorCode.PROTOCOL_ERROR,
    ),
}


@pytest.mark.parametrize("name", BROKEN)
async def test_whoever_breaks_the_protocol_is_sent_away(peer: Peer, name: str) -> None:
    """
    With the reason that RFC 9113 names.
    """
    sent, code = BROKEN[name]

    peer.say(sent)

    away = (await peer.hear())[-1]
    assert away.kind == frames.GOAWAY
    assert struct.unpack(">II", away.payload)[1] == code
    assert peer.transport.closed


async def test_another_protocol_is_sent_away(raw: Peer) -> None:
    """
    A browser that asks by HTTP/1 is not kept waiting.
    """
    raw.say(b"GET / HTTP/1.1\r\n")

    assert (await raw.hear())[-1].kind == frames.GOAWAY
    assert raw.transport.closed


async def test_pings_are_answered(peer: Peer) -> None:
    """
    Clients measure the path by them, and give up where no answer comes.
    """
    peer.say(frame(frames.PING, 0, 0, b"12345678"))

    assert await peer.hear() == [Frame(frames.PING, frames.ACK, 0, b"12345678")]


async def test_a_stopping_server_finishes_what_it_began(peer: Peer) -> None:
    """
    Requests that are whole are served, listeners are sent away, new calls refused.
    """
    peer.say(peer.open(SLOW, 1, b"begun"), peer.open(STREAM, 3))
    await peer.hear()

    peer.connection.stop()
    away, ended, *_ = await peer.hear()
    peer.say(peer.open(ECHO, 5, b"late"))
    refused = await peer.hear()
    assert not peer.transport.closed
    peer.slow.set()
    served = await peer.hear()

    assert away.kind == frames.GOAWAY
    assert peer.fields(ended)["grpc-status"] == "14"
    assert [f.kind for f in refused] == [frames.RST_STREAM]
    assert data_of(served) == framed(b"begun")
    assert peer.transport.closed
