//! Reads a request field by field and keeps every violation, so that a caller
//! learns of all mistakes at once.

use std::{fmt::Display, ops::RangeInclusive};

use tonic_types::FieldViolation;
use types::Money;

use crate::{Problem, Reason};

/// The violations of one request. Each method gives `None` for a bad value and
/// remembers why; `finish` refuses if there was any.
#[derive(Debug, Default)]
pub struct Fields {
    violations: Vec<FieldViolation>,
    /// How many of them are about a currency that differs.
    mismatches: usize,
}

impl Fields {
    pub fn parse<T, E: Display>(
        &mut self,
        path: impl Into<String>,
        value: Result<T, E>,
    ) -> Option<T> {
        match value {
            Ok(value) => Some(value),
            Err(expected) => {
                self.refuse(path, expected.to_string());
                None
            }
        }
    }

    pub fn refuse(&mut self, path: impl Into<String>, expected: impl Into<String>) {
        self.violations.push(FieldViolation::new(path, expected));
    }

    /// An amount is good by itself, and in another currency than its request.
    pub fn refuse_currency(&mut self, path: impl Into<String>, expected: impl Into<String>) {
        self.mismatches += 1;
        self.refuse(path, expected);
    }

    /// Free text of at most `max_chars` characters and no control characters.
    pub fn text(
        &mut self,
        path: impl Into<String>,
        value: &str,
        max_chars: usize,
    ) -> Option<String> {
        let chars = value.chars().count();
        if chars > max_chars {
            self.refuse(
                path,
                format!("must be at most {max_chars} characters, got {chars}"),
            );
            None
        } else if value.chars().any(char::is_control) {
            self.refuse(path, "must not contain control characters");
            None
        } else {
            Some(value.to_owned())
        }
    }

    pub fn count(
        &mut self,
        path: impl Into<String>,
        len: usize,
        range: RangeInclusive<usize>,
    ) -> Option<()> {
        if range.contains(&len) {
            return Some(());
        }
        let (least, most) = (range.start(), range.end());
        self.refuse(
            path,
            format!("must have {least} to {most} entries, got {len}"),
        );
        None
    }

    pub fn money(
        &mut self,
        path: impl Into<String>,
        value: Option<&api::common::v1::Money>,
    ) -> Option<Money> {
        let path = path.into();
        match value {
            Some(money) => {
                let parsed = Money::try_from(money);
                self.parse(format!("{path}.currency_code"), parsed)
            }
            None => {
                self.refuse(path, "is required");
                None
            }
        }
    }

    /// The version that the caller read; `Some(None)` when it does not care.
    pub fn etag(&mut self, path: impl Into<String>, value: &str) -> Option<Option<i64>> {
        if value.is_empty() {
            return Some(None);
        }
        self.parse(
            path,
            value.parse().map_err(|_| "must be an etag as it was read"),
        )
        .map(Some)
    }

    /// # Errors
    /// `INVALID_FIELD` with every violation, if there was any;
    /// `CURRENCY_MISMATCH` when all are about that.
    pub fn finish<T>(self, value: Option<T>) -> Result<T, Problem> {
        match value {
            Some(value) if self.violations.is_empty() => Ok(value),
            _ if self.mismatches > 0 && self.mismatches == self.violations.len() => Err(
                Problem::of_fields(Reason::CurrencyMismatch, self.violations),
            ),
            Some(_) | None => Err(Problem::violations(self.violations)),
        }
    }
}

/// The etag of a version.
pub fn etag(version: i64) -> String {
    version.to_string()
}

#[cfg(test)]
#[allow(clippy::unwrap_used, reason = "tests")]
mod tests {
    use super::*;

    #[test]
    fn every_violation_of_a_request_is_named() {
        let mut fields = Fields::default();
        fields.text("reason", "a\nb", 10);
        fields.count("lines", 0, 1..=1000);
        fields.money("total", None);
        let problem = fields.finish(Some(())).unwrap_err();
        assert_eq!(
            problem.message(),
            "reason: must not contain control characters; \
             lines: must have 1 to 1000 entries, got 0; total: is required"
        );
    }

    #[test]
    fn an_etag_is_optional_but_never_guessed() {
        let mut fields = Fields::default();
        assert_eq!(fields.etag("etag", ""), Some(None));
        assert_eq!(fields.etag("etag", &etag(7)), Some(Some(7)));
        assert_eq!(fields.etag("etag", "x"), None);
        assert!(fields.finish(Some(())).is_err());
    }
}
