//! Answers by idempotency key, as each service keeps them.

use std::collections::HashMap;

/// What is known under a key.
#[derive(Debug, Clone)]
pub enum Kept<W, A> {
    /// The work has begun; its answer is not known.
    Open(W),
    Answered(A),
}

#[derive(Debug, Clone)]
pub struct Keys<W, A>(HashMap<String, Kept<W, A>>);

impl<W, A> Default for Keys<W, A> {
    fn default() -> Self {
        Self(HashMap::new())
    }
}

impl<W: Clone, A: Clone> Keys<W, A> {
    pub fn get(&self, key: &str) -> Option<Kept<W, A>> {
        self.0.get(key).cloned()
    }

    pub fn begin(&mut self, key: &str, work: W) {
        self.0.insert(key.to_owned(), Kept::Open(work));
    }

    /// The answer that counts: the first that was kept.
    pub fn keep(&mut self, key: &str, answer: A) -> A {
        if let Some(Kept::Answered(first)) = self.0.get(key) {
            return first.clone();
        }
        self.0
            .insert(key.to_owned(), Kept::Answered(answer.clone()));
        answer
    }
}
