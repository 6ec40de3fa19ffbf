"""Training, evaluation and the registry: labelled history → registered models, the better one the champion."""
