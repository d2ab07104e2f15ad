//! Processes that must not outlive the one that started them.

use std::io::Write;
use std::os::unix::process::CommandExt;
use std::process::{Child, Command, Stdio};
use std::sync::{Mutex, OnceLock, PoisonError};

/// Reads ids from our pipe and, when that closes for whatever reason, kills
/// those that were not taken off its list.
const GUARD: &str = r#"
pids=
while read -r order pid; do
  rest=
  for other in $pids; do
    if [ "$other" != "$pid" ]; then rest="$rest $other"; fi
  done
  pids=$rest
  if [ "$order" = add ]; then pids="$pids $pid"; fi
done
for pid in $pids; do kill -s KILL "$pid" 2>/dev/null; done
"#;

/// Kills `pid` when this process ends, even by `kill -9`.
pub fn guard(pid: u32) {
    order("add", pid);
}

/// To be called as soon as `pid` has been waited for: it may then belong to
/// somebody else.
pub fn release(pid: u32) {
    order("remove", pid);
}

fn order(order: &str, pid: u32) {
    static SHELL: OnceLock<Mutex<Child>> = OnceLock::new();
    let shell = SHELL.get_or_init(|| Mutex::new(start()));
    let mut shell = shell.lock().unwrap_or_else(PoisonError::into_inner);
    let pipe = shell.stdin.as_mut().expect("the guard's pipe");
    writeln!(pipe, "{order} {pid}").expect("the guard lives");
}

/// In a process group of its own, out of the reach of Ctrl-C.
fn start() -> Child {
    Command::new("sh")
        .args(["-c", GUARD])
        .stdin(Stdio::piped())
        .stdout(Stdio::null())
        .stderr(Stdio::null())
        .process_group(0)
        .spawn()
        .expect("sh runs")
}
