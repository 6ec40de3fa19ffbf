"""The simulators that the distribution brings: each makes the transactions of one project.

A simulator is a package here, which a project's ``[source] generator`` names, with a module of the same interface as
:class:`Simulator`.
"""

from __future__ import annotations

from collections.abc import Iterator
from datetime import datetime
from importlib import import_module
from pkgutil import iter_modules
from typing import NamedTuple, Protocol, cast

from fraudstream.core.errors import ConfigurationError
from fraudstream.core.project.project import Project


class Outcome(NamedTuple):
    """What became of an event: ``label`` 1 for a fraud, with what it was part of, 0 for none; ``made_at`` is UTC."""

    id: int
    made_at: datetime
    label: int
    campaign: str | None


class Simulator(Protocol):
    """Makes events as JSON, their ids ascending from ``first_id``; the seed and an id decide an event.

    ``SEED`` is that of live traffic which nobody gave one: of a simulator whose history and live traffic are one line
    of time, the history's; None for a random one.
    """

    FIELDS: tuple[str, ...]
    SEED: int | None

    def history(self, count: int, first_id: int, seed: int, now: datetime) -> Iterator[bytes]:
        """``count`` labelled events of the year before ``now`` (UTC); the same ones all through a day."""
        ...

    def live(self, count: int | None, first_id: int, seed: int) -> Iterator[bytes]:
        """``count`` events without labels (None: without end), each made when it is asked for.

        Their times are the present, or go on where those of the ids before them end.
        """
        ...


class TimeLine(Simulator, Protocol):
    """A simulator whose history and live traffic are one line of time, on which ids are places."""

    def outcomes(self, first_id: int, seed: int) -> Iterator[Outcome]:
        """What becomes of the events from ``first_id`` on, ascending by time, without end."""
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
