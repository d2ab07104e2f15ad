use crate::domain::Intent;

/// Why the provider did not do what it was asked to.
#[derive(Debug, Clone, thiserror::Error)]
pub enum ProviderError {
    /// The customer's bank said no. `intent` is what is left of the attempt.
    #[error("declined: {code}")]
    Declined {
        code: String,
        intent: Option<Intent>,
    },
    /// The provider refused, and would again. Nothing was done.
    #[error("refused: {code}: {message}")]
    Refused { code: String, message: String },
    /// There is no such object.
    #[error("the provider has no such object")]
    NotFound,
    /// It may or may not have been done: repeat with the same key, or ask.
    #[error("outcome unknown: {0}")]
    Unknown(String),
    /// It was not done, and may be tried again: the provider could not be
    /// reached, sheds load, or does not let us in.
    #[error("not done: {0}")]
    Unavailable(String),
}
