# What holds for the rest of a release: the ways into it, and what it may do in the cluster.
package main

import rego.v1

routes := {"Ingress", "HTTPRoute", "GRPCRoute", "VirtualService"}

# The private port asks nobody who they are.
private(port) if port in {9090, "private", "metrics"}

deny contains msg if {
	input.kind in routes
	walk(input.spec, [path, value])
	path[count(path) - 1] in {"number", "port", "name"}
	"port" in path
	private(value)
	msg := sprintf("%s publishes the private port", [name])
}

deny contains msg if {
	input.kind == "Service"
	input.spec.type in {"NodePort", "LoadBalancer"}
	some port in input.spec.ports
	private(port.port)
	msg := sprintf("%s publishes the private port", [name])
}

deny contains msg if {
	input.kind == "Ingress"
	some rule in input.spec.rules
	not has_certificate(rule)
	msg := sprintf("%s serves %s without TLS", [name, object.get(rule, "host", "every host")])
}

has_certificate(rule) if {
	some tls in input.spec.tls
	rule.host in tls.hosts
}

# Rights.

deny contains msg if {
	input.kind in {"ClusterRole", "ClusterRoleBinding"}
	msg := sprintf("%s: no process of ours has rights beyond its namespace", [name])
}

deny contains msg if {
	input.kind == "Role"
	some rule in input.rules
	some key in ["apiGroups", "resources", "verbs"]
	"*" in rule[key]
	msg := sprintf("%s has * in %s", [name, key])
}

deny contains msg if {
	input.kind == "Role"
	some rule in input.rules
	some resource in rule.resources
	resource in {"secrets", "pods/exec", "pods/attach", "serviceaccounts/token"}
	not rule.resourceNames
	msg := sprintf("%s has a right to all %s", [name, resource])
}

deny contains msg if {
	input.kind == "ServiceAccount"
	not input.automountServiceAccountToken == false
	msg := sprintf("%s has to set automountServiceAccountToken: false", [name])
}

# The network.

deny contains msg if {
	input.kind == "NetworkPolicy"
	some direction in ["Ingress", "Egress"]
	not direction in input.spec.policyTypes
	msg := sprintf("%s leaves %s open", [name, direction])
}

deny contains msg if {
	input.kind == "NetworkPolicy"
	some direction in ["ingress", "egress"]
	some rule in input.spec[direction]
	object.get(rule, "ports", []) == []
	msg := sprintf("%s allows all ports in a rule of %s", [name, direction])
}

deny contains msg if {
	input.kind == "NetworkPolicy"
	some sides in [["ingress", "from"], ["egress", "to"]]
	some rule in input.spec[sides[0]]
	object.get(rule, sides[1], []) == []
	msg := sprintf("%s allows everybody in a rule of %s", [name, sides[0]])
}

# A block of all addresses is for what is outside of the cluster only.
deny contains msg if {
	input.kind == "NetworkPolicy"
	some rule in input.spec.egress
	some peer in rule.to
	peer.ipBlock.cidr in {"0.0.0.0/0", "::/0"}
	count(object.get(peer.ipBlock, "except", [])) == 0
	msg := sprintf("%s allows all addresses, also those of the cluster", [name])
}

# No secret where everybody may read it.

deny contains msg if {
	input.kind == "ConfigMap"
	some key, text in input.data
	some pattern in [`://[^/@:\s"']*:[^/@\s"']+@`, `(?m)^\s*"?(password|api_key|page_token_secret|token|secret)"?\s*[:=]\s*"?[^\s"]`, `BEGIN [A-Z ]*PRIVATE KEY`]
	regex.match(pattern, text)
	msg := sprintf("%s has a secret in %s", [name, key])
}
