//! Following a stream: whatever breaks it, it is opened again after the last
//! sequence that was seen, so that nothing is missed and nothing shown twice.

use std::time::Duration;

use futures::{Stream, StreamExt};
use tonic::Status;

use crate::failure::Failure;

const PAUSE_FIRST: Duration = Duration::from_millis(200);
const PAUSE_MAX: Duration = Duration::from_secs(5);

/// What a message said of where the stream is.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Sign {
    /// Everything up to this sequence was shown.
    Seen(i64),
    Nothing,
    /// The one who watches has seen what was waited for.
    Enough,
}

/// A stream that can be taken up again.
pub trait Feed {
    type Message;
    type Messages: Stream<Item = Result<Self::Message, Status>> + Unpin;

    /// Opens the stream after a sequence, or where the command line said.
    async fn open(&self, after: Option<i64>) -> Result<Self::Messages, Failure>;

    fn show(&self, message: Self::Message) -> Result<Sign, Failure>;

    fn broken(&self, status: Status) -> Failure;
}

/// Follows until it is enough, the process is ended, or the answer is definite.
pub async fn follow<F: Feed>(feed: &F) -> Result<(), Failure> {
    let mut seen = None;
    let mut connected_before = false;
    let mut pause = PAUSE_FIRST;
    loop {
        let failure = match feed.open(seen).await {
            Ok(mut stream) => {
                connected_before = true;
                match read(feed, &mut stream, &mut seen, &mut pause).await? {
                    End::Enough => return Ok(()),
                    End::Broken(status) => status.map(|status| feed.broken(status)),
                }
            }
            Err(failure) => Some(failure),
        };
        if let Some(failure) = failure {
            // A first try that fails is told at once: the address may be wrong.
            if !connected_before || !is_transient(&failure) {
                return Err(failure);
            }
            eprintln!("connection lost, trying again in {pause:?}");
        }
        tokio::time::sleep(pause).await;
        pause = (pause * 2).min(PAUSE_MAX);
    }
}

enum End {
    Enough,
    /// `None`: the server ended the stream in good order, as when it restarts.
    Broken(Option<Status>),
}

async fn read<F: Feed>(
    feed: &F,
    stream: &mut F::Messages,
    seen: &mut Option<i64>,
    pause: &mut Duration,
) -> Result<End, Failure> {
    loop {
        let message = match stream.next().await {
            Some(Ok(message)) => message,
            Some(Err(status)) => return Ok(End::Broken(Some(status))),
            None => return Ok(End::Broken(None)),
        };
        *pause = PAUSE_FIRST;
        match feed.show(message)? {
            Sign::Seen(sequence) => *seen = Some(sequence.max(seen.unwrap_or(sequence))),
            Sign::Nothing => {}
            Sign::Enough => return Ok(End::Enough),
        }
    }
}

fn is_transient(failure: &Failure) -> bool {
    let remote = failure.status().map(rpc::Remote::from);
    remote.is_some_and(|remote| remote.is_transient())
}

#[cfg(test)]
#[allow(clippy::unwrap_used, reason = "a test may fail by panic")]
mod tests {
    use std::cell::RefCell;

    use futures::stream;

    use super::*;

    type Part = Vec<Result<i64, Status>>;

    /// Each opening plays the next part of a script; 99 is enough.
    struct Scripted {
        parts: RefCell<Vec<Result<Part, Status>>>,
        opened_after: RefCell<Vec<Option<i64>>>,
        shown: RefCell<Vec<i64>>,
    }

    impl Scripted {
        fn new(mut parts: Vec<Result<Part, Status>>) -> Self {
            parts.reverse();
            Self {
                parts: parts.into(),
                opened_after: RefCell::default(),
                shown: RefCell::default(),
            }
        }
    }

    impl Feed for Scripted {
        type Message = i64;
        type Messages = stream::Iter<std::vec::IntoIter<Result<i64, Status>>>;

        async fn open(&self, after: Option<i64>) -> Result<Self::Messages, Failure> {
            self.opened_after.borrow_mut().push(after);
            let part = self.parts.borrow_mut().pop().unwrap();
            part.map(stream::iter).map_err(|status| self.broken(status))
        }

        fn show(&self, message: i64) -> Result<Sign, Failure> {
            self.shown.borrow_mut().push(message);
            Ok(match message {
                99 => Sign::Enough,
                0 => Sign::Nothing,
                sequence => Sign::Seen(sequence),
            })
        }

        fn broken(&self, status: Status) -> Failure {
            Failure::Call(Box::new(crate::failure::CallFailure {
                service: "order-service",
                url: "http://127.0.0.1:1".to_owned(),
                status,
                key: None,
            }))
        }
    }

    fn lost() -> Status {
        Status::unavailable("gone")
    }

    #[tokio::test]
    async fn a_broken_stream_is_opened_again_after_the_last_sequence_seen() {
        let feed = Scripted::new(vec![
            Ok(vec![Ok(1), Ok(2), Err(lost())]),
            Err(lost()),
            Ok(vec![Ok(0), Ok(3)]),
            Ok(vec![Ok(99)]),
        ]);
        follow(&feed).await.unwrap();
        assert_eq!(
            *feed.opened_after.borrow(),
            [None, Some(2), Some(2), Some(3)]
        );
        assert_eq!(*feed.shown.borrow(), [1, 2, 0, 3, 99]);
    }

    #[tokio::test]
    async fn a_first_connection_that_fails_is_told_at_once() {
        let feed = Scripted::new(vec![Err(lost())]);
        let failure = follow(&feed).await.unwrap_err();
        assert_eq!(failure.exit(), crate::exit::Exit::Unavailable);
    }

    #[tokio::test]
    async fn a_definite_refusal_ends_the_watch() {
        let refusal = Status::not_found("no order");
        let feed = Scripted::new(vec![Ok(vec![Ok(1), Err(refusal)])]);
        let failure = follow(&feed).await.unwrap_err();
        assert_eq!(failure.exit(), crate::exit::Exit::Refused);
    }
}
