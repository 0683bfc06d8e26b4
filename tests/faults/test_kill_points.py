"""A process that ends at a chosen commit or sending: people and the database see what they would
have seen anyway. All points, and DingTalk: `python -m benchmarks kill_points`."""

from __future__ import annotations

from collections.abc import AsyncIterator
from dataclasses import dataclass
from pathlib import Path

import pytest
import pytest_asyncio

from benchmarks.dying import INSTRUCTION
from benchmarks.kill_points import Ending, Point, Zygote, play, prepare, unlike

pytestmark = [pytest.mark.asyncio(loop_scope="module"), pytest.mark.timeout(900)]


@dataclass(frozen=True, slots=True)
class Theatre:
    zygote: Zygote
    template: Path
    undisturbed: Ending

    async def play(self, point: Point) -> Ending:
        return await play(self.zygote, self.template, "wecom", point)


@pytest_asyncio.fixture(scope="module", loop_scope="module")
async def theatre(tmp_path_factory: pytest.TempPathFactory) -> AsyncIterator[Theatre]:
    template = Path(tmp_path_factory.mktemp("killed")) / "template"
    template.mkdir()
    await prepare(template)
    async with Zygote.running() as zygote:
        yield Theatre(zygote, template, await play(zygote, template, "wecom", Point()))


@pytest.mark.parametrize(
    "point",
    [
        Point("after commit", 1),  # what was said is stored, and nobody has answered the platform
        Point("before commit", 3),  # the answers are ready, and nothing of them is stored
        Point("after send", 2),  # the card is shown, and we do not know it
        Point("before send", 4),
    ],
    ids=lambda point: f"{point.kind} {point.number}",
)
async def test_a_death_changes_nothing_for_anybody(theatre: Theatre, point: Point) -> None:
    ending = await theatre.play(point)
    assert ending.died
    assert unlike("wecom", theatre.undisturbed, ending) == []


async def test_a_death_at_any_instruction_changes_nothing_either(theatre: Theatre) -> None:
    """In the first of its two lives, wherever that falls on this machine."""
    ending = await theatre.play(Point(INSTRUCTION, theatre.undisturbed.spent_ms // 4))
    assert ending.died
    assert unlike("wecom", theatre.undisturbed, ending) == []
