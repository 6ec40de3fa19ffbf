"""The contract that Spark's Java process reads: one small jar for each, wherever it can be written."""

from __future__ import annotations

import json
import zipfile
from dataclasses import replace
from pathlib import Path

import pytest

from fraudstream.core.contract.event import PROJECT
from fraudstream.core.contract.field_rules import FieldRule
from fraudstream.core.errors import ConfigurationError
from fraudstream.spark import contract_file
from fraudstream.spark.contract_file import CONTRACT_FILE, contract_jar, contract_json


def test_the_same_contract_is_the_same_file_and_made_once(tmp_path: Path) -> None:
    jar = contract_jar(tmp_path / "a")
    written_at = jar.stat().st_mtime_ns
    assert contract_jar(tmp_path / "a") == jar
    assert jar.stat().st_mtime_ns == written_at
    assert contract_jar(tmp_path / "b").read_bytes() == jar.read_bytes()
    with zipfile.ZipFile(jar) as packed:
        assert packed.read(CONTRACT_FILE).decode() == contract_json()


def test_a_folder_that_cannot_be_written_is_not_needed(tmp_path: Path) -> None:
    (tmp_path / "file").touch()
    jar = contract_jar(tmp_path / "file" / "contract")
    try:
        assert zipfile.is_zipfile(jar)
    finally:
        jar.unlink()
        jar.parent.rmdir()


@pytest.mark.parametrize(
    ("rule", "least", "most"),
    [
        (FieldRule("n", "int"), str(-(2**63)), str(2**63 - 1)),
        (FieldRule("n", "int", minimum=0.5, maximum=2**53 + 1), "1", str(2**53 + 1)),
        (FieldRule("n", "int", minimum=0, maximum=7.5, is_above_minimum=True, is_below_maximum=True), "1", "7"),
        (FieldRule("n", "int", minimum=2**63), str(2**63 - 1), str(-(2**63))),
        (FieldRule("n", "float"), "-Infinity", "Infinity"),
        (FieldRule("n", "float", minimum=0, is_above_minimum=True, maximum=2**53 + 1), "5e-324", "9007199254740992.0"),
        (FieldRule("n", "float", minimum=10**400), "Infinity", "Infinity"),
    ],
)
def test_bounds_are_those_that_numbers_of_64_bits_reach(rule: FieldRule, least: str, most: str) -> None:
    described = json.loads(contract_json(replace(PROJECT, rules=(*PROJECT.rules, rule))))["fields"][-1]
    assert (described["least"], described["most"]) == (least, most)


def test_a_full_disk_is_told(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    def full(*_: object) -> Path:
        raise OSError(28, "No space left on device")

    monkeypatch.setattr(contract_file, "_packed", full)
    with pytest.raises(ConfigurationError, match="FRAUDSTREAM_DATA_DIR"):
        contract_jar(tmp_path)
