"""Writes the dashboards of Grafana: deploy/grafana/dashboards/*.json.

python3 scripts/dashboards           writes them
python3 scripts/dashboards --check   exit 1 if what is there is not what would be written
"""

import json
import sys
from pathlib import Path

import overview
import saga_and_money
import services
import stock
import stores

BOARDS = [overview, services, saga_and_money, stock, stores]
HOME = Path(__file__).resolve().parents[2] / "deploy/grafana/dashboards"


def main():
    wanted = {f"{board.name}.json": as_text(board) for board in (module.board() for module in BOARDS)}
    if sys.argv[1:] == ["--check"]:
        return check(wanted)
    if sys.argv[1:]:
        sys.exit(__doc__)
    HOME.mkdir(parents=True, exist_ok=True)
    for name in surplus(wanted):
        (HOME / name).unlink()
    for name, text in wanted.items():
        (HOME / name).write_text(text)
    return 0


def as_text(board):
    return json.dumps(board.json(), indent=2, ensure_ascii=False) + "\n"


def surplus(wanted):
    return {path.name for path in HOME.glob("*.json")} - wanted.keys()


def check(wanted):
    stale = surplus(wanted)
    for name, text in wanted.items():
        path = HOME / name
        if not path.exists() or path.read_text() != text:
            stale.add(name)
    if stale:
        print(f"dashboards are stale: {', '.join(sorted(stale))}; run 'make generate' and commit", file=sys.stderr)
    return 1 if stale else 0


sys.exit(main())
