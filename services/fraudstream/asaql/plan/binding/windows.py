"""Windows of GROUP BY, in ticks and checked."""

from __future__ import annotations

from dataclasses import replace

from fraudstream.asaql.plan import nodes
from fraudstream.asaql.plan.binding.clauses import GROUP, Place
from fraudstream.asaql.plan.binding.expressions import bind
from fraudstream.asaql.plan.binding.lifting import span_ticks
from fraudstream.asaql.plan.faults import refusal
from fraudstream.asaql.plan.units import LONGEST, TICKS, unit
from fraudstream.asaql.text import tree

MOST_WINDOWS = 1_000_000
"""Hopping windows that one event may lie in: each gives rows of its own."""


def bound_windows(window: tree.Window, place: Place) -> tuple[nodes.Window, ...]:
    """The windows of an item of GROUP BY: one, or the members of Windows(…) with their labels.

    Raises :class:`~fraudstream.asaql.errors.QueryError` for sizes that are not positive or above 7 days, and for labels
    that are not unique or given to some members only.
    """
    if not isinstance(window, tree.WindowSet):
        return (_single(window, place),)
    labels = [member.label for member in window.members]
    folded: set[str] = set()
    for member in window.members:
        if (member.label is None) != (labels[0] is None):
            raise refusal("Either all members of Windows(…) have a label, or none: Window('id', …).", member.position)
        if member.label is not None and member.label.lower() in folded:
            raise refusal(f"Two windows are labelled {member.label!r}; labels ignore case.", member.position)
        folded.add((member.label or "").lower())
    return tuple(replace(_single(member.window, place), id=member.label) for member in window.members)


def _single(window: tree.SingleWindow, place: Place) -> nodes.Window:
    if isinstance(window, tree.TumblingWindow):
        return nodes.Tumbling(_size(window.size), _offset(window.offset))
    if isinstance(window, tree.HoppingWindow):
        size, hop = _size(window.size), _size(window.hop)
        if size // hop > MOST_WINDOWS:
            raise refusal(
                f"Each event would lie in {size // hop:,} windows, and {MOST_WINDOWS:,} are the most. "
                "Write a longer hop.",
                window.hop.position,
            )
        return nodes.Hopping(size, hop, _offset(window.offset))
    if isinstance(window, tree.SlidingWindow):
        return nodes.Sliding(_size(window.size))
    if isinstance(window, tree.SessionWindow):
        keys = tuple(bind(each, place.within(GROUP)) for each in window.partition)
        return nodes.Session(_size(window.timeout), _size(window.maximum) if window.maximum else None, keys)
    return nodes.Snapshot()


def _size(span: tree.Span) -> int:
    ticks = span_ticks(span)
    if ticks > LONGEST:
        raise refusal(f"A window of {span.amount} {span.unit.text} is longer than 7 days, the most.", span.position)
    return ticks


def _offset(span: tree.Span | None) -> int:
    """The offset in ticks, which may be negative or zero."""
    if span is None or span.amount == 0:
        return 0
    sign = -1 if span.amount < 0 else 1
    return sign * _size(replace(span, amount=abs(span.amount))) if unit(span.unit.text) in TICKS else span_ticks(span)
