"""Every parser of what comes from outside, fed with broken and crossed pieces of good input.

    python -m benchmarks.fuzz                      # 10 million inputs, on all cores
    python -m benchmarks.fuzz --inputs 100000 --target wecom --seed 7

A parser may refuse, with the errors that it names; anything else is printed with its input, and
ends the run with 1. The same seed gives the same inputs."""

from __future__ import annotations

import argparse
import json
import multiprocessing
import os
import random
import signal
import sys
import time
from collections.abc import Callable, Iterator, Sequence
from dataclasses import dataclass
from datetime import UTC, datetime
from functools import cache
from pathlib import Path
from zoneinfo import ZoneInfo

from bot.domain.payouts import expressions
from bot.errors import BotError
from bot.messages import Envelope
from config.library import read_upload
from config.policy import load_calendar
from connectors.dingtalk.parse import parse_envelope
from connectors.erp.notices import NoticeReader
from connectors.wecom import aibot_read
from connectors.wecom.archive import read as archive
from connectors.wecom.parse import parse as parse_wecom
from connectors.wecom.settings import Aibot
from handlers.levels import mails
from handlers.payouts.archives import ArchiveRefused, read_parts
from handlers.understanding.customers import CustomerIndex
from handlers.understanding.reader import Reader

ROOT = Path(__file__).resolve().parents[1]
FIXTURES = ROOT / "tests" / "fixtures"
AT = datetime(2026, 3, 2, 6, tzinfo=UTC)
ZONE = ZoneInfo("Asia/Shanghai")
LONGEST = 20_000  # bytes; doors take a megabyte, but what matters happens in the first pages
LIMIT_S = 5.0  # of processor time for one input
BATCH = 2_000

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
    "王总".encode(),
    b"%",
    b"'",
)


@dataclass(frozen=True, slots=True)
class Target:
    """One parser. refusals: the errors that it may raise."""

    parse: Callable[[bytes], object]
    corpus: Callable[[], Sequence[bytes]]
    refusals: tuple[type[Exception], ...] = (BotError,)


def _envelope(channel: str, body: bytes) -> Envelope:
    return Envelope(channel, "delivery-1", "lane", AT, AT, body)


def _robot(raw: bytes) -> object:
    robot = Aibot(name="robot", mode="http", token="t", aes_key="k" * 43)
    kept = aibot_read.to_envelope(robot, raw, AT)
    return None if kept.unreadable else aibot_read.parse(robot, kept)


@cache
def _reader() -> Reader:
    return Reader(load_calendar())


@cache
def _customers() -> CustomerIndex:
    found = CustomerIndex()
    found.add("杭州恒锐机电有限公司", ("恒锐机电",), 1)
    found.add("宁波甬江轴承有限公司", ("甬江轴承",), 2)
    return found


def _files(pattern: str) -> Callable[[], Sequence[bytes]]:
    return lambda: [file.read_bytes() for file in sorted(FIXTURES.glob(pattern))]


def _told(*texts: str) -> Callable[[], Sequence[bytes]]:
    return lambda: [text.encode() for text in texts]


ARCHIVED = json.dumps(
    {
        "msgid": "1_2",
        "action": "send",
        "from": "chenjing",
        "tolist": ["wm1"],
        "roomid": "wr1",
        "msgtime": 1772413200000,
        "msgtype": "mixed",
        "mixed": {
            "item": [
                {"type": "text", "content": '{"content":"报价38万"}'},
                {
                    "type": "file",
                    "content": '{"md5sum":"a","filename":"a.pdf","fileext":"pdf",'
                    '"filesize":5,"sdkfileid":"x"}',
                },
            ]
        },
    }
)
ROBOT = json.dumps(
    {
        "msgid": "m",
        "aibotid": "b",
        "chattype": "group",
        "chatid": "wr1",
        "from": {"userid": "u"},
        "msgtype": "mixed",
        "mixed": {
            "msg_item": [
                {"msgtype": "text", "text": {"content": "@跟 好"}},
                {"msgtype": "image", "image": {"url": "https://x.example/a"}},
            ]
        },
        "response_url": "https://x",
    }
)
NOTICE = json.dumps(
    {
        "receipts": [
            {
                "number": "S-1",
                "line": "1",
                "contract": "HT-1",
                "amount": "204000.00",
                "currency": "CNY",
                "received_on": "2026-12-01",
            }
        ],
        "customers": [{"code": "C1", "name": "恒锐机电", "phone": "13800000000"}],
    }
)
MAIL = (
    "From: =?utf-8?b?546L5oC7?= <wang@hengrui.example>\r\nTo: a@b.example\r\nSubject: 预算\r\n"
    "Date: Mon, 2 Mar 2026 10:00:00 +0800\r\n"
    "Authentication-Results: mx.example; dkim=pass header.d=hengrui.example; spf=pass\r\n"
    "MIME-Version: 1.0\r\nContent-Type: multipart/alternative; boundary=x\r\n\r\n"
    "--x\r\nContent-Type: text/plain; charset=gbk\r\nContent-Transfer-Encoding: base64\r\n\r\n"
    "zazS4g==\r\n--x\r\nContent-Type: text/html\r\n\r\n<p>同意</p>\r\n--x--\r\n"
)
SAID = (
    "刚和恒锐机电王总通了25分钟电话，嫌价格高，下周三再联系",
    "恒锐机电产值报了35万，少发了我800",
    "今天上午去了甬江轴承，见了李经理1小时，报价38.8万，明天下午三点半再去",
    "跟进恒锐 没接 下周一",
    "恒锐签了，117300，首付30%，周五十点，说错了，是两点",
    "甬江轴承和恒锐机电都嫌贵，节后再说",
)

TARGETS: dict[str, Target] = {
    "wecom": Target(
        lambda raw: parse_wecom(_envelope("wecom:sales:app", raw)), _files("wecom/*.xml")
    ),
    **{
        f"dingtalk-{door}": Target(
            lambda raw, door=door: parse_envelope(_envelope(f"dingtalk:sales:{door}", raw)),
            _files("dingtalk/*.json"),
        )
        for door in ("robot", "cards", "events")
    },
    "aibot": Target(_robot, _told(ROBOT)),
    "archive": Target(
        lambda raw: archive.read(raw.decode(errors="replace"), ZONE), _told(ARCHIVED)
    ),
    "erp": Target(
        lambda raw: NoticeReader("erp").parse(_envelope("erp:erp:notices", raw)),
        _told(NOTICE, "number,line,contract,amount,received_on\nS,1,H,2.50,2026-01-02"),
    ),
    "mail": Target(lambda raw: mails.read(raw, load_calendar()), _told(MAIL)),
    "pack": Target(read_parts, _files("payouts/*.zip"), (ArchiveRefused,)),
    "library": Target(
        lambda raw: read_upload("a.toml", raw),
        lambda: [(ROOT / "config" / "actions" / "retail.toml").read_bytes()],
    ),
    "expression": Target(
        lambda raw: expressions.parse(raw.decode(errors="replace")),
        _told("amount >= 100000 and level in ['L1', \"L2\"]", "(paid == 'x' or not (a < 1.5))"),
        (ValueError,),
    ),
    "said": Target(
        lambda raw: _reader().read(raw.decode(errors="replace"), now=AT, customers=_customers()),
        _told(*SAID),
        (),
    ),
}


def mutated(corpus: Sequence[bytes], dice: random.Random) -> bytes:
    """A good input with one to six pieces changed, dropped, doubled, crossed or put in."""
    data = bytearray(dice.choice(corpus))
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
                other = dice.choice(corpus)
                place = dice.randint(0, len(other))
                data[start:end] = other[place : place + dice.randint(0, 300)]
            case 4 if data:
                data[start % len(data)] ^= 1 << dice.randrange(8)
            case _:
                data[start:start] = dice.choice(TOKENS)
    return bytes(data[:LONGEST])


class TooLong(Exception):
    """One input kept the parser for longer than LIMIT_S."""


def run(name: str, seed: int, inputs: int) -> Iterator[tuple[bytes, Exception]]:
    """The inputs that a parser fell over, with what it raised."""

    def ring(*_: object) -> None:
        raise TooLong

    target, dice = TARGETS[name], random.Random(f"{name}:{seed}")
    corpus = target.corpus()
    before = signal.signal(signal.SIGVTALRM, ring)
    try:
        for _ in range(inputs):
            data = mutated(corpus, dice)
            signal.setitimer(signal.ITIMER_VIRTUAL, LIMIT_S)
            try:
                target.parse(data)
            except target.refusals:
                pass
            except Exception as error:  # noqa: BLE001 - whatever it is, it is a find
                yield data, error
            finally:
                signal.setitimer(signal.ITIMER_VIRTUAL, 0)
    finally:
        signal.signal(signal.SIGVTALRM, before)


def _batch(job: tuple[str, int, int]) -> tuple[str, int, list[str]]:
    name, seed, inputs = job
    found = [
        f"{type(error).__name__}: {error} <- {data!r}" for data, error in run(name, seed, inputs)
    ]
    return name, inputs, found


def main(arguments: Sequence[str] | None = None) -> int:
    asked = argparse.ArgumentParser()
    asked.add_argument("--inputs", type=int, default=10_000_000)
    asked.add_argument("--target", choices=sorted(TARGETS), action="append")
    asked.add_argument("--seed", type=int, default=1)
    asked.add_argument("--processes", type=int, default=os.cpu_count() or 1)
    given = asked.parse_args(arguments)
    names = given.target or sorted(TARGETS)
    count = max(1, given.inputs // len(names) // BATCH)
    jobs = [(name, given.seed * 1_000_000 + n, BATCH) for n in range(count) for name in names]
    started, tried, broken = time.perf_counter(), dict.fromkeys(names, 0), 0
    with multiprocessing.Pool(given.processes) as pool:
        for name, inputs, found in pool.imap_unordered(_batch, jobs):
            tried[name] += inputs
            broken += len(found)
            for line in found[:3]:
                print(f"{name}: {line:.600}", flush=True)
    for name, inputs in tried.items():
        print(f"{name:16} {inputs:>10,} inputs")
    took = time.perf_counter() - started
    print(f"{sum(tried.values()):,} inputs in {took:.0f} s, {broken} fell over")
    return 1 if broken else 0


if __name__ == "__main__":
    sys.exit(main())
