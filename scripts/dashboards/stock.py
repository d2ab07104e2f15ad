"""Reservations, and what holds them up."""

from grafana import Board, graph, number, quantile, rate, table
from shop import SHORT, STATEMENTS


def board():
    made = Board("stock", "stock", __doc__)
    asked, stocked = "rpc_server_duration_seconds", 'job="inventory-service"'
    out_of_stock = rate("stock_reservations_total", where='outcome="out_of_stock"')
    made.row(
        "Reservations",
        graph(
            "Reservations, by what became of them",
            (rate("stock_reservations_total", "outcome"), "{{outcome}}"),
            unit="reqps",
            stacked=True,
        ),
        graph(
            "Share that was out of stock",
            (f"{out_of_stock} / {rate('stock_reservations_total')}", "out of stock"),
            unit="percentunit",
        ),
        number(
            "Promises broken, 24 h",
            "sum(increase(stock_shortfalls_total[24h])) or vector(0)",
            about="A count of the stock found less than was sold.",
            red=1,
        ),
    )
    made.row(
        "Calls",
        graph("Rate", (rate(f"{asked}_count", "rpc_method", stocked), "{{rpc_method}}"), unit="reqps"),
        graph(
            "Answers other than OK",
            (
                rate(f"{asked}_count", "rpc_method, rpc_grpc_status_code", f'{stocked}, rpc_grpc_status_code!="0"'),
                "{{rpc_method}} {{rpc_grpc_status_code}}",
            ),
            unit="reqps",
        ),
        graph(
            "p99",
            (quantile(0.99, asked, "rpc_method", f"{stocked}, {SHORT}"), "{{rpc_method}}"),
            unit="s",
            exemplars=True,
        ),
    )
    made.row(
        "Batches",
        graph(
            "Calls in a batch, mean",
            (
                f"{rate('batch_size_sum', 'batch_verb', stocked)} / {rate('batch_size_count', 'batch_verb', stocked)}",
                "{{batch_verb}}",
            ),
            about="One popular item is locked once for all orders that want it now.",
        ),
        graph(
            "p99 of a batch",
            (quantile(0.99, "batch_duration_seconds", "batch_verb", stocked), "{{batch_verb}}"),
            unit="s",
            exemplars=True,
        ),
        graph(
            "Waiting for the next batch", (f"max by (batch_verb) (batch_queue_depth{{{stocked}}})", "{{batch_verb}}")
        ),
    )
    return made.row(
        "Statements",
        graph(
            "p99, by table",
            (
                quantile(0.99, "db_query_duration_seconds", "db_operation_name, db_collection_name", stocked),
                "{{db_operation_name}} {{db_collection_name}}",
            ),
            unit="s",
            exemplars=True,
            links=[STATEMENTS],
        ),
        table(
            "Broken invariants of stock",
            f"max by (invariant) (audit_violations{{{stocked}}})",
            about="The only good number is 0.",
        ),
    )
