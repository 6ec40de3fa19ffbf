"""Which output of a query runs how: the contract function where it is enough, else row by row, else with windows."""

from __future__ import annotations

from collections.abc import Mapping
from functools import cached_property

from fraudstream.asaql.compiling import each_once
from fraudstream.asaql.plan import nodes
from fraudstream.asaql.plan.compiling import compile_text
from fraudstream.asaql.plan.split import OutputSplit, split
from fraudstream.asaql.strategies.closures import Closure, closure
from fraudstream.asaql.strategies.outputs import CONTRACT, LEVEL, ROWS, WINDOWS, Bindings, OutputRun
from fraudstream.asaql.strategies.project_query import canonical_text, output_topic
from fraudstream.core.contract.topics import TRANSACTIONS


def chosen_outputs(bound: Bindings, plan: nodes.Plan) -> tuple[OutputRun, ...]:
    """How each output of a plan runs."""
    choice = _Choice(bound, plan)
    return tuple(choice.run_of(name) for name in each_once(output.name for output in plan.outputs))


class _Choice:
    """Chooses the strategies of one query's outputs."""

    def __init__(self, bound: Bindings, plan: nodes.Plan) -> None:
        self._bound = bound
        self._plan = plan
        self._parts: dict[str, list[OutputSplit]] = {}
        for part in split(plan).outputs:
            self._parts.setdefault(part.name.casefold(), []).append(part)

    def run_of(self, name: str) -> OutputRun:
        topic, key = output_topic(self._bound.files, name), self._bound.key(name)
        other = self._bound.why_not_canonical(name) or self._why_not_contract(name, topic)
        if not other:
            return OutputRun(name, topic, key, CONTRACT)
        state = self._why_not_rows(name)
        return OutputRun(name, topic, key, WINDOWS, state) if state else OutputRun(name, topic, key, ROWS, other)

    def _why_not_contract(self, name: str, topic: str) -> str:
        parts = [output.step for output in self._plan.outputs if output.name.casefold() == name.casefold()]
        own = closure(self._plan, parts[0], self._bound.topic) if len(parts) == 1 else None
        is_canonical = own is not None and self._plan.level == LEVEL and own == self._canonical.get(topic)
        return "" if is_canonical else "its text is not the canonical one"

    @cached_property
    def _canonical(self) -> Mapping[str, Closure | None]:
        """The closures of the project's canonical query, by the outputs' topics; empty where there is no such query."""
        text = canonical_text(self._bound.project)
        if text is None:
            return {}
        plan = compile_text(text)
        return {output.name: closure(plan, output.step, lambda alias: alias) for output in plan.outputs}

    def _why_not_rows(self, name: str) -> str:
        """Why an output cannot be computed row by row; empty if it can."""
        for part in self._parts[name.casefold()]:
            if part.stateful:
                step = self._plan.steps[part.stateful[0]]
                return f"{step.name or 'a step'} keeps state"
            other = next((alias for alias in part.streams if self._bound.topic(alias) != TRANSACTIONS), None)
            if other is not None:
                return f"it reads {other}, which is not the topic {TRANSACTIONS}"
        return ""
