"""A champion that ``fraudstream train`` did not make: any MLflow model of the project's inputs behind one interface."""

from __future__ import annotations

import math
from collections.abc import Mapping, Sequence
from typing import TYPE_CHECKING, Any

from fraudstream.core.contract.event import FEATURE_RULES, FEATURES, OPTIONAL_FEATURES
from fraudstream.core.errors import ModelError

if TYPE_CHECKING:
    import numpy as np
    import pandas as pd
    from mlflow.models import ModelSignature

# What a model flags from, where neither a tag nor a metric of its version says otherwise.
DEFAULT_THRESHOLD = 0.5
THRESHOLD = "threshold"

# Which of MLflow's types each kind of field can be given as.
_WHOLE, _REAL = ("integer", "long"), ("float", "double")
_TYPES: Mapping[str, tuple[str, ...]] = {
    "int": _WHOLE + _REAL,
    "float": _REAL,
    "bool": ("boolean", *_WHOLE, *_REAL),
    "text": ("string",),
}
_ANY = "AnyType"
_DTYPES = {"integer": "int32", "long": "int64", "float": "float32", "double": "float64"}
# The columns of an answer that may hold the probability, the first one that is there.
_SCORE_COLUMNS = ("score", "probability", "prediction")


def misfit(signature: ModelSignature | None) -> str:
    """What of a model's signature does not fit the project's inputs, with the input's name; empty where all fits.

    A model without a signature fits until it is asked.
    """
    schema = None if signature is None else signature.inputs
    if schema is None:
        return ""
    if schema.is_tensor_spec() or not schema.has_input_names():
        return _misfit_without_names(schema)
    for column in schema.inputs:
        rule = FEATURE_RULES.get(column.name)
        if rule is None:
            if column.required:
                return f"{column.name}: the model needs it, and it is no input of the project ({', '.join(FEATURES)})"
            continue
        kind = _type_name(column)
        if kind == _ANY:
            continue
        if kind not in _TYPES[rule.kind]:
            return f"{column.name}: {kind} in the model's signature, {rule.expectation} in the project"
        if rule.name in OPTIONAL_FEATURES and kind in (*_WHOLE, "boolean"):
            return f"{column.name}: {kind} in the model's signature, and may be missing: log it as double"
    return ""


def _misfit_without_names(schema: Any) -> str:
    texts = [name for name in FEATURES if FEATURE_RULES[name].kind == "text"]
    if texts:
        return f"{texts[0]}: a text, and the model's signature has no names of inputs"
    count = schema.inputs[0].shape[-1] if schema.is_tensor_spec() else len(schema.inputs)
    if count in (-1, len(FEATURES)):
        return ""
    return f"{FEATURES[-1]}: the project has {len(FEATURES)} inputs, and the model's signature {count} columns"


def _type_name(column: Any) -> str:
    """``long`` and the like; the class's name for what is no plain type."""
    return str(getattr(column.type, "name", type(column.type).__name__))


class PlainModel:
    """A model whose ``predict`` takes a frame of the inputs and gives each row's probability of fraud.

    ``model`` is what MLflow loads as a pyfunc. Its answer is a list or an array, one of shape (n, 2) with the
    probability second, or a frame with a column ``score``, ``probability`` or ``prediction``. It gives no reasons.
    """

    def __init__(self, model: Any, threshold: float) -> None:
        schema = model.metadata.get_input_schema()
        is_named = schema is not None and not schema.is_tensor_spec() and schema.has_input_names()
        self._predict = model.predict
        self._types = {column.name: _type_name(column) for column in schema.inputs} if is_named else {}
        self.threshold = threshold

    def score_columns(self, columns: Mapping[str, Sequence[Any]]) -> np.ndarray:
        """Probability of fraud, float64, shape (n,). Raises :class:`ModelError` for an answer that is none."""
        import pandas as pd

        named = self._types or columns
        frame = pd.DataFrame({name: self._column(name, columns[name]) for name in columns if name in named})
        return _probabilities(self._predict(frame), len(frame))

    def explain_columns(self, columns: Mapping[str, Sequence[Any]], top: int = 3) -> list[list[dict[str, Any]]]:  # noqa: ARG002 - the interface's
        """No reasons for any row."""
        return [[] for _ in next(iter(columns.values()), ())]

    def _column(self, name: str, values: Sequence[Any]) -> pd.Series[Any]:
        """The values in the type of the signature, without one in the field's own; missing numbers are NaN."""
        import pandas as pd

        rule = FEATURE_RULES[name]
        if rule.kind == "text":
            return pd.Series(values, dtype=object)
        kind = self._types.get(name, _ANY)
        if kind == _ANY:
            kind = {"int": "long", "bool": "boolean"}.get(rule.kind, "double")
        missing = any(value is None for value in values)
        if kind == "boolean":
            return pd.Series(values, dtype=object if missing else bool)
        return pd.Series(values, dtype="float64" if missing and kind in _WHOLE else _DTYPES[kind])


def _probabilities(answer: Any, count: int) -> np.ndarray:
    import numpy as np
    import pandas as pd

    if isinstance(answer, pd.DataFrame):
        named = next((name for name in _SCORE_COLUMNS if name in answer.columns), None)
        answer = answer[named] if named is not None else answer
    scores = np.asarray(answer, dtype=np.float64)
    if scores.ndim == 2:
        # Of the two classes' probabilities the second is that of a fraud.
        scores = scores[:, -1]
    if (
        scores.shape != (count,)
        or not np.isfinite(scores).all()
        or scores.min(initial=0) < 0
        or scores.max(initial=0) > 1
    ):
        shown = np.array2string(scores.ravel()[:3], precision=3)
        raise ModelError(
            f"Its predict gives {shown} for {count} rows. Log a model that gives each row's probability of fraud, from "
            "0 to 1, or a frame with a column `score`."
        )
    return scores


def threshold_of(tags: Mapping[str, str], metrics: Mapping[str, float]) -> float:
    """The threshold that a version's tag or its run's metric names; 0.5 where none does.

    Raises :class:`ModelError` for a tag that is no number from 0 to 1.
    """
    text = tags.get(THRESHOLD)
    try:
        threshold = metrics.get(THRESHOLD, DEFAULT_THRESHOLD) if text is None else float(text)
    except ValueError:
        threshold = math.nan
    if not 0 <= threshold <= 1:
        raise ModelError(f"Its threshold is {text if text is not None else threshold!r}. Tag it with one from 0 to 1.")
    return threshold
