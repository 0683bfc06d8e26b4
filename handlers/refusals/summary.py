"""A week of refusals as it is sent: the counts, one quote for each of the first three reasons,
and the groups of what stands under «其他». Plain computing, done off the event loop."""

from __future__ import annotations

from collections import defaultdict
from collections.abc import Iterable, Sequence
from dataclasses import asdict, dataclass
from datetime import datetime
from typing import Any

from bot.domain.losses import OTHER
from bot.domain.refusals import Loss, Refusals, count, newest_of_each
from handlers.refusals.clustering import MOST_NOTES, Group, group, nearest_code
from handlers.refusals.masking import CUSTOMER, mask_names
from handlers.texts import refusals as texts
from handlers.texts.dialog import shorten

TOP = 3
EXAMPLES = 2
MOST_GROUPS = 5
LEAST_QUOTE, LONGEST_QUOTE = 8, 60  # characters
NOTES_OF_A_CODE = 100


@dataclass(frozen=True, slots=True)
class Summary:
    """A week's reasons why customers said no. report: of the week. details: quotes and groups in
    words, "" for none. groups: to be handed in next time, so that labels go on."""

    report: Refusals
    details: str
    groups: tuple[Group, ...]

    def kept(self) -> dict[str, Any]:
        """As JSON values."""
        return {
            "until": self.report.until.isoformat(),
            "details": self.details,
            "groups": [asdict(one) for one in self.groups],
        }


def groups_kept(kept: dict[str, Any] | None) -> list[Group]:
    """What `Summary.kept` wrote, read back."""
    raw = kept["groups"] if kept else []
    return [Group(one["label"], one["words"], tuple(one["members"])) for one in raw]


def summarise(
    losses: Sequence[Loss],
    *,
    since: datetime,
    until: datetime,
    people: Iterable[str],
    earlier: Sequence[Group],
) -> Summary:
    """losses: of the last weeks, customers' names masked; [since, until) is the week."""
    names = set(people)
    report = count(losses, since=since, until=until)
    newest = sorted(newest_of_each(losses), key=lambda loss: loss.lost_at, reverse=True)
    quotes = _quotes(report, [loss for loss in newest if loss.lost_at >= since], names)
    free = [loss for loss in newest if loss.primary in (OTHER, None)][:MOST_NOTES]
    notes = [mask_names(loss.text, names) for loss in free]
    groups = group(notes, earlier)
    by_code: defaultdict[str, list[str]] = defaultdict(list)
    for loss in newest:
        if loss.primary not in (OTHER, None) and len(by_code[loss.primary]) < NOTES_OF_A_CODE:
            by_code[loss.primary].append(loss.text)
    told = [
        texts.group(
            one.label,
            len(one.members),
            nearest_code(one.words, by_code),
            [shorten(notes[number], LONGEST_QUOTE) for number in one.members[:EXAMPLES]],
        )
        for one in groups[:MOST_GROUPS]
    ]
    parts = [*([texts.QUOTES, *quotes] if quotes else []), *([texts.GROUPS, *told] if told else [])]
    return Summary(report, "\n".join(parts), tuple(groups))


def _quotes(report: Refusals, week: Sequence[Loss], names: set[str]) -> list[str]:
    """The newest that says something, for each of the first reasons."""
    found = []
    for share in report.shares[:TOP]:
        masked = (mask_names(loss.text, names) for loss in week if loss.primary == share.code)
        telling = (one for one in masked if len(one.replace(CUSTOMER, "")) >= LEAST_QUOTE)
        words = next(telling, "")
        if words:
            found.append(texts.quote(share.code, shorten(words, LONGEST_QUOTE)))
    return found
