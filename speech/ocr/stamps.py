"""Red seals on papers: how many there are, by colour and shape alone; nothing is read of them.

A seal is a ring, or a frame, of red ink, about as wide as high, of 2 to 6 cm on a page. Red
headings are wide, logos are filled, red pen is thin and open: none of them is a seal.
"""

from __future__ import annotations

import json
from collections.abc import Callable, Iterator, Sequence
from typing import Any

from speech.ocr.engine import MOST_SCANNED, open_picture
from speech.ocr.errors import DamagedPaper

SIDE = 800  # pixels of the longer side, at which a seal is still 60 wide
CELL = 4  # pixels; gaps in worn ink are narrower
SECTORS = 24
_REACHED = 0.75  # of the sectors must have ink near the rim
_RIM = 0.72  # of the half width and half height
_LEAST, _MOST = 0.075, 0.75  # of the page's shorter side
_ASPECT = 0.62
_INK = (0.04, 0.62)  # red within the box: less is a line, more is filled
_ROW, _ROW_MATES = 4, 2  # so many within so many heights

Box = tuple[slice, slice]


def load() -> Callable[[bytes], bytes]:
    """Bytes of a PDF or picture -> JSON, the number of seals."""
    return lambda data: json.dumps(sum(map(count, _pages(data)))).encode()


def count(picture: Any) -> int:
    """The seals on one page, a PIL image in RGB."""
    import numpy

    picture = picture.convert("RGB")
    picture.thumbnail((SIDE, SIDE))
    pixels = numpy.asarray(picture).astype(numpy.int16)
    red, green, blue = pixels[..., 0], pixels[..., 1], pixels[..., 2]
    ink = (red > 110) & (red - green > 45) & (red - blue > 35)
    shorter, boxes = min(ink.shape), list(_clusters(ink))
    seals = [box for box in boxes if _is_seal(ink[box], shorter) and not _in_a_row(box, boxes)]
    return sum(not any(_holds(other, box) for other in seals) for box in seals)


def _pages(data: bytes) -> Iterator[Any]:
    if b"%PDF-" not in data[:1024]:
        yield open_picture(data)
        return
    import pypdfium2

    try:
        document = pypdfium2.PdfDocument(data)
        for number in range(min(len(document), MOST_SCANNED)):
            page = document[number]
            yield page.render(scale=SIDE / max(*page.get_size(), 1)).to_pil()
    except pypdfium2.PdfiumError as error:
        raise DamagedPaper("PDF 打不开，可能加了密码或已损坏") from error


def _clusters(ink: Any) -> Iterator[Box]:
    """Boxes around ink that hangs together, by cells."""
    import numpy

    rows, columns = (-(-side // CELL) for side in ink.shape)
    padded = numpy.zeros((rows * CELL, columns * CELL), dtype=bool)
    padded[: ink.shape[0], : ink.shape[1]] = ink
    cells = padded.reshape(rows, CELL, columns, CELL).any(axis=(1, 3))
    waiting = {(int(y), int(x)) for y, x in zip(*numpy.nonzero(cells), strict=True)}
    while waiting:
        found = _grown(waiting.pop(), waiting)
        ys, xs = [y for y, _ in found], [x for _, x in found]
        yield (
            slice(min(ys) * CELL, (max(ys) + 1) * CELL),
            slice(min(xs) * CELL, (max(xs) + 1) * CELL),
        )


def _grown(seed: tuple[int, int], waiting: set[tuple[int, int]]) -> list[tuple[int, int]]:
    """All cells that hang together with one; they are taken out of `waiting`."""
    found, edge = [seed], [seed]
    while edge:
        y, x = edge.pop()
        for near in ((y + dy, x + dx) for dy in (-1, 0, 1) for dx in (-1, 0, 1)):
            if near in waiting:
                waiting.remove(near)
                found.append(near)
                edge.append(near)
    return found


def _holds(one: Box, other: Box) -> bool:
    """Whether the other lies within it, as a star does in its ring."""
    return one != other and all(
        outer.start <= inner.start and inner.stop <= outer.stop
        for outer, inner in zip(one, other, strict=True)
    )


def _in_a_row(box: Box, boxes: Sequence[Box]) -> bool:
    """Whether it stands among others of its height, as the characters of a heading do."""
    down, right = box
    height = down.stop - down.start
    beside = [
        other
        for other in boxes
        if other != box
        and abs((other[0].stop - other[0].start) - height) <= 0.35 * height
        and abs(other[0].start - down.start) <= 0.4 * height
        and abs(other[1].start - right.start) <= _ROW * height
    ]
    return len(beside) >= _ROW_MATES


def _is_seal(ink: Any, shorter: int) -> bool:
    import numpy

    height, width = ink.shape
    size = max(height, width)
    if not _LEAST * shorter <= size <= _MOST * shorter or min(height, width) < _ASPECT * size:
        return False
    if not _INK[0] <= float(ink.mean()) <= _INK[1]:
        return False
    y, x = numpy.nonzero(ink)
    down, right = (y - height / 2) / (height / 2), (x - width / 2) / (width / 2)
    rim = numpy.hypot(down, right) >= _RIM
    turn = numpy.arctan2(down[rim], right[rim]) / (2 * numpy.pi) % 1
    return len(set((turn * SECTORS).astype(int))) >= _REACHED * SECTORS
