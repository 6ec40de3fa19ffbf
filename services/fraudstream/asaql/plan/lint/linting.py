"""The linter: every rule over the tree and the plan of a file."""

from __future__ import annotations

from fraudstream.asaql.plan import nodes
from fraudstream.asaql.plan.binding.mentions import every_node
from fraudstream.asaql.plan.lint.findings import Finding
from fraudstream.asaql.plan.lint.plan_rules import plan_findings
from fraudstream.asaql.plan.lint.stops import Functions, stop_findings
from fraudstream.asaql.plan.lint.text_rules import text_findings
from fraudstream.asaql.plan.walks import every_part, expressions_of
from fraudstream.asaql.text import tree

DEFAULT_LATE_SECONDS = 5.0


def lint(
    job: tree.Job,
    plan: nodes.Plan,
    late_seconds: float = DEFAULT_LATE_SECONDS,
    functions: Functions | None = None,
) -> list[Finding]:
    """What compiles but may surprise, in the order of the text, each finding once.

    ``late_seconds`` is the job's late tolerance, ``functions`` are the project's. The rules are explained in
    :data:`~fraudstream.asaql.plan.lint.findings.RULES`.
    """
    findings = [
        *text_findings(job),
        *plan_findings(plan, late_seconds),
        *stop_findings(plan, functions),
        *_double_quoted(job, plan),
    ]
    return sorted(set(findings))


def _double_quoted(job: tree.Job, plan: nodes.Plan) -> list[Finding]:
    """The words in double quotes that the plan has as texts."""
    texts = {
        part.pos
        for step in plan.steps
        for expression in expressions_of(step)
        for part in every_part(expression)
        if isinstance(part, nodes.Const) and part.type == "nvarchar"
    }
    return [
        Finding(*node.position, "QL003", f"\"{node.text}\" is taken as a text: write '{node.text}', or [{node.text}].")
        for node in every_node(job)
        if isinstance(node, tree.DoubleQuoted) and node.position in texts
    ]
