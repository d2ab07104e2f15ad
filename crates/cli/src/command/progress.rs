//! Progress bars on stderr; without a terminal there are none.

use indicatif::{ProgressBar, ProgressStyle};

pub fn bar(what: &'static str, steps: usize) -> ProgressBar {
    let bar = ProgressBar::new(steps as u64).with_message(what);
    let template = "{msg:13} [{bar:40}] {pos}/{len} {elapsed}";
    match ProgressStyle::with_template(template) {
        Ok(style) => bar.with_style(style.progress_chars("=> ")),
        Err(_) => bar,
    }
}
