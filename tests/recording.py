"""What the services and pages send to the document store, recorded by pymongo's own monitoring, without values."""

from __future__ import annotations

from collections.abc import Iterator, Mapping
from contextlib import contextmanager
from typing import Any

from pymongo import monitoring

# The driver's own: connecting, and cursors that go on.
_DRIVERS_OWN = frozenset(("hello", "ismaster", "ping", "endSessions", "getMore", "killCursors", "buildInfo"))
_ENVELOPE = frozenset(("lsid", "$clusterTime", "$db", "$readPreference", "batchSize", "maxTimeMS"))
# Contents that say what an operation asks for; everything else is data.
_KEPT = frozenset(("sort", "projection", "indexes", "key"))


class Recorder(monitoring.CommandListener):
    """Collects the shape of every command, each once, with the step that sent it."""

    def __init__(self) -> None:
        self.step = ""
        self.commands: list[dict[str, Any]] = []

    def started(self, event: monitoring.CommandStartedEvent) -> None:
        if not self.step or event.command_name in _DRIVERS_OWN:
            return
        entry = {"from": self.step, "command": shape(event.command)}
        operations = [len(event.command[name]) for name in ("documents", "updates", "deletes") if name in event.command]
        if operations:
            entry["operations"] = max(operations)
        if entry not in self.commands:
            self.commands.append(entry)

    def succeeded(self, event: monitoring.CommandSucceededEvent) -> None:
        """Nothing: only what is asked for counts."""

    def failed(self, event: monitoring.CommandFailedEvent) -> None:
        """Nothing."""

    @contextmanager
    def of(self, step: str) -> Iterator[None]:
        """Record what is sent in here as sent by ``step``."""
        self.step = step
        try:
            yield
        finally:
            self.step = ""


def shape(command: Mapping[str, Any]) -> dict[str, Any]:
    """A command without its values: names, operators, sorts, projections and indexes stay."""
    outline: dict[str, Any] = {}
    for position, (name, value) in enumerate(command.items()):
        if name in _ENVELOPE:
            continue
        if position == 0 or name == "ordered":
            outline[name] = value
        elif name == "updates":
            outline[name] = [_update(value[0])]
        elif name == "documents":
            outline[name] = [dict.fromkeys(sorted(value[0]), "value")]
        elif name in _KEPT:
            outline[name] = _plain(value)
        else:
            outline[name] = _without_values(value)
    return outline


def _update(operation: Mapping[str, Any]) -> dict[str, Any]:
    content = operation["u"]
    operators = {name: _without_values(value) for name, value in content.items() if name.startswith("$")}
    return {
        "q": _without_values(operation["q"]),
        "u": operators or "document",
        "upsert": operation.get("upsert", False),
    }


def _without_values(value: Any) -> Any:
    if isinstance(value, Mapping):
        return {name: _without_values(inner) for name, inner in value.items()}
    if isinstance(value, list):
        # Stages and branches all count; of a list of values one stands for all.
        nested = [_without_values(element) for element in value if isinstance(element, Mapping)]
        return nested or ["value"] * bool(value)
    return "value"


def _plain(value: Any) -> Any:
    if isinstance(value, Mapping):
        return {name: _plain(inner) for name, inner in value.items()}
    return [_plain(element) for element in value] if isinstance(value, list) else value
