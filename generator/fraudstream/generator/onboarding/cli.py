"""``fraudstream init``. What it needs is imported when it runs, so that help is quick."""

from __future__ import annotations

from pathlib import Path
from typing import TYPE_CHECKING, Annotated, Any

import typer

if TYPE_CHECKING:
    from fraudstream.generator.onboarding.folder import Written
    from fraudstream.generator.onboarding.plan import Plan

Column = Annotated[str | None, typer.Option(metavar="COLUMN")]


def init(
    name: Annotated[
        Path, typer.Argument(metavar="NAME", help="The folder to make; its last part is the project's name.")
    ],
    file: Annotated[
        Path | None, typer.Option("--from", help="Transactions: CSV, JSON lines, a JSON array or Parquet; also .gz.")
    ] = None,
    label: Annotated[
        str | None, typer.Option(metavar="COLUMN", help="Tells frauds from others; else guessed, as all of these are.")
    ] = None,
    id: Annotated[
        str | None, typer.Option("--id", metavar="COLUMN", help="Identifies a transaction; `row` or `hash`: made.")
    ] = None,
    time: Annotated[str | None, typer.Option(metavar="COLUMN", help="When the transaction was made.")] = None,
    amount: Annotated[str | None, typer.Option(metavar="COLUMN", help="How much was paid.")] = None,
    entity: Annotated[
        list[str] | None,
        typer.Option(metavar="COLUMN", help="A card, customer, terminal …; may be given several times."),
    ] = None,
    force: Annotated[
        bool, typer.Option("--force", help="Write over the project's files in an existing folder.")
    ] = False,
    as_json: Annotated[bool, typer.Option("--json", help="Report as one JSON object on stdout.")] = False,
) -> None:
    """Make a project of your own transactions: what each column is for is guessed, shown, and yours to correct."""
    from fraudstream.core.errors import ConfigurationError
    from fraudstream.generator.onboarding.folder import require_free, write_project, write_template
    from fraudstream.generator.onboarding.plan import Wishes, make_plan
    from fraudstream.generator.onboarding.sampling import read_sample
    from fraudstream.generator.onboarding.template import template_texts

    folder = name.expanduser().absolute()
    require_free(folder, force)
    wishes = Wishes(label, id, time, amount, tuple(entity or ()))
    if file is None:
        if wishes != Wishes():
            raise ConfigurationError("Columns are named, but no file that has them. Name it with --from FILE.")
        _report(None, write_template(folder, template_texts(folder.name)), name, as_json)
        return
    from datetime import UTC, datetime

    with _working():
        plan = make_plan(read_sample(file.expanduser()), wishes, datetime.now(UTC))
        written = write_project(plan, folder, _title(folder.name))
    _report(plan, written, name, as_json)


def _title(name: str) -> str:
    return name.replace("-", " ").replace("_", " ").strip().capitalize() or name


def _working() -> Any:
    from fraudstream.core.output.terminal import terminal

    return terminal(stderr=True).status("looking at the file")


def _report(plan: Plan | None, written: Written, name: Path, as_json: bool) -> None:
    from fraudstream.core.output.terminal import say, say_json

    if as_json:
        say_json(_as_json(plan, written))
        return
    if plan is not None:
        _show(plan)
        say("")
        if written.accepted < written.read_back:
            say(
                f"{written.read_back - written.accepted:,} of the first {written.read_back:,} rows break the contract: "
            )
            say(f"  {written.refusal}")
        else:
            say(f"The first {written.read_back:,} rows keep the contract.")
    say(f"Written to {written.folder}: {', '.join(written.files)}")
    if plan is None:
        say(
            f"Describe your event in fraudstream.toml and event.schema.json, name your file in [source], and run: "
            f"fraudstream demo --project {name}"
        )
    else:
        say(f"Try it: fraudstream demo --project {name}")


def _show(plan: Plan) -> None:
    from rich.table import Table

    from fraudstream.core.output.terminal import terminal

    sample = plan.sample
    seen = "all" if sample.is_whole else f"{sample.count:,} of"
    title = f"{sample.file.name}: {seen} {sample.total:,} rows, {len(sample.columns):,} columns"
    table = Table(title=title, title_justify="left", box=None, padding=(0, 2, 0, 0), pad_edge=False)
    for heading in ("what", "guess", "because", "to correct"):
        table.add_column(heading, overflow="fold")
    for guess in plan.guesses:
        table.add_row(guess.subject, guess.value, guess.evidence, guess.correction)
    terminal().print(table)


def _as_json(plan: Plan | None, written: Written) -> dict[str, Any]:
    report: dict[str, Any] = {"folder": str(written.folder), "files": list(written.files)}
    if plan is None:
        return report
    sample = plan.sample
    return report | {
        "rows": sample.total,
        "rows_looked_at": sample.count,
        "columns": len(sample.columns),
        "id": plan.id,
        "made_id": plan.made_id,
        "time": plan.time,
        "time_format": plan.form.form,
        "seconds_between_rows": plan.seconds_between_rows,
        "amount": plan.amount,
        "label": plan.label.profile.name,
        "fraud_values": list(plan.label.fraud_values),
        "entities": list(plan.entities),
        "inputs": list(plan.inputs),
        "dimensions": list(plan.dimensions),
        "leaks": plan.leaks,
        "left_out": plan.left_out,
        "types": {name: profile.type for name, profile in plan.profiles.items()},
        "read_back": {"rows": written.read_back, "accepted": written.accepted, "refusal": written.refusal},
        "guesses": [
            {"subject": guess.subject, "value": guess.value, "evidence": guess.evidence, "correction": guess.correction}
            for guess in plan.guesses
        ],
    }
