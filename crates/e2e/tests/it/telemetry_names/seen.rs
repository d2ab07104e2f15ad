//! What was told, held against the schema.

use std::collections::{BTreeMap, BTreeSet};

use e2e::{checkout, schema::Schema};
use serde_json::{Map, Value};
use trace_store::{Log, Metric, Span};

/// Libraries have names of their own in their lines; ours are all known.
const TARGETS_OF_OURS: [&str; 2] = ["panic", "security"];

/// What the format of Prometheus adds to a metric.
const SUFFIXES: [&str; 5] = ["_bucket", "_count", "_sum", "_created", "_total"];
const OWN_LABELS: [&str; 1] = ["le"];
/// Its labels are the attributes of the resource.
const RESOURCE: &str = "target_info";

pub struct Seen {
    schema: Schema,
    /// The crates of the workspace, as they are in targets.
    crates: BTreeSet<String>,
    names: BTreeSet<String>,
    /// With where it was.
    pub unknown: BTreeSet<String>,
}

impl Seen {
    pub fn new(schema: Schema) -> Self {
        let folders = std::fs::read_dir(checkout().join("crates")).unwrap();
        let name = |folder: std::fs::DirEntry| folder.file_name().into_string().unwrap();
        let crates = folders.map(|folder| name(folder.unwrap()).replace('-', "_"));
        Self {
            schema,
            crates: crates.collect(),
            names: BTreeSet::new(),
            unknown: BTreeSet::new(),
        }
    }

    pub fn has(&self, name: &str) -> bool {
        self.names.contains(name)
    }

    /// Names of the schema that were not told.
    pub fn unseen(&self) -> BTreeSet<&str> {
        let spans = self.schema.spans.keys();
        let fields = self.schema.attributes.keys();
        let metrics = self.schema.metrics.keys();
        let of_log = self.schema.log_fields.keys();
        let resource = self.schema.resource.keys();
        let all = spans
            .chain(fields)
            .chain(metrics)
            .chain(of_log)
            .chain(resource);
        all.filter(|name| !self.has(name))
            .map(String::as_str)
            .collect()
    }

    fn check(&mut self, is_known: bool, name: &str, place: impl FnOnce() -> String) {
        if is_known {
            self.names.insert(name.to_owned());
        } else {
            self.unknown.insert(format!("{} {name}", place()));
        }
    }

    fn resource(&mut self, attributes: &BTreeMap<String, String>) {
        for name in attributes.keys() {
            let is_known = self.schema.resource.contains_key(name);
            self.check(is_known, name, || "attribute of the resource:".to_owned());
        }
    }

    pub fn span(&mut self, span: &Span) {
        self.resource(&span.resource);
        let kind = format!("{:?}", span.kind).to_lowercase();
        let found = self.schema.span_of(&span.name, &kind, &span.attributes);
        let Some((name, known)) = found else {
            let place = format!("{kind} span of {}, {:?}:", span.service, span.attributes);
            self.unknown.insert(format!("{place} {}", span.name));
            return;
        };
        let name = name.to_owned();
        let own = span.attributes.keys().map(|attribute| {
            let may = self.schema.may_carry(known, attribute);
            (attribute.clone(), may)
        });
        for (attribute, is_known) in own.collect::<Vec<_>>() {
            let place = || format!("attribute of span `{name}` of {}:", span.service);
            self.check(is_known, &attribute, place);
        }
        self.names.insert(name);
    }

    pub fn metric(&mut self, metric: &Metric) {
        let Some(known) = self.schema.metrics.get(&metric.name) else {
            self.unknown.insert(format!("metric: {}", metric.name));
            return;
        };
        let (unit, labels) = (known.unit.clone(), known.labels.clone());
        if metric.unit != unit {
            let told = &metric.unit;
            self.unknown
                .insert(format!("unit of {}, which is {unit}: {told}", metric.name));
        }
        for label in metric
            .series
            .iter()
            .flat_map(|series| series.attributes.keys())
        {
            let is_known = labels.contains(label);
            self.check(is_known, label, || format!("label of {}:", metric.name));
        }
        self.names.insert(metric.name.clone());
    }

    /// What Prometheus reads.
    pub fn page_of_metrics(&mut self, page: &str) {
        for line in page.lines().filter(|line| !line.starts_with('#')) {
            let end = line.find(['{', ' ']).unwrap_or(line.len());
            let (name, rest) = line.split_at(end);
            if name == RESOURCE {
                continue;
            }
            let Some((metric, labels)) = self.by_prometheus(name) else {
                self.unknown.insert(format!("at /metrics: {name}"));
                continue;
            };
            let told = rest
                .strip_prefix('{')
                .and_then(|rest| rest.split_once("} "));
            let told = told.map(|(labels, _)| labels).unwrap_or_default();
            for label in names_of_labels(told) {
                let is_known = labels.contains(&label) || OWN_LABELS.contains(&label.as_str());
                if !is_known {
                    self.unknown
                        .insert(format!("label of {name} at /metrics: {label}"));
                }
            }
            self.names.insert(metric);
        }
    }

    /// The metric of this name for Prometheus, and the names of its labels.
    fn by_prometheus(&self, name: &str) -> Option<(String, Vec<String>)> {
        let stems = SUFFIXES
            .iter()
            .filter_map(|suffix| name.strip_suffix(suffix));
        let stems: Vec<_> = stems.chain([name]).collect();
        let mut all = self.schema.metrics.iter();
        let (own, metric) = all.find(|(own, metric)| {
            let prometheus = metric.prometheus(own);
            prometheus == name
                || (metric.kind == "histogram" && stems.contains(&prometheus.as_str()))
        })?;
        let labels = metric.labels.iter().map(|label| label.replace('.', "_"));
        Some((own.clone(), labels.collect()))
    }

    /// A line of a log as a process writes it.
    pub fn line(&mut self, line: &str) {
        let object: Result<Map<String, Value>, _> = serde_json::from_str(line);
        let Ok(object) = object else {
            self.unknown.insert(format!("no line of JSON: {line}"));
            return;
        };
        let target = object
            .get("target")
            .and_then(Value::as_str)
            .unwrap_or_default();
        if self.is_ours(target) {
            let place = || format!("field of the log, {target}, {}:", object["message"]);
            for name in object.keys() {
                self.check(self.schema.has_log_field(name), name, place);
            }
        }
    }

    /// The same as it was sent.
    pub fn record(&mut self, log: &Log) {
        self.resource(&log.resource);
        let target = log.attributes.get("target").unwrap_or(&log.scope);
        if self.is_ours(target) {
            let place = || format!("field of a record, {target}, {:?}:", log.body);
            for name in log.attributes.keys() {
                self.check(self.schema.has_log_field(name), name, place);
            }
        }
    }

    fn is_ours(&self, target: &str) -> bool {
        let top = target.split("::").next().unwrap_or_default();
        self.crates.contains(top) || TARGETS_OF_OURS.contains(&top)
    }
}

/// `a="1",b="x"`; values may hold anything, quoted.
fn names_of_labels(text: &str) -> Vec<String> {
    let mut names = Vec::new();
    let mut rest = text;
    while let Some((name, after)) = rest.split_once("=\"") {
        names.push(name.trim_start_matches(',').trim().to_owned());
        let mut is_escaped = false;
        let end = after.find(|letter| {
            let is_end = letter == '"' && !is_escaped;
            is_escaped = letter == '\\' && !is_escaped;
            is_end
        });
        rest = end.map_or("", |end| &after[end + 1..]);
    }
    names
}
