"""Who signs in, where an address says it: ``scheme://user:password@host``, found in any text.

A text is gone through once, whatever it holds: senders of events shape what our logs repeat.
"""

from __future__ import annotations

import re

MASK = "********"

# What follows an address's `://`; in a text, white space and quotes end it.
ADDRESS = re.compile(r"(?<=://)[^\s'\"]+")

_USER = re.compile(r"[^:/?]*")
# The host ends the search, not the first @: people forget to escape an @ or a / inside a password.
_END = re.compile(r"@(?=[^@/?]+(?:[/?]|\Z))")


def without_credentials(match: re.Match[str]) -> str:
    """What ``ADDRESS`` has matched, with asterisks for each password; for the user without one: it may be a key."""
    text = match[0]
    shown: list[str] = []
    behind = start = 0
    while start >= 0:
        user = _USER.match(text, start)
        end = user.end() if user else start
        at = text.rfind("@", start, end)
        if at >= 0 and _END.match(text, at):
            signed_in, end = MASK if at > start else "", at
        elif text.startswith(":", end):
            password = _END.search(text, end + 1)
            if password is None:
                # Nor does one end behind any later address.
                break
            named, end = text[start:end], password.start()
            signed_in = f"{named}:{MASK}" if end > start + len(named) + 1 else f"{MASK if named else ''}:"
        else:
            signed_in = text[start:end]
        shown += [text[behind:start], signed_in]
        behind, start = end, _next(text, end)
    return "".join([*shown, text[behind:]])


def _next(text: str, at: int) -> int:
    """Where the next address begins behind its `://`; negative where there is none."""
    mark = text.find("://", at)
    return mark if mark < 0 else mark + 3
