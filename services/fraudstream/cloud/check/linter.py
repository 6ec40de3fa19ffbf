"""All checks over one subject."""

from __future__ import annotations

from fraudstream.cloud.check import code, eventhubs, stores
from fraudstream.cloud.check.subject import Subject
from fraudstream.cloud.rules import Finding


def lint(subject: Subject) -> list[Finding]:
    """What breaks a rule, in the order of the rules; empty where nothing does."""
    found = [
        *eventhubs.findings(subject, code.group_ids(subject)),
        *stores.findings(subject),
        *code.findings(subject),
    ]
    return sorted(dict.fromkeys(found), key=lambda one: (one.rule.severity, one.rule.id, one.where))
