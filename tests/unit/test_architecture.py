"""The architecture, enforced: which part may import which, what the core loads, and how the folders look."""

from __future__ import annotations

import ast
import json
import subprocess
import sys
from collections.abc import Iterator
from functools import cache
from pathlib import Path

import pytest

pytestmark = pytest.mark.timeless

ROOT = Path(__file__).resolve().parents[2]
SOURCE_ROOTS = ("services", "generator", "ml", "dashboards", "benchmarks")
MODULES = sorted(path for root in SOURCE_ROOTS for path in (ROOT / root / "fraudstream").rglob("*.py"))
CORE_MODULES = [path for path in MODULES if path.relative_to(ROOT).parts[2] == "core"]
MOST_MODULES = 15
# Which part may import another one beside the core. A rehearsal starts the same broker, store and services as the
# supervisor does, with other settings in front of them: it is a launcher, as the demo is. So is a benchmark, which also
# makes its events, its model and its documents with the parts' own code. The runtime starts Spark's processes, and
# its doctor compiles the project's query, as the stream job does. A training runs that query over the stored history.
ARROWS: dict[str, tuple[str, ...]] = {
    "stream": ("asaql", "spark"),
    "store": ("spark",),
    "ml": ("asaql", "spark"),
    "runtime": ("asaql", "spark"),
    "cloud": ("asaql", "runtime"),
    "generator": ("asaql",),
    "asaql": ("runtime", "spark"),
    "bench": ("asaql", "runtime", "generator", "ml", "spark", "store", "stream", "dashboards"),
}
_RUNNING = ("compiling", "commands", "running", "strategies", "testing")
# Within a part: what the first never imports, not even for its types.
NEVER: tuple[tuple[str, tuple[str, ...]], ...] = (
    ("core", ("pyspark",)),
    ("dashboards.data", ("fraudstream.dashboards.ui", "fraudstream.dashboards.pages")),
    ("dashboards.ui", ("fraudstream.dashboards.pages",)),
    ("runtime.supervise", ("fraudstream.runtime.parts", "fraudstream.runtime.doctor", "fraudstream.runtime.demo")),
    ("runtime.parts", ("fraudstream.runtime.doctor", "fraudstream.runtime.demo")),
    ("asaql.text", ("fraudstream.asaql.plan",)),
    ("asaql.plan", ("fraudstream.asaql.project_files", "fraudstream.asaql.running", "fraudstream.asaql.testing")),
    # A project's first query is a text: who writes it compiles and runs nothing.
    ("asaql.template", tuple(f"fraudstream.asaql.{room}" for room in ("plan", "text", *_RUNNING))),
    ("generator", tuple(f"fraudstream.asaql.{room}" for room in ("plan", "text", "project_files", *_RUNNING))),
    ("ml.algorithms", ("fraudstream.ml.evaluation", "fraudstream.ml.training", "fraudstream.ml.monitoring")),
    ("ml.evaluation", ("fraudstream.ml.training", "fraudstream.ml.monitoring", "fraudstream.ml.reporting")),
    ("ml.monitoring", ("fraudstream.ml.training", "fraudstream.ml.reporting")),
    ("cloud.rules", ("fraudstream.cloud.check", "fraudstream.cloud.rehearsal")),
    ("cloud.check", ("fraudstream.cloud.rehearsal",)),
)
PAGES = ("live", "history", "explorer", "system")
# The emulated endpoints' rooms: what starts them is none of their business.
ENDPOINTS = ("eventhubs", "iothub", "cosmos", "azureml", "net")


@cache
def parsed(source: str) -> ast.Module:
    """The source's tree: each is looked at by many tests."""
    return ast.parse(source)


def named(path: Path) -> str:
    return str(path.relative_to(ROOT))


def part_of(path: Path) -> str:
    """The part that a module belongs to: services/fraudstream/stream/job.py → stream."""
    return path.relative_to(ROOT).parts[2].removesuffix(".py")


def dotted_name(path: Path) -> str:
    return ".".join(path.relative_to(ROOT).with_suffix("").parts[1:]).removesuffix(".__init__")


def imported_names(source: str, package: str) -> Iterator[str]:
    """Every module that the source imports, wherever the statement stands, relative ones made absolute."""
    for node in ast.walk(parsed(source)):
        if isinstance(node, ast.Import):
            yield from (alias.name for alias in node.names)
        elif isinstance(node, ast.ImportFrom):
            base = node.module or ""
            if node.level:
                parents = package.split(".")[: len(package.split(".")) - node.level + 1]
                base = ".".join([*parents, base]).rstrip(".")
            yield base
            yield from (f"{base}.{alias.name}" for alias in node.names)
        elif isinstance(node, ast.Call) and node.args and isinstance(node.args[0], ast.Constant):
            function = node.func.attr if isinstance(node.func, ast.Attribute) else getattr(node.func, "id", "")
            if function in ("import_module", "__import__") and isinstance(node.args[0].value, str):
                yield node.args[0].value


def imported_parts(source: str, package: str) -> set[str]:
    """The parts of ours that the source imports."""
    names = (name.split(".") for name in imported_names(source, package))
    return {name[1] for name in names if name[0] == "fraudstream" and len(name) > 1}


def package_of(path: Path) -> str:
    name = dotted_name(path)
    return name if path.name == "__init__.py" else name.rpartition(".")[0]


def is_below(name: str, place: str) -> bool:
    return name == place or name.startswith(f"{place}.")


def modules_imported(path: Path) -> set[str]:
    """The modules of ours that one imports, for its types included."""
    known = {dotted_name(other) for other in MODULES}
    imports = set()
    for node in ast.walk(parsed(path.read_text("utf-8"))):
        if isinstance(node, ast.ImportFrom) and node.module and not node.level:
            names = {f"{node.module}.{alias.name}" for alias in node.names}
            imports |= (names & known) or ({node.module} & known)
        elif isinstance(node, ast.Import):
            imports |= {alias.name for alias in node.names} & known
    return imports


def circle_in(arrows: dict[str, set[str]]) -> list[str]:
    """Modules that import each other in a circle, in that order; empty where there is none."""
    done: set[str] = set()

    def walk(name: str, way: list[str]) -> list[str]:
        if name in way:
            return way[way.index(name) :]
        if name in done:
            return []
        for other in sorted(arrows.get(name, ())):
            if circle := walk(other, [*way, name]):
                return circle
        done.add(name)
        return []

    return next((circle for name in sorted(arrows) if (circle := walk(name, []))), [])


def cut_errors(source: str) -> list[int]:
    """The lines at which a caught error's text, or a text made with it, is cut by a slice."""
    lines: set[int] = set()
    for handler in ast.walk(parsed(source)):
        if not isinstance(handler, ast.ExceptHandler) or handler.name is None:
            continue
        for node in ast.walk(handler):
            if isinstance(node, ast.Subscript) and isinstance(node.slice, ast.Slice) and node.slice.upper is not None:
                names = {part.id for part in ast.walk(node.value) if isinstance(part, ast.Name)}
                is_composed = isinstance(node.value, ast.Call | ast.JoinedStr | ast.BinOp)
                lines |= {node.lineno} if is_composed and handler.name in names else set()
    return sorted(lines)


def test_there_is_something_to_check() -> None:
    assert {"core", "runtime"} <= {part_of(path) for path in MODULES}
    assert len(CORE_MODULES) >= 8


@pytest.mark.parametrize(
    ("source", "parts"),
    [
        ("import fraudstream.stream.job", {"stream"}),
        ("from fraudstream import store", {"store"}),
        ("from fraudstream.core.contract.event import Event", {"core"}),
        ("def later():\n    from fraudstream.ml import cli", {"ml"}),
        ("if TYPE_CHECKING:\n    import fraudstream.scoring as s", {"scoring"}),
        ("from ..scoring import app", {"scoring"}),
        ("from . import other", {"store"}),
        ("importlib.import_module('fraudstream.ml.cli')", {"ml"}),
        ("import fraudstreams.ml, os", set()),
    ],
)
def test_imports_are_seen_in_every_form(source: str, parts: set[str]) -> None:
    assert imported_parts(source, "fraudstream.store") == parts


@pytest.mark.parametrize("path", MODULES, ids=named)
def test_a_part_imports_only_core_and_itself(path: Path) -> None:
    allowed = {"core", part_of(path), *ARROWS.get(part_of(path), ())}
    assert imported_parts(path.read_text("utf-8"), package_of(path)) <= allowed


@pytest.mark.parametrize("path", MODULES, ids=named)
def test_rooms_import_in_one_direction(path: Path) -> None:
    name, package = dotted_name(path).removeprefix("fraudstream."), package_of(path)
    imported = set(imported_names(path.read_text("utf-8"), package))
    for place, never in NEVER:
        if is_below(name, place):
            assert not {other for other in imported for room in never if is_below(other, room)}
    for page in PAGES:
        if is_below(name, f"dashboards.pages.{page}"):
            others = {f"fraudstream.dashboards.pages.{other}" for other in PAGES if other != page}
            assert not {other for other in imported for room in others if is_below(other, room)}
    if any(is_below(name, f"cloud.rehearsal.{room}") for room in ENDPOINTS):
        rooms = tuple(f"fraudstream.cloud.rehearsal.{room}" for room in ENDPOINTS)
        own = {other for other in imported if is_below(other, "fraudstream.cloud.rehearsal")}
        assert all(any(is_below(other, room) for room in rooms) for other in own)


def test_no_modules_import_each_other_in_a_circle() -> None:
    assert circle_in({dotted_name(path): modules_imported(path) for path in MODULES}) == []


@pytest.mark.parametrize(
    ("arrows", "circle"),
    [
        ({"a": {"b"}, "b": {"c"}, "c": set()}, []),
        ({"a": {"b"}, "b": {"c"}, "c": {"b"}}, ["b", "c"]),
        ({"a": {"b", "c"}, "b": {"d"}, "c": {"d"}}, []),
        ({"a": {"b"}, "b": {"c"}, "c": {"a"}}, ["a", "b", "c"]),
    ],
)
def test_circles_are_seen(arrows: dict[str, set[str]], circle: list[str]) -> None:
    assert circle_in(arrows) == circle


def test_no_folder_holds_more_modules_than_one_can_overlook() -> None:
    folders = {path.parent for path in MODULES}
    counted = {named(folder): len(list(folder.glob("*.py"))) for folder in folders}
    assert {folder: count for folder, count in counted.items() if count > MOST_MODULES} == {}


@pytest.mark.parametrize("path", MODULES, ids=named)
def test_no_part_is_imported_by_its_folder(path: Path) -> None:
    roots = {name.split(".")[0] for name in imported_names(path.read_text("utf-8"), package_of(path))}
    assert not roots & set(SOURCE_ROOTS)


@pytest.mark.parametrize("path", CORE_MODULES, ids=named)
def test_importing_the_core_loads_nothing_heavy(path: Path) -> None:
    script = (
        f"import sys, json, {dotted_name(path)}\n"
        "json.dump(sorted({name.split('.')[0] for name in sys.modules}), sys.stdout)"
    )
    done = subprocess.run([sys.executable, "-c", script], capture_output=True, text=True, check=True, timeout=120)
    loaded = set(json.loads(done.stdout))
    assert "fraudstream" in loaded
    assert not loaded & {"pyspark", "py4j", "mlflow", "dash", "plotly", "pandas", "xgboost", "sklearn"}


def test_the_azure_folder_has_no_python_that_would_hide_the_azure_packages() -> None:
    assert (ROOT / "azure").is_dir()
    assert [named(path) for path in (ROOT / "azure").rglob("*.py")] == []


@pytest.mark.parametrize("root", SOURCE_ROOTS)
def test_the_namespace_has_no_package_file(root: str) -> None:
    assert (ROOT / root / "fraudstream").is_dir()
    assert not (ROOT / root / "fraudstream" / "__init__.py").exists()
    assert not (ROOT / root / "__init__.py").exists()


@pytest.mark.parametrize("path", MODULES, ids=named)
def test_modules_say_what_they_are(path: Path) -> None:
    source = path.read_text("utf-8")
    assert ast.get_docstring(parsed(source)) or not source.strip()
    assert path.stem not in ("utils", "util", "helpers", "misc", "common")


@pytest.mark.parametrize("path", MODULES, ids=named)
def test_product_code_does_not_print(path: Path) -> None:
    calls = [
        node.lineno
        for node in ast.walk(parsed(path.read_text("utf-8")))
        if isinstance(node, ast.Call) and isinstance(node.func, ast.Name) and node.func.id == "print"
    ]
    assert calls == []


@pytest.mark.parametrize(
    "path", [path for path in MODULES if dotted_name(path) != "fraudstream.core.configuration.settings"], ids=named
)
def test_only_the_settings_know_the_profiles(path: Path) -> None:
    """A profile chooses values; code that asks which profile it runs in would behave differently in the cloud."""
    compared = [
        node.lineno
        for node in ast.walk(parsed(path.read_text("utf-8")))
        if isinstance(node, ast.Compare)
        and any(isinstance(side, ast.Attribute) and side.attr == "profile" for side in [node.left, *node.comparators])
    ]
    assert compared == []


@pytest.mark.parametrize(
    ("text", "cut"),
    [
        ("str(error)[:200]", True),
        ("f'{type(error).__name__}: {error}'[:200]", True),
        ("' '.join(repr(error).split())[:MOST]", True),
        ("f'it fails ({str(error)[:300]}). Try again.'", True),
        ("('it fails: ' + str(error))[:300]", True),
        ("told_text(str(error), 200)", False),
        ("error_text(error)", False),
        ("error.args[:1]", False),
        ("str(number)[:10]", False),
    ],
)
def test_cut_errors_are_seen_in_every_form(text: str, cut: bool) -> None:
    assert bool(cut_errors(f"try:\n    work()\nexcept OSError as error:\n    say({text})")) == cut


@pytest.mark.parametrize("path", MODULES, ids=named)
def test_an_errors_text_is_not_cut_before_its_secrets_are_taken_out(path: Path) -> None:
    """Half a secret is not found any more: ``error_text`` and ``told_text`` take secrets out first."""
    assert cut_errors(path.read_text("utf-8")) == []


def test_every_package_says_that_it_is_typed() -> None:
    roots = [ROOT / root / "fraudstream" for root in SOURCE_ROOTS if root != "benchmarks"]
    packages = {file.parent for root in roots for file in root.glob("*/*.py")}
    assert packages
    assert [package.name for package in sorted(packages) if not (package / "py.typed").is_file()] == []
