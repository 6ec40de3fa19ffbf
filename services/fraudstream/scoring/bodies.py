"""The shapes of requests and answers: from bytes to columns of checked features, from decisions to bytes.

Without pandas: to build a data frame would cost more than all else of a small request. Values are checked a column at
a time; only a column with a fault is read again, to name the row.
"""

from __future__ import annotations

import math
from collections.abc import Callable, Collection, Mapping, Sequence
from dataclasses import dataclass
from operator import itemgetter
from typing import Any, Literal

import numpy as np
import orjson

from fraudstream.core.contract.event import FEATURE_RULES, FEATURES, OPTIONAL_FEATURES
from fraudstream.core.contract.field_rules import FieldRule
from fraudstream.core.contract.limits import LARGEST_SINGLE
from fraudstream.core.errors import ModelError, ScoringRejected
from fraudstream.core.output.text import printable
from fraudstream.core.registry import LoadedModel
from fraudstream.scoring.repeated_names import has_each_name_once, require_names_once

Shape = Literal["data", "input_data", "Inputs", "dataframe_split", "dataframe_records"]
Columns = dict[str, list[Any]]

SCORE_SHAPES: tuple[Shape, ...] = ("data", "input_data", "Inputs", "dataframe_split", "dataframe_records")
INVOCATION_SHAPES: tuple[Shape, ...] = ("dataframe_split", "dataframe_records")

_TYPES = {"text": str, "int": int, "float": float, "bool": bool}
_NUMBER_TYPES = frozenset({int, float})
_LONGEST_SHOWN_VALUE = 60
_IN_SINGLE_PRECISION = f"a number of at most {LARGEST_SINGLE} either way"


@dataclass(frozen=True, slots=True)
class _Input:
    """What the values of a feature have to be: None as well, where it may be missing.

    A text that the project does not list is scored, as a missing one.
    """

    type: type
    is_optional: bool
    is_single: bool

    @classmethod
    def of(cls, rule: FieldRule) -> _Input:
        # The model computes in single precision. Where events may hold more, so may rows.
        is_single = rule.maximum is not None and rule.maximum <= LARGEST_SINGLE
        return cls(_TYPES[rule.kind], rule.name in OPTIONAL_FEATURES, is_single)


_INPUTS = {name: _Input.of(FEATURE_RULES[name]) for name in FEATURES}
_REQUIRED = tuple(name for name, feature in _INPUTS.items() if not feature.is_optional)
# A tuple, also of one feature.
_FEATURES_OF = itemgetter(*FEATURES) if len(FEATURES) > 1 else lambda row: (row[FEATURES[0]],)


@dataclass(frozen=True, slots=True)
class ScoringRequest:
    """A request that can be scored; ``columns`` maps each feature, in their order, to ``count`` values."""

    shape: Shape
    columns: Columns
    count: int


@dataclass(frozen=True, slots=True)
class ScoringAnswer:
    """An answer's JSON, its number of rows, and how many of them are alerts."""

    body: bytes
    rows: int
    alerts: int


def read_request(body: bytes, shapes: Collection[Shape] = SCORE_SHAPES) -> ScoringRequest:
    """Read a body of one of the ``shapes``.

    Raises :class:`ScoringRejected`, whose message names the faulty row (from 0) and field.
    """
    try:
        document = orjson.loads(body)
    except orjson.JSONDecodeError as error:
        raise ScoringRejected(f"The body of {len(body)} bytes is not JSON: {error}.") from None
    known = ", ".join(shapes)
    if not isinstance(document, dict):
        raise ScoringRejected(f"The body is {_shown(document)}; expected an object with one of {known}.")
    given = [shape for shape in SCORE_SHAPES if shape in document]
    if len(given) > 1:
        raise ScoringRejected(f"The body has {' and '.join(given)}; send the rows in one shape, one of {known}.")
    if not given or given[0] not in shapes:
        keys = _shown(sorted(document)) if document else "no key at all"
        raise ScoringRejected(f"The body has {keys}; expected one of {known}.")
    (shape,) = given
    path: tuple[str, ...] = (shape,)
    value, names = document[shape], len(document)
    rows: Sequence[Mapping[str, Any]] = ()
    if shape == "Inputs":
        if not isinstance(value, dict) or "WebServiceInput0" not in value:
            raise ScoringRejected(f"Inputs is {_shown(value)}; expected an object with WebServiceInput0.")
        path, value, names = ("Inputs", "WebServiceInput0"), value["WebServiceInput0"], names + len(value)
    if shape in ("input_data", "dataframe_split"):
        columns, count = _from_split(shape, value)
        names += len(value)
    else:
        columns, count = _from_rows(path[-1], value)
        rows = value
    for name, values in columns.items():
        _check_column(name, values)
    if not has_each_name_once(body, names, rows):
        require_names_once(body, path)
    return ScoringRequest(shape, columns, count)


def score(loaded: LoadedModel, request: ScoringRequest) -> ScoringAnswer:
    """Score a request with a loaded version. Raises :class:`ModelError` if that gives no usable scores."""
    if request.count == 0:
        return ScoringAnswer(_wrapped(request.shape, []), 0, 0)
    model = loaded.model
    threshold = float(model.threshold)
    scores = np.asarray(model.score_columns(request.columns), dtype=np.float64)
    if scores.shape != (request.count,) or not np.isfinite(scores).all():
        raise ModelError(
            f"Version {loaded.version} gave {scores.size} scores for {request.count} rows, or one that is no number. "
            "Promote another version: `fraudstream models promote`."
        )
    flagged = scores >= threshold
    alerts: list[int] = np.flatnonzero(flagged).tolist()
    if request.shape == "data":
        return ScoringAnswer(_wrapped("data", flagged.astype(np.int64).tolist()), request.count, len(alerts))
    records: list[dict[str, Any]] = [
        {"prediction": 0, "score": value, "threshold": threshold, "model_version": loaded.version, "reasons": []}
        for value in scores.tolist()
    ]
    if alerts:
        of_alerts = {name: [values[row] for row in alerts] for name, values in request.columns.items()}
        for row, reasons in zip(alerts, model.explain_columns(of_alerts), strict=True):
            records[row]["prediction"] = 1
            records[row]["reasons"] = reasons
    return ScoringAnswer(_wrapped(request.shape, records), request.count, len(alerts))


def _wrapped(shape: Shape, results: list[Any]) -> bytes:
    answer: Any = results
    if shape == "Inputs":
        answer = {"Results": {"WebServiceOutput0": results}}
    elif shape in INVOCATION_SHAPES:
        answer = {"predictions": results}
    # The model's own code makes the contributions, which may be numpy numbers.
    return orjson.dumps(answer, option=orjson.OPT_SERIALIZE_NUMPY)


def _from_rows(key: str, rows: Any) -> tuple[Columns, int]:
    if not isinstance(rows, list):
        raise ScoringRejected(f"{key} is {_shown(rows)}; expected a list of rows.")
    if not rows:
        return {name: [] for name in FEATURES}, 0
    try:
        return dict(zip(FEATURES, map(list, zip(*map(_FEATURES_OF, rows), strict=True)), strict=True)), len(rows)
    except (KeyError, TypeError, IndexError):
        _require_rows(rows)
        return {name: [row.get(name) for row in rows] for name in FEATURES}, len(rows)


def _require_rows(rows: list[Any]) -> None:
    for number, row in enumerate(rows):
        if not isinstance(row, dict):
            raise ScoringRejected(f"row {number}: expected an object, got {_shown(row)}.")
        missing = [name for name in _REQUIRED if name not in row]
        if missing:
            raise ScoringRejected(f"row {number}: {missing[0]}: missing; a row has to have {', '.join(_REQUIRED)}.")


def _from_split(key: str, table: Any) -> tuple[Columns, int]:
    rows = table.get("data") if isinstance(table, dict) else None
    if not isinstance(rows, list):
        raise ScoringRejected(f"{key} is {_shown(table)}; expected an object with columns and data, both lists.")
    if not rows:
        return {name: [] for name in FEATURES}, 0
    names = table.get("columns")
    if not isinstance(names, list) or not all(isinstance(name, str) for name in names):
        raise ScoringRejected(f"{key}.columns is {_shown(names)}; expected a list of names.")
    for name, feature in _INPUTS.items():
        if name not in names and not feature.is_optional:
            raise ScoringRejected(f"{name}: missing from {key}.columns, which has to have {', '.join(_REQUIRED)}.")
        if names.count(name) > 1:
            raise ScoringRejected(f"{name}: stands more than once in {key}.columns; name each column once.")
    if set(map(type, rows)) != {list} or set(map(len, rows)) != {len(names)}:
        for number, row in enumerate(rows):
            if not isinstance(row, list):
                raise ScoringRejected(f"row {number}: expected a list, got {_shown(row)}.")
            if len(row) != len(names):
                raise ScoringRejected(f"row {number}: expected {len(names)} values, one a column; got {len(row)}.")
    columns = dict(zip(names, zip(*rows, strict=True), strict=True))
    return {name: list(columns.get(name, [None] * len(rows))) for name in FEATURES}, len(rows)


def _check_column(name: str, values: Sequence[Any]) -> None:
    feature = _INPUTS[name]
    if feature.is_optional and None in values:
        given = [value for value in values if value is not None]
        if _is_good(feature, given):
            return
    elif _is_good(feature, values):
        return
    if feature.type is str:
        _refuse(name, values, "text", lambda value: type(value) is str)
    elif feature.type is bool:
        _refuse(name, values, "true or false", lambda value: type(value) is bool)
    else:
        _refuse(name, values, "a finite number", lambda value: type(value) in _NUMBER_TYPES)
        _refuse(name, values, _IN_SINGLE_PRECISION, lambda value: abs(value) <= LARGEST_SINGLE)


def _is_good(feature: _Input, values: Sequence[Any]) -> bool:
    """Whether all are what the input takes; False also where only a look at each of them tells."""
    if feature.type is str:
        try:
            "".join(values)  # faster than a look at the type of each value
        except TypeError:
            return False
        return True
    types = list(map(type, values))
    if types.count(feature.type) == len(types):
        # The parser gives integers of at most 64 bits, which are within the range of single precision.
        if feature.type is not float or not feature.is_single:
            return True
    elif feature.type is bool or not set(types) <= _NUMBER_TYPES:
        return False
    # No value is larger than the root of the sum of squares. If that is too large, the loop over the rows finds out
    # whether a value is: in the model's single precision it would be infinite.
    return not feature.is_single or math.hypot(*values) <= LARGEST_SINGLE


def _refuse(name: str, values: Sequence[Any], expected: str, is_good: Callable[[Any], bool]) -> None:
    """Raise :class:`ScoringRejected` for the first value that is not good, or missing where it must not be."""
    may_lack = _INPUTS[name].is_optional
    for number, value in enumerate(values):
        if not (value is None and may_lack) and not is_good(value):
            raise ScoringRejected(f"row {number}: {name}: expected {expected}, got {_shown(value)}.")


def _shown(value: Any) -> str:
    try:
        text = orjson.dumps(value).decode()
    except TypeError:
        # orjson reads values that are nested four times as deep as those that it writes.
        text = f"{'a list' if isinstance(value, list) else 'an object'} that is nested too deeply"
    return printable(text, _LONGEST_SHOWN_VALUE)
