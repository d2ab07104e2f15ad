//! The one error: a single line that names the key.

use std::fmt;

use serde::de::{Expected, Unexpected};

use crate::tree::{Node, Origin, Value};

/// What is wrong with the settings. Prints as one line, without secrets.
#[derive(Debug, Clone, PartialEq, Eq, thiserror::Error)]
pub struct SettingsError {
    /// Levels of the key, outermost first. Empty until it is known.
    path: Vec<String>,
    /// What stands at the key, and where that was written.
    found: Option<String>,
    problem: Problem,
}

#[derive(Debug, Clone, PartialEq, Eq)]
enum Problem {
    /// The file or the name of a variable cannot be read at all.
    Unreadable(String),
    Unknown {
        known: Vec<String>,
    },
    Missing {
        /// The variable that would set it; empty until the path is known.
        env: String,
    },
    Invalid(String),
    SetTwice,
}

impl SettingsError {
    /// A rule between keys that their types cannot state.
    pub fn invalid(key: &str, message: impl Into<String>) -> Self {
        Self {
            path: key.split('.').map(str::to_owned).collect(),
            ..Self::of(Problem::Invalid(message.into()))
        }
    }

    /// The full dotted key, if the error is about one.
    pub fn key(&self) -> Option<String> {
        (!self.path.is_empty()).then(|| self.path.join("."))
    }

    fn of(problem: Problem) -> Self {
        Self {
            path: Vec::new(),
            found: None,
            problem,
        }
    }

    pub(crate) fn file(name: &str, message: &str) -> Self {
        Self::of(Problem::Unreadable(format!("{name}: {message}")))
    }

    pub(crate) fn variable(name: &str) -> Self {
        Self::of(Problem::Unreadable(format!(
            "{name}: expected one name between each two double underscores"
        )))
    }

    pub(crate) fn unknown(path: Vec<String>, known: &[&str], origin: &Origin) -> Self {
        let known = known.iter().map(|&field| field.to_owned()).collect();
        Self {
            path,
            found: Some(place(origin)),
            problem: Problem::Unknown { known },
        }
    }

    pub(crate) fn invalid_section() -> Self {
        Self::of(Problem::Invalid("expected a section".to_owned()))
    }

    pub(crate) fn set_twice(path: Vec<String>) -> Self {
        Self {
            path,
            ..Self::of(Problem::SetTwice)
        }
    }

    pub(crate) fn missing(path: Vec<String>, prefix: &str) -> Self {
        let env = variable_of(&path, prefix);
        Self {
            path,
            ..Self::of(Problem::Missing { env })
        }
    }

    pub(crate) fn missing_path(&self) -> Option<&[String]> {
        matches!(self.problem, Problem::Missing { .. }).then_some(&self.path)
    }

    /// Puts the error of a visitor, which knows no keys, at its key.
    pub(crate) fn at(mut self, path: &[String], node: &Node, prefix: &str) -> Self {
        match &mut self.problem {
            Problem::Missing { env } if env.is_empty() => {
                self.path.splice(0..0, path.iter().cloned());
                *env = variable_of(&self.path, prefix);
            }
            Problem::Invalid(_) if self.path.is_empty() => {
                self.path = path.to_vec();
                self.found = Some(format!(
                    "got {}{}",
                    describe(path, node),
                    place(&node.origin)
                ));
            }
            _ => {}
        }
        self
    }
}

fn variable_of(path: &[String], prefix: &str) -> String {
    format!("{prefix}__{}", path.join("__").to_uppercase())
}

fn place(origin: &Origin) -> String {
    match origin {
        Origin::Nowhere => String::new(),
        Origin::File(name) => format!(" (in {name})"),
        Origin::Env(name) => format!(" (from {name})"),
        Origin::SecretFile(name) => format!(" (from the secret file {name})"),
    }
}

fn describe(path: &[String], node: &Node) -> String {
    match &node.value {
        Value::Empty | Value::Null => "nothing".to_owned(),
        Value::Bool(flag) => format!("`{flag}`"),
        Value::Int(number) => format!("the integer {number}"),
        Value::Float(number) => format!("the number {number}"),
        Value::Text(_) if may_be_secret(path, &node.origin) => "a text (not shown)".to_owned(),
        Value::Text(text) => format!("the text {text:?}"),
        Value::List(_) => "a list".to_owned(),
        Value::Table(_) => "a section".to_owned(),
    }
}

fn may_be_secret(path: &[String], origin: &Origin) -> bool {
    let words = ["secret", "password", "token", "key", "url", "credential"];
    matches!(origin, Origin::SecretFile(_))
        || path
            .last()
            .is_some_and(|key| words.iter().any(|word| key.contains(word)))
}

impl fmt::Display for SettingsError {
    /// Keys and names may hold anything, also line breaks: those are shown as
    /// they are written in a string.
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        for found in self.text().chars() {
            match found.is_control() {
                true => write!(f, "{}", found.escape_default())?,
                false => write!(f, "{found}")?,
            }
        }
        Ok(())
    }
}

impl SettingsError {
    fn text(&self) -> String {
        let key = self.path.join(".");
        let found = self.found.as_deref().unwrap_or_default();
        match &self.problem {
            Problem::Unreadable(message) => message.clone(),
            Problem::Unknown { known } if known.is_empty() => {
                format!("unknown key `{key}`{found}; no key is known here")
            }
            Problem::Unknown { known } => {
                let known = known.join("`, `");
                format!("unknown key `{key}`{found}; known here: `{known}`")
            }
            Problem::Missing { env } => {
                format!("missing key `{key}`: set it in the file or by {env}")
            }
            Problem::Invalid(message) if found.is_empty() => format!("key `{key}`: {message}"),
            Problem::Invalid(message) => format!("key `{key}`: {message}, {found}"),
            Problem::SetTwice => format!("key `{key}` and `{key}_file` are both set; keep one"),
        }
    }
}

impl serde::de::Error for SettingsError {
    fn custom<T: fmt::Display>(message: T) -> Self {
        Self::of(Problem::Invalid(one_line(&message.to_string())))
    }

    fn invalid_type(_: Unexpected<'_>, expected: &dyn Expected) -> Self {
        Self::custom(format!("expected {}", for_people(&expected.to_string())))
    }

    fn invalid_value(unexpected: Unexpected<'_>, expected: &dyn Expected) -> Self {
        Self::invalid_type(unexpected, expected)
    }

    fn invalid_length(length: usize, expected: &dyn Expected) -> Self {
        Self::custom(format!("expected {expected}, which {length} are not"))
    }

    fn unknown_variant(_: &str, expected: &'static [&'static str]) -> Self {
        Self::custom(format!("expected one of `{}`", expected.join("`, `")))
    }

    fn missing_field(field: &'static str) -> Self {
        Self {
            path: vec![field.to_owned()],
            ..Self::of(Problem::Missing { env: String::new() })
        }
    }
}

fn one_line(message: &str) -> String {
    message.split_whitespace().collect::<Vec<_>>().join(" ")
}

/// Serde names the types of Rust.
fn for_people(expected: &str) -> String {
    let range = |low: &str, high: &str| format!("an integer from {low} to {high}");
    match expected {
        "u8" => range("0", "255"),
        "u16" => range("0", "65535"),
        "u32" => range("0", "4294967295"),
        "u64" | "usize" => "an integer that is not negative".to_owned(),
        "i8" => range("-128", "127"),
        "i16" => range("-32768", "32767"),
        "i32" => range("-2147483648", "2147483647"),
        "i64" | "isize" => "an integer".to_owned(),
        "f32" | "f64" => "a number".to_owned(),
        "a boolean" => "`true` or `false`".to_owned(),
        "a sequence" => "a list".to_owned(),
        other if other.starts_with("struct ") => "a section".to_owned(),
        other => other.to_owned(),
    }
}
