"""Every public name of Keras and every argument: here, or an error that names it."""

import api_table
import pytest
from api_differences import DIFFERENCES
from api_table import DOCS

ROWS = [row for its in api_table.rows().values() for row in its]
FOUND = {(row.path, argument): text for row in ROWS for argument, text in row.deviations.items()}


def test_arguments_differ_only_where_it_is_meant():
    unknown = {key: text for key, text in FOUND.items() if key not in DIFFERENCES}
    assert not unknown, "make them like Keras's, or say why in api_differences.py"


def test_differences_are_not_left_over():
    gone = [key for key in DIFFERENCES if key not in FOUND]
    assert not gone, "these are like Keras's by now: delete them from api_differences.py"


def test_absent_names_are_named():
    for row in ROWS:
        if not row.present:
            names = row.path.split(".")[1:]
            assert any(f"'{name}'" in row.error for name in names), (row.path, row.error)


@pytest.mark.parametrize("name", list(api_table.pages()))
def test_the_pages_are_fresh(name):
    path = DOCS / name
    text = path.read_text() if path.exists() else ""
    assert text == api_table.pages()[name], f"docs/api/{name} is stale: run `make tables`"


def test_no_page_is_left_over():
    assert {path.name for path in DOCS.glob("*.md")} == set(api_table.pages())
