"""`make up HOST=…`: a phone on the same network, over TLS."""

from pathlib import Path

from tests.phones import another_address, talk
from tests.running_stack import running_stack


async def test_a_phone_talks_and_listens_over_tls(
    chromium: str, tmp_path: Path
) -> None:
    """
    On another address the page has a secure context, so its microphone works, and a
    second phone hears what is said.
    """
    host = another_address()
    with running_stack(tmp_path, host=host) as stack:
        await talk(stack.url, chromium)

    assert stack.url.startswith(f"https://{host}:")
