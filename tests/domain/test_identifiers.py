"""Credit codes, telephone numbers and domains in one spelling, or why not."""

from __future__ import annotations

import pytest
from hypothesis import given
from hypothesis import strategies as st

from bot.domain.identifiers import (
    CodeFault,
    fault_of_credit_code,
    one_credit_code,
    one_domain,
    one_phone,
)

# Of listed companies, as printed in their annual reports.
REAL_CODES = (
    "9144030071526726XG",
    "91330100799655058B",
    "914403001922038216",
    "91110000802100433B",
)
LETTERS = "0123456789ABCDEFGHJKLMNPQRTUWXY"


@pytest.mark.parametrize("code", REAL_CODES)
def test_codes_of_real_companies_are_valid(code: str) -> None:
    assert fault_of_credit_code(code) is None


@pytest.mark.parametrize("text", ["91330100 79965505 8b", "９１３３０１００７９９６５５０５８Ｂ"])
def test_spelling_does_not_matter(text: str) -> None:
    assert one_credit_code(text) == "91330100799655058B"
    assert fault_of_credit_code(text) is None


@pytest.mark.parametrize(
    ("text", "fault"),
    [
        ("", CodeFault.LENGTH),
        ("91330100799655058", CodeFault.LENGTH),
        ("91330100799655058B1", CodeFault.LENGTH),
        ("91330100799655O58B", CodeFault.CHARACTER),
        ("9I330100799655058B", CodeFault.CHARACTER),
        ("统一社会信用代码统一社会信用代码统一", CodeFault.CHARACTER),
        ("91330100799655058C", CodeFault.CHECK_DIGIT),
    ],
)
def test_what_is_wrong_with_a_code_is_told(text: str, fault: CodeFault) -> None:
    assert fault_of_credit_code(text) is fault


@given(
    st.sampled_from(REAL_CODES), st.integers(0, 17), st.sampled_from(LETTERS), st.integers(0, 16)
)
def test_any_single_slip_and_any_swap_of_neighbours_is_noticed(
    code: str, at: int, letter: str, swap: int
) -> None:
    wrong = code[:at] + letter + code[at + 1 :]
    assert (fault_of_credit_code(wrong) is None) == (wrong == code)
    swapped = code[:swap] + code[swap + 1] + code[swap] + code[swap + 2 :]
    assert (fault_of_credit_code(swapped) is None) == (swapped == code)


@pytest.mark.parametrize(
    ("text", "number"),
    [
        ("13812345678", "+8613812345678"),
        ("138 1234 5678", "+8613812345678"),
        ("１３８－１２３４－５６７８", "+8613812345678"),
        ("+86 138-1234-5678", "+8613812345678"),
        ("008613812345678", "+8613812345678"),
        ("0571-87654321", "+8657187654321"),
        ("(0571) 8765 4321", "+8657187654321"),
        ("+86 571 87654321", "+8657187654321"),
        ("+86 (0)571 87654321", "+8657187654321"),
        ("0571-87654321转801", "+8657187654321"),
        ("021-12345678-801", "+862112345678"),
        ("0571-87654321 ext. 12", "+8657187654321"),
        ("010-87654321", "+861087654321"),
        ("0372-1234567", "+863721234567"),
        ("400-820-8820", "+864008208820"),
        ("87654321", None),
        ("110", None),
        ("12345678901", None),
        ("+1 415 555 0100", None),
        ("王总", None),
        ("", None),
    ],
)
def test_telephone_numbers(text: str, number: str | None) -> None:
    assert one_phone(text) == number


@pytest.mark.parametrize(
    ("text", "domain"),
    [
        ("https://www.hengrui.com.cn/about?from=x", "hengrui.com.cn"),
        ("wang@mail.hengrui.com", "hengrui.com"),
        ("Hengrui.COM:8080", "hengrui.com"),
        ("hengrui.com.", "hengrui.com"),
        ("hengrui.zj.cn", "hengrui.zj.cn"),
        ("shop.hengrui.cn", "hengrui.cn"),
        ("http://例子.中国/", "xn--fsqu00a.xn--fiqs8s"),
        ("wang@qq.com", None),
        ("wang@vip.163.com", None),
        ("hengrui.1688.com", None),
        ("com.cn", None),
        ("localhost", None),
        ("192.168.1.1", None),
        ("a..b", None),
        ("恒锐机电 有限公司", None),
        ("", None),
    ],
)
def test_domains(text: str, domain: str | None) -> None:
    assert one_domain(text) == domain


@given(st.text(max_size=40))
def test_no_text_breaks_a_reader_and_what_is_read_reads_the_same_again(text: str) -> None:
    fault_of_credit_code(text)
    for read in (one_phone, one_domain):
        value = read(text)
        assert value is None or read(value) == value
