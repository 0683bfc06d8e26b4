"""One bot as `serve` runs it: `python -m benchmarks.serve_one FILE PORT`, FILE being JSON."""

from __future__ import annotations

import asyncio
import json
import sys
from pathlib import Path

from config import logs
from config.settings import Settings
from config.wiring.serving import serve_for_ever


def main() -> None:
    configuration = json.loads(Path(sys.argv[1]).read_text("utf-8"))
    logs.set_up("WARNING")
    asyncio.run(serve_for_ever(Settings.model_validate(configuration | {"port": sys.argv[2]})))


if __name__ == "__main__":
    main()
