"""What must hold for each container by itself, and for all limits together.

Functions take the project as Compose reads it, and yield what is wrong.
"""

import re

BYTES_MAX = 3_000_000_000
OURS = {"order-service", "payment-service", "inventory-service", "payment-simulator"}
# A version with all its numbers, of which Postgres has two; then the base.
VERSION = re.compile(r"^(postgres:\d+\.\d+|[a-z0-9./-]+:v?\d+\.\d+\.\d+)(-[a-z]+)?$")
PRIVATE_PORT = 9090
# What opens a container to the machine that it runs on.
OPENINGS = {
    "privileged", "cap_add", "devices", "device_cgroup_rules", "ipc", "pid", "uts", "cgroup",
    "userns_mode", "network_mode", "volumes_from", "sysctls", "group_add",
}  # fmt: skip


def problems(project):
    services = project["services"]
    for name, service in services.items():
        for problem in [*restricted(service), *limited(service), *pinned(service), *closed(service)]:
            yield f"{name}: {problem}"
    if (total := bytes_of(services)) >= BYTES_MAX:
        yield f"all limits together are {total} bytes, and have to be below {BYTES_MAX}"
    taken = {}
    for name, service in services.items():
        for port in service.get("ports", []):
            if port["published"] in taken:
                yield f"{name}: port {port['published']} is published by {taken[port['published']]} as well"
            taken[port["published"]] = name


def bytes_of(services):
    return sum(memory(service) for service in services.values())


def memory(service):
    number, unit = re.fullmatch(r"(\d+)([kmg]?)b?", str(service.get("mem_limit", 0)).lower()).groups()
    return int(number) << {"": 0, "k": 10, "m": 20, "g": 30}[unit]


def is_ours(service):
    return service["image"].startswith("cartwright/")


def restricted(service):
    if service.get("read_only") is not True:
        yield "its file system is not read_only"
    if service.get("cap_drop") != ["ALL"]:
        yield "cap_drop is not [ALL]"
    if "no-new-privileges:true" not in service.get("security_opt", []):
        yield "it may get new privileges"
    user = re.fullmatch(r"(\d+):(\d+)", service.get("user", ""))
    if not user or "0" in user.groups():
        yield "user has to be two numbers, neither of them root's"
    elif is_ours(service) and user[0] != "65532:65532":
        yield "our images are made for the user 65532:65532"
    for key in sorted(OPENINGS & service.keys()):
        yield f"{key} opens it to the machine"
    for volume in service.get("volumes", []):
        if "docker.sock" in volume.get("source", ""):
            yield "whoever has the engine's socket is root"
        if volume["type"] == "bind" and not volume.get("read_only"):
            yield f"{volume['target']} is a folder of ours and may be written"


def limited(service):
    if not memory(service):
        yield "there is no limit of memory"
    if not float(service.get("cpus", 0)):
        yield "there is no limit of processors"
    if not service.get("pids_limit"):
        yield "there is no limit of processes"
    if not service.get("logging", {}).get("options", {}).get("max-size"):
        yield "its log may fill the disk"
    soft = re.fullmatch(r"(\d+)MiB", service.get("environment", {}).get("GOMEMLIMIT", "0MiB"))
    if soft and int(soft[1]) * 2**20 > 0.85 * memory(service):
        yield "GOMEMLIMIT leaves less than 15 % of the limit to what Go does not count"


def pinned(service):
    image = service["image"]
    if is_ours(service):
        if service.get("pull_policy") != "never":
            yield f"{image} could be taken from a registry, where the name may be somebody else's"
    elif not VERSION.match(image):
        yield f"{image} is not pinned to a version"


def closed(service):
    for port in service.get("ports", []):
        if port.get("host_ip") != "127.0.0.1":
            yield f"port {port['published']} is open to other machines"
        if is_ours(service) and port["target"] == PRIVATE_PORT:
            yield "its private port is published"
