"""The simulators that the distribution brings: each makes the transactions of one project.

A simulator is a package here, which a project's ``[source] generator`` names, with a module of the same interface as
:class:`Simulator`.
"""

from __future__ import annotations

from collections.abc import Iterator
from datetime import datetime
from importlib import import_module
from pkgutil import iter_modules
from typing import Protocol, cast

from fraudstream.core.errors import ConfigurationError
from fraudstream.core.project.project import Project


class Simulator(Protocol):
    """Makes events as JSON, their ids ascending from ``first_id``; the seed and an id decide an event."""

    FIELDS: tuple[str, ...]

    def history(self, count: int, first_id: int, seed: int, now: datetime) -> Iterator[bytes]:
        """``count`` labelled events of the year before ``now`` (UTC); the same ones all through a day."""
        ...

    def live(self, count: int | None, first_id: int, seed: int) -> Iterator[bytes]:
        """``count`` events without labels (None: without end), each made at the moment at which it is asked for."""
        ...


def simulator_of(project: Project) -> Simulator:
    """The simulator that the project names.

    Raises :class:`ConfigurationError` where it names none, one that there is not, or one whose events have other
    fields than the project's.
    """
    name = project.definition.source.generator
    if name is None:
        raise ConfigurationError(
            f"The project {project.name!r} names no generator in `[source]` of its fraudstream.toml. "
            "`fraudstream replay --from FILE` sends a file's rows."
        )
    known = sorted(module.name for module in iter_modules(__path__) if module.ispkg)
    if name not in known:
        raise ConfigurationError(
            f"{project.folder / 'fraudstream.toml'}: source.generator is {name!r}. There are: {', '.join(known)}."
        )
    simulator = cast("Simulator", import_module(f"{__name__}.{name}"))
    lacking = sorted(set(simulator.FIELDS) - {rule.name for rule in project.rules})
    if lacking:
        raise ConfigurationError(
            f"{project.folder / 'fraudstream.toml'}: source.generator is {name!r}, whose events have fields that "
            f"event.schema.json has no property for: {', '.join(lacking)}. Give source.file instead, or leave both out."
        )
    return simulator
