"""Refusals of RPCs, with the status codes that Cloud Tasks gives."""

import grpc


class Refused(Exception):
    """
    An RPC that is answered with an error.

    Args:
        code: Its gRPC status.
    """

    def __init__(self, code: grpc.StatusCode, detail: str) -> None:
        super().__init__(detail)
        self.code = code
        self.detail = detail


def invalid(detail: str) -> Refused:
    """Return INVALID_ARGUMENT."""
    return Refused(grpc.StatusCode.INVALID_ARGUMENT, detail)


def not_found(detail: str = "Requested entity was not found.") -> Refused:
    """Return NOT_FOUND."""
    return Refused(grpc.StatusCode.NOT_FOUND, detail)


def precondition(detail: str) -> Refused:
    """Return FAILED_PRECONDITION."""
    return Refused(grpc.StatusCode.FAILED_PRECONDITION, detail)


def exists(detail: str = "Requested entity already exists") -> Refused:
    """Return ALREADY_EXISTS."""
    return Refused(grpc.StatusCode.ALREADY_EXISTS, detail)


def unimplemented(detail: str) -> Refused:
    """Return UNIMPLEMENTED: production has it, a laptop does not."""
    return Refused(grpc.StatusCode.UNIMPLEMENTED, detail)
