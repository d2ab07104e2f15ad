//! How many connections there are, in all and of each address.

use std::{
    collections::HashMap,
    net::{IpAddr, Ipv6Addr},
    sync::Arc,
};

use parking_lot::Mutex;

/// The places of one listener.
#[derive(Debug)]
pub(crate) struct Places {
    max: usize,
    max_per_address: usize,
    taken: Mutex<Taken>,
}

#[derive(Debug, Default)]
struct Taken {
    total: usize,
    by_address: HashMap<IpAddr, usize>,
}

/// Held by a connection while it is open.
#[derive(Debug)]
pub(crate) struct Place {
    places: Arc<Places>,
    address: IpAddr,
}

/// Which limit is reached.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(crate) enum Full {
    Listener,
    Address,
}

impl Places {
    pub(crate) fn new(max: usize, max_per_address: usize) -> Arc<Self> {
        let taken = Mutex::default();
        Arc::new(Self {
            max,
            max_per_address,
            taken,
        })
    }

    pub(crate) fn take(self: &Arc<Self>, address: IpAddr) -> Result<Place, Full> {
        let address = holder(address);
        let mut taken = self.taken.lock();
        if taken.total >= self.max {
            return Err(Full::Listener);
        }
        let own = taken.by_address.get(&address).copied().unwrap_or_default();
        if own >= self.max_per_address {
            return Err(Full::Address);
        }
        taken.by_address.insert(address, own + 1);
        taken.total += 1;
        let places = self.clone();
        Ok(Place { places, address })
    }
}

impl Drop for Place {
    fn drop(&mut self) {
        let mut taken = self.places.taken.lock();
        taken.total -= 1;
        if let Some(own) = taken.by_address.get_mut(&self.address) {
            *own -= 1;
            if *own == 0 {
                taken.by_address.remove(&self.address);
            }
        }
    }
}

/// Whoever has one address of an IPv6 network has all 2^64 of it.
fn holder(address: IpAddr) -> IpAddr {
    match address.to_canonical() {
        IpAddr::V6(address) => {
            let [a, b, c, d, ..] = address.segments();
            Ipv6Addr::new(a, b, c, d, 0, 0, 0, 0).into()
        }
        address => address,
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    fn ip(text: &str) -> IpAddr {
        text.parse().unwrap()
    }

    #[test]
    fn a_place_is_free_again_when_its_connection_ends() {
        let places = Places::new(3, 2);
        let first = places.take(ip("10.0.0.1")).unwrap();
        let _second = places.take(ip("10.0.0.1")).unwrap();
        assert_eq!(places.take(ip("10.0.0.1")).err(), Some(Full::Address));
        let _third = places.take(ip("10.0.0.2")).unwrap();
        assert_eq!(places.take(ip("10.0.0.3")).err(), Some(Full::Listener));
        drop(first);
        let _again = places.take(ip("10.0.0.1")).unwrap();
        assert_eq!(places.taken.lock().total, 3);
    }

    #[test]
    fn an_address_without_connections_is_forgotten() {
        let places = Places::new(3, 2);
        drop(places.take(ip("10.0.0.1")).unwrap());
        assert!(places.taken.lock().by_address.is_empty());
    }

    #[test]
    fn a_network_of_one_holder_counts_as_one_address() {
        let places = Places::new(9, 1);
        let _one = places.take(ip("2001:db8:1:2::1")).unwrap();
        let same = places.take(ip("2001:db8:1:2:ffff::9"));
        assert_eq!(same.err(), Some(Full::Address));
        let _other = places.take(ip("2001:db8:1:3::1")).unwrap();
        let _mapped = places.take(ip("::ffff:10.0.0.1")).unwrap();
        assert_eq!(places.take(ip("10.0.0.1")).err(), Some(Full::Address));
    }
}
