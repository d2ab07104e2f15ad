"""Writes what templates have to know of each process: which settings are secrets, and
which take effect without a restart."""

HEAD = """\
{{- /* Written by `make generate` from docs/settings.json. */ -}}
{{- /* Which settings of a process take effect without a restart: a change of those is no
reason for new pods. */ -}}
"""


def text(charts, settings):
    parts = [HEAD]
    for chart in charts:
        if not settings.has(chart.name):
            continue
        parts.append(f'{{{{- define "cartwright-service.facts.{chart.name}" -}}}}\n')
        parts.append(listed("reloaded", settings.reloaded_paths(chart.name)))
        parts.append(listed("secrets", settings.secret_paths(chart.name)))
        parts.append("{{- end }}\n")
    return "".join(parts)


def listed(name, paths):
    lines = "".join(f"  - {'.'.join(path)}\n" for path in sorted(paths))
    return f"{name}:\n{lines}"
