"""Which project is in force: ``FRAUDSTREAM_PROJECT``, read before the settings as a whole.

The event contract is made from it when it is imported, so that a fault elsewhere in the settings is reported by who
reads them, and not by that import.
"""

from __future__ import annotations

from fraudstream.core.configuration.settings import Settings
from fraudstream.core.configuration.sources import given_texts

NAME = "project"


def project_in_force() -> str:
    """The name or folder in force, from the environment, ``.env`` or the default; no profile names one."""
    given = given_texts({NAME}).get(NAME)
    return str(given) if given else str(Settings.model_fields[NAME].default)
