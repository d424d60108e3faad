"""Product files: what is read, what is refused and where, and that what is written reads back."""

from decimal import Decimal
from pathlib import Path

import pytest

from orchestrator import catalogue_csv
from orchestrator.catalogue_cells import COLUMNS
from orchestrator.catalogue_csv import DEMO, LARGEST_FILE, MOST_ROWS, WrongFile, export, parse, read
from orchestrator.money import Money
from orchestrator.product import Part, Piece, Product, ProductChange

HEADER = ",".join(COLUMNS)
MUG = "mug,Mug,149.90,SEK,25,M-1,12345678,10,yes,"
SPOON = "spoon,Spoon,49,SEK,12.5,,,,,"


def file(*lines: str) -> bytes:
    return "\n".join([HEADER, *lines, ""]).encode()


def only(data: bytes) -> ProductChange:
    (record,) = parse(data)
    return record.change


def problems(data: bytes) -> tuple[str, ...]:
    with pytest.raises(WrongFile) as caught:
        parse(data)
    return caught.value.problems


def test_row_is_read() -> None:
    assert only(file(MUG)) == ProductChange(
        "mug", "Mug", Money.parse("149.90", "SEK"), Decimal(25), "M-1", "12345678", 10, True
    )


def test_empty_cells_leave_stock_and_sale_alone() -> None:
    change = only(file(SPOON))
    assert (change.sku, change.ean, change.on_hand, change.for_sale) == (None, None, None, None)


def test_bundle_is_read() -> None:
    change = only(file('set,Set,200,SEK,25,,,,no," mug : 2 ;spoon:1"'))
    assert change.bundle == (Piece("mug", 2), Piece("spoon", 1))
    assert change.for_sale is False


def test_bundle_is_read_between_semicolons() -> None:
    header = HEADER.replace(",", ";")
    change = only(f'{header}\nset;Set;1299,50;SEK;12,5;;;;;"mug:2;spoon:1"\n'.encode())
    assert change.price == Money.parse("1299.50", "SEK")
    assert change.tax_rate == Decimal("12.5")
    assert change.bundle == (Piece("mug", 2), Piece("spoon", 1))


@pytest.mark.parametrize(
    "data",
    [
        file(MUG),
        b"\xef\xbb\xbf" + file(MUG),
        file(MUG).replace(b"\n", b"\r\n"),
        file(MUG).replace(b"\n", b"\r"),
        file("", MUG, " , ,,,,,,,,", ""),
        b"\n" + file(MUG),
        file(MUG).rstrip(),
        file(MUG).replace(b",", b";"),
        file(MUG.replace(",", " , ")),
        file(MUG).replace(b"token,title", b" Token ,TITLE"),
        f"{','.join(reversed(COLUMNS))}\n{','.join(reversed(MUG.split(',')))}".encode(),
    ],
    ids=range(11),
)
def test_files_that_say_the_same(data: bytes) -> None:
    assert only(data) == only(file(MUG))


@pytest.mark.parametrize(
    ("cells", "said"),
    [
        ("mug,Mug,abc,SEK,25,,,,,", "line 2, column price: 'abc' should be a number such as 149.90"),
        ("mug,Mug,,SEK,25,,,,,", "line 2, column price: is empty"),
        ("mug,Mug,0,SEK,25,,,,,", "line 2, column price: should be more than 0"),
        ("mug,Mug,-1,SEK,25,,,,,", "line 2, column price: should be more than 0"),
        ("mug,Mug,1.999,SEK,25,,,,,", "line 2, column price: 1.999 has more decimals than SEK has"),
        ("mug,Mug,1.5,JPY,25,,,,,", "line 2, column price: 1.5 has more decimals than JPY has"),
        ('mug,Mug,"149,90",SEK,25,,,,,', "line 2, column price: '149,90' should be a number such as 149.90"),
        ("mug,Mug,1e3,SEK,25,,,,,", "line 2, column price: '1e3' should be a number such as 149.90"),
        ("mug,Mug,NaN,SEK,25,,,,,", "line 2, column price: 'NaN' should be a number such as 149.90"),
        ("mug,Mug,1_0,SEK,25,,,,,", "line 2, column price: '1_0' should be a number such as 149.90"),
        (
            f"mug,Mug,{'9' * 12},SEK,25,,,,,",
            f"line 2, column price: {'9' * 12} is not an amount of money this",
        ),
        ("mug,Mug,1,SEKK,25,,,,,", "line 2, column currency: 'SEKK' should be an ISO 4217 code such as SEK"),
        ("mug,Mug,1,,25,,,,,", "line 2, column currency: '' should be an ISO 4217 code such as SEK"),
        ("mug,Mug,1,SEK,101,,,,,", "line 2, column tax_rate: should be 0 to 100 percent"),
        ("mug,Mug,1,SEK,25 %,,,,,", "line 2, column tax_rate: '25 %' should be a number"),
        ("mug,Mug,1,SEK,,,,,,", "line 2, column tax_rate: is empty"),
        (",Mug,1,SEK,25,,,,,", "line 2, column token: should be 1 to 64 letters"),
        ("m g,Mug,1,SEK,25,,,,,", "line 2, column token: should be 1 to 64 letters"),
        ("mug,,1,SEK,25,,,,,", "line 2, column title: is empty"),
        ('mug,"a\nb",1,SEK,25,,,,,', "line 2, column title: contains a control character"),
        ("mug,Mug,1,SEK,25,,123,,,", "line 2, column ean: should be 8 to 14 digits"),
        ("mug,Mug,1,SEK,25,,,1.5,,", "line 2, column on_hand: '1.5' should be a whole number, 0 or more"),
        ("mug,Mug,1,SEK,25,,,-1,,", "line 2, column on_hand: '-1' should be a whole number, 0 or more"),
        ("mug,Mug,1,SEK,25,,,9999999999,,", "line 2, column on_hand: should be 0 to 1000000000"),
        ("mug,Mug,1,SEK,25,,,,maybe,", "line 2, column for_sale: 'maybe' should be yes, no or empty"),
        ("mug,Mug,1,SEK,25,,,,,spoon", "line 2, column bundle: 'spoon' should be a token and a number"),
        ("mug,Mug,1,SEK,25,,,,,spoon:x", "line 2, column bundle: 'spoon:x' should be a token and a number"),
        ("mug,Mug,1,SEK,25,,,,,spoon:1;", "line 2, column bundle: '' should be a token and a number"),
        ("mug,Mug,1,SEK,25,,,,,spoon:0", "line 2, column bundle: part 'spoon' should be 1 to 1000000"),
        ("mug,Mug,1,SEK,25,,,,,mug:1", "line 2, column bundle: contains itself"),
        ("mug,Mug,1,SEK,25", "line 2: has 5 cells, the header has 10"),
        (f"{MUG},", "line 2: has 11 cells, the header has 10"),
        ('mug,"Mug,1,SEK,25,,,,,', "line 2: a quote is opened and not closed"),
        (f'{MUG}\nspoon,"Spoon,1,SEK\n{SPOON}', "line 3: a quote is opened and not closed"),
        ('mug,"Mug"x,1,SEK,25,,,,,', "line 2: ',' expected after '\"'"),
        (f"mug,{'x' * 200_000},1,SEK,25,,,,,", "line 2: field larger than field limit"),
        (f"{MUG}\nmug,\0,1,SEK", "line 3: contains a NUL character"),
        (f"{MUG}\n{SPOON}\n{MUG}", "line 4, column token: 'mug' was there before, on line 2"),
    ],
)
def test_wrong_cell_is_named(cells: str, said: str) -> None:
    (problem,) = problems(file(cells))
    assert problem.startswith(said)


@pytest.mark.parametrize(
    ("data", "said"),
    [
        (b"", ["line 1: the header is missing"]),
        (b"\n \n", ["line 1: the header is missing"]),
        (
            MUG.encode(),
            [*[f"line 1: column {name} is missing" for name in COLUMNS], "line 1: column 'mug' is"],
        ),
        (f"{HEADER},colour\n".encode(), ["line 1: column 'colour' is unknown"]),
        (f"{HEADER},token\n".encode(), ["line 1: column token is there twice"]),
        (HEADER.replace("ean,", "").encode(), ["line 1: column ean is missing"]),
        (
            file(MUG, "mug\xe5").decode().encode("latin-1"),
            ["line 3: is not UTF-8; save the file as CSV in UTF-8"],
        ),
        (file(MUG).decode().encode("utf-16"), ["line 1: is not UTF-8"]),
        (b"\xef\xbb\xbf" + file("\n") + b"\xff", ["line 4: is not UTF-8"]),
        (b"x" * (LARGEST_FILE + 1), [f"the file has {LARGEST_FILE + 1} bytes, at most {LARGEST_FILE}"]),
    ],
    ids=range(10),
)
def test_wrong_file_is_named(data: bytes, said: list[str]) -> None:
    found = problems(data)
    assert all(problem.startswith(words) for problem, words in zip(found, said, strict=False)), found


def test_all_problems_of_a_row_are_named_with_the_line_where_it_begins() -> None:
    assert [
        problem.partition(":")[0] for problem in problems(file(MUG, "", '"m g","\nx",a,QQQ,b,,1,c,d,e'))
    ] == [
        f"line 4, column {name}"
        for name in ("token", "price", "currency", "tax_rate", "ean", "on_hand", "for_sale", "bundle")
    ]


def test_twenty_problems_are_listed() -> None:
    with pytest.raises(WrongFile) as caught:
        parse(file(*[f"p{number},P,x,SEK,25,,,,," for number in range(25)]))
    assert (len(caught.value.problems), caught.value.total) == (20, 25)
    assert caught.value.message.splitlines()[-1] == "and 5 more"


def test_rows_have_a_limit() -> None:
    assert MOST_ROWS == 50_000
    assert len(read(file(MUG, "", SPOON), most_rows=2).records) == 2
    with pytest.raises(WrongFile, match=r"^line 5: the file has more than 2 rows$"):
        read(file(MUG, "", SPOON, "x"), most_rows=2)


def test_lines_that_are_right_are_read_beside_wrong_ones() -> None:
    found = read(file(MUG, "spoon,Spoon,x,SEK,25,,,,,", "fork", SPOON))
    assert [record.line for record in found.records] == [2]
    assert [str(problem) for problem in found.problems] == [
        "line 3, column price: 'x' should be a number such as 149.90",
        "line 4: has 1 cells, the header has 10",
        "line 5, column token: 'spoon' was there before, on line 3",
    ]


def product(token: str, title: str, *, sku: str | None = None, bundle: tuple[Part, ...] = ()) -> Product:
    price = Money.parse("149.90", "SEK")
    return Product(token, title, price, Decimal("12.5"), sku, None, False, bundle, 7, 2, 5)


@pytest.mark.parametrize(
    "title",
    [
        "Mug",
        'A "mug", blue; wide',
        "=SUM(A1)",
        "+46 70",
        "-5 °C",
        "@home",
        "'=1",
        "''@x",
        "'quoted'",
        "杯 <b>]]>",
        "O'Neill",
    ],
)
def test_what_is_written_reads_back(title: str) -> None:
    text = export([product("-mug", title, sku=f"={title}")])
    change = only(text.encode())
    assert (change.token, change.title, change.sku) == ("-mug", title, f"={title}")
    assert (change.price, change.tax_rate, change.on_hand, change.for_sale) == (
        Money.parse("149.90", "SEK"),
        Decimal("12.5"),
        7,
        False,
    )


@pytest.mark.parametrize("start", ["=", "+", "-", "@"])
def test_no_cell_begins_like_a_formula(start: str) -> None:
    text = export([product("mug", f"{start}cmd", bundle=(Part("-spoon", "Spoon", 2),))])
    assert text.splitlines()[1] == f"mug,'{start}cmd,149.90,SEK,12.5,,,,no,'-spoon:2"


def test_demo_catalogue_is_in_order() -> None:
    changes = [record.change for record in parse(DEMO.read_bytes())]
    tokens = {change.token for change in changes}
    assert {change.price.currency for change in changes} == {"SEK"}
    assert {change.tax_rate for change in changes} == {Decimal(6), Decimal(12), Decimal(25)}
    assert all(part.token in tokens for change in changes for part in change.bundle)
    assert any(change.bundle for change in changes)


def test_demo_catalogue_travels_with_the_package() -> None:
    assert Path(catalogue_csv.__file__).parent == DEMO.parent
