//! Exit codes, and how an error is put into one line.

use std::error::Error;

/// Something went wrong at run time.
pub const FAILURE: u8 = 1;
/// Bad settings or a bad command line (`EX_USAGE`): trying again is useless.
pub const USAGE: u8 = 64;

/// The error and its causes, outermost first.
pub(crate) fn chain(error: &(dyn Error + 'static)) -> String {
    let mut text = error.to_string();
    let mut cause = error.source();
    while let Some(error) = cause {
        text.push_str(": ");
        text.push_str(&error.to_string());
        cause = error.source();
    }
    text.replace('\n', " ")
}
