"""Why the transport refuses to open a session."""

from spaces_contract.control import ControlError


class SdpRefused(Exception):
    """
    An offer was not accepted; nothing was allocated for it.

    Args:
        code: What the control API answers with.
        detail: For the caller: says what is wrong with the offer, quotes none of it.
    """

    def __init__(self, code: ControlError, detail: str) -> None:
        super().__init__(f"{code.value}: {detail}")
        self.code = code
        self.detail = detail
