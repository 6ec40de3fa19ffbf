"""What the Bicep templates read: hubs and collections from the code's own tables.

``python -m fraudstream.cloud.templates --check|--write [FILE]``; the file is ``azure/definitions.json`` by default.
"""

from __future__ import annotations

import argparse
import json
import sys
from collections.abc import Sequence
from pathlib import Path
from typing import Any

from fraudstream.core.documents import COLLECTIONS
from fraudstream.core.settings import profile_values
from fraudstream.core.topics import DAY_MS, TOPICS

FILE = Path("azure/definitions.json")
_NOTE = "Made from the code by `python -m fraudstream.cloud.templates --write`; change it there."


def definitions() -> dict[str, Any]:
    """Hubs with partitions and retention (hours), collections with shard key, indexes and TTL (seconds)."""
    partitions = int(profile_values("azure")["topic_partitions"])
    return {
        "note": _NOTE,
        "hubs": [
            {"name": topic.name, "partitions": partitions, "retentionHours": topic.retention_ms * 24 // DAY_MS}
            for topic in TOPICS
        ],
        "collections": [
            {
                "name": one.name,
                "shardKey": one.shard_key,
                # The service makes an index of its keys in this order; it has no directions.
                "indexes": [[field for field, _ in keys] for keys in one.indexes],
                # A list of one or none: the templates make an index of each.
                "ttlSeconds": [] if one.ttl_days is None else [one.ttl_days * 24 * 60 * 60],
            }
            for one in COLLECTIONS
        ],
    }


def text() -> str:
    """The file's content."""
    return json.dumps(definitions(), indent=2) + "\n"


def main(arguments: Sequence[str] | None = None) -> int:
    """The command; returns its exit status."""
    parser = argparse.ArgumentParser(prog="python -m fraudstream.cloud.templates", description=__doc__)
    mode = parser.add_mutually_exclusive_group(required=True)
    mode.add_argument("--check", action="store_true", help="exit with 1 when the file is stale")
    mode.add_argument("--write", action="store_true", help="write the file")
    parser.add_argument("file", type=Path, nargs="?", default=FILE)
    options = parser.parse_args(arguments)
    if options.write:
        options.file.write_text(text(), "utf-8")
        return 0
    if options.file.is_file() and options.file.read_text("utf-8") == text():
        return 0
    sys.stderr.write(f"{options.file} is stale. Run `python -m fraudstream.cloud.templates --write`.\n")
    return 1


if __name__ == "__main__":
    sys.exit(main())
