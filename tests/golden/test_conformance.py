"""The conformance table: enough rows, and the pages in docs/ tell what the table holds."""

import conformance
import pytest
from conformance import DOCS


@pytest.mark.parametrize("name", list(conformance.pages()))
def test_the_pages_are_fresh(name):
    path = DOCS / name
    text = path.read_text() if path.exists() else ""
    assert text == conformance.pages()[name], f"docs/{name} is stale: run `make tables`"


def test_every_verdict_is_one_of_three():
    rows, _ = conformance.table()
    for its in rows.values():
        assert set(conformance._count(its)) <= set(conformance.VERDICTS)


def test_no_page_is_left_over():
    assert {p.name for p in (DOCS / "conformance").glob("*.md")} == {
        name.partition("/")[2] for name in conformance.pages() if "/" in name
    }


def test_the_table_is_as_large_as_the_issue_asks():
    rows, _ = conformance.table()
    assert sum(map(len, rows.values())) >= 1000
