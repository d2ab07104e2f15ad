//! Random ids in Stripe's form: a prefix that tells the kind, then 24 letters
//! and digits.

use rand::distr::{Alphanumeric, SampleString};

pub fn random(prefix: &str) -> String {
    let tail = Alphanumeric.sample_string(&mut rand::rng(), 24);
    format!("{prefix}_{tail}")
}
