//! The folder `slurm/` of a run: what the program leaves for its tasks on other machines, and the tasks for the program.
//!
//! Each array has a folder in it. Everything there is written under another name and then moved to its place, or written before the
//! array is submitted, so that nobody reads half of it.

use std::fs::{self, File};
use std::io::{self, BufRead, BufReader, Seek, SeekFrom};
use std::path::{Path, PathBuf};
use std::sync::atomic::{AtomicU64, Ordering};
use std::time::{SystemTime, UNIX_EPOCH};

use anyhow::Context;
use bakeoff_reports::{RunDir, replace};
use serde::{Deserialize, Serialize};
use sha2::{Digest, Sha256};

use crate::case::Case;
use crate::worker::this_program;

/// The folder `slurm/` of a run.
#[derive(Debug, Clone)]
pub(super) struct Place {
    root: PathBuf,
}

impl Place {
    /// The folder of a run. It has the same path on every machine, so it is a whole path.
    pub(super) fn of(run: &RunDir) -> anyhow::Result<Place> {
        let root = std::path::absolute(run.slurm_path()).context("failed to find the path of the run's directory")?;
        Ok(Place { root })
    }

    pub(super) fn path(&self) -> &Path {
        &self.root
    }

    /// Where tasks keep checkpoints, models and what is being served. The run's own folders are tidied up while tasks are at work.
    pub(super) fn work(&self) -> RunDir {
        RunDir::new(self.root.join("work"))
    }

    /// The path of a copy of the program that tasks start.
    pub(super) fn program_path(&self, token: &str) -> PathBuf {
        self.root.join(format!("bakeoff-{token}"))
    }

    /// Copies this program to where every machine finds it. All tasks that this process submits start this copy, whatever becomes of the
    /// file that was started, and tasks of an earlier process go on with theirs.
    pub(super) fn put_program(&self) -> anyhow::Result<PathBuf> {
        let copy = self.program_path(&token());
        let written = || -> io::Result<()> {
            fs::create_dir_all(&self.root)?;
            fs::copy(this_program()?, &copy).map(drop)
        };
        written().with_context(|| format!("cannot copy the program to {}, for the tasks on Slurm", copy.display()))?;
        Ok(copy)
    }

    /// The folders of arrays, the oldest first.
    pub(super) fn arrays(&self) -> anyhow::Result<Vec<ArrayFolder>> {
        let entries = match fs::read_dir(&self.root) {
            Err(error) if error.kind() == io::ErrorKind::NotFound => return Ok(Vec::new()),
            entries => entries.with_context(|| format!("cannot read {}", self.root.display()))?,
        };
        let mut arrays: Vec<ArrayFolder> =
            entries.flatten().filter_map(|entry| ArrayFolder::at(entry.path())).collect();
        arrays.sort_by_key(|array| array.number);
        Ok(arrays)
    }

    /// The folder of a new array, which is not made yet.
    pub(super) fn new_array(&self, number: usize, token: &str) -> ArrayFolder {
        ArrayFolder { path: self.root.join(format!("{number}-{token}")), number }
    }
}

/// Six hexadecimal digits for names, so that a run that is made again at the same path has nothing in common with tasks of the one before.
pub(super) fn token() -> String {
    static MADE: AtomicU64 = AtomicU64::new(0);
    let nanos = SystemTime::now().duration_since(UNIX_EPOCH).map_or(0, |time| time.as_nanos());
    let made = MADE.fetch_add(1, Ordering::Relaxed);
    let digest = Sha256::digest(format!("{nanos} {} {made}", std::process::id()).as_bytes());
    digest.iter().take(3).map(|byte| format!("{byte:02x}")).collect()
}

/// What a task is given.
#[derive(Debug, Clone, PartialEq, Serialize, Deserialize)]
#[serde(deny_unknown_fields)]
pub(super) struct TaskRequest {
    pub(super) case: Case,
    /// A folder from which samples are read instead of the built-in ones.
    pub(super) samples: Option<PathBuf>,
}

/// The folder of an array.
#[derive(Debug, Clone)]
pub(super) struct ArrayFolder {
    path: PathBuf,
    pub(super) number: usize,
}

impl ArrayFolder {
    /// The folder at `path`. `None` if it is none of an array.
    pub(super) fn at(path: PathBuf) -> Option<ArrayFolder> {
        let (number, _) = path.file_name()?.to_str()?.split_once('-')?;
        let number = number.parse().ok()?;
        Some(ArrayFolder { path, number })
    }

    pub(super) fn path(&self) -> &Path {
        &self.path
    }

    /// The name of the array in Slurm.
    pub(super) fn name(&self) -> String {
        let token = self.path.file_name().unwrap_or_default().to_string_lossy();
        format!("bakeoff-{token}")
    }

    fn cases_path(&self) -> PathBuf {
        self.path.join("cases.jsonl")
    }

    pub(super) fn outcome_path(&self, task: u32) -> PathBuf {
        self.path.join("outcomes").join(format!("{task}.json"))
    }

    pub(super) fn log_path(&self, task: u32) -> PathBuf {
        self.path.join("logs").join(format!("{task}.log"))
    }

    /// Makes the folder, with a line for each task. All lines have the same length, so that a task finds its own at once.
    pub(super) fn fill(&self, requests: &[TaskRequest]) -> anyhow::Result<()> {
        let written = || -> anyhow::Result<()> {
            fs::create_dir_all(self.path.join("outcomes"))?;
            fs::create_dir_all(self.path.join("logs"))?;
            let lines = requests.iter().map(serde_json::to_string).collect::<Result<Vec<_>, _>>()?;
            let longest = lines.iter().map(String::len).max().unwrap_or(0);
            let mut text = String::with_capacity(lines.len() * (longest + 1));
            for line in lines {
                text.push_str(&line);
                text.extend(std::iter::repeat_n(' ', longest - line.len()));
                text.push('\n');
            }
            Ok(replace(&self.cases_path(), text.as_bytes())?)
        };
        written().with_context(|| format!("cannot write the cases of an array to {}", self.path.display()))
    }

    /// What a task is given.
    pub(super) fn request(&self, task: u32) -> anyhow::Result<TaskRequest> {
        let path = self.cases_path();
        let read = || -> anyhow::Result<TaskRequest> {
            let mut file = BufReader::new(File::open(&path)?);
            let mut line = Vec::new();
            let length = file.read_until(b'\n', &mut line)?;
            file.seek(SeekFrom::Start(u64::from(task) * length as u64))?;
            line.clear();
            file.read_until(b'\n', &mut line)?;
            anyhow::ensure!(!line.is_empty(), "it has no line for this task");
            Ok(serde_json::from_slice(&line)?)
        };
        read().with_context(|| format!("cannot read task {task} in {}", path.display()))
    }

    /// What all tasks are given.
    pub(super) fn requests(&self) -> anyhow::Result<Vec<TaskRequest>> {
        let path = self.cases_path();
        let read = || -> anyhow::Result<Vec<TaskRequest>> {
            let text = fs::read_to_string(&path)?;
            Ok(text.lines().map(serde_json::from_str).collect::<Result<_, _>>()?)
        };
        read().with_context(|| format!("cannot read {}", path.display()))
    }

    /// Stores the id of the array in Slurm, and the script for whoever wants to know what was submitted.
    pub(super) fn write_job(&self, job: &str, script: &str) -> anyhow::Result<()> {
        replace(&self.path.join("script.sh"), script.as_bytes())?;
        Ok(replace(&self.path.join("job"), job.as_bytes())?)
    }

    /// The id of the array in Slurm. `None` if the program was stopped before it could store it.
    pub(super) fn job(&self) -> Option<String> {
        let job = fs::read_to_string(self.path.join("job")).ok()?;
        (!job.trim().is_empty()).then(|| job.trim().to_owned())
    }

    /// The tasks whose outcome is there. None if the folder cannot be read now.
    pub(super) fn outcomes(&self) -> Vec<u32> {
        let entries = fs::read_dir(self.path.join("outcomes")).into_iter().flatten().flatten();
        // What is being written is hidden.
        let number = |entry: fs::DirEntry| entry.file_name().to_str()?.strip_suffix(".json")?.parse().ok();
        entries.filter_map(number).collect()
    }

    /// The last lines of a task's log, as the end of a sentence.
    pub(super) fn last_words(&self, task: u32) -> String {
        const MOST_LINES: usize = 3;
        let log = fs::read(self.log_path(task)).unwrap_or_default();
        let log = String::from_utf8_lossy(&log);
        let lines: Vec<&str> = log.lines().map(str::trim).filter(|line| !line.is_empty()).collect();
        if lines.is_empty() {
            let run = self.path.ancestors().nth(2).unwrap_or(&self.path);
            return format!(
                " and left no log: does the node see {}, is there room, and does the program run there?",
                run.display()
            );
        }
        format!("; its last output: {}", lines[lines.len().saturating_sub(MOST_LINES)..].join(" / "))
    }

    /// Removes the folder. What cannot be removed now is removed when the run ends.
    pub(super) fn remove(&self) {
        let _ = fs::remove_dir_all(&self.path);
    }
}

#[cfg(test)]
#[expect(clippy::unwrap_used, reason = "tests")]
mod tests {
    use super::*;
    use crate::executor::slurm::tests::cases;

    #[test]
    fn a_task_finds_its_line_whatever_the_lengths_of_the_others() {
        let folder = tempfile::tempdir().unwrap();
        let place = Place::of(&RunDir::new(folder.path())).unwrap();
        let array = place.new_array(3, "abc123");
        let samples = |letters: usize| Some(PathBuf::from("x".repeat(letters)));
        let requests: Vec<TaskRequest> = cases(4)
            .into_iter()
            .zip([0, 70, 7, 300])
            .map(|(case, letters)| TaskRequest { case, samples: samples(letters) })
            .collect();
        array.fill(&requests).unwrap();
        for (task, request) in (0..).zip(&requests) {
            assert_eq!(&array.request(task).unwrap(), request);
        }
        assert_eq!(array.requests().unwrap(), requests);
        let message = format!("{:#}", array.request(4).unwrap_err());
        assert!(message.contains("cannot read task 4") && message.contains("no line for this task"), "{message}");
        let found = place.arrays().unwrap();
        assert_eq!((found.len(), found[0].number, found[0].path()), (1, 3, array.path()));
    }

    #[test]
    fn an_outcome_that_is_being_written_is_not_there_yet() {
        let folder = tempfile::tempdir().unwrap();
        let array = Place::of(&RunDir::new(folder.path())).unwrap().new_array(1, "abc123");
        array.fill(&[]).unwrap();
        fs::write(array.outcome_path(0).with_file_name(".7.json.99.tmp"), "{").unwrap();
        fs::write(array.outcome_path(5), "{}").unwrap();
        assert_eq!(array.outcomes(), [5]);
        assert!(array.last_words(5).contains("left no log"));
        fs::write(array.log_path(5), "one\n\ntwo\nthree\nfour\n").unwrap();
        assert_eq!(array.last_words(5), "; its last output: two / three / four");
    }
}
