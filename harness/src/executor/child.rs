//! Cases in child processes, with a time-out and a memory limit.

use std::collections::VecDeque;
use std::io::{BufRead, BufReader, Read, Write};
use std::path::PathBuf;
use std::process::{Child, ChildStderr, ChildStdout, Command, ExitStatus, Stdio};
use std::sync::Arc;
use std::sync::mpsc::{self, Receiver, RecvTimeoutError};
use std::thread;
use std::time::{Duration, Instant};

use bakeoff_models::{MARK, end_marked, new_mark};
use bakeoff_reports::{RunDir, Status};
use sysinfo::{Pid, ProcessRefreshKind, ProcessesToUpdate, System};

use super::steps::UnderWay;
use super::{Local, metered, shortest_phase_s};
use crate::card_faults;
use crate::case::Case;
use crate::energy::Metering;
use crate::forecast::gib;
use crate::interrupt;
use crate::outcome::{NOT_STARTED, Outcome, PROCESS_ENDED};
use crate::process_tree;
use crate::protocol::{Event, Request, Work};
use crate::threads;
use crate::worker::this_program;

/// Carries out each case in child processes, which are this program as a `worker`: one that fits the model, and then those that
/// serve it.
pub struct ChildProcess {
    /// A folder from which samples are read instead of the built-in ones.
    pub samples: Option<PathBuf>,
    /// The directory of the run to which the cases belong, if any.
    pub run: Option<RunDir>,
    /// The meters of the run, if any measures.
    pub metering: Option<Arc<Metering>>,
}

/// The time between two checks of a child's time and memory.
const CHECK_INTERVAL: Duration = Duration::from_millis(20);
/// If a check is late by more than this, the program was suspended.
const MIN_SUSPENSION: Duration = Duration::from_secs(1);
/// How many lines of a child's standard error are kept, to explain why it ended.
const STDERR_LINES_KEPT: usize = 20;

impl Local for ChildProcess {
    fn fit(&self, case: &Case, emit: &mut dyn FnMut(Event)) -> Option<UnderWay> {
        let request = Request::new(case, self.samples.as_ref(), self.run.as_ref());
        let request = Request { phase_s: shortest_phase_s(self.metering.as_deref(), case), ..request };
        UnderWay::begin(request, self.run.as_ref(), &mut |request, left| self.step(request, left, emit))
    }

    fn serve(&self, case: &mut UnderWay, emit: &mut dyn FnMut(Event)) -> Option<()> {
        case.serve(&mut |request, left| self.step(request, left, emit))
    }
}

impl ChildProcess {
    /// Checks what every model promises, on the rows of `case`. Those promises that the model breaks are events. `None` if the user
    /// interrupted it.
    pub fn conform(&self, case: &Case, emit: &mut dyn FnMut(Event)) -> Option<Outcome> {
        let request = Request { work: Work::Conform, ..Request::new(case, self.samples.as_ref(), None) };
        let mut left = Duration::try_from_secs_f64(case.timeout_s).unwrap_or(Duration::MAX / 4);
        step(&request, &mut left, emit)
    }

    fn step(&self, request: &Request, left: &mut Duration, emit: &mut dyn FnMut(Event)) -> Option<Outcome> {
        metered(self.metering.as_deref(), &request.case, emit, |emit| step(request, left, emit))
    }
}

/// Does the work of a request in a child process.
fn step(request: &Request, left: &mut Duration, emit: &mut dyn FnMut(Event)) -> Option<Outcome> {
    let mut deadline = Deadline { at: Instant::now() + *left };
    let mark = new_mark();
    let outcome = match spawn(request, &mark) {
        Ok(child) => supervise(child, &request.case, &mut deadline, emit),
        // The child was stopped before it had read its case.
        Err(error) if error.kind() == std::io::ErrorKind::BrokenPipe && is_being_stopped() => None,
        Err(error) => Some(not_started(&error)),
    };
    if request.case.external.is_some() {
        // A program of the user's may have left processes behind.
        end_marked(&mark);
    }
    *left = deadline.at.saturating_duration_since(Instant::now());
    outcome
}

/// Starts the child of a request, and sends it the request.
fn spawn(request: &Request, mark: &str) -> std::io::Result<Child> {
    let mut command = Command::new(this_program()?);
    command
        .arg("worker")
        .env("RAYON_NUM_THREADS", request.case.threads.to_string())
        // Training allocates and frees the same blocks at every step. A fifth of its time was spent on returning
        // them to the kernel and getting them again. mimalloc reads this variable when the child starts.
        .env("MIMALLOC_PURGE_DELAY", "-1")
        // The last lines of a child must be its message and not a backtrace.
        .env("RUST_BACKTRACE", "0")
        .env(MARK, mark)
        .stdin(Stdio::piped())
        .stdout(Stdio::piped())
        .stderr(Stdio::piped());
    // Ctrl-C at the terminal must reach the parent only. The parent ends its children itself, and so knows that it
    // did.
    #[cfg(unix)]
    std::os::unix::process::CommandExt::process_group(&mut command, 0);
    let mut child = command.spawn()?;
    let mut line = serde_json::to_vec(request)?;
    line.push(b'\n');
    if let Some(stdin) = &mut child.stdin {
        stdin.write_all(&line)?;
    }
    Ok(child)
}

/// When a process of a case is ended.
struct Deadline {
    at: Instant,
}

/// Why the parent ended a child.
enum Ended {
    Closed,
    TimedOut,
    TooLarge { bytes: u64 },
    Interrupted,
}

fn not_started(error: &std::io::Error) -> Outcome {
    Outcome::without_numbers(Status::Failed, format!("{NOT_STARTED}: {}", threads::refused(error)))
}

fn supervise(mut child: Child, case: &Case, deadline: &mut Deadline, emit: &mut dyn FnMut(Event)) -> Option<Outcome> {
    let stdout = child.stdout.take().expect("standard output is piped");
    let stderr = child.stderr.take().expect("standard error is piped");
    let listeners = || Ok((listen(stdout)?, thread::Builder::new().spawn(move || tail(stderr))?));
    let (events, last_words) = match listeners() {
        Ok(listeners) => listeners,
        Err(error) => {
            // The child may have ended by itself. Then there is nothing left to kill.
            let _ = child.kill();
            let _ = child.wait();
            return Some(not_started(&error));
        }
    };
    // Kept open until the child has ended. When it closes, the child knows that the parent is gone.
    let stdin = child.stdin.take();
    let mut outcome = None;
    let ended = watch(&events, child.id(), case, deadline, &mut |event| match event {
        Event::Outcome(done) => outcome = Some(*done),
        other => emit(other),
    });
    if !matches!(ended, Ended::Closed) {
        // The child may have ended by itself just now. Then there is nothing left to kill.
        let _ = child.kill();
    }
    let status = child.wait();
    drop(stdin);
    let last_words = last_words.join().unwrap_or_default();
    match ended {
        Ended::Interrupted => None,
        Ended::TimedOut => Some(Outcome::without_numbers(
            Status::TimedOut,
            format!("did not end within {} s: raise timeout_s in the suite or make the case smaller", case.timeout_s),
        )),
        Ended::TooLarge { bytes } => Some(Outcome::without_numbers(
            Status::OutOfMemory,
            format!(
                "{}: raise memory_limit_gib in the suite or make the case smaller",
                over_limit(bytes, case.memory_limit_bytes)
            ),
        )),
        Ended::Closed if outcome.is_none() && was_stopped(&status) => None,
        Ended::Closed => Some(outcome.unwrap_or_else(|| post_mortem(status, &last_words, &case.device))),
    }
}

/// Whether the user stopped the run, so that a child which ended without an outcome is no result.
fn was_stopped(status: &std::io::Result<ExitStatus>) -> bool {
    #[cfg(unix)]
    if let Ok(status) = status
        && let Some(1 | 2 | 15) = std::os::unix::process::ExitStatusExt::signal(status)
    {
        return is_being_stopped();
    }
    interrupt::requested()
}

/// Whether this process is told to stop now or in a moment. A signal to all processes of a run, as a shutdown sends it, can reach
/// the child before this process notices its own.
fn is_being_stopped() -> bool {
    const MOMENT: Duration = Duration::from_millis(500);
    let begun = Instant::now();
    while !interrupt::requested() && begun.elapsed() < MOMENT {
        thread::sleep(CHECK_INTERVAL);
    }
    interrupt::requested()
}

/// Passes events on until the child closes its output or must be ended.
fn watch(
    events: &Receiver<Event>,
    pid: u32,
    case: &Case,
    deadline: &mut Deadline,
    emit: &mut dyn FnMut(Event),
) -> Ended {
    let mut memory = ResidentMemory::of(pid, case.external.is_some());
    let mut next_look = Instant::now();
    loop {
        match events.recv_timeout(CHECK_INTERVAL) {
            Ok(event) => emit(event),
            Err(RecvTimeoutError::Timeout) => {}
            Err(RecvTimeoutError::Disconnected) => return Ended::Closed,
        }
        let now = Instant::now();
        if now < next_look {
            continue;
        }
        // Time in which this process did not run (Ctrl-Z, a sleeping machine) does not count as the child's time.
        let missed = now - next_look;
        if missed > MIN_SUSPENSION {
            deadline.at += missed;
        }
        next_look = now + CHECK_INTERVAL;
        if interrupt::requested() {
            return Ended::Interrupted;
        }
        if now > deadline.at {
            return Ended::TimedOut;
        }
        let bytes = memory.bytes();
        if bytes > case.memory_limit_bytes {
            return Ended::TooLarge { bytes };
        }
    }
}

/// The resident memory of another process, and of those below it if it starts any.
struct ResidentMemory {
    system: Option<System>,
    pid: Pid,
    starts_others: bool,
}

impl ResidentMemory {
    fn of(pid: u32, starts_others: bool) -> ResidentMemory {
        ResidentMemory { system: System::new().ok(), pid: Pid::from_u32(pid), starts_others }
    }

    /// The resident memory in bytes. Zero if the process has ended, or if the system does not show it.
    fn bytes(&mut self) -> u64 {
        let Some(system) = &mut self.system else { return 0 };
        let only = ProcessesToUpdate::Some(&[self.pid]);
        system.refresh_processes_specifics(only, true, ProcessRefreshKind::nothing().with_memory().without_tasks());
        let own = system.process(self.pid).map_or(0, sysinfo::Process::memory);
        own + if self.starts_others { process_tree::resident_bytes(self.pid.as_u32()) } else { 0 }
    }
}

/// Receives the child's events from a thread that ends when the child closes its output. A line that is no event was
/// printed by a library and is ignored.
fn listen(stdout: ChildStdout) -> std::io::Result<Receiver<Event>> {
    let (sender, receiver) = mpsc::channel();
    thread::Builder::new().spawn(move || {
        for line in BufReader::new(stdout).lines().map_while(Result::ok) {
            if let Ok(event) = serde_json::from_str(&line)
                && sender.send(event).is_err()
            {
                return;
            }
        }
    })?;
    Ok(receiver)
}

/// The last lines of the child's standard error.
fn tail(stderr: ChildStderr) -> Vec<String> {
    let mut lines = VecDeque::with_capacity(STDERR_LINES_KEPT);
    let mut reader = BufReader::new(stderr);
    let mut line = Vec::new();
    // A line without an end must not fill the parent's memory.
    while matches!(reader.by_ref().take(4096).read_until(b'\n', &mut line), Ok(1..)) {
        if lines.len() == STDERR_LINES_KEPT {
            lines.pop_front();
        }
        lines.push_back(String::from_utf8_lossy(&line).trim_end().to_owned());
        line.clear();
    }
    lines.into()
}

/// The outcome of a child that ended without reporting one.
fn post_mortem(status: std::io::Result<ExitStatus>, last_words: &[String], device: &str) -> Outcome {
    let words: Vec<&str> = last_words.iter().map(String::as_str).filter(|line| !line.is_empty()).collect();
    if let Some(line) = words.iter().find(|line| line.starts_with("memory allocation of")) {
        return Outcome::without_numbers(Status::OutOfMemory, *line);
    }
    if let Some((status, reason)) = card_faults::ending(device, &words.join("\n")) {
        return Outcome::without_numbers(status, reason);
    }
    let how = match status {
        Ok(status) => describe(status),
        Err(error) => format!("its exit status could not be read: {error}"),
    };
    let said = words.last().map_or(String::new(), |line| format!("; its last output: {line}"));
    Outcome::without_numbers(Status::Failed, format!("{PROCESS_ENDED}: {how}{said}"))
}

fn describe(status: ExitStatus) -> String {
    #[cfg(unix)]
    if let Some(signal) = std::os::unix::process::ExitStatusExt::signal(&status) {
        let name = match signal {
            6 => " (SIGABRT: an abort, such as a stack overflow)",
            9 => " (SIGKILL, not sent by this program but perhaps by the system's out-of-memory killer)",
            11 => " (SIGSEGV: a fault in native code)",
            15 => " (SIGTERM)",
            _ => "",
        };
        return format!("killed by signal {signal}{name}");
    }
    status.to_string()
}

/// `0.52 GiB resident, over the limit of 0.50 GiB`, with as many digits as tell the two apart.
fn over_limit(bytes: u64, limit_bytes: u64) -> String {
    const MOST_DIGITS: usize = 9;
    let shown = |digits: usize| [bytes, limit_bytes].map(|bytes| format!("{:.digits$}", gib(bytes)));
    let different = (2..MOST_DIGITS).map(shown).find(|[resident, limit]| resident != limit);
    let [resident, limit] = different.unwrap_or_else(|| shown(MOST_DIGITS));
    format!("{resident} GiB resident, over the limit of {limit} GiB")
}

#[cfg(test)]
mod tests {
    use super::over_limit;

    #[test]
    fn memory_just_over_its_limit_has_the_digits_that_show_it() {
        const GIB: u64 = 1 << 30;
        assert_eq!(over_limit(2 * GIB, GIB), "2.00 GiB resident, over the limit of 1.00 GiB");
        let (resident, limit) = (GIB + (1 << 20), GIB);
        assert_eq!(over_limit(resident, limit), "1.001 GiB resident, over the limit of 1.000 GiB");
        assert_eq!(over_limit(GIB + 4096, GIB), "1.000004 GiB resident, over the limit of 1.000000 GiB");
    }
}
