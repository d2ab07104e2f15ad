//! What the downward API tells a pod of itself, by variables of the manifest.

use opentelemetry::KeyValue;

use crate::variables::Variables;

const NAMES: [(&str, &str); 11] = [
    ("K8S_CLUSTER_NAME", "k8s.cluster.name"),
    ("K8S_CONTAINER_NAME", "k8s.container.name"),
    ("K8S_CRONJOB_NAME", "k8s.cronjob.name"),
    ("K8S_DEPLOYMENT_NAME", "k8s.deployment.name"),
    ("K8S_JOB_NAME", "k8s.job.name"),
    ("K8S_NAMESPACE_NAME", "k8s.namespace.name"),
    ("K8S_NODE_NAME", "k8s.node.name"),
    ("K8S_POD_NAME", "k8s.pod.name"),
    ("K8S_POD_UID", "k8s.pod.uid"),
    ("K8S_REPLICASET_NAME", "k8s.replicaset.name"),
    ("K8S_STATEFULSET_NAME", "k8s.statefulset.name"),
];

pub(super) fn attributes(variables: &Variables) -> Vec<KeyValue> {
    let known = NAMES.into_iter();
    known
        .filter_map(|(variable, name)| Some(KeyValue::new(name, variables.text(variable)?)))
        .collect()
}
