"""``fraudstream check``: what would fail in the cloud, found before going there."""

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
    project: Annotated[Path, typer.Option(help="The project's folder.")] = Path(),
    parameters: Annotated[str, typer.Option(help="Which file of azure/parameters.")] = "dev",
    as_json: Annotated[bool, typer.Option("--json", help="One JSON object on stdout.")] = False,
) -> None:
    """Check settings, code, queries and templates against the services' rules. Exit status 1: something was found."""
    from fraudstream.cloud.check.linter import lint
    from fraudstream.cloud.check.subject import gather
    from fraudstream.cloud.rules.table import rules
    from fraudstream.core.output.terminal import say_json, styled, terminal

    subject = gather(project, parameters)
    found = lint(subject)
    checked = len(rules())
    if as_json:
        answer = {
            "rules": checked,
            "addresses_checked": subject.addressed,
            "findings": [one.to_json() for one in found],
        }
        say_json(answer)
    else:
        out = terminal(soft_wrap=True)
        for one in found:
            colour = "red" if one.rule.severity == "error" else "yellow"
            out.print(styled((one.rule.id, colour), f" {one.where}: {one.problem}"))
            for name, said in (("demands", one.rule.demand), ("fix", one.rule.fix), ("source", one.rule.source)):
                out.print(f"    {name}: {said}")
        if not subject.addressed:
            out.print("no address of Azure is set: connection strings were not checked (azure/.env.example)")
        out.print(f"{checked} rules, {len(found)} findings")
    if found:
        raise typer.Exit(1)
