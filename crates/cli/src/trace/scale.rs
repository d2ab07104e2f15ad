//! From times to columns.

use super::tree::Node;

/// The part of a trace that the bars show. What comes long after everything
/// else, such as a webhook of tomorrow, would make them invisible: it is told
/// by a number.
#[derive(Debug, Clone, Copy, PartialEq)]
pub(super) struct Scale {
    start: u64,
    end: u64,
    columns: usize,
}

impl Scale {
    /// It ends at the first pause that is longer than all before it.
    pub(super) fn of(roots: &[Node], columns: usize) -> Self {
        let mut times = Vec::new();
        for root in roots {
            gather(root, &mut times);
        }
        times.sort_unstable();
        let start = times.first().map(|(start, _)| *start).unwrap_or_default();
        let mut until = start;
        for (begin, end) in times {
            let pause = begin.saturating_sub(until);
            if until > start && pause > until - start {
                break;
            }
            until = until.max(end);
        }
        Self {
            start,
            end: until.max(start + 1),
            columns,
        }
    }

    pub(super) fn start(&self) -> u64 {
        self.start
    }

    /// Spaces and a bar, or when it was if that is too far.
    pub(super) fn bar(&self, start: u64, end: u64, full: char) -> String {
        if start > self.end {
            return format!("+{}", duration(start - self.start));
        }
        let (from, to) = (self.column(start), self.column(end));
        let first = (from.floor() as usize).min(self.columns - 1);
        let last = (to.ceil() as usize).clamp(first + 1, self.columns);
        let bar = match to - from < 0.5 {
            true => "▏".to_owned(),
            false => full.to_string().repeat(last - first),
        };
        format!("{}{bar}", " ".repeat(first))
    }

    fn column(&self, time: u64) -> f64 {
        let all = (self.end - self.start) as f64;
        let time = time.clamp(self.start, self.end) - self.start;
        time as f64 / all * self.columns as f64
    }
}

/// Guests begin before the span that waits for them at times: they do not
/// move the start.
fn gather(node: &Node, times: &mut Vec<(u64, u64)>) {
    if !node.is_guest {
        times.push((node.start, node.end));
        for child in &node.children {
            gather(child, times);
        }
    }
}

/// `420 µs`, `41.2 ms`, `1.20 s`.
pub(super) fn duration(nanos: u64) -> String {
    let micros = nanos as f64 / 1e3;
    match nanos {
        ..1_000_000 => format!("{micros:.0} µs"),
        1_000_000..1_000_000_000 => format!("{:.1} ms", micros / 1e3),
        _ => format!("{:.2} s", micros / 1e6),
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    const SCALE: Scale = Scale {
        start: 100,
        end: 200,
        columns: 10,
    };

    #[test]
    fn a_bar_stands_where_its_time_is() {
        assert_eq!(SCALE.bar(100, 200, '█'), "██████████");
        assert_eq!(SCALE.bar(120, 150, '█'), "  ███");
        assert_eq!(SCALE.bar(121, 122, '█'), "  ▏");
        assert_eq!(SCALE.bar(200, 200, '█'), "         ▏");
    }

    #[test]
    fn what_is_outside_is_cut_or_told_by_a_number() {
        assert_eq!(SCALE.bar(0, 150, '█'), "█████");
        assert_eq!(SCALE.bar(150, 9_000, '█'), "     █████");
        assert_eq!(SCALE.bar(2_000_100, 2_000_200, '█'), "+2.0 ms");
    }

    #[test]
    fn durations_have_three_digits_or_so() {
        assert_eq!(duration(999_000), "999 µs");
        assert_eq!(duration(41_230_000), "41.2 ms");
        assert_eq!(duration(1_204_000_000), "1.20 s");
    }
}
