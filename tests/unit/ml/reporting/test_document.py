"""A report's two forms hold what it says, and nothing that somebody named changes their shape."""

from __future__ import annotations

from html.parser import HTMLParser

from fraudstream.ml.reporting.document import Heading, Paragraph, Picture, Table, html, markdown

HOSTILE = '<script>alert(1)</script> | [x](y) `z`\n# w "q"'
BLOCKS = [
    Heading("Validation"),
    Paragraph(f"Of 12 rows {HOSTILE}."),
    Table("Figures", ("figure", HOSTILE), [("recall", "0.5"), (HOSTILE, "–")]),
    Picture("calibration", b"\x89PNG"),
]


class Seen(HTMLParser):
    def __init__(self) -> None:
        super().__init__()
        self.tags: list[str] = []
        self.text = ""

    def handle_starttag(self, tag: str, attrs: list[tuple[str, str | None]]) -> None:
        self.tags.append(tag)

    def handle_data(self, data: str) -> None:
        self.text += data


def test_html_needs_nothing_beside_it_and_shows_text_as_text() -> None:
    page = html(f"Report {HOSTILE}", BLOCKS)
    seen = Seen()
    seen.feed(page)
    assert "script" not in seen.tags
    assert seen.tags.count("tr") == 3
    assert "alert(1)" in seen.text
    assert "http" not in page
    assert 'src="data:image/png;base64,' in page


def test_markdown_keeps_its_tables_whatever_a_cell_holds() -> None:
    text = markdown(f"Report {HOSTILE}", BLOCKS)
    lines = text.splitlines()
    assert [line for line in lines if line.startswith("#")] == [lines[0], "## Validation"]
    rows = [line for line in lines if line.startswith("|")]
    assert len(rows) == 4
    assert all(row.replace("\\|", "").count("|") == 3 for row in rows)
    assert "<script>" not in text
