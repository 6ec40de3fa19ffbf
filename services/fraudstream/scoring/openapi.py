"""What /docs shows of the scoring endpoints: their bodies, with an example of each shape, and their answers."""

from __future__ import annotations

from typing import Any

from fraudstream.core.contract.event import FEATURE_RULES, FEATURES, OPTIONAL_FEATURES, plain_inputs
from fraudstream.core.contract.field_rules import FieldRule
from fraudstream.scoring.bodies import INVOCATION_SHAPES, SCORE_SHAPES, Shape

_EXAMPLE_ROW: dict[str, Any] = plain_inputs()
_EXAMPLE_TABLE = {"columns": list(FEATURES), "index": [0], "data": [[_EXAMPLE_ROW[name] for name in FEATURES]]}

_EXAMPLES: dict[Shape, tuple[str, dict[str, Any]]] = {
    "data": ("Rows; answered by a list of 0 and 1", {"data": [_EXAMPLE_ROW]}),
    "input_data": ("Azure ML; answered by a list of records", {"input_data": _EXAMPLE_TABLE}),
    "Inputs": ("Stream Analytics", {"Inputs": {"WebServiceInput0": [_EXAMPLE_ROW]}}),
    "dataframe_split": ("MLflow, columns and data", {"dataframe_split": _EXAMPLE_TABLE}),
    "dataframe_records": ("MLflow, rows", {"dataframe_records": [_EXAMPLE_ROW]}),
}

_TYPES = {"text": "string", "bool": "boolean", "int": "number", "float": "number"}


def _value_schema(rule: FieldRule) -> dict[str, Any]:
    """What a feature's value may be; of a text, the listed values as examples: others are scored as missing."""
    kind = _TYPES[rule.kind]
    schema: dict[str, Any] = {"type": [kind, "null"] if rule.name in OPTIONAL_FEATURES else kind}
    if rule.known_values:
        schema["examples"] = list(rule.known_values)
    return schema


_ROW_SCHEMA: dict[str, Any] = {
    "type": "object",
    "required": [name for name in FEATURES if name not in OPTIONAL_FEATURES],
    "properties": {name: _value_schema(FEATURE_RULES[name]) for name in FEATURES},
}
_ROWS_SCHEMA: dict[str, Any] = {"type": "array", "items": _ROW_SCHEMA}
_TABLE_SCHEMA: dict[str, Any] = {
    "type": "object",
    "required": ["columns", "data"],
    "properties": {
        "columns": {"type": "array", "items": {"type": "string"}},
        "index": {"type": "array", "items": {}},
        "data": {"type": "array", "items": {"type": "array", "items": {}}},
    },
}
_INPUTS_SCHEMA: dict[str, Any] = {
    "type": "object",
    "required": ["WebServiceInput0"],
    "properties": {"WebServiceInput0": _ROWS_SCHEMA},
}
_SHAPE_SCHEMAS: dict[Shape, dict[str, Any]] = {
    "data": _ROWS_SCHEMA,
    "input_data": _TABLE_SCHEMA,
    "Inputs": _INPUTS_SCHEMA,
    "dataframe_split": _TABLE_SCHEMA,
    "dataframe_records": _ROWS_SCHEMA,
}

_RECORD_EXAMPLE = {
    "prediction": 1,
    "score": 0.93,
    "threshold": 0.5,
    "model_version": "3",
    "reasons": [{"field": FEATURES[0], "contribution": 1.7}],
}
_ANSWER_EXAMPLES: dict[Shape, Any] = {
    "data": [1],
    "input_data": [_RECORD_EXAMPLE],
    "Inputs": {"Results": {"WebServiceOutput0": [_RECORD_EXAMPLE]}},
    "dataframe_split": {"predictions": [_RECORD_EXAMPLE]},
    "dataframe_records": {"predictions": [_RECORD_EXAMPLE]},
}


def request_body(shapes: tuple[Shape, ...]) -> dict[str, Any]:
    """The ``openapi_extra`` of an endpoint that takes the ``shapes``."""
    content = {
        "schema": {
            "oneOf": [
                {"type": "object", "required": [shape], "properties": {shape: _SHAPE_SCHEMAS[shape]}}
                for shape in shapes
            ]
        },
        "examples": {shape: {"summary": _EXAMPLES[shape][0], "value": _EXAMPLES[shape][1]} for shape in shapes},
    }
    return {"requestBody": {"required": True, "content": {"application/json": content}}}


def responses(shapes: tuple[Shape, ...]) -> dict[int | str, dict[str, Any]]:
    """The answers of an endpoint that takes the ``shapes``; rows in messages count from 0."""
    examples = {shape: {"summary": _EXAMPLES[shape][0], "value": _ANSWER_EXAMPLES[shape]} for shape in shapes}
    error = {"type": "object", "required": ["error"], "properties": {"error": {"type": "string"}}}
    described = {
        400: "The body cannot be read, or a row lacks a feature; the message names the row (from 0) and the field",
        401: "The bearer key is missing or wrong",
        413: "The body is too large",
        503: "There is no champion yet",
    }
    if shapes == INVOCATION_SHAPES:
        described[415] = "The body is not application/json"
    return {
        200: {
            "description": "The decisions, in the order of the rows; X-Fraudstream-Model-Version names the version",
            "content": {"application/json": {"schema": {}, "examples": examples}},
        },
        **{
            status: {"description": text, "content": {"application/json": {"schema": error}}}
            for status, text in described.items()
        },
    }


SCORE_BODY = request_body(SCORE_SHAPES)
INVOCATIONS_BODY = request_body(INVOCATION_SHAPES)
SCORE_RESPONSES = responses(SCORE_SHAPES)
INVOCATIONS_RESPONSES = responses(INVOCATION_SHAPES)
