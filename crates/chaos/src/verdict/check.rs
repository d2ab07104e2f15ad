//! One thing that must hold, how much was looked at, and what breaks it.

use serde::Serialize;

const EXAMPLES_MAX: usize = 10;

#[derive(Debug, Clone, Serialize)]
pub struct Check {
    pub name: &'static str,
    pub says: &'static str,
    /// A check that has looked at nothing proves nothing, and fails.
    pub looked_at: u64,
    pub violations: u64,
    pub examples: Vec<Example>,
    /// Why it could not be carried out to its end.
    pub trouble: Option<String>,
    /// What a reader should know beside the numbers.
    pub remark: Option<String>,
}

#[derive(Debug, Clone, PartialEq, Eq, Serialize)]
pub struct Example {
    pub order: Option<String>,
    pub what: String,
}

impl Check {
    pub fn new(name: &'static str, says: &'static str) -> Self {
        Self {
            name,
            says,
            looked_at: 0,
            violations: 0,
            examples: Vec::new(),
            trouble: None,
            remark: None,
        }
    }

    /// One that could not be carried out.
    pub fn failed(name: &'static str, says: &'static str, why: &anyhow::Error) -> Self {
        Self {
            trouble: Some(format!("{why:#}")),
            ..Self::new(name, says)
        }
    }

    pub fn passes(&self) -> bool {
        self.violations == 0 && self.looked_at > 0 && self.trouble.is_none()
    }

    /// It has found nothing wrong because there was nothing to look at.
    pub fn is_blind(&self) -> bool {
        self.violations == 0 && self.looked_at == 0 && self.trouble.is_none()
    }

    pub fn looked(&mut self) {
        self.looked_at += 1;
    }

    pub fn broken(&mut self, order: Option<&str>, what: impl Into<String>) {
        self.violations += 1;
        if self.examples.len() < EXAMPLES_MAX {
            self.examples.push(Example {
                order: order.map(str::to_owned),
                what: what.into(),
            });
        }
    }

    /// Notes what breaks the rule, unless it holds.
    pub fn expect(&mut self, holds: bool, order: Option<&str>, what: impl FnOnce() -> String) {
        if !holds {
            self.broken(order, what());
        }
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_check_that_looked_at_nothing_fails() {
        let mut check = Check::new("a", "b");
        assert!(check.is_blind() && !check.passes());
        check.looked();
        assert!(check.passes());
        check.broken(Some("o"), "x");
        assert!(!check.passes() && !check.is_blind());
    }

    #[test]
    fn a_check_that_could_not_be_carried_out_fails() {
        let mut check = Check::failed("a", "b", &anyhow::anyhow!("no database"));
        check.looked();
        assert!(!check.passes());
    }

    #[test]
    fn every_violation_is_counted_and_some_are_shown() {
        let mut check = Check::new("a", "b");
        for number in 0..50 {
            check.broken(None, number.to_string());
        }
        assert_eq!(check.violations, 50);
        assert_eq!(check.examples.len(), EXAMPLES_MAX);
    }
}
