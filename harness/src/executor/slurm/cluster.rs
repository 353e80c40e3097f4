//! A cluster that runs tasks: Slurm by its commands. Tests have one of their own.

use std::collections::{BTreeSet, HashMap};
use std::fmt::Display;
use std::fs::File;
use std::io::{self, Read, Seek, Write};
use std::process::{Command, ExitStatus, Stdio};
use std::thread;
use std::time::{Duration, Instant};

use super::states::{LINE_FORMAT, TaskLine};

/// What runs tasks.
pub trait Cluster: Send + Sync {
    /// How many tasks an array may have.
    ///
    /// # Errors
    /// If it cannot be asked.
    fn most_tasks(&self) -> Result<usize, Refusal>;

    /// Whether the cluster would take a script. Nothing is submitted.
    ///
    /// # Errors
    /// Why not.
    fn check(&self, script: &str) -> Result<(), Refusal>;

    /// Submits a script, whose array has this name. Returns the id of the array.
    ///
    /// # Errors
    /// Why it was not taken.
    fn submit(&self, script: &str, name: &str) -> Result<String, Refusal>;

    /// What is known of the tasks of these arrays. Nothing of those that ended some time ago.
    ///
    /// # Errors
    /// If it cannot be asked.
    fn tasks(&self, jobs: &BTreeSet<String>) -> Result<Vec<TaskLine>, Refusal>;

    /// The id of the array of this name. `None` if there is none.
    ///
    /// # Errors
    /// If it cannot be asked.
    fn named(&self, name: &str) -> Result<Option<String>, Refusal>;

    /// The last states of tasks (`12_3`) that are not known any more, as far as somebody has written them down.
    fn accounted(&self, tasks: &BTreeSet<String>) -> HashMap<String, String>;

    /// Ends tasks: those of whole arrays (`12`) or single ones (`12_3`).
    ///
    /// # Errors
    /// If it cannot be asked.
    fn cancel(&self, tasks: &BTreeSet<String>) -> Result<(), Refusal>;
}

/// Why a cluster does not do what it is asked for.
#[derive(Debug, Clone, PartialEq, Eq, thiserror::Error)]
pub enum Refusal {
    /// There is no such command.
    #[error(
        "Slurm is not installed on this machine, or not in PATH: there is no command {0}; load its module, log in where it is, or carry out the cases here with --executor process"
    )]
    NotInstalled(String),
    /// It does not answer, or not now.
    #[error("Slurm does not answer: {0}")]
    Silent(String),
    /// The queue takes no more, for now.
    #[error("Slurm takes no more tasks now: {0}")]
    Full(String),
    /// It will not do that.
    #[error(
        "Slurm refuses the tasks of this run: {0}; [slurm] of the suite says what they ask for, and --dry-run shows it"
    )]
    Refused(String),
}

/// Slurm, through its commands in `PATH`.
pub struct SlurmCommands;

/// How long a command may take. `sbatch` itself tries again for minutes where the queue is full.
const COMMAND_LIMIT: Duration = Duration::from_secs(240);

/// What `sbatch` says if it may take the same script later.
const FULL: &[&str] = &[
    "accounting/QOS policy",
    "Resource temporarily unavailable",
    "temporarily unable to accept job",
    "job submit limit",
    "Slurm job queue full",
];

/// What `scancel` says of tasks that have ended.
const OVER: &[&str] = &["Invalid job id", "already completing or completed"];

/// What commands say if the controller cannot be reached.
const SILENT: &[&str] = &[
    "Unable to contact slurm controller",
    "Socket timed out",
    "Connection refused",
    "Connection timed out",
    "Zero Bytes were transmitted",
    "Communication connection failure",
    "slurmctld is not yet ready",
    "Slurm backup controller in standby mode",
    "Unexpected message received",
    "configuration source",
    "Transport endpoint is not connected",
    "Host is down",
];

impl Cluster for SlurmCommands {
    fn most_tasks(&self) -> Result<usize, Refusal> {
        let config = ask("scontrol", ["show", "config"], "")?;
        let line = config.lines().find_map(|line| line.trim().strip_prefix("MaxArraySize"));
        let most = line.and_then(|line| line.trim_start_matches([' ', '=']).trim().parse().ok());
        match most {
            Some(0) => Err(Refusal::Refused("it has no arrays (MaxArraySize is 0)".to_owned())),
            Some(most) => Ok(most),
            None => Err(Refusal::Silent("`scontrol show config` names no MaxArraySize".to_owned())),
        }
    }

    fn check(&self, script: &str) -> Result<(), Refusal> {
        ask("sbatch", ["--test-only"], script).map(drop)
    }

    fn submit(&self, script: &str, name: &str) -> Result<String, Refusal> {
        let taken = ask("sbatch", ["--parsable"], script);
        let id = |said: &str| said.lines().last().unwrap_or_default().split(';').next().unwrap_or_default().to_owned();
        match taken {
            Ok(said) if !id(&said).is_empty() => Ok(id(&said)),
            Ok(_) => Err(Refusal::Silent("sbatch named no job".to_owned())),
            Err(refusal @ (Refusal::Full(_) | Refusal::Silent(_))) => {
                // The answer may have been lost on its way, and not the array.
                self.named(name).ok().flatten().ok_or(refusal)
            }
            Err(refusal) => Err(refusal),
        }
    }

    fn tasks(&self, jobs: &BTreeSet<String>) -> Result<Vec<TaskLine>, Refusal> {
        if jobs.is_empty() {
            return Ok(Vec::new());
        }
        let jobs = format!("--jobs={}", listed(jobs, ","));
        match squeue(&jobs) {
            // Of a single one that ended long ago; of several, those are left out.
            Err(Refusal::Refused(why)) if why.contains("Invalid job id") => Ok(Vec::new()),
            lines => lines,
        }
    }

    fn named(&self, name: &str) -> Result<Option<String>, Refusal> {
        let lines = squeue(&format!("--name={name}"))?;
        Ok(lines.into_iter().map(|line| line.job).next())
    }

    fn accounted(&self, tasks: &BTreeSet<String>) -> HashMap<String, String> {
        if tasks.is_empty() {
            return HashMap::new();
        }
        let jobs = format!("--jobs={}", listed(tasks, ","));
        let said =
            ask("sacct", [jobs.as_str(), "--noheader", "--parsable2", "--allocations", "--format=JobID,State"], "");
        // Many clusters keep no accounts.
        let said = said.unwrap_or_default();
        let state = |line: &str| {
            let (task, state) = line.split_once('|')?;
            // `CANCELLED by 1000`.
            Some((task.to_owned(), state.split_whitespace().next()?.to_owned()))
        };
        said.lines().filter_map(state).collect()
    }

    fn cancel(&self, tasks: &BTreeSet<String>) -> Result<(), Refusal> {
        if tasks.is_empty() {
            return Ok(());
        }
        match ask("scancel", tasks, "") {
            // They have ended, and some so long ago that Slurm has forgotten them.
            Err(Refusal::Refused(why)) if OVER.iter().any(|sign| why.contains(sign)) => Ok(()),
            ended => ended.map(drop),
        }
    }
}

fn squeue(which: &str) -> Result<Vec<TaskLine>, Refusal> {
    let format = format!("--format={LINE_FORMAT}");
    let said = ask("squeue", ["--noheader", "--states=all", which, &format], "")?;
    Ok(said.lines().filter_map(TaskLine::read).collect())
}

fn listed<T: Display>(items: impl IntoIterator<Item = T>, separator: &str) -> String {
    items.into_iter().map(|item| item.to_string()).collect::<Vec<_>>().join(separator)
}

/// What a command prints that is given `input`.
fn ask(
    command: &str,
    arguments: impl IntoIterator<Item = impl AsRef<std::ffi::OsStr>>,
    input: &str,
) -> Result<String, Refusal> {
    let (status, stdout, stderr) = run(command, arguments, input).map_err(|error| match error.kind() {
        io::ErrorKind::NotFound => Refusal::NotInstalled(command.to_owned()),
        _ => Refusal::Silent(format!("{command}: {error}")),
    })?;
    if status.success() {
        return Ok(stdout);
    }
    let said = complaint(&stderr);
    let said = if said.is_empty() { format!("{command} ended with {status}") } else { format!("{command}: {said}") };
    let says = |signs: &[&str]| signs.iter().any(|sign| stderr.contains(sign));
    Err(if says(SILENT) {
        Refusal::Silent(said)
    } else if says(FULL) {
        Refusal::Full(said)
    } else {
        Refusal::Refused(said)
    })
}

/// The lines in which a command says what is wrong, without the beginnings that all of them have.
fn complaint(stderr: &str) -> String {
    let plain = |line: &str| {
        let line = line.trim();
        let line = line.strip_prefix("sbatch: ").unwrap_or(line);
        line.strip_prefix("error: ").unwrap_or(line).to_owned()
    };
    listed(stderr.lines().map(plain).filter(|line| !line.is_empty()), "; ")
}

/// Runs a command to its end. Its output goes through files, so that it never waits for a reader.
fn run(
    command: &str,
    arguments: impl IntoIterator<Item = impl AsRef<std::ffi::OsStr>>,
    input: &str,
) -> io::Result<(ExitStatus, String, String)> {
    const LOOK: Duration = Duration::from_millis(5);
    let mut stdin = tempfile::tempfile()?;
    stdin.write_all(input.as_bytes())?;
    stdin.rewind()?;
    let (mut stdout, mut stderr) = (tempfile::tempfile()?, tempfile::tempfile()?);
    let mut command = Command::new(command);
    command
        .args(arguments)
        // Without it, a long list of tasks is cut short.
        .env("SLURM_BITSTR_LEN", "0")
        .stdin(stdin)
        .stdout(Stdio::from(stdout.try_clone()?))
        .stderr(Stdio::from(stderr.try_clone()?));
    // Ctrl-C at the terminal must reach this program only, which then cancels what was submitted.
    #[cfg(unix)]
    std::os::unix::process::CommandExt::process_group(&mut command, 0);
    let mut child = command.spawn()?;
    let begun = Instant::now();
    let status = loop {
        if let Some(status) = child.try_wait()? {
            break status;
        }
        if begun.elapsed() > COMMAND_LIMIT {
            // It may have ended just now.
            let _ = child.kill();
            child.wait()?;
            return Err(io::Error::other(format!("no answer within {} s", COMMAND_LIMIT.as_secs())));
        }
        thread::sleep(LOOK);
    };
    let read = |file: &mut File| {
        let mut bytes = Vec::new();
        file.rewind()?;
        file.read_to_end(&mut bytes)?;
        io::Result::Ok(String::from_utf8_lossy(&bytes).into_owned())
    };
    Ok((status, read(&mut stdout)?, read(&mut stderr)?))
}

#[cfg(test)]
mod tests {
    use super::{ask, complaint};

    #[test]
    fn what_a_command_says_is_shown_without_its_name_in_every_line() {
        let said =
            "sbatch: error: invalid partition specified: nope\nallocation failure: Invalid partition name specified\n";
        assert_eq!(
            complaint(said),
            "invalid partition specified: nope; allocation failure: Invalid partition name specified"
        );
    }

    #[test]
    fn a_command_that_is_not_there_is_named() {
        let error = ask("no-such-command-of-slurm", ["--version"], "").expect_err("it is not there").to_string();
        assert!(error.contains("there is no command no-such-command-of-slurm"), "{error}");
    }
}
