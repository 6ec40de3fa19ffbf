"""Projects that differ from the one in force by how the stream job runs their query."""

from __future__ import annotations

import shutil
from pathlib import Path

from fraudstream.asaql.template import query_text
from fraudstream.asaql.template.files import QUERY
from fraudstream.core.contract.event import PROJECT
from fraudstream.core.contract.topics import ALERTS
from fraudstream.core.project.outputs import QUERY_FOLDER

# Without alerts, each record gives one, as it did before the project's file was the job.
PLAIN = "plain"
# Scored events and alerts are computed row by row.
ROWS = "rows"
_BETWEEN = ";\n\n"


def variant_folder(folder: Path, variant: str) -> Path:
    """The project's folder for a variant, made below another one."""
    place = folder / f"{PROJECT.name}-{variant}"
    if not place.exists():
        shutil.copytree(PROJECT.folder, place)
        (place / QUERY_FOLDER).mkdir(exist_ok=True)
        (place / QUERY_FOLDER / QUERY).write_text(_text(variant), "utf-8")
    return place


def _text(variant: str) -> str:
    text = query_text(PROJECT)
    if variant == ROWS:
        return text.replace("System.Timestamp() AS scored_at", "DATEADD(second, 0, System.Timestamp()) AS scored_at")
    return _BETWEEN.join(select for select in text.split(_BETWEEN) if f"INTO {ALERTS}" not in select)
