"""Files with secrets: readable by this user alone from their first byte on."""

from __future__ import annotations

import os
from pathlib import Path


def write(file: Path, content: bytes, *, new: bool = False) -> None:
    """Write the file, in the place of an earlier one unless it has to be ``new``. Raises ``OSError``."""
    flags = os.O_WRONLY | os.O_CREAT | (os.O_EXCL if new else os.O_TRUNC)
    with os.fdopen(os.open(file, flags, 0o600), "wb") as output:
        if not new:
            # What was there before may have been open to others.
            file.chmod(0o600)
        output.write(content)
