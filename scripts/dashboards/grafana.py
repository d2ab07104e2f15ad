"""What a dashboard of Grafana is made of: queries, panels, rows, boards.

Gives plain dictionaries in Grafana's own JSON. What is shown is not known here.
"""

import json
from urllib.parse import quote

# Of Grafana 12; older ones read it as well, newer ones migrate it.
SCHEMA = 42
PROMETHEUS = {"type": "prometheus", "uid": "${datasource}"}
RUNBOOK = "https://github.com/cartwright-shop/cartwright/blob/main/docs/runbook.md"
WIDTH = 24
HEIGHT = 8


def rate(counter, by="", where=""):
    """A second. `by` and `where` are labels as PromQL writes them."""
    matched = f"{counter}{{{where}}}" if where else counter
    return f"sum{_by(by)} (rate({matched}[$__rate_interval]))"


def quantile(share, histogram, by="", where=""):
    labels = ", ".join(filter(None, [by, "le"]))
    return f"histogram_quantile({share}, {rate(histogram + '_bucket', labels, where)})"


def quantiles(histogram, where=""):
    """The usual three, as queries with their names."""
    return [(quantile(share, histogram, "", where), f"p{share * 100:g}") for share in (0.5, 0.95, 0.99)]


def _by(labels):
    return f" by ({labels})" if labels else ""


def explore(title, datasource, query):
    """A link to what Tempo or Loki knows of the time that is shown. `query` may have
    Grafana's variables: they must stay as they are, so only the rest is quoted."""
    kind = {"queryType": "traceql"} if datasource == "tempo" else {}
    source = {"type": datasource, "uid": datasource}
    search = {"refId": "A", "datasource": source, "query" if kind else "expr": query} | kind
    shown = {"from": "${__from}", "to": "${__to}"}
    panes = json.dumps({"a": {"datasource": datasource, "queries": [search], "range": shown}})
    url = "/explore?schemaVersion=1&panes=" + quote(panes, safe="${}._:")
    return {"title": title, "url": url, "targetBlank": True}


def graph(title, *queries, unit="short", about="", stacked=False, exemplars=False, links=()):
    """Lines over time. `queries` are (expression, name)."""
    style = {"lineWidth": 1, "fillOpacity": 20 if stacked else 5, "showPoints": "never", "spanNulls": False}
    style["stacking"] = {"mode": "normal" if stacked else "none", "group": "A"}
    options = {
        "legend": {"displayMode": "list", "placement": "bottom", "showLegend": True},
        "tooltip": {"mode": "multi", "sort": "desc"},
    }
    return _panel("timeseries", title, queries, about, unit, options, {"custom": style}, exemplars, links)


def number(title, expression, unit="short", about="", red=None, green_above=False, links=()):
    """The latest value, green or, from `red` on, red; the other way round if `green_above`."""
    steps = [{"color": "green", "value": None}]
    if red is not None and green_above:
        steps = [{"color": "red", "value": None}, {"color": "green", "value": red}]
    elif red is not None:
        steps.append({"color": "red", "value": red})
    options = {
        "colorMode": "background_solid" if red is not None else "value",
        "graphMode": "area",
        "reduceOptions": {"calcs": ["lastNotNull"], "fields": "", "values": False},
        "textMode": "auto",
    }
    extra = {"thresholds": {"mode": "absolute", "steps": steps}, "noValue": "–"}
    return _panel("stat", title, [(expression, "")], about, unit, options, extra, False, links)


def table(title, expression, about="", unit="short", links=()):
    """The labels and values of this moment."""
    panel = _panel("table", title, [(expression, "")], about, unit, {"showHeader": True}, {}, False, links)
    panel["targets"][0] |= {"format": "table", "instant": True, "range": False}
    hidden = {"Time": True, "__name__": True, "alertstate": True}
    panel["transformations"] = [{"id": "organize", "options": {"excludeByName": hidden}}]
    return panel


def _panel(kind, title, queries, about, unit, options, defaults, exemplars, links):
    targets = []
    for letter, (expression, name) in zip("ABCDEFGH", queries, strict=False):
        target = {"refId": letter, "datasource": PROMETHEUS, "editorMode": "code", "expr": expression}
        target |= {"legendFormat": name or "__auto", "range": True}
        targets.append(target | ({"exemplar": True} if exemplars else {}))
    panel = {"type": kind, "title": title, "datasource": PROMETHEUS, "targets": targets, "options": options}
    panel["fieldConfig"] = {"defaults": {"unit": unit, "links": list(links)} | defaults, "overrides": []}
    return panel | ({"description": about} if about else {})


def variable(name, label, query):
    """A choice of the values of a label, all of them at first."""
    every = {"text": ["All"], "value": ["$__all"]}
    asked = {"query": query, "refId": name}
    return {
        "type": "query",
        "name": name,
        "label": label,
        "datasource": PROMETHEUS,
        "query": asked,
        "definition": query,
        "includeAll": True,
        "multi": True,
        "current": every,
        "refresh": 2,
        "sort": 1,
    }


class Board:
    """Rows of panels, each as wide as its row has room."""

    def __init__(self, name, title, about, variables=()):
        self.name, self.title, self.about = name, title, about
        self.variables = list(variables)
        self.panels = []
        self.y = 0

    def row(self, title, *panels, height=HEIGHT):
        self._add({"type": "row", "title": title, "collapsed": False, "panels": []}, 0, WIDTH, 1)
        self.y += 1
        return self.more(*panels, height=height)

    def more(self, *panels, height=HEIGHT):
        """A further line of panels under the same heading."""
        width = WIDTH // len(panels)
        for place, panel in enumerate(panels):
            self._add(panel, place * width, width, height)
        self.y += height
        return self

    def _add(self, panel, x, width, height):
        place = {"x": x, "y": self.y, "w": width, "h": height}
        self.panels.append({"id": len(self.panels) + 1} | panel | {"gridPos": place})

    def json(self):
        source = {
            "type": "datasource",
            "name": "datasource",
            "label": "Prometheus",
            "query": "prometheus",
            "current": {"text": "Prometheus", "value": "prometheus"},
            "refresh": 1,
        }
        others = {
            "type": "dashboards",
            "title": "Cartwright",
            "tags": ["cartwright"],
            "asDropdown": True,
            "keepTime": True,
            "includeVars": True,
        }
        book = {"type": "link", "title": "Runbook", "url": RUNBOOK, "icon": "doc", "targetBlank": True}
        return {
            "uid": f"cartwright-{self.name}",
            "title": f"Cartwright: {self.title}",
            "description": self.about,
            "tags": ["cartwright"],
            "schemaVersion": SCHEMA,
            "editable": True,
            "graphTooltip": 1,
            "preload": False,
            "refresh": "30s",
            "time": {"from": "now-1h", "to": "now"},
            "timezone": "browser",
            "templating": {"list": [source, *self.variables]},
            "annotations": {
                "list": [
                    _marks("starts", "blue", "resets(process_uptime_seconds[2m]) > 0", "{{job}} has started"),
                    _marks("alerts", "red", 'ALERTS{alertstate="firing"}', "{{alertname}} {{job}}"),
                ]
            },
            "links": [others, book],
            "panels": self.panels,
        }


def _marks(name, colour, expression, text):
    return {
        "name": name,
        "enable": True,
        "iconColor": colour,
        "datasource": PROMETHEUS,
        "expr": expression,
        "titleFormat": text,
        "step": "60s",
    }
