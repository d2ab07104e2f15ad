//! Stripe's form encoding: flat names with brackets. Each getter takes its
//! parameters out, so that [`Form::end`] can name one that nobody knows.

use std::collections::BTreeMap;

use super::card_number::is_card_field;
use crate::books::keys::Fingerprint;
use crate::wire::Problem;

use sha2::{Digest, Sha256};

pub struct Form(BTreeMap<String, String>);

const METADATA_KEYS_MAX: usize = 50;
const METADATA_KEY_CHARS_MAX: usize = 40;
const METADATA_VALUE_CHARS_MAX: usize = 500;

impl Form {
    /// Of a name that comes twice the last counts.
    pub fn parse(encoded: &[u8]) -> Result<Form, Problem> {
        let pairs: BTreeMap<String, String> =
            form_urlencoded::parse(encoded).into_owned().collect();
        for (name, value) in &pairs {
            if is_card_field(name)
                || types::holds_card_number(name)
                || types::holds_card_number(value)
            {
                return Err(card_data());
            }
        }
        Ok(Form(pairs))
    }

    /// Equal for requests that ask for the same of the same path.
    pub fn fingerprint(&self, path: &str) -> Fingerprint {
        let mut hash = Sha256::new();
        let mut part = |text: &str| {
            hash.update(u64::try_from(text.len()).unwrap_or(u64::MAX).to_be_bytes());
            hash.update(text.as_bytes());
        };
        part(path);
        for (name, value) in &self.0 {
            part(name);
            part(value);
        }
        let mut fingerprint = Fingerprint::default();
        let length = fingerprint.len();
        fingerprint.copy_from_slice(&hash.finalize()[..length]);
        fingerprint
    }

    /// An empty value is none, as with Stripe.
    pub fn text(
        &mut self,
        name: &'static str,
        chars_max: usize,
    ) -> Result<Option<String>, Problem> {
        match self.0.remove(name).filter(|value| !value.is_empty()) {
            Some(value) if value.chars().count() > chars_max => Err(Problem::invalid(format!(
                "Invalid string: {name} must be at most {chars_max} characters."
            ))
            .code("parameter_invalid_string")
            .param(name)),
            other => Ok(other),
        }
    }

    pub fn required(&mut self, name: &'static str) -> Result<String, Problem> {
        self.text(name, 255)?.ok_or_else(|| missing(name))
    }

    pub fn integer(&mut self, name: &'static str) -> Result<Option<i64>, Problem> {
        let Some(value) = self.0.remove(name) else {
            return Ok(None);
        };
        let number = value.parse().map_err(|_| {
            Problem::invalid(format!("Invalid integer: {value}"))
                .code("parameter_invalid_integer")
                .param(name)
        })?;
        Ok(Some(number))
    }

    /// At least 1 and at most `max`.
    pub fn amount(&mut self, name: &'static str, max: i64) -> Result<Option<i64>, Problem> {
        match self.integer(name)? {
            Some(amount) if amount < 1 => Err(Problem::invalid(
                "This value must be greater than or equal to 1.",
            )
            .code("parameter_invalid_integer")
            .param(name)),
            Some(amount) if amount > max => Err(Problem::invalid(format!(
                "Amount must be no more than {max}."
            ))
            .code("amount_too_large")
            .param(name)),
            other => Ok(other),
        }
    }

    pub fn flag(&mut self, name: &'static str) -> Result<Option<bool>, Problem> {
        match self.0.remove(name).as_deref() {
            None => Ok(None),
            Some("true") => Ok(Some(true)),
            Some("false") => Ok(Some(false)),
            Some(other) => Err(Problem::invalid(format!("Invalid boolean: {other}"))
                .code("parameter_invalid_boolean")
                .param(name)),
        }
    }

    /// One of a few words.
    pub fn choice<T: Copy>(
        &mut self,
        name: &'static str,
        choices: &[(&'static str, T)],
    ) -> Result<Option<T>, Problem> {
        let Some(value) = self.0.remove(name) else {
            return Ok(None);
        };
        let chosen = choices.iter().find(|(word, _)| *word == value);
        let words: Vec<&str> = choices.iter().map(|(word, _)| *word).collect();
        chosen.map(|(_, choice)| Some(*choice)).ok_or_else(|| {
            let words = words.join(", ");
            Problem::invalid(format!("Invalid {name}: must be one of {words}")).param(name)
        })
    }

    /// `metadata[key]=value`; empty values are left out.
    pub fn metadata(&mut self) -> Result<BTreeMap<String, String>, Problem> {
        let mut metadata = BTreeMap::new();
        for (name, value) in self.take_prefixed("metadata[") {
            let key = name.trim_start_matches("metadata[").trim_end_matches(']');
            let fits = key.chars().count() <= METADATA_KEY_CHARS_MAX
                && value.chars().count() <= METADATA_VALUE_CHARS_MAX;
            if !fits {
                return Err(Problem::invalid(format!(
                    "Metadata keys can have up to {METADATA_KEY_CHARS_MAX} characters and values up to {METADATA_VALUE_CHARS_MAX}."
                ))
                .param("metadata"));
            }
            if !value.is_empty() {
                metadata.insert(key.to_owned(), value);
            }
        }
        if metadata.len() > METADATA_KEYS_MAX {
            return Err(Problem::invalid(format!(
                "Metadata can have up to {METADATA_KEYS_MAX} keys."
            ))
            .param("metadata"));
        }
        Ok(metadata)
    }

    /// Parameters of Stripe that mean nothing here: the name itself, or with
    /// anything in brackets behind it.
    pub fn ignore(&mut self, names: &[&str]) {
        self.0.retain(|given, _| {
            !names.iter().any(|name| {
                let rest = given.strip_prefix(name);
                rest.is_some_and(|rest| rest.is_empty() || rest.starts_with('['))
            })
        });
    }

    /// Nothing may be left over.
    pub fn end(self) -> Result<(), Problem> {
        match self.0.into_keys().next() {
            None => Ok(()),
            Some(name) => Err(
                Problem::invalid(format!("Received unknown parameter: {name}"))
                    .code("parameter_unknown")
                    .param(name),
            ),
        }
    }

    fn take_prefixed(&mut self, prefix: &str) -> Vec<(String, String)> {
        let is_it = |name: &String| name.starts_with(prefix) && name.ends_with(']');
        let names: Vec<String> = self.0.keys().filter(|name| is_it(name)).cloned().collect();
        names
            .into_iter()
            .filter_map(|name| self.0.remove_entry(&name))
            .collect()
    }
}

pub fn missing(name: &'static str) -> Problem {
    Problem::invalid(format!("Missing required param: {name}."))
        .code("parameter_missing")
        .param(name)
}

/// Says nothing of what was sent.
pub fn card_data() -> Problem {
    Problem::invalid(
        "Card data is refused here and was not stored. Send a payment method token, such as pm_card_visa.",
    )
    .code("card_data_refused")
}
