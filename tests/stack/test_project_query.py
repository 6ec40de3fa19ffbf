"""A project with a query of its own: what the job makes of it under both triggers, and how it says what is wrong."""

from __future__ import annotations

import json
import shutil
from collections.abc import Callable
from pathlib import Path

import pytest

from fraudstream.core.configuration.settings import Settings
from fraudstream.core.contract.topics import REJECTED, SCORED, TRANSACTIONS
from fraudstream.core.kafka.clients import create_topics
from fraudstream.core.kafka.progress import STREAM_GROUP
from fraudstream.core.project.project import bundled
from fraudstream.core.streaming.health import failing_file
from fraudstream.runtime.accounting import lag
from fraudstream.runtime.recovering import carry_out, plans
from tests.stack.conftest import Running, SparkJob, await_condition
from tests.stack.test_stream_job import TRIGGERS, champion, publish, read

pytestmark = [pytest.mark.stack, pytest.mark.timeout(900)]

QUERY = """
WITH decided AS (
    SELECT t.*, udf.score(t) AS decision, udf.bands(t.amount) AS band, udf.doubled(t.amount) AS doubled
    FROM transactions t WHERE t.id % 7 != 0)
SELECT d.id, d.date, d.amount, d.band, d.doubled, d.decision.prediction INTO scored FROM decided d WHERE d.id % 5 != 0;
SELECT d.id, d.band, r.told INTO [five-times] FROM decided d JOIN bands r ON r.band = d.band WHERE d.id % 5 = 0;
SELECT d.band, COUNT(*) AS events, MAX(d.decision.score) AS score, MAX(udf.doubled(d.amount)) AS doubled
INTO busy FROM decided d GROUP BY d.band, TumblingWindow(second, 2)
"""


@pytest.fixture(scope="module")
def topics(broker: Running, settings: Settings) -> Settings:
    """The settings of a project that filters, calls functions, joins, and has outputs of its own."""
    folder = settings.data_dir / "my project"
    shutil.copytree(bundled("payments").folder, folder)
    query = folder / "stream-analytics"
    (query / "fraud.asaql").write_text(QUERY)
    (query / "Functions" / "bands.js").write_text("function main(amount) { return amount > 10 ? 'high' : 'low'; }")
    (query / "Functions" / "doubled.py").write_text("def main(amount):\n    return 2 * amount\n")
    (query / "Inputs" / "bands.csv").write_text("band,told\nhigh,much\n")
    local = {"InputAlias": "bands", "Type": "Reference data", "FilePath": "bands.csv", "ScriptType": "InputMock"}
    (query / "Inputs" / "Local_bands.json").write_text(json.dumps(local))
    for name in ("five-times", "busy"):
        (query / "Outputs" / f"{name}.json").write_text(json.dumps({"Name": name}))
    project = json.loads((query / "asaproj.json").read_text())
    project["configurations"] += [
        {"filePath": "Functions/bands.js", "subType": "JSFunction"},
        {"filePath": "Functions/doubled.py", "subType": "Function"},
        {"filePath": "Inputs/Local_bands.json", "subType": "Input"},
        {"filePath": "Outputs/five-times.json", "subType": "Output"},
        {"filePath": "Outputs/busy.json", "subType": "Output"},
    ]
    (query / "asaproj.json").write_text(json.dumps(project))
    own = settings.model_copy(update={"project": str(folder), "query_python": True})
    create_topics(own)
    champion(settings.data_dir, "1", trees=5)
    return own


def passing(published: set[int]) -> set[int]:
    """What keeps the contract and is not filtered away."""
    return {number for number in published if number % 10 and number % 7}


def meeting_new_reference_data(topics: Settings, job: SparkJob, told: str) -> set[int]:
    """Change the reference data of a job that runs; the events that were sent until one met the new row."""
    (Path(topics.project) / "stream-analytics" / "Inputs" / "bands.csv").write_text(f"band,told\nhigh,{told}\n")
    sent: set[int] = set()

    def is_met() -> bool:
        # Multiples of five that are filtered away by nothing.
        number = 10_005 + 10_010 * TRIGGERS.index(told) + 70 * len(sent)
        publish(topics, number, 1)
        sent.add(number)
        return any(event["told"] == told for event in read(topics, "five-times"))

    await_condition(is_met, 60, job.log)
    return sent


def test_the_job_runs_the_projects_query_and_is_never_behind(
    topics: Settings, start: Callable[[str], SparkJob]
) -> None:
    expected: set[int] = set()

    def counted() -> int:
        return sum(record["events"] for record in read(topics, "busy"))

    for first, trigger in ((1, "realtime"), (1_001, "microbatch")):
        job = start(trigger)
        publish(topics, first, 1_000)
        expected |= set(range(first, first + 1_000))
        # The last records may be ones of which nothing comes out.
        await_condition(lambda: lag(topics, STREAM_GROUP, TRANSACTIONS) == 0, 240, job.log)
        expected |= meeting_new_reference_data(topics, job, trigger)
        # Windows close by the clock where nothing comes any more.
        await_condition(lambda: counted() == len(passing(expected)), 120, job.log)  # noqa: B023
        job.kill()
    scored, fives, rejected = (read(topics, topic) for topic in (SCORED, "five-times", REJECTED))
    good = passing(expected)
    assert {event["id"] for event in scored} == {number for number in good if number % 5}
    assert {event["id"]: event["band"] for event in fives} == {number: "high" for number in good if number % 5 == 0}
    assert {event["source"]["topic"] for event in scored} == {TRANSACTIONS}
    assert {event["doubled"] for event in scored} == {record["doubled"] for record in read(topics, "busy")} == {25.0}
    assert {event["told"] for event in fives} == {"much", *TRIGGERS}
    assert len({(record["source"]["partition"], record["source"]["offset"]) for record in rejected}) == 200


def test_windows_that_have_changed_go_on_once_recovered(topics: Settings, start: Callable[[str], SparkJob]) -> None:
    file = Path(topics.project) / "stream-analytics" / "fraud.asaql"
    file.write_text(QUERY.replace("TumblingWindow(second, 2)", "TumblingWindow(second, 3)"))
    before = len(read(topics, "busy"))
    job = start("microbatch")
    failing = failing_file(job.ready_file)
    await_condition(lambda: failing.exists() and "windows: " in failing.read_text(), 120, job.log)
    needed = plans(topics, ["stream"])
    assert {plan.query: plan.is_needed for plan in needed} == {"stream": False, "windows": True}
    carry_out(topics, needed)
    publish(topics, 3_001, 100)
    await_condition(lambda: len(read(topics, "busy")) > before, 120, job.log)
    file.write_text(QUERY)


@pytest.mark.parametrize(
    ("file", "text", "problem"),
    [
        ("fraud.asaql", "SELECT id\nINTO scored\nFORM transactions", "fraud.asaql:3:1: "),
        ("Functions/bands.js", "function main(amount) { return", "fraud.asaql:1:1: udf.bands is no JavaScript"),
    ],
)
def test_a_query_that_cannot_be_run_ends_the_job_with_its_place(
    topics: Settings, start: Callable[[str], SparkJob], file: str, text: str, problem: str
) -> None:
    place = Path(topics.project) / "stream-analytics" / file
    before = place.read_text()
    place.write_text(text)
    job = start("realtime")
    await_condition(lambda: job.process.poll() is not None, 120, job.log)
    place.write_text(before)
    assert job.process.returncode == 1
    assert f"{Path(topics.project, 'stream-analytics')}/{problem}" in job.log.read_text()
