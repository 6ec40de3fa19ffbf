"""Mutated texts give trees and plans, or positioned errors."""

from __future__ import annotations

import pytest

from fraudstream.asaql.plan.compiling import compile_text
from fraudstream.asaql.text.parser import parse
from tests.asaql.fuzz import run

pytestmark = pytest.mark.timeless


def test_mutated_texts_give_trees_or_positioned_errors() -> None:
    outcome = run(parse, 3_000)
    assert not outcome.faults
    assert outcome.results > 300
    assert outcome.errors > 300


def test_mutated_texts_give_plans_or_positioned_errors() -> None:
    outcome = run(compile_text, 2_000, seed=17)
    assert not outcome.faults
    assert outcome.results > 20
    assert outcome.errors > 200
