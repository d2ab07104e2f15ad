//! Finds what looks like a card number, so that none is ever stored or logged.

const DIGITS_MIN: usize = 13;
const DIGITS_MAX: usize = 19;
/// Longer runs of groups are lists of numbers.
const GROUPS_MAX: usize = 12;
const UUID_GROUPS: [usize; 5] = [8, 4, 4, 4, 12];

/// Which numbers issuers give out: from and to of the first four digits, and
/// the lengths. 13 digits of Visa are obsolete, but still in test data.
/// Maestro's rare shorter numbers are left out: parcels have those.
const ISSUED: &[(u32, u32, &[usize])] = &[
    (2200, 2204, &[16, 17, 18, 19]),         // Mir
    (2221, 2720, &[16]),                     // Mastercard
    (3000, 3059, &[14, 16, 17, 18, 19]),     // Diners Club
    (3095, 3095, &[14, 16, 17, 18, 19]),     // Diners Club
    (3400, 3499, &[15]),                     // American Express
    (3528, 3589, &[16, 17, 18, 19]),         // JCB
    (3600, 3699, &[14, 15, 16, 17, 18, 19]), // Diners Club
    (3700, 3799, &[15]),                     // American Express
    (3800, 3999, &[14, 16, 17, 18, 19]),     // Diners Club
    (4000, 4999, &[13, 16, 19]),             // Visa
    (5000, 5099, &[16, 17, 18, 19]),         // Maestro and national ones
    (5100, 5599, &[16]),                     // Mastercard
    (5600, 5899, &[16, 17, 18, 19]),         // Maestro
    (6000, 6999, &[16, 17, 18, 19]),         // Discover, UnionPay, Maestro, RuPay
    (8100, 8299, &[16, 17, 18, 19]),         // UnionPay, RuPay
    (9792, 9792, &[16]),                     // Troy
];

/// How the digits of a card are printed in groups.
const PRINTED: &[&[usize]] = &[
    &[4, 4, 4, 4],
    &[4, 4, 4, 4, 1],
    &[4, 4, 4, 4, 2],
    &[4, 4, 4, 4, 3],
    &[4, 6, 5],
    &[4, 6, 4],
    &[6, 13],
];

/// Whether `text` holds a number that an issuer of cards may have given out
/// (by its first digits, its length and its check digit, Luhn) and that stands
/// alone; its digits may be parted by spaces, dashes, dots or underscores.
///
/// So that barcodes and the numbers of parcels are seldom mistaken, a number
/// of 13 digits whose last is the check digit of an EAN counts as a barcode,
/// and a number glued to letters as an id. UUIDs are left out.
pub fn holds_card_number(text: &str) -> bool {
    if text.chars().filter(|found| found.is_numeric()).count() < DIGITS_MIN {
        return false;
    }
    let text = without_uuids(text);
    let mut run = Run::default();
    let mut before = ' ';
    for (position, found) in text.iter().copied().enumerate() {
        let next = |ahead: usize| text.get(position + ahead).copied().unwrap_or(' ');
        match digit(found) {
            Some(value) if run.is_open => run.extend(value),
            Some(value) => run.open(value, before),
            // One or two separators between digits part groups.
            None if is_separator(found) && !run.groups.is_empty() => {
                run.is_open = false;
                let goes_on = digit(next(1)).is_some()
                    || (is_separator(next(1)) && digit(next(2)).is_some())
                    || is_separator(before);
                if !goes_on && run.take(found) {
                    return true;
                }
            }
            None => {
                if run.take(found) {
                    return true;
                }
            }
        }
        before = found;
    }
    run.take(' ')
}

fn is_separator(found: char) -> bool {
    matches!(
        found,
        ' ' | '-' | '.' | '_' | '\u{a0}' | '\u{2007}' | '\u{202f}' | '\u{2010}'..='\u{2014}'
    )
}

/// Also of digits in full width, as keyboards of East Asia write them.
fn digit(found: char) -> Option<u8> {
    let ascii = match found {
        '\u{ff10}'..='\u{ff19}' => char::from_u32(u32::from(found) - 0xff10 + u32::from('0'))?,
        other => other,
    };
    ascii
        .to_digit(10)
        .and_then(|value| u8::try_from(value).ok())
}

/// Groups of digits with nothing but separators between them.
#[derive(Default)]
struct Run {
    groups: Vec<Vec<u8>>,
    /// Whether the next digit belongs to the last group.
    is_open: bool,
    /// Whether a letter stands right before the first digit.
    glued: bool,
}

impl Run {
    fn open(&mut self, value: u8, before: char) {
        if self.groups.is_empty() {
            self.glued = before.is_alphanumeric();
        }
        self.groups.push(vec![value]);
        self.is_open = true;
    }

    fn extend(&mut self, value: u8) {
        if let Some(group) = self.groups.last_mut() {
            group.push(value);
        }
    }

    /// Ends the run before `next` and tells whether it held a card number.
    fn take(&mut self, next: char) -> bool {
        let mut run = std::mem::take(self);
        if run.glued && !run.groups.is_empty() {
            run.groups.remove(0);
        }
        if next.is_alphanumeric() {
            run.groups.pop();
        }
        run.holds_card_number()
    }

    fn holds_card_number(&self) -> bool {
        if is_card_number(&self.groups.concat()) {
            return true;
        }
        let groups = self.groups.len().min(GROUPS_MAX);
        (0..groups).any(|from| {
            let rest = self.groups.get(from..).unwrap_or_default();
            let alone = rest.first().is_some_and(|group| is_card_number(group));
            let printed = PRINTED.iter().any(|lengths| {
                let groups = rest.get(..lengths.len()).unwrap_or_default();
                groups.iter().map(Vec::len).eq(lengths.iter().copied())
                    && is_card_number(&groups.concat())
            });
            alone || printed
        })
    }
}

fn is_card_number(digits: &[u8]) -> bool {
    (DIGITS_MIN..=DIGITS_MAX).contains(&digits.len())
        && is_issued(digits)
        && passes_luhn(digits)
        && !is_barcode(digits)
}

fn is_issued(digits: &[u8]) -> bool {
    let first = digits.iter().take(4);
    let first = first.fold(0, |number, digit| number * 10 + u32::from(*digit));
    ISSUED.iter().any(|(from, to, lengths)| {
        (*from..=*to).contains(&first) && lengths.contains(&digits.len())
    })
}

fn passes_luhn(digits: &[u8]) -> bool {
    let sum: u32 = digits
        .iter()
        .rev()
        .enumerate()
        .map(|(place, digit)| match (place % 2, u32::from(*digit)) {
            (0, digit) => digit,
            (_, digit) if digit > 4 => digit * 2 - 9,
            (_, digit) => digit * 2,
        })
        .sum();
    sum.is_multiple_of(10)
}

/// An EAN of 13 digits, by its own check digit.
fn is_barcode(digits: &[u8]) -> bool {
    let weighted = digits.iter().zip([1, 3].into_iter().cycle());
    let sum: u32 = weighted
        .map(|(digit, weight)| u32::from(*digit) * weight)
        .sum();
    digits.len() == 13 && sum.is_multiple_of(10)
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
            "4242.4242.4242.4242",
            "4242_4242_4242_4242",
            "4242  4242  4242  4242",
            "42 42 42 42 42 42 42 42",
            "4242\u{a0}4242\u{a0}4242\u{a0}4242",
            "\u{ff14}\u{ff12}42424242424242",
            "378282246310005",
            "3782 822463 10005",
            "card 5555555555554444, please",
            "2 5555 5555 5555 4444",
            "5555 5555 5555 4444 12/27 123",
            "qty 5 5555555555554444 7",
            "(4000056655665556)",
            "6011111111111117\n",
            "pm_4242424242424242",
            "4222222222222",
            "30569309025904",
            "3530111333300000",
            "6200000000000005",
            "6759649826438453",
            "2223003122003222",
            "2201382000000013",
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
            "2026-11-21-0000012345",
            // An EAN that passes as an old Visa number too.
            "4006381330060",
            // Lengths and beginnings that no issuer gives out.
            "7042424242424240",
            "9999999999999995",
            "420000000000000",
            "22423 85123 84879 21730 22752",
        ] {
            assert!(!holds_card_number(text), "{text}");
        }
    }

    #[test]
    fn barcodes_are_never_mistaken() {
        for number in 0..20_000_u64 {
            let body = 400_638_100_000 + number * 37;
            let digits: Vec<u32> = format!("{body}")
                .chars()
                .filter_map(|c| c.to_digit(10))
                .collect();
            let sum: u32 = digits
                .iter()
                .zip([1, 3].iter().cycle())
                .map(|(d, w)| d * w)
                .sum();
            let barcode = format!("{body}{}", (10 - sum % 10) % 10);
            assert!(!holds_card_number(&barcode), "{barcode}");
        }
    }
}
