//! A regular expression for the whole numbers of a range, since JSON Schema
//! cannot say so of a number in a string.

/// Matches the decimal form of each number from `least` to `most`.
pub fn pattern(least: i64, most: i64) -> String {
    let mut choices = Vec::new();
    if least < 0 {
        let nearest = most.min(-1).unsigned_abs();
        let negative = choices_of(nearest, least.unsigned_abs());
        choices.push(format!("-({})", negative.join("|")));
    }
    if let Ok(most) = u64::try_from(most) {
        choices.extend(choices_of(u64::try_from(least).unwrap_or(0), most));
    }
    format!("^({})$", choices.join("|"))
}

fn choices_of(least: u64, most: u64) -> Vec<String> {
    let mut choices = Vec::new();
    let mut from = least;
    loop {
        let digits = from.to_string().len();
        let end = 10_u64.checked_pow(u32::try_from(digits).unwrap_or(u32::MAX));
        let to = end.map_or(u64::MAX, |end| end - 1).min(most);
        choices.extend(same_length(&from.to_string(), &to.to_string()));
        if to == most {
            return choices;
        }
        from = to + 1;
    }
}

/// Both have as many digits.
fn same_length(least: &str, most: &str) -> Vec<String> {
    let rest = least.len().saturating_sub(1);
    let (Some(low), Some(high)) = (first(least), first(most)) else {
        return vec![String::new()];
    };
    let (zeros, nines) = ("0".repeat(rest), "9".repeat(rest));
    if low == high {
        let inner = same_length(&least[1..], &most[1..]);
        return inner
            .into_iter()
            .map(|inner| format!("{low}{inner}"))
            .collect();
    }
    let mut choices = Vec::new();
    let (mut from, mut to) = (low, high);
    if least[1..] != zeros {
        let inner = same_length(&least[1..], &nines);
        choices.extend(inner.into_iter().map(|inner| format!("{low}{inner}")));
        from += 1;
    }
    let last = most[1..] != nines;
    if last {
        to -= 1;
    }
    if from <= to {
        let digit = match from == to {
            true => from.to_string(),
            false => format!("[{from}-{to}]"),
        };
        choices.push(match rest {
            0 => digit,
            1 => format!("{digit}[0-9]"),
            rest => format!("{digit}[0-9]{{{rest}}}"),
        });
    }
    if last {
        let inner = same_length(&zeros, &most[1..]);
        choices.extend(inner.into_iter().map(|inner| format!("{high}{inner}")));
    }
    choices
}

fn first(digits: &str) -> Option<u32> {
    digits.chars().next()?.to_digit(10)
}
