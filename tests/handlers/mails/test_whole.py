"""What is read off a whole mail, however its program wrote it."""

from __future__ import annotations

from email.message import EmailMessage

import pytest
from hypothesis import given
from hypothesis import strategies as st

from handlers.mails.whole import LEAST_PICTURE_BYTES, MOST_FILES, read

PNG = b"\x89PNG" + b"x" * LEAST_PICTURE_BYTES


def mail(words: str = "正文", *, html: str = "") -> EmailMessage:
    one = EmailMessage()
    one["From"], one["Subject"] = "李工 <li@hengrui.cn>", "报价"
    one.set_content(words)
    if html:
        one.add_alternative(html, subtype="html")
    return one


def test_words_of_a_page_without_what_is_quoted_and_hidden() -> None:
    html = (
        "<html><head><style>p{}</style></head><body><p>可以，<b>下周</b>签</p>"
        "<div>李工</div><script>x()</script><blockquote>旧的</blockquote></body></html>"
    )
    one = EmailMessage()
    one["From"], one["Subject"] = "li@hengrui.cn", "报价"
    one.set_content(html, subtype="html")
    assert read(one.as_bytes()).text == "可以，下周签\n\n李工"


def test_plain_words_go_before_the_page() -> None:
    assert read(mail("白话", html="<p>花哨</p>").as_bytes()).text == "白话"


@pytest.mark.parametrize("named", ["gb2312", "GBK", "x-unknown"])
def test_chinese_in_a_narrower_charset_than_it_is(named: str) -> None:
    head = f"From: li@hengrui.cn\r\nContent-Type: text/plain; charset={named}\r\n"
    raw = head.encode() + b"Content-Transfer-Encoding: 8bit\r\n\r\n" + "镕钢".encode("gb18030")
    assert read(raw).text == "镕钢"


def test_attachments_without_logos() -> None:
    one = mail(html='<p>见附件</p><img src="cid:logo">')
    one.add_attachment(b"%PDF-1.4", maintype="application", subtype="pdf", filename="报价 单.pdf")
    one.add_attachment(PNG[:200], maintype="image", subtype="png", filename="logo.png",
                       disposition="inline")  # fmt: skip
    one.add_attachment(PNG, maintype="image", subtype="png", filename="现场.png",
                       disposition="inline")  # fmt: skip
    found = read(one.as_bytes())
    assert [name for name, _ in found.files] == ["报价 单.pdf", "现场.png"]


def test_a_forwarded_mail_is_one_file() -> None:
    inner = mail("里面的")
    inner.add_attachment(b"%PDF", maintype="application", subtype="pdf", filename="里.pdf")
    outer = mail("外面的")
    outer.add_attachment(inner)
    found = read(outer.as_bytes())
    assert [name for name, _ in found.files] == ["转发的邮件1.eml"]
    assert "里.pdf" not in [name for name, _ in found.files]
    assert read(found.files[0][1]).text == "里面的"
    assert found.text == "外面的"


def test_more_files_than_anybody_reads_are_counted() -> None:
    one = mail()
    for number in range(MOST_FILES + 2):
        one.add_attachment(b"x", maintype="application", subtype="pdf", filename=f"{number}.pdf")
    found = read(one.as_bytes())
    assert (len(found.files), found.left_out) == (MOST_FILES, 2)


@pytest.mark.parametrize(
    "raw",
    [
        b"",
        b"From: a@b.cn\r\nContent-Type: multipart/mixed\r\n\r\nno boundary",
        b'From: a@b.cn\r\nContent-Type: multipart/mixed; boundary="x"\r\n\r\n--x\r\n\r\nhalf',
        b"From: a@b.cn\r\nContent-Transfer-Encoding: base64\r\n\r\n!!!not base64!!!",
        b"From: =?utf-8?b?!!?=\r\nSubject: =?gb2312?q?=ZZ?=\r\n\r\nx",
    ],
)
def test_mails_that_break_the_rules_are_read_as_far_as_they_go(raw: bytes) -> None:
    assert read(raw).files == ()


@given(st.binary(max_size=300))
def test_no_body_is_too_strange(body: bytes) -> None:
    head = b'From: a@b.cn\r\nContent-Type: multipart/mixed; boundary="x"\r\n\r\n--x\r\n'
    found = read(head + body)
    assert len(found.files) <= MOST_FILES
    assert found.subject == ""  # whatever stands in the body is no header
