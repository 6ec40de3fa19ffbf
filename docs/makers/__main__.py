"""``python -m docs.makers``."""

from __future__ import annotations

import sys

from docs.makers.command import main

if __name__ == "__main__":
    sys.exit(main())
