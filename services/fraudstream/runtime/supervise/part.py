"""What the supervisor runs: a part, the command that starts it, and the condition that says it is ready."""

from __future__ import annotations

from collections.abc import Callable, Mapping, Sequence
from dataclasses import dataclass, field
from pathlib import Path


@dataclass(frozen=True, slots=True)
class Part:
    """A child process of the supervisor.

    ``ready`` returns True once the part does its work; it is asked again and again, must return within about a
    second and must not raise. ``after`` names the parts that have to be ready before this one is started, and ``held``
    says that it must not be started yet for another reason; it must not raise.
    ``failing`` says of a part that runs what it fails of again and again, in one line, None while it works; it must not
    raise either. ``prepare`` runs in the supervisor before each start (format a data folder, write a configuration).
    """

    name: str
    command: Sequence[str]
    ready: Callable[[], bool]
    env: Mapping[str, str] = field(default_factory=dict)
    ports: Sequence[int] = ()
    after: Sequence[str] = ()
    held: Callable[[], bool] = lambda: False
    prepare: Callable[[], None] | None = None
    ready_timeout_seconds: float = 120.0
    cwd: Path | None = None
    failing: Callable[[], str | None] = lambda: None
