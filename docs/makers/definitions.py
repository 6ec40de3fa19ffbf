"""`azure/definitions.json`: the hubs and collections that the Bicep templates read, from the code's own tables."""

from __future__ import annotations

import json
from pathlib import Path

from fraudstream.cloud.templates import definitions

FILE = Path("azure/definitions.json")
_NOTE = "Made from the code by `python -m docs.makers --write`; change it there."


def generated(project: Path) -> dict[Path, str]:
    """The file as it should be."""
    return {project / FILE: json.dumps({"note": _NOTE} | definitions(), indent=2) + "\n"}
