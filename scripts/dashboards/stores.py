"""Postgres and Redis as the services see them, and the events on their way."""

from grafana import Board, graph, quantile, rate, variable
from shop import STATEMENTS


def board():
    made = Board(
        "stores",
        "Postgres and Redis",
        __doc__,
        [variable("database", "Database", "label_values(db_pool_max, db_namespace)")],
    )
    chosen, timed = 'db_namespace=~"$database"', "db_query_duration_seconds"
    made.row(
        "Postgres: statements",
        graph(
            "Rate",
            (
                rate(f"{timed}_count", "db_namespace, db_operation_name", chosen),
                "{{db_namespace}} {{db_operation_name}}",
            ),
            unit="ops",
        ),
        graph(
            "Errors",
            (
                rate(f"{timed}_count", "db_namespace, error_type", f'{chosen}, error_type!=""'),
                "{{db_namespace}} {{error_type}}",
            ),
            unit="ops",
            about="SQLSTATE. 23505 and 40001 are part of the day: a key that was there, a lost race.",
            links=[STATEMENTS],
        ),
        graph(
            "p99",
            (quantile(0.99, timed, "db_namespace", chosen), "{{db_namespace}}"),
            unit="s",
            exemplars=True,
            links=[STATEMENTS],
        ),
    )
    made.more(
        graph(
            "Time spent, by table",
            (
                f"topk(10, {rate(f'{timed}_sum', 'db_namespace, db_operation_name, db_collection_name', chosen)})",
                "{{db_namespace}} {{db_operation_name}} {{db_collection_name}}",
            ),
            unit="short",
            about="1 is one connection busy all the time.",
        ),
        graph(
            "p99, by table",
            (
                f"topk(10, {quantile(0.99, timed, 'db_namespace, db_operation_name, db_collection_name', chosen)})",
                "{{db_namespace}} {{db_operation_name}} {{db_collection_name}}",
            ),
            unit="s",
            exemplars=True,
            links=[STATEMENTS],
        ),
    )
    made.row(
        "Postgres: connections",
        graph(
            "Connections",
            (f"sum by (job, db_namespace, state) (db_pool_connections{{{chosen}}})", "{{job}} {{state}}"),
            (f"sum by (job, db_namespace) (db_pool_max{{{chosen}}})", "{{job}} max"),
        ),
        graph(
            "p99 of waiting for one",
            (quantile(0.99, "db_pool_acquire_duration_seconds", "job", chosen), "{{job}}"),
            unit="s",
        ),
        graph("No connection in time", (rate("db_pool_acquire_timeouts_total", "job", chosen), "{{job}}"), unit="ops"),
    )
    return made.row(
        "Redis: events and limits",
        graph("Events wait", ("max by (job) (outbox_depth)", "{{job}}")),
        graph("Events are late by", ("max by (job) (outbox_lag_seconds)", "{{job}}"), unit="s"),
        graph("Published", (rate("outbox_published_total", "job"), "{{job}}"), unit="ops"),
    ).more(
        graph(
            "Consumed",
            (rate("events_processed_total", "group, stream, outcome"), "{{group}} {{stream}} {{outcome}}"),
            unit="ops",
        ),
        graph("Put aside", ("max by (group) (events_parked)", "{{group}}")),
        graph(
            "Limits counted without Redis",
            ("max by (job) (limits_fallback_ratio)", "{{job}}"),
            about="1: Redis does not answer this service.",
        ),
    )
