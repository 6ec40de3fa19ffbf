"""The canonical text of a project's job: its query, the files that Microsoft's tools keep beside it, a first case."""

from fraudstream.asaql.template.cases import case_texts
from fraudstream.asaql.template.files import project_texts
from fraudstream.asaql.template.query import query_text

__all__ = ["case_texts", "project_texts", "query_text"]
