"""The process with a project's functions in Python: calls come in as lines of JSON, results go out as such.

The first line says which functions there are. It needs nothing but the standard library, so that the functions' own
modules are all that it imports. It has the rights of who started it: the functions are their own.
"""

from __future__ import annotations

import importlib
import json
import math
import os
import signal
import sys
import threading
import time
import traceback
from collections.abc import Callable, Mapping
from datetime import UTC, datetime, timedelta
from pathlib import Path
from types import ModuleType
from typing import Any

# The one field of an object that stands for what JSON lacks; PythonValues.java has the same.
_DATETIME, _FLOAT = "\0datetime", "\0float"
_EPOCH = datetime(1970, 1, 1, tzinfo=UTC)
_TICKS_PER_MICROSECOND = 10
_LEAST_INTEGER, _MOST_INTEGER = -(2**63), 2**63 - 1
_VALUES = (
    "NULL (None), bit (bool), bigint (int of 64 bits), float, nvarchar (str), datetime, record (dict), array (list)"
)


def main() -> None:
    """Answer until the input ends, or whoever started this process has."""
    # Ctrl-C is for whoever started this process.
    signal.signal(signal.SIGINT, signal.SIG_IGN)
    threading.Thread(target=_end_after, args=(os.getppid(),), daemon=True).start()
    # What the functions print is none of the answers, and what they read none of the requests.
    answers = os.fdopen(os.dup(1), "w", encoding="utf-8")
    requests = os.fdopen(os.dup(0), encoding="utf-8")
    os.dup2(2, 1)
    os.dup2(os.open(os.devnull, os.O_RDONLY), 0)
    described = json.loads(requests.readline())
    sys.path[:1] = described["paths"]
    functions: dict[str, Callable[..., Any]] = {}
    for line in requests:
        request = json.loads(line, object_hook=_value)
        name = request["function"]
        try:
            if name not in functions:
                functions[name] = _loaded(described["functions"][name])
            results = [_written(functions[name](*row)) for row in request["rows"]]
            answer = json.dumps({"results": results}, allow_nan=False)
        except (Exception, SystemExit) as error:
            answer = json.dumps({"error": _told(error)})
        answers.write(answer + "\n")
        answers.flush()


def _end_after(parent: int) -> None:
    """A function that hangs would outlive a parent that was killed."""
    while os.getppid() == parent:
        time.sleep(1)
    os._exit(1)


def _loaded(place: Mapping[str, str]) -> Callable[..., Any]:
    """The function: of a file, by its text where that is given, or of a module."""
    module = _of_file(place) if place["file"] else importlib.import_module(place["module"])
    function: Callable[..., Any] = getattr(module, place["function"])
    if not callable(function):
        raise TypeError(f"{place['function']} is {type(function).__name__} and no function")
    return function


def _of_file(place: Mapping[str, str]) -> ModuleType:
    file = place["file"]
    name = f"query_functions.{file}"
    if name in sys.modules:
        return sys.modules[name]
    module = ModuleType(name)
    module.__file__ = file
    # Data classes and pickle look for it there.
    sys.modules[name] = module
    try:
        text = place.get("text")
        content = Path(file).read_bytes() if text is None else text
        exec(compile(content, file, "exec"), module.__dict__)  # noqa: S102 - what this process is for
    except BaseException:
        del sys.modules[name]
        raise
    return module


def _told(error: BaseException) -> str:
    """The error, and where in the function's own file it was raised."""
    frames = [frame for frame in traceback.extract_tb(error.__traceback__) if frame.filename != __file__]
    place = f" ({frames[-1].filename}:{frames[-1].lineno})" if frames else ""
    return f"{type(error).__name__}: {error}{place}."


def _value(entries: dict[str, Any]) -> Any:
    if len(entries) == 1:
        if _DATETIME in entries:
            return _EPOCH + timedelta(microseconds=entries[_DATETIME] // _TICKS_PER_MICROSECOND)
        if _FLOAT in entries:
            return float(entries[_FLOAT])
    return entries


def _written(value: Any) -> Any:
    """A result as JSON has it. Raises ``TypeError`` and ``OverflowError`` for what the query's language lacks."""
    if value is None or isinstance(value, bool | str):
        return value
    if isinstance(value, int):
        if not _LEAST_INTEGER <= value <= _MOST_INTEGER:
            raise OverflowError(f"it returns {value}, which does not fit into a bigint")
        return int(value)
    if isinstance(value, float):
        return float(value) if math.isfinite(value) else {_FLOAT: _digits_of(value)}
    if isinstance(value, datetime):
        moment = value.replace(tzinfo=UTC) if value.tzinfo is None else value
        return {_DATETIME: (moment - _EPOCH) // timedelta(microseconds=1) * _TICKS_PER_MICROSECOND}
    if isinstance(value, Mapping):
        return {str(name): _written(inner) for name, inner in value.items()}
    if isinstance(value, list | tuple):
        return [_written(inner) for inner in value]
    if type(value).__module__ == "numpy":
        return _written(value.tolist())
    raise TypeError(f"it returns {type(value).__name__}, which is none of {_VALUES}")


def _digits_of(value: float) -> str:
    return "NaN" if math.isnan(value) else "Infinity" if value > 0 else "-Infinity"


if __name__ == "__main__":
    main()
