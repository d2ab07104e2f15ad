//! What the macros do where they do something.

use std::env;
use std::io::Write;
use std::process::exit;

use crate::{BUGS, FAILPOINTS, NAMES, PLANTED_BUG};

/// As `EX_USAGE`.
const USAGE: i32 = 64;

/// Whatever cannot be obeyed to the letter ends the process.
pub fn arm() {
    let points = env::var(FAILPOINTS).unwrap_or_default();
    let bug = env::var(PLANTED_BUG).unwrap_or_default();
    if let Err(why) = armed(&points).and_then(|()| sown(&bug)) {
        tell(&why);
        exit(USAGE);
    }
    if !points.trim().is_empty() {
        tell(&format!("armed: {points}"));
    }
    if !bug.is_empty() {
        tell(&format!("planted: {bug}"));
    }
}

fn armed(points: &str) -> Result<(), String> {
    for point in points.split(';').map(str::trim) {
        let (name, actions) = match point.split_once('=') {
            Some(parts) => parts,
            None if point.is_empty() => continue,
            None => return Err(format!("{FAILPOINTS}: `{point}` says no action")),
        };
        if !NAMES.contains(&name) {
            return Err(format!("{FAILPOINTS}: there is no point `{name}`"));
        }
        configure(name, actions)?;
    }
    Ok(())
}

#[cfg(feature = "failpoints")]
fn configure(name: &str, actions: &str) -> Result<(), String> {
    fail::cfg(name, actions).map_err(|why| format!("{FAILPOINTS}: {name}: {why}"))
}

#[cfg(not(feature = "failpoints"))]
fn configure(name: &str, _actions: &str) -> Result<(), String> {
    Err(format!("{FAILPOINTS}: this program has no `{name}`"))
}

fn sown(bug: &str) -> Result<(), String> {
    // Otherwise comparisons may be compiled without the names, which programs are
    // searched for.
    let bugs = std::hint::black_box(BUGS);
    let known = cfg!(feature = "planted-bugs") && bugs.iter().any(|one| one.name == bug);
    match bug.is_empty() || known {
        true => Ok(()),
        false => Err(format!("{PLANTED_BUG}: this program has no bug `{bug}`")),
    }
}

/// Ends the process here if the point is armed with `return`.
#[cfg(feature = "failpoints")]
pub fn reach(name: &str) {
    if fail::eval(name, |_| ()).is_some() {
        tell(&format!("failpoint {name}"));
        std::process::abort();
    }
}

#[cfg(feature = "planted-bugs")]
pub fn is_planted(name: &str) -> bool {
    static BUG: std::sync::LazyLock<Option<String>> =
        std::sync::LazyLock::new(|| env::var(PLANTED_BUG).ok());
    BUG.as_deref() == Some(name)
}

/// In one piece, so that no line of the log comes between.
fn tell(text: &str) {
    // There is nobody to tell that nobody could be told.
    let _ = std::io::stderr().write_all(format!("{text}\n").as_bytes());
}
