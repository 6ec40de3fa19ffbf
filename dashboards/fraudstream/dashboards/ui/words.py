"""Fields, values and decisions in words."""

from __future__ import annotations

import calendar
import math
import re
from collections import Counter
from collections.abc import Iterable, Mapping
from typing import Any

from fraudstream.core.contract.event import AMOUNT, PROJECT, RULES
from fraudstream.core.contract.field_rules import as_double
from fraudstream.core.contract.rollups import ALL, AMOUNT_BIN, EDGES, HOUR, MONTH_OF_YEAR, TIME_DIMENSIONS, WEEKDAY
from fraudstream.core.output.distinct_names import DistinctNames
from fraudstream.core.output.text import printable
from fraudstream.dashboards.data.fields import NUMERIC, SHOWN_ENTITIES, STORED_RULES, VALUE_NAMES, VALUES
from fraudstream.dashboards.data.queries import Decision
from fraudstream.dashboards.ui.formats import NBSP, NOTHING, Formats

_DISPLAY = PROJECT.definition.display
CURRENCY = _DISPLAY.currency

_LONGEST_PLOTTED = 60
_LONGEST_ON_AXIS = 24
_LONGEST_PHRASE = 60
_LONGEST_NAME = 40
_LONGEST_CODE = 3
_LONG_EDGE = 1e9
_MOST_DECIMALS = 15
_SNAKE = re.compile(r"[a-z0-9]+(?:_[a-z0-9]+)*")
_MONTHS = tuple(calendar.month_name)[1:]
_DAYS = tuple(calendar.day_name)


def _readable(name: str) -> str:
    """A field's name as a label: ``merchant_group`` is ``Merchant group``, ``V14`` stays."""
    text = printable(" ".join(name.replace("_", " ").split()) or name, _LONGEST_NAME)
    return text[:1].upper() + text[1:]


def _labels() -> dict[str, str]:
    """What each field is called; where two would be called the same, by their names."""
    labels = {name: _DISPLAY.labels.get(name) or _readable(" ".join(rule.path)) for name, rule in STORED_RULES.items()}
    times = _times(labels.values())
    return {
        name: label if times[label.casefold()] == 1 else printable(name, _LONGEST_NAME)
        for name, label in labels.items()
    }


def _times(labels: Iterable[str]) -> Counter[str]:
    return Counter(label.casefold() for label in labels)


_LABELS = _labels()
# Labels that differ in the case of a letter alone keep it everywhere.
_ALIKE = frozenset(label for label in _LABELS.values() if _times(_LABELS.values())[label.casefold()] > 1)
DIMENSION_LABELS = {
    ALL: "All",
    **{name: _LABELS[name] for name in VALUES if name in _LABELS},
    HOUR: "Hour of day, UTC",
    WEEKDAY: "Day of week, UTC",
    MONTH_OF_YEAR: "Month, UTC",
    AMOUNT_BIN: _LABELS[AMOUNT],
}


def field_label(name: str) -> str:
    """What a field of an event, or of its document, is called."""
    return _LABELS.get(name) or _readable(name)


def with_unit(label: str, name: str) -> str:
    """A column's title with what its numbers count."""
    unit = _DISPLAY.units.get(name) or (CURRENCY if name == AMOUNT else "")
    return f"{label}, {unit}" if unit else label


def inside(label: str) -> str:
    """A label within a sentence: its first letter is small, unless the word has other capitals."""
    if label in _ALIKE:
        return label
    first = label.split(" ", 1)[0].rstrip(",.:")
    return label[:1].lower() + label[1:] if first.isalpha() and first[1:].islower() else label


def decimals(name: str) -> int:
    """How many decimals of a field's numbers are shown: two where the project does not say."""
    return _DISPLAY.decimals.get(name, 0 if STORED_RULES[name].kind == "int" else 2)


def money(amount: float | None, forms: Formats, digits: int | None = None) -> str:
    """An amount with its currency, if the project names one."""
    if amount is None or not math.isfinite(amount):
        return NOTHING
    text = forms.decimals(amount, decimals(AMOUNT) if digits is None else digits)
    return f"{text}{NBSP}{CURRENCY}" if CURRENCY else text


def verdict(*, fraud: bool, labelled: bool = False) -> str:
    """A decision in words; ``labelled``: it is a label of the history, no decision of the model."""
    return ("▲ Fraud" if fraud else "Legitimate") + (", labelled" if labelled else "")


def label(dimension: str, value: str) -> str:
    """A dimension's value as an axis shows it."""
    return _texts(dimension, value)[0]


def long_label(dimension: str, value: str) -> str:
    """The same within a sentence or a tooltip."""
    return _texts(dimension, value)[1]


def axis_labels(cells: Iterable[tuple[str, str]]) -> list[str]:
    """The labels of dimensions' values on one axis; none stands twice, because an axis has one place for each."""
    names = DistinctNames(" ·")
    return [
        names.given(plotly_text(label(dimension, value), _LONGEST_ON_AXIS if dimension not in EDGES else None))
        for dimension, value in cells
    ]


def _texts(dimension: str, value: str) -> tuple[str, str]:
    """A value on an axis and in a sentence."""
    if dimension in EDGES:
        return _bin(dimension, value)
    if dimension in TIME_DIMENSIONS:
        return _part_of_time(dimension, value)
    text = VALUE_NAMES.get(dimension, {}).get(_plain_number(value), "")
    if not text and dimension in RULES and RULES[dimension].kind in ("bool", "int"):
        return _unnamed(dimension, value)
    if not text:
        # Names of senders keep their capitals: `CASH_OUT`, `DE`.
        text = value.replace("_", " ").capitalize() if _SNAKE.fullmatch(value) else value
    return (text[:3] if is_calendar(dimension) and text in (*_MONTHS, *_DAYS) else text), text


def _unnamed(dimension: str, value: str) -> tuple[str, str]:
    """A boolean, or an integer that has no name of its own: they say little without their field."""
    called = inside(DIMENSION_LABELS[dimension])
    if RULES[dimension].kind == "int":
        return value, f"{called} {value}"
    return ("Yes", called) if value == "true" else ("No", f"not {called}")


def _plain_number(value: str) -> str:
    """An integer without leading zeros; any other text, even `²` or thousands of digits, as it is."""
    return str(int(value)) if value.isascii() and value.isdecimal() and len(value) <= 9 else value


def _part_of_time(dimension: str, value: str) -> tuple[str, str]:
    number = int(value) if value in VALUES[dimension] else None
    if number is None:
        return value, value
    if dimension == HOUR:
        return f"{number:02d}", f"{number:02d}:00–{number:02d}:59 UTC"
    name = _DAYS[number - 1] if dimension == WEEKDAY else _MONTHS[number - 1]
    return name[:3], name


def _bin(dimension: str, value: str) -> tuple[str, str]:
    """A bin's lower edge, which the last bin's name has with a plus, and its span."""
    edges, names = EDGES[dimension], VALUES[dimension]
    noun = "amounts" if dimension == AMOUNT_BIN else inside(DIMENSION_LABELS[dimension])
    if value not in names:
        return value, f"{noun} {value}"
    place = names.index(value)
    is_last = place == len(edges) - 1
    begin = _edge(edges[place])
    span = f"{begin}+" if is_last else f"{begin}–{_edge(edges[place + 1])}"
    unit = CURRENCY if dimension == AMOUNT_BIN else _DISPLAY.units.get(dimension, "")
    return f"{begin}+" if is_last else begin, f"{noun} {span}" + (f"{NBSP}{unit}" if unit else "")


def _edge(edge: float) -> str:
    """A bin's edge without a fraction that is none."""
    return str(int(edge)) if edge == int(edge) and abs(edge) < _LONG_EDGE else str(edge)


def is_calendar(dimension: str) -> bool:
    """Whether a dimension's values are the days of a week or the months of a year."""
    return dimension in _CALENDAR


def _is_calendar(dimension: str) -> bool:
    names = VALUE_NAMES.get(dimension, {})
    called = [names.get(value, value).capitalize() for value in VALUES[dimension]]
    return len(called) > 2 and (set(called) <= set(_MONTHS) or set(called) <= set(_DAYS))


_CALENDAR = frozenset(name for name in VALUES if name in RULES and _is_calendar(name)) | {WEEKDAY, MONTH_OF_YEAR}


def is_ordered(dimension: str) -> bool:
    """Whether the order of a dimension's values means something, so that a line between neighbours does."""
    return dimension in NUMERIC or is_calendar(dimension)


def axis_title(dimensions: Iterable[str]) -> str:
    """What stands at an axis of bins: of what they begin."""
    binned = [name for name in dimensions if name in EDGES]
    if not binned:
        return ""
    field = AMOUNT if binned[0] == AMOUNT_BIN else binned[0]
    return with_unit(f"{inside(DIMENSION_LABELS[binned[0]])} from", field)


def _has_column(name: str) -> bool:
    return is_calendar(name) or name in SHOWN_ENTITIES


# The two texts of few values that tell a transaction best: those of most values.
_TEXTS = sorted(
    (name for name in VALUES if name in RULES and RULES[name].kind == "text" and not _has_column(name)),
    key=lambda name: -(len(VALUES[name]) or 1_000),
)
SUMMARY: tuple[str, ...] = tuple(name for name in VALUES if name in _TEXTS[:2])
SUMMARY_TITLE = " · ".join(_LABELS[name] for name in SUMMARY)


def summary(fields: Mapping[str, Any]) -> str:
    """What was paid for and how, in words: the values of :data:`SUMMARY`."""
    return " · ".join(label(name, str(fields[name])) for name in SUMMARY if fields.get(name) is not None)


def plotly_text(text: str, longest: int | None = None) -> str:
    """Text for a figure's labels and tooltips: Plotly reads ``<`` as the beginning of a tag, so it is escaped."""
    shown = printable(text, longest or _LONGEST_PLOTTED)
    return shown.replace("&", "&amp;").replace("<", "&lt;").replace(">", "&gt;")


def reasons_in_words(decision: Decision, forms: Formats) -> str:
    """The fields that raised the score most, strongest first: ``Foreign transaction, amount 412.50, tech store``."""
    return reasons_of(decision.reasons, decision.features, forms)


def reasons_of(reasons: Iterable[tuple[str, float]], features: Mapping[str, Any], forms: Formats) -> str:
    """The same for the reasons and fields of a document."""
    phrases = [_phrase(name, features, forms) for name, _ in reasons]
    text = ", ".join(dict.fromkeys(phrases))
    return text[:1].upper() + text[1:]


def reasons_in_figures(reasons: Iterable[tuple[str, float]]) -> str:
    """The same with the contributions, in log-odds."""
    return "\n".join(f"{inside(field_label(name))}: {contribution:+.2f} log-odds" for name, contribution in reasons)


def _phrase(name: str, features: Mapping[str, Any], forms: Formats) -> str:
    rule, value = STORED_RULES.get(name), features.get(name)
    called = inside(field_label(name)) if rule else printable(name.replace("_", " "), _LONGEST_NAME)
    if value is None:
        return called
    if isinstance(value, bool):
        return called if value else f"not {called}"
    if rule is None or (rule.kind in ("int", "float") and as_double(value) is None):
        return f"{called} {printable(str(value), _LONGEST_PHRASE)}"
    if named := VALUE_NAMES.get(name, {}).get(str(value)):
        return named if is_calendar(name) else inside(named)
    if rule.kind in ("int", "float"):
        return f"{called} {number(name, value, forms)}"
    if is_calendar(name):
        return long_label(name, str(value))
    known = str(value) in VALUES.get(name, ()) or str(value) in rule.known_values
    text = printable(label(name, str(value)), _LONGEST_PHRASE)
    # A code such as `M` says nothing without its field.
    return inside(text) if known and len(text) > _LONGEST_CODE else f"{called} {text}"


def number(name: str, value: Any, forms: Formats) -> str:
    """A field's number with its unit, as short as the project wants it."""
    double = as_double(value)
    if double is None:
        return printable(str(value), _LONGEST_PHRASE)
    if name == AMOUNT:
        return money(double, forms)
    text = forms.decimals(double, decimals(name))
    unit = _DISPLAY.units.get(name)
    return f"{text}{NBSP}{unit}" if unit else text


def exact(name: str, value: Any, forms: Formats) -> str:
    """A field's value with all its digits, at least two decimals of a broken number."""
    if isinstance(value, bool):
        return "yes" if value else "no"
    if isinstance(value, float):
        _, _, behind = f"{value!r}".partition(".")
        digits = max(2, len(behind)) if "e" not in behind else 2
        return forms.decimals(value, digits) if digits <= _MOST_DECIMALS and abs(value) < 1e15 else repr(value)
    if name in VALUES and name not in EDGES:
        return long_label(name, str(value))
    return str(value)
