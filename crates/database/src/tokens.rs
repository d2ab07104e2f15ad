//! SQL in the pieces that tell what a statement does. Texts, numbers and
//! comments tell nothing.

#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(crate) enum Token<'a> {
    /// A keyword or a name, without its quotes.
    Word(&'a str),
    Open,
    Close,
    Comma,
    /// A semicolon.
    End,
    Other,
}

impl Token<'_> {
    pub(crate) fn is_word(&self, word: &str) -> bool {
        matches!(self, Self::Word(own) if own.eq_ignore_ascii_case(word))
    }

    pub(crate) fn is_name(&self) -> bool {
        matches!(self, Self::Word(_))
    }
}

pub(crate) struct Tokens<'a> {
    rest: &'a str,
}

impl<'a> Tokens<'a> {
    pub(crate) fn new(text: &'a str) -> Self {
        Self { rest: text }
    }

    /// Goes on behind the next `end`, or to the end of the text.
    fn skip_behind(&mut self, end: &str) -> &'a str {
        let (before, behind) = self.rest.split_once(end).unwrap_or((self.rest, ""));
        self.rest = behind;
        before
    }

    fn word(&mut self) -> Token<'a> {
        let is_part = |one: char| one.is_alphanumeric() || matches!(one, '_' | '.' | '$');
        let end = self.rest.find(|one| !is_part(one));
        let (word, rest) = self.rest.split_at(end.unwrap_or(self.rest.len()));
        self.rest = rest;
        Token::Word(word)
    }

    /// `$1`, or a text between two of `$$` or `$tag$`.
    fn dollar(&mut self) -> Token<'a> {
        let is_part = |one: char| one.is_alphanumeric() || one == '_';
        let tag_end = self.rest[1..].find(|one| !is_part(one)).map(|end| end + 1);
        match tag_end {
            Some(end) if self.rest[end..].starts_with('$') => {
                let tag = &self.rest[..=end];
                self.rest = &self.rest[tag.len()..];
                self.skip_behind(tag);
            }
            _ => self.rest = &self.rest[1..],
        }
        Token::Other
    }
}

impl<'a> Iterator for Tokens<'a> {
    type Item = Token<'a>;

    fn next(&mut self) -> Option<Token<'a>> {
        loop {
            self.rest = self.rest.trim_start();
            if self.rest.starts_with("--") {
                self.skip_behind("\n");
            } else if self.rest.starts_with("/*") {
                self.skip_behind("*/");
            } else {
                break;
            }
        }
        let first = self.rest.chars().next()?;
        if first.is_alphabetic() || first == '_' {
            return Some(self.word());
        }
        if first == '$' {
            return Some(self.dollar());
        }
        self.rest = &self.rest[first.len_utf8()..];
        Some(match first {
            '(' => Token::Open,
            ')' => Token::Close,
            ',' => Token::Comma,
            ';' => Token::End,
            '"' => Token::Word(self.skip_behind("\"")),
            '\'' => {
                self.skip_behind("'");
                Token::Other
            }
            _ => Token::Other,
        })
    }
}
