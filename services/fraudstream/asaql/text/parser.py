"""A query file's text as its tree."""

from __future__ import annotations

from fraudstream.asaql.errors import DEFAULT_FILE, QueryError
from fraudstream.asaql.text import advice, tree
from fraudstream.asaql.text.depth import check_depth
from fraudstream.asaql.text.grammar.queries import after_query, begins, query
from fraudstream.asaql.text.grammar.type_names import type_name
from fraudstream.asaql.text.words import Words, take_name


def parse(text: str, file: str = DEFAULT_FILE) -> tree.Job:
    """The tree of a file's text, or of an Eventstream SQL operator's; ``file`` is its name in messages.

    Raises QueryError, and nothing else, where the text is not in the language.
    """
    words = Words(text, file)
    tables: list[tree.Table] = []
    steps: list[tree.Step] = []
    queries: list[tree.Query] = []
    while True:
        while words.skip_sign(";") or words.skip("go"):
            pass
        if words.token.kind == "end":
            break
        if words.at("create"):
            tables.append(_table(words))
        elif words.at("with"):
            steps.extend(_steps(words))
        elif begins(words):
            queries.append(_query(words))
        else:
            raise _no_statement(words)
    if not queries:
        raise words.unexpected("SELECT", "A query file holds one SELECT at least.")
    job = tree.Job(tuple(tables), tuple(steps), tuple(queries))
    check_depth(job, file)
    return job


def _query(words: Words) -> tree.Query:
    first = words.token
    read = query(words)
    at_end = words.token.kind == "end" or words.at_signs(";")
    if not at_end and not words.at("select", "with", "create", "go") and not words.at_signs("("):
        raise after_query(words, first)
    return read


def _steps(words: Words) -> list[tree.Step]:
    words.take()
    steps = [_step(words)]
    while words.skip_sign(","):
        if words.at("select"):
            raise words.error("A comma stands before SELECT. Leave it out after the last step of WITH.", words.before)
        steps.append(_step(words))
    return steps


def _step(words: Words) -> tree.Step:
    name = take_name(words, "the name of a step")
    if words.at_signs("("):
        raise words.error("A step names no columns. Give them their names with AS inside its query.")
    words.expect("as", "Write WITH step AS (SELECT …).")
    opening = words.expect_sign("(", "Write WITH step AS (SELECT …).")
    read = query(words)
    if not words.at_signs(")"):
        hint = advice.CLAUSES.get(words.token.lower, "")
        raise words.unexpected(f"`)`, the end of step {name.text} of line {opening.position.line},", hint)
    words.take()
    return tree.Step(name, read, name.position)


def _table(words: Words) -> tree.Table:
    place = words.take()
    if not words.at("table"):
        raise words.unexpected("TABLE", "The only thing to create is the table of an input's columns.")
    words.take()
    name = take_name(words, "the name of an input")
    words.expect_sign("(", "Write CREATE TABLE input (column type, …).")
    columns = [_column(words)]
    while words.skip_sign(","):
        columns.append(_column(words))
    words.expect_sign(")", "A column has a name and a type, and nothing more.")
    return tree.Table(name, tuple(columns), place.position)


def _column(words: Words) -> tree.ColumnType:
    name = take_name(words, "the name of a column")
    return tree.ColumnType(name, type_name(words), name.position)


def _no_statement(words: Words) -> QueryError:
    remedy = advice.STATEMENTS.get(words.token.lower)
    if remedy is not None:
        return words.error(f"{words.token.text.upper()} is not in the language. {remedy}")
    return words.unexpected("SELECT, WITH or CREATE TABLE", advice.CLAUSES.get(words.token.lower, ""))
