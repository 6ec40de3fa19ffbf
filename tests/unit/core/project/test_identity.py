"""What of a project its stored data depend on."""

from __future__ import annotations

from fraudstream.core.project.identity import dimensions, roles, summary
from fraudstream.core.project.project import bundled


def test_roles_name_fields_and_kinds() -> None:
    by_role = roles(bundled("payments"))
    assert by_role["id"] == {"field": "id", "kind": "int"}
    assert by_role["label"] == {"field": "isFraud", "kind": "int"}
    assert by_role["time"] == {"field": "date", "form": "%d/%m/%Y %H:%M:%S"}
    assert by_role["model inputs"][0] == {"field": "amount", "kind": "float"}
    assert len(by_role["model inputs"]) == 12


def test_the_summary_says_how_much_there_is() -> None:
    payments = bundled("payments")
    assert summary(payments).startswith(f"payments (Payments) in {payments.folder}: 15 fields, 12 model inputs, ")
    assert dimensions(payments)[-1] == "amount_bin"
