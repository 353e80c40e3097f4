//! A limit on processes counts threads: below what is asked for, a run takes longer and loses nothing.
#![cfg(target_os = "linux")]

use std::fs;
use std::os::unix::fs::{MetadataExt, PermissionsExt};
use std::path::Path;
use std::process::{Command, Output};

use image::{Rgb, RgbImage};

use crate::common::{Bench, endings, exits, records, stderr};

/// A user who owns no process.
const NOBODY_ELSE: u32 = 61_234;
/// Processes and threads that the program may have at a time, its cases included.
const PROCESSES: usize = 40;

/// Images that are light or dark, which the threads of the parent decode, and two models that start threads.
fn suite(bench: &Bench) {
    for (class, value) in [("dark", 20), ("light", 200)] {
        let folder = bench.path(&format!("pictures/{class}"));
        fs::create_dir_all(&folder).unwrap();
        for number in 0..30 {
            RgbImage::from_pixel(16, 16, Rgb([value + number, 0, 9]))
                .save(folder.join(format!("{number}.png")))
                .unwrap();
        }
    }
    let text = "name = \"test\"\nlatency_examples = 2\n[[task]]\nname = \"light\"\n[task.data]\nformat = \"images\"\n\
                size = 16\ntrain = \"pictures\"\ntest_part = 0.3\n\
                [[model]]\nname = \"lstm\"\nparams = { epochs = 2, hidden = 8 }\n\
                [[model]]\nname = \"random-forest\"\nparams = { trees = 8 }\n";
    bench.write("suite.toml", text);
}

/// Processes and threads of the user of this test.
fn own_tasks() -> usize {
    let own = fs::metadata("/proc/self").unwrap().uid();
    let tasks = |process: fs::DirEntry| -> Option<usize> {
        let is_own = process.metadata().ok()?.uid() == own;
        is_own.then(|| fs::read_dir(process.path().join("task")).map_or(0, Iterator::count))
    };
    fs::read_dir("/proc").unwrap().flatten().filter_map(tasks).sum()
}

fn is_root() -> bool {
    fs::metadata("/proc/self").unwrap().uid() == 0
}

/// A shell with this script, as a user for whom limits and permissions hold. They do not for root.
pub(crate) fn without_privileges(script: &str) -> Command {
    let mut command = Command::new(if is_root() { "setpriv" } else { "bash" });
    if is_root() {
        command.args([&format!("--reuid={NOBODY_ELSE}"), &format!("--regid={NOBODY_ELSE}"), "--clear-groups", "bash"]);
    }
    command.args(["-c", script]);
    command
}

/// Runs the program in the folder of `bench` as a user who may have few processes. The limit does not hold for root.
fn limited(bench: &Bench, arguments: &str) -> Output {
    let limit = PROCESSES + if is_root() { 0 } else { own_tasks() };
    // Below a folder that others may not enter the program could not be started.
    let program = bench.path("bakeoff");
    if !program.exists() {
        fs::copy(env!("CARGO_BIN_EXE_bakeoff"), &program).unwrap();
    }
    for path in [&bench.path("."), &program] {
        fs::set_permissions(path, fs::Permissions::from_mode(0o777)).unwrap();
    }
    let mut command = without_privileges(&format!("ulimit -u {limit}; exec ./bakeoff {arguments}"));
    command.current_dir(bench.path(".")).env("RAYON_NUM_THREADS", "104").env("HOME", bench.path("."));
    command.output().unwrap()
}

fn predictions(run: &Path) -> Vec<(String, Vec<u8>)> {
    let files = fs::read_dir(run.join("predictions")).unwrap().flatten();
    let mut files: Vec<_> =
        files.map(|file| (file.file_name().into_string().unwrap(), fs::read(file.path()).unwrap())).collect();
    files.sort();
    files
}

#[test]
fn a_limit_on_processes_below_the_threads_costs_time_and_nothing_else() {
    let bench = Bench::new();
    suite(&bench);
    let output = limited(&bench, "run suite.toml --out few --threads 104");
    exits(&output, 0);
    let said = stderr(&output);
    assert!(said.contains("of 104 threads could be started") && !said.contains("panicked"), "{said}");
    for (case, _, note) in endings(&bench.path("few")) {
        assert!(note.contains("of 104 threads could be started"), "{case}: {note}");
    }
    exits(&limited(&bench, "run suite.toml --out two --threads 2"), 0);
    assert!(endings(&bench.path("two")).iter().all(|(_, _, note)| !note.contains("threads were started")));
    assert_eq!(predictions(&bench.path("few")), predictions(&bench.path("two")));

    fs::remove_file(bench.path("few/report.html")).unwrap();
    let output = limited(&bench, "report few");
    exits(&output, 0);
    assert!(bench.path("few/report.html").exists() && !stderr(&output).contains("panicked"), "{}", stderr(&output));
    assert!(!records(&bench.path("few")).is_empty());
}
