//! What the processes below this one use, as Linux shows it. A model may be a program of the user's, which may start others. On other
//! systems, nothing is found.

use std::fs;
use std::path::PathBuf;
use std::time::Duration;

/// The resident memory, in bytes, of all processes below this one.
pub(crate) fn resident_bytes(of: u32) -> u64 {
    below(of).into_iter().filter_map(|id| status_bytes(id, "VmRSS:")).sum()
}

/// The sum, in bytes, of the largest resident set that each living process below this one has had.
pub(crate) fn peak_resident_bytes(of: u32) -> u64 {
    below(of).into_iter().filter_map(|id| status_bytes(id, "VmHWM:")).sum()
}

/// The processor time of all processes below this one, those included that have ended and were waited for. The system counts it in
/// hundredths of a second.
pub(crate) fn cpu_time(of: u32) -> Duration {
    let (_, waited_for) = ticks(of).unwrap_or_default();
    let living = below(of).into_iter().filter_map(ticks).map(|(own, waited_for)| own + waited_for);
    Duration::from_secs_f64((waited_for + living.sum::<u64>()) as f64 / ticks_per_s())
}

/// The bytes that the living processes below this one have fetched from storage.
pub(crate) fn io_of(of: u32) -> impl Iterator<Item = String> {
    below(of).into_iter().filter_map(|id| read(id, "io"))
}

/// All processes below this one. Those whose parents have ended count if this process adopts them (see [`adopt_orphans`]).
fn below(of: u32) -> Vec<u32> {
    let mut found = children(of);
    let mut next = 0;
    while let Some(&id) = found.get(next) {
        found.extend(children(id));
        next += 1;
    }
    found
}

/// The processes that a thread of this one has started, and that have not ended.
fn children(of: u32) -> Vec<u32> {
    let Ok(threads) = fs::read_dir(format!("/proc/{of}/task")) else { return Vec::new() };
    let lists = threads.filter_map(|thread| fs::read_to_string(thread.ok()?.path().join("children")).ok());
    lists.flat_map(|list| list.split_whitespace().filter_map(|id| id.parse().ok()).collect::<Vec<u32>>()).collect()
}

fn read(of: u32, file: &str) -> Option<String> {
    fs::read_to_string(PathBuf::from(format!("/proc/{of}/{file}"))).ok()
}

/// A line of `status`, which is in KiB, in bytes.
fn status_bytes(of: u32, line: &str) -> Option<u64> {
    let status = read(of, "status")?;
    let line = status.lines().find_map(|found| found.strip_prefix(line))?;
    line.trim().strip_suffix("kB")?.trim().parse::<u64>().ok().map(|kib| kib * 1024)
}

/// The ticks of processor time of a process, and of those that it has waited for.
fn ticks(of: u32) -> Option<(u64, u64)> {
    // The name of the process is in brackets, and may hold blanks and brackets.
    let stat = read(of, "stat")?;
    let (_, fields) = stat.rsplit_once(')')?;
    // Fields 14 to 17 of proc(5); the first of these is field 3.
    let times: Vec<u64> = fields.split_whitespace().skip(11).take(4).filter_map(|field| field.parse().ok()).collect();
    let [user, system, waited_user, waited_system] = times[..] else { return None };
    Some((user + system, waited_user + waited_system))
}

fn ticks_per_s() -> f64 {
    #[cfg(unix)]
    {
        rustix::param::clock_ticks_per_second() as f64
    }
    #[cfg(not(unix))]
    100.0
}

/// Makes this process the parent of those below it whose parents end, so that they are not lost sight of.
pub(crate) fn adopt_orphans() {
    #[cfg(target_os = "linux")]
    {
        // Without it, such processes are still ended by their mark, but not measured.
        let _ = rustix::process::set_child_subreaper(Some(rustix::process::getpid()));
    }
}

#[cfg(all(test, target_os = "linux"))]
#[expect(clippy::unwrap_used, reason = "tests")]
mod tests {
    use std::process::{Child, Command, Stdio};

    use super::*;

    fn busy_below_a_shell() -> Child {
        // The shell waits, and the one below it computes.
        let script = "sh -c 'while :; do :; done' & wait";
        Command::new("sh").args(["-c", script]).stdin(Stdio::null()).spawn().unwrap()
    }

    #[test]
    fn memory_and_time_of_a_process_below_another_are_counted() {
        let mut shell = busy_below_a_shell();
        let own = std::process::id();
        while below(shell.id()).is_empty() || cpu_time(own) < Duration::from_millis(50) {
            std::thread::sleep(Duration::from_millis(5));
        }
        assert!(below(own).contains(&shell.id()));
        let (resident, peak) = (resident_bytes(shell.id()), peak_resident_bytes(shell.id()));
        assert!((1..=peak).contains(&resident), "{resident} {peak}");
        assert!(resident_bytes(own) > resident, "the shell itself is below this process");
        for id in below(shell.id()).into_iter().chain([shell.id()]) {
            let process = rustix::process::Pid::from_raw(i32::try_from(id).unwrap()).unwrap();
            rustix::process::kill_process(process, rustix::process::Signal::KILL).unwrap();
        }
        shell.wait().unwrap();
        assert_eq!(resident_bytes(shell.id()), 0);
    }

    #[test]
    fn fields_are_found_behind_a_name_with_brackets() {
        assert!(ticks(std::process::id()).is_some());
        assert_eq!(ticks(u32::MAX), None);
    }
}
