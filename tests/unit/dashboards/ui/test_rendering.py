"""Viewers of the same view share its rendering."""

from __future__ import annotations

import threading
from collections.abc import Callable

import pytest

from fraudstream.dashboards.ui import rendering
from fraudstream.dashboards.ui.rendering import Rendered


class Counter:
    """Renders the number of its own calls."""

    def __init__(self) -> None:
        self.calls = 0

    def __call__(self) -> int:
        self.calls += 1
        return self.calls


def test_a_view_is_rendered_once() -> None:
    kept, render = Rendered(), Counter()
    assert [kept.get("a", render), kept.get("b", render), kept.get("a", render)] == [1, 2, 1]


def test_a_rendering_is_made_again_after_its_time(monkeypatch: pytest.MonkeyPatch) -> None:
    clock = [100.0]
    monkeypatch.setattr(rendering.time, "monotonic", lambda: clock[0])
    kept, render = Rendered(seconds=0.5), Counter()
    assert kept.get("a", render) == 1
    clock[0] += 0.4
    assert kept.get("a", render) == 1
    clock[0] += 0.2
    assert kept.get("a", render) == 2


def test_the_oldest_are_forgotten() -> None:
    kept, render = Rendered(most=2), Counter()
    for key in ("a", "b", "a", "c"):
        kept.get(key, render)
    assert kept.get("a", render) == 1
    assert kept.get("b", render) == 4


def test_viewers_at_the_same_time_wait_for_one_rendering() -> None:
    kept, begun, release, render = Rendered(), threading.Event(), threading.Event(), Counter()

    def slowly() -> int:
        begun.set()
        assert release.wait(10)
        return render()

    renderings: list[int] = []

    def view(how: Callable[[], int]) -> None:
        renderings.append(kept.get("a", how))

    first = threading.Thread(target=view, args=(slowly,))
    first.start()
    assert begun.wait(10)
    others = [threading.Thread(target=view, args=(render,)) for _ in range(5)]
    for other in others:
        other.start()
    # Another view is not kept waiting.
    assert kept.get("b", lambda: -1) == -1
    release.set()
    for thread in (first, *others):
        thread.join(10)
    assert renderings == [1] * 6
    assert render.calls == 1


def test_a_rendering_that_fails_is_tried_again() -> None:
    kept, render = Rendered(), Counter()

    def fail() -> int:
        raise ValueError("no data")

    with pytest.raises(ValueError, match="no data"):
        kept.get("a", fail)
    assert kept.get("a", render) == 1
