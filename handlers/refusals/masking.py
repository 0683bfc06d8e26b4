"""A rep's words without names: what is quoted to others names no person, company or number."""

from __future__ import annotations

import re
from collections.abc import Iterable, Iterator, Sequence

from handlers.understanding.contacts import begins_with_surname, find_contacts
from handlers.understanding.customers import CustomerIndex
from handlers.understanding.names import everyday_words, load_jieba

CUSTOMER, PERSON, COMPANY, NUMBER = "某客户", "某人", "某公司", "某号码"

_NUMBERS = re.compile(
    r"https?://\S+|[\w.+-]+@[\w-]+\.[\w.]+"
    r"|\+?\d[\d\- ]{5,}\d|(?=[A-Za-z_-]*\d)[A-Za-z][\w-]{5,}",
    re.ASCII,
)
_COMPANY = re.compile(
    r"(?!贵|总|分|本|该|这|那|别|其他|大|小|新|母|子)"
    r"[^\W\d_了的是被给说嫌在跟和与选找换用我你他她们某]{2,10}?"
    r"(?:有限责任公司|股份有限公司|有限公司|公司|集团|股份)"
)
_NAME_TAGS = {"nr": PERSON, "nrt": PERSON, "nrfg": PERSON, "nt": COMPANY, "nz": COMPANY}


def mask_customers(text: str, customers: CustomerIndex) -> str:
    """The names of our customers, however they are written."""
    text = " ".join(text.split())
    for mention in reversed(customers.find(text)):
        text = f"{text[: mention.start]}{CUSTOMER}{text[mention.end :]}"
    return text


def mask_names(text: str, people: Iterable[str]) -> str:
    """Everything else. people: names of colleagues and of the customer's contacts. What a
    dictionary takes for a name goes too: a word too many is lost rather than a name told.
    Loads the dictionary, which takes a second, once."""
    text = _NUMBERS.sub(NUMBER, text)
    contacts = [one for one in find_contacts(text) if one.value not in everyday_words()]
    for contact in reversed(contacts):
        text = f"{text[: contact.start]}{PERSON}{text[contact.end :]}"
    text = _without_dictionary_names(_COMPANY.sub(COMPANY, text))
    for name in sorted({name for name in people if len(name) > 1}, key=len, reverse=True):
        text = text.replace(name, PERSON)
    return text


def _without_dictionary_names(text: str) -> str:
    load_jieba()
    import jieba.posseg

    parts = re.split(f"({CUSTOMER}|{PERSON}|{COMPANY}|{NUMBER})", text)
    for number in range(0, len(parts), 2):
        pairs = [(pair.word, pair.flag) for pair in jieba.posseg.cut(parts[number])]
        parts[number] = "".join(_nameless(pairs))
    return "".join(parts)


def _nameless(pairs: Sequence[tuple[str, str]]) -> Iterator[str]:
    """A lone surname takes the noun behind it along: 赵 + 建国, a place to the dictionary."""
    after_surname = False
    for word, tag in pairs:
        if after_surname and tag.startswith("n"):
            after_surname = False
            continue
        after_surname = tag == "nr" and len(word) == 1
        if after_surname:
            yield PERSON
        else:
            yield _NAME_TAGS[tag] if _is_a_name(word, tag) else word


def _is_a_name(word: str, tag: str) -> bool:
    """太贵 is a name to the dictionary, as 西门子 is: two characters want a surname."""
    if tag not in _NAME_TAGS or len(word) == 1 or word in everyday_words():
        return False
    return tag != "nr" or len(word) > 2 or begins_with_surname(word)
