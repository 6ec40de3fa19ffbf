"""Static checks of the code that runs in Azure: its calls, their options, and comparisons with the profile."""

from __future__ import annotations

import ast
from collections.abc import Iterator
from functools import lru_cache

from fraudstream.cloud.check.eventhubs import option_problem
from fraudstream.cloud.check.subject import Subject, option_names
from fraudstream.cloud.rules.azureml import searchable
from fraudstream.cloud.rules.quotas import MOST_OFFSET_METADATA_BYTES
from fraudstream.cloud.rules.rule import Finding
from fraudstream.cloud.rules.table import rules

# Method → the rule that its call breaks.
_CALLS = {
    "create_topics": "EH020",
    "create_partitions": "EH020",
    "delete_topics": "EH020",
    "delete_records": "EH020",
    "alter_configs": "EH020",
    "KafkaAdminClient": "EH020",
    "init_transactions": "EH022",
    "start_transaction": "CO024",
    "with_transaction": "CO024",
    "bulk_write": "CO026",
    "insert_many": "CO026",
    "insert_one": "CO026",
    "replace_one": "CO026",
    "update_one": "CO026",
    "update_many": "CO026",
    "set_registered_model_alias": "RG001",
    "get_model_version_by_alias": "RG001",
    "log_model": "RG002",
    "rename_registered_model": "RG003",
}
_ALLOWED = {
    "bulk_write": ("throttling.py",),
    "create_topics": ("core/kafka/clients.py",),
    # core/streaming/fit.py asks for the topics' ids: that is metadata, and allowed.
    "KafkaAdminClient": ("core/kafka/clients.py", "core/streaming/fit.py"),
}


def findings(subject: Subject) -> Iterator[Finding]:
    """All findings in the syntax trees."""
    for name, tree in {**subject.sources, **subject.core}.items():
        yield from _spark_sinks(name, tree)
        for node in _nodes(tree):
            if isinstance(node, ast.Call):
                yield from _call(name, node)
            elif isinstance(node, ast.Compare) and not name.endswith("core/configuration/settings.py"):
                yield from _profile(name, node)
            elif isinstance(node, ast.Constant) and isinstance(node.value, str) and _is_alias(node.value):
                yield _found("RG001", name, node, f"{node.value!r} names a version by its alias")
            elif isinstance(node, ast.Dict):
                yield from _options(name, node)
            elif isinstance(node, ast.Subscript) and _is_text(node.slice, "predictions"):
                yield _found("ML006", name, node, "['predictions'] is read from an answer")
    yield from _scoring_body(subject)


def group_ids(subject: Subject) -> set[str]:
    """The consumer groups that the code names: constants ``…_GROUP`` and texts passed as ``group_id``."""
    groups = set()
    for tree in {**subject.sources, **subject.core}.values():
        for node in _nodes(tree):
            if isinstance(node, ast.Assign) and isinstance(node.value, ast.Constant):
                named = any(isinstance(target, ast.Name) and target.id.endswith("_GROUP") for target in node.targets)
                if named and isinstance(node.value.value, str):
                    groups.add(node.value.value)
            if isinstance(node, ast.keyword) and node.arg == "group_id" and isinstance(node.value, ast.Constant):
                groups.add(str(node.value.value))
    return groups


@lru_cache(maxsize=1_024)
def _nodes(tree: ast.Module) -> tuple[ast.AST, ...]:
    """All nodes of the tree, kept: walking takes most of the checks' time."""
    return tuple(ast.walk(tree))


def _call(name: str, node: ast.Call) -> Iterator[Finding]:
    called = node.func.attr if isinstance(node.func, ast.Attribute) else getattr(node.func, "id", "")
    rule = _CALLS.get(called)
    if rule is not None and not name.endswith(_ALLOWED.get(called, ())):
        yield _found(rule, name, node, f"{called}() is called")
    if called == "search_model_versions" and node.args and isinstance(filter_text := node.args[0], ast.Constant):
        yield from _search(name, node, str(filter_text.value))
    if called == "OffsetAndMetadata" and len(node.args) > 1 and isinstance(node.args[1], ast.Constant):
        size = len(str(node.args[1].value).encode())
        if size > MOST_OFFSET_METADATA_BYTES:
            yield _found("EH024", name, node, f"an offset's metadata has {size:,} bytes")
    for keyword in node.keywords:
        yield from _option(name, node, keyword.arg or "", keyword.value)


def _search(name: str, node: ast.Call, filter_text: str) -> Iterator[Finding]:
    if not searchable(filter_text):
        yield _found("RG004", name, node, f"search_model_versions({filter_text!r})")


def _spark_sinks(name: str, tree: ast.Module) -> Iterator[Finding]:
    """Spark's Kafka sinks with other options than those of ``spark_sink_options``, which the linter checks."""
    calls = [node for node in _nodes(tree) if isinstance(node, ast.Call)]
    inner = {id(link) for call in calls for link in _links(call)[1:]}
    for call in calls:
        options = [*call.args[:1], *(ast.Constant(keyword.arg) for keyword in call.keywords)]
        if _method(call) in ("option", "options") and any(_is_kafka_option(option) for option in options):
            yield _found("EH029", name, call, "a `kafka.…` option is set by hand")
        links = [] if id(call) in inner else _links(call)
        writes = any(isinstance(link, ast.Attribute) and link.attr in ("write", "writeStream") for link in links)
        if writes and any(_method(link) == "format" and _formats_kafka(link) for link in _calls(links)):
            arguments = [keyword.value for link in _calls(links) for keyword in link.keywords if keyword.arg is None]
            if "spark_sink_options" not in {_method(argument) for argument in arguments}:
                yield _found("EH029", name, call, "a Kafka sink is not given **spark_sink_options(…)")


def _links(node: ast.expr) -> list[ast.expr]:
    """The calls and attributes of a chain `a.b().c()`, the last one first."""
    links: list[ast.expr] = []
    while isinstance(node, ast.Call | ast.Attribute):
        links.append(node)
        node = node.func if isinstance(node, ast.Call) else node.value
    return links


def _calls(links: list[ast.expr]) -> list[ast.Call]:
    return [link for link in links if isinstance(link, ast.Call) and link.args + link.keywords]


def _formats_kafka(call: ast.Call) -> bool:
    return any(_is_text(argument, "kafka") for argument in (*call.args, *(keyword.value for keyword in call.keywords)))


def _method(node: ast.expr) -> str:
    function = node.func if isinstance(node, ast.Call) else node
    return function.attr if isinstance(function, ast.Attribute) else getattr(function, "id", "")


def _is_kafka_option(node: ast.expr) -> bool:
    return isinstance(node, ast.Constant) and isinstance(node.value, str) and node.value.startswith("kafka.")


def _options(name: str, node: ast.Dict) -> Iterator[Finding]:
    for key, value in zip(node.keys, node.values, strict=True):
        if isinstance(key, ast.Constant) and isinstance(key.value, str):
            yield from _option(name, node, key.value, value)


def _option(name: str, node: ast.expr, option: str, value: ast.expr) -> Iterator[Finding]:
    java = option_names().get(option, option.removeprefix("kafka."))
    if not isinstance(value, ast.Constant) or value.value is None:
        return
    problem = option_problem(java, value.value)
    if problem is not None:
        rule, text = problem
        yield _found(rule, name, node, text)


def _profile(name: str, node: ast.Compare) -> Iterator[Finding]:
    sides = [node.left, *node.comparators]
    if any(isinstance(side, ast.Attribute) and side.attr == "profile" for side in sides):
        yield _found("PR002", name, node, "the profile is compared")


def _scoring_body(subject: Subject) -> Iterator[Finding]:
    """The stream job's request: Azure ML's script makes a table of exactly these keys."""
    for name, tree in subject.sources.items():
        for node in _nodes(tree):
            if not isinstance(node, ast.Dict):
                continue
            for key, value in zip(node.keys, node.values, strict=True):
                if isinstance(key, ast.Constant) and key.value == "input_data" and isinstance(value, ast.Dict):
                    fields = {name_node.value for name_node in value.keys if isinstance(name_node, ast.Constant)}
                    if fields != {"columns", "index", "data"}:
                        yield _found("ML001", name, node, f"input_data has {', '.join(sorted(map(str, fields)))}")


def _is_text(node: ast.expr, text: str) -> bool:
    return isinstance(node, ast.Constant) and node.value == text


def _is_alias(text: str) -> bool:
    return text.startswith("models:/") and "@" in text


def _found(rule: str, name: str, node: ast.expr, problem: str) -> Finding:
    return Finding(rules()[rule], f"{name}:{node.lineno}", problem)
