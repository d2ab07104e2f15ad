//! Finds what looks like a card number, so that none is ever stored or logged.

const DIGITS_MIN: usize = 13;
const DIGITS_MAX: usize = 19;
const UUID_GROUPS: [usize; 5] = [8, 4, 4, 4, 12];

/// Whether `text` holds 13 to 19 digits, possibly parted by spaces or dashes,
/// that stand alone and pass the check digit (Luhn) of card numbers. Ids like
/// UUIDs, whose digits now and then pass it too, are left out, and so are
/// numbers beginning with 0 or 1, which no card has and every time stamp does.
pub fn holds_card_number(text: &str) -> bool {
    let text = without_uuids(text);
    let mut run = Run::default();
    let mut before = ' ';
    for (position, found) in text.iter().copied().enumerate() {
        let next = text.get(position + 1).copied().unwrap_or(' ');
        match found {
            '0'..='9' => run.push(found, !before.is_alphanumeric() || before.is_ascii_digit()),
            ' ' | '-' if next.is_ascii_digit() && before.is_ascii_digit() => {}
            _ => {
                if !found.is_alphanumeric() && run.is_card_number() {
                    return true;
                }
                run = Run::default();
            }
        }
        before = found;
    }
    run.is_card_number()
}

#[derive(Default)]
struct Run {
    digits: Vec<u32>,
    glued: bool,
}

impl Run {
    fn push(&mut self, digit: char, stands_alone: bool) {
        if self.digits.is_empty() {
            self.glued = !stands_alone;
        }
        self.digits.extend(digit.to_digit(10));
    }

    fn is_card_number(&self) -> bool {
        !self.glued
            && (DIGITS_MIN..=DIGITS_MAX).contains(&self.digits.len())
            && self.digits.first().is_some_and(|first| *first > 1)
            && passes_luhn(&self.digits)
    }
}

fn passes_luhn(digits: &[u32]) -> bool {
    let sum: u32 = digits
        .iter()
        .rev()
        .enumerate()
        .map(|(place, digit)| match (place % 2, digit * 2) {
            (0, _) => *digit,
            (_, doubled) if doubled > 9 => doubled - 9,
            (_, doubled) => doubled,
        })
        .sum();
    sum.is_multiple_of(10)
}

/// Replaces each UUID by one letter.
fn without_uuids(text: &str) -> Vec<char> {
    let chars: Vec<char> = text.chars().collect();
    let mut kept = Vec::with_capacity(chars.len());
    let mut position = 0;
    while let Some(found) = chars.get(position) {
        match uuid_at(chars.get(position..).unwrap_or_default()) {
            Some(length) => {
                kept.push('u');
                position += length;
            }
            None => {
                kept.push(*found);
                position += 1;
            }
        }
    }
    kept
}

fn uuid_at(chars: &[char]) -> Option<usize> {
    let mut position = 0;
    for (index, length) in UUID_GROUPS.into_iter().enumerate() {
        if index > 0 {
            if chars.get(position) != Some(&'-') {
                return None;
            }
            position += 1;
        }
        let group = chars.get(position..position + length)?;
        if !group.iter().all(char::is_ascii_hexdigit) {
            return None;
        }
        position += length;
    }
    Some(position)
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn card_numbers_are_found_in_every_disguise() {
        for text in [
            "4242424242424242",
            "4242 4242 4242 4242",
            "4242-4242-4242-4242",
            "378282246310005",
            "card 5555555555554444, please",
            "(4000056655665556)",
            "6011111111111117\n",
            "pm_4242424242424242",
            "4222222222222",
        ] {
            assert!(holds_card_number(text), "{text}");
        }
    }

    #[test]
    fn other_numbers_are_not_mistaken_for_card_numbers() {
        for text in [
            "",
            "pm_card_visa",
            "4242424242424241",
            "pi_4242424242424242abc",
            "x4242424242424242",
            "424242424242",
            "42424242424242424242424242424242",
            "1700000000000",
            "0000000000000000",
            "order 42424242-4242-4242-4242-424242424242",
            "019a0000-4242-4242-8242-424242424242",
            "2026-11-21 09:12:30",
        ] {
            assert!(!holds_card_number(text), "{text}");
        }
    }
}
