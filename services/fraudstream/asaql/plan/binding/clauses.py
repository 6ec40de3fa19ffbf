"""Where an expression stands: what may be in it, and where what is lifted out of it goes."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass, field, replace
from typing import Protocol

from fraudstream.asaql.plan import nodes
from fraudstream.asaql.plan.binding.scopes import Scope, ScopeSource
from fraudstream.asaql.text import tree


@dataclass(frozen=True, slots=True)
class Clause:
    """A part of a SELECT, under the name that errors use, and what it may hold.

    ``no_aggregate``, ``no_analytic`` and ``no_user`` say why aggregates, analytic functions, and functions of the
    user's may not stand in it; empty if they may.
    """

    name: str
    no_aggregate: str = ""
    no_analytic: str = ""
    no_user: str = ""
    has_join_times: bool = False
    has_window: bool = False
    quoted_is_column: bool = False


SELECT = Clause("SELECT", has_window=True)
WHERE = Clause("WHERE", no_aggregate="WHERE filters rows before they are grouped: filter groups with HAVING.")
ON = Clause(
    "ON",
    no_aggregate="ON compares rows: aggregate in a step before, in WITH.",
    has_join_times=True,
)
GROUP = Clause(
    "GROUP BY",
    no_aggregate="A group key is computed from one row: group by an aggregate in a further step.",
    quoted_is_column=True,
)
HAVING = Clause("HAVING")
_ROWS_AS_THEY_COME = "Compute it in a step before, in WITH."
TIMESTAMP = Clause(
    "TIMESTAMP BY",
    no_aggregate="The time of an event comes from the event alone.",
    no_analytic="The time of an event comes from the event alone.",
    quoted_is_column=True,
)
PARTITION = Clause(
    "PARTITION BY",
    no_aggregate=_ROWS_AS_THEY_COME,
    no_analytic=_ROWS_AS_THEY_COME,
    quoted_is_column=True,
)
APPLY = Clause("APPLY", no_aggregate=_ROWS_AS_THEY_COME, quoted_is_column=True)
AGGREGATE = Clause(
    "an aggregate",
    no_aggregate="Aggregates are not nested: compute the inner one in a step before, in WITH.",
    quoted_is_column=True,
)
ANALYTIC = Clause(
    "an OVER function",
    no_aggregate="It sees the rows before they are grouped: aggregate in a step before, in WITH, and use it there.",
    no_analytic="OVER functions are not nested: compute the inner one in a step before, in WITH.",
    quoted_is_column=True,
)


@dataclass(slots=True)
class Lifted:
    """What is taken out of the expressions of one SELECT, each once."""

    analytics: list[nodes.Analytic] = field(default_factory=list)
    aggregates: list[nodes.Aggregate] = field(default_factory=list)

    def analytic(self, node: nodes.Analytic) -> nodes.Slot:
        """The slot of an analytic function."""
        if node not in self.analytics:
            self.analytics.append(node)
        return nodes.Slot("analytic", self.analytics.index(node), static=node.static)

    def aggregate(self, node: nodes.Aggregate) -> nodes.Slot:
        """The slot of an aggregate."""
        if node not in self.aggregates:
            self.aggregates.append(node)
        return nodes.Slot("aggregate", self.aggregates.index(node), static=node.static)


@dataclass(frozen=True, slots=True)
class Place:
    """All that the meaning of an expression depends on.

    ``mentions`` are the columns, in lower case, that the SELECT names without quotes; ``aliases`` the expressions that
    a name may mean if it is no column, by their names in lower case; ``hidden`` the sources that cannot be seen;
    ``siblings`` the aliases, in lower case, of the SELECT's columns, which its other columns cannot use.
    """

    scope: Scope
    clause: Clause
    lifted: Lifted
    level: str
    mentions: frozenset[str] = frozenset()
    aliases: Mapping[str, nodes.Expr] = field(default_factory=dict)
    hidden: tuple[ScopeSource, ...] = ()
    siblings: frozenset[str] = frozenset()

    def within(self, clause: Clause) -> Place:
        """The same sources in another clause; names are columns there, and no aliases."""
        return replace(self, clause=clause, aliases={})

    def within_first(self, clause: Clause) -> Place:
        """The first source alone, in another clause; the others are hidden."""
        first, *others = self.scope.sources
        return replace(self, clause=clause, scope=Scope((first,)), aliases={}, hidden=tuple(others))


class Binder(Protocol):
    """What gives an expression of the tree its meaning at a place."""

    def __call__(self, expression: tree.Expression, place: Place, /) -> nodes.Expr:
        """The bound expression. Raises :class:`~fraudstream.asaql.errors.QueryError`."""
