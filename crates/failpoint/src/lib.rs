//! Places at which a process can be made to die, and bugs that are there on
//! purpose, for the tests of the tests. A binary that is built as usual has
//! nothing of either, not even their names.
//!
//! With the feature `failpoints` the environment says where to die, in the
//! words of the crate `fail`: `FAILPOINTS='order.saga.before_claim=5*off->return'`
//! passes five times and then ends the process like a `kill -9`, after the line
//! `failpoint order.saga.before_claim` on stderr. Other actions of that crate,
//! such as `sleep(50)` and `print`, do what they say there.
//!
//! With the feature `planted-bugs` `CARTWRIGHT_PLANTED_BUG` names one of
//! [`BUGS`], which is then in the program.
//!
//! Points are named `<service or crate>.<thing>.<before|after>_<what>`; all of
//! them are in [`NAMES`].

#[cfg(any(feature = "failpoints", feature = "planted-bugs"))]
mod armed;
mod bugs;
mod names;

#[cfg(any(feature = "failpoints", feature = "planted-bugs"))]
#[doc(hidden)]
pub use armed::arm;
#[cfg(feature = "planted-bugs")]
#[doc(hidden)]
pub use armed::is_planted;
#[cfg(feature = "failpoints")]
#[doc(hidden)]
pub use armed::reach;
pub use bugs::{BUGS, Bug};
pub use names::NAMES;

/// Says which points are armed.
pub const FAILPOINTS: &str = "FAILPOINTS";
/// Says which bug is planted.
pub const PLANTED_BUG: &str = "CARTWRIGHT_PLANTED_BUG";

/// Reads what is armed and planted; once, when the process begins. A name that
/// does not exist ends the process with exit code 64: a trial that tries
/// nothing must not pass.
#[cfg(any(feature = "failpoints", feature = "planted-bugs"))]
#[macro_export]
macro_rules! arm {
    () => {
        $crate::arm()
    };
}

/// Reads what is armed and planted: nothing can be.
#[cfg(not(any(feature = "failpoints", feature = "planted-bugs")))]
#[macro_export]
macro_rules! arm {
    () => {};
}

/// A point that is passed, unless it is armed.
#[cfg(feature = "failpoints")]
#[macro_export]
macro_rules! reached {
    ($name:literal) => {
        $crate::reach($name)
    };
}

/// A point that is passed.
#[cfg(not(feature = "failpoints"))]
#[macro_export]
macro_rules! reached {
    ($name:literal) => {};
}

/// What `done` gives, with the points `thing.before_what` and
/// `thing.after_what` around it; the second also when it failed.
#[cfg(feature = "failpoints")]
#[macro_export]
macro_rules! around {
    ($thing:literal, $what:literal, $done:expr) => {{
        $crate::reach(concat!($thing, ".before_", $what));
        let done = $done;
        $crate::reach(concat!($thing, ".after_", $what));
        done
    }};
}

/// What `done` gives.
#[cfg(not(feature = "failpoints"))]
#[macro_export]
macro_rules! around {
    ($thing:literal, $what:literal, $done:expr) => {
        $done
    };
}

/// Is this bug in the program?
#[cfg(feature = "planted-bugs")]
#[macro_export]
macro_rules! planted {
    ($name:literal) => {
        $crate::is_planted($name)
    };
}

/// Is this bug in the program? It is not.
#[cfg(not(feature = "planted-bugs"))]
#[macro_export]
macro_rules! planted {
    ($name:literal) => {
        false
    };
}
