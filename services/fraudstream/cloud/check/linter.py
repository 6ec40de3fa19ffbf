"""All checks over one subject."""

from __future__ import annotations

from dataclasses import replace

from fraudstream.cloud.check import code, eventhubs, stores
from fraudstream.cloud.check.subject import Subject
from fraudstream.cloud.rules.rule import Finding
from fraudstream.core.output.redaction import redact


def lint(subject: Subject) -> list[Finding]:
    """What breaks a rule, in the order of the rules; empty where nothing does. No finding holds a secret."""
    found = [
        *eventhubs.findings(subject, code.group_ids(subject)),
        *stores.findings(subject),
        *code.findings(subject),
    ]
    told = [replace(one, where=redact(one.where), problem=redact(one.problem)) for one in found]
    return sorted(dict.fromkeys(told), key=lambda one: (one.rule.severity, one.rule.id, one.where))
