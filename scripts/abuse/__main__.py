"""Abuses a server on this machine, and measures what its good clients notice.

Holds idle and dribbling connections against it (slowloris), then floods it over
HTTP/2 and HTTP/1 with what it must refuse or bound, and asks after each whether
it still answers. Everything is bounded in count and in time, and only loopback
addresses are accepted. Prints one JSON object; exit 0 if all is well, 1 if not.

  ABUSE_TOKEN=$(cartwright token) python3 scripts/abuse 127.0.0.1:8080 \\
      --good http://127.0.0.1:8080/api/orders?page_size=1 \\
      --health http://127.0.0.1:9090/health/ready

ABUSE_TOKEN is the bearer token of the good client; without it none is sent.
"""

import argparse
import ipaddress
import json
import os
import resource
import sys
import threading
import time
from urllib.parse import urlsplit

import floods
from good import Good
from slow import Slowloris

RAMP_S = 20


def arguments():
    parser = argparse.ArgumentParser(
        prog="scripts/abuse",
        description=__doc__,
        formatter_class=argparse.RawDescriptionHelpFormatter,
    )
    parser.add_argument("target", help="host:port to abuse")
    parser.add_argument("--good", required=True, help="URL of the good clients' GET; must answer 200")
    parser.add_argument("--health", required=True, help="URL that answers 200 while the server is well")
    parser.add_argument("--connections", type=int, default=2_000, help="held by slowloris (%(default)s)")
    parser.add_argument("--seconds", type=int, default=15, help="of each measurement (%(default)s)")
    parser.add_argument("--rate", type=int, default=100, help="good calls a second (%(default)s)")
    parser.add_argument("--clients", type=int, default=8, help="good clients (%(default)s)")
    parser.add_argument("--ratio", type=float, default=2.0, help="p99 may grow to this times (%(default)s)")
    parser.add_argument("--flood-connections", type=int, default=4, help="of each flood (%(default)s)")
    parser.add_argument("--only", choices=["slowloris", "floods"], help="instead of both")
    parser.add_argument("--pid", type=int, help="of the server: reports its memory too")
    given = parser.parse_args()
    bounds = {"connections": 20_000, "seconds": 120, "rate": 2_000, "clients": 64, "flood_connections": 64}
    for name, most in bounds.items():
        if not 1 <= getattr(given, name) <= most:
            parser.error(f"--{name.replace('_', '-')} must be 1 to {most}")
    for url in (f"//{given.target}", given.good, given.health):
        if not on_loopback(url):
            parser.error(f"{url}: only loopback addresses with a port, such as 127.0.0.1:8080")
    return given


def on_loopback(url):
    try:
        parts = urlsplit(url)
        return bool(parts.port) and ipaddress.ip_address(parts.hostname or "").is_loopback
    except ValueError:
        return False


def allow_open_files(wanted):
    soft, hard = resource.getrlimit(resource.RLIMIT_NOFILE)
    if soft != resource.RLIM_INFINITY and soft < wanted:
        most = wanted if hard == resource.RLIM_INFINITY else min(wanted, hard)
        resource.setrlimit(resource.RLIMIT_NOFILE, (most, hard))
        if most < wanted:
            sys.exit(f"needs {wanted} open files, only {hard} are allowed: raise `ulimit -Hn`")


def memory_mb(pid):
    if pid is None:
        return None
    with open(f"/proc/{pid}/status", encoding="ascii") as status:
        lines = [line.split() for line in status if line.startswith("VmRSS:")]
    return round(int(lines[0][1]) / 1024, 1) if lines else None


def aftermath(good, health):
    """Does it still answer? A moment to get up is allowed."""
    deadline = time.monotonic() + 5
    while (well := health.once()) != 200 and time.monotonic() < deadline:
        time.sleep(0.1)
    calls = [good.once() for _ in range(5)]
    return {"health": well, "good": calls, "answers": well == 200 and calls == [200] * 5}


def lowest(value, during):
    """The lowest that `value()` was while `during()` ran, and its result."""
    low, over = [value()], threading.Event()

    def watch():
        while not over.wait(0.1):
            low[0] = min(low[0], value())

    watcher = threading.Thread(target=watch)
    watcher.start()
    try:
        return during(), low[0]
    finally:
        over.set()
        watcher.join()


def slowloris(given, target, good, health):
    measure = lambda: good.measure(given.seconds, given.rate, given.clients)
    good.measure(2, given.rate, given.clients)  # warm
    before = measure()
    lifetime_s = RAMP_S + given.seconds + 10
    with Slowloris(*target, given.connections, lifetime_s) as attack:
        all_open = attack.wait_until_open(RAMP_S)
        during, held = lowest(lambda: attack.open.value, measure)
        counts = attack.counts()
    base, now = before.ms(0.99), during.ms(0.99)
    ratio = round(now / base, 3) if base and now else None
    after = aftermath(good, health)
    errors = before.errors + during.errors
    well = errors == 0 and ratio is not None and ratio <= given.ratio and after["answers"]
    return {
        "connections": given.connections,
        "all_were_open": all_open,
        "held_at_least": held,
        **counts,
        "calls": len(before.times) + len(during.times),
        "baseline_p50_ms": before.ms(0.5),
        "baseline_p99_ms": base,
        "during_p50_ms": during.ms(0.5),
        "during_p99_ms": now,
        "ratio": ratio,
        "errors": errors,
        "statuses": {"baseline": before.statuses, "during": during.statuses},
        "after": after,
        # Held, or turned away: a server that lets nobody stay is fine too.
        "pass": well and counts["opened"] >= given.connections,
    }


def flood(given, target, good, health):
    results = {}
    for act, must_end in floods.FLOODS.items():
        result = floods.run(act, *target, given.flood_connections)
        result["after"] = aftermath(good, health)
        faults = sum(n for seen, n in result["answers"].items() if seen.startswith("status 5"))
        ended = all(end in ("closed", "goaway") for end in result["ends"])
        reached = not any(end.startswith("not connected") for end in result["ends"])
        result["memory_mb"] = memory_mb(given.pid)
        result["pass"] = (
            result["after"]["answers"] and faults == 0 and reached and (ended or not must_end)
        )
        results[act.__name__] = result
    return results


def main():
    given = arguments()
    allow_open_files(given.connections + 1_000)
    parts = urlsplit(f"//{given.target}")
    target = (parts.hostname, parts.port)
    good = Good(given.good, os.environ.get("ABUSE_TOKEN"))
    health = Good(given.health, None)
    report = {"target": given.target, "memory_before_mb": memory_mb(given.pid)}
    first = aftermath(good, health)
    if not first["answers"]:
        print(json.dumps(report | {"pass": False, "not_well_at_the_start": first}, indent=2))
        return 1
    passes = []
    if given.only != "floods":
        report |= slowloris(given, target, good, health)
        passes.append(report["pass"])
    if given.only != "slowloris":
        report["floods"] = flood(given, target, good, health)
        passes += [result["pass"] for result in report["floods"].values()]
    report["memory_after_mb"] = memory_mb(given.pid)
    report["pass"] = all(passes)
    print(json.dumps(report, indent=2))
    return 0 if report["pass"] else 1


if __name__ == "__main__":
    sys.exit(main())
