"""What becomes of orders and of their money."""

from grafana import Board, graph, number, quantile, rate, table
from shop import PROVIDER, SAGAS, orders, rejections


def board():
    made = Board("saga-and-money", "saga and money", __doc__)
    made.row(
        "Sagas",
        number("Need a person", "max(sagas_needing_attention)", red=1, links=[SAGAS]),
        number("Oldest unfinished", "max(saga_age_seconds)", "s", red=120, links=[SAGAS]),
        graph("Running", ("sum by (instance) (sagas_running)", "{{instance}}")),
        graph(
            "Taken over",
            (rate("sagas_claimed_total"), "claimed"),
            unit="reqps",
            about="Because their time had come, or their process had died.",
        ),
    )
    made.more(
        orders(),
        rejections(),
        graph(
            "Median order",
            (quantile(0.5, "order_amount", "currency"), "{{currency}}"),
            about="In the smallest unit of the currency.",
        ),
        graph("Calls with a key", (rate("idempotency_answers_total", "job, kind"), "{{job}} {{kind}}"), unit="reqps"),
    )
    made.row(
        "Payments",
        graph(
            "Payments",
            (rate("payments_created_total"), "created"),
            (rate("payments_captured_total"), "captured"),
            (rate("payments_failed_total"), "failed"),
            (rate("payments_refunded_total"), "refunded"),
            unit="reqps",
        ),
        graph("Why payments fail", (rate("payments_failed_total", "code"), "{{code}}"), unit="reqps", stacked=True),
        graph(
            "Money captured",
            (f"60 * {rate('payment_captured_amount_total', 'currency')}", "{{currency}}"),
            about="A minute, in the smallest unit of the currency.",
        ),
        graph(
            "Money given back",
            (f"60 * {rate('payment_refunded_amount_total', 'currency')}", "{{currency}}"),
            about="A minute, in the smallest unit of the currency.",
        ),
    )
    provider = 'job="payment-service"'
    made.row(
        "The payment provider",
        graph(
            "Requests",
            (
                rate("http_client_request_duration_seconds_count", "http_request_method, url_template", provider),
                "{{http_request_method}} {{url_template}}",
            ),
            unit="reqps",
        ),
        graph(
            "Answers",
            (
                rate("http_client_request_duration_seconds_count", "http_response_status_code, error_type", provider),
                "{{http_response_status_code}} {{error_type}}",
            ),
            unit="reqps",
            about="402 is a declined card.",
            links=[PROVIDER],
        ),
        graph(
            "p99",
            (quantile(0.99, "http_client_request_duration_seconds", "url_template", provider), "{{url_template}}"),
            unit="s",
            exemplars=True,
            links=[PROVIDER],
        ),
        graph("Webhooks", (rate("webhooks_received_total", "outcome"), "{{outcome}}"), unit="reqps", stacked=True),
    )
    return made.row(
        "Books",
        table(
            "Broken invariants, by name",
            "max by (job, invariant) (audit_violations)",
            about="The only good number is 0.",
        ),
        graph("Broken invariants", ("max by (job, invariant) (audit_violations) > 0", "{{job}} {{invariant}}")),
        graph("Since the last audit", ("min by (job) (audit_age_seconds)", "{{job}}"), unit="s"),
    )
