"""One SELECT, bound: its sources, filter, groups, windows, columns."""

from __future__ import annotations

from dataclasses import dataclass, field, replace

from fraudstream.asaql.plan import nodes
from fraudstream.asaql.plan.binding.clauses import GROUP, HAVING, SELECT, WHERE, Place
from fraudstream.asaql.plan.binding.expressions import bind
from fraudstream.asaql.plan.binding.grouping import Groups
from fraudstream.asaql.plan.binding.scopes import Scope, Shape
from fraudstream.asaql.plan.binding.sources import From, Relations, bound_from
from fraudstream.asaql.plan.binding.windows import bound_windows
from fraudstream.asaql.plan.faults import refusal
from fraudstream.asaql.plan.functions import function, spelled
from fraudstream.asaql.plan.nodes import Column, Expr
from fraudstream.asaql.plan.types import type_of
from fraudstream.asaql.text import tree


@dataclass(slots=True)
class Columns:
    """The columns of a SELECT, as they are bound from left to right."""

    level: str
    items: list[nodes.Item] = field(default_factory=list)
    places: list[tree.Position] = field(default_factory=list)
    unnamed: int = 0
    _names: set[str] = field(default_factory=set)

    def add(self, item: tree.Item, place: Place) -> None:
        """Bind an item. A second column of the same name is left out, because the left one wins."""
        expression = item.expression
        if isinstance(expression, tree.Star):
            self._keep(_star(expression, place), expression.position)
            return
        bound = _item_value(item, place)
        name = item.alias.text if item.alias else self._own_name(expression, bound)
        if self.level == "1.0":
            name = name.lower()
        if name.lower() not in self._names:
            self._names.add(name.lower())
            self._keep(nodes.ExprItem(name, bound), expression.position)

    def _keep(self, item: nodes.Item, position: tree.Position) -> None:
        self.items.append(item)
        self.places.append(position)

    def _own_name(self, expression: tree.Expression, bound: Expr) -> str:
        if isinstance(expression, tree.Path):
            return expression.parts[-1].text
        if isinstance(expression, tree.Member):
            return expression.name.text
        if isinstance(expression, tree.SystemTimestamp):
            return "Timestamp"
        if isinstance(expression, tree.DoubleQuoted) and not isinstance(bound, nodes.Const):
            return expression.text
        called = _aggregate_name(expression)
        if called:
            count = 1 + sum(name.rstrip("0123456789") == called for name in self._names)
            return called if count == 1 else f"{called}{count}"
        self.unnamed += 1
        return f"expr{self.unnamed}"

    def shape(self, scope: Scope) -> Shape:
        """The columns of the result, as far as they are known."""
        shape = Shape(is_open=False)
        named: list[Column] = []
        for item in self.items:
            if isinstance(item, nodes.ExprItem):
                named.append(Column(item.name, type_of(item.expr)))
                continue
            shape, named = shape.with_columns(named), []
            if isinstance(item, nodes.SpreadItem):
                shape = replace(shape, is_open=True)
            else:
                shape = _with_star(shape, item, scope)
        return shape.with_columns(named)


def _aggregate_name(expression: tree.Expression) -> str:
    if not isinstance(expression, tree.Call) or len(expression.name) > 1:
        return ""
    called = function(expression.name[0].text)
    return called.name if called is not None and called.place == "aggregate" else ""


def _item_value(item: tree.Item, place: Place) -> Expr:
    """The value of a column; the alias of a source alone is its whole row."""
    expression = item.expression
    if isinstance(expression, tree.Path) and len(expression.parts) == 1:
        row = place.scope.row(expression.parts[0].text, by_alias=True)
        if row is not None:
            return row
    if not isinstance(expression, tree.DoubleQuoted):
        return bind(expression, place)
    column = bind(expression, replace(place, clause=replace(place.clause, quoted_is_column=True)))
    is_known = place.scope.knows(expression.text) or expression.text.lower() in place.mentions
    if item.alias is None or is_known or _reads_like_a_column(expression.text) or isinstance(column, nodes.Const):
        return column
    # A sentence with an alias is rather a text, unless a row has a column of that name.
    text = nodes.Const("nvarchar", expression.text, pos=expression.position)
    return nodes.Call("coalesce", (column, text), pos=expression.position)


def _reads_like_a_column(text: str) -> bool:
    return text.isidentifier() or text.startswith("[")


def _star(star: tree.Star, place: Place) -> nodes.Item:
    of = star.of
    if of is None:
        return nodes.StarItem(None)
    if isinstance(of, tree.Path) and len(of.parts) == 1:
        source = place.scope.source(of.parts[0].text)
        if source is not None and source.kind != "apply":
            return nodes.StarItem((source.index,))
        if source is not None:
            return nodes.SpreadItem(nodes.Row(source.index), pos=star.position)
    return nodes.SpreadItem(bind(of, place), pos=star.position)


def _with_star(shape: Shape, item: nodes.StarItem, scope: Scope) -> Shape:
    for source in scope.sources:
        if item.sources is not None and source.index not in item.sources:
            continue
        if source.kind == "apply":
            shape = shape.with_columns([Column(source.name, "record")])
        else:
            shape = replace(shape.with_columns(source.shape.columns), is_open=shape.is_open or source.shape.is_open)
    return shape


# --- GROUP BY


def _groups(select: tree.Select, place: Place) -> Groups:
    """The windows and keys of GROUP BY."""
    windows: list[nodes.Window] = []
    times, keys = [], []
    aliases = _group_aliases(select, place)
    inner = replace(place.within(GROUP), aliases=aliases)
    for item in select.group:
        if isinstance(item, tree.Window):
            if windows:
                raise refusal("GROUP BY takes one window. Use Windows(…) for several.", item.position)
            windows += bound_windows(item, place)
        elif isinstance(item, tree.SystemTimestamp):
            times.append(item)
        elif isinstance(item, tree.Number | tree.Text | tree.Null):
            raise refusal("A constant groups nothing. GROUP BY takes columns, not their places.", item.position)
        else:
            keys.append(bind(item, inner))
    if times and windows:
        keys.append(nodes.Time())
    if times and not windows:
        windows.append(nodes.Snapshot())
    if not windows:
        raise refusal(
            "A GROUP BY needs a window: add TumblingWindow(minute, 5), or System.Timestamp() for the rows of one time.",
            select.group[0].position,
        )
    return Groups(tuple(dict.fromkeys(keys)), tuple(windows))


def _group_aliases(select: tree.Select, place: Place) -> dict[str, Expr]:
    """What names in GROUP BY mean that no source has as a column: expressions of the same SELECT, by their aliases."""
    wanted = {item.parts[0].text.lower() for item in select.group if isinstance(item, tree.Path)}
    wanted |= {item.text.lower() for item in select.group if isinstance(item, tree.DoubleQuoted)}
    aliases = {}
    for item in select.items:
        name = item.alias.text.lower() if item.alias else ""
        is_column = place.scope.knows(name) or name in place.mentions
        if name in wanted and name not in aliases and not is_column:
            aliases[name] = bind(item.expression, place.within(GROUP))
    return aliases


# --- The whole SELECT


def bound_select(select: tree.Select, relations: Relations, name: str | None) -> tuple[nodes.Step, Shape]:
    """The step of a SELECT and the columns that it gives.

    Raises :class:`~fraudstream.asaql.errors.QueryError` for whatever the language does not take.
    """
    sources = bound_from(select, relations)
    place = sources.place
    where = None if select.where is None else bind(select.where, place.within(WHERE))
    groups = _groups(select, place) if select.group else None
    columns = Columns(relations.level)
    for item in select.items:
        clause = SELECT if groups else replace(SELECT, has_window=False)
        columns.add(item, place.within(clause))
    having = _having(select, place, columns, groups)
    if groups is None:
        _refuse_aggregates(sources)
        where = _both(where, having)
        step: nodes.Step = _plain(select, name, sources, where, columns)
    else:
        step = _grouped(select, name, sources, where, having, columns, groups)
    return step, columns.shape(sources.scope)


def _having(select: tree.Select, place: Place, columns: Columns, groups: Groups | None) -> Expr | None:
    if select.having is None:
        return None
    aliases: dict[str, Expr] = {}
    for item in columns.items:
        if isinstance(item, nodes.ExprItem) and not _is_key(item.name, place.scope, groups):
            aliases.setdefault(item.name.lower(), item.expr)
    return bind(select.having, replace(place.within(HAVING), aliases=aliases))


def _is_key(name: str, scope: Scope, groups: Groups | None) -> bool:
    """Whether a name means a source's column in HAVING: of groups a key, of rows one that is known."""
    if groups is None:
        return scope.knows(name)
    return any(isinstance(key, nodes.Field) and key.folded == (name.lower(),) for key in groups.keys)


def _both(first: Expr | None, second: Expr | None) -> Expr | None:
    if first is None or second is None:
        return first or second
    return nodes.Op("and", (first, second))


def _refuse_aggregates(sources: From) -> None:
    for aggregate in sources.lifted.aggregates:
        name = f"uda.{aggregate.name}" if aggregate.f == "uda" else spelled(aggregate.f)
        raise refusal(
            f"The aggregate {name} needs a GROUP BY with a window, such as GROUP BY TumblingWindow(minute, 5); over "
            "the last rows before each row: OVER (LIMIT DURATION(minute, 5)).",
            aggregate.pos,
        )


def _plain(select: tree.Select, name: str | None, sources: From, where: Expr | None, columns: Columns) -> nodes.Select:
    return nodes.Select(
        name,
        select.position,
        tuple(sources.sources),
        tuple(sources.lifted.analytics),
        where,
        tuple(columns.items),
        select.distinct,
        partition=tuple(sources.partition),
    )


def _grouped(
    select: tree.Select,
    name: str | None,
    sources: From,
    where: Expr | None,
    having: Expr | None,
    columns: Columns,
    groups: Groups,
) -> nodes.Aggregation:
    project: list[nodes.Item] = []
    for item, position in zip(columns.items, columns.places, strict=True):
        if isinstance(item, nodes.StarItem):
            raise refusal(
                "A star cannot stand in the SELECT of a GROUP BY. Name keys and aggregates; Collect() gives all rows "
                "of a group, TopOne() OVER (ORDER BY …) one of them.",
                position,
            )
        project.append(replace(item, expr=groups.grouped(item.expr, position)))
    bound_having = None
    if having is not None and select.having is not None:
        bound_having = groups.grouped(having, select.having.position)
    return nodes.Aggregation(
        name,
        select.position,
        tuple(sources.sources),
        tuple(sources.lifted.analytics),
        where,
        tuple(project),
        select.distinct,
        groups.keys,
        groups.windows,
        tuple(sources.lifted.aggregates),
        bound_having,
        partition=tuple(sources.partition),
    )
