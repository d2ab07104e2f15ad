//! The waterfall.

use std::{collections::BTreeSet, fmt::Write};

use chrono::DateTime;
use trace_store::{BATCH_SIZE, Found, FoundSpan};

use super::{
    scale::{Scale, duration},
    tree::{self, Node, Tree},
};

/// Narrower than this it could not be read.
const WIDTH_MIN: usize = 60;
const SERVICE_MAX: usize = 17;
const DURATION: usize = 9;
const BAR_MIN: usize = 15;

/// How it is drawn.
#[derive(Debug, Clone, Copy)]
pub struct Look {
    /// Columns that a line may have, at least 60.
    pub width: usize,
    pub colours: bool,
    /// Long runs of equal siblings become one line.
    pub folds: bool,
    /// Only calls and messages, no work inside of a process.
    pub short: bool,
    /// Levels that are drawn, or all.
    pub depth: Option<usize>,
}

/// A heading, a line for each span and a summary.
pub fn draw(found: &Found, look: Look) -> String {
    let mut text = String::new();
    let forest = tree::grow(found, look);
    let mut picture = Picture::new(found, look);
    picture.left_out = forest.left_out;
    for tree in &forest.trees {
        picture.tree(tree, &mut text);
    }
    text.push_str(&summary(found, &picture));
    text
}

struct Picture {
    look: Look,
    service: usize,
    name: usize,
    bar: usize,
    /// In the order in which they came, for their colours.
    services: Vec<String>,
    folded: usize,
    /// Spans that a short picture does not show.
    left_out: usize,
    /// Spans below the levels that are drawn.
    deeper: usize,
    first: Option<u64>,
}

impl Picture {
    fn new(found: &Found, look: Look) -> Self {
        let width = look.width.max(WIDTH_MIN);
        let names = found.spans.iter().map(|one| length(&one.span.service));
        let service = names.max().unwrap_or_default().min(SERVICE_MAX);
        let bar = (width / 4).max(BAR_MIN);
        Self {
            look,
            service,
            name: width - service - DURATION - bar - 6,
            bar,
            services: Vec::new(),
            folded: 0,
            left_out: 0,
            deeper: 0,
            first: None,
        }
    }

    fn tree(&mut self, tree: &Tree, text: &mut String) {
        let scale = Scale::of(&tree.roots, self.bar);
        let start = scale.start();
        let first = *self.first.get_or_insert(start);
        let _ = match start - first {
            0 => writeln!(text, "trace {}  {}", tree.trace_id, clock(start)),
            later => writeln!(text, "\ntrace {}  {} later", tree.trace_id, duration(later)),
        };
        for root in &tree.roots {
            self.node(root, "", "", &scale, text);
        }
    }

    /// `here` stands before its own name, `below` before those of its children.
    fn node(&mut self, node: &Node, here: &str, below: &str, scale: &Scale, text: &mut String) {
        self.folded += usize::from(node.times > 1);
        text.push_str(&self.line(node, here, scale));
        let level = length(below) / 2 + 1;
        if self.look.depth.is_some_and(|depth| level >= depth) {
            self.deeper += node.children.iter().map(size).sum::<usize>();
            return;
        }
        let last = node.children.len().saturating_sub(1);
        for (index, child) in node.children.iter().enumerate() {
            let (branch, space) = match index == last {
                true => ("└ ", "  "),
                false => ("├ ", "│ "),
            };
            let (here, space) = (format!("{below}{branch}"), format!("{below}{space}"));
            self.node(child, &here, &space, scale, text);
        }
    }

    fn line(&mut self, node: &Node, here: &str, scale: &Scale) -> String {
        let span = &node.found.span;
        let service = fitted(&clean(&span.service), self.service);
        let name = fitted(&format!("{here}{}", title(node)), self.name);
        let took = duration(node.busy);
        let full = match (node.found.linked, node.times) {
            (true, _) => '░',
            (false, 1) => '█',
            (false, _) => '▒',
        };
        let bar = scale.bar(node.start, node.end, full);
        let colour = self.colour(node.found);
        format!(
            "{}  {}  {took:>DURATION$}  {}\n",
            self.painted(&service, colour),
            self.painted(&name, if span.is_error() { RED } else { PLAIN }),
            self.painted(bar.trim_end(), colour),
        )
    }

    fn colour(&mut self, found: &FoundSpan) -> &'static str {
        if found.span.is_error() {
            return RED;
        }
        let service = &found.span.service;
        let known = self.services.iter().position(|known| known == service);
        let index = known.unwrap_or_else(|| {
            self.services.push(service.clone());
            self.services.len() - 1
        });
        COLOURS[index % COLOURS.len()]
    }

    fn painted(&self, text: &str, colour: &str) -> String {
        match self.look.colours && !colour.is_empty() {
            true => format!("{colour}{text}\x1b[0m"),
            false => text.to_owned(),
        }
    }
}

const PLAIN: &str = "";
const RED: &str = "\x1b[31m";
/// Cyan, green, yellow, magenta, blue.
const COLOURS: [&str; 5] = ["\x1b[36m", "\x1b[32m", "\x1b[33m", "\x1b[35m", "\x1b[34m"];

/// What it is, with what is special about it.
fn title(node: &Node) -> String {
    let span = &node.found.span;
    let mut title = String::new();
    if node.is_guest {
        title.push_str("⇢ ");
    }
    title.push_str(&short(&clean(&span.name)));
    // The name says that it is a batch, and not of what.
    if let Some(verb) = span.attribute("batch.verb") {
        let _ = write!(title, " {}", clean(verb));
    }
    if node.times > 1 {
        let _ = write!(title, " ×{}", node.times);
    }
    if span.is_error() {
        let kind = span.attribute("error.type").unwrap_or(&span.status.message);
        let _ = write!(title, " ✗ {}", clean(kind));
    }
    if let Some(calls) = shared_by(node) {
        let _ = write!(title, " for {calls} calls");
    }
    if node.is_orphan && !node.found.linked {
        title.push_str(" (orphan)");
    }
    title
}

/// How many calls this did the work of, if it was more than one.
fn shared_by(node: &Node) -> Option<usize> {
    let span = &node.found.span;
    let size = span.attribute(BATCH_SIZE);
    let size = size.and_then(|size| size.parse::<usize>().ok());
    let links = node.found.links_to_it + usize::from(span.parent_span_id.is_some());
    let calls = size.unwrap_or(if node.is_guest { links } else { 1 });
    (calls > 1).then_some(calls)
}

/// `OrderService/CreateOrder` of `cartwright.order.v1.OrderService/CreateOrder`.
fn short(name: &str) -> String {
    let is_word = |text: &str| !text.contains([' ', '/']);
    match name.split_once('/') {
        Some((package, method)) if is_word(package) && is_word(method) => {
            let service = package.rsplit('.').next().unwrap_or(package);
            format!("{service}/{method}")
        }
        _ => name.to_owned(),
    }
}

/// Spans come from anywhere: what they say must not steer a terminal.
fn clean(text: &str) -> String {
    let shown = text.chars();
    shown
        .map(|c| if c.is_control() { '·' } else { c })
        .collect()
}

fn length(text: &str) -> usize {
    text.chars().count()
}

/// Exactly so wide.
fn fitted(text: &str, width: usize) -> String {
    match length(text) > width {
        true => {
            let kept = text.chars().take(width.saturating_sub(1));
            kept.chain(['…']).collect()
        }
        false => format!("{text:width$}"),
    }
}

fn size(node: &Node) -> usize {
    node.times + node.children.iter().map(size).sum::<usize>()
}

fn clock(nanos: u64) -> String {
    let time = i64::try_from(nanos).map(DateTime::from_timestamp_nanos);
    time.map_or_else(
        |_| String::new(),
        |time| time.format("%Y-%m-%d %H:%M:%S%.3f UTC").to_string(),
    )
}

fn summary(found: &Found, picture: &Picture) -> String {
    let own = || {
        found
            .spans
            .iter()
            .filter(|one| !one.linked)
            .map(|one| &one.span)
    };
    let services: BTreeSet<&str> = own().map(|span| span.service.as_str()).collect();
    let start = own().map(|span| span.start).min().unwrap_or_default();
    let end = own().map(|span| span.end).max().unwrap_or_default();
    let errors = own().filter(|span| span.is_error()).count();
    let mut line = format!(
        "\n{}, {}, {} in all, {}",
        counted(own().count(), "span"),
        counted(services.len(), "service"),
        duration(end.saturating_sub(start)),
        counted(found.orphans, "orphan"),
    );
    if errors > 0 {
        let _ = write!(line, ", {}", counted(errors, "error"));
    }
    line.push('\n');
    let shared = found.spans.len() - own().count();
    if shared > 0 {
        let spans = counted(shared, "span");
        let _ = writeln!(
            line,
            "{spans} ░ of other traces, which worked for many at once"
        );
    }
    if picture.folded > 0 {
        let runs = counted(picture.folded, "run");
        let _ = writeln!(
            line,
            "{runs} of equal spans in one line each; --all draws all"
        );
    }
    if picture.left_out > 0 {
        let spans = counted(picture.left_out, "span");
        let _ = writeln!(
            line,
            "{spans} inside of processes are drawn without --short"
        );
    }
    if picture.deeper > 0 {
        let spans = counted(picture.deeper, "span");
        let _ = writeln!(line, "{spans} deeper than --depth");
    }
    line
}

fn counted(count: usize, what: &str) -> String {
    match count {
        1 => format!("1 {what}"),
        _ => format!("{count} {what}s"),
    }
}
