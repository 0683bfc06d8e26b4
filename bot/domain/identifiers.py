"""What identifies a company besides its name: credit code, telephone number, domain."""

from __future__ import annotations

import re
import unicodedata
from enum import StrEnum

_CODE_LETTERS = "0123456789ABCDEFGHJKLMNPQRTUWXY"  # GB 32100-2015: without I, O, S, V, Z
_CODE_LENGTH = 18
_WEIGHTS = tuple(pow(3, place, 31) for place in range(_CODE_LENGTH - 1))

_EXTENSION = re.compile(
    r"(?:转|分机|ext\.?|x|#|,)\s*\d{1,6}\s*$|(?<=\d{7})-\d{1,4}\s*$", re.IGNORECASE
)
_COUNTRY = re.compile(r"^(?:\+|00)?86(?=1[3-9]\d{9}$|0?[1-9]\d{8,10}$|[48]00\d{7}$)")
_MOBILE = re.compile(r"1[3-9]\d{9}")
_LANDLINE = re.compile(
    r"0(?:10|2\d)\d{8}|0[3-9]\d{2}\d{7,8}"  # three-digit area codes have eight digits behind
)
_SERVICE = re.compile(r"[48]00\d{7}")

_HOST = re.compile(r"(?:[a-z0-9](?:[a-z0-9-]{0,61}[a-z0-9])?\.)+[a-z][a-z0-9-]{0,61}")
_SECOND_LEVELS = frozenset({
    "com", "net", "org", "gov", "edu", "ac", "mil",
    "bj", "sh", "tj", "cq", "he", "sx", "nm", "ln", "jl", "hl", "js", "zj", "ah", "fj", "jx", "sd",
    "ha", "hb", "hn", "gd", "gx", "hi", "sc", "gz", "yn", "xz", "sn", "gs", "qh", "nx", "xj", "tw",
    "hk", "mo",
})  # fmt: skip
"""Under .cn these stand for a kind or a province, and the company's name stands before them."""

_SHARED_DOMAINS = frozenset({
    "qq.com", "foxmail.com", "163.com", "126.com", "yeah.net", "188.com", "139.com", "189.cn",
    "wo.cn", "sina.com", "sina.cn", "sohu.com", "tom.com", "21cn.com", "aliyun.com", "gmail.com",
    "outlook.com", "hotmail.com", "live.com", "msn.com", "yahoo.com", "yahoo.cn", "icloud.com",
    "me.com", "proton.me", "1688.com", "alibaba.com", "taobao.com", "tmall.com", "jd.com",
})  # fmt: skip


class CodeFault(StrEnum):
    """Why a text is no unified social credit code."""

    LENGTH = "length"
    CHARACTER = "character"
    CHECK_DIGIT = "check_digit"


def one_credit_code(text: str) -> str:
    """A unified social credit code in one spelling: capitals, no blanks or hyphens."""
    return re.sub(r"[\s-]", "", unicodedata.normalize("NFKC", text)).upper()


def fault_of_credit_code(text: str) -> CodeFault | None:
    """None for a valid one (GB 32100-2015): 18 characters, the last one a check on the others."""
    code = one_credit_code(text)
    if len(code) != _CODE_LENGTH:
        return CodeFault.LENGTH
    if any(letter not in _CODE_LETTERS for letter in code):
        return CodeFault.CHARACTER
    values = [_CODE_LETTERS.index(letter) for letter in code]
    total = sum(value * weight for value, weight in zip(values, _WEIGHTS, strict=False))
    return None if values[-1] == -total % 31 else CodeFault.CHECK_DIGIT


def one_phone(text: str) -> str | None:
    """A Chinese number with its country code, without an extension: +8613812345678.

    None for what is no number that stands for somebody: too short, foreign, or a landline
    without its area code, which many cities have.
    """
    plain = _EXTENSION.sub("", unicodedata.normalize("NFKC", text))
    digits = re.sub(r"[\s()./-]", "", plain)
    digits = _COUNTRY.sub("", digits)
    if re.fullmatch(r"[1-9]\d{9,10}", digits) and not _MOBILE.fullmatch(digits):
        digits = digits if _SERVICE.fullmatch(digits) else f"0{digits}"  # +86 571 …
    for kind in (_MOBILE, _LANDLINE, _SERVICE):
        if kind.fullmatch(digits):
            return f"+86{digits.removeprefix('0')}"
    return None


def one_domain(text: str) -> str | None:
    """The domain a company owns, out of an address, a mailbox or a host name.

    None for what is no host, and for public mailboxes and marketplaces, which say nothing
    about the company.
    """
    plain = unicodedata.normalize("NFKC", text).strip().casefold()
    plain = re.sub(r"^[a-z][a-z0-9+.-]*://", "", plain)
    host = re.split(r"[/?#]", plain, maxsplit=1)[0].rpartition("@")[2]
    host = re.sub(r":\d{1,5}$", "", host).rstrip(".")
    try:
        host = host.encode("idna").decode()
    except UnicodeError:
        return None
    if not _HOST.fullmatch(host):
        return None
    labels = host.split(".")
    kept = 3 if labels[-1] == "cn" and labels[-2] in _SECOND_LEVELS else 2
    if len(labels) < kept:
        return None
    domain = ".".join(labels[-kept:])
    return None if domain in _SHARED_DOMAINS else domain
