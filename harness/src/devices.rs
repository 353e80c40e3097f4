//! The devices of this machine. A process of its own looks at a graphics card, because a driver may print, hang or abort, and because a
//! process that has opened a card holds memory and power of it until it ends.

use std::collections::HashMap;
use std::io::{BufRead, BufReader, stdout};
use std::process::{Child, Command, Stdio};
use std::sync::{Mutex, PoisonError, mpsc};
use std::thread;
use std::time::Duration;

use bakeoff_models::Device;
use bakeoff_reports::DeviceInfo;

use crate::machine::{Machine, fingerprint_with};
use crate::program::Program;
use crate::worker::this_program;

/// How long a driver may take to open a card. A machine with eight of them was seen to need twenty seconds.
const LONGEST_LOOK: Duration = Duration::from_secs(60);

/// A device of this machine. It is looked at once, and then remembered.
///
/// # Errors
/// Why the machine does not have it, and what to do.
pub fn find(machine: &dyn Machine, device: Device) -> Result<DeviceInfo, String> {
    static FOUND: Mutex<Option<HashMap<Device, Result<DeviceInfo, String>>>> = Mutex::new(None);
    if device == Device::Cpu {
        return machine.device(device);
    }
    let mut found = FOUND.lock().unwrap_or_else(PoisonError::into_inner);
    found.get_or_insert_default().entry(device).or_insert_with(|| look(device)).clone()
}

/// A device of a machine that cannot be looked at from here, such as the node of a cluster.
pub fn elsewhere(machine: &dyn Machine, device: Device) -> DeviceInfo {
    DeviceInfo {
        name: device.name().to_owned(),
        fingerprint: fingerprint_with(&machine.describe(), device.name()),
        ..DeviceInfo::unknown(device.name())
    }
}

/// Starts the process that looks at a card, and takes its answer.
fn look(device: Device) -> Result<DeviceInfo, String> {
    let start = || {
        Command::new(this_program()?)
            .args(["worker", "--device", device.name()])
            .stdin(Stdio::null())
            .stdout(Stdio::piped())
            .stderr(Stdio::null())
            .spawn()
    };
    let child = start().map_err(|error| format!("the process that looks at it could not be started: {error}"))?;
    answer(child, LONGEST_LOOK)
}

/// The answer of a process that looks at a card. One that takes longer than `longest` is ended.
fn answer(mut child: Child, longest: Duration) -> Result<DeviceInfo, String> {
    let (sender, receiver) = mpsc::channel();
    let output = child.stdout.take();
    let reader = thread::Builder::new().spawn(move || {
        // A line that is no answer was printed by a library.
        let lines = output.into_iter().flat_map(|output| BufReader::new(output).lines().map_while(Result::ok));
        let answer = lines.filter_map(|line| serde_json::from_str(&line).ok()).next();
        // Nobody waits any more if it took too long.
        let _ = sender.send(answer);
    });
    let answered = reader.map_or(Ok(None), |_| receiver.recv_timeout(longest));
    // It may have ended by itself, and has nothing left to say.
    let _ = child.kill();
    let status = child.wait();
    match answered {
        Ok(Some(answer)) => answer,
        Ok(None) => {
            let how = status.map_or_else(|error| error.to_string(), |status| status.to_string());
            Err(format!("its driver failed when it was opened ({how}): update the driver, or install it again"))
        }
        Err(_) => Err(format!(
            "its driver did not answer within {} s: another program may hold the card, or it must be reset",
            longest.as_secs()
        )),
    }
}

/// What such a process does: it opens the card of the device of this name, and answers with a line of JSON.
///
/// # Errors
/// If the answer cannot be written.
pub fn answer_with(program: &Program, name: &str) -> anyhow::Result<()> {
    let found = Device::named(name).and_then(|device| program.machine.device(device));
    serde_json::to_writer(stdout().lock(), &found)?;
    Ok(())
}

#[cfg(all(test, unix))]
mod tests {
    use super::*;

    /// What a process answers that runs these commands.
    fn answer_of(commands: &str, longest: Duration) -> Result<DeviceInfo, String> {
        let mut shell = Command::new("sh");
        let child =
            shell.args(["-c", commands]).stdin(Stdio::null()).stdout(Stdio::piped()).stderr(Stdio::null()).spawn();
        answer(child.expect("every system has a shell"), longest)
    }

    #[test]
    fn an_answer_is_found_among_what_a_library_prints_and_need_not_be_the_end() {
        let found = DeviceInfo { name: "Example".to_owned(), ..DeviceInfo::unknown("wgpu") };
        let json = serde_json::to_string(&Ok::<_, String>(found.clone())).expect("it is JSON");
        let commands = format!("echo a warning; echo; echo '{json}'; sleep 100");
        assert_eq!(answer_of(&commands, Duration::from_secs(50)), Ok(found));
        assert_eq!(answer_of("echo '{\"Err\":\"none\"}'", Duration::from_secs(50)), Err("none".to_owned()));
    }

    #[test]
    fn a_driver_that_hangs_or_fails_is_a_reason() {
        let hung = answer_of("exec sleep 100", Duration::from_millis(100));
        assert!(hung.is_err_and(|why| why.starts_with("its driver did not answer within 0 s")));
        let aborted = answer_of("kill -ABRT $$", Duration::from_secs(50));
        assert!(aborted.is_err_and(|why| why.starts_with("its driver failed when it was opened (signal: 6")));
        let exited = answer_of("exit 7", Duration::from_secs(50));
        assert!(exited.is_err_and(|why| why.contains("exit status: 7")));
    }
}
