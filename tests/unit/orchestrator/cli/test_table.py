"""Tables of the command line."""

from orchestrator.cli.table import table


def test_columns_are_as_wide_as_their_widest_cell() -> None:
    text = table(("TOKEN", "TITLE", "N"), [("a", "杯", "5"), ("longer", "Mug", "15")], right=("N",))
    assert text.splitlines() == [
        "TOKEN   TITLE   N",
        "a       杯      5",
        "longer  Mug    15",
    ]


def test_no_rows_leave_the_header() -> None:
    assert table(("A", "B"), []) == "A  B"
