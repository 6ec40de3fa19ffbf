"""What a project's query is, and that its outputs go to the topics that are created for them."""

from __future__ import annotations

import json
from dataclasses import replace
from pathlib import Path
from typing import Any

import pytest

from fraudstream.asaql.strategies.project_query import output_topic, project_query
from fraudstream.core.contract.event import PROJECT
from fraudstream.core.project.outputs import output_topics

OUTPUTS: dict[str, dict[str, Any]] = {
    "own": {"Name": "own"},
    "nameless": {},
    "hub": {"Name": "hub", "EventHubProperties": {"EventHubName": "hub-topic"}},
    "flat": {"Name": "flat", "EventHubName": "flat-topic"},
    "both": {"Name": "both", "EventHubName": "old-topic", "outputEventHubProperties": {"eventhubname": " both-topic "}},
    "alias": {"OutputAlias": "Alias", "Name": "other", "EventHubProperties": {"EventHubName": ""}},
    "number": {"Name": "number", "EventHubProperties": {"EventHubName": 5}},
    "table": {"Name": "table", "SqlDatabaseProperties": {"Table": "t"}},
}


@pytest.mark.parametrize("listed", [None, {}, {"configurations": list(OUTPUTS)}])
@pytest.mark.parametrize("encoding", ["utf-8", "utf-16"])
def test_each_output_goes_to_the_topic_that_is_created_for_it(
    tmp_path: Path, listed: dict[str, Any] | None, encoding: str
) -> None:
    folder = tmp_path / "stream-analytics"
    (folder / "Outputs").mkdir(parents=True)
    (folder / "fraud.asaql").write_text("SELECT * INTO own FROM transactions")
    for name, entries in OUTPUTS.items():
        (folder / "Outputs" / f"{name}.json").write_text(json.dumps(entries), encoding)
    if listed is not None:
        files = [
            {"filePath": f"Outputs\\{name}.json", "subType": "Output"} for name in listed.get("configurations", ())
        ]
        content = {"name": "job", "startFile": "fraud.asaql", **({"configurations": files} if files else {})}
        (folder / "asaproj.json").write_text(json.dumps(content), encoding)
    query = project_query(replace(PROJECT, folder=tmp_path))
    topics = {output_topic(query, place.alias) for place in query.outputs}
    assert topics == set(output_topics(tmp_path))
    assert topics == {"own", "nameless", "hub-topic", "flat-topic", "both-topic", "Alias", "number", "table"}
