"""Shared access policies: read from connection strings, and made for a data folder that has none."""

from __future__ import annotations

from pathlib import Path

import pytest

from fraudstream.core.access.policies import connection_string, named, policies, sending_policy
from fraudstream.core.configuration.settings import load_settings
from fraudstream.core.errors import ConfigurationError
from tests.azure import SAS_KEY as KEY

NAMESPACE = f"Endpoint=sb://contoso.servicebus.windows.net/;SharedAccessKeyName=all;SharedAccessKey={KEY}"


def test_a_policy_of_a_hub_comes_before_one_of_the_namespace() -> None:
    known = policies(f"{NAMESPACE} {NAMESPACE};EntityPath=Labels")
    assert [policy.hub for policy in known] == ["", "labels"]
    assert [policy.hub for policy in named(known, "all", "labels")] == ["labels", ""]
    assert [policy.hub for policy in named(known, "all", "transactions")] == [""]
    assert named(known, "other", "labels") == []


@pytest.mark.parametrize(
    ("end", "rights"),
    [("", {"Send"}), (";Rights=Listen", {"Listen"}), (";Rights=Manage", {"Manage", "Send"})],
)
def test_a_policy_may_send_unless_its_rights_say_otherwise(end: str, rights: set[str]) -> None:
    assert policies(NAMESPACE + end)[0].rights == rights


@pytest.mark.parametrize(
    ("text", "problem"),
    [
        (NAMESPACE.replace("Endpoint", "End"), "no Endpoint"),
        (NAMESPACE.replace("SharedAccessKeyName=all;", ""), "no SharedAccessKeyName"),
        (NAMESPACE.replace(KEY, "short"), "less than 16 characters"),
        (f"{NAMESPACE};Rights=Everything", "rights that there are not"),
        (f"{NAMESPACE} {NAMESPACE.replace('Endpoint', 'End')}", r"\(2\.\) has no Endpoint"),
    ],
)
def test_what_is_wrong_with_a_string_is_said_without_it(text: str, problem: str) -> None:
    with pytest.raises(ConfigurationError, match=problem) as raised:
        policies(text)
    assert KEY not in str(raised.value)


def test_a_policy_does_not_show_its_key() -> None:
    assert KEY not in repr(policies(NAMESPACE))


def test_a_data_folder_gets_a_string_of_its_own_once_that_only_this_user_reads(tmp_path: Path) -> None:
    settings = load_settings(data_dir=tmp_path)
    text = connection_string(settings)
    assert connection_string(settings) == text
    assert policies(text)[0].name == "local-send"
    file = tmp_path / "ingest" / "connection-string"
    assert file.stat().st_mode & 0o777 == 0o600
    assert connection_string(load_settings(data_dir=tmp_path / "other")) != text


def test_senders_to_event_hubs_sign_with_the_string_that_kafka_signs_in_with(tmp_path: Path) -> None:
    settings = load_settings(data_dir=tmp_path, kafka_sasl_password=NAMESPACE)
    assert sending_policy(settings, "transactions").host == "contoso.servicebus.windows.net"
    one_hub = load_settings(data_dir=tmp_path, ingest_connection_string=f"{NAMESPACE};EntityPath=labels")
    with pytest.raises(ConfigurationError, match="no connection string for the hub 'transactions'"):
        sending_policy(one_hub, "transactions")
