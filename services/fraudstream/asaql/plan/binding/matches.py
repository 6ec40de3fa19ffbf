"""MATCH_RECOGNIZE, bound: pattern, conditions of its variables, measures."""

from __future__ import annotations

from collections.abc import Iterator
from dataclasses import dataclass, field
from typing import Literal, cast

from fraudstream.asaql.plan import nodes
from fraudstream.asaql.plan.binding.clauses import PARTITION, Clause, Lifted, Place
from fraudstream.asaql.plan.binding.expressions import bind
from fraudstream.asaql.plan.binding.lifting import span_ticks
from fraudstream.asaql.plan.binding.mentions import rewritten
from fraudstream.asaql.plan.binding.scopes import Scope, Shape
from fraudstream.asaql.plan.faults import listed, nearest, refusal
from fraudstream.asaql.plan.nodes import Column
from fraudstream.asaql.plan.types import type_of
from fraudstream.asaql.text import tree

_Function = Literal["first", "last", "min", "max"]
_FUNCTIONS = ("first", "last", "min", "max")
_NO_AGGREGATE = "MATCH_RECOGNIZE has First, Last, Min and Max of one field of a variable, such as Last(A.price)."
_NO_ANALYTIC = "Compute it in a step before, in WITH."
_DEFINE = Clause("DEFINE", _NO_AGGREGATE, _NO_ANALYTIC)
_MEASURES = Clause("MEASURES", _NO_AGGREGATE, _NO_ANALYTIC)


@dataclass(slots=True)
class _Variables:
    """The values of variables that conditions and measures use, each a slot; the pattern's names are ``known``."""

    known: dict[str, str]
    place: Place
    found: list[nodes.Variable] = field(default_factory=list)
    slots: dict[str, nodes.Expr] = field(default_factory=dict)

    def bound(self, expression: tree.Expression, clause: Clause, current: str, allowed: set[str]) -> nodes.Expr:
        """The expression of DEFINE or MEASURES; a field of the variable ``current`` alone is of the row under test."""

        def change(node: object) -> object | None:
            if isinstance(node, tree.Call):
                return self._call(node, clause, allowed)
            if isinstance(node, tree.Path) and len(node.parts) > 1 and self._variable(node.parts[0]):
                name = self._allowed(node.parts[0], allowed)
                if name.lower() == current.lower() and current:
                    return tree.Path(node.parts[1:], node.parts[1].position)
                return self._slot("last", name, node.parts[1:], node.position)
            return None

        place = Place(self.place.scope, clause, Lifted(), self.place.level, aliases=self.slots)
        return bind(rewritten(expression, change), place)

    def _variable(self, name: tree.Name) -> str | None:
        return self.known.get(name.text.lower())

    def _allowed(self, name: tree.Name, allowed: set[str]) -> str:
        if name.text.lower() not in allowed:
            reason = (
                f"{name.text} is defined later: a condition in DEFINE may use its own variable and those before it."
            )
            raise refusal(reason, name.position)
        return self._variable(name) or name.text

    def _call(self, call: tree.Call, clause: Clause, allowed: set[str]) -> tree.Path | None:
        name = call.name[0].text.lower()
        if len(call.name) > 1:
            return None
        if name == "classifier":
            if clause is not _MEASURES or call.arguments:
                raise refusal("Classifier() stands in MEASURES, without an argument.", call.position)
            return self._slot("classifier", None, (), call.position)
        if name not in _FUNCTIONS:
            return None
        argument = call.arguments[0] if len(call.arguments) == 1 else None
        if not isinstance(argument, tree.Path) or len(argument.parts) < 2:
            spelling = call.name[0].text
            raise refusal(f"{spelling} takes one field of a variable here, such as {spelling}(A.price).", call.position)
        if self._variable(argument.parts[0]) is None:
            variable = argument.parts[0]
            hint = nearest(variable.text, self.known.values()) or f" There are {listed(self.known.values())}."
            raise refusal(f"The pattern has no variable {variable.text}.{hint}", variable.position)
        variable_name = self._allowed(argument.parts[0], allowed)
        return self._slot(cast("_Function", name), variable_name, argument.parts[1:], call.position)

    def _slot(
        self,
        function: _Function | Literal["classifier"],
        name: str | None,
        path: tuple[tree.Name, ...],
        position: tree.Position,
    ) -> tree.Path:
        """A stand-in for a value of a variable: a name that no text can hold, and that is bound to the value's slot."""
        variable = nodes.Variable(function, name, tuple(part.text for part in path), pos=position)
        if variable not in self.found:
            self.found.append(variable)
        index = self.found.index(variable)
        stand_in = f"\0{index}"
        self.slots[stand_in] = nodes.Slot("aggregate", index, static="array" if function == "classifier" else None)
        return tree.Path((tree.Name(stand_in, position),), position)


def bound_match(match: tree.Match, step: int, scope: Scope, level: str) -> tuple[nodes.Match, Shape]:
    """The step of a MATCH_RECOGNIZE over a step's rows, and its measures.

    Raises :class:`~fraudstream.asaql.errors.QueryError` for variables that the pattern lacks or that are defined later,
    and for anything but First, Last, Min, Max of one field.
    """
    place = Place(scope, PARTITION, Lifted(), level)
    partition = tuple(bind(each, place) for each in match.partition)
    known = {name.text.lower(): name.text for name in _names(match.pattern)}
    variables = _Variables(known, place)
    definitions, allowed = [], set(known) - {each.name.text.lower() for each in match.definitions}
    for definition in match.definitions:
        name = definition.name.text
        if name.lower() not in known:
            hint = nearest(name, known.values()) or f" It has {listed(known.values())}."
            raise refusal(f"The pattern has no variable {name}.{hint}", definition.name.position)
        if name.lower() in allowed:
            raise refusal(f"The variable {name} is defined twice.", definition.name.position)
        allowed.add(name.lower())
        condition = variables.bound(definition.condition, _DEFINE, name, allowed)
        definitions.append(nodes.Definition(known[name.lower()], condition))
    measures = tuple(
        nodes.ExprItem(each.name.text, variables.bound(each.expression, _MEASURES, "", set(known)))
        for each in match.measures
    )
    node = nodes.Match(
        None,
        match.position,
        step,
        span_ticks(match.limit),
        partition,
        _pattern(match.pattern, known),
        tuple(variables.found),
        tuple(definitions),
        measures,
    )
    columns = tuple(Column(measure.name, type_of(measure.expr)) for measure in measures)
    return node, Shape(columns, is_open=False)


def _names(pattern: tree.Pattern) -> Iterator[tree.Name]:
    if isinstance(pattern, tree.PatternRow):
        if pattern.name is not None:
            yield pattern.name
    elif isinstance(pattern, tree.PatternRepeat):
        yield from _names(pattern.part)
    else:
        for part in pattern.parts if isinstance(pattern, tree.PatternSequence) else pattern.options:
            yield from _names(part)


def _pattern(pattern: tree.Pattern, known: dict[str, str]) -> nodes.Pattern:
    if isinstance(pattern, tree.PatternRow):
        return nodes.Pattern("row", known[pattern.name.text.lower()] if pattern.name else None)
    if isinstance(pattern, tree.PatternRepeat):
        return nodes.Pattern("repeat", parts=(_pattern(pattern.part, known),), quantifier=pattern.quantifier)
    if isinstance(pattern, tree.PatternSequence):
        return nodes.Pattern("sequence", parts=tuple(_pattern(part, known) for part in pattern.parts))
    return nodes.Pattern("choice", parts=tuple(_pattern(part, known) for part in pattern.options))
