//! Free TCP ports of the loopback interface.

use std::collections::HashSet;
use std::net::{Ipv4Addr, TcpListener};
use std::sync::{Mutex, PoisonError};

/// Below the range from which systems take the ports of outgoing connections,
/// so that none of those can take a port between its choice and its use.
const RANGE: std::ops::Range<u16> = 20_000..32_000;

/// A port on which nobody listens and which this process was not given before.
pub fn free_port() -> u16 {
    static GIVEN: Mutex<Option<HashSet<u16>>> = Mutex::new(None);
    let mut given = GIVEN.lock().unwrap_or_else(PoisonError::into_inner);
    let given = given.get_or_insert_default();
    for _ in 0..1_000 {
        let port = rand::random_range(RANGE);
        let is_free = TcpListener::bind((Ipv4Addr::LOCALHOST, port)).is_ok();
        if is_free && given.insert(port) {
            return port;
        }
    }
    panic!("no free port in {RANGE:?} on 127.0.0.1");
}
