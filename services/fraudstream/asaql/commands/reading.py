"""``fraudstream query explain`` and ``query lint``: what is known of a query before it runs."""

from __future__ import annotations

from collections.abc import Collection, Mapping
from pathlib import Path
from typing import Literal

from fraudstream.asaql.commands.showing import show_notes
from fraudstream.asaql.compiling import findings_of, plan_of
from fraudstream.asaql.plan.compiling import Dialect
from fraudstream.asaql.plan.explaining import explain
from fraudstream.asaql.plan.lint.findings import RULES
from fraudstream.asaql.project_files.folder import QueryProject, read_project
from fraudstream.core.output.terminal import say_json, say_lines, terminal
from fraudstream.core.project.definition import FILE_NAME as DEFINITION
from fraudstream.core.project.outputs import QUERY_FOLDER
from fraudstream.core.project.project import read_project as core_project


def explain_command(
    place: Path, format: Literal["text", "mermaid", "json"], references: Collection[str], dialect: Dialect
) -> None:
    """Show the plan. Raises :class:`FraudstreamError`."""
    project = read_project(place)
    show_notes(project)
    plan = plan_of(project, references=references, dialect=dialect)
    if format == "json":
        say_json(plan.to_json())
    else:
        say_lines(explain(plan, format, _runs(project)))


def _runs(files: QueryProject) -> Mapping[str, str]:
    """How the job of Fraudstream's project runs the outputs; empty for a query that is no such project's."""
    folder = files.folder.resolve()
    if folder.name != QUERY_FOLDER or not (folder.parent / DEFINITION).is_file():
        return {}
    from fraudstream.asaql.strategies.job_query import compiled_query

    query = compiled_query(core_project(folder.parent), files)
    return {output.name.casefold(): output.told for output in query.outputs}


def lint_command(place: Path, references: Collection[str], *, as_json: bool, dialect: Dialect) -> int:
    """Show the findings; how many there are. Raises :class:`FraudstreamError` for a query that does not compile."""
    project = read_project(place)
    show_notes(project)
    file = str(project.query_file)
    plan = plan_of(project, references=references, dialect=dialect)
    findings = findings_of(project, plan)
    if as_json:
        rules = sorted({finding.rule for finding in findings})
        say_json(
            {
                "file": file,
                "findings": [finding._asdict() for finding in findings],
                "rules": {rule: RULES[rule] for rule in rules},
            }
        )
        return len(findings)
    out = terminal()
    for finding in findings:
        out.print(f"{file}:{finding.line}:{finding.column}: {finding.rule} {finding.message}", soft_wrap=True)
    out.print(f"{len(findings)} findings" if len(findings) != 1 else "1 finding")
    return len(findings)
