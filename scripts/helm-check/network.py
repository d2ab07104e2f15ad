"""Which pod may reach which port, as Kubernetes decides by the NetworkPolicies."""

import ipaddress
from dataclasses import dataclass, field


@dataclass(frozen=True)
class End:
    """A pod, or an address outside of the cluster."""

    name: str
    namespace: str | None = None
    labels: tuple = ()
    address: str | None = None
    # Names of container ports, which policies may use in place of numbers.
    ports: tuple = field(default=(), compare=False)


def pod(name, namespace, labels, ports=()):
    return End(name, namespace, tuple(sorted(labels.items())), None, tuple(ports))


def outside(name, address):
    return End(name, address=address)


def matches(selector, labels):
    labels = dict(labels)
    for key, value in (selector.get("matchLabels") or {}).items():
        if labels.get(key) != value:
            return False
    return all(expression(one, labels) for one in selector.get("matchExpressions") or [])


def expression(one, labels):
    key, values = one["key"], one.get("values") or []
    match one["operator"]:
        case "In":
            return labels.get(key) in values
        case "NotIn":
            return labels.get(key) not in values
        case "Exists":
            return key in labels
        case "DoesNotExist":
            return key not in labels
    raise ValueError(one["operator"])


class Policies:
    """All policies of a cluster, each with its namespace."""

    def __init__(self, documents, namespace):
        self.policies = [
            (document["metadata"].get("namespace", namespace), document["spec"])
            for document in documents
            if document["kind"] == "NetworkPolicy"
        ]

    def reaches(self, source, target, port, protocol="TCP"):
        """Both sides must allow it."""
        return self.allows("Egress", source, target, target, port, protocol) and self.allows(
            "Ingress", target, source, target, port, protocol
        )

    def is_closed(self, end, direction):
        return bool(self.of(end, direction))

    def of(self, end, direction):
        """A policy without `policyTypes` is one of ingress, and of egress if it has rules for it."""
        found = []
        for namespace, spec in self.policies:
            types = spec.get("policyTypes") or ["Ingress", *(["Egress"] if spec.get("egress") else [])]
            if end.namespace == namespace and direction in types and matches(spec["podSelector"], end.labels):
                found.append((namespace, spec))
        return found

    def allows(self, direction, own, other, target, port, protocol):
        policies = self.of(own, direction)
        if not policies:
            return True
        peers = "to" if direction == "Egress" else "from"
        return any(
            has_port(rule.get("ports"), target, port, protocol) and has_peer(rule.get(peers), other, namespace)
            for namespace, spec in policies
            for rule in spec.get(direction.lower()) or []
        )


def has_port(ports, target, port, protocol):
    """No list of ports is all of them."""
    if not ports:
        return True
    for one in ports:
        if one.get("protocol", "TCP") != protocol:
            continue
        wanted = one.get("port")
        if isinstance(wanted, str):
            wanted = dict(target.ports).get(wanted)
        if "port" not in one or wanted == port or (wanted or port + 1) <= port <= one.get("endPort", -1):
            return True
    return False


def has_peer(peers, other, namespace):
    """No list of peers is everybody."""
    if not peers:
        return True
    return any(is_peer(peer, other, namespace) for peer in peers)


def is_peer(peer, other, namespace):
    if "ipBlock" in peer:
        return other.address is not None and in_block(peer["ipBlock"], other.address)
    if other.address is not None:
        return False
    if "namespaceSelector" in peer:
        # The label that every namespace has by itself.
        if not matches(peer["namespaceSelector"] or {}, {"kubernetes.io/metadata.name": other.namespace}.items()):
            return False
    elif other.namespace != namespace:
        return False
    return matches(peer.get("podSelector") or {}, other.labels)


def in_block(block, address):
    def within(network):
        network = ipaddress.ip_network(network)
        return ipaddress.ip_address(address) in network

    return within(block["cidr"]) and not any(within(one) for one in block.get("except") or [])
