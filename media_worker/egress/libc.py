"""recvmmsg and sendmmsg, straight from the C library: many datagrams a system call."""

from typing import Any, Final

from cffi import FFI

_FFI: Final = FFI()
_FFI.cdef(
    """
    struct iovec { void *iov_base; size_t iov_len; };
    struct msghdr {
        void *msg_name; uint32_t msg_namelen;
        struct iovec *msg_iov; size_t msg_iovlen;
        void *msg_control; size_t msg_controllen;
        int msg_flags;
    };
    struct mmsghdr { struct msghdr msg_hdr; unsigned int msg_len; };
    int sendmmsg(int, struct mmsghdr *, unsigned int, int);
    int recvmmsg(int, struct mmsghdr *, unsigned int, int, void *);
    ssize_t sendto(int, const char *, size_t, int, const char *, uint32_t);
    """
)
# ABI mode on what the process has loaded: no compiler, on install or ever.
_LIBC: Final[Any] = _FFI.dlopen(None)


def pointer(address: int) -> Any:
    """Return memory at `address` as a `void *`."""
    return _FFI.cast("void *", address)


def address_of(data: Any) -> int:
    """Return the address of a pointer or array of this module."""
    return int(_FFI.cast("uintptr_t", data))


def message_headers(rows: int) -> tuple[Any, Any]:
    """
    Return (`struct mmsghdr[rows]`, `struct iovec[rows]`), each header on its vector.

    Names, bases and lengths are the caller's to fill; whoever holds the headers must
    hold the vectors too.
    """
    headers = _FFI.new("struct mmsghdr[]", rows)
    vectors = _FFI.new("struct iovec[]", rows)
    for row in range(rows):
        headers[row].msg_hdr.msg_iov = vectors + row
        headers[row].msg_hdr.msg_iovlen = 1
    return headers, vectors


def header_words(headers: Any) -> Any:
    """Return the headers as a writable buffer: 8 words of 64 bits in a row."""
    return _FFI.buffer(headers)


def send_many(descriptor: int, headers: Any, start: int, count: int) -> int:
    """
    Send `count` messages from row `start`; return how many the kernel took.

    Raises:
        OSError: it took none; `errno` says why.
    """
    sent = int(_LIBC.sendmmsg(descriptor, headers + start, count, 0))
    if sent < 0:
        raise OSError(_FFI.errno, "sendmmsg")
    return sent


def receive_many(descriptor: int, headers: Any, count: int) -> int:
    """
    Receive up to `count` messages without waiting; return how many came.

    None came, too, where there is an ICMP error about an earlier datagram to tell.
    """
    return max(0, int(_LIBC.recvmmsg(descriptor, headers, count, 0, _FFI.NULL)))


def send_one(descriptor: int, datagram: bytes, address: bytes) -> None:
    """
    Send one datagram to a raw socket address.

    Raises:
        OSError: the kernel did not take it.
    """
    size = len(datagram)
    if _LIBC.sendto(descriptor, datagram, size, 0, address, len(address)) < 0:
        raise OSError(_FFI.errno, "sendto")


def view(memory: bytearray) -> Any:
    """Return `memory` as a C array; it must outlive whoever uses the address."""
    return _FFI.from_buffer(memory)
