//! Input that is text: parts of it, and what is typed on a command line.

use std::borrow::Cow;

use cli::input;
use types::Currency;

pub(crate) fn lossy(data: &[u8]) -> Cow<'_, str> {
    String::from_utf8_lossy(data)
}

/// The lines of the input; the last part has whatever is left.
pub(crate) fn lines<const N: usize>(data: &[u8]) -> [&[u8]; N] {
    let mut parts = data.splitn(N, |byte| *byte == b'\n');
    std::array::from_fn(|_| parts.next().unwrap_or_default())
}

/// What a person typed as one argument.
pub(crate) fn command_line(data: &[u8]) {
    let text = lossy(data);
    said(text.parse::<input::LineArg>());
    said(text.parse::<input::LineQuantityArg>());
    said(input::duration(&text));
    said(input::key(&text));
    said(input::order_state(&text));
    said(input::payment_state(&text));
    let pounds = Currency::parse("GBP").unwrap();
    let _ = input::amount("price", &text, pounds);
}

fn said<T>(read: Result<T, String>) {
    if let Err(error) = read {
        assert!(!error.is_empty());
    }
}
