"""Every regular expression of the program, and texts made to keep it busy.

Run as a program in a child process: prints one JSON line for each expression that needed more
processor time for one text than it was given, and last how many it tried."""

from __future__ import annotations

import ast
import importlib
import pkgutil
import random
import re
import signal
import sys
from collections.abc import Iterator, Sequence
from pathlib import Path
from re import _constants as op  # type: ignore[attr-defined]
from re import _parser as parser  # type: ignore[attr-defined]
from typing import Any

ROOT = Path(__file__).resolve().parents[2]
PACKAGES = ("bot", "config", "connectors", "handlers", "speech", "storage")
OURS = tuple(f"{ROOT / package}/" for package in PACKAGES)  # an environment may lie below ROOT too
LENGTH = 1_000  # a cubic expression needs 10^9 steps for it, a quadratic one some milliseconds
LIMIT_S = 1.0  # of processor time
FILLERS = (" ", "1", "a", "恒", ",", ".", "\n", "-", "_", "x,", "1 ", "年")

Pattern = str | bytes


def every_pattern() -> dict[tuple[Pattern, int], str]:
    """(expression, flags) -> where it stands: what is compiled when the modules are imported, and
    the constants that functions hand to `re`."""
    found: dict[tuple[Pattern, int], str] = {}
    compile_really = re._compile  # type: ignore[attr-defined]

    def compile_and_note(pattern: Any, flags: int) -> Any:
        caller = sys._getframe(2)
        if isinstance(pattern, str | bytes) and caller.f_code.co_filename.startswith(OURS):
            place = Path(caller.f_code.co_filename).relative_to(ROOT)
            found.setdefault((pattern, int(flags)), f"{place}:{caller.f_lineno}")
        return compile_really(pattern, flags)

    re._compile = compile_and_note  # type: ignore[attr-defined]
    try:
        for package in PACKAGES:
            for module in pkgutil.walk_packages([str(ROOT / package)], f"{package}."):
                if ".migrations." not in module.name:
                    importlib.import_module(module.name)
    finally:
        re._compile = compile_really  # type: ignore[attr-defined]
    for place, pattern in _constants():
        found.setdefault((pattern, 0), place)
    return found


def _constants() -> Iterator[tuple[str, Pattern]]:
    for file in (file for package in PACKAGES for file in (ROOT / package).rglob("*.py")):
        for node in ast.walk(ast.parse(file.read_text("utf-8"))):
            match node:
                case ast.Call(
                    func=ast.Attribute(value=ast.Name(id="re")),
                    args=[ast.Constant(value=str() | bytes() as pattern), *_],
                ):
                    yield f"{file.relative_to(ROOT)}:{node.lineno}", pattern


def texts_against(pattern: Pattern, flags: int) -> list[str]:
    """Each repeated part of the expression, repeated, behind what leads to it, and with an end
    that does not fit; and the whole, repeated."""
    tree, dice = parser.parse(pattern, flags), random.Random(1)
    made = [(before, unit) for before, unit in _repeated(tree, dice) if unit]
    made += [("", _sample(tree, dice)), *(("", filler) for filler in FILLERS)]
    return sorted({before + unit * (LENGTH // len(unit)) + "\0" for before, unit in made if unit})


def _repeated(items: Any, dice: random.Random, before: str = "") -> Iterator[tuple[str, str]]:
    for kind, given in items:
        if kind in (op.MAX_REPEAT, op.MIN_REPEAT):
            _, most, part = given
            if most is op.MAXREPEAT or most > 8:
                for _ in range(2):
                    yield before, _sample(part, dice)
                yield from ((before, unit) for unit in _alternatives(part, dice))
            yield from _repeated(part, dice, before)
        for part in _parts(kind, given):
            yield from _repeated(part, dice, before)
        before += _sample([(kind, given)], dice)


def _alternatives(items: Any, dice: random.Random) -> Iterator[str]:
    """Each branch alone: 催了? beside 了 is found by 催了 alone."""
    for kind, given in items:
        if kind is op.BRANCH:
            yield from (_sample(branch, dice) for branch in given[1])
        for part in _parts(kind, given):
            yield from _alternatives(part, dice)


def _parts(kind: Any, given: Any) -> Sequence[Any]:
    if kind is op.BRANCH:
        return list(given[1])
    if kind is op.SUBPATTERN:
        return [given[3]]
    return [given[1]] if kind in (op.ASSERT, op.ASSERT_NOT) else []


def _sample(items: Any, dice: random.Random) -> str:
    """Words that the items match, or nearly: what stands around is not looked at."""
    said = ""
    for kind, given in items:
        if kind is op.LITERAL:
            said += chr(given)
        elif kind in (op.NOT_LITERAL, op.ANY):
            said += "x"
        elif kind is op.IN:
            said += _one_of(given, dice)
        elif kind is op.BRANCH:
            said += _sample(dice.choice(given[1]), dice)
        elif kind is op.SUBPATTERN:
            said += _sample(given[3], dice)
        elif kind in (op.MAX_REPEAT, op.MIN_REPEAT, op.POSSESSIVE_REPEAT):
            least, most, part = given
            said += "".join(_sample(part, dice) for _ in range(max(least, min(1, most))))
        elif kind is op.ATOMIC_GROUP:
            said += _sample(given, dice)
    return said


_OF_CATEGORY = {
    op.CATEGORY_DIGIT: "1", op.CATEGORY_SPACE: " ", op.CATEGORY_WORD: "a",
    op.CATEGORY_NOT_DIGIT: "x", op.CATEGORY_NOT_SPACE: "x", op.CATEGORY_NOT_WORD: "-",
}  # fmt: skip


def _one_of(choices: Any, dice: random.Random) -> str:
    if choices[0][0] is op.NEGATE:
        return next((c for c in "x恒1 ,-." if not any(_has(one, c) for one in choices[1:])), "x")
    kind, given = dice.choice(choices)
    if kind is op.LITERAL:
        return chr(given)
    return chr(given[0]) if kind is op.RANGE else _OF_CATEGORY[given]


def _has(choice: tuple[Any, Any], character: str) -> bool:
    kind, given = choice
    if kind is op.LITERAL:
        return bool(given == ord(character))
    if kind is op.RANGE:
        return bool(given[0] <= ord(character) <= given[1])
    return {"1": op.CATEGORY_DIGIT, " ": op.CATEGORY_SPACE}.get(character) is given


class TooLong(Exception):
    """The alarm rang."""


def outlasting(pattern: Pattern, flags: int) -> str | None:
    """A text for which the expression needs too long."""

    def ring(*_: object) -> None:
        raise TooLong

    signal.signal(signal.SIGVTALRM, ring)
    compiled = re.compile(pattern, flags)
    for text in texts_against(pattern, flags):
        signal.setitimer(signal.ITIMER_VIRTUAL, LIMIT_S)
        try:
            compiled.search(text.encode() if isinstance(pattern, bytes) else text)  # type: ignore[arg-type]
        except TooLong:
            return text
        finally:
            signal.setitimer(signal.ITIMER_VIRTUAL, 0)
    return None


def main() -> None:
    sys.path.insert(0, str(ROOT))
    patterns = every_pattern()
    for (pattern, flags), place in patterns.items():
        text = outlasting(pattern, flags)
        if text is not None:
            sys.stdout.write(f"{place} {pattern!r:.80} {text!r:.60}\n")
    sys.stdout.write(f"{len(patterns)}\n")


if __name__ == "__main__":
    main()
