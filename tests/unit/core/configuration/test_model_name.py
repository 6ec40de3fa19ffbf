"""A model's name works everywhere, or is refused at the start by its variable's name."""

from __future__ import annotations

from pathlib import Path

import pytest

from fraudstream.core.configuration.settings import Settings, load_settings
from fraudstream.core.errors import ConfigurationError
from fraudstream.core.registry import champion_version, model_versions, registry_client

pytestmark = pytest.mark.timeless

REFUSED = [
    "team/fraud",
    "fraud:eu",
    "O'Neil",
    'say "x"',
    "a`b",
    "a#b?c",
    "a@b",
    "a\\b",
    ".",
    "..",
    " ",
    " a",
    "x" * 300,
    "a\nb",
    "a\x1b[31m",
    "a\u2028b",
]


@pytest.mark.parametrize("name", REFUSED)
def test_a_name_that_would_not_work_is_refused_at_the_start(name: str, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setenv("FRAUDSTREAM_MODEL_NAME", name)
    with pytest.raises(ConfigurationError, match="FRAUDSTREAM_MODEL_NAME"):
        load_settings()


@pytest.mark.parametrize("name", ["fraud", "a b", "é", "50%", "100%25", "a.b", "-", "=", "a&b;c", "x" * 255])
def test_other_names_are_registered_tagged_and_found(name: str, tmp_path: Path) -> None:
    settings = Settings(mlflow_tracking_uri=f"sqlite:///{tmp_path / 'mlflow.db'}", model_name=name)
    client = registry_client(settings)
    assert champion_version(settings, client) is None
    client.create_registered_model(settings.model_name)
    assert model_versions(settings, client) == []
    registered = client.create_model_version(settings.model_name, source=str(tmp_path), tags={"role": "champion"})
    assert champion_version(settings, client) == str(registered.version)
