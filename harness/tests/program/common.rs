//! What the tests of the whole program share: the program over fakes, and suites written on the spot.

use std::fs;
use std::path::{Path, PathBuf};
use std::process::{Command, Output, Stdio};
use std::time::{Duration, Instant};

use tempfile::TempDir;

/// The program over fake tasks and models; cargo builds it before the tests of its package.
pub(crate) fn fakes() -> Command {
    let mut path = std::env::current_exe().unwrap();
    path.pop();
    if path.ends_with("deps") {
        path.pop();
    }
    let program = path.join("examples").join(format!("fakes{}", std::env::consts::EXE_SUFFIX));
    assert!(program.exists(), "{} is not built: run cargo test, which builds examples", program.display());
    Command::new(program)
}

/// A folder of its own for a test, with suites and runs in it.
pub(crate) struct Bench {
    folder: TempDir,
}

impl Bench {
    pub(crate) fn new() -> Bench {
        Bench { folder: tempfile::tempdir().unwrap() }
    }

    pub(crate) fn path(&self, name: &str) -> PathBuf {
        self.folder.path().join(name)
    }

    /// Writes a suite of the given models on the given tasks; `settings` are TOML lines.
    pub(crate) fn suite(&self, settings: &str, tasks: &[&str], models: &[&str]) -> PathBuf {
        let mut text = format!("name = \"test\"\n{settings}\n");
        for task in tasks {
            text.push_str(&format!("[[task]]\nname = \"{task}\"\n"));
        }
        for model in models {
            text.push_str(&format!("[[model]]\nname = \"{model}\"\n"));
        }
        self.write("suite.toml", &text)
    }

    pub(crate) fn write(&self, name: &str, text: &str) -> PathBuf {
        let path = self.path(name);
        fs::write(&path, text).unwrap();
        path
    }

    /// A register of joules that the fakes read if `FAKE_POWERCAP` names its folder, which this gives.
    pub(crate) fn powercap(&self) -> PathBuf {
        let package = self.path("powercap/intel-rapl:0");
        fs::create_dir_all(&package).unwrap();
        for (file, text) in [("name", "package-0\n"), ("max_energy_range_uj", "262143328850\n"), ("energy_uj", "0\n")] {
            fs::write(package.join(file), text).unwrap();
        }
        self.path("powercap")
    }

    /// Runs the program over fakes with a register that takes so many watts. `meanwhile` is called about every millisecond with the
    /// folder of the register.
    pub(crate) fn run_metered(&self, arguments: &[&str], watts: f64, meanwhile: impl FnMut(&Path)) -> Output {
        self.run_metered_in(arguments, watts, &[], meanwhile)
    }

    /// [`Bench::run_metered`] with further variables of the environment.
    pub(crate) fn run_metered_in(
        &self,
        arguments: &[&str],
        watts: f64,
        environment: &[(&str, &str)],
        mut meanwhile: impl FnMut(&Path),
    ) -> Output {
        let powercap = self.powercap();
        let package = powercap.join("intel-rapl:0");
        let mut command = self.command(arguments);
        command
            .env("FAKE_POWERCAP", &powercap)
            .envs(environment.iter().copied())
            .stdout(Stdio::piped())
            .stderr(Stdio::piped());
        let child = command.spawn().unwrap();
        let running = std::thread::spawn(move || child.wait_with_output().unwrap());
        let begun = Instant::now();
        while !running.is_finished() {
            let microjoules = (watts * begun.elapsed().as_secs_f64() * 1e6) as u64 + 1;
            // A reader never sees half a number. The register may have been taken away.
            if package.join("energy_uj").exists() && fs::write(package.join("next"), format!("{microjoules}\n")).is_ok()
            {
                let _ = fs::rename(package.join("next"), package.join("energy_uj"));
            }
            meanwhile(&package);
            std::thread::sleep(Duration::from_millis(1));
        }
        running.join().unwrap()
    }

    /// Runs the program over fakes in this folder.
    pub(crate) fn run(&self, arguments: &[&str]) -> Output {
        self.command(arguments).output().unwrap()
    }

    pub(crate) fn command(&self, arguments: &[&str]) -> Command {
        let mut command = fakes();
        command.current_dir(self.folder.path()).args(arguments).env_remove("BAKEOFF_SAMPLES");
        command
    }
}

pub(crate) fn stdout(output: &Output) -> String {
    String::from_utf8_lossy(&output.stdout).into_owned()
}

pub(crate) fn stderr(output: &Output) -> String {
    String::from_utf8_lossy(&output.stderr).into_owned()
}

/// Asserts the exit code, showing what the program said.
#[track_caller]
pub(crate) fn exits(output: &Output, code: i32) {
    assert_eq!(output.status.code(), Some(code), "stdout: {}\nstderr: {}", stdout(output), stderr(output));
}

/// The rows of a run's records as maps from column to text.
pub(crate) fn records(run: &Path) -> Vec<bakeoff_reports::Record> {
    bakeoff_reports::RunDir::new(run).records().unwrap().rows
}

/// The size in bytes of the files of a kept model, without the one that says which task it has learned.
pub(crate) fn bytes_of_model(folder: &Path) -> u64 {
    let entries = fs::read_dir(folder).unwrap().map(|entry| entry.unwrap());
    let of_model = entries.filter(|entry| entry.file_name() != "task.json");
    of_model
        .map(|entry| match entry.path() {
            path if path.is_dir() => bytes_of_model(&path),
            _ => entry.metadata().unwrap().len(),
        })
        .sum()
}

/// How each case ended: id, status, note, in the order of the file.
pub(crate) fn endings(run: &Path) -> Vec<(String, String, String)> {
    records(run)
        .into_iter()
        .filter(|r| r.phase == "case" && r.metric == "wall_s")
        .map(|r| (r.case, r.status.to_string(), r.note))
        .collect()
}
