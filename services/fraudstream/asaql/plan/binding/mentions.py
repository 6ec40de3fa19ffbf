"""Walks over the tree of the text, and the columns that a query mentions."""

from __future__ import annotations

from collections.abc import Callable, Iterator
from dataclasses import fields, is_dataclass, replace
from typing import Any, cast

from fraudstream.asaql.plan.functions import function
from fraudstream.asaql.text import tree


def below(node: object) -> Iterator[object]:
    """The nodes directly below a node of the tree, in the order of the text."""
    if isinstance(node, tuple) and not isinstance(node, tree.Position):
        for each in node:
            yield from [each] if is_dataclass(each) else below(each)
    elif is_dataclass(node):
        for attribute in fields(node):
            value = getattr(node, attribute.name)
            yield from [value] if is_dataclass(value) else below(value)


def every_node(node: object) -> Iterator[object]:
    """A node and all nodes below it."""
    yield node
    for each in below(node):
        yield from every_node(each)


def rewritten(node: Any, change: Callable[[object], object | None]) -> Any:
    """A part of the text with nodes replaced by what ``change`` gives for them, from the top; None leaves a node."""
    if isinstance(node, tree.Position):
        return node
    if isinstance(node, tuple):
        return tuple(rewritten(each, change) for each in node)
    if not is_dataclass(node):
        return node
    changed = change(node)
    if changed is not None:
        return changed
    values = {attribute.name: rewritten(getattr(node, attribute.name), change) for attribute in fields(node)}
    return replace(cast("Any", node), **values)


def takes_date_part(call: tree.Call) -> bool:
    """Whether the first argument of a call is a date part and no column."""
    called = function(call.name[-1].text) if len(call.name) == 1 else None
    return called is not None and bool(call.arguments) and called.parameters[0].kind == "part"


def paths_in(node: object) -> Iterator[tree.Path]:
    """The paths in a part of the text, those of subqueries included; date parts are none."""
    if isinstance(node, tree.Path):
        yield node
    if isinstance(node, tree.Call) and takes_date_part(node):
        yield from (path for each in (*node.arguments[1:], node.over) for path in paths_in(each))
        return
    for each in below(node):
        yield from paths_in(each)


def mentioned_columns(select: tree.Select) -> frozenset[str]:
    """The names, in lower case, that the SELECT's own expressions take from rows; GROUP BY and HAVING do not count."""
    sources = [select.source, *(join.source for join in select.joins if isinstance(join, tree.Join))]
    times = [source.timestamp for source in sources if isinstance(source, tree.NamedSource)]
    conditions = [join.on if isinstance(join, tree.Join) else join.argument for join in select.joins]
    read = [*(item.expression for item in select.items), select.where, *times, *conditions]
    names = [name.text.lower() for part in read for path in paths_in(part) for name in path.parts[:2]]
    return frozenset(names)
