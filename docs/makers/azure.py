"""The generated parts of `docs/how-to/azure.md`: what the last rehearsal measured, and what the templates cost."""

from __future__ import annotations

import json
from collections.abc import Sequence
from pathlib import Path
from typing import Any

from docs.makers.files import replaced

from fraudstream.cloud.rehearsal.costs import template_costs

PAGE = Path("docs/how-to/azure.md")
RESULTS = Path("benchmarks/results/rehearsal.json")
PARAMETERS = Path("azure/parameters/dev.json")


def generated(project: Path) -> dict[Path, str]:
    """The page as it should be. Raises ``OSError`` where a source file is missing."""
    text = (project / PAGE).read_text("utf-8")
    parameters = {
        name: parameter["value"]
        for name, parameter in json.loads((project / PARAMETERS).read_text("utf-8"))["parameters"].items()
    }
    sections = {
        "costs": costs_section(template_costs(parameters)),
        "rehearsal": rehearsal_section(json.loads((project / RESULTS).read_text("utf-8"))),
    }
    for name, content in sections.items():
        text = replaced(text, f"<!-- {name} -->\n", f"<!-- /{name} -->", f"{content}\n")
    return {project / PAGE: text}


def costs_section(rows: Sequence[dict[str, Any]]) -> str:
    """The table of costs, with its sums."""
    lines = [
        f"| {row['resource']} | {row['amount']} | {row['least']:,.0f} | {row['most']:,.0f} | [price]({row['source']}) |"
        for row in rows
    ]
    least, most = (sum(row[name] for row in rows) for name in ("least", "most"))
    return "\n".join(
        [
            "| resource | amount | at rest | at its limits | source |",
            "|---|---|---:|---:|---|",
            *lines,
            f"| **sum** | | **{least:,.0f}** | **{most:,.0f}** | |",
        ]
    )


def rehearsal_section(outcome: dict[str, Any]) -> str:
    """What the run in `benchmarks/results/rehearsal.json` found, in words."""
    machine = outcome["machine"]
    faults = ", ".join(dict.fromkeys(fault["fault"] for fault in outcome["faults"]))
    return "\n".join(
        [
            f"The run in `{RESULTS}` ({outcome['measured_at'][:10]}, {machine['processor']}, {machine['cores']} cores, "
            f"{machine['memory_gib']:g} GiB):",
            "",
            f"- {outcome['events']:,} events sent = {outcome['acknowledged']:,} taken + {outcome['refused_by_size']:,} "
            "larger than the service takes.",
            f"- Of those taken, {outcome['scored']:,} scored + {outcome['rejected']:,} rejected; "
            f"{outcome['stored']:,} of the scored ones are stored.",
            f"- With {outcome['request_units']:,.0f} RU/s, {outcome['throttled_share']:.0%} of "
            f"{outcome['document_writes']:,} document writes were throttled and made again.",
            f"- With {outcome['throughput_units']} throughput unit, {outcome['requests_delayed']:,} produce "
            f"requests were delayed, by {outcome['delayed_ms'] / 1000:,.0f} s in all.",
            f"- Faults: {faults}. Rules broken: {', '.join(outcome['broken_rules']) or 'none'}. Secrets in logs: "
            f"{', '.join(outcome['leaks']) or 'none'}.",
            f"- It took {outcome['seconds'] / 60:,.0f} minutes.",
        ]
    )
