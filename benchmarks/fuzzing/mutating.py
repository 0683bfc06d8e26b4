"""Good inputs, broken: pieces of bytes changed, and whole values put in another's place.

Bytes alone would spend most inputs on the first check, that a text is JSON or XML at all. So an
input of a known form has values replaced as well, and stays of that form.
"""

from __future__ import annotations

import random
import re
from collections.abc import Sequence
from dataclasses import dataclass
from functools import cache

LONGEST = 20_000  # bytes; doors take a megabyte, but what matters happens in the first pages

TOKENS = (
    b"",
    b"\0",
    b"\xff\xfe",
    b"\xed\xa0\x80",
    b"-1",
    b"1e309",
    b"NaN",
    b"null",
    b"[]",
    b"{}",
    b"99999999999999999999",
    b"0.1",
    b"true",
    b'{"a":' * 40,
    b"[" * 400,
    b"[" * 3_000,
    b"<a>" * 60,
    b"]]>",
    b"<![CDATA[",
    b"<!DOCTYPE a>",
    b"&#x110000;",
    b"\xe2\x80\xae",
    "２０２６年".encode(),
    b"\r\n\r\n",
    b"=?utf-8?b?/w==?=",
    b"PK\x03\x04",
    "催了".encode() * 30,
    b"9" * 60,
    b"9" * 5_000,
    "王总".encode(),
    b"%",
    b"'",
)

_NUMBERS = (
    b"0",
    b"-1",
    b"-0.0",
    b"0.005",
    b"1e308",
    b"1e309",
    b"1e999999",
    b"2147483648",
    b"9223372036854775808",
    b"253402300800",  # seconds: the first of the year 10000
    b"9" * 30,
    b"9" * 5_000,  # more digits than int takes of a text
)
_WORDS = (
    b"",
    b" ",
    b"x",
    b"NaN",
    b"-Infinity",
    "²".encode(),  # a digit for isdigit, not for int
    "٣".encode(),  # a number for isdecimal
    "壹佰".encode(),
    b"0001-01-01",
    b"0001-01-01T00:00:00+14:00",  # before all time in UTC
    b"9999-12-31T23:59:59-14:00",
    b"2026-02-30",
    b"2026-W01-1",
    b"24:00",
    b"a" * 400,
    b"\\u0000",
    b"\\ud83d",
    "\u202e王\u200b".encode(),
    b"../../etc/passwd",
    b"=1+1",
)


@dataclass(frozen=True)
class Form:
    """values: what may be replaced in a text of this form (group 1). odd: by what."""

    values: re.Pattern[bytes]
    odd: tuple[bytes, ...]


JSON = Form(
    re.compile(
        rb'(?<=[:\[,\s])("(?:[^"\\]|\\.)*"|-?\d[\d.eE+-]*|true|false|null'
        rb"|\{[^{}]*\}|\[[^\[\]]*\])(?=\s*[,\]}])"
    ),
    (
        b"null",
        b"true",
        b"false",
        b"[]",
        b"{}",
        b"[null]",
        b"[[]]",
        b"[{}]",
        b'{"":{}}',
        b"[" * 3_000 + b"]" * 3_000,
        b'"\\"\\\\"',
        *_NUMBERS,
        *(b'"' + one + b'"' for one in (*_WORDS, *_NUMBERS)),
    ),
)
XML = Form(
    re.compile(rb">(?:<!\[CDATA\[)?([^<>\]]+)"),
    (*_NUMBERS, *_WORDS, b"&lt;", b"&#0;", b"&#x10FFFF;", b"<a/>", b"<a>1</a><a>2</a>"),
)
TABLE = Form(
    re.compile(rb"(?:^|[,\n])([^,\r\n]*)"),
    (*_NUMBERS, *_WORDS, b'"a,b"', b'"', b'"a\nb"', b"a\r", b"\0"),
)
TOML = Form(
    re.compile(rb"= *([^\n]+)"),
    (
        b"true",
        b"[]",
        b"{}",
        b"[[]]",
        b'[""]',
        b"nan",
        b"-inf",
        b"{ a = 1 }",
        b"1979-05-27T07:32:00Z",
        b"07:32:00",
        b"1979-05-27",
        *_NUMBERS,
        *(b'"' + one + b'"' for one in _WORDS),
    ),
)
YAML = Form(
    re.compile(rb": *([^\n]+)"),
    (
        b"~",
        b"yes",
        b"[]",
        b"{}",
        b"[[]]",
        b"&a x",
        b"*a",
        b"!!python/object:os.system x",
        b"2026-02-30",
        b"0x_",
        b"1:99:99",
        b"|\n  a",
        b"? a",
        *_NUMBERS,
        *(b'"' + one + b'"' for one in _WORDS),
    ),
)
MAIL = Form(
    re.compile(rb"(?:: |[;=] ?|\n\n|\r\n\r\n)([^\r\n;=]+)"),
    (
        *_NUMBERS,
        *_WORDS,
        b"=?utf-8?b?/w==?=",
        b"=?utf-8?q?=ff=?=",
        b"=?x?b?x?=",
        b"utf-7",
        b"idna",
        b"hex",
        b"multipart/mixed; boundary=x",
        b"message/rfc822",
        b"base64",
        b"Mon, 32 Foo 99999 99:99:99 +9999",
        b"Mon, 1 Jan 0001 00:00:00 +1400",
        b"<>",
        b"a@b",
        b"@,;:<",
        b"[",
        b'"',
        b"utf-8''%ff",
    ),
)
SAID = Form(
    re.compile(
        "([0-9]+|[一二三四五六七八九十百千两半]+|[上中下]午|周.|月|日|年|万|[a-z]+)".encode()
    ),
    (
        *_NUMBERS,
        *_WORDS,
        "零".encode(),
        "半".encode(),
        "两百五".encode(),
        "十万亿亿".encode(),
        "九千九百九十九万年后".encode(),
        "2月30日".encode(),
        "13月".encode(),
        "25点61分".encode(),
        "上上上周日".encode(),
        "大后天".encode(),
        "99999999个工作日后".encode(),
        "〇".encode() * 200,
        b"1.2.3",
        b"1,2,3",
        b"38w",
    ),
)


def mutated(good: Sequence[bytes], dice: random.Random, form: Form | None = None) -> bytes:
    """A good input with up to three values replaced, up to six pieces broken, or both."""
    data, fate = dice.choice(good), dice.random()
    if form is not None and fate < 0.75:
        data = _with_other_values(data, dice, form)
    if form is None or fate > 0.5:
        data = _broken(data, good, dice)
    return data[:LONGEST]


def _with_other_values(data: bytes, dice: random.Random, form: Form) -> bytes:
    places = _places(data, form)
    if not places:
        return data
    for start, end in sorted(dice.sample(places, min(len(places), dice.randint(1, 3))))[::-1]:
        if dice.random() < 0.8:
            other = dice.choice(form.odd)
        else:
            begin, stop = dice.choice(places)
            other = data[begin:stop]
        data = data[:start] + other + data[end:]
    return data


@cache
def _places(data: bytes, form: Form) -> list[tuple[int, int]]:
    return [match.span(1) for match in form.values.finditer(data)]


def _broken(good: bytes, crossed: Sequence[bytes], dice: random.Random) -> bytes:
    data = bytearray(good)
    for _ in range(dice.randint(1, 6)):
        start = dice.randint(0, len(data))
        end = min(len(data), start + dice.choice((1, 1, 2, 4, 16, 200)))
        match dice.randrange(6):
            case 0:
                data[start:end] = dice.choice(TOKENS)
            case 1:
                del data[start:end]
            case 2:
                data[start:start] = data[start:end] * dice.randint(1, 8)
            case 3:
                other = dice.choice(crossed)
                place = dice.randint(0, len(other))
                data[start:end] = other[place : place + dice.randint(0, 300)]
            case 4 if data:
                data[start % len(data)] ^= 1 << dice.randrange(8)
            case _:
                data[start:start] = dice.choice(TOKENS)
    return bytes(data)
