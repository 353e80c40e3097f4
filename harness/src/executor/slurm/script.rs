//! The script of an array, as `sbatch` takes it.

use std::fmt::{self, Display, Formatter};
use std::path::Path;

use crate::case::Case;
use crate::suite::SlurmSettings;

/// What the process that carries out a task needs beside its case: it holds the outcome, and runs no model itself.
const BESIDE_THE_CASE_MIB: u64 = 512;
/// What a task needs beside the time-out of its case: to measure the machine and to write its outcome.
const BESIDE_THE_CASE_S: f64 = 300.0;

/// An array of one task for each case.
pub(super) struct Script<'a> {
    /// What the suite asks for.
    pub settings: &'a SlurmSettings,
    /// The name of the array in Slurm.
    pub name: &'a str,
    /// The folder of the array, whose path the nodes know.
    pub folder: &'a Path,
    /// The program, whose path the nodes know.
    pub program: &'a Path,
    /// How many tasks it has.
    pub tasks: usize,
    /// One of its cases. All of them have the same threads, time-out and memory limit.
    pub case: &'a Case,
}

impl Display for Script<'_> {
    fn fmt(&self, f: &mut Formatter<'_>) -> fmt::Result {
        let Script { settings, name, folder, program, tasks, case } = self;
        let mib = case.memory_limit_bytes.div_ceil(1 << 20) + BESIDE_THE_CASE_MIB;
        let minutes = || ((case.timeout_s + BESIDE_THE_CASE_S) / 60.0).ceil().to_string();
        let at_a_time = settings.at_a_time.map_or(String::new(), |count| format!("%{count}"));
        // Slurm puts numbers in place of what follows a %.
        let log = format!("{}/logs/%a.log", folder.display().to_string().replace('%', "%%"));
        writeln!(f, "#!/bin/sh")?;
        writeln!(f, "#SBATCH --job-name={}", quoted(name))?;
        writeln!(f, "#SBATCH --array=0-{}{at_a_time}", tasks.saturating_sub(1))?;
        writeln!(f, "#SBATCH --ntasks=1")?;
        writeln!(f, "#SBATCH --cpus-per-task={}", case.threads)?;
        writeln!(f, "#SBATCH --mem={mib}M")?;
        writeln!(f, "#SBATCH --time={}", settings.time.clone().unwrap_or_else(minutes))?;
        writeln!(f, "#SBATCH --output={}", quoted(&log))?;
        writeln!(f, "#SBATCH --open-mode=append")?;
        writeln!(f, "#SBATCH --requeue")?;
        for (option, value) in
            [("partition", &settings.partition), ("account", &settings.account), ("gres", &settings.gres)]
        {
            if let Some(value) = value {
                writeln!(f, "#SBATCH --{option}={}", quoted(value))?;
            }
        }
        // Last, because the last of two options counts.
        for option in &settings.extra {
            writeln!(f, "#SBATCH {option}")?;
        }
        writeln!(f, "exec {} worker --array {}", shell_word(program), shell_word(folder))
    }
}

/// A value in a line of options, as Slurm reads it.
fn quoted(value: &str) -> String {
    let is_plain = |letter: char| letter.is_ascii_alphanumeric() || "/._%=-:,+@".contains(letter);
    if value.chars().all(is_plain) {
        return value.to_owned();
    }
    format!("\"{}\"", value.replace('\\', "\\\\").replace('"', "\\\""))
}

/// A path as one word of a shell.
fn shell_word(path: &Path) -> String {
    format!("'{}'", path.display().to_string().replace('\'', r"'\''"))
}
