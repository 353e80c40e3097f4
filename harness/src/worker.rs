//! The hidden `worker` command: one case in a process of its own.
//!
//! It speaks the [`protocol`](crate::protocol). When standard input closes, the parent is gone, and the worker ends. So
//! nothing is left behind, whatever killed the parent.

use std::io::{self, BufRead, Read, Write};
use std::panic::{self, AssertUnwindSafe};
use std::path::PathBuf;
use std::sync::Mutex;

use anyhow::Context;
use bakeoff_datasets::Store;
use bakeoff_models::{Device, MARK, end_marked};
use bakeoff_reports::Status;

use crate::card_faults;
use crate::measure::measure;
use crate::outcome::Outcome;
use crate::process_tree;
use crate::program::Program;
use crate::protocol::{Event, Request};
use crate::threads;

/// The store of examples: a folder if one was named, or else the samples in the program.
pub fn store(samples: Option<&PathBuf>) -> Store {
    samples.map_or_else(Store::embedded, |folder| Store::folder(folder.clone()))
}

/// The path of this program, even if its file was replaced since it started, because one program must measure all cases
/// of a run.
///
/// # Errors
/// If the system does not say it.
pub fn this_program() -> io::Result<PathBuf> {
    let itself = PathBuf::from("/proc/self/exe");
    if itself.exists() { Ok(itself) } else { std::env::current_exe() }
}

/// Serves one request and returns.
///
/// # Errors
/// If the parent does not speak the protocol.
pub fn serve(program: &Program) -> anyhow::Result<()> {
    let mut line = String::new();
    io::stdin().lock().read_line(&mut line).context("reading the request")?;
    let request: Request = serde_json::from_str(&line)
        .context("'worker' is for the program's own use: it wants a request as a line of JSON on standard input")?;
    std::thread::Builder::new().spawn(end_with_parent).map_err(|error| {
        anyhow::anyhow!("cannot start the thread that watches the parent: {}", threads::refused(&error))
    })?;
    process_tree::adopt_orphans();
    let mut emit = |event: Event| {
        // If the parent does not read any more, it is gone, and end_with_parent ends this process.
        let _ = write_line(&event);
    };
    let outcome = measure_safely(program, &request, &mut emit);
    write_line(&Event::Outcome(Box::new(outcome))).context("writing the outcome")
}

fn write_line(event: &Event) -> io::Result<()> {
    let mut line = serde_json::to_vec(event).map_err(io::Error::other)?;
    line.push(b'\n');
    let mut stdout = io::stdout().lock();
    stdout.write_all(&line)?;
    stdout.flush()
}

/// Waits for the end of standard input, which comes when the parent exits or is killed.
fn end_with_parent() {
    let _ = io::copy(&mut io::stdin().lock().by_ref(), &mut io::sink());
    if let Ok(mark) = std::env::var(MARK) {
        end_marked(&mark);
    }
    std::process::exit(1);
}

/// Measures a case. A panic in a model becomes an outcome and does not end the process.
pub fn measure_safely(program: &Program, request: &Request, emit: &mut dyn FnMut(Event)) -> Outcome {
    static MESSAGE: Mutex<Option<String>> = Mutex::new(None);
    if let Ok(mut message) = MESSAGE.lock() {
        message.take();
    }
    let default_hook = panic::take_hook();
    let alone = request.alone;
    panic::set_hook(Box::new(move |info| {
        let place = info.location().map_or(String::new(), |at| format!(" at {}:{}", at.file(), at.line()));
        let text = info.payload_as_str().unwrap_or("no message");
        if alone {
            // If a second panic aborts the process, the parent learns this from its last output.
            let _ = writeln!(io::stderr(), "{text}{place}");
        }
        if let Ok(mut message) = MESSAGE.lock() {
            message.get_or_insert_with(|| format!("{text}{place}"));
        }
    }));
    let store = store(request.samples.as_ref());
    let measured = panic::catch_unwind(AssertUnwindSafe(|| measure(program, request, &store, emit)));
    panic::set_hook(default_hook);
    let mut outcome = measured.unwrap_or_else(|_| {
        let message = MESSAGE.lock().ok().and_then(|message| message.clone());
        let message = message.unwrap_or_else(|| "no message".to_owned());
        Outcome::without_numbers(Status::Failed, format!("the model panicked: {message}"))
    });
    // A library may panic in a thread of its own, and the model then gives another reason.
    let panicked = MESSAGE.lock().ok().and_then(|message| message.clone()).unwrap_or_default();
    let fault = [&panicked, &outcome.note].into_iter().find_map(|said| card_faults::ending(&request.case.device, said));
    if let Some((status, reason)) = fault.filter(|_| outcome.status == Status::Failed) {
        (outcome.status, outcome.note) = (status, reason);
    }
    // Without a device, the row is one that no process measured.
    if let Ok(device) = Device::named(&request.case.device).and_then(|device| program.machine.device(device)) {
        (outcome.machine, outcome.device_name) = (device.fingerprint, device.name);
    }
    outcome
}
