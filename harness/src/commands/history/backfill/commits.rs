//! Commits of the repository in which the program was started, through git.

use std::fs::{self, OpenOptions};
use std::io::Write;
use std::path::{Path, PathBuf};
use std::process::Command;

use anyhow::Context;
use jiff::Timestamp;

use crate::usage::usage;

/// A commit.
#[derive(Debug, Clone, PartialEq, Eq)]
pub(super) struct Commit {
    /// Its name, in 40 hexadecimal digits.
    hash: String,
    /// When it was committed, RFC 3339, UTC.
    pub(super) date: String,
    /// The first line of its message.
    pub(super) subject: String,
}

impl Commit {
    /// The first twelve digits, as a build records them.
    pub(super) fn short(&self) -> &str {
        &self.hash[..12]
    }

    /// Whether a history means this commit by `recorded`.
    pub(super) fn is(&self, recorded: &str) -> bool {
        recorded.len() >= 12 && self.hash.starts_with(recorded)
    }
}

/// A repository.
#[derive(Debug)]
pub(super) struct Repository {
    top: PathBuf,
}

impl Repository {
    /// The repository of the folder in which the program was started.
    ///
    /// # Errors
    /// If that is in none, or git is not installed.
    pub(super) fn here() -> anyhow::Result<Repository> {
        let top = git(Path::new("."), &["rev-parse", "--show-toplevel"]).map_err(|error| {
            usage(format!("backfill reads the commits of the repository in which it is started: {error}"))
        })?;
        Ok(Repository { top: PathBuf::from(top.trim_end()) })
    }

    /// The commits of a range, the oldest first.
    ///
    /// # Errors
    /// If it is no range, or has no commit.
    pub(super) fn commits(&self, range: &str) -> anyhow::Result<Vec<Commit>> {
        let is_range =
            range.split_once("..").is_some_and(|(from, to)| !from.is_empty() && !to.is_empty() && !to.starts_with('.'));
        if !is_range || range.starts_with('-') {
            return Err(usage(format!("--commits {range} is no range: write A..B, as in v1.0..main")));
        }
        let listed = git(&self.top, &["log", "--reverse", "--first-parent", "--format=%H %ct %s", range, "--"]);
        let listed = listed.map_err(|error| usage(format!("--commits {range}: {error}")))?;
        let commits = listed.lines().map(parse).collect::<anyhow::Result<Vec<Commit>>>()?;
        if commits.is_empty() {
            return Err(usage(format!("--commits {range} has no commit: the older one comes first, as in v1.0..main")));
        }
        Ok(commits)
    }

    /// The work tree in this folder, which is made if it is not there.
    ///
    /// # Errors
    /// If it cannot be made, or if the folder is something else.
    pub(super) fn worktree(&self, folder: &Path) -> anyhow::Result<PathBuf> {
        if !folder.exists() {
            let name = folder.to_str().with_context(|| format!("{} is not UTF-8", folder.display()))?;
            git(Path::new("."), &["worktree", "add", "--detach", name, "HEAD"])
                .map_err(|error| usage(format!("cannot make the work tree {}: {error}", folder.display())))?;
            // `git add --all` would take it for a repository in this one. If git keeps its files elsewhere, that is for the user to see.
            let _ = self.exclude(folder);
        }
        let found = folder.canonicalize().with_context(|| format!("cannot open {}", folder.display()))?;
        let refuse = || {
            let name = folder.display();
            usage(format!(
                "{name} is no work tree of this repository of its own: give --worktree a folder that is not there yet"
            ))
        };
        let top = git(&found, &["rev-parse", "--show-toplevel"]).map_err(|_| refuse())?;
        let is_top = Path::new(top.trim_end()).canonicalize().is_ok_and(|top| top == found);
        let common = |at: &Path| {
            let folder = git(at, &["rev-parse", "--path-format=absolute", "--git-common-dir"]).ok()?;
            Path::new(folder.trim_end()).canonicalize().ok()
        };
        // The user's own work tree must keep what it has.
        let is_users = self.top.canonicalize().is_ok_and(|users| users == found);
        if is_top && !is_users && common(&found) == common(&self.top) { Ok(found) } else { Err(refuse()) }
    }

    /// Has git ignore a folder of this clone.
    fn exclude(&self, folder: &Path) -> anyhow::Result<()> {
        let folder = folder.canonicalize()?;
        let top = self.top.canonicalize()?;
        let Ok(below) = folder.strip_prefix(&top) else { return Ok(()) };
        let path = git(&top, &["rev-parse", "--path-format=absolute", "--git-path", "info/exclude"]).map_err(usage)?;
        let path = Path::new(path.trim_end());
        if let Some(above) = path.parent() {
            fs::create_dir_all(above)?;
        }
        let mut file = OpenOptions::new().create(true).append(true).open(path)?;
        Ok(writeln!(file, "/{}/", below.display())?)
    }

    /// Puts the files of a commit into a work tree. What builds have made stays.
    ///
    /// # Errors
    /// If git cannot do it.
    pub(super) fn check_out(&self, worktree: &Path, commit: &Commit) -> anyhow::Result<()> {
        git(worktree, &["checkout", "--force", "--detach", "--quiet", &commit.hash])
            .map(drop)
            .map_err(|error| anyhow::anyhow!("cannot check out {} in {}: {error}", commit.short(), worktree.display()))
    }
}

/// A line of the list.
fn parse(line: &str) -> anyhow::Result<Commit> {
    let odd = || format!("git listed a commit as '{line}', expected its hash, its time and its subject");
    let mut parts = line.splitn(3, ' ');
    let (hash, time) = parts.next().zip(parts.next()).with_context(odd)?;
    let seconds: i64 = time.parse().with_context(odd)?;
    let date = Timestamp::from_second(seconds).with_context(odd)?;
    anyhow::ensure!(hash.len() >= 12, odd());
    Ok(Commit {
        hash: hash.to_owned(),
        date: date.strftime("%Y-%m-%dT%H:%M:%SZ").to_string(),
        subject: parts.next().unwrap_or_default().to_owned(),
    })
}

/// What git prints. The error is its own message.
fn git(folder: &Path, arguments: &[&str]) -> Result<String, String> {
    let output = Command::new("git").current_dir(folder).args(arguments).output();
    let output = output.map_err(|error| format!("cannot start git: {error}"))?;
    if output.status.success() {
        return Ok(String::from_utf8_lossy(&output.stdout).into_owned());
    }
    let said = String::from_utf8_lossy(&output.stderr);
    Err(said.lines().find(|line| !line.trim().is_empty()).unwrap_or("git failed").trim().to_owned())
}
