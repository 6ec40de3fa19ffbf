"""The readers in Java and the rollups on a project whose fields have none of the names that payments has."""

from __future__ import annotations

from pathlib import Path

import pytest

from tests.unit.test_renamed_project import run_renamed

pytestmark = pytest.mark.spark


def test_spark_and_java_know_no_name_of_a_field(project_root: Path) -> None:
    rollups = ("counts_minutes_totals", "labelled_history_counts", "state_that_begins_with_the_documents")
    run_renamed(
        project_root,
        "tests/spark/core/test_validation.py",
        "tests/spark/store/test_rollups.py",
        "-k",
        f"test_validation or {' or '.join(rollups)}",
    )
