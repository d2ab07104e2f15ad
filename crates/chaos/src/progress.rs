//! How a run stands, on stderr: a table that is drawn anew at a terminal, a line
//! every ten seconds elsewhere.

use std::time::{Duration, Instant};

use chrono::Utc;
use console::Term;

use crate::faults::Notes;
use crate::workload::Counters;

const LINE_EVERY: Duration = Duration::from_secs(10);

pub struct Progress {
    term: Term,
    began: Instant,
    length: Duration,
    planned: usize,
    drawn: usize,
    last_line: Option<Instant>,
}

impl Progress {
    pub fn new(length: Duration, planned: usize) -> Self {
        Self {
            term: Term::stderr(),
            began: Instant::now(),
            length,
            planned,
            drawn: 0,
            last_line: None,
        }
    }

    pub fn show(&mut self, counters: &Counters, notes: &Notes) {
        match self.term.is_term() {
            true => self.draw(counters, notes),
            false => self.line(counters, notes),
        }
    }

    fn line(&mut self, counters: &Counters, notes: &Notes) {
        let now = Instant::now();
        let is_due = self.last_line.is_none_or(|last| now - last >= LINE_EVERY);
        if is_due {
            self.last_line = Some(now);
            eprintln!("· {}; {}", self.time(), summary(counters, notes));
        }
    }

    fn draw(&mut self, counters: &Counters, notes: &Notes) {
        let lines = self.table(counters, notes);
        let width = usize::from(self.term.size().1);
        // Whoever has closed the terminal does not look at it.
        let _ = self.term.clear_last_lines(self.drawn);
        self.drawn = lines.len();
        for line in lines {
            let line = console::truncate_str(&line, width.max(20), "…").into_owned();
            let _ = self.term.write_line(&line);
        }
    }

    fn time(&self) -> String {
        let passed = self.began.elapsed().as_secs();
        let all = self.length.as_secs();
        format!(
            "{}:{:02} of {}:{:02}",
            passed / 60,
            passed % 60,
            all / 60,
            all % 60
        )
    }

    fn table(&self, counters: &Counters, notes: &Notes) -> Vec<String> {
        let done: usize = notes.tally.faults.values().sum();
        let mut lines = vec![
            format!(
                "── {} · {done} faults of about {} ──",
                self.time(),
                self.planned
            ),
            format!("  {}", load(counters)),
            String::new(),
        ];
        let counts = notes.tally.faults.iter();
        lines.extend(counts.map(|(kind, count)| format!("  {kind:<24} {count:>5}")));
        lines.push(String::new());
        let now = Utc::now();
        let broken = notes.broken.values();
        lines.extend(broken.map(|(since, what)| {
            let seconds = (now - *since).as_seconds_f64();
            format!("  {seconds:>5.1} s  {what}")
        }));
        let troubles = notes
            .troubles
            .iter()
            .filter_map(|trouble| trouble.lines().next());
        lines.extend(troubles.map(|trouble| format!("  trouble: {trouble}")));
        lines
    }
}

fn load(counters: &Counters) -> String {
    format!(
        "{} calls: {} ok, {} refused, {} shed, {} unknown; {} confirmed orders; {} in flight, {} retries; p50 {:.0} ms, p99 {:.0} ms",
        counters.arrived,
        counters.ok,
        counters.refused,
        counters.shed,
        counters.unknown,
        counters.confirmed,
        counters.in_flight,
        counters.retries,
        counters.latency.p50_ms,
        counters.latency.p99_ms,
    )
}

fn summary(counters: &Counters, notes: &Notes) -> String {
    let counts = notes.tally.faults.iter();
    let counts: Vec<String> = counts
        .map(|(kind, count)| format!("{kind} {count}"))
        .collect();
    let broken = notes.broken.len();
    let troubles = notes.troubles.len();
    format!(
        "{}; {}; {broken} broken now, {troubles} troubles",
        load(counters),
        counts.join(", ")
    )
}
