"""Groups: their keys, their windows, and which expressions of SELECT and HAVING are computed from them."""

from __future__ import annotations

from dataclasses import dataclass

from fraudstream.asaql.plan import nodes
from fraudstream.asaql.plan.faults import listed, refusal
from fraudstream.asaql.plan.nodes import Expr, Pos
from fraudstream.asaql.plan.types import type_of
from fraudstream.asaql.plan.walks import rebuilt


@dataclass(frozen=True, slots=True)
class Groups:
    """What a GROUP BY groups by."""

    keys: tuple[Expr, ...]
    windows: tuple[nodes.Window, ...]

    def grouped(self, expr: Expr, position: Pos) -> Expr:
        """The expression over keys and aggregates in place of rows.

        Raises :class:`~fraudstream.asaql.errors.QueryError` for a column that is neither key nor aggregate.
        """
        if isinstance(expr, nodes.Const | nodes.Time | nodes.WindowRecord):
            return expr
        if expr in self.keys:
            return self._slot(self.keys.index(expr))
        if isinstance(expr, nodes.Slot) and expr.kind == "aggregate":
            return expr
        if isinstance(expr, nodes.Field):
            return self._field(expr)
        if isinstance(expr, nodes.Row):
            raise refusal(
                "The whole row of a source stands in the SELECT of a GROUP BY: use Collect(), or TopOne() OVER "
                "(ORDER BY …).",
                position,
            )
        if isinstance(expr, nodes.Slot):
            raise refusal(
                "An OVER function in the SELECT of a GROUP BY is of one row, not of a group. Compute it in a step "
                "before, in WITH, or aggregate it.",
                position,
            )
        return rebuilt(expr, lambda part: self.grouped(part, position))

    def _slot(self, index: int) -> nodes.Slot:
        return nodes.Slot("key", index, static=type_of(self.keys[index]))

    def _field(self, field: nodes.Field) -> Expr:
        """The key that a column is, or a field of the record that is a key."""
        for index, key in enumerate(self.keys):
            if not isinstance(key, nodes.Field) or not set(key.sources) & set(field.sources):
                continue
            length = len(key.folded)
            if key.folded == field.folded:
                return self._slot(index)
            if key.folded == field.folded[:length]:
                return nodes.Member(self._slot(index), path=field.path[length:], pos=field.pos)
        name = ".".join(field.path)
        keys = [".".join(key.path) for key in self.keys if isinstance(key, nodes.Field)]
        hint = f" The keys are {listed(keys)}." if keys else ""
        raise refusal(
            f"The column {name} is neither a key of the GROUP BY nor in an aggregate. Add it to GROUP BY, or use an "
            f"aggregate such as MAX({name}).{hint}",
            field.pos,
        )
