"""All checks over one subject."""

from __future__ import annotations

from dataclasses import replace

from fraudstream.cloud.check import code, event, eventhubs, http_senders, iothub, query, stores
from fraudstream.cloud.check.subject import Subject
from fraudstream.cloud.rules.rule import Finding
from fraudstream.core.output.redaction import redact


def lint(subject: Subject) -> list[Finding]:
    """The findings, in the order of the rules. No finding holds a secret."""
    findings = [
        *eventhubs.findings(subject, code.group_ids(subject)),
        *http_senders.findings(subject),
        *iothub.findings(subject),
        *stores.findings(subject),
        *event.findings(subject),
        *query.findings(subject),
        *code.findings(subject),
    ]
    redacted = [replace(finding, where=redact(finding.where), problem=redact(finding.problem)) for finding in findings]
    return sorted(dict.fromkeys(redacted), key=lambda finding: (finding.rule.severity, finding.rule.id, finding.where))
