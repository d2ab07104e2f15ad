//! Faults that a test arms for the next calls of a method.

use std::collections::{HashMap, VecDeque};
use std::sync::Mutex;
use std::time::Duration;

use rpc::{Problem, Reason};
use tokio::sync::Semaphore;

#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Fault {
    /// Nothing happens, and the caller is told to try later.
    Fail,
    /// It happens, and the caller does not hear of it.
    LoseAnswer,
    /// It happens twice, as if the call had been delivered twice.
    Twice,
    /// Nothing happens, and no answer ever comes.
    HangBefore,
    /// It happens, and no answer ever comes.
    HangAfter,
    /// It takes long.
    Slow(Duration),
    /// A definite no.
    Refuse(Reason),
}

pub struct Faults {
    armed: Mutex<HashMap<&'static str, VecDeque<Fault>>>,
    calls: Mutex<Vec<(&'static str, String)>>,
    hanging: Semaphore,
}

impl Default for Faults {
    fn default() -> Self {
        Self {
            armed: Mutex::default(),
            calls: Mutex::default(),
            hanging: Semaphore::new(0),
        }
    }
}

impl Faults {
    /// The next calls of `method` meet these, in order.
    pub fn arm(&self, method: &'static str, faults: &[Fault]) {
        let mut armed = self.armed.lock().unwrap();
        armed.entry(method).or_default().extend(faults);
    }

    pub fn disarm(&self) {
        self.armed.lock().unwrap().clear();
    }

    /// True when every armed fault was met.
    pub fn all_met(&self) -> bool {
        self.armed.lock().unwrap().values().all(VecDeque::is_empty)
    }

    /// Waits until a call hangs.
    pub async fn hangs(&self) {
        let waited = tokio::time::timeout(Duration::from_secs(10), self.hanging.acquire());
        waited.await.expect("a call that hangs").unwrap().forget();
    }

    /// How many calls of `method` had this text in their key.
    pub fn calls(&self, method: &str, part_of_key: &str) -> usize {
        let calls = self.calls.lock().unwrap();
        let matches = |(name, key): &&(&str, String)| *name == method && key.contains(part_of_key);
        calls.iter().filter(matches).count()
    }

    /// Runs one call of a peer under whatever is armed for it.
    pub async fn around<T>(
        &self,
        method: &'static str,
        key: &str,
        act: impl Fn() -> Result<T, Problem> + Send,
    ) -> Result<T, Problem> {
        self.calls.lock().unwrap().push((method, key.to_owned()));
        let fault = self
            .armed
            .lock()
            .unwrap()
            .get_mut(method)
            .and_then(VecDeque::pop_front);
        match fault {
            None => act(),
            Some(Fault::Fail) => Err(Problem::unavailable("an armed fault")),
            Some(Fault::Refuse(reason)) => Err(Problem::new(reason, "an armed refusal")),
            Some(Fault::Twice) => {
                let _ = act();
                act()
            }
            Some(Fault::LoseAnswer) => {
                let _ = act();
                Err(Problem::unavailable("the answer is lost"))
            }
            Some(Fault::HangBefore) => self.hang().await,
            Some(Fault::HangAfter) => {
                let _ = act();
                self.hang().await
            }
            Some(Fault::Slow(time)) => {
                tokio::time::sleep(time).await;
                act()
            }
        }
    }

    async fn hang<T>(&self) -> T {
        self.hanging.add_permits(1);
        std::future::pending().await
    }
}
