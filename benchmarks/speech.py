"""How well and how fast Whisper base (extras asr, asr-demo) hears the recordings of the tests."""

from __future__ import annotations

import os
import resource
import tempfile
import time
from pathlib import Path

import aiohttp

from connectors.http import Http
from handlers.understanding.heard import as_meant
from speech import demo_model
from speech.voice import Choice, Voice
from tests.speech.recordings import SECONDS, WORDS, error_rate, recording

CUSTOMERS = ("杭州恒锐机电有限公司", "宁波甬江轴承有限公司")
THREADS = 2
ROUNDS = 3


async def main() -> None:
    with tempfile.TemporaryDirectory() as folder:
        demo_model.unpack(Path(folder))
        async with aiohttp.ClientSession() as session:
            choice = Choice(engine="whisper", folder=Path(folder), threads=THREADS, timeout_s=300)
            voice = Voice(choice, Http(session))
            started = time.perf_counter()
            await voice.check()
            print(f"   load and hear a second of silence: {time.perf_counter() - started:.1f} s")
            await _measure(voice)
            await voice.close()
    used = resource.getrusage(resource.RUSAGE_CHILDREN)
    heard_s = ROUNDS * sum(SECONDS.values())
    processor = (used.ru_utime + used.ru_stime) / heard_s
    print(f"   {processor:.2f} s of processor for each second heard, loading included")
    print(f"   largest process {used.ru_maxrss / 1024:.0f} MB; load {os.getloadavg()[0]:.1f}")


async def _measure(voice: Voice) -> None:
    raw = corrected = spent = 0.0
    for name in WORDS:
        best = float("inf")
        for _ in range(ROUNDS):
            started = time.perf_counter()
            heard = await voice.transcribe(recording(name), name=name)
            best = min(best, time.perf_counter() - started)
        meant = as_meant(heard, customers=CUSTOMERS)
        spent += best
        raw += error_rate(heard, name) / len(WORDS)
        corrected += error_rate(meant, name) / len(WORDS)
        print(f"   {name:14} {best / SECONDS[name]:.2f} x real time, {error_rate(meant, name):6.1%}"
              f" wrong: {meant}")  # fmt: skip
    total = spent / sum(SECONDS.values())
    print(f"   all: {total:.2f} x real time, {raw:.1%} wrong as heard, {corrected:.1%} as meant")
