"""Is the shop well?"""

from grafana import Board, graph, number, quantile, quantiles, rate, table
from shop import CREATE, ERRORS, FAILED, SHORT, SLOW, orders, rejections


def board():
    made = Board("overview", "overview", __doc__)
    made.row(
        "Is the shop well?",
        number("Orders a minute", f"60 * {rate('orders_created_total')}"),
        number(
            "Orders that fail, 5 min",
            "create_order:failed:ratio_rate5m",
            "percentunit",
            "The objective is 0.1 % in a month.",
            red=0.01,
            links=[FAILED],
        ),
        number(
            "Orders slower than 1 s",
            "create_order:slow:ratio_rate5m",
            "percentunit",
            "The objective is 1 % in a month.",
            red=0.1,
            links=[SLOW],
        ),
        number(
            "Broken invariants",
            "sum(max by (job, invariant) (audit_violations))",
            about="The only good number is 0.",
            red=1,
        ),
        number("Orders that need a person", "max(sagas_needing_attention)", red=1),
        number("Oldest unfinished order", "max(saga_age_seconds)", "s", red=120),
        number("Events are late by", "max(outbox_lag_seconds)", "s", red=60),
        number("Targets down", "count(up == 0) or vector(0)", red=1),
        height=5,
    )
    made.row(
        "Orders",
        orders(),
        graph(
            "How long CreateOrder takes",
            *quantiles("rpc_server_duration_seconds", CREATE),
            unit="s",
            about="Each dot is a call, and leads to its trace.",
            exemplars=True,
            links=[SLOW],
        ),
        rejections(),
    )
    made.row(
        "Objectives of CreateOrder: how many times faster than allowed the budget is spent",
        graph(
            "Availability, 99.9 %",
            *[(f"create_order:failed:ratio_rate{window} / 0.001", window) for window in ("5m", "1h", "6h", "3d")],
            about="Over 14.4 in 5m and 1h somebody is paged; at 1 the budget lasts for the month.",
        ),
        graph(
            "Within 1 s, 99 %",
            *[(f"create_order:slow:ratio_rate{window} / 0.01", window) for window in ("5m", "1h", "6h", "3d")],
            links=[SLOW],
        ),
    )
    made.row(
        "Services",
        graph("Calls", ("job:rpc_server_calls:rate5m", "{{job}}"), unit="reqps"),
        graph(
            "Calls that fail for a reason of ours",
            ("job:rpc_server_failures:rate5m / job:rpc_server_calls:rate5m", "{{job}}"),
            unit="percentunit",
            links=[FAILED, ERRORS],
        ),
        graph(
            "p99 of calls",
            (quantile(0.99, "rpc_server_duration_seconds", "job", SHORT), "{{job}}"),
            unit="s",
            exemplars=True,
            links=[FAILED],
        ),
    )
    made.row(
        "Alerts",
        table(
            "Firing", 'ALERTS{alertstate="firing"}', about="Each has its heading in the runbook, which is linked above."
        ),
        height=7,
    )
    return made
