//! What happens on a connection, and by when something else must.

use std::time::{Duration, Instant};

use parking_lot::Mutex;

use crate::limits::Times;

const PREFACE: &[u8] = b"PRI * HTTP/2.0\r\n\r\nSM\r\n\r\n";

/// How long a connection that shall end may stay open without a request: time
/// for the client to hear of it and for requests that were on their way.
const LINGER: Duration = Duration::from_secs(2);

/// How long a connection that shall end still takes a request over HTTP/1. There
/// a client cannot be told to go but by an answer, and one that asks while the
/// connection is closed does not know whether it was heard.
const LAST_CALL: Duration = Duration::from_millis(500);

/// Shared by the socket, the requests and the loop of one connection.
#[derive(Debug)]
pub(crate) struct Activity(Mutex<State>);

#[derive(Debug)]
struct State {
    protocol: Protocol,
    phase: Phase,
    had_request: bool,
    in_flight: usize,
    /// Without a request since then.
    quiet_since: Instant,
    /// HTTP/1: the first byte of a head that is not complete.
    head_since: Option<Instant>,
    /// Of those in flight, how many have an answer that the client does not
    /// take.
    untaken: usize,
    /// When the client last took something of an answer.
    taken_at: Instant,
    /// The socket takes no more since then.
    blocked_since: Option<Instant>,
}

#[derive(Debug, Clone, Copy)]
enum Protocol {
    /// As many bytes as HTTP/2 would begin with came so far.
    Unknown(usize),
    Http1,
    Http2,
}

#[derive(Debug, Clone, Copy)]
enum Phase {
    Open,
    /// Over HTTP/1 the next answer is the last.
    LastCall(Instant),
    /// The client was told to go.
    Ending(Instant),
}

/// What a connection took too long for.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(crate) enum Overdue {
    /// A request was not sent in time.
    Head,
    /// No request came for long: the connection may end in peace.
    Request,
    /// The client takes nothing of what it asked for.
    Taking,
    /// The end, which it was told.
    End,
}

impl Activity {
    pub(crate) fn new() -> Self {
        let now = Instant::now();
        Self(Mutex::new(State {
            protocol: Protocol::Unknown(0),
            phase: Phase::Open,
            had_request: false,
            in_flight: 0,
            quiet_since: now,
            head_since: None,
            untaken: 0,
            taken_at: now,
            blocked_since: None,
        }))
    }

    pub(crate) fn received(&self, bytes: &[u8]) {
        let mut state = self.0.lock();
        match state.protocol {
            Protocol::Http2 => {}
            Protocol::Http1 if state.in_flight > 0 => {}
            Protocol::Http1 => {
                state.head_since.get_or_insert_with(Instant::now);
            }
            Protocol::Unknown(known) => state.recognize(known, bytes),
        }
    }

    pub(crate) fn request_began(&self) {
        let mut state = self.0.lock();
        state.had_request = true;
        state.head_since = None;
        state.in_flight += 1;
    }

    pub(crate) fn request_ended(&self) {
        let mut state = self.0.lock();
        state.in_flight -= 1;
        state.quiet_since = Instant::now();
    }

    pub(crate) fn answer_waits(&self) {
        let mut state = self.0.lock();
        state.untaken += 1;
        state.taken_at = Instant::now();
    }

    pub(crate) fn answer_taken(&self) {
        let mut state = self.0.lock();
        state.untaken -= 1;
        state.taken_at = Instant::now();
    }

    pub(crate) fn socket_blocked(&self, blocked: bool) {
        self.0.lock().blocked_since = blocked.then(Instant::now);
    }

    pub(crate) fn is_open(&self) -> bool {
        matches!(self.0.lock().phase, Phase::Open)
    }

    /// The connection shall end. Whether the client can be told at once.
    pub(crate) fn last_call(&self) -> bool {
        let mut state = self.0.lock();
        state.phase = Phase::LastCall(Instant::now());
        matches!(state.protocol, Protocol::Http2)
    }

    /// Whether an answer has to say that the connection ends with it.
    pub(crate) fn answers_last(&self) -> bool {
        let state = self.0.lock();
        !matches!(
            (state.protocol, state.phase),
            (Protocol::Http2, _) | (_, Phase::Open)
        )
    }

    /// The client was told to go.
    pub(crate) fn ends(&self) {
        self.0.lock().phase = Phase::Ending(Instant::now());
    }

    /// By when something must have changed, else what is overdue; `None` while
    /// the answer of the service is awaited.
    pub(crate) fn due(&self, times: &Times) -> Option<(Instant, Overdue)> {
        let state = self.0.lock();
        let taken = |since| (since + times.stall, Overdue::Taking);
        let blocked = state.blocked_since.map(taken);
        let other = match state.in_flight {
            0 => Some(state.quiet(times)),
            all if all == state.untaken => Some(taken(state.taken_at)),
            _ => None,
        };
        let both = blocked.into_iter().chain(other);
        both.min_by_key(|(by, _)| *by)
    }
}

impl State {
    fn recognize(&mut self, known: usize, bytes: &[u8]) {
        let expected = &PREFACE[known..];
        let compared = expected.len().min(bytes.len());
        self.protocol = if expected[..compared] != bytes[..compared] {
            self.head_since = Some(Instant::now());
            Protocol::Http1
        } else if compared == expected.len() {
            self.quiet_since = Instant::now();
            Protocol::Http2
        } else {
            Protocol::Unknown(known + compared)
        };
    }

    fn quiet(&self, times: &Times) -> (Instant, Overdue) {
        match self.phase {
            Phase::Open => {}
            Phase::LastCall(since) => return (since + LAST_CALL, Overdue::Request),
            Phase::Ending(since) => {
                return (since.max(self.quiet_since) + LINGER, Overdue::End);
            }
        }
        let first = (self.quiet_since + times.header, Overdue::Head);
        let next = (self.quiet_since + times.idle, Overdue::Request);
        match (self.protocol, self.head_since) {
            (Protocol::Http2, _) => next,
            (Protocol::Http1, Some(since)) if self.had_request => {
                (since + times.header, Overdue::Head)
            }
            (Protocol::Http1, None) if self.had_request => next,
            _ => first,
        }
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    const TIMES: Times = Times {
        handshake: Duration::from_secs(1),
        header: Duration::from_secs(10),
        idle: Duration::from_secs(300),
        stall: Duration::from_secs(30),
        age: Duration::from_secs(1800),
    };

    fn due(activity: &Activity) -> Option<(u64, Overdue)> {
        let now = Instant::now();
        let left = |by: Instant| by.duration_since(now).as_secs_f64().round() as u64;
        let due = activity.due(&TIMES);
        due.map(|(by, what)| (left(by), what))
    }

    #[test]
    fn a_connection_must_say_early_what_it_wants() {
        let activity = Activity::new();
        assert_eq!(due(&activity), Some((10, Overdue::Head)));
        activity.received(&PREFACE[..20]);
        assert_eq!(due(&activity), Some((10, Overdue::Head)));
        activity.received(&PREFACE[20..]);
        assert_eq!(due(&activity), Some((300, Overdue::Request)));
    }

    #[test]
    fn between_requests_a_connection_may_rest_but_not_dawdle() {
        let activity = Activity::new();
        activity.received(b"GET / HTTP/1.1\r\n");
        assert_eq!(due(&activity), Some((10, Overdue::Head)));
        activity.request_began();
        assert_eq!(due(&activity), None);
        activity.request_ended();
        assert_eq!(due(&activity), Some((300, Overdue::Request)));
        activity.received(b"G");
        assert_eq!(due(&activity), Some((10, Overdue::Head)));
    }

    #[test]
    fn an_answer_must_be_taken() {
        let activity = Activity::new();
        activity.received(PREFACE);
        activity.request_began();
        activity.request_began();
        activity.answer_waits();
        assert_eq!(due(&activity), None, "one is still being answered");
        activity.answer_waits();
        assert_eq!(due(&activity), Some((30, Overdue::Taking)));
        activity.answer_taken();
        assert_eq!(due(&activity), None);
        activity.socket_blocked(true);
        assert_eq!(due(&activity), Some((30, Overdue::Taking)));
    }
}
