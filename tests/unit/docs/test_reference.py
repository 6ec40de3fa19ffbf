"""The generated reference pages are those that the code would make now."""

from __future__ import annotations

import inspect
import json
import re
from pathlib import Path

import pytest
from docs.makers import reference

from fraudstream.core import errors
from fraudstream.core.configuration.settings import Settings
from fraudstream.core.contract.topics import TOPICS


def test_every_setting_and_every_topic_has_its_row() -> None:
    for name, field in Settings.model_fields.items():
        assert f"| `FRAUDSTREAM_{name.upper()}` |" in reference.settings_page()
        assert str(field.description) in reference.settings_page()
    for topic in TOPICS:
        assert f"| `{topic.name}` | {topic.purpose} | 7 days |" in reference.topics_page()


def test_rows_have_as_many_cells_as_their_header() -> None:
    tables = [line for page in (reference.settings_page(), reference.topics_page()) for line in page.splitlines()]
    widths = {line.replace("\\|", "").count("|") for line in tables if line.startswith("| `FRAUDSTREAM_")}
    assert widths == {8}


def test_the_schema_file_is_json() -> None:
    schema = json.loads(reference.schema_file())
    assert schema["$schema"].endswith("2020-12/schema")
    assert "transaction_method" in schema["required"]


def test_operations_say_what_to_do_about_every_error(project_root: Path) -> None:
    page = (project_root / "docs" / "how-to" / "operations.md").read_text("utf-8")
    rows = {match[1]: int(match[2]) for match in re.finditer(r"^\| `(\w+)` \| (\d) \|", page, re.MULTILINE)}
    raised = {
        name: cls.exit_status
        for name, cls in inspect.getmembers(errors, inspect.isclass)
        if issubclass(cls, errors.FraudstreamError) and not cls.__subclasses__()
    }
    assert {name: rows.get(name) for name in raised} == raised
    assert rows.keys() <= set(vars(errors))


@pytest.mark.parametrize("page", ["README.md", "docs/how-to/operations.md"])
def test_the_ports_that_pages_name_are_the_defaults(project_root: Path, page: str) -> None:
    text = (project_root / page).read_text("utf-8")
    ports = {name: field.default for name, field in Settings.model_fields.items() if name.endswith("_port")}
    rows = [line for line in text.splitlines() if line.startswith("|") and "_PORT`" in line]
    for name, port in ports.items():
        assert any(f"FRAUDSTREAM_{name.upper()}`" in row and str(port) in row for row in rows), name


def test_every_page_that_a_page_points_to_is_there(project_root: Path) -> None:
    pages = [*project_root.glob("*.md"), project_root / "azure" / "README.md", *(project_root / "docs").rglob("*.md")]
    links = [
        (page, target) for page in pages for target in re.findall(r"\]\((?!https?:)([^)#]+)", page.read_text("utf-8"))
    ]
    assert len(links) > 10
    assert [(page.name, target) for page, target in links if not (page.parent / target).exists()] == []
