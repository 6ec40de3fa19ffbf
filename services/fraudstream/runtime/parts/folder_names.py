"""Which folders Java and Spark can be told of, looked at before they are started."""

from __future__ import annotations

import os
import sys
from pathlib import Path

from fraudstream.core.configuration.settings import ENV_PREFIX, Settings
from fraudstream.core.errors import ConfigurationError
from fraudstream.runtime.parts import artifacts
from fraudstream.runtime.supervise.preflight import check_data_folder


def check_folders(settings: Settings) -> None:
    """Raise :class:`ConfigurationError` for a folder whose name Java or Spark cannot be told, and for unwritable data.

    A class path is parted at colons (on Windows at semicolons), and file names are UTF-8 without control characters.
    """
    for folder, variable in (
        (settings.data_dir.absolute(), f"{ENV_PREFIX}DATA_DIR"),
        (artifacts.cache_dir(), artifacts.CACHE_VARIABLE),
        (Path(sys.prefix), "no variable, but the place of this Python"),
    ):
        name = str(folder)[len(folder.drive) :]
        for character in name:
            if character == os.pathsep or not character.isprintable():
                raise ConfigurationError(
                    f"The folder {name!r} has the character {character!r} in its name, which Java cannot be told. "
                    f"Choose another folder: {variable} names it."
                )
    check_data_folder(settings)
