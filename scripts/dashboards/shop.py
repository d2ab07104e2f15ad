"""What several dashboards ask for, and where they lead. Names of metrics are those
of docs/telemetry.yaml, as Prometheus writes them; scripts/telemetry-rules fails on
one that is not there."""

from grafana import explore, graph, rate

CREATE = 'rpc_service="cartwright.order.v1.OrderService", rpc_method="CreateOrder"'
OURS = 'rpc_grpc_status_code=~"2|4|13|14|15"'
# Streams last for as long as somebody listens.
SHORT = 'rpc_method!~"Watch.*"'
SERVICE = 'job=~"$service"'

SLOW = explore(
    "Traces of slow orders", "tempo", '{ name = "cartwright.order.v1.OrderService/CreateOrder" && duration > 1s }'
)
FAILED = explore("Traces with errors", "tempo", '{ resource.service.name = "${__field.labels.job}" && status = error }')
METHOD = explore(
    "Traces of this method",
    "tempo",
    '{ resource.service.name = "${__field.labels.job}" && span.rpc.method = "${__field.labels.rpc_method}" }',
)
ERRORS = explore("Errors in the log", "loki", '{service_name="${__field.labels.job}"} | severity_text="ERROR"')
SAGAS = explore("Traces of sagas", "tempo", '{ name = "saga" && status = error }')
PROVIDER = explore(
    "Traces of the provider's calls",
    "tempo",
    '{ resource.service.name = "payment-service" && kind = client && span.url.template != nil }',
)
STATEMENTS = explore("Traces of slow statements", "tempo", '{ span.db.system.name = "postgresql" && duration > 500ms }')


def orders():
    return graph(
        "Orders",
        (rate("orders_created_total"), "created"),
        (rate("orders_confirmed_total"), "confirmed"),
        (rate("orders_rejected_total"), "rejected"),
        (rate("orders_cancelled_total"), "cancelled"),
        unit="reqps",
    )


def rejections():
    return graph(
        "Why orders are rejected",
        (rate("orders_rejected_total", "reason"), "{{reason}}"),
        unit="reqps",
        stacked=True,
    )
