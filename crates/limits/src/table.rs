//! Buckets of this process.

use std::{collections::HashMap, time::Duration};

use crate::{
    Exceeded,
    bucket::{Bucket, Take},
    subject::Name,
};

/// Some 5 MB. More subjects than this within the seconds in which a bucket
/// drains are an attack from many addresses.
const BUCKETS_MAX: usize = 65_536;

/// Holds [`BUCKETS_MAX`] buckets at most, those that matter most.
#[derive(Debug, Default)]
pub(crate) struct Table {
    buckets: HashMap<Name, Bucket>,
}

impl Table {
    /// Takes all or nothing.
    pub(crate) fn take(&mut self, takes: &[Take], now_us: u64) -> Result<(), Exceeded> {
        let waits = takes.iter().map(|take| {
            let bucket = self.buckets.get(&take.name).copied().unwrap_or_default();
            (bucket.wait_us(take, now_us), take.dimension)
        });
        if let Some((wait_us, dimension)) = waits.max_by_key(|(wait_us, _)| *wait_us)
            && wait_us > 0
        {
            return Err(Exceeded {
                dimension,
                retry_after: Duration::from_micros(wait_us),
            });
        }
        for take in takes {
            if self.buckets.len() >= BUCKETS_MAX && !self.buckets.contains_key(&take.name) {
                self.make_room(now_us);
            }
            self.buckets
                .entry(take.name)
                .or_default()
                .pour(take, now_us);
        }
        Ok(())
    }

    pub(crate) fn give_back(&mut self, take: &Take, now_us: u64) {
        if let Some(bucket) = self.buckets.get_mut(&take.name) {
            bucket.give_back(take, now_us);
        }
    }

    /// Forgets what has drained. If that is too little, the half that drains
    /// next: the busiest are remembered. A quarter is free afterwards, so this
    /// is not needed again for thousands of calls.
    fn make_room(&mut self, now_us: u64) {
        self.buckets.retain(|_, bucket| bucket.empty_at_us > now_us);
        if self.buckets.len() > BUCKETS_MAX / 4 * 3 {
            let mut ends: Vec<u64> = self.buckets.values().map(|b| b.empty_at_us).collect();
            let middle = ends.len() / 2;
            let (_, &mut middle, _) = ends.select_nth_unstable(middle);
            self.buckets.retain(|_, bucket| bucket.empty_at_us > middle);
        }
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::{Dimension, Quota, Settings, subject};

    fn settings() -> Settings {
        Settings {
            customer: Quota::new(1, 10),
            address: Quota::new(1, 3),
            ..Settings::default()
        }
    }

    fn take(table: &mut Table, of: &[(Dimension, &str)], now_us: u64) -> Result<(), Exceeded> {
        table.take(&subject::takes(&settings(), of, 1), now_us)
    }

    #[test]
    fn a_refused_call_uses_up_nothing() {
        let mut table = Table::default();
        let both = [(Dimension::Customer, "c"), (Dimension::Address, "a")];
        for _ in 0..3 {
            take(&mut table, &both, 1).unwrap();
        }
        for _ in 0..20 {
            let refused = take(&mut table, &both, 1).unwrap_err();
            assert_eq!(refused.dimension, Dimension::Address);
            assert_eq!(refused.retry_after, Duration::from_secs(1));
        }
        for _ in 0..7 {
            take(&mut table, &both[..1], 1).unwrap();
        }
        assert!(take(&mut table, &both[..1], 1).is_err());
    }

    #[test]
    fn a_flood_of_addresses_keeps_within_memory_and_the_busiest_in_mind() {
        let mut table = Table::default();
        for _ in 0..3 {
            take(&mut table, &[(Dimension::Address, "busy")], 1).unwrap();
        }
        for i in 0..(3 * BUCKETS_MAX as u64) {
            let address = format!("one of many {i}");
            take(&mut table, &[(Dimension::Address, &address)], 1 + i / 1_000).unwrap();
            assert!(table.buckets.len() <= BUCKETS_MAX);
        }
        assert!(take(&mut table, &[(Dimension::Address, "busy")], 1).is_err());
    }

    #[test]
    fn what_has_drained_makes_room_first() {
        let mut table = Table::default();
        for i in 0..BUCKETS_MAX {
            take(&mut table, &[(Dimension::Address, &i.to_string())], 1).unwrap();
        }
        take(&mut table, &[(Dimension::Address, "next")], 2_000_000).unwrap();
        assert_eq!(table.buckets.len(), 1);
    }
}
