"""Why the embedded cloud does not start."""


class StartRefused(Exception):
    """
    Something that the person at the keyboard can mend; its text is one clear line.
    """
