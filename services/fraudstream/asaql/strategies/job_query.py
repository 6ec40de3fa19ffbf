"""A project's query as its stream job runs it. What compiles a text is imported where there is one to compile."""

from __future__ import annotations

from collections.abc import Collection, Iterator
from dataclasses import dataclass, replace
from typing import TYPE_CHECKING

from fraudstream.asaql.project_files.folder import QueryProject
from fraudstream.asaql.strategies.outputs import (
    CANONICAL,
    CONTRACT,
    LEVEL,
    ROWS,
    WINDOWS,
    Bindings,
    OutputRun,
    Strategy,
)
from fraudstream.asaql.strategies.project_query import canonical_text, models_of, project_query
from fraudstream.core.contract.field_rules import leaves
from fraudstream.core.contract.topics import LABELS, REJECTED, SCORED, TRANSACTIONS, topics_of
from fraudstream.core.errors import ConfigurationError
from fraudstream.core.project.project import Project

if TYPE_CHECKING:
    from fraudstream.asaql.plan import nodes


@dataclass(frozen=True, slots=True)
class JobQuery:
    """A project's query as its stream job runs it; ``plan`` is None where the text is the canonical one.

    ``models``: the names behind ``udf.`` that are the model, in lower case.
    """

    project: Project
    files: QueryProject
    plan: nodes.Plan | None
    outputs: tuple[OutputRun, ...]
    models: frozenset[str]

    def named(self, strategy: Strategy) -> tuple[str, ...]:
        """The outputs that run so."""
        return tuple(output.name for output in self.outputs if output.strategy == strategy)

    @property
    def topics(self) -> tuple[str, ...]:
        """The topics that the job writes to, those of windows aside, each once; the gate's refusals go to one, too."""
        own = (output.topic for output in self.outputs if output.strategy != WINDOWS)
        return tuple(dict.fromkeys([*own, REJECTED]))

    @property
    def has_rows(self) -> bool:
        """Whether an output is computed row by row."""
        return bool(self.named(ROWS))

    @property
    def has_windows(self) -> bool:
        """Whether an output keeps state."""
        return bool(self.named(WINDOWS))

    @property
    def is_scored_with_state(self) -> bool:
        """Whether what is scored depends on the events before."""
        return any(output.topic == SCORED and output.strategy == WINDOWS for output in self.outputs)

    @property
    def is_plain(self) -> bool:
        """Whether each record gives one: what is scored or refused, by the contract function alone."""
        strategies = {output.topic: output.strategy for output in self.outputs}
        return strategies == {SCORED: CONTRACT, REJECTED: CONTRACT} and len(self.outputs) == len(strategies)

    @property
    def may_filter(self) -> bool:
        """Whether a record that keeps the contract may come out nowhere, or elsewhere than as scored."""
        return all(output.topic != SCORED or output.strategy != CONTRACT for output in self.outputs)

    @property
    def scores(self) -> bool:
        """Whether the model is asked at all."""
        if any(output.strategy == CONTRACT and output.topic != REJECTED for output in self.outputs):
            return True
        return self.plan is not None and any(True for _ in self._calls(self.plan))

    def _calls(self, plan: nodes.Plan) -> Iterator[tuple[int, nodes.UserCall]]:
        """The calls of the model for outputs that the contract function does not make."""
        from fraudstream.asaql.strategies.model_calls import model_calls, steps_of

        behind = steps_of(plan, (*self.named(ROWS), *self.named(WINDOWS)))
        yield from (call for call in model_calls(plan, self.models) if call[0] in behind)

    def as_rows(self) -> JobQuery:
        """The same query, with what the contract function does computed row by row: both have to give the same."""
        from fraudstream.asaql.compiling import plan_of

        outputs = (replace(output, strategy=ROWS) if output.strategy == CONTRACT else output for output in self.outputs)
        return replace(self, plan=self.plan or plan_of(self.files), outputs=tuple(outputs))

    def require_remote(self) -> None:
        """Raise :class:`QueryError` where a scorer elsewhere cannot answer: it gets the event's own fields alone."""
        if self.plan is None:
            return
        from fraudstream.asaql.errors import QueryError
        from fraudstream.asaql.strategies.model_calls import is_given_the_events_own, steps_of

        inputs = {rule.name: rule.path for rule in leaves(self.project.rules)}
        wanted = {name: inputs[name] for name in self.project.definition.model.inputs if name in inputs}
        in_windows = steps_of(self.plan, self.named(WINDOWS))
        for step, call in self._calls(self.plan):
            # What the query computes is no event's own.
            is_own = not self.project.computed and is_given_the_events_own(self.plan, step, call, wanted)
            if step in in_windows or not is_own:
                line, column = call.pos or (1, 1)
                what = "is called for windows" if is_own else "is given something else than the event's own fields"
                raise QueryError(
                    f"udf.{call.name} {what}, and the scoring service answers for each event's own fields alone. Give "
                    "it a step that selects them as they are, or set FRAUDSTREAM_SCORING=embedded.",
                    line,
                    column,
                    str(self.files.query_file),
                )


def job_query(project: Project) -> JobQuery:
    """The query of a project, compiled, and how each of its outputs runs.

    Raises :class:`QueryError` for what is not in the language, at its place in the file, and
    :class:`ConfigurationError` for files that cannot be used.
    """
    files = project_query(project)
    return compiled_query(project, files)


def compiled_query(project: Project, files: QueryProject) -> JobQuery:
    """The same for a query of the project's that is read already."""
    models = models_of(files)
    bound = Bindings(project, files, models)
    if files.text == canonical_text(project) and files.job.level == LEVEL and bound.are_canonical:
        # Nothing to compile: this is how most jobs start.
        outputs = tuple(OutputRun(name, name, bound.key(name), CONTRACT) for name in CANONICAL)
        return JobQuery(project, files, None, outputs, models)
    from fraudstream.asaql.compiling import plan_of
    from fraudstream.asaql.strategies.choosing import chosen_outputs
    from fraudstream.asaql.strategies.computed_inputs import require_computed

    plan = plan_of(files)
    require_computed(project, files, plan, models)
    outputs = chosen_outputs(bound, plan)
    _require_topics(project, files, outputs)
    return JobQuery(project, files, plan, outputs, models)


def _require_topics(project: Project, files: QueryProject, outputs: Collection[OutputRun]) -> None:
    known = {topic.name for topic in topics_of(project)}
    for output in outputs:
        if output.topic in (TRANSACTIONS, LABELS):
            raise ConfigurationError(
                f"{files.query_file}: the output {output.name} goes to the topic {output.topic}, which others write "
                "and the jobs read. Name another hub in its file in Outputs."
            )
        if output.topic not in known:
            raise ConfigurationError(
                f"{files.query_file}: no file in Outputs describes the output {output.name}. Add "
                f"{files.folder / 'Outputs' / (output.name + '.json')}: its hub's topic is created from it."
            )
