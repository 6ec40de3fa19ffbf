"""Stream Analytics queries on files: how many records a second, a cold run on a small file, further test cases."""

from __future__ import annotations

import json
import random
import shutil
import tempfile
import time
from collections.abc import Iterator
from dataclasses import asdict, dataclass
from pathlib import Path
from typing import Any

from fraudstream.bench import bounds
from fraudstream.bench.bounds import Bound
from fraudstream.bench.harness import figures
from fraudstream.bench.harness.running import Report
from fraudstream.runtime.own_command import run_command

SELECT, COUNT, COLD, CASE = "stateless SELECT", "tumbling count by key", "small file, cold", "further test case"
LEAST_SELECTED, LEAST_COUNTED = 50_000.0, 30_000.0
MOST_COLD_SECONDS, MOST_CASE_SECONDS = 10.0, 2.0
# How many events have one second, how many keys there are, and how many records a small file has.
EVENTS_PER_SECOND, KEYS, FEW = 100, 1_000, 100

QUERIES = {
    SELECT: "SELECT device, reading * 1.8 + 32 AS fahrenheit, System.Timestamp() AS at INTO o "
    "FROM i TIMESTAMP BY at WHERE reading > 0",
    COUNT: "SELECT device, COUNT(*) AS readings INTO o "
    "FROM i TIMESTAMP BY at GROUP BY device, TumblingWindow(minute, 1)",
}


@dataclass(frozen=True, slots=True)
class Plan:
    """How many events a file has, and how many cases are run in one session."""

    events: int = 1_000_000
    cases: int = 6
    repeats: int = 3


def measure(plan: Plan, report: Report) -> dict[str, Any]:
    """Measure; returns the results' own part. Raises :class:`FraudstreamError` where a command fails."""
    runs: list[dict[str, Any]] = []
    with tempfile.TemporaryDirectory(prefix="fraudstream-bench-query-") as scratch:
        folder = Path(scratch)
        report(f"{plan.events:,} events into a file")
        many, few = _file(folder / "many.json", plan.events), _file(folder / "few.json", FEW)
        for repeat in range(plan.repeats):
            for name in figures.rotated((SELECT, COUNT, COLD, CASE), repeat):
                report(f"{name}, run {repeat + 1} of {plan.repeats}")
                if name == CASE:
                    measured = {"seconds": _further_case(folder / f"cases-{repeat}", few, plan.cases)}
                else:
                    measured = _run(folder, QUERIES.get(name, QUERIES[COUNT]), few if name == COLD else many)
                runs.append({"repeat": repeat, "contender": name} | measured)
    summary = figures.summarised(runs, "contender")
    return {
        "parameters": asdict(plan) | {"events_per_second": EVENTS_PER_SECOND, "keys": KEYS, "few": FEW},
        "runs": runs,
        "summary": summary,
        "bounds": bounds.to_json(held(summary)),
    }


def _file(file: Path, count: int) -> Path:
    with file.open("w", encoding="utf-8") as lines:
        lines.writelines(f"{json.dumps(event)}\n" for event in made(count))
    return file


def made(count: int) -> Iterator[dict[str, Any]]:
    """Readings of devices, in the order of time; always the same ones."""
    drawn = random.Random(7)  # noqa: S311
    for number in range(count):
        second, place = divmod(number, EVENTS_PER_SECOND)
        yield {
            "device": f"device-{drawn.randrange(KEYS)}",
            "reading": round(drawn.uniform(-10, 40), 1),
            "humidity": drawn.randrange(100),
            "at": f"{time.strftime('%Y-%m-%dT%H:%M:%S', time.gmtime(second))}.{place * 10:03}Z",
        }


def _run(folder: Path, text: str, records: Path) -> dict[str, float]:
    query = folder / "query.asaql"
    query.write_text(text, "utf-8")
    began = time.monotonic()
    report = run_command("query", "run", str(query), "--input", str(records), "--output-dir", str(folder / "results"))
    seconds = time.monotonic() - began
    (read,) = (source["records"] for source in report["inputs"])
    return {
        "events_per_second": read / report["run_seconds"],
        "with_start": read / seconds,
        "seconds": seconds,
    }


def _further_case(folder: Path, records: Path, count: int) -> float:
    """The longest of the cases behind the first one, in seconds."""
    folder.mkdir()
    (folder / "query.asaql").write_text(QUERIES[COUNT], "utf-8")
    # A project reads files of its own folder.
    shutil.copy(records, folder)
    given = [{"InputAlias": "i", "FilePath": records.name}]
    expected = [{"OutputAlias": "o", "FilePath": "none.json", "Required": False}]
    cases = [{"Name": f"case {number}", "Inputs": given, "ExpectedOutputs": expected} for number in range(count)]
    (folder / "testConfig.json").write_text(json.dumps({"TestCases": cases}), "utf-8")
    results = run_command("query", "test", str(folder))["Results"]
    return max(_seconds(result["Time"]) for result in results[1:])


def _seconds(span: str) -> float:
    hours, minutes, seconds = span.split(":")
    return int(hours) * 3600 + int(minutes) * 60 + float(seconds)


def held(summary: list[dict[str, Any]]) -> list[Bound]:
    """The project's claims about queries on files."""
    rates = {row["contender"]: row["events_per_second"]["median"] for row in summary if "events_per_second" in row}
    seconds = {row["contender"]: row["seconds"]["median"] for row in summary}
    return [
        *bounds.at_least(f"events/s, {SELECT}", rates[SELECT], LEAST_SELECTED),
        *bounds.at_least(f"events/s, {COUNT}", rates[COUNT], LEAST_COUNTED),
        *bounds.at_most(f"seconds, {COLD}", seconds[COLD], MOST_COLD_SECONDS),
        *bounds.at_most(f"seconds, {CASE}", seconds[CASE], MOST_CASE_SECONDS),
    ]
