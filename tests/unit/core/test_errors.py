"""The error tree in the module's docstring is the tree of the classes."""

from __future__ import annotations

import inspect
import re

import pytest

from fraudstream.core import errors

CLASSES = [member for _, member in inspect.getmembers(errors, inspect.isclass) if member.__module__ == errors.__name__]


def drawn_tree() -> dict[str, str]:
    """Class → its base, read from the drawing: each level is indented by four columns."""
    bases: dict[str, str] = {}
    path: list[str] = []
    for line in (errors.__doc__ or "").splitlines():
        match = re.match(r"^([│├└─ ]*)([A-Z]\w+)(?:\s{2,}.*)?$", line)
        if match:
            depth = len(match[1]) // 4
            path[depth:] = [match[2]]
            bases[match[2]] = path[depth - 1] if depth else "Exception"
    return bases


def test_the_drawing_is_the_tree_of_the_classes() -> None:
    assert drawn_tree() == {cls.__name__: cls.__base__.__name__ for cls in CLASSES if cls.__base__}


@pytest.mark.parametrize("cls", CLASSES, ids=lambda cls: cls.__name__)
def test_every_error_is_ours_described_and_ends_the_command_with_a_failure(cls: type[errors.FraudstreamError]) -> None:
    assert issubclass(cls, errors.FraudstreamError)
    assert cls.__doc__
    assert cls("what happened").exit_status in (1, 2)


def test_only_configuration_errors_are_usage_errors() -> None:
    assert {cls.__name__ for cls in CLASSES if cls.exit_status == 2} == {"ConfigurationError"}
