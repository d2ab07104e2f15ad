//! The variables that every OpenTelemetry SDK reads, `OTEL_*`.
//!
//! They are read here rather than by the SDK, which knows some of them only and
//! passes over bad values in silence. A bad value never stops a process: it is
//! told in the log, with what holds instead.

use std::{
    collections::HashMap,
    env,
    fmt::Display,
    str::FromStr,
    sync::{Mutex, PoisonError},
    time::Duration,
};

/// As much of a bad value as is told.
const TOLD_CHARS_MAX: usize = 60;

type Read = dyn Fn(&str) -> Option<String> + Send + Sync;

pub struct Variables {
    read: Box<Read>,
    wrong: Mutex<Vec<Wrong>>,
}

#[derive(Debug, Clone, PartialEq, Eq)]
pub(crate) struct Wrong {
    pub(crate) variable: String,
    /// `None` where it may be a secret.
    pub(crate) value: Option<String>,
    pub(crate) instead: String,
}

impl Variables {
    pub fn of_process() -> Self {
        Self::new(|name| env::var(name).ok())
    }

    /// For tests, whose process has others.
    pub fn of(pairs: &[(&str, &str)]) -> Self {
        let pairs = pairs.iter().map(|(name, value)| (*name, *value));
        let pairs = pairs.map(|(name, value)| (name.to_owned(), value.to_owned()));
        let pairs: HashMap<String, String> = pairs.collect();
        Self::new(move |name| pairs.get(name).cloned())
    }

    fn new(read: impl Fn(&str) -> Option<String> + Send + Sync + 'static) -> Self {
        Self {
            read: Box::new(read),
            wrong: Mutex::default(),
        }
    }

    /// An empty one is as good as none.
    pub(crate) fn text(&self, name: &str) -> Option<String> {
        let value = (self.read)(name)?;
        let value = value.trim();
        (!value.is_empty()).then(|| value.to_owned())
    }

    /// Only `true` is true.
    pub(crate) fn is_true(&self, name: &str) -> bool {
        let Some(value) = self.text(name) else {
            return false;
        };
        let is_true = value.eq_ignore_ascii_case("true");
        if !is_true && !value.eq_ignore_ascii_case("false") {
            self.refuse(name, &value, "false");
        }
        is_true
    }

    /// `None` also for what cannot be read; then `instead` holds.
    pub(crate) fn parsed<T: FromStr>(&self, name: &str, instead: impl Display) -> Option<T> {
        let value = self.text(name)?;
        let parsed = value.parse().ok();
        if parsed.is_none() {
            self.refuse(name, &value, instead);
        }
        parsed
    }

    /// A whole number from 1.
    pub(crate) fn count(&self, name: &str, default: usize) -> usize {
        match self.parsed(name, default) {
            Some(0) => {
                self.refuse(name, "0", default);
                default
            }
            Some(count) => count,
            None => default,
        }
    }

    pub(crate) fn millis(&self, name: &str, default: Duration) -> Duration {
        self.millis_if_set(name, default).unwrap_or(default)
    }

    pub(crate) fn millis_if_set(&self, name: &str, instead: Duration) -> Option<Duration> {
        let instead_ms = instead.as_millis();
        match self.parsed(name, format!("{instead_ms} ms")) {
            Some(0) => {
                self.refuse(name, "0", format!("{instead_ms} ms"));
                None
            }
            millis => millis.map(Duration::from_millis),
        }
    }

    /// One of `known`, whatever its case.
    pub(crate) fn one_of<T: Copy>(
        &self,
        name: &str,
        known: &[(&str, T)],
        instead: impl Display,
    ) -> Option<T> {
        let value = self.text(name)?;
        let found = known
            .iter()
            .find(|(text, _)| value.eq_ignore_ascii_case(text));
        if found.is_none() {
            self.refuse(name, &value, instead);
        }
        found.map(|(_, known)| *known)
    }

    pub(crate) fn refuse(&self, name: &str, value: &str, instead: impl Display) {
        let value: String = value.chars().take(TOLD_CHARS_MAX).collect();
        self.note(name, Some(value), instead);
    }

    /// For what may hold a secret.
    pub(crate) fn refuse_unseen(&self, name: &str, instead: impl Display) {
        self.note(name, None, instead);
    }

    fn note(&self, name: &str, value: Option<String>, instead: impl Display) {
        let wrong = Wrong {
            variable: name.to_owned(),
            value,
            instead: instead.to_string(),
        };
        let mut all = self.wrong.lock().unwrap_or_else(PoisonError::into_inner);
        // Several parts may read the same variable.
        if !all.contains(&wrong) {
            all.push(wrong);
        }
    }

    pub(crate) fn wrong(&self) -> Vec<Wrong> {
        let wrong = self.wrong.lock();
        wrong.unwrap_or_else(PoisonError::into_inner).clone()
    }

    /// As soon as there is a log.
    pub(crate) fn complain(&self) {
        for wrong in self.wrong() {
            let Wrong {
                variable,
                value,
                instead,
            } = wrong;
            tracing::warn!(
                variable,
                value,
                instead,
                "a variable of the environment is not understood"
            );
        }
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_bad_value_is_told_once_with_what_holds_instead() {
        let variables = Variables::of(&[("A", "many"), ("B", "0"), ("C", "yes"), ("D", "7")]);
        assert_eq!(variables.count("A", 5), 5);
        assert_eq!(variables.count("A", 5), 5);
        assert_eq!(variables.count("B", 5), 5);
        assert!(!variables.is_true("C"));
        assert_eq!(variables.count("D", 5), 7);
        assert_eq!(variables.count("E", 5), 5);
        let wrong = variables.wrong();
        let told: Vec<_> = wrong
            .iter()
            .map(|wrong| (wrong.variable.as_str(), wrong.instead.as_str()))
            .collect();
        assert_eq!(told, [("A", "5"), ("B", "5"), ("C", "false")]);
    }

    #[test]
    fn empty_is_unset() {
        let variables = Variables::of(&[("A", ""), ("B", "  ")]);
        assert_eq!(variables.count("A", 5), 5);
        assert_eq!(variables.text("B"), None);
        assert_eq!(variables.wrong(), []);
    }
}
