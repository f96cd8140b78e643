"""The Firebase app that the web client is: all of it is public."""

from dataclasses import dataclass


@dataclass(frozen=True, slots=True, kw_only=True)
class WebApp:
    """
    What Firebase's console shows of it.

    Args:
        recaptcha_site_key: Of reCAPTCHA Enterprise; None: no App Check tokens.
        vapid_key: Of web push; None: no pushes to browsers.
    """

    api_key: str
    app_id: str
    project_id: str
    sender_id: str
    recaptcha_site_key: str | None = None
    vapid_key: str | None = None

    def given(self) -> tuple[str, ...]:
        """Return what has to be there, and what is there of the rest."""
        needed = (self.api_key, self.app_id, self.project_id, self.sender_id)
        keys = (self.recaptcha_site_key, self.vapid_key)
        return (*needed, *(key for key in keys if key is not None))
