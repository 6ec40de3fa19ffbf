"""``fraudstream query``: Stream Analytics queries on this machine. What a command needs is imported when it runs."""

from __future__ import annotations

from pathlib import Path
from typing import Annotated, Literal

import typer

from fraudstream.core.errors import ConfigurationError

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

PythonOption = Annotated[
    bool, typer.Option("--python", help="Let the project's functions in Python run: they can do whatever you can.")
]
ReferenceNames = Annotated[
    list[str] | None,
    typer.Option("--reference", metavar="NAME", help="An input that is reference data, where no project says so."),
]


def _choose_project(place: Path) -> None:
    from fraudstream.asaql.running.champion import choose_project

    choose_project(place)


@app.command()
def run(
    place: Place,
    inputs: Annotated[
        list[str] | None,
        typer.Option(
            "--input",
            metavar="NAME=PATH",
            help="Records of an input, repeatable: JSON, CSV or Parquet, a file, a folder or a pattern. "
            "With --live: NAME=TOPIC.",
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
    live: Annotated[
        bool, typer.Option("--live", help="Run on topics until Ctrl-C, from the query's checkpoint.")
    ] = False,
    outputs: Annotated[
        list[str] | None,
        typer.Option(
            "--output",
            metavar="NAME=TOPIC",
            help="The topic of an output, repeatable, with --live; NAME=- shows its rows.",
        ),
    ] = None,
    starts: Annotated[
        Literal["earliest", "latest"] | None,
        typer.Option("--from", help="Where a new checkpoint begins, with --live: latest by default."),
    ] = None,
    rows: Annotated[int, typer.Option("--rows", min=0, help="How many rows of each output to show.")] = 20,
    python: PythonOption = False,
    as_json: JsonOption = False,
    dialect: DialectOption = "asa",
) -> None:
    """Run a query on files to their end: show each output's first rows, or write all with --output-dir.

    Inputs that are not given come from the project's local inputs.

    With --live it runs on topics: an input's is the project's EventHubName, else its own name; an output without one
    is shown as its rows come. Ctrl-C ends it; started again it goes on.

    Exit status 1: the query is wrong, or a record stopped it, as it would stop in Azure.
    """
    _choose_project(place)
    if live:
        from fraudstream.asaql.commands.live import LiveRequest, live_command

        if output_dir is not None:
            raise ConfigurationError("--output-dir is for runs on files. With --live give --output NAME=TOPIC.")
        live_command(
            LiveRequest(
                place, inputs or (), outputs or (), references or (), starts or "latest", rows, as_json, dialect
            )
        )
        return
    if outputs or starts is not None:
        raise ConfigurationError("--output and --from are for runs on topics. Add --live.")
    from fraudstream.asaql.commands.running import RunRequest, run_command

    run_command(RunRequest(place, inputs or (), references or (), output_dir, rows, as_json, dialect, python))


@app.command("test")
def run_cases(
    place: Annotated[Path, typer.Argument(metavar="[PROJECT]", help="A project: its folder or asaproj.json.")] = Path(),
    config: Annotated[
        Path | None,
        typer.Option("--config", help="The file of test cases; test/testConfig.json beside the project by default."),
    ] = None,
    watch: Annotated[bool, typer.Option("--watch", help="Run again whenever a file of the project is saved.")] = False,
    output_dir: Annotated[
        Path | None, typer.Option("--output-dir", help="Keep the outputs and testResultSummary.json in this folder.")
    ] = None,
    as_json: JsonOption = False,
    dialect: DialectOption = "asa",
    python: PythonOption = False,
) -> None:
    """Run the cases of testConfig.json and compare each output with what is expected.

    Exit status 0: all passed; 1: some did not, or could not be run.
    """
    _choose_project(config or place)
    from fraudstream.asaql.commands.testing import test_command

    options = {"watch": watch, "as_json": as_json, "allows_python": python}
    if not test_command(place, config, output_dir, dialect=dialect, **options):
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
