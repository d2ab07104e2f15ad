//! Where results go: tables for people or JSON for machines, on stdout.
//! Everything else is said on stderr.

use std::io::Write;

use comfy_table::{CellAlignment, Table, presets};

use crate::{failure::Failure, json};

#[derive(Debug, Clone, Copy, PartialEq, Eq, clap::ValueEnum)]
pub enum Format {
    Table,
    Json,
}

#[derive(Debug, Clone, Copy)]
pub struct Output {
    pub format: Format,
}

impl Output {
    /// A message, as JSON or as the text that `table` makes of it.
    pub fn message<M: json::Named>(
        self,
        message: &M,
        table: impl FnOnce(&M) -> String,
    ) -> Result<(), Failure> {
        match self.format {
            Format::Table => self.text(&table(message)),
            Format::Json => self.json(&json::of(message)?),
        }
    }

    /// One message of a stream: a line of its own, at once.
    pub fn event<M: json::Named>(
        self,
        message: &M,
        line: impl FnOnce(&M) -> String,
    ) -> Result<(), Failure> {
        match self.format {
            Format::Table => self.text(&line(message)),
            Format::Json => self.text(&json::of(message)?.to_string()),
        }
    }

    pub fn json(self, value: &serde_json::Value) -> Result<(), Failure> {
        self.text(&format!("{value:#}"))
    }

    pub fn text(self, text: &str) -> Result<(), Failure> {
        let mut stdout = std::io::stdout().lock();
        writeln!(stdout, "{}", text.trim_end())?;
        Ok(stdout.flush()?)
    }
}

/// An aligned table without lines.
pub fn table<const N: usize>(
    heads: [&str; N],
    rows: impl IntoIterator<Item = [String; N]>,
) -> String {
    let mut table = Table::new();
    table.load_preset(presets::NOTHING);
    table.set_header(heads.map(|head| head.trim_start_matches('>')));
    for row in rows {
        table.add_row(row);
    }
    for (index, head) in heads.iter().enumerate() {
        let Some(column) = table.column_mut(index) else {
            continue;
        };
        column.set_padding((0, 2));
        if head.starts_with('>') {
            column.set_cell_alignment(CellAlignment::Right);
        }
    }
    trim_lines(&table.to_string())
}

/// Names and values below each other; what is empty is left out.
pub fn facts<const N: usize>(facts: [(&str, String); N]) -> String {
    let shown = facts.into_iter().filter(|(_, value)| !value.is_empty());
    let shown: Vec<_> = shown.collect();
    let width = shown.iter().map(|(name, _)| name.len()).max().unwrap_or(0);
    let lines = shown
        .iter()
        .map(|(name, value)| format!("{name:width$}  {value}\n"));
    lines.collect()
}

fn trim_lines(text: &str) -> String {
    let lines = text.lines().map(|line| format!("{}\n", line.trim_end()));
    lines.collect()
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn numbers_stand_right_and_lines_end_where_their_text_ends() {
        let rows = [["mug", "5", "Blue"], ["lamp", "1200", ""]];
        let rows = rows.map(|row| row.map(str::to_owned));
        assert_eq!(
            table(["SKU", ">UNITS", "TITLE"], rows),
            "SKU   UNITS  TITLE\nmug       5  Blue\nlamp   1200\n"
        );
    }

    #[test]
    fn empty_facts_are_left_out() {
        let text = facts([
            ("order", "o1".to_owned()),
            ("reason", String::new()),
            ("total", "1.00 GBP".to_owned()),
        ]);
        assert_eq!(text, "order  o1\ntotal  1.00 GBP\n");
    }
}
