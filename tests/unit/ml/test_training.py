"""Which training takes the champion's role, and what is told when there is nothing to learn from."""

from __future__ import annotations

import importlib
import shutil
import sys
import tomllib
from collections.abc import Callable
from importlib.metadata import PackageNotFoundError
from importlib.metadata import version as version_of
from pathlib import Path
from typing import Any, NoReturn
from urllib.parse import urlparse

import mlflow
import numpy as np
import pandas as pd
import pytest
from packaging.requirements import Requirement
from structlog.testing import capture_logs

from fraudstream.core.configuration.settings import Settings
from fraudstream.core.contract.event import AMOUNT, FEATURES
from fraudstream.core.errors import ModelError, RegistryUnavailable, StoreUnavailable
from fraudstream.core.registry import LoadedModel, champion_version, load_version, registry_client
from fraudstream.generator.simulators.payments.distributions import sample
from fraudstream.ml import model_code, signature, tracking
from fraudstream.ml.algorithms import boosting, gbt
from fraudstream.ml.evaluation import plots
from fraudstream.ml.evaluation.metrics import metrics
from fraudstream.ml.features import EVENT_TIME, ID, LABEL, matrix
from fraudstream.ml.history import History, await_history, checked, fingerprint
from fraudstream.ml.registry import promote, versions
from fraudstream.ml.training import run as training
from fraudstream.ml.usable import LeftOut
from tests.events import named, renamed
from tests.unit.ml.one_split import ONE_SPLIT

pytestmark = pytest.mark.timeless


def labelled(count: int, seed: int) -> pd.DataFrame:
    drawn = renamed(sample(count, seed))
    frame = pd.DataFrame({name: np.asarray(drawn[name]) for name in (*FEATURES, LABEL)})
    frame[LABEL] = frame[LABEL].astype(int)
    numbers = np.arange(count)
    return frame.assign(**{ID: 1_000_000 + numbers, EVENT_TIME: 1_790_000_000_000 + 60_000 * numbers})


PROJECT = Path(__file__).parents[3] / "pyproject.toml"
HISTORY = labelled(3_000, 11)
SPLIT = training.split(HISTORY)


@pytest.fixture
def settings(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> Settings:
    monkeypatch.setattr(boosting, "DEPTHS", (1,))
    return Settings(mlflow_tracking_uri=f"sqlite:///{tmp_path / 'mlflow.db'}")


def trained(settings: Settings, monkeypatch: pytest.MonkeyPatch, trees: int, tmp_path: Path) -> training.Outcome:
    monkeypatch.setitem(boosting.PARAMETERS, "n_estimators", trees)
    client = registry_client(settings)
    return training.Training(settings, client, None, SPLIT, {"dataset_rows": "3000"}, 7).run("xgboost", tmp_path)  # type: ignore[arg-type]


def test_only_a_better_model_takes_the_role(
    settings: Settings, monkeypatch: pytest.MonkeyPatch, tmp_path: Path
) -> None:
    first = trained(settings, monkeypatch, 20, tmp_path)
    assert (first.promoted, champion_version(settings)) == (True, first.version)
    better = trained(settings, monkeypatch, 300, tmp_path)
    assert better.metrics["average_precision"] > first.metrics["average_precision"]
    assert (better.promoted, champion_version(settings)) == (True, better.version)
    worse = trained(settings, monkeypatch, 20, tmp_path)
    assert (worse.promoted, champion_version(settings)) == (False, better.version)
    roles = {version.version: version.role for version in versions(settings)}
    assert roles == {first.version: "former-champion", better.version: "champion", worse.version: "challenger"}


def test_a_registered_model_scores_what_was_measured(
    settings: Settings, monkeypatch: pytest.MonkeyPatch, tmp_path: Path
) -> None:
    outcome = trained(settings, monkeypatch, 50, tmp_path)
    rows = HISTORY[SPLIT.held_out]
    loaded = load_version(settings, outcome.version)
    scores = loaded.model.score_columns({name: rows[name].tolist() for name in FEATURES})
    again = metrics(rows[LABEL].to_numpy(), scores, loaded.model.threshold)
    assert {name: outcome.metrics[name] for name in again} == pytest.approx(again)
    assert loaded.metrics["cv_average_precision_depth_1"] == outcome.metrics["cv_average_precision_depth_1"]


def test_stdout_is_left_to_the_commands_answer(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch, capsys: pytest.CaptureFixture[str]
) -> None:
    # MLflow tells the address of a run that it keeps on a server; a store in a file has none.
    monkeypatch.setattr(boosting, "DEPTHS", (1,))
    monkeypatch.delenv("MLFLOW_SUPPRESS_PRINTING_URL_TO_STDOUT", raising=False)
    client = "mlflow.tracking._tracking_service.client"
    monkeypatch.setattr(f"{client}.RestStore", object)
    monkeypatch.setattr(f"{client}.get_workspace_url", lambda: "http://127.0.0.1:9")
    settings = Settings(mlflow_tracking_uri=f"sqlite:///{tmp_path / 'mlflow.db'}")
    trained(settings, monkeypatch, 5, tmp_path)
    assert "View run" not in capsys.readouterr().out


def test_a_champion_that_cannot_be_loaded_is_replaced(
    settings: Settings, monkeypatch: pytest.MonkeyPatch, tmp_path: Path
) -> None:
    broken = trained(settings, monkeypatch, 300, tmp_path)
    source = registry_client(settings).get_model_version(settings.model_name, broken.version).source
    shutil.rmtree(urlparse(source).path)
    with pytest.raises(ModelError, match="cannot be loaded"):
        load_version(settings, broken.version)
    repaired = trained(settings, monkeypatch, 20, tmp_path)
    assert (repaired.promoted, champion_version(settings)) == (True, repaired.version)


def refusing(columns: dict[str, Any]) -> np.ndarray:
    raise KeyError(columns[named("category_recipient")][7])


class Foreign:
    """A champion that another program registered."""

    threshold = 0.5

    def __init__(self, scores: Callable[[dict[str, Any]], Any]) -> None:
        self.score_columns = scores


def one_of(other: float) -> Callable[[dict[str, Any]], Any]:
    """Scores that are all 0.2 but for one."""
    return lambda columns: [other, *[0.2] * (len(columns[AMOUNT]) - 1)]


@pytest.mark.parametrize(
    "scores",
    [
        refusing,
        one_of(np.nan),
        one_of(1.5),
        one_of(-0.1),
        lambda _: [0.2],
        lambda _: 0.2,
        lambda _: None,
        lambda columns: [[0.2, 0.8]] * len(columns[AMOUNT]),
        lambda columns: ["much"] * len(columns[AMOUNT]),
    ],
)
def test_a_champion_that_does_not_score_all_rows_is_replaced(
    settings: Settings, monkeypatch: pytest.MonkeyPatch, scores: Callable[[dict[str, Any]], Any]
) -> None:
    promoted: list[str] = []
    monkeypatch.setattr(training, "champion_version", lambda *_: "1")
    monkeypatch.setattr(training, "load_version", lambda *_: LoadedModel("1", Foreign(scores), {}))  # type: ignore[arg-type]
    monkeypatch.setattr(training, "require_fit", lambda *_: True)
    monkeypatch.setattr(training, "learnt_until", lambda *_: None)
    monkeypatch.setattr(training, "give_role", lambda _settings, version, _client: promoted.append(version))
    client: Any = None
    with capture_logs() as logged:
        assert training.promote_if_better(settings, client, "2", np.zeros(int(SPLIT.held_out.sum())), SPLIT)
    assert promoted == ["2"]
    assert [(line["event"], line["version"]) for line in logged] == [("champion_replaced", "1")]


def test_a_champion_of_other_inputs_is_replaced(
    settings: Settings, monkeypatch: pytest.MonkeyPatch, tmp_path: Path
) -> None:
    former = trained(settings, monkeypatch, 20, tmp_path)
    monkeypatch.setitem(signature.CODES, next(iter(signature.CODES)), {"a value of before": 0})
    with pytest.raises(ModelError, match="does not fit the project"):
        promote(settings, former.version)
    again = trained(settings, monkeypatch, 5, tmp_path)
    assert (again.promoted, champion_version(settings)) == (True, again.version)


def test_a_champion_that_always_gives_one_score_is_measured(
    settings: Settings, monkeypatch: pytest.MonkeyPatch
) -> None:
    constant = Foreign(lambda columns: [1.0] * len(columns[AMOUNT]))
    monkeypatch.setattr(training, "champion_version", lambda *_: "1")
    monkeypatch.setattr(training, "load_version", lambda *_: LoadedModel("1", constant, {}))
    monkeypatch.setattr(training, "require_fit", lambda *_: True)
    monkeypatch.setattr(training, "learnt_until", lambda *_: None)
    monkeypatch.setattr(training, "give_role", lambda *_: None)
    client: Any = None
    labels = HISTORY[SPLIT.held_out][LABEL].to_numpy()
    assert not training.promote_if_better(settings, client, "2", np.full(len(labels), 0.3), SPLIT)
    assert training.promote_if_better(settings, client, "2", 0.3 + 0.1 * labels, SPLIT)


def test_a_registry_that_goes_away_replaces_no_champion(settings: Settings, monkeypatch: pytest.MonkeyPatch) -> None:
    def away(*_: object) -> None:
        raise RegistryUnavailable("MLflow does not answer")

    monkeypatch.setattr(training, "champion_version", lambda *_: "1")
    monkeypatch.setattr(training, "load_version", away)
    client: Any = None
    with pytest.raises(RegistryUnavailable):
        training.promote_if_better(settings, client, "2", np.ones(int(SPLIT.held_out.sum())), SPLIT)


def test_without_xgboost_the_other_algorithms_model_is_registered_and_serves(
    settings: Settings, monkeypatch: pytest.MonkeyPatch
) -> None:
    def absent(name: str) -> str:
        if name == "xgboost":
            raise PackageNotFoundError(name)
        return version_of(name)

    # As where it, or the system's library that it needs, is not installed.
    monkeypatch.setitem(sys.modules, "xgboost", None)
    monkeypatch.setattr(tracking, "installed", absent)
    for module in (gbt, model_code):
        # Imported anew, and put back at the end: into the package as well.
        package, _, name = module.__name__.rpartition(".")
        monkeypatch.setattr(sys.modules[package], name, module)
        monkeypatch.delitem(sys.modules, module.__name__)
    fitted = importlib.import_module("fraudstream.ml.algorithms.gbt").Fitted(None, {}, ONE_SPLIT)
    rows = HISTORY[SPLIT.held_out]
    scores = fitted.scores(matrix(rows))
    training_run = tracking.Trained("gbt", {}, {}, 0.5, rows[LABEL].to_numpy(), scores, fitted.save, fitted.portable())
    client = registry_client(settings)
    example = rows[list(FEATURES)].head(3).reset_index(drop=True)
    version = tracking.register(settings, client, training_run, example, {})
    served = load_version(settings, version).model.score_columns({name: rows[name].tolist() for name in FEATURES})
    assert np.array_equal(served, scores)
    source = urlparse(client.get_model_version(settings.model_name, version).source).path
    needed = (Path(source) / "requirements.txt").read_text()
    assert "xgboost" not in needed
    assert "numpy==" in needed


def test_a_models_requirements_name_one_xgboost_on_every_machine() -> None:
    """The wheel without a build for graphics cards, where there is one."""
    lines = [Requirement(line) for line in tracking.requirements("xgboost")]
    machines = [
        ("linux", "x86_64"),
        ("linux", "aarch64"),
        ("linux", "ppc64le"),
        ("darwin", "arm64"),
        ("win32", "AMD64"),
    ]
    named = []
    for system, machine in machines:
        here = {"sys_platform": system, "platform_machine": machine}
        named.append([line.name for line in lines if line.marker is None or line.marker.evaluate(here)])
    cpu, other = ["mlflow", "numpy", "pandas", "xgboost-cpu"], ["mlflow", "numpy", "pandas", "xgboost"]
    assert named == [cpu, cpu, other, other, other]


def test_a_models_requirements_name_xgboost_where_the_project_installs_it() -> None:
    project = tomllib.loads(PROJECT.read_text("utf-8"))["project"]
    installed, required = (
        {line.name: str(line.marker) for line in map(Requirement, lines) if line.name.startswith("xgboost")}
        for lines in (project["optional-dependencies"]["model"], tracking.requirements("xgboost"))
    )
    assert required == installed


@pytest.mark.parametrize("back", [False, True])
def test_there_is_a_champion_at_every_step_of_a_promotion(
    settings: Settings, monkeypatch: pytest.MonkeyPatch, tmp_path: Path, back: bool
) -> None:
    monkeypatch.setattr(training, "promote_if_better", lambda *_: False)
    older, newer = (trained(settings, monkeypatch, 5, tmp_path).version for _ in range(2))
    old, new = (newer, older) if back else (older, newer)
    promote(settings, old)
    client = registry_client(settings)
    seen: list[str | None] = []
    tag = client.set_model_version_tag

    def watched(*arguments: str) -> None:
        tag(*arguments)
        seen.append(champion_version(settings, client))

    monkeypatch.setattr(client, "set_model_version_tag", watched)
    promote(settings, new, client)
    assert None not in seen
    assert set(seen) <= {old, new}
    assert seen[-1] == new


def test_a_registry_that_is_away_is_told(settings: Settings, monkeypatch: pytest.MonkeyPatch, tmp_path: Path) -> None:
    monkeypatch.setenv("MLFLOW_HTTP_REQUEST_MAX_RETRIES", "0")
    away = settings.model_copy(update={"mlflow_tracking_uri": "http://127.0.0.1:9"})
    with pytest.raises(RegistryUnavailable, match=r"http://127\.0\.0\.1:9 does not answer"):
        trained(away, monkeypatch, 5, tmp_path)


def test_a_store_that_is_away_is_told() -> None:
    away = Settings(mongo_uri="mongodb://127.0.0.1:9/?serverSelectionTimeoutMS=50")  # type: ignore[arg-type]
    with pytest.raises(StoreUnavailable, match=r"127\.0\.0\.1:9"):
        await_history(away, 0, lambda _: None)


def test_no_history_and_one_class_are_told() -> None:
    with pytest.raises(ModelError, match="no labelled history"):
        checked(HISTORY.head(0))
    with pytest.raises(ModelError, match=f"transactions have {LABEL} = 0"):
        checked(HISTORY[HISTORY[LABEL] == 0])


def test_a_history_of_which_nothing_can_be_used_is_told_with_its_reasons() -> None:
    left_out = LeftOut.of([("7", "amount: missing"), ("8", "amount: missing")])
    with pytest.raises(ModelError, match=r"None of the 2 labelled.*amount: missing \(2: 7, 8\)"):
        checked(HISTORY.head(0), left_out)
    with pytest.raises(ModelError, match=rf"{LABEL} = 0.*2 more were left out: amount"):
        checked(HISTORY[HISTORY[LABEL] == 0], left_out)


def test_too_few_of_a_class_are_told_before_anything_is_trained() -> None:
    frauds, held_out = HISTORY[LABEL] == 1, SPLIT.held_out
    for kept in (
        ~frauds | held_out | (np.cumsum(frauds) <= 2),
        ~frauds | ~held_out,
        HISTORY.index < 1,
    ):
        with pytest.raises(ModelError, match="too few"):
            training.check_classes(training.Split(HISTORY[kept], held_out[kept]))


class Stored:
    """What stands for the store: one history, read as it is."""

    def __init__(self, monkeypatch: pytest.MonkeyPatch, left_out: LeftOut) -> None:
        monkeypatch.setattr(training, "await_history", lambda *_: None)
        monkeypatch.setattr(training, "read_history", lambda *_: History(HISTORY, left_out))
        monkeypatch.setattr(training, "give_way", lambda: None)


def test_one_algorithms_failure_leaves_the_others_result(
    settings: Settings, monkeypatch: pytest.MonkeyPatch, tmp_path: Path
) -> None:
    Stored(monkeypatch, LeftOut.of([("9100030", "amount: beyond single precision")]))
    monkeypatch.setitem(boosting.PARAMETERS, "n_estimators", 20)

    def no_java() -> NoReturn:
        raise OSError("Answer from Java side is empty\n\tat a.b.C\n\tat d.e.F")

    orders: tuple[tuple[training.Algorithm, ...], ...] = (("gbt", "xgboost"), ("xgboost", "gbt"))
    for order in orders:
        result = training.train(no_java, settings, order, 7, 0, lambda _: None)
        assert [(failure.algorithm, failure.reason) for failure in result.failed] == [
            ("gbt", "OSError: Answer from Java side is empty")
        ]
        assert [outcome.algorithm for outcome in result.trained] == ["xgboost"]
    run = registry_client(settings).get_run(versions(settings)[0].run_id)
    assert run.info.status == "FINISHED"
    assert run.data.params["dataset_left_out_rows"] == "1"
    assert run.data.tags["left_out"] == "amount: beyond single precision (1: 9100030)"


def test_a_run_that_does_not_come_to_its_end_is_marked(
    settings: Settings, monkeypatch: pytest.MonkeyPatch, tmp_path: Path
) -> None:
    for error, status in ((OSError(28, "No space left on device"), "FAILED"), (KeyboardInterrupt(), "KILLED")):

        def full(*_: object, error: BaseException = error, **__: object) -> None:
            raise error

        with monkeypatch.context() as patched:
            patched.setattr(mlflow.pyfunc, "save_model", full)
            with pytest.raises(type(error)):
                trained(settings, patched, 5, tmp_path)
        client = registry_client(settings)
        runs = client.search_runs([client.get_experiment_by_name("fraud").experiment_id])
        assert runs[0].info.status == status


def test_a_version_that_serves_is_not_undone_by_missing_plots(
    settings: Settings, monkeypatch: pytest.MonkeyPatch, tmp_path: Path
) -> None:
    def full(*_: object) -> None:
        raise OSError(28, "No space left on device")

    monkeypatch.setattr(plots, "draw", full)
    outcome = trained(settings, monkeypatch, 5, tmp_path)
    assert champion_version(settings) == outcome.version


def test_the_fingerprint_is_of_the_rows_and_not_of_their_order() -> None:
    shuffled = HISTORY.sample(frac=1, random_state=3)
    assert fingerprint(checked(shuffled)) == fingerprint(checked(HISTORY))
    changed = HISTORY.copy()
    changed.loc[17, AMOUNT] += 0.01
    assert fingerprint(checked(changed)) != fingerprint(checked(HISTORY))


def test_no_row_is_both_learnt_from_and_held_out() -> None:
    (learnt, _), (held_out, _) = SPLIT.train, SPLIT.test
    assert len(learnt) + len(held_out) == len(HISTORY)
    assert not {row.tobytes() for row in learnt} & {row.tobytes() for row in held_out}
