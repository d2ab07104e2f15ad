"""Rate, errors and duration of each service, and how its process does."""

from grafana import Board, graph, quantile, rate, variable
from shop import ERRORS, FAILED, METHOD, OURS, SERVICE, SHORT


def board():
    made = Board(
        "services",
        "services",
        __doc__,
        [variable("service", "Service", "label_values(rpc_server_duration_seconds_count, job)")],
    )
    called, http = "rpc_server_duration_seconds", "http_request_duration_seconds"
    made.row(
        "Calls, over gRPC and REST",
        graph(
            "Rate",
            (rate(f"{called}_count", "job, rpc_method", SERVICE), "{{job}} {{rpc_method}}"),
            unit="reqps",
            links=[METHOD],
        ),
        graph(
            "Errors of ours",
            (
                rate(f"{called}_count", "job, rpc_method, rpc_grpc_status_code", f"{SERVICE}, {OURS}"),
                "{{job}} {{rpc_method}} {{rpc_grpc_status_code}}",
            ),
            unit="reqps",
            about="2 UNKNOWN, 4 DEADLINE_EXCEEDED, 13 INTERNAL, 14 UNAVAILABLE, 15 DATA_LOSS.",
            links=[FAILED, ERRORS],
        ),
        graph(
            "p99",
            (quantile(0.99, called, "job, rpc_method", f"{SERVICE}, {SHORT}"), "{{job}} {{rpc_method}}"),
            unit="s",
            exemplars=True,
            links=[METHOD],
        ),
    )
    made.more(
        graph(
            "All answers, by status",
            (rate(f"{called}_count", "job, rpc_grpc_status_code", SERVICE), "{{job}} {{rpc_grpc_status_code}}"),
            unit="reqps",
            about="The number of the gRPC status; 0 is OK, 9 a refusal by the rules of the shop.",
        ),
        graph("Not let in", (rate("calls_refused_total", "job, reason", SERVICE), "{{job}} {{reason}}"), unit="reqps"),
        graph("Running now", (f"sum by (job) (rpc_server_active{{{SERVICE}}})", "{{job}}"), about="Streams included."),
    )
    made.row(
        "HTTP",
        graph(
            "Rate", (rate("http_requests_total", "job, http_route", SERVICE), "{{job}} {{http_route}}"), unit="reqps"
        ),
        graph(
            "Errors",
            (
                rate(
                    "http_requests_total",
                    "job, http_route, http_response_status_code",
                    f'{SERVICE}, http_response_status_code=~"5.."',
                ),
                "{{job}} {{http_route}} {{http_response_status_code}}",
            ),
            unit="reqps",
            links=[FAILED, ERRORS],
        ),
        graph(
            "p99",
            (quantile(0.99, http, "job, http_route", f'{SERVICE}, http_route!~".*/watch"'), "{{job}} {{http_route}}"),
            unit="s",
            exemplars=True,
            links=[FAILED],
        ),
    )
    made.row(
        "Calls to other services",
        graph(
            "Rate",
            (rate("rpc_client_duration_seconds_count", "job, rpc_method", SERVICE), "{{job}} → {{rpc_method}}"),
            unit="reqps",
        ),
        graph(
            "Errors of theirs",
            (
                rate(
                    "rpc_client_duration_seconds_count", "job, rpc_method, rpc_grpc_status_code", f"{SERVICE}, {OURS}"
                ),
                "{{job}} → {{rpc_method}} {{rpc_grpc_status_code}}",
            ),
            unit="reqps",
            links=[FAILED],
        ),
        graph(
            "p99",
            (quantile(0.99, "rpc_client_duration_seconds", "job, rpc_method", SERVICE), "{{job}} → {{rpc_method}}"),
            unit="s",
            exemplars=True,
            links=[METHOD],
        ),
    )
    made.row(
        "Batches: concurrent calls that are done at once",
        graph(
            "Calls in a batch, mean",
            (
                f"{rate('batch_size_sum', 'job, batch_verb', SERVICE)} / {rate('batch_size_count', 'job, batch_verb', SERVICE)}",
                "{{job}} {{batch_verb}}",
            ),
        ),
        graph(
            "p99 of a batch",
            (quantile(0.99, "batch_duration_seconds", "job, batch_verb", SERVICE), "{{job}} {{batch_verb}}"),
            unit="s",
            exemplars=True,
        ),
        graph(
            "Waiting for the next batch",
            (f"max by (job, batch_verb) (batch_queue_depth{{{SERVICE}}})", "{{job}} {{batch_verb}}"),
        ),
    )
    return _process(made)


def _process(made):
    one = "{{job}} {{instance}}"
    busy = rate("tokio_busy_duration_seconds_total", "job, instance", SERVICE)
    made.row(
        "Process",
        graph(
            "CPU",
            (rate("process_cpu_time_seconds_total", "job, instance", SERVICE), one),
            unit="short",
            about="1 is one core.",
        ),
        graph(
            "Memory",
            (f"process_memory_rss_bytes{{{SERVICE}}}", one),
            ("max(cartwright:memory_limit_bytes)", "limit"),
            unit="bytes",
        ),
        graph(
            "Allocator",
            (f"allocator_allocated_bytes{{{SERVICE}}}", f"{one} allocated"),
            (f"allocator_resident_bytes{{{SERVICE}}}", f"{one} resident"),
            unit="bytes",
            about="A growing distance is fragmentation.",
        ),
    )
    made.more(
        graph(
            "Workers busy",
            (f"{busy} / sum by (job, instance) (tokio_workers{{{SERVICE}}})", one),
            unit="percentunit",
        ),
        graph(
            "Tasks",
            (f"tokio_tasks_alive{{{SERVICE}}}", f"{one} alive"),
            (f"tokio_queue_depth{{{SERVICE}}}", f"{one} waiting"),
        ),
        graph("Open files", (f"process_open_files{{{SERVICE}}}", one)),
    )
    return made.more(
        graph("Uptime", (f"process_uptime_seconds{{{SERVICE}}}", one), unit="s"),
        graph("Panics", (rate("panics_total", "job", SERVICE), "{{job}}"), about="Each is a bug.", links=[ERRORS]),
        graph("Telemetry dropped", (rate("telemetry_dropped_total", "job, signal", SERVICE), "{{job}} {{signal}}")),
    )
