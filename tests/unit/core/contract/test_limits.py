"""The stores' limits, and what is in force."""

from __future__ import annotations

import struct

import pytest

from fraudstream.core.contract import limits


@pytest.mark.parametrize("limit", limits.LIMITS, ids=lambda limit: limit.name)
def test_the_least_of_the_stores_is_in_force_and_each_has_a_source(limit: limits.Limit) -> None:
    bounds = [limit.embedded, limit.mongodb, limit.cosmos, limit.documentdb]
    assert all(bound.source for bound in bounds)
    known = [bound.most for bound in bounds if bound.most is not None]
    assert limit.in_force in known
    assert all(limit.in_force <= bound for bound in known)


def test_an_events_document_fits_into_a_document_and_a_request_with_what_we_add() -> None:
    assert limits.MOST_EVENT_DOCUMENT_BYTES + limits.OWN_BYTES <= limits.MOST_DOCUMENT_BYTES
    assert limits.MOST_EVENT_DOCUMENT_BYTES + 2 * limits.OWN_BYTES <= limits.MOST_REQUEST_BYTES


def test_the_largest_single_is_finite_and_the_last() -> None:
    assert struct.unpack("<f", struct.pack("<f", limits.LARGEST_SINGLE))[0] == limits.LARGEST_SINGLE
    with pytest.raises(OverflowError):
        struct.pack("<f", limits.LARGEST_SINGLE * (1 + 2**-23))


@pytest.mark.parametrize("name", ["$", "$schema", "$oid", "a\0b", "\0"])
def test_names_that_a_store_does_not_keep(name: str) -> None:
    assert limits.name_problem(name)


@pytest.mark.parametrize("name", ["", ".", "a.b", "a$", "a.$b", "é", "Unnamed: 0", "\uffff"])
def test_names_that_all_stores_keep(name: str) -> None:
    assert limits.name_problem(name) is None
