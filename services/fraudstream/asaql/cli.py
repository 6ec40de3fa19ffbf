"""``fraudstream query``: Stream Analytics queries on this machine. What a command needs is imported when it runs."""

from __future__ import annotations

from pathlib import Path
from typing import Annotated, Literal

import typer

app = typer.Typer(
    help="Stream Analytics query files (.asaql): run, test, explain, check and export them.", no_args_is_help=True
)

Dialect = Literal["asa", "fabric"]
Place = Annotated[
    Path, typer.Argument(metavar="FILE|PROJECT", help="A query's file, or a project: its folder or its asaproj.json.")
]
JsonOption = Annotated[bool, typer.Option("--json", help="One JSON object on stdout.")]
DialectOption = Annotated[
    Dialect, typer.Option("--dialect", help="Whose language it is: Stream Analytics' (asa) or Fabric Eventstream's.")
]

ReferenceNames = Annotated[
    list[str] | None,
    typer.Option("--reference", metavar="NAME", help="An input that is reference data, where no project says so."),
]


@app.command()
def run(
    place: Place,
    inputs: Annotated[
        list[str] | None,
        typer.Option(
            "--input",
            metavar="NAME=PATH",
            help="Records of an input, repeatable: JSON, CSV or Parquet, a file, a folder or a pattern.",
        ),
    ] = None,
    references: Annotated[
        list[str] | None,
        typer.Option("--reference", metavar="NAME=PATH", help="Reference data, repeatable."),
    ] = None,
    output_dir: Annotated[
        Path | None, typer.Option("--output-dir", help="Write a file of JSON lines for each output into this folder.")
    ] = None,
    _finite: Annotated[
        bool, typer.Option("--finite", help="Run to the files' end and close all windows there: this is the default.")
    ] = True,
    rows: Annotated[int, typer.Option("--rows", min=0, help="How many rows of each output to show.")] = 20,
    as_json: JsonOption = False,
    dialect: DialectOption = "asa",
) -> None:
    """Run a query on files to their end: show each output's first rows, or write all with --output-dir.

    Inputs that are not given come from the project's local inputs.

    Exit status 1: the query is wrong, or a record stopped it, as it would stop in Azure.
    """
    from fraudstream.asaql.commands.running import run_command

    run_command(place, inputs or (), references or (), output_dir, rows=rows, as_json=as_json, dialect=dialect)


@app.command("test")
def run_cases(
    place: Annotated[Path, typer.Argument(metavar="[PROJECT]", help="A project: its folder or asaproj.json.")] = Path(),
    config: Annotated[
        Path | None,
        typer.Option("--config", help="The file of test cases; test/testConfig.json beside the project by default."),
    ] = None,
    output_dir: Annotated[
        Path | None, typer.Option("--output-dir", help="Keep the outputs and testResultSummary.json in this folder.")
    ] = None,
    watch: Annotated[bool, typer.Option("--watch", help="Run again whenever a file of the project is saved.")] = False,
    as_json: JsonOption = False,
    dialect: DialectOption = "asa",
) -> None:
    """Run the cases of testConfig.json and compare each output with what is expected.

    Exit status 0: all passed; 1: some did not, or could not be run.
    """
    from fraudstream.asaql.commands.testing import test_command

    if not test_command(place, config, output_dir, watch=watch, as_json=as_json, dialect=dialect):
        raise typer.Exit(1)


@app.command()
def explain(
    place: Place,
    format: Annotated[
        Literal["text", "mermaid", "json"],
        typer.Option("--format", help="Text, a Mermaid picture, or the plan itself."),
    ] = "text",
    references: ReferenceNames = None,
    dialect: DialectOption = "asa",
) -> None:
    """The query's steps: what each reads and does, and what may run where the rows are."""
    from fraudstream.asaql.commands.reading import explain_command

    explain_command(place, format, references or (), dialect)


@app.command()
def lint(
    place: Place, references: ReferenceNames = None, as_json: JsonOption = False, dialect: DialectOption = "asa"
) -> None:
    """What compiles and may surprise, or would stop the job in Azure. Exit status 1: there is something to look at."""
    from fraudstream.asaql.commands.reading import lint_command

    if lint_command(place, references or (), as_json=as_json, dialect=dialect):
        raise typer.Exit(1)


@app.command()
def export(
    place: Place,
    output_dir: Annotated[Path, typer.Option("--output-dir", help="The folder to write to.")],
    references: ReferenceNames = None,
    as_json: JsonOption = False,
) -> None:
    """Write what Azure needs: the query, its functions, and a Bicep module of the job. Secrets become parameters."""
    from fraudstream.asaql.commands.exporting import export_command

    export_command(place, output_dir, references or (), as_json=as_json)
