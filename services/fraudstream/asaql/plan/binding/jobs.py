"""A whole file, bound: inputs, steps in an order in which each reads only earlier ones, outputs."""

from __future__ import annotations

from collections.abc import Iterable, Mapping
from dataclasses import dataclass, field, replace
from typing import Literal, TypeAlias, cast

from fraudstream.asaql.plan import nodes
from fraudstream.asaql.plan.binding.clauses import TIMESTAMP, Lifted, Place
from fraudstream.asaql.plan.binding.expressions import bind
from fraudstream.asaql.plan.binding.matches import bound_match
from fraudstream.asaql.plan.binding.scopes import OPEN, Scope, ScopeSource, Shape
from fraudstream.asaql.plan.binding.selects import bound_select
from fraudstream.asaql.plan.binding.sources import Bound, Reference
from fraudstream.asaql.plan.faults import listed, nearest, refusal
from fraudstream.asaql.plan.nodes import Column, TypeText
from fraudstream.asaql.plan.walks import every_part, expressions_of, inputs_read_by, renumbered, steps_read_by
from fraudstream.asaql.text import tree

InputKind: TypeAlias = Literal["stream", "reference"]
DEFAULT_OUTPUT = "output"
_LONGEST_CHAIN = 200


@dataclass(frozen=True, slots=True)
class _Input:
    name: str
    kind: InputKind
    columns: tuple[Column, ...] | None

    @property
    def shape(self) -> Shape:
        return OPEN if self.columns is None else Shape(self.columns)


@dataclass(slots=True)
class JobBinder:
    """The steps of a job as they are bound: those of WITH when they are first read, so that any order works."""

    level: str
    inputs: dict[str, _Input]
    is_closed: bool
    with_steps: dict[str, tree.Step]
    steps: list[nodes.Step] = field(default_factory=list)
    bound: dict[str, Bound] = field(default_factory=dict)
    in_work: list[str] = field(default_factory=list)

    # --- What FROM can read

    def named(self, source: tree.NamedSource) -> Bound | Reference:
        """What a name in FROM means: a step of WITH, else an input."""
        step = self._step(source)
        if step is None:
            return self._input(source)
        passed = _passed_on(step.query)
        if passed is None and source.timestamp is None and self.is_of_reference(step):
            return self._made_reference(step)
        if passed is not None and (self._is_reference(passed) or source.timestamp is not None):
            # A step that hands an input on unchanged may stand where the input may.
            partition = source.partition or passed.partition
            return self.named(replace(source, name=passed.name, partition=partition))
        if source.timestamp is not None:
            raise refusal(
                f"TIMESTAMP BY stands at an input; {source.name.text} is a step. Write it in the step, where the input "
                "is read.",
                source.position,
            )
        return self.with_step(step)

    def _step(self, source: tree.NamedSource) -> tree.Step | None:
        folded = source.name.text.lower()
        step = self.with_steps.get(folded)
        if step is not None and folded in self.in_work:
            if folded in self.inputs:
                return None
            circle = " → ".join(self.with_steps[name].name.text for name in [*self.in_work, folded])
            raise refusal(f"Steps read each other in a circle: {circle}.", source.name.position)
        return step

    def is_of_reference(self, step: tree.Step) -> bool:
        """Whether a step selects from reference data alone, and so has no rows of its own in time."""
        query = step.query
        if not isinstance(query, tree.Select) or not isinstance(query.source, tree.NamedSource):
            return False
        is_simple = not (query.joins or query.match or query.group or query.distinct)
        return is_simple and query.source.name.text.lower() not in self.with_steps and self._is_reference(query.source)

    def _made_reference(self, step: tree.Step) -> Reference:
        """The reference data that a step makes of others by its columns and its WHERE."""
        query = step.query
        if not isinstance(query, tree.Select) or not isinstance(query.source, tree.NamedSource):
            raise refusal("The step is no SELECT.", step.position)
        declared = self.inputs[query.source.name.text.lower()]
        selected, shape = bound_select(query, _Single(self.level, Bound(0, declared.shape)), step.name.text)
        times = [part for each in expressions_of(selected) for part in every_part(each) if isinstance(part, nodes.Time)]
        if times or not isinstance(selected, nodes.Select) or selected.analytics:
            raise refusal(
                f"{step.name.text} selects from reference data, whose rows have no time: leave out OVER and "
                "System.Timestamp().",
                step.position,
            )
        return Reference(declared.name, shape, selected.where, selected.project)

    def _is_reference(self, source: tree.NamedSource) -> bool:
        declared = self.inputs.get(source.name.text.lower())
        return declared is not None and declared.kind == "reference"

    def _input(self, source: tree.NamedSource) -> Bound | Reference:
        name = source.name.text
        declared = self.inputs.get(name.lower())
        if declared is None:
            if self.is_closed:
                known = [each.name for each in self.inputs.values()] + [
                    step.name.text for step in self.with_steps.values()
                ]
                hint = nearest(name, known) or (f" There are {listed(known)}." if known else "")
                raise refusal(f"{name} is neither an input nor a step.{hint}", source.name.position)
            declared = self.inputs[name.lower()] = _Input(name, "stream", None)
        if declared.kind == "stream":
            return self._read(source, declared)
        if source.timestamp is not None:
            raise refusal(f"{name} is reference data, which has no time: leave out TIMESTAMP BY.", source.position)
        return Reference(declared.name, declared.shape)

    def _read(self, source: tree.NamedSource, declared: _Input) -> Bound:
        name = source.alias.text if source.alias else source.name.text
        scope = Scope((ScopeSource(0, name, declared.name, declared.shape, "step", declared.name),))
        place = Place(scope, TIMESTAMP, Lifted(), self.level)
        timestamp = None if source.timestamp is None else bind(source.timestamp, place)
        over = tuple(bind(each, place) for each in source.over)
        for index, step in enumerate(self.steps):
            if isinstance(step, nodes.Read) and (step.input, step.timestamp, step.over) == (
                declared.name,
                timestamp,
                over,
            ):
                return Bound(index, declared.shape, declared.name, source.partition)
        read = nodes.Read(None, source.position, declared.name, timestamp, over)
        return Bound(self.add(read), declared.shape, declared.name, source.partition)

    def derived(self, query: tree.Query) -> Bound:
        """A query in parentheses."""
        return self.query(query, None, "a query in parentheses")

    # --- Queries

    def with_step(self, step: tree.Step) -> Bound:
        """A step of WITH, bound once."""
        folded = step.name.text.lower()
        if folded not in self.bound:
            self.in_work.append(folded)
            self.bound[folded] = self.query(step.query, step.name.text, "WITH")
            self.in_work.pop()
        return self.bound[folded]

    def query(self, query: tree.Query, name: str | None, within: str | None = None) -> Bound:
        """A query; ``within`` is where INTO may not stand."""
        if isinstance(query, tree.Union):
            return self._union(query, name, within)
        if within is not None and query.into is not None:
            raise refusal(
                f"INTO {query.into.text} stands in {within}. Write the output after the steps, by a SELECT of its own.",
                query.into.position,
            )
        if query.match is not None:
            return self._matched(query, query.match, name)
        step, shape = bound_select(query, self, name)
        keys = step.partition if isinstance(step, nodes.Select | nodes.Aggregation) else ()
        carried = tuple(key.folded[-1] for key in keys if isinstance(key, nodes.Field))
        return Bound(self.add(step), shape, carried=carried)

    def _matched(self, query: tree.Select, match: tree.Match, name: str | None) -> Bound:
        rows = self.query(
            replace(query, match=None, where=None, group=(), having=None, into=None, items=_EVERYTHING), None
        )
        source = query.source.alias or (query.source.name if isinstance(query.source, tree.NamedSource) else None)
        scope = Scope((ScopeSource(0, source.text if source else "rows", None, rows.shape, "step"),))
        step, shape = bound_match(match, rows.step, scope, self.level)
        matches = _Single(self.level, Bound(self.add(step), shape))
        alias = match.alias or tree.Name("T", match.position)
        again = tree.NamedSource(alias, None, None, (), (), None, match.position)
        selected, selected_shape = bound_select(replace(query, match=None, source=again, joins=()), matches, name)
        return Bound(self.add(selected), selected_shape)

    def _union(self, union: tree.Union, name: str | None, within: str | None) -> Bound:
        halves = []
        first_into = _into(union.queries[0])
        for place, query in enumerate(union.queries):
            into = _into(query)
            if place and into is not None and (first_into is None or into.text.lower() != first_into.text.lower()):
                raise refusal("The INTO of a UNION stands in its first SELECT.", into.position)
            if within is not None and into is not None:
                raise refusal(
                    f"INTO {into.text} stands in {within}. Outputs are written after the steps.", into.position
                )
            halves.append(self.query(query, None))
        first, *others = halves
        same = [
            first,
            *(self._fitted(half, first, query) for half, query in zip(others, union.queries[1:], strict=True)),
        ]
        shape = _common_shape([half.shape for half in same])
        return Bound(self.add(nodes.Union(name, union.position, tuple(half.step for half in same))), shape)

    def _fitted(self, half: Bound, first: Bound, query: tree.Query) -> Bound:
        """A half of a UNION with the column names of the first half, which it takes by place."""
        if half.shape.is_open or first.shape.is_open:
            return half
        wanted, given = first.shape.columns, half.shape.columns
        if len(wanted) != len(given):
            raise refusal(
                f"The halves of a UNION have {len(wanted)} and {len(given)} columns: "
                f"{listed(column.name for column in wanted)}; {listed(column.name for column in given)}. Select the "
                "same columns in both.",
                query.position,
            )
        for left, right in zip(wanted, given, strict=True):
            _check_types(left, right, query)
        if [column.name.lower() for column in wanted] == [column.name.lower() for column in given]:
            return half
        items = tuple(
            nodes.ExprItem(left.name, nodes.Field((0,), path=(right.name,), static=right.type))
            for left, right in zip(wanted, given, strict=True)
        )
        source = nodes.StepSource(half.step, "half")
        step = nodes.Select(None, query.position, (source,), (), None, items, False)
        return Bound(self.add(step), first.shape)

    def add(self, step: nodes.Step) -> int:
        """The number of a new step."""
        self.steps.append(step)
        return len(self.steps) - 1


@dataclass(slots=True)
class _Single:
    """One source for all of FROM: the matches of MATCH_RECOGNIZE, or the rows of reference data."""

    level: str
    found: Bound

    def named(self, _: tree.NamedSource) -> Bound:
        return self.found

    def derived(self, _: tree.Query) -> Bound:
        return self.found


_EVERYTHING = (tree.Item(tree.Star(None, tree.Position(1, 1)), None, tree.Position(1, 1)),)
_NUMBERS = ("bigint", "float", "bit")


def _check_types(left: Column, right: Column, query: tree.Query) -> None:
    known = {left.type, right.type} - {None, "null"}
    if len(known) == 2 and not known <= set(_NUMBERS) and not known <= {"nvarchar", "datetime"}:
        raise refusal(
            f"The column {left.name} is {left.type} in the first half of the UNION and {right.type} in this one. "
            "Use CAST.",
            query.position,
        )


def _common_shape(shapes: list[Shape]) -> Shape:
    first, *others = shapes
    types = {column.name.lower(): column.type for shape in others for column in shape.columns}
    columns = tuple(
        column if types.get(column.name.lower(), column.type) == column.type else Column(column.name, None)
        for column in first.columns
    )
    return Shape(columns if not first.is_open else (), any(shape.is_open for shape in shapes))


def _into(query: tree.Query) -> tree.Name | None:
    return query.into if isinstance(query, tree.Select) else _into(query.queries[0])


def _passed_on(query: tree.Query) -> tree.NamedSource | None:
    """The input that a step hands on unchanged, if it does nothing else: ``SELECT * FROM input``."""
    if not isinstance(query, tree.Select) or not isinstance(query.source, tree.NamedSource) or query.distinct:
        return None
    does_more = query.joins or query.match or query.where or query.group or query.having or query.source.timestamp
    items = [item.expression for item in query.items]
    is_all = len(items) == 1 and isinstance(items[0], tree.Star) and items[0].of is None
    return query.source if is_all and not does_more else None


# --- The job


def bound_job(
    job: tree.Job,
    inputs: Mapping[str, InputKind] | None,
    references: Iterable[str],
    level: str,
    dialect: str,
) -> nodes.Plan:
    """The plan of a file. Raises :class:`~fraudstream.asaql.errors.QueryError`."""
    binder = JobBinder(level, _declared(job, inputs, references), inputs is not None, _with_steps(job))
    if not job.queries:
        raise refusal("The file has no SELECT after its steps: nothing is written.", None)
    # In the order of the text, so that steps are not bound deep within each other; what no output needs is bound for
    # its errors, and left out of the plan.
    for step in job.steps:
        if binder.is_of_reference(step):
            binder.named(tree.NamedSource(step.name, None, None, (), (), None, step.position))
        else:
            binder.with_step(step)
    outputs: dict[str, list[int]] = {}
    spelled: dict[str, str] = {}
    for query in job.queries:
        into = _into(query)
        name = into.text if into else DEFAULT_OUTPUT
        spelled.setdefault(name.lower(), name)
        outputs.setdefault(name.lower(), []).append(binder.query(query, None).step)
    written = []
    for folded, steps in outputs.items():
        position = job.queries[0].position
        last = steps[0] if len(steps) == 1 else binder.add(nodes.Union(None, position, tuple(steps)))
        written.append(nodes.Output(spelled[folded], last))
    _refuse_long_chains(binder.steps)
    return _pruned(binder, tuple(written), level, dialect)


def _refuse_long_chains(steps: list[nodes.Step]) -> None:
    depths: list[int] = []
    for step in steps:
        depths.append(1 + max((depths[other] for other in steps_read_by(step)), default=0))
        if depths[-1] > _LONGEST_CHAIN:
            raise refusal(f"More than {_LONGEST_CHAIN} steps read one another in a row. Join some of them.", step.pos)


def _declared(job: tree.Job, inputs: Mapping[str, InputKind] | None, references: Iterable[str]) -> dict[str, _Input]:
    kinds: dict[str, InputKind] = {name.lower(): kind for name, kind in (inputs or {}).items()}
    kinds.update({name.lower(): "reference" for name in references})
    spelled = {name.lower(): name for name in [*(inputs or {}), *references]}
    declared = {folded: _Input(spelled[folded], kind, None) for folded, kind in kinds.items()}
    for table in job.tables:
        folded = table.name.text.lower()
        if folded in declared and declared[folded].columns is not None:
            raise refusal(f"{table.name.text} is declared twice.", table.position)
        columns = tuple(Column(each.name.text, cast("TypeText", each.type.name)) for each in table.columns)
        names = [column.name.lower() for column in columns]
        for place, each in enumerate(table.columns):
            if names.index(each.name.text.lower()) != place:
                raise refusal(f"The column {each.name.text} is declared twice.", each.position)
        declared[folded] = _Input(spelled.get(folded, table.name.text), kinds.get(folded, "stream"), columns)
    return declared


def _with_steps(job: tree.Job) -> dict[str, tree.Step]:
    steps: dict[str, tree.Step] = {}
    for step in job.steps:
        if step.name.text.lower() in steps:
            raise refusal(f"Two steps are called {step.name.text}.", step.name.position)
        steps[step.name.text.lower()] = step
    return steps


def _pruned(binder: JobBinder, outputs: tuple[nodes.Output, ...], level: str, dialect: str) -> nodes.Plan:
    """The plan with the steps that an output needs, numbered anew, and the inputs that these read."""
    needed: set[int] = set()
    waiting = [output.step for output in outputs]
    while waiting:
        step = waiting.pop()
        if step not in needed:
            needed.add(step)
            waiting += steps_read_by(binder.steps[step])
    numbers = {old: new for new, old in enumerate(sorted(needed))}
    steps = tuple(renumbered(binder.steps[old], numbers) for old in sorted(needed))
    used = {name.lower() for step in steps for name in inputs_read_by(step)}
    inputs = tuple(
        nodes.Input(each.name, each.kind, each.columns) for folded, each in binder.inputs.items() if folded in used
    )
    renamed = tuple(nodes.Output(output.name, numbers[output.step]) for output in outputs)
    return nodes.Plan(nodes.VERSION, level, dialect, inputs, steps, renamed)
