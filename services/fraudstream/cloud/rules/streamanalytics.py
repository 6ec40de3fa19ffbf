"""The rules of a Stream Analytics job that runs a project's query."""

from __future__ import annotations

from fraudstream.cloud.rules.rule import Rule, numbering

# Of each rule the demand, how to keep it, its source, and what the service does where it is broken.
_TEXT = """
the query is in the language
as the finding says; docs/reference/query-language.md lists the language
https://learn.microsoft.com/stream-analytics-query/stream-analytics-query-language-reference
the job is not created

no expression fails on a record: the job would stop at it, and at each start again
as the finding says; `fraudstream query lint` explains each rule
https://learn.microsoft.com/stream-analytics-query/cast-azure-stream-analytics
the job stops

every function that the query calls is among the project's files, the model as one of an Azure ML type
add it to stream-analytics/Functions and to asaproj.json
https://learn.microsoft.com/azure/stream-analytics/machine-learning-udf (03/2022)
the job is not created

every output of the query has a service, and its event hub is one of the templates'
add stream-analytics/Outputs/NAME.json, and to asaproj.json
https://learn.microsoft.com/azure/stream-analytics/quick-create-visual-studio-code
the job is not created

the partition key of an output is one of its columns
PartitionKey in the output's file: a column of the SELECT
https://learn.microsoft.com/azure/stream-analytics/event-hubs-output
records of one key are in any partition

names of fields differ in more than their case: to the language they are one
rename one of the fields in event.schema.json, and in what sends the events
https://learn.microsoft.com/azure/stream-analytics/stream-analytics-compatibility-level
one of the fields is lost
"""
_rule = numbering("SA", "stream analytics")
_STOPPING = [paragraph.splitlines() for paragraph in _TEXT.strip().split("\n\n")]
_SURPRISE = _rule(
    len(_STOPPING) + 1,
    "the query means what it seems to",
    "as the finding says; `fraudstream query lint` explains each rule",
    "docs/how-to/queries.md",
    severity="warning",
)
RULES: tuple[Rule, ...] = (*(_rule(number, *lines) for number, lines in enumerate(_STOPPING, start=1)), _SURPRISE)
