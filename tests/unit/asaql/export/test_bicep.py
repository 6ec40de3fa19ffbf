"""Bicep's text."""

from __future__ import annotations

from typing import Any

import pytest

from fraudstream.asaql.export.bicep import Parameters, Raw, identifier, value

pytestmark = pytest.mark.timeless


@pytest.mark.parametrize(
    ("of", "text"),
    [
        ("a", "'a'"),
        ("it's ${x} \\ \n", "'it\\'s \\${x} \\\\ \\n'"),
        (True, "true"),
        (3, "3"),
        (Raw("name"), "name"),
        ({}, "{}"),
        ([], "[]"),
        ({"a": [1], "b-c": {}}, "{\n  a: [\n    1\n  ]\n  'b-c': {}\n}"),
    ],
)
def test_values(of: Any, text: str) -> None:
    assert value(of) == text


@pytest.mark.parametrize(
    ("words", "name"), [("my-hub Password", "myHubPassword"), ("Input1 key", "input1Key"), ("1 key", "_1Key")]
)
def test_names(words: str, name: str) -> None:
    assert identifier(words) == name


def test_a_secret_is_a_secure_parameter_once() -> None:
    parameters = Parameters()
    assert parameters.secret("in", "Key", "Key of in.") == parameters.secret("in", "Key", "Key of in.")
    assert parameters.lines()[2:] == ["@description('Key of in.')", "@secure()", "param inKey string"]
