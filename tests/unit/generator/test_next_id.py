from __future__ import annotations

from fraudstream.generator.next_id import after


def test_without_records_the_floor_is_next() -> None:
    assert after([], 1_000_000) == 1_000_000


def test_the_largest_id_counts_whatever_its_place() -> None:
    assert after([b"1001005", b"1001009", None, b"1001007"], 1_001_000) == 1_001_010


def test_never_below_the_floor() -> None:
    assert after([b"12"], 1_001_000) == 1_001_000


def test_keys_that_are_no_ids_do_not_count() -> None:
    strange: list[bytes | None] = [None, b"", b"abc", b"-9", b"1e9", b"\xff\xfe", "٣".encode(), b"9" * 19, b"9" * 400]
    assert after(strange, 7) == 7
    assert after([*strange, b"9"], 7) == 10
