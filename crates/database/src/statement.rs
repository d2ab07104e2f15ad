//! What a statement does and to which table, read from its text.

use std::iter::Peekable;

use crate::tokens::{Token, Tokens};

/// The words that may begin a statement; others are called `OTHER`, so that the
/// values are few whatever is sent.
const OPERATIONS: [&str; 26] = [
    "ALTER", "ANALYZE", "BEGIN", "CALL", "COMMIT", "COPY", "CREATE", "DELETE", "DO", "DROP",
    "EXPLAIN", "INSERT", "LISTEN", "LOCK", "MERGE", "NOTIFY", "RESET", "ROLLBACK", "SELECT", "SET",
    "SHOW", "TRUNCATE", "UPDATE", "VACUUM", "VALUES", "WITH",
];
const OTHER: &str = "OTHER";

/// Of these the first word that is none of [`BETWEEN`] is their table.
const NAMES_ITS_TABLE: [&str; 7] = [
    "COPY", "DELETE", "INSERT", "LOCK", "MERGE", "TRUNCATE", "UPDATE",
];
const BETWEEN: [&str; 4] = ["from", "into", "only", "table"];

/// `SELECT` and `orders`.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(crate) struct Meaning<'a> {
    pub(crate) operation: &'static str,
    pub(crate) table: Option<&'a str>,
}

/// A `with` does what it was written for: what its main part writes, else what
/// one of the others writes, else what its main part reads. Functions, and names
/// that the statement itself gives, are no tables.
pub(crate) fn meaning(text: &str) -> Meaning<'_> {
    let mut reader = Reader::new(text);
    while reader.step().is_some() {}
    reader.meaning()
}

struct Reader<'a> {
    tokens: Peekable<Tokens<'a>>,
    /// For each open parenthesis: is a query inside?
    inside: Vec<bool>,
    main: Option<Meaning<'a>>,
    /// What other parts of a `with` write.
    writes: Option<Meaning<'a>>,
    /// Names that a `with` gives.
    given: Vec<&'a str>,
    reads: Vec<Read<'a>>,
}

struct Read<'a> {
    depth: usize,
    table: &'a str,
}

impl<'a> Reader<'a> {
    fn new(text: &'a str) -> Self {
        Self {
            tokens: Tokens::new(text).peekable(),
            inside: Vec::new(),
            main: None,
            writes: None,
            given: Vec::new(),
            reads: Vec::new(),
        }
    }

    /// `None`: the statement is read.
    fn step(&mut self) -> Option<()> {
        match self.tokens.next()? {
            Token::End => return None,
            Token::Open => self.open(),
            Token::Close => {
                self.inside.pop();
            }
            Token::Comma => self.give(),
            Token::Word(word) => self.word(word),
            Token::Other => {}
        }
        Some(())
    }

    fn open(&mut self) {
        let begins = match self.tokens.peek() {
            Some(Token::Word(word)) => operation(word),
            _ => OTHER,
        };
        self.inside.push(begins != OTHER);
        if matches!(begins, "DELETE" | "INSERT" | "MERGE" | "UPDATE") {
            self.tokens.next();
            let write = self.target(begins);
            self.writes.get_or_insert(write);
        }
    }

    fn word(&mut self, word: &'a str) {
        if self.is_before_main() {
            match operation(word) {
                "WITH" => self.give(),
                OTHER if self.is_with() => {}
                operation => self.main = Some(self.target(operation)),
            }
        } else if is(word, "distinct") {
            // `is distinct from`.
            self.tokens.next_if(|next| next.is_word("from"));
        } else if is(word, "from") || is(word, "join") {
            self.read();
        }
    }

    fn is_before_main(&self) -> bool {
        self.main.is_none() && self.inside.is_empty()
    }

    fn is_with(&self) -> bool {
        !self.given.is_empty()
    }

    /// Before a name that a `with` gives, or before anything else.
    fn give(&mut self) {
        if !self.is_before_main() {
            return;
        }
        self.tokens.next_if(|next| next.is_word("recursive"));
        if let Some(Token::Word(name)) = self.tokens.next_if(Token::is_name) {
            self.given.push(name);
        }
    }

    fn target(&mut self, operation: &'static str) -> Meaning<'a> {
        let mut table = None;
        if NAMES_ITS_TABLE.contains(&operation) {
            let is_between = |next: &Token<'_>| BETWEEN.iter().any(|word| next.is_word(word));
            while self.tokens.next_if(is_between).is_some() {}
            if let Some(Token::Word(name)) = self.tokens.next_if(Token::is_name) {
                table = Some(name);
            }
        }
        Meaning { operation, table }
    }

    /// After `from` or `join`. In `extract(epoch from x)` there is no query.
    fn read(&mut self) {
        if self.inside.last() == Some(&false) {
            return;
        }
        while self
            .tokens
            .next_if(|next| next.is_word("only") || next.is_word("lateral"))
            .is_some()
        {}
        let Some(Token::Word(table)) = self.tokens.next_if(Token::is_name) else {
            return;
        };
        let is_function = self.tokens.peek() == Some(&Token::Open);
        if !is_function {
            let depth = self.inside.len();
            self.reads.push(Read { depth, table });
        }
    }

    fn meaning(&self) -> Meaning<'a> {
        let main = self.main.unwrap_or(Meaning {
            operation: OTHER,
            table: None,
        });
        if main.operation != "SELECT" {
            return main;
        }
        let table = self.first_read();
        self.writes.unwrap_or(Meaning { table, ..main })
    }

    /// Rather one that the main part reads.
    fn first_read(&self) -> Option<&'a str> {
        let tables = self
            .reads
            .iter()
            .filter(|read| !self.given.iter().any(|name| is(name, read.table)));
        let first = tables.min_by_key(|read| read.depth.min(1))?;
        Some(first.table)
    }
}

fn operation(word: &str) -> &'static str {
    let mut all = OPERATIONS.iter();
    all.find(|operation| is(operation, word)).unwrap_or(&OTHER)
}

fn is(word: &str, other: &str) -> bool {
    word.eq_ignore_ascii_case(other)
}

#[cfg(test)]
mod sources;

#[cfg(test)]
mod tests {
    use super::meaning;

    #[test]
    fn a_statement_means_its_first_word_and_its_table() {
        for (text, operation, table) in [
            ("select id from orders where id = $1", "SELECT", "orders"),
            ("SELECT 1 FROM public.orders", "SELECT", "public.orders"),
            ("select * from \"Orders\"", "SELECT", "Orders"),
            (
                "insert into orders (id) select id from other",
                "INSERT",
                "orders",
            ),
            (
                "update only orders set a = (select b from c)",
                "UPDATE",
                "orders",
            ),
            ("delete from orders using lines", "DELETE", "orders"),
            ("lock table orders in share mode", "LOCK", "orders"),
            ("truncate orders, lines", "TRUNCATE", "orders"),
            (
                "-- from here\nselect /* from */ 'from a' from orders",
                "SELECT",
                "orders",
            ),
        ] {
            let found = meaning(text);
            assert_eq!(
                (found.operation, found.table),
                (operation, Some(table)),
                "{text}"
            );
        }
    }

    #[test]
    fn a_table_is_neither_a_function_nor_part_of_an_expression() {
        for (text, table) in [
            ("select extract(epoch from at) from orders", Some("orders")),
            ("select a is distinct from b from orders", Some("orders")),
            (
                "select (select count(*) from lines) from orders",
                Some("orders"),
            ),
            (
                "select * from unnest($1) as g join orders on true",
                Some("orders"),
            ),
            ("select * from (select * from orders) as o", Some("orders")),
            ("select exists (select from orders)", Some("orders")),
            ("select $$from orders$$, $1", None),
            ("select pg_try_advisory_lock($1)", None),
        ] {
            let found = meaning(text);
            assert_eq!((found.operation, found.table), ("SELECT", table), "{text}");
        }
    }

    #[test]
    fn a_with_means_what_it_writes() {
        let picks = "with due (a, b) as materialized (select id from orders)";
        for (text, operation, table) in [
            ("update orders set a = 1 from due", "UPDATE", "orders"),
            ("select * from due join lines on true", "SELECT", "lines"),
            ("select * from due", "SELECT", "orders"),
            (
                ", gone as (delete from holds returning id) select 1",
                "DELETE",
                "holds",
            ),
            (
                ", new as (insert into a select 1) update b set c = 1",
                "UPDATE",
                "b",
            ),
        ] {
            let text = format!("{picks} {text}");
            let found = meaning(&text);
            assert_eq!(
                (found.operation, found.table),
                (operation, Some(table)),
                "{text}"
            );
        }
        let found = meaning("with recursive n as (select 1 union select * from n) select * from n");
        assert_eq!((found.operation, found.table), ("SELECT", None));
    }

    #[test]
    fn what_is_unknown_or_without_a_table_is_still_named() {
        for (text, operation) in [
            ("begin; select 1 from orders", "BEGIN"),
            ("set local statement_timeout = '60s'", "SET"),
            ("do $$ begin delete from orders; end $$", "DO"),
            ("frobnicate orders", "OTHER"),
            ("", "OTHER"),
            ("((", "OTHER"),
            ("select 'unended from orders", "SELECT"),
            ("with", "OTHER"),
        ] {
            let found = meaning(text);
            assert_eq!((found.operation, found.table), (operation, None), "{text}");
        }
    }
}
