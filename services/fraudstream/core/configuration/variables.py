"""Variables that begin with FRAUDSTREAM_ and are no setting: who reads them, and which nobody does."""

from __future__ import annotations

import difflib
import os
import re
import sys
from collections.abc import Mapping
from dataclasses import dataclass

from fraudstream.core.configuration.dotenv_file import DOTENV, read_dotenv
from fraudstream.core.configuration.malformed import ENV_PREFIX
from fraudstream.core.configuration.settings import Settings
from fraudstream.core.errors import ConfigurationError
from fraudstream.core.process.environment import MLFLOW_SECONDS_VARIABLE, alike, completing, is_alike

# What reads each; all but Compose's own are read from the environment alone.
READ_ELSEWHERE: Mapping[str, str] = {
    f"{ENV_PREFIX}CACHE_DIR": "the cache of downloads",
    f"{ENV_PREFIX}MAVEN_URL": "the repository of downloads",
    MLFLOW_SECONDS_VARIABLE: "MLflow's client, how many seconds it waits for an answer; 10 without",
    f"{ENV_PREFIX}READY_FILE": "a part's launcher, told when the part is ready",
    f"{ENV_PREFIX}SPARK_JARS": "Spark's class path",
    f"{ENV_PREFIX}SPARK_CLASS_ARCHIVE": "Spark's class path",
    f"{ENV_PREFIX}WORKER_MODULES": "Spark's Python workers",
    f"{ENV_PREFIX}SCREENSHOTS": "the browser tests",
    f"{ENV_PREFIX}TAG": "Compose, the images' tag",
    f"{ENV_PREFIX}PROJECT_DIR": "Compose, the folder of the project in its containers",
}
_OF_COMPOSE = (f"{ENV_PREFIX}TAG", f"{ENV_PREFIX}PROJECT_DIR")
# Set by whoever has told what nobody reads, so that the processes that it starts do not repeat it.
TOLD_VARIABLE = f"{ENV_PREFIX}TOLD"
# What Kubernetes adds for a service whose name begins with ours; the bare …_PORT is told by its value.
_SERVICE_LINK = re.compile(r"\w+_(?:SERVICE_(?:HOST|PORT(?:_\w+)?)|PORT_\d+_(?:TCP|UDP)(?:_\w+)?)")
_SERVICE_ADDRESS = re.compile(r"(?:tcp|udp)://[\d.:a-f\[\]]+")
# How alike two names have to be, from 0 to 1; a misspelt prefix is told in a name that is else nearly known.
_ALIKE = 0.7
_ALIKE_WHOLE = 0.9


@dataclass(frozen=True, slots=True)
class Unread:
    """A variable, or a line of `.env`, that nobody reads; ``text`` is the sentence that says so."""

    where: str
    text: str


def unread(environment: Mapping[str, str] | None = None) -> list[Unread]:
    """All that looks like a setting and has no effect. Raises :class:`ConfigurationError` for an unreadable `.env`.

    Without an ``environment``: this process's, and what the command left out of it when it started.
    """
    dotenv = read_dotenv()
    entries = [Unread(str(DOTENV), text) for text in dotenv.ignored]
    left_out = alike() if environment is None else []
    overruled = [name for name in left_out if name.upper().startswith(ENV_PREFIX)]
    overruled_lines = [
        name
        for name, value in dotenv.values.items()
        if name.upper().startswith(ENV_PREFIX) and dotenv.values.get(name.upper(), value) != value
    ]
    entries += [
        Unread(name, f"{name} has no effect: {name.upper()} is set as well, to something else. Unset one of them.")
        for name in (*overruled, *overruled_lines)
    ]
    given = os.environ if environment is None else environment
    given = dict.fromkeys(set(left_out).difference(overruled), "") | dict(given)
    for source, values in (("the environment", given), (str(DOTENV), dotenv.values)):
        for name, value in values.items():
            text = _problem(name, value, source)
            if text is not None:
                entries.append(Unread(name, text))
    return entries


def tell_unread() -> None:
    """Say on stderr what has no effect, once for this process and those that it starts."""
    if TOLD_VARIABLE in os.environ or completing():
        return
    try:
        entries = unread()
    except ConfigurationError:
        return  # whoever reads the settings says so; help and completion need none
    os.environ[TOLD_VARIABLE] = "1"
    for entry in entries:
        sys.stderr.write(f"fraudstream: {entry.text}\n")


def _problem(written: str, value: str, source: str) -> str | None:
    name = written.upper()
    known = {f"{ENV_PREFIX}{setting.upper()}" for setting in Settings.model_fields}
    if name in known or name == TOLD_VARIABLE:
        return None
    if name in READ_ELSEWHERE:
        if source == str(DOTENV) and name not in _OF_COMPOSE:
            return f"{name} stands in {DOTENV}, but is read from the environment only. Export it in the shell instead."
        return None
    everything = (*known, *READ_ELSEWHERE)
    if name.startswith(ENV_PREFIX):
        if _SERVICE_LINK.fullmatch(name) or (name.endswith("_PORT") and _SERVICE_ADDRESS.fullmatch(value)):
            return None
        ends = [variable.removeprefix(ENV_PREFIX) for variable in everything]
        nearest = difflib.get_close_matches(name.removeprefix(ENV_PREFIX), ends, 1, _ALIKE)
        advice = f"Is {ENV_PREFIX}{nearest[0]} meant?" if nearest else "docs/reference/settings.md lists all."
        return f"Nothing reads {written}, which is set in {source}. {advice}"
    # Where the prefix itself is misspelt; a look at every other variable of the machine would cost time and be wrong.
    if is_alike(name):
        nearest = difflib.get_close_matches(name, everything, 1, _ALIKE_WHOLE)
        if nearest:
            return f"Nothing reads {written}, which is set in {source}. Is {nearest[0]} meant?"
    return None
