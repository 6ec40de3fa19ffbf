"""``fraudstream check``: finds what would fail in the cloud, offline."""

from __future__ import annotations

from pathlib import Path
from typing import Annotated

import typer

app = typer.Typer(help="Find what would fail in a cloud, offline.", no_args_is_help=True)


@app.callback()
def check() -> None:
    """Find what would fail in a cloud, offline."""


@app.command()
def azure(
    project: Annotated[
        Path, typer.Option(help="The folder of the clone; FRAUDSTREAM_PROJECT chooses the project.")
    ] = Path(),
    parameters: Annotated[str, typer.Option(help="Which file of azure/parameters.")] = "dev",
    as_json: Annotated[bool, typer.Option("--json", help="One JSON object on stdout.")] = False,
) -> None:
    """Check settings, code, queries and templates against the services' rules. Exit status 1: there are findings."""
    from fraudstream.cloud.check.linter import lint
    from fraudstream.cloud.check.subject import gather
    from fraudstream.cloud.rules.table import rules
    from fraudstream.core.output.terminal import say_json, styled, terminal

    subject = gather(project, parameters)
    findings = lint(subject)
    checked = len(rules())
    if as_json:
        answer = {
            "rules": checked,
            "addresses_checked": subject.addressed,
            "findings": [finding.to_json() for finding in findings],
        }
        say_json(answer)
    else:
        out = terminal(soft_wrap=True)
        for finding in findings:
            colour = "red" if finding.rule.severity == "error" else "yellow"
            out.print(styled((finding.rule.id, colour), f" {finding.where}: {finding.problem}"))
            for name, text in (
                ("demands", finding.rule.demand),
                ("fix", finding.rule.fix),
                ("source", finding.rule.source),
            ):
                out.print(f"    {name}: {text}")
        if not subject.addressed:
            out.print("no address of Azure is set: connection strings were not checked (azure/.env.example)")
        out.print(f"{checked} rules, {len(findings)} findings")
    if findings:
        raise typer.Exit(1)
