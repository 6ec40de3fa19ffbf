"""Rules that the tree alone decides."""

from __future__ import annotations

from collections.abc import Callable, Iterator
from typing import Any

from fraudstream.asaql.plan.binding.mentions import every_node, mentioned_columns, paths_in
from fraudstream.asaql.plan.functions import function, spelled
from fraudstream.asaql.plan.lint.findings import Finding
from fraudstream.asaql.text import tree

_COMPARISONS = ("=", "<>", "<", "<=", ">", ">=")
_PER_KEY = ("lag", "last", "isfirst", "sum", "avg", "min", "max", "count")


def text_findings(job: tree.Job) -> Iterator[Finding]:
    """What the tree shows."""
    for node in every_node(job):
        for rule in _OF_NODES.get(type(node), ()):
            yield from rule(node)
    yield from _unused_steps(job)
    yield from _outputs(job)


def found(rule: str, position: tuple[int, int], message: str) -> Finding:
    """A finding at a place."""
    return Finding(*position, rule, message)


# --- Expressions


def _case(case: tree.Case) -> Iterator[Finding]:
    if case.otherwise is None:
        yield found("QL006", case.position, "CASE has no ELSE: write ELSE NULL, or the value that is meant.")


def _null(binary: tree.Binary) -> Iterator[Finding]:
    if binary.operator in _COMPARISONS and (isinstance(binary.left, tree.Null) or isinstance(binary.right, tree.Null)):
        yield found("QL014", binary.position, f"{binary.operator} NULL is never true: write IS NULL or IS NOT NULL.")


def _over(call: tree.Call) -> Iterator[Finding]:
    called = function(call.name[0].text) if len(call.name) == 1 else None
    if called is None or called.name not in _PER_KEY:
        return
    is_analytic = called.place == "analytic" or (call.over is not None and call.over.limit is not None)
    if is_analytic and (call.over is None or not call.over.partition):
        message = f"{called.spelling} has no PARTITION BY: it looks at the rows of all keys together."
        yield found("QL009", call.position, message)


def _hop(window: tree.HoppingWindow) -> Iterator[Finding]:
    same = window.size.unit.text.lower() == window.hop.unit.text.lower()
    if same and window.hop.amount > window.size.amount:
        yield found("QL015", window.position, "The hop is longer than the window: are the two in the right order?")


def _session(window: tree.SessionWindow) -> Iterator[Finding]:
    if window.maximum is None:
        yield found("QL025", window.position, "The session has no maximum duration: SessionWindow(unit, timeout, max).")


# --- SELECT


def _star(select: tree.Select) -> Iterator[Finding]:
    joins = [join for join in select.joins if isinstance(join, tree.Join)]
    for item in select.items:
        if joins and isinstance(item.expression, tree.Star) and item.expression.of is None:
            yield found("QL007", item.position, "SELECT * takes the columns of both sides of the join: name a.*, b.x.")


def _before_where(select: tree.Select) -> Iterator[Finding]:
    if select.where is None:
        return
    for node in every_node((*select.items, select.where, select.having, select.group)):
        if isinstance(node, tree.Call) and _is_over(node) and (node.over is None or node.over.when is None):
            name = spelled(node.name[0].text.lower())
            message = (
                f"{name} OVER also sees the rows that WHERE drops: put the condition into WHEN, or into a step before."
            )
            yield found("QL008", node.position, message)


def _is_over(call: tree.Call) -> bool:
    called = function(call.name[0].text) if len(call.name) == 1 else None
    if called is None:
        return False
    return called.place == "analytic" or (call.over is not None and call.over.limit is not None)


def _aliases(select: tree.Select) -> Iterator[Finding]:
    aliases = {item.alias.text.lower(): item for item in select.items if item.alias is not None}
    mentioned = mentioned_columns(select)
    for clause, place in ((select.group, "GROUP BY"), (select.having, "HAVING")):
        for path in paths_in(clause):
            name = path.parts[0].text
            item = aliases.get(name.lower())
            if item is None or len(path.parts) > 1 or (place == "GROUP BY" and name.lower() in mentioned):
                continue
            if not _is_column_itself(item, name):
                yield found("QL010", path.position, f"{name} in {place} is an alias of the same SELECT.")
    yield from _used_too_early(select, aliases)


def _used_too_early(select: tree.Select, aliases: dict[str, tree.Item]) -> Iterator[Finding]:
    """Names in SELECT and WHERE that are meant as aliases, as far as the aliases' own expressions do not use them."""
    for name, item in aliases.items():
        if any(name == part.text.lower() for path in paths_in(item.expression) for part in path.parts):
            continue
        others = tuple(other.expression for other in select.items if other is not item)
        for part, place in ((others, "SELECT"), (select.where, "WHERE")):
            for path in paths_in(part):
                if len(path.parts) == 1 and path.parts[0].text.lower() == name:
                    message = f"{path.parts[0].text} in {place} is a column of the source, not the alias in SELECT."
                    yield found("QL021", path.position, message)


def _is_column_itself(item: tree.Item, name: str) -> bool:
    return isinstance(item.expression, tree.Path) and item.expression.parts[-1].text.lower() == name.lower()


def _columns(select: tree.Select) -> Iterator[Finding]:
    seen: set[str] = set()
    for item in select.items:
        name = _name(item)
        if name and name in seen:
            yield found("QL019", item.position, f"A column {name} stands further left: this one is left out.")
        seen.add(name)
        if not name and _is_unnamed(item.expression):
            yield found("QL023", item.position, "The column has no name: add AS and one.")


def _is_unnamed(expression: tree.Expression) -> bool:
    if isinstance(expression, tree.Call):
        called = function(expression.name[0].text) if len(expression.name) == 1 else None
        return called is None or called.place != "aggregate"
    named = tree.Path | tree.Star | tree.Member | tree.DoubleQuoted | tree.SystemTimestamp
    return not isinstance(expression, named)


def _partitions(select: tree.Select) -> Iterator[Finding]:
    sources = [select.source, *(join.source for join in select.joins if isinstance(join, tree.Join))]
    grouped = {path.parts[-1].text.lower() for path in paths_in(select.group)}
    joined = {
        path.parts[-1].text.lower()
        for join in select.joins
        if isinstance(join, tree.Join)
        for path in paths_in(join.on)
    }
    for source in sources:
        if not isinstance(source, tree.NamedSource):
            continue
        keys = [path.parts[-1].text for path in paths_in(source.partition)]
        for key in keys:
            if select.group and key.lower() not in grouped:
                message = (
                    f"{source.name.text} is partitioned by {key}, which GROUP BY lacks: one row for each partition."
                )
                yield found("QL004", source.position, message)
            elif len(sources) > 1 and not select.group and key.lower() not in joined:
                message = f"{source.name.text} is partitioned by {key}, which ON does not compare."
                yield found("QL004", source.position, message)


def _undocumented(select: tree.Select) -> Iterator[Finding]:
    if select.distinct:
        yield found("QL026", select.position, "SELECT DISTINCT is not in the reference: group by the columns.")
    if isinstance(select.source, tree.DerivedSource):
        message = "A query in FROM is not in the reference: make it a step of WITH."
        yield found("QL026", select.source.position, message)
    for join in select.joins:
        if isinstance(join, tree.Join) and join.kind == "cross":
            yield found("QL026", join.position, "CROSS JOIN is not in the reference: JOIN … ON 1 = 1.")


def _union(union: tree.Union) -> Iterator[Finding]:
    first, *others = (
        [_name(item) for item in query.items] for query in union.queries if isinstance(query, tree.Select)
    )
    if len(others) + 1 < len(union.queries) or not all(first):
        return
    for query, names in zip(union.queries[1:], others, strict=True):
        if len(names) == len(first) and all(names) and names != first:
            pairs = ", ".join(
                f"{theirs} as {ours}" for ours, theirs in zip(first, names, strict=True) if ours != theirs
            )
            yield found("QL016", query.position, f"The columns go by place: this half gives {pairs}.")


def _name(item: tree.Item) -> str:
    """The name of a column in lower case, as far as the text shows it."""
    expression = item.expression
    if item.alias is not None:
        return item.alias.text.lower()
    return expression.parts[-1].text.lower() if isinstance(expression, tree.Path) else ""


# --- The file


def _unused_steps(job: tree.Job) -> Iterator[Finding]:
    queries = {step.name.text.lower(): step.query for step in job.steps}
    used: set[str] = set()
    waiting: list[object] = list(job.queries)
    while waiting:
        for node in every_node(waiting.pop()):
            name = node.name.text.lower() if isinstance(node, tree.NamedSource) else ""
            if name in queries and name not in used:
                used.add(name)
                waiting.append(queries[name])
    for step in job.steps:
        if step.name.text.lower() not in used:
            yield found("QL011", step.name.position, f"No output reads the step {step.name.text}.")


def _outputs(job: tree.Job) -> Iterator[Finding]:
    seen: set[str] = set()
    for query in job.queries:
        first = query
        while isinstance(first, tree.Union):
            first = first.queries[0]
        name = first.into.text if first.into else "output"
        if name.lower() in seen:
            position = first.into.position if first.into else first.position
            yield found("QL012", position, f"The output {name} is written more than once: it gets the rows of all.")
        seen.add(name.lower())


_OF_NODES: dict[type, tuple[Callable[[Any], Iterator[Finding]], ...]] = {
    tree.Case: (_case,),
    tree.Binary: (_null,),
    tree.Call: (_over,),
    tree.HoppingWindow: (_hop,),
    tree.SessionWindow: (_session,),
    tree.Union: (_union,),
    tree.Select: (_star, _before_where, _aliases, _columns, _partitions, _undocumented),
}
