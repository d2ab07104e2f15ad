//! Idempotency as the peers promise it: the first answer counts.

use std::collections::HashMap;

use prost::Message;
use rpc::{Problem, Reason};

type Kept = (Vec<u8>, Result<Vec<u8>, Problem>);

#[derive(Default)]
pub struct Keys(HashMap<(&'static str, String), Kept>);

impl Keys {
    /// The kept answer of `key`, if there is one.
    pub fn find<Q: Message, A: Message + Default>(
        &self,
        method: &'static str,
        key: &str,
        request: &Q,
    ) -> Option<Result<A, Problem>> {
        let (asked, answer) = self.0.get(&(method, key.to_owned()))?;
        if *asked != request.encode_to_vec() {
            let message = format!("{method} {key} was used for another request");
            return Some(Err(Problem::new(Reason::IdempotencyKeyReused, message)));
        }
        Some(
            answer
                .clone()
                .map(|bytes| A::decode(bytes.as_slice()).unwrap()),
        )
    }

    /// Keeps successes and definite refusals.
    pub fn keep<Q: Message, A: Message>(
        &mut self,
        method: &'static str,
        key: &str,
        request: &Q,
        answer: &Result<A, Problem>,
    ) {
        assert!(!key.is_empty(), "{method} came without a key");
        let kept = match answer {
            Ok(answer) => Ok(answer.encode_to_vec()),
            Err(problem) if problem.code() == tonic::Code::FailedPrecondition => {
                Err(problem.clone())
            }
            Err(_) => return,
        };
        let place = (method, key.to_owned());
        self.0.insert(place, (request.encode_to_vec(), kept));
    }
}

/// The key of a single call.
pub fn key_of<T>(request: &tonic::Request<T>) -> String {
    let value = request.metadata().get("idempotency-key");
    value
        .map(|value| value.to_str().unwrap().to_owned())
        .unwrap_or_default()
}
