"""The table of topics."""

from __future__ import annotations

from dataclasses import replace

import pytest

from fraudstream.core.configuration.settings import load_settings
from fraudstream.core.contract.topics import MAX_EVENT_BYTES, REJECTED, TOPICS, TRANSACTIONS, partitions, topics_of
from fraudstream.core.errors import ConfigurationError
from fraudstream.core.project.project import bundled

BY_NAME = {topic.name: topic for topic in TOPICS}


def test_the_topics_of_the_contract_and_no_others() -> None:
    names = ["transactions", "scored", "alerts", "rejected", "labels", "monitoring"]
    assert [topic.name for topic in TOPICS] == names


def test_the_broker_stamps_every_record() -> None:
    assert {topic.broker_configs()["message.timestamp.type"] for topic in TOPICS} == {"LogAppendTime"}


def test_records_are_kept_a_week() -> None:
    assert {topic.broker_configs()["retention.ms"] for topic in TOPICS} == {str(7 * 24 * 3600 * 1000)}
    assert {topic.broker_configs()["cleanup.policy"] for topic in TOPICS} == {"delete"}


def test_an_oversized_event_arrives_so_that_it_can_be_rejected() -> None:
    assert int(BY_NAME[TRANSACTIONS].broker_configs()["max.message.bytes"]) > MAX_EVENT_BYTES


def test_a_rejection_of_the_largest_event_kept_whole_fits_its_topic() -> None:
    kept_whole, base64_growth, envelope = 256 * 1024, 4 / 3, 8 * 1024
    assert BY_NAME[REJECTED].max_message_bytes > kept_whole * base64_growth + envelope


def test_partitions_are_a_setting() -> None:
    assert partitions(load_settings(topic_partitions=7)) == 7


def test_what_a_projects_query_writes_to_joins_the_table() -> None:
    project = bundled("payments")
    assert topics_of(project) == TOPICS
    own = replace(project, outputs=("minutes", "alerts", "cards.hourly"))
    assert [topic.name for topic in topics_of(own)] == [*BY_NAME, "minutes", "cards.hourly"]
    with pytest.raises(ConfigurationError, match=r"goes to Alerts, and there is the topic alerts"):
        topics_of(replace(project, outputs=("Alerts",)))
