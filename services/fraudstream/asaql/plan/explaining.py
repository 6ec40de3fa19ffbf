"""A plan as people read it: a tree of steps for each output, or a flowchart; what keeps state, and what runs where."""

from __future__ import annotations

from collections.abc import Iterator, Mapping
from typing import Literal

from fraudstream.asaql.plan import nodes
from fraudstream.asaql.plan.split import Split, keeps_state, split
from fraudstream.asaql.plan.telling import Teller
from fraudstream.asaql.plan.units import told_ticks
from fraudstream.asaql.plan.walks import steps_read_by

Format = Literal["text", "mermaid"]
_LONGEST_LINE = 110


# How each output runs in a project's job, by its name in small letters.
Runs = Mapping[str, str]


def explain(plan: nodes.Plan, form: Format = "text", runs: Runs | None = None) -> str:
    """The plan as a tree of text, or as a Mermaid flowchart; ``runs`` say how a project's job runs the outputs."""
    return _text(plan, runs or {}) if form == "text" else _flowchart(plan, runs or {})


# --- The tree


def _text(plan: nodes.Plan, runs: Runs) -> str:
    division = split(plan)
    lines: list[str] = []
    shown: dict[int, str] = {}
    for output in plan.outputs:
        lines += [f"output {output.name}", *_tree(plan, output.step, ("└─ ", "   "), division, shown), ""]
    where = _jobs(plan, runs) if runs else _where(plan, division)
    return "\n".join([*lines, *where]) + "\n"


def _tree(
    plan: nodes.Plan, number: int, branch: tuple[str, str], division: Split, shown: dict[int, str]
) -> Iterator[str]:
    """The lines of a step and of those that it reads; ``branch`` stands before its first line and its others."""
    step = plan.steps[number]
    if number in shown:
        yield f"{branch[0]}{shown[number]}, as above"
        return
    title = _title(step, number)
    shown[number] = title
    yield f"{branch[0]}{title}{_place(step, division)}"
    below = branch[1]
    others = list(dict.fromkeys(steps_read_by(step)))
    for line in _details(step):
        yield f"{below}{'│' if others else ' '} {_short(line)}"
    for place, other in enumerate(others):
        inner = ("└─ ", "   ") if place == len(others) - 1 else ("├─ ", "│  ")
        yield from _tree(plan, other, (below + inner[0], below + inner[1]), division, shown)


def _title(step: nodes.Step, number: int) -> str:
    name = f" {step.name}" if step.name else ""
    if isinstance(step, nodes.Read):
        return f"read {step.input}"
    kind = {nodes.Select: "select", nodes.Aggregation: "group", nodes.Union: "union", nodes.Match: "match"}[type(step)]
    return f"{kind}{name} [{number}]"


def _place(step: nodes.Step, division: Split) -> str:
    if isinstance(step, nodes.Read | nodes.Union):
        return ""
    if not keeps_state(step):
        return "  (each row by itself)"
    return "  (keeps state, in one place)" if division.keys is None else "  (keeps state, by key)"


def _short(line: str) -> str:
    return line if len(line) <= _LONGEST_LINE else line[: _LONGEST_LINE - 1] + "…"


def _details(step: nodes.Step) -> Iterator[str]:
    teller = Teller.of(step)
    if isinstance(step, nodes.Read):
        row = Teller((step.input,))
        yield f"time: {row.told(step.timestamp)}" if step.timestamp else "time: arrival"
        if step.over:
            yield f"one time line for each {row.listed(step.over)}"
    elif isinstance(step, nodes.Select | nodes.Aggregation):
        yield from _select_details(step, teller)
    elif isinstance(step, nodes.Match):
        yield f"within {told_ticks(step.limit)}" + (f" by {teller.listed(step.partition)}" if step.partition else "")
        yield f"pattern: {_pattern(step.pattern)}"
        for definition in step.definitions:
            yield f"{definition.name}: {teller.told(definition.condition)}"
        yield f"measures: {', '.join(_item(item, teller) for item in step.measures)}"


def _pattern(pattern: nodes.Pattern) -> str:
    parts = [_pattern(part) for part in pattern.parts]
    if pattern.kind == "row":
        return pattern.name or "."
    if pattern.kind == "repeat":
        return f"{parts[0]}{pattern.quantifier}"
    return f"({(' | ' if pattern.kind == 'choice' else ' ').join(parts)})"


def _select_details(step: nodes.Select | nodes.Aggregation, teller: Teller) -> Iterator[str]:
    for source in step.sources:
        yield from _source(source, teller)
    for analytic in step.analytics:
        yield f"over the rows before WHERE: {teller.analytic(analytic)}"
    if step.where is not None:
        yield f"where: {teller.told(step.where)}"
    if isinstance(step, nodes.Aggregation):
        yield f"windows: {'; '.join(teller.window(window) for window in step.windows)}"
        yield f"keys: {teller.listed(step.keys) or 'none, one group for all rows'}"
        yield f"state: {_state(step)}"
        if step.having is not None:
            yield f"having: {teller.told(step.having)}"
    columns = ", ".join(_item(item, teller) for item in step.project)
    yield f"{'distinct columns' if step.distinct else 'columns'}: {columns}"


def _source(source: nodes.Source, teller: Teller) -> Iterator[str]:
    if isinstance(source, nodes.JoinSource):
        other = teller.sources[source.other]
        low, high = _signed(source.low), _signed(source.high)
        yield f"{source.join} join {source.name} on {teller.told(source.on)}"
        yield f"state: rows of {other} and {source.name} whose times differ by {low} to {high}"
    elif isinstance(source, nodes.ReferenceSource):
        on = f" on {teller.told(source.on)}" if source.on else ""
        look = "looked up by its key" if source.equal else "compared with every row"
        yield f"{source.join} join reference {source.input} as {source.name}{on}, {look}"
        raw = Teller((source.input,))
        if source.project:
            columns = ", ".join(_item(item, raw) for item in source.project)
            yield f"{source.name}: {columns}" + (f" where {raw.told(source.where)}" if source.where else "")
    elif isinstance(source, nodes.ApplySource):
        kind = "outer" if source.outer else "cross"
        yield f"{kind} apply {source.function} of {teller.told(source.argument)} as {source.name}"


def _signed(ticks: int) -> str:
    return f"-{told_ticks(-ticks)}" if ticks < 0 else told_ticks(ticks)


def _state(step: nodes.Aggregation) -> str:
    longest = max((_length(window) for window in step.windows), default=0)
    collects = any(aggregate.f in ("collect", "percentile_cont", "percentile_disc") for aggregate in step.aggregates)
    rows = collects or any(isinstance(window, nodes.Sliding) for window in step.windows)
    kept = "the rows" if rows else "one accumulator for each group"
    return f"{kept} of the last {told_ticks(longest)}" if longest else f"{kept} of one time"


def _length(window: nodes.Window) -> int:
    if isinstance(window, nodes.Session):
        return 2 * window.maximum if window.maximum else window.timeout
    return 0 if isinstance(window, nodes.Snapshot) else window.size


def _item(item: nodes.Item, teller: Teller) -> str:
    if isinstance(item, nodes.ExprItem):
        text = teller.told(item.expr)
        return text if text == item.name or text.endswith(f".{item.name}") else f"{text} AS {item.name}"
    if isinstance(item, nodes.SpreadItem):
        return f"{teller.told(item.expr)}.*"
    return "*" if item.sources is None else ", ".join(f"{teller.sources[each]}.*" for each in item.sources)


# --- What runs where


def _where(plan: nodes.Plan, division: Split) -> Iterator[str]:
    yield "runs"
    if division.stateless:
        yield "└─ each row by itself, where it is read: any number of tasks, no state"
        return
    yield "├─ rows are read and timed where they are"
    if division.keys is None:
        yield "└─ then all rows meet in one task: the steps with state have no key in common"
        for number in division.stateful:
            yield f"     {_title(plan.steps[number], number)}: {_own_key(plan.steps[number])}"
        return
    yield "└─ then rows of one key meet in one task"
    for name, key in division.keys.items():
        text = Teller((name,)).listed(key)
        yield f"     {name} by {text}" if key else f"     {name} anywhere: no step with state reads it"


def _jobs(plan: nodes.Plan, runs: Runs) -> Iterator[str]:
    """What runs where in a project's job."""
    yield "runs in the stream job"
    names = list(dict.fromkeys(output.name.casefold() for output in plan.outputs))
    for place, name in enumerate(names):
        yield f"{'└─' if place == len(names) - 1 else '├─'} {name}: {runs[name]}"


def _own_key(step: nodes.Step) -> str:
    teller = Teller.of(step)
    if isinstance(step, nodes.Aggregation):
        return f"by {teller.listed(step.keys)}" if step.keys else "no keys"
    if isinstance(step, nodes.Match):
        return "by its PARTITION BY" if step.partition else "no PARTITION BY"
    if isinstance(step, nodes.Select) and step.analytics:
        own = [teller.listed(analytic.partition) or "nothing" for analytic in step.analytics]
        return f"OVER partitioned by {'; '.join(dict.fromkeys(own))}"
    return "a join on " + "; ".join(
        ", ".join(f"{teller.told(left)} = {teller.told(right)}" for left, right in source.equal) or "no equation"
        for source in getattr(step, "sources", ())
        if isinstance(source, nodes.JoinSource)
    )


# --- The flowchart


def _flowchart(plan: nodes.Plan, runs: Runs) -> str:
    lines = ["flowchart TD"]
    references: dict[str, str] = {}
    for number, step in enumerate(plan.steps):
        details = [] if isinstance(step, nodes.Read) else list(_chart_details(step))
        shape = ("([", "])") if isinstance(step, nodes.Read) else ("[[", "]]") if keeps_state(step) else ("[", "]")
        label = "<br/>".join([_title(step, number), *details])
        lines.append(f"    s{number}{shape[0]}{_quoted(label)}{shape[1]}")
        lines += [f"    s{other} --> s{number}" for other in dict.fromkeys(steps_read_by(step))]
        for source in step.sources if isinstance(step, nodes.Select | nodes.Aggregation) else ():
            if isinstance(source, nodes.ReferenceSource):
                if source.input not in references:
                    references[source.input] = f"r{len(references)}"
                    lines.append(f"    {references[source.input]}[({_quoted(f'reference {source.input}')})]")
                lines.append(f"    {references[source.input]} -.-> s{number}")
    for place, output in enumerate(plan.outputs):
        label = "<br/>".join([f"output {output.name}", *filter(None, (runs.get(output.name.casefold(), ""),))])
        lines.append(f"    o{place}>{_quoted(label)}]")
        lines.append(f"    s{output.step} --> o{place}")
    return "\n".join(lines) + "\n"


def _chart_details(step: nodes.Step) -> Iterator[str]:
    teller = Teller.of(step)
    if isinstance(step, nodes.Aggregation):
        yield from (teller.window(window) for window in step.windows)
        if step.keys:
            yield _short(f"by {teller.listed(step.keys)}")
    if isinstance(step, nodes.Select | nodes.Aggregation):
        yield from (_short(teller.analytic(analytic)) for analytic in step.analytics)
        if step.where is not None:
            yield _short(f"where {teller.told(step.where)}")


def _quoted(label: str) -> str:
    """A label of a flowchart, in which quotes and signs of its syntax mean nothing."""
    escaped = label.replace("&", "#amp;").replace('"', "#quot;").replace("<", "#lt;").replace(">", "#gt;")
    return '"' + escaped.replace("#lt;br/#gt;", "<br/>") + '"'
