//! A definite no: from a peer, or from the order's own rules.

/// Why something will not be done. Asking again gives the same answer.
#[derive(Debug, Clone, PartialEq, Eq, serde::Serialize, serde::Deserialize)]
pub struct Refusal {
    /// One of the stable reasons of the API.
    pub code: String,
    /// For people; nothing of hosts or tables.
    pub message: String,
    pub metadata: Vec<(String, String)>,
    pub violations: Vec<Violation>,
}

/// A precondition that does not hold.
#[derive(Debug, Clone, PartialEq, Eq, serde::Serialize, serde::Deserialize)]
pub struct Violation {
    pub kind: String,
    pub subject: String,
    pub description: String,
}

impl Refusal {
    pub fn new(code: &str, message: impl Into<String>) -> Self {
        Self {
            code: code.to_owned(),
            message: message.into(),
            metadata: Vec::new(),
            violations: Vec::new(),
        }
    }

    pub fn with(mut self, key: &str, value: impl ToString) -> Self {
        self.metadata.push((key.to_owned(), value.to_string()));
        self
    }
}
