"""A small rehearsal from end to end: the unchanged services, a budget that throttles them, and every fault."""

from __future__ import annotations

import json
import os
import re
import subprocess
import sys
from pathlib import Path
from typing import Any

import pytest

from fraudstream.cloud.rehearsal.devices import EVENTS_PER_DEVICE

pytestmark = [pytest.mark.system, pytest.mark.rehearsal, pytest.mark.timeout(900)]

EVENTS = 4_000
MALFORMED = 100


@pytest.fixture(scope="module")
def rehearsed(tmp_path_factory: pytest.TempPathFactory) -> tuple[dict[str, Any], Path, str]:
    """What the command printed on stdout as JSON, the folder with its page and logs, and what it said on stderr."""
    folder = tmp_path_factory.mktemp("rehearsal")
    outcome, said = rehearse(
        folder,
        *("--events", str(EVENTS), "--malformed", str(MALFORMED), "--request-units", "2000"),
        *("--html", str(folder / "report.html"), "--keep", str(folder / "kept")),
    )
    return outcome, folder, said


def rehearse(folder: Path, *words: str) -> tuple[dict[str, Any], str]:
    """Run the command in ``folder``; what it printed on stdout as JSON, and what it said on stderr."""
    environment = {name: value for name, value in os.environ.items() if not name.startswith("FRAUDSTREAM_")}
    environment |= {name: value for name, value in os.environ.items() if "CACHE" in name}
    done = subprocess.run(
        [sys.executable, "-m", "fraudstream.runtime", "rehearse", "azure", "--no-dashboards", "--json", *words],
        cwd=folder,
        env=environment,
        capture_output=True,
        text=True,
        timeout=800,
        check=False,
    )
    assert done.returncode == 0, (done.stdout + done.stderr)[-6_000:]
    outcome: dict[str, Any] = json.loads(done.stdout.splitlines()[-1])
    return outcome, done.stderr


@pytest.mark.parity("every event is scored or rejected, and stored once", "rehearsal")
@pytest.mark.parity("what breaks the contract is rejected by its field", "rehearsal")
@pytest.mark.parity("documents and rollups from the store job", "rehearsal")
def test_what_goes_in_comes_out(rehearsed: tuple[dict[str, Any], Path, str]) -> None:
    outcome, _, _ = rehearsed
    assert outcome["events"] == EVENTS
    assert outcome["acknowledged"] + outcome["refused_by_size"] == EVENTS
    assert outcome["scored"] + outcome["rejected"] == outcome["acknowledged"]
    assert outcome["stored"] == outcome["scored"] == EVENTS - MALFORMED
    assert outcome["complete"]
    assert outcome["passed"]


@pytest.mark.parity("devices over MQTT", "rehearsal")
def test_what_devices_send_through_a_hub_that_drops_them_is_decided_once(
    rehearsed: tuple[dict[str, Any], Path, str],
) -> None:
    devices = rehearsed[0]["devices"]
    assert devices["complete"]
    assert devices["acknowledged"] == devices["decided"] == devices["devices"] * EVENTS_PER_DEVICE
    assert devices["arrived"] == devices["decided"] + devices["resent"]
    assert devices["connections_cut"] > 0
    assert devices["connections"] > devices["devices"]
    states = {rule["rule"]: rule["state"] for rule in rehearsed[0]["rules"]}
    assert (states["IH004"], states["IH015"], states["SA001"]) == ("kept", "not enforced", "not enforced")


@pytest.mark.parity("throttled writes are made again", "rehearsal")
def test_writes_are_throttled_and_the_producer_is_slowed(rehearsed: tuple[dict[str, Any], Path, str]) -> None:
    outcome, _, _ = rehearsed
    assert outcome["document_writes"] > EVENTS
    assert outcome["throttled_share"] >= 0.05
    assert outcome["writes_throttled"] >= 0.05 * outcome["document_writes"]
    assert outcome["producer_delays"] > 0
    assert outcome["producer_delayed_ms"] > 0
    # One throughput unit lets a thousand events a second in, after a first second's worth at once.
    assert outcome["sent_in_seconds"] > (EVENTS - 2_000) / 1_000


@pytest.mark.parity("lost connections and restarts lose and double nothing", "rehearsal")
def test_every_fault_happened(rehearsed: tuple[dict[str, Any], Path, str]) -> None:
    outcome, _, _ = rehearsed
    assert [fault["fault"] for fault in outcome["faults"]] == [
        "throttling storm",
        "connections cut",
        "keys rotated",
        "throttling storm",
        "connections cut",
    ]
    assert all(fault["at_seconds"] is not None and fault["outcome"] for fault in outcome["faults"])
    cuts = [fault["outcome"] for fault in outcome["faults"] if fault["fault"] == "connections cut"]
    assert all(int(cut.split()[0]) > 0 for cut in cuts)


@pytest.mark.parity("a champion by tag is trained, registered and scores", "rehearsal")
def test_no_rule_is_broken(rehearsed: tuple[dict[str, Any], Path, str]) -> None:
    outcome, _, _ = rehearsed
    assert outcome["broken_rules"] == []
    states = {rule["rule"]: rule["state"] for rule in outcome["rules"]}
    assert states["CO026"].startswith("survived")
    assert states["EH001"] == "kept"
    assert not [rule for rule, state in states.items() if state.startswith("broken")]


@pytest.mark.parity("no secret in files, logs or output", "rehearsal")
def test_no_log_holds_a_secret(rehearsed: tuple[dict[str, Any], Path, str]) -> None:
    """The run compares its logs with the keys that it used; here anything that looks like one is looked for."""
    outcome, folder, said = rehearsed
    assert outcome["leaks"] == []
    logs = {file.name: file.read_text("utf-8", "replace") for file in (folder / "kept/data/logs").glob("*.log")}
    assert {"stream.log", "store.log", "scoring.log", "generate.log", "train.log"} <= logs.keys()
    texts = logs | {"stderr": said, "report": (folder / "report.html").read_text("utf-8"), "json": json.dumps(outcome)}
    keys = re.compile(r"SharedAccessKey=[^*\s;]{20,}|mongodb://[^:/\s]+:(?!\*)[^@\s]{20,}@|Bearer [\w-]{20,}")
    assert {name: keys.search(text) for name, text in texts.items() if keys.search(text)} == {}


def test_the_page_says_the_same(rehearsed: tuple[dict[str, Any], Path, str]) -> None:
    outcome, folder, _ = rehearsed
    page = (folder / "report.html").read_text("utf-8")
    assert "passed" in page
    assert f"{outcome['scored']:,} scored" in page
    for rule in outcome["rules"]:
        assert rule["rule"] in page
    assert "http://" not in re.sub(r"https?://(learn|github|pypi)[^<\"]*", "", page)


@pytest.mark.parity("sign-in with a connection string or an identity", "rehearsal")
def test_with_tokens_the_same_comes_out(tmp_path: Path) -> None:
    """Managed identity for Python, a service principal for Spark, and after the rotation a token is what it was."""
    outcome, said = rehearse(
        tmp_path, "--events", "600", "--malformed", "20", "--history", "1500", "--tokens", "--devices", "0"
    )
    assert outcome["stored"] == outcome["scored"] == 580
    assert outcome["scored"] + outcome["rejected"] == outcome["acknowledged"]
    assert outcome["passed"]
    assert "azure.identity" not in said
