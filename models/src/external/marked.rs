//! Finds the processes that a program has started, and ends them, even if they have left its group and their parent has ended.
//!
//! Every program is started with a variable in its environment, the mark, which all that it starts inherits. A mark begins with that of the
//! process which started the program. So all below a process are found by its mark alone.

use std::sync::atomic::{AtomicUsize, Ordering};

/// The variable that holds the mark.
pub const MARK: &str = "BAKEOFF_MARK";

/// A mark that no other process on this machine has.
pub fn new_mark() -> String {
    static COUNT: AtomicUsize = AtomicUsize::new(0);
    let own = format!("{}-{}", std::process::id(), COUNT.fetch_add(1, Ordering::Relaxed));
    match std::env::var(MARK) {
        Ok(above) => format!("{above}/{own}"),
        Err(_) => own,
    }
}

/// Ends every process but this one that has this mark or one below it. Processes of other users are left alone, because the system does not show their
/// environments.
pub fn end_marked(mark: &str) {
    /// A process may start others while it is being ended.
    const MOST_ROUNDS: usize = 20;
    for _ in 0..MOST_ROUNDS {
        let found = marked(mark);
        found.iter().for_each(|id| end(*id));
        if found.is_empty() {
            return;
        }
        std::thread::sleep(std::time::Duration::from_millis(2));
    }
}

/// The other processes that have this mark or one below it, but for those that have ended and wait for their parents.
#[cfg(target_os = "linux")]
fn marked(mark: &str) -> Vec<i32> {
    let variable = format!("{MARK}={mark}");
    let is_marked = |id: &i32| {
        // A process that has ended has no environment any more.
        let environment = std::fs::read(format!("/proc/{id}/environ")).unwrap_or_default();
        environment.split(|byte| *byte == 0).any(|entry| {
            entry.strip_prefix(variable.as_bytes()).is_some_and(|rest| matches!(rest.first(), None | Some(b'/')))
        })
    };
    let Ok(processes) = std::fs::read_dir("/proc") else { return Vec::new() };
    let ids = processes.filter_map(|entry| entry.ok()?.file_name().to_str()?.parse().ok());
    ids.filter(|id| u32::try_from(*id) != Ok(std::process::id())).filter(is_marked).collect()
}

#[cfg(not(target_os = "linux"))]
fn marked(_: &str) -> Vec<i32> {
    Vec::new()
}

fn end(id: i32) {
    #[cfg(unix)]
    if let Some(process) = rustix::process::Pid::from_raw(id) {
        // It may have ended by itself.
        let _ = rustix::process::kill_process(process, rustix::process::Signal::KILL);
    }
    #[cfg(not(unix))]
    let _ = id;
}

#[cfg(all(test, target_os = "linux"))]
#[expect(clippy::unwrap_used, reason = "tests")]
mod tests {
    use std::process::Command;

    use super::*;

    #[test]
    fn a_process_that_has_left_its_group_and_its_parent_is_ended_by_its_mark() {
        let mark = new_mark();
        let script = "setsid sleep 1000 & setsid sh -c 'sleep 1000 & sleep 1000' &";
        let mut shell = Command::new("sh").args(["-c", script]).env(MARK, format!("{mark}/1")).spawn().unwrap();
        shell.wait().unwrap();
        // The shells may not have started their own programs yet.
        while marked(&mark).len() < 3 {
            std::thread::sleep(std::time::Duration::from_millis(1));
        }
        assert!(marked(&format!("{mark}/2")).is_empty());
        assert!(marked(&mark[..mark.len() - 1]).is_empty(), "the mark of another process begins alike");
        end_marked(&mark);
        assert!(marked(&mark).is_empty());
    }
}
