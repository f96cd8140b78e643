"""The one error of this package: a gRPC status with the words production uses."""

import grpc


class StatusError(Exception):
    """
    Ends a call, or one write of a batch, with a status.

    Args:
        code: What the client library maps to its exception class.
        detail: The text that a developer reads; names the offending thing.
    """

    def __init__(self, code: grpc.StatusCode, detail: str) -> None:
        super().__init__(detail)
        self.code = code
        self.detail = detail

    @property
    def number(self) -> int:
        """Return the status as google.rpc.Code numbers it."""
        number: int = self.code.value[0]
        return number


def invalid(detail: str) -> StatusError:
    """Return the error for a request that no state of the data could satisfy."""
    return StatusError(grpc.StatusCode.INVALID_ARGUMENT, detail)


def precondition_failed(detail: str) -> StatusError:
    """Return the error for a request that the present state forbids."""
    return StatusError(grpc.StatusCode.FAILED_PRECONDITION, detail)


def aborted(detail: str) -> StatusError:
    """Return the error after which a client runs its transaction again."""
    return StatusError(grpc.StatusCode.ABORTED, detail)
