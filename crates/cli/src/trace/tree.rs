//! Spans as trees: below their parents, and those of other traces below the
//! span that links to them.

use std::{
    collections::{BTreeMap, HashMap, HashSet},
    hash::{DefaultHasher, Hash, Hasher},
};

use trace_store::{Found, FoundSpan, Kind, SpanId, TraceId};

use super::Look;

/// So many equal siblings in a row become one line.
const RUN_MIN: usize = 4;
/// A chain without an end must not end the program.
const LEVELS_MAX: usize = 100;

/// One line of the picture.
pub(super) struct Node<'a> {
    pub(super) found: &'a FoundSpan,
    /// How many equal siblings it stands for.
    pub(super) times: usize,
    /// Of the first of them.
    pub(super) start: u64,
    /// Of the last of them.
    pub(super) end: u64,
    /// The time of all of them together.
    pub(super) busy: u64,
    /// The head of what another trace did for many.
    pub(super) is_guest: bool,
    /// Its parent is not there.
    pub(super) is_orphan: bool,
    pub(super) children: Vec<Node<'a>>,
    /// What it does and all below it, without times.
    signature: u64,
}

/// The trees of one trace; more than one where spans are missing.
pub(super) struct Tree<'a> {
    pub(super) trace_id: TraceId,
    pub(super) roots: Vec<Node<'a>>,
}

/// All that is drawn.
pub(super) struct Forest<'a> {
    /// By their start.
    pub(super) trees: Vec<Tree<'a>>,
    /// Spans that a short picture does not show.
    pub(super) left_out: usize,
}

pub(super) fn grow(found: &Found, look: Look) -> Forest<'_> {
    let mut gardener = Gardener::new(found, look);
    let own = found.spans.iter().filter(|found| !found.linked);
    let mut roots: BTreeMap<TraceId, Vec<&FoundSpan>> = BTreeMap::new();
    for found in own.filter(|found| gardener.parent_of(found).is_none()) {
        roots.entry(found.span.trace_id).or_default().push(found);
    }
    let mut trees: Vec<Tree> = roots
        .into_iter()
        .map(|(trace_id, roots)| Tree {
            trace_id,
            roots: gardener.nodes(roots, false, 0),
        })
        .collect();
    trees.sort_by_key(|tree| tree.roots.iter().map(|root| root.start).min());
    Forest {
        trees,
        left_out: gardener.left_out,
    }
}

type At = (TraceId, SpanId);

fn at(found: &FoundSpan) -> At {
    (found.span.trace_id, found.span.span_id)
}

struct Gardener<'a> {
    all: HashMap<At, &'a FoundSpan>,
    children: HashMap<At, Vec<&'a FoundSpan>>,
    /// Guests that have their place: each is drawn once.
    placed: HashSet<At>,
    look: Look,
    left_out: usize,
}

impl<'a> Gardener<'a> {
    fn new(found: &'a Found, look: Look) -> Self {
        let all: HashMap<At, &FoundSpan> = found.spans.iter().map(|one| (at(one), one)).collect();
        let mut gardener = Self {
            all,
            children: HashMap::new(),
            placed: HashSet::new(),
            look,
            left_out: 0,
        };
        for one in &found.spans {
            if let Some(parent) = gardener.parent_of(one) {
                gardener.children.entry(at(parent)).or_default().push(one);
            }
        }
        gardener
    }

    fn parent_of(&self, found: &FoundSpan) -> Option<&'a FoundSpan> {
        let parent = found.span.parent_span_id?;
        self.all.get(&(found.span.trace_id, parent)).copied()
    }

    fn nodes(&mut self, spans: Vec<&'a FoundSpan>, guests: bool, level: usize) -> Vec<Node<'a>> {
        let mut nodes = Vec::new();
        for found in spans {
            let node = self.node(found, guests, level);
            if self.look.short && level > 0 && is_inner(found) {
                self.left_out += 1;
                nodes.extend(node.children);
            } else {
                nodes.push(node);
            }
        }
        nodes.sort_by_key(|node| (node.start, at(node.found)));
        match self.look.folds {
            true => folded(nodes),
            false => nodes,
        }
    }

    fn node(&mut self, found: &'a FoundSpan, is_guest: bool, level: usize) -> Node<'a> {
        let (start, end) = (found.span.start, found.span.end);
        let mut children = Vec::new();
        if level < LEVELS_MAX {
            let guests = self.guests_of(found);
            children = self.nodes(guests, true, level + 1);
            let own = self.children.remove(&at(found)).unwrap_or_default();
            children.extend(self.nodes(own, false, level + 1));
            children.sort_by_key(|child| child.start);
        }
        Node {
            found,
            times: 1,
            start,
            end,
            busy: end.saturating_sub(start),
            is_guest,
            is_orphan: found.span.parent_span_id.is_some() && self.parent_of(found).is_none(),
            signature: signature(found, &children),
            children,
        }
    }

    /// What this span links to in other traces, unless its parent shows it.
    fn guests_of(&mut self, found: &FoundSpan) -> Vec<&'a FoundSpan> {
        let mut guests = Vec::new();
        for link in &found.span.links {
            let Some(guest) = self.all.get(&(link.trace_id, link.span_id)).copied() else {
                continue;
            };
            let is_head = guest.linked && self.parent_of(guest).is_none();
            if is_head && self.placed.insert(at(guest)) {
                guests.push(guest);
            }
        }
        guests
    }
}

/// Work inside of a process, and its statements.
fn is_inner(found: &FoundSpan) -> bool {
    let span = &found.span;
    let is_statement = span.attribute("db.system.name").is_some();
    !span.is_error() && (span.kind == Kind::Internal || is_statement)
}

fn signature(found: &FoundSpan, children: &[Node]) -> u64 {
    let span = &found.span;
    let mut hasher = DefaultHasher::new();
    (&span.service, &span.name, span.is_error()).hash(&mut hasher);
    for child in children {
        (child.signature, child.times).hash(&mut hasher);
    }
    hasher.finish()
}

fn folded(nodes: Vec<Node>) -> Vec<Node> {
    let mut folded: Vec<Node> = Vec::new();
    let mut nodes = nodes.into_iter().peekable();
    while let Some(first) = nodes.next() {
        let mut run = vec![first];
        while let Some(equal) = nodes.next_if(|next| next.signature == run[0].signature) {
            run.push(equal);
        }
        match run.len() {
            0..RUN_MIN => folded.extend(run),
            _ => folded.extend(one_of(run)),
        }
    }
    folded
}

/// The first stands for all.
fn one_of(run: Vec<Node>) -> Option<Node> {
    let times = run.len();
    let end = run.iter().map(|node| node.end).max()?;
    let busy = run.iter().map(|node| node.busy).sum();
    let first = run.into_iter().next()?;
    Some(Node {
        times,
        end,
        busy,
        children: Vec::new(),
        ..first
    })
}
