# What every pod of ours keeps to, whatever its values. These are the rules of Pod Security
# `restricted`, and some that it lacks. They hold for other clusters' charts, too:
#
#   helm template order-service helm/order-service --values … | conftest test --policy helm/policies -
package main

import rego.v1

pod := input.spec.template if input.kind in {"Deployment", "StatefulSet", "DaemonSet", "Job", "ReplicaSet"}

pod := input.spec.jobTemplate.spec.template if input.kind == "CronJob"

pod := input if input.kind == "Pod"

every_container contains container if some container in pod.spec.containers

every_container contains container if some container in pod.spec.initContainers

every_container contains container if some container in pod.spec.ephemeralContainers

name := sprintf("%s/%s", [input.kind, input.metadata.name])

# Whether it serves until it is stopped.
serves if input.kind in {"Deployment", "StatefulSet", "DaemonSet"}

setting(container, key) := container.securityContext[key]

setting(container, key) := pod.spec.securityContext[key] if not container.securityContext[key]

# No root.

deny contains msg if {
	some container in every_container
	not runs_as_nobody(container)
	msg := sprintf("%s: container %s has to set runAsNonRoot", [name, container.name])
}

runs_as_nobody(container) if container.securityContext.runAsNonRoot == true

runs_as_nobody(container) if {
	not has(container.securityContext, "runAsNonRoot")
	pod.spec.securityContext.runAsNonRoot == true
}

runs_as_nobody(container) if {
	not container.securityContext
	pod.spec.securityContext.runAsNonRoot == true
}

deny contains msg if {
	some container in every_container
	some context in [container.securityContext, pod.spec.securityContext]
	some key in ["runAsUser", "runAsGroup"]
	context[key] == 0
	msg := sprintf("%s: container %s has %s 0, which is root", [name, container.name, key])
}

deny contains msg if {
	pod.spec.securityContext.fsGroup == 0
	msg := sprintf("%s has fsGroup 0, which is root", [name])
}

deny contains msg if {
	some group in pod.spec.securityContext.supplementalGroups
	group == 0
	msg := sprintf("%s has the supplemental group 0, which is root", [name])
}

# No privilege.

deny contains msg if {
	some container in every_container
	not container.securityContext.allowPrivilegeEscalation == false
	msg := sprintf("%s: container %s has to set allowPrivilegeEscalation: false", [name, container.name])
}

deny contains msg if {
	some container in every_container
	container.securityContext.privileged == true
	msg := sprintf("%s: container %s is privileged", [name, container.name])
}

deny contains msg if {
	some container in every_container
	not drops_all(container)
	msg := sprintf("%s: container %s has to drop ALL capabilities", [name, container.name])
}

drops_all(container) if "ALL" in container.securityContext.capabilities.drop

deny contains msg if {
	some container in every_container
	some capability in container.securityContext.capabilities.add
	msg := sprintf("%s: container %s adds the capability %s", [name, container.name, capability])
}

deny contains msg if {
	some container in every_container
	not confined(container)
	msg := sprintf("%s: container %s has to run under seccompProfile RuntimeDefault", [name, container.name])
}

confined(container) if setting(container, "seccompProfile").type in {"RuntimeDefault", "Localhost"}

deny contains msg if {
	some key in ["hostNetwork", "hostPID", "hostIPC", "shareProcessNamespace"]
	pod.spec[key] == true
	msg := sprintf("%s sets %s", [name, key])
}

deny contains msg if {
	some volume in pod.spec.volumes
	has(volume, "hostPath")
	msg := sprintf("%s mounts a path of its node: %s", [name, volume.name])
}

deny contains msg if {
	some container in every_container
	some port in container.ports
	port.hostPort > 0
	msg := sprintf("%s: container %s takes a port of its node", [name, container.name])
}

# Nothing to write to but what is mounted.

deny contains msg if {
	some container in every_container
	not container.securityContext.readOnlyRootFilesystem == true
	msg := sprintf("%s: container %s has to set readOnlyRootFilesystem", [name, container.name])
}

deny contains msg if {
	some volume in pod.spec.volumes
	has(volume, "emptyDir")
	not has(volume.emptyDir, "sizeLimit")
	msg := sprintf("%s: the volume %s has no sizeLimit", [name, volume.name])
}

# No token of the cluster.

deny contains msg if {
	pod.spec
	not pod.spec.automountServiceAccountToken == false
	msg := sprintf("%s has to set automountServiceAccountToken: false", [name])
}

# Known images.

deny contains msg if {
	some container in every_container
	not is_pinned(container.image)
	msg := sprintf("%s: container %s has the image %q, without a version", [name, container.name, container.image])
}

is_pinned(image) if regex.match(`@sha256:[0-9a-f]{64}$`, image)

is_pinned(image) if {
	regex.match(`^[^@]+:[A-Za-z0-9_][A-Za-z0-9_.-]*$`, last_part(image))
	not endswith(image, ":latest")
}

last_part(image) := parts[count(parts) - 1] if parts := split(image, "/")

# Bounded resources. There is no limit of CPU: throttling makes slow what idle cores could serve.

deny contains msg if {
	some container in every_container
	some need in [["requests", "cpu"], ["requests", "memory"], ["limits", "memory"]]
	not container.resources[need[0]][need[1]]
	msg := sprintf("%s: container %s has no resources.%s.%s", [name, container.name, need[0], need[1]])
}

# Probes, where something serves.

deny contains msg if {
	serves
	some container in pod.spec.containers
	some probe in ["startupProbe", "readinessProbe", "livenessProbe"]
	not has(container, probe)
	msg := sprintf("%s: container %s has no %s", [name, container.name, probe])
}

# Secrets are files, not variables, which every dump of a process shows.

deny contains msg if {
	some container in every_container
	some variable in container.env
	has(variable, "value")
	looks_secret(variable)
	msg := sprintf("%s: container %s has a secret in the variable %s", [name, container.name, variable.name])
}

looks_secret(variable) if {
	regex.match(`(PASSWORD|SECRET|TOKEN|API_KEY|CREDENTIAL)`, variable.name)
	not regex.match(`(_FILE|_DIR|_PATH)$`, variable.name)
	variable.value != ""
	not startswith(variable.value, "/")
}

looks_secret(variable) if regex.match(`://[^/@:]*:[^/@]+@`, variable.value)

has(object, key) if _ := object[key]

has(object, key) if object[key] == false
