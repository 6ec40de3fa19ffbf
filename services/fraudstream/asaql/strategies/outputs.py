"""How the outputs of a project's query run, and what the query's names stand for."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass
from typing import Literal

from fraudstream.asaql.project_files.folder import QueryProject
from fraudstream.asaql.strategies.project_query import MODEL_FUNCTION, input_topic, output_key, output_topic
from fraudstream.core.contract.topics import ALERTS, REJECTED, SCORED, TRANSACTIONS
from fraudstream.core.project.project import Project

Strategy = Literal["contract", "rows", "windows"]
CONTRACT: Literal["contract"] = "contract"
ROWS: Literal["rows"] = "rows"
WINDOWS: Literal["windows"] = "windows"
LEVEL = "1.2"
_TOLD: Mapping[Strategy, str] = {
    CONTRACT: "by the contract function, in real time or in micro-batches",
    ROWS: "row by row, in real time or in micro-batches",
    WINDOWS: "in micro-batches of its own, with a checkpoint of its own",
}
CANONICAL = (SCORED, ALERTS, REJECTED)


@dataclass(frozen=True, slots=True)
class OutputRun:
    """How an output runs: ``contract``, by the function that checks and scores; ``rows``, row by row; ``windows``.

    ``key``: the column with the records' key, None for the project's own. ``why`` it is no simpler strategy.
    """

    name: str
    topic: str
    key: str | None
    strategy: Strategy
    why: str = ""

    @property
    def told(self) -> str:
        """How it runs, in words."""
        because = f" ({self.why})" if self.why else ""
        return f"{_TOLD[self.strategy]}{because}"


@dataclass(frozen=True, slots=True)
class Bindings:
    """What a query's names stand for."""

    project: Project
    files: QueryProject
    models: frozenset[str]

    def topic(self, alias: str) -> str:
        return input_topic(self.files, alias)

    def key(self, name: str) -> str | None:
        """The column of an output's key; None for the project's own, and for a rejected record's, its sender's."""
        key = output_key(self.files, name)
        event = self.project.definition.event
        is_rejected = output_topic(self.files, name) == REJECTED
        own = "key" if is_rejected else event.partition_key or event.id
        return None if key is None or key.lower() == own.lower() else key

    def why_not_canonical(self, name: str) -> str:
        """Why an output cannot be the contract function's, whatever its text is."""
        if output_topic(self.files, name) not in CANONICAL:
            return "it is an output of the project's own"
        if (key := self.key(name)) is not None:
            return f"its records have the key {key}"
        if self.project.computed and output_topic(self.files, name) != REJECTED:
            return f"the query computes inputs of the model, such as {self.project.computed[0].name}"
        return "" if MODEL_FUNCTION in self.models else f"udf.{MODEL_FUNCTION} is not the model"

    @property
    def are_canonical(self) -> bool:
        """Whether the names of the canonical query stand for what they are called."""
        own = all(output_topic(self.files, name) == name and not self.why_not_canonical(name) for name in CANONICAL)
        return own and self.topic(TRANSACTIONS) == TRANSACTIONS
