"""The sources of a SELECT: FROM, joins with streams and with reference data, APPLY."""

from __future__ import annotations

from dataclasses import dataclass, field, replace
from typing import Literal, Protocol

from fraudstream.asaql.plan import nodes
from fraudstream.asaql.plan.binding.clauses import APPLY, ON, PARTITION, Lifted, Place
from fraudstream.asaql.plan.binding.expressions import bind
from fraudstream.asaql.plan.binding.joins import equal_pairs, join_bounds, sources_of
from fraudstream.asaql.plan.binding.mentions import mentioned_columns
from fraudstream.asaql.plan.binding.scopes import Scope, ScopeSource, Shape
from fraudstream.asaql.plan.faults import refusal
from fraudstream.asaql.plan.nodes import Column
from fraudstream.asaql.text import tree

_APPLIED = {
    "elements": Shape((Column("ArrayIndex", "bigint"), Column("ArrayValue", None)), is_open=False),
    "properties": Shape((Column("PropertyName", "nvarchar"), Column("PropertyValue", None)), is_open=False),
}


@dataclass(frozen=True, slots=True)
class Bound:
    """Rows to read: a step, what is known of its columns, and the input whose rows it gives unchanged, if it does.

    ``partition`` are the keys of a step that hands an input on; ``carried`` the columns, in lower case, by which a step
    is partitioned: they go on with its rows without being selected.
    """

    step: int
    shape: Shape
    input: str | None = None
    partition: tuple[tree.Expression, ...] = ()
    carried: tuple[str, ...] = ()


@dataclass(frozen=True, slots=True)
class Reference:
    """A reference input, as it is spelled where it is declared, and what a step makes of its rows."""

    input: str
    shape: Shape
    where: nodes.Expr | None = None
    project: tuple[nodes.Item, ...] = ()


class Relations(Protocol):
    """What FROM can read: the job's inputs and steps."""

    level: str

    def named(self, source: tree.NamedSource, /) -> Bound | Reference:
        """What a name means. Raises :class:`~fraudstream.asaql.errors.QueryError`."""

    def derived(self, query: tree.Query, /) -> Bound:
        """A query in parentheses."""


@dataclass(slots=True)
class From:
    """The bound sources of one SELECT, as they grow from left to right."""

    relations: Relations
    mentions: frozenset[str]
    siblings: frozenset[str]
    lifted: Lifted = field(default_factory=Lifted)
    sources: list[nodes.Source] = field(default_factory=list)
    scope: Scope = field(default_factory=lambda: Scope(()))
    partition: list[nodes.Expr] = field(default_factory=list)

    @property
    def place(self) -> Place:
        """A place that sees all sources so far."""
        return Place(self.scope, ON, self.lifted, self.relations.level, self.mentions, siblings=self.siblings)

    def first(self, source: tree.Source) -> None:
        """Add what FROM names first."""
        table = self._found(source)
        name = _name(source, table)
        if isinstance(table, Reference):
            reason = (
                f"{name} is reference data, which has no rows of its own in time. Join it: FROM stream JOIN {name} ON …"
            )
            raise refusal(reason, source.position)
        self.sources.append(nodes.StepSource(table.step, name))
        self._enter(source, table, "step")

    def join(self, join: tree.Join) -> None:
        """Add a join."""
        table = self._found(join.source)
        name = _name(join.source, table)
        self._enter(join.source, table, "reference" if isinstance(table, Reference) else "join", join.position)
        on = None if join.on is None else bind(join.on, self.place)
        index = len(self.sources)
        if isinstance(table, Reference):
            kind: Literal["inner", "left", "cross"] = join.kind
            pairs = equal_pairs(on, index)
            self.sources.append(nodes.ReferenceSource(kind, table.input, name, on, pairs, table.where, table.project))
            return
        if on is None or join.kind == "cross":
            raise refusal(
                f"{name} is a stream: CROSS JOIN takes reference data. Use JOIN … ON with DATEDIFF(unit, a, {name}) "
                "BETWEEN 0 AND n.",
                join.position,
            )
        self._refuse_untied(on, index, join)
        names = tuple(each.name for each in self.scope.sources)
        bounds = join_bounds(on, index, names, join.position)
        self.sources.append(
            nodes.JoinSource(
                join.kind,
                table.step,
                name,
                on,
                bounds.other,
                bounds.low,
                bounds.high,
                bounds.upper,
                equal_pairs(on, index),
            )
        )

    def _refuse_untied(self, on: nodes.Expr, index: int, join: tree.Join) -> None:
        """Refuse partitioned streams whose keys ``on`` does not equate: rows of different partitions never meet."""
        own = [key for key in self.partition if sources_of([key]) == {index}]
        others = [key for key in self.partition if index not in sources_of([key])]
        ties = [pair for pair in equal_pairs(on, index) if pair[0] in others and pair[1] in own]
        if own and others and not ties:
            raise refusal(
                "Both sides of the join have PARTITION BY, so ON must compare their keys: a.PartitionId = "
                "b.PartitionId.",
                join.position,
            )

    def apply(self, apply: tree.Apply) -> None:
        """Add an APPLY."""
        argument = bind(apply.argument, self.place.within(APPLY))
        name = apply.alias.text
        self.sources.append(nodes.ApplySource(apply.outer, apply.function, argument, name, pos=apply.position))
        self._add(ScopeSource(len(self.scope.sources), name, None, _APPLIED[apply.function], "apply"), apply.position)

    def _found(self, source: tree.Source) -> Bound | Reference:
        if isinstance(source, tree.DerivedSource):
            return self.relations.derived(source.query)
        return self.relations.named(source)

    def _enter(
        self, source: tree.Source, table: Bound | Reference, kind: str, position: tree.Position | None = None
    ) -> None:
        index = len(self.scope.sources)
        reads = source.name.text if isinstance(source, tree.NamedSource) else None
        origin = table.input if isinstance(table, Bound) else None
        has_alias = reads is None or source.alias is not None
        entry = ScopeSource(index, _name(source, table), reads, table.shape, kind, origin, has_alias)
        self._add(entry, position or source.position)
        partition = source.partition if isinstance(source, tree.NamedSource) else ()
        if isinstance(table, Bound):
            partition = partition or table.partition
        if isinstance(source, tree.NamedSource) and partition:
            if source.shards is not None and source.shards < 2:
                raise refusal("PARTITION BY … INTO takes a number of shards above 1. Leave it out.", source.position)
            alone = replace(self.place, scope=Scope((entry,)), clause=PARTITION)
            carried = table.carried if isinstance(table, Bound) and not table.shape.is_open else ()
            self.partition += [bind(each, alone) for each in partition if not _is_carried(each, table.shape, carried)]

    def _add(self, entry: ScopeSource, position: tree.Position) -> None:
        if any(entry.is_called(other.name) for other in self.scope.sources):
            reason = f"Two sources are called {entry.name}. Give each its own alias: FROM a AS x JOIN a AS y ON …"
            raise refusal(reason, position)
        self.scope = Scope((*self.scope.sources, entry))


def _name(source: tree.Source, table: Bound | Reference) -> str:
    if source.alias is not None:
        return source.alias.text
    if isinstance(source, tree.NamedSource):
        return source.name.text
    return f"query{table.step}" if isinstance(table, Bound) else "query"


def _is_carried(key: tree.Expression, shape: Shape, carried: tuple[str, ...]) -> bool:
    """Whether a key of PARTITION BY is that of the step before, which did not select it."""
    name = key.parts[-1].text if isinstance(key, tree.Path) else ""
    return name.lower() in carried and shape.column(name) is None


def bound_from(select: tree.Select, relations: Relations) -> From:
    """FROM and its joins. Raises :class:`~fraudstream.asaql.errors.QueryError`."""
    siblings = frozenset(item.alias.text.lower() for item in select.items if item.alias is not None)
    result = From(relations, mentioned_columns(select), siblings)
    result.first(select.source)
    for join in select.joins:
        if isinstance(join, tree.Join):
            result.join(join)
        else:
            result.apply(join)
    return result
