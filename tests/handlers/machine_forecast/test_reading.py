from __future__ import annotations

from datetime import date
from pathlib import Path

import numpy as np
import pytest

from bot.errors import InvalidInput
from handlers.machine_forecast.reading import read

HEADER = "id,rep,team,product,list_price,created,stage,closed,value"
WON = "1,张,北区,A,100,2025-01-02,won,2025-02-01,95.5"


def written(folder: Path, *lines: str, encoding: str = "utf-8", name: str = "p.csv") -> Path:
    path = folder / name
    path.write_bytes("\n".join(lines).encode(encoding))
    return path


def test_a_row_is_read_as_it_stands(tmp_path: Path) -> None:
    lines = (
        HEADER,
        WON,
        "2,李,南区,B,,2025-01-03,open,,",
        "3,李,南区,B,7,2025-01-03,lost,2025-01-03,",
    )
    table = read(written(tmp_path, *lines))
    assert table.teams == ("北区", "南区")
    assert table.created[0] == date(2025, 1, 2).toordinal()
    assert table.closed[0] == date(2025, 2, 1).toordinal()
    assert table.value.tolist() == [95.5, 0.0, 0.0]
    assert table.won.tolist() == [True, False, False]
    assert table.is_open.tolist() == [False, True, False]
    assert np.isnan(table.price).tolist() == [False, True, False]


@pytest.mark.parametrize("encoding", ["utf-8-sig", "gb18030"])
def test_what_spreadsheets_write_is_read(tmp_path: Path, encoding: str) -> None:
    assert read(written(tmp_path, HEADER, WON, encoding=encoding)).teams == ("北区",)


def test_columns_may_stand_in_any_order_beside_others(tmp_path: Path) -> None:
    lines = (
        "note,value,closed,stage,created,list_price,product,team,ID",
        "x,5,2025-01-09,Won,2025-01-01,5,A,北区,1",
    )
    assert read(written(tmp_path, *lines)).value.tolist() == [5.0]


def test_the_public_data_set_brings_prices_and_teams_in_files_beside_it(tmp_path: Path) -> None:
    written(tmp_path, "product,series,sales_price", "GTX Pro,GTX,4821", name="products.csv")
    written(tmp_path, "sales_agent,manager,regional_office", "Ann,Bob,West", name="sales_teams.csv")
    header = (
        "opportunity_id,sales_agent,product,account,deal_stage,engage_date,close_date,close_value"
    )
    lines = (
        header,
        "A,Ann,GTXPro,X,Won,2017-01-01,2017-03-01,4700",
        "B,Ann,GTXPro,,Engaging,2017-01-05,,",
        "C,Ann,GTXPro,,Prospecting,,,",
        "D,Ann,GTXPro,X,Lost,2017-01-01,2017-03-02,0",
    )
    table = read(written(tmp_path, *lines))
    assert table.teams == ("Bob",)
    assert table.price.tolist() == [4821.0] * 3  # a prospect without a day has no place in time
    assert table.is_open.tolist() == [False, True, False]


@pytest.mark.parametrize(
    ("line", "says"),
    [
        ("2,张,北区,A,100,2025-13-02,won,2025-02-01,95", "created"),
        ("2,张,北区,A,100,,won,2025-02-01,95", "created"),
        ("2,张,北区,A,100,2025-01-02,won,,95", "closed"),
        ("2,张,北区,A,100,2025-01-02,won,2025-01-01,95", "2025-01-01"),
        ("2,张,北区,A,100,2025-01-02,won,2025-02-01,", "value"),
        ("2,张,北区,A,100,2025-01-02,won,2025-02-01,九十", "九十"),
        ("2,张,北区,A,100,2025-01-02,won,2025-02-01,-1", "-1"),
        ("2,张,北区,A,100,2025-01-02,won,2025-02-01,inf", "inf"),
        ("2,张,北区,A,nan,2025-01-02,won,2025-02-01,5", "nan"),
        ("2,张,北区,A,100,2025-01-02,maybe,2025-02-01,95", "maybe"),
        ("1,张,北区,A,100,2025-01-02,open,,", "1"),
        ("2,张,北区", "3"),
        ('2,"张"x,北区,A,100,2025-01-02,open,,', "CSV"),
    ],
)
def test_a_broken_line_is_named_with_what_is_wrong(tmp_path: Path, line: str, says: str) -> None:
    with pytest.raises(InvalidInput) as problem:
        read(written(tmp_path, HEADER, WON, "", line))
    assert str(problem.value).startswith("p.csv 第 4 行：")
    assert says in str(problem.value)
    assert "\n" not in str(problem.value)


@pytest.mark.parametrize("lines", [(), ("id,team",), ("hello",)])
def test_missing_columns_are_named(tmp_path: Path, lines: tuple[str, ...]) -> None:
    with pytest.raises(InvalidInput, match=r"第 1 行：缺少列.*created"):
        read(written(tmp_path, *lines))


def test_what_is_no_text_is_refused(tmp_path: Path) -> None:
    path = tmp_path / "p.csv"
    path.write_bytes(b"\xff\xfe\x00\x81\xff\xff")
    with pytest.raises(InvalidInput, match=r"p\.csv"):
        read(path)


def test_a_header_alone_is_an_empty_table(tmp_path: Path) -> None:
    assert len(read(written(tmp_path, HEADER))) == 0
