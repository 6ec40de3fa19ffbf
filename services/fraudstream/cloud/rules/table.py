"""All rules, in one table."""

from __future__ import annotations

from fraudstream.cloud.rules import azureml, cosmos, eventhubs, iothub, streamanalytics
from fraudstream.cloud.rules.rule import Rule


def rules() -> dict[str, Rule]:
    """All rules, id → rule, in the order of their services."""
    tables = (*eventhubs.RULES, *iothub.RULES, *cosmos.RULES, *azureml.RULES, *streamanalytics.RULES)
    return {rule.id: rule for rule in tables}
