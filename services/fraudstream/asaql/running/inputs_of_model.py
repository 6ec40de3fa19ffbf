"""What a project's query computes for the model, of stored transactions: the same query in batch."""

from __future__ import annotations

from collections.abc import Iterator
from contextlib import contextmanager
from pathlib import Path

from fraudstream.asaql.compiling import Compiled, compiled_plan, plan_of
from fraudstream.asaql.running.bindings import JSON, Binding, listed, project_binding
from fraudstream.asaql.running.job import run_query
from fraudstream.asaql.running.report import OutputReport
from fraudstream.asaql.running.session import QuerySession, query_session
from fraudstream.asaql.strategies.computed_inputs import FEATURES_OUTPUT, features_plan
from fraudstream.asaql.strategies.project_query import input_topic, models_of, project_query
from fraudstream.asaql.strategies.pruning import ModelCalls, without_overwritten
from fraudstream.core.contract.topics import TRANSACTIONS
from fraudstream.core.errors import ConfigurationError
from fraudstream.core.project.project import Project

_NO_MODEL = ModelCalls(frozenset(), frozenset())


class InputsQuery:
    """The part of a project's query that computes the model's inputs.

    Raises :class:`QueryError` for what is not in the language, and where the model is not given the record of one step;
    :class:`ConfigurationError` where the query reads more than `transactions` and reference data in files.
    """

    def __init__(self, project: Project) -> None:
        files = project_query(project)
        plan = features_plan(project, files, plan_of(files), models_of(files))
        # Nothing reads where an event came from.
        self.compiled: Compiled = compiled_plan(files, without_overwritten(plan, {}, _NO_MODEL))
        others = [name for name in self.compiled.streams if input_topic(files, name) != TRANSACTIONS]
        if others:
            raise ConfigurationError(
                f"{files.query_file}: the model's inputs are computed from {listed(others)}, of which nothing is "
                f"stored. A training can compute them from {TRANSACTIONS} and reference data alone."
            )
        bindings = {name: project_binding(name, files) for name in self.compiled.references}
        self._references = {name: binding for name, binding in bindings.items() if binding is not None}
        if missing := [name for name in self.compiled.references if name not in self._references]:
            raise ConfigurationError(
                f"{files.query_file}: the reference data {listed(missing)} have no local file. Add a local input for "
                "them, as Inputs/Local_NAME.json."
            )

    def run(self, session: QuerySession, events: Path) -> OutputReport:
        """The inputs of the events in a file of JSON lines: the id, and what is computed, a row for each event.

        Events of one moment are taken in the order of the file. Raises :class:`QueryStopped` where an expression fails,
        :class:`FraudstreamError` where Spark does.
        """
        streams = {name: Binding(name, JSON, (events,)) for name in self.compiled.streams}
        report = run_query(session, self.compiled, {**streams, **self._references}, session.new_folder("inputs"))
        (output,) = (output for output in report.outputs if output.name == FEATURES_OUTPUT)
        return output


@contextmanager
def computed_inputs(project: Project, events: Path) -> Iterator[Iterator[bytes]]:
    """The rows of :meth:`InputsQuery.run` as JSON texts, by a Spark that ends with the block. Raises as that does."""
    query = InputsQuery(project)
    with query_session(has_scripts=bool(query.compiled.scripts)) as session:
        yield query.run(session, events).lines()
