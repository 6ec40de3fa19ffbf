"""What a registered model may be called: what MLflow takes, and what its addresses and filters carry unchanged."""

from __future__ import annotations

from typing import Annotated

from pydantic import AfterValidator

# MLflow refuses / and : (mlflow/utils/validation.py). In ``models:/NAME/VERSION`` an @ starts an alias and # and ? end
# the path, a backslash is a path's, and quotes end the text in a filter such as ``name='NAME'``.
FORBIDDEN = "/:@#?\\'\"`"
# MLflow's column for it has 256 characters, Azure ML's resource names 255.
MOST_CHARACTERS = 255


def checked_model_name(name: str) -> str:
    """The name as it is. Raises ``ValueError`` that says what is wrong with it."""
    if wrong := [character for character in FORBIDDEN if character in name]:
        raise ValueError(f"a model's name cannot have {' or '.join(wrong)} in it; take letters, digits, - and _")
    if not name.isprintable():
        raise ValueError("a model's name cannot have control characters or line ends in it")
    if name != name.strip() or name in ("", ".", ".."):
        raise ValueError("a model's name cannot be empty, dots alone, or begin or end with a space")
    if len(name) > MOST_CHARACTERS:
        raise ValueError(f"a model's name has at most {MOST_CHARACTERS} characters, this one has {len(name)}")
    return name


ModelName = Annotated[str, AfterValidator(checked_model_name)]
