"""Writes what is the same in all charts, from helm/values and docs/settings.json: the
values, their schema and the README of each chart, and what templates know of settings.

python3 scripts/charts           writes them
python3 scripts/charts --check   exit 1 if what is there is not what would be written
"""

import sys
from pathlib import Path

import chart as charts
import facts
import readme
import schema
import values
from schema import Unclear
from settings import Settings
from source import Wrong

ROOT = Path(__file__).resolve().parents[2]
SOURCES = ROOT / "helm/values"


def main():
    if sys.argv[1:] not in ([], ["--check"]):
        sys.exit(__doc__)
    try:
        wanted = files()
    except (Wrong, Unclear) as error:
        sys.exit(f"charts: {error}")
    stale = [path for path, text in wanted.items() if not path.exists() or path.read_text() != text]
    if sys.argv[1:]:
        names = ", ".join(str(path.relative_to(ROOT)) for path in stale)
        if stale:
            print(f"charts are stale: {names}; run 'make generate' and commit", file=sys.stderr)
        return 1 if stale else 0
    for path in stale:
        path.write_text(wanted[path])
    return 0


def files():
    settings = Settings(ROOT / "docs/settings.json")
    all_charts = [charts.read(path, SOURCES) for path in sorted((SOURCES / "charts").glob("*.yaml"))]
    found = {ROOT / "helm/cartwright-service/templates/_facts.tpl": facts.text(all_charts, settings)}
    for one in all_charts:
        home = ROOT / "helm" / one.name
        found[home / "values.yaml"] = values.text(one)
        found[home / "values.schema.json"] = schema.text(one, settings)
        found[home / "README.md"] = readme.text(one)
    return found


sys.exit(main())
