//! One process at a time writes into a run: until its report is there, and for its report alone.
#![cfg(target_os = "linux")]

use std::fs::{self, File, OpenOptions, Permissions};
use std::io::Write;
use std::os::unix::fs::{OpenOptionsExt, PermissionsExt};
use std::process::{Child, Command, Stdio};

use crate::common::{Bench, endings, exits, fakes, stderr};
use crate::faults::{start_slow_run, wait_until};
use crate::processes::without_privileges;

/// O_NONBLOCK of Linux: a named pipe that nobody reads cannot be opened.
const NONBLOCK: i32 = 0o4000;

/// Begins a run of two cases, which waits in its report until the pipe has the bytes.
fn waits_in_its_report(bench: &Bench) -> (Child, File, Vec<u8>) {
    let text = "name = \"test\"\n[[task]]\nname = \"parity\"\n[[task]]\nname = \"number\"\n\
                [[model]]\nname = \"nearly\"\nparams = { epochs = 2, pause_s = 0.5 }\n";
    bench.write("suite.toml", text);
    let mut command = bench.command(&["run", "suite.toml", "--out", "out"]);
    let run = command.stdout(Stdio::piped()).stderr(Stdio::piped()).spawn().unwrap();
    // The report reads the predictions of the first case, and here it waits for them.
    let predictions = bench.path("out/predictions/parity.nearly.n60.s1.cpu.csv");
    wait_until("the first case", || predictions.exists());
    let bytes = fs::read(&predictions).unwrap();
    fs::remove_file(&predictions).unwrap();
    assert!(Command::new("mkfifo").arg(&predictions).status().unwrap().success());
    let mut pipe: Option<File> = None;
    wait_until("the report", || {
        pipe = OpenOptions::new().write(true).custom_flags(NONBLOCK).open(&predictions).ok();
        pipe.is_some()
    });
    (run, pipe.unwrap(), bytes)
}

#[test]
fn a_run_whose_folder_is_removed_during_its_report_does_not_say_that_its_results_are_stored() {
    let bench = Bench::new();
    let (run, mut pipe, bytes) = waits_in_its_report(&bench);
    fs::remove_dir_all(bench.path("out")).unwrap();
    pipe.write_all(&bytes).unwrap();
    drop(pipe);
    let output = run.wait_with_output().unwrap();
    exits(&output, 1);
    let said = stderr(&output);
    assert!(
        said.contains("the folder out was moved or removed while the run wrote to it, so there is no report"),
        "{said}"
    );
    assert!(!said.contains("the results are stored"), "{said}");
}

#[test]
fn a_run_stays_locked_until_its_report_is_written() {
    let bench = Bench::new();
    let (run, mut pipe, bytes) = waits_in_its_report(&bench);
    let half_written = bench.write("out/.summary.csv.77.tmp", "half");
    for command in ["report", "resume"] {
        // Without the lock it would wait for the predictions too.
        let mut other = Command::new("timeout");
        let output =
            other.arg("20").arg(fakes().get_program()).args([command, "out"]).current_dir(bench.path(".")).output();
        let output = output.unwrap();
        exits(&output, 2);
        assert!(stderr(&output).contains("another bakeoff works on the folder out"), "{}", stderr(&output));
    }
    assert!(half_written.exists(), "it is another's");
    pipe.write_all(&bytes).unwrap();
    drop(pipe);
    exits(&run.wait_with_output().unwrap(), 0);
    assert!(bench.path("out/report.html").exists());
}

#[test]
fn a_report_of_a_locked_run_is_refused_until_the_lock_is_free() {
    let bench = Bench::new();
    bench.suite("", &["parity"], &["nearly"]);
    exits(&bench.run(&["run", "suite.toml", "--out", "out"]), 0);
    exits(&bench.run(&["report", "out"]), 0);
    let other = File::create(bench.path("out/.lock")).unwrap();
    other.lock().unwrap();
    let output = bench.run(&["report", "out"]);
    exits(&output, 2);
    assert!(stderr(&output).contains("another bakeoff works on the folder out"), "{}", stderr(&output));
    drop(other);
    exits(&bench.run(&["report", "out"]), 0);
}

/// The commands that read a run and write nothing.
const READERS: [&[&str]; 4] =
    [&["rank", "out"], &["claims", "out"], &["compare", "out", "out"], &["report", "out", "--bib"]];

#[test]
fn a_run_on_which_another_works_is_read_with_a_note() {
    let bench = Bench::new();
    bench.suite("", &["parity"], &["nearly"]);
    exits(&bench.run(&["run", "suite.toml", "--out", "out"]), 0);
    let note = "note: another bakeoff works on the folder out: only the cases that it has stored so far are read";
    let other = File::create(bench.path("out/.lock")).unwrap();
    other.lock().unwrap();
    for reader in READERS {
        let output = bench.run(reader);
        exits(&output, 0);
        assert!(stderr(&output).contains(note), "{reader:?}: {}", stderr(&output));
    }
    drop(other);
    for reader in READERS {
        assert!(!stderr(&bench.run(reader)).contains("another bakeoff"), "{reader:?}");
    }
}

#[test]
fn a_folder_that_cannot_be_written_to_can_be_read() {
    let bench = Bench::new();
    bench.suite("", &["parity"], &["nearly"]);
    exits(&bench.run(&["run", "suite.toml", "--out", "out"]), 0);
    fs::copy(fakes().get_program(), bench.path("bakeoff")).unwrap();
    let allow = |name: &str, mode| fs::set_permissions(bench.path(name), Permissions::from_mode(mode)).unwrap();
    allow(".", 0o755);
    allow("bakeoff", 0o755);
    allow("out/.lock", 0o444);
    allow("out", 0o555);
    for reader in READERS {
        let mut shell = without_privileges(&format!("exec ./bakeoff {}", reader.join(" ")));
        let output = shell.current_dir(bench.path(".")).output().unwrap();
        exits(&output, 0);
        assert_eq!(stderr(&output), "", "{reader:?}");
    }
    allow("out/records.csv", 0o000);
    for reader in READERS {
        let mut shell = without_privileges(&format!("exec ./bakeoff {}", reader.join(" ")));
        let output = shell.current_dir(bench.path(".")).output().unwrap();
        exits(&output, 1);
        assert!(stderr(&output).contains("cannot read out/records.csv: Permission denied"), "{}", stderr(&output));
    }
    allow("out", 0o755);
}

#[test]
fn a_folder_that_cannot_be_written_to_is_named_with_what_to_do() {
    let bench = Bench::new();
    bench.suite("", &["parity"], &["nearly"]);
    exits(&bench.run(&["run", "suite.toml", "--out", "out"]), 0);
    fs::copy(fakes().get_program(), bench.path("bakeoff")).unwrap();
    let allow = |name: &str, mode| fs::set_permissions(bench.path(name), Permissions::from_mode(mode)).unwrap();
    allow(".", 0o755);
    allow("bakeoff", 0o755);
    // Both a lock that can be opened and one that cannot.
    for lock in [0o666, 0o444] {
        allow("out/.lock", lock);
        allow("out", 0o555);
        for command in ["report", "resume"] {
            let mut shell = without_privileges(&format!("exec ./bakeoff {command} out"));
            let output = shell.current_dir(bench.path(".")).output().unwrap();
            exits(&output, 2);
            let said = stderr(&output);
            assert!(said.contains("cannot write to the folder out (Permission denied"), "{said}");
            assert!(said.contains("allow writing to it, or copy it to where you may write"), "{said}");
        }
        allow("out", 0o755);
    }
}

#[test]
fn a_run_whose_lock_was_removed_stops_before_it_writes_beside_another() {
    let bench = Bench::new();
    let run = start_slow_run(&bench);
    fs::remove_file(bench.path("out/.lock")).unwrap();
    let output = run.wait_with_output().unwrap();
    exits(&output, 1);
    let said = stderr(&output);
    assert!(said.contains("out/.lock was removed or replaced while the run wrote to the folder"), "{said}");
    assert!(said.contains("bakeoff resume out"), "{said}");
    exits(&bench.run(&["resume", "out"]), 0);
    assert_eq!(endings(&bench.path("out")).len(), 8);
}

#[test]
fn a_run_that_cannot_sort_its_rows_at_its_end_says_what_is_stored_and_what_to_do() {
    let bench = Bench::new();
    let text = "name = \"test\"\nseeds = [1, 2]\n[[task]]\nname = \"parity\"\n\
                [[model]]\nname = \"nearly\"\nparams = { epochs = 2, pause_s = 0.5 }\n";
    bench.write("suite.toml", text);
    fs::copy(fakes().get_program(), bench.path("bakeoff")).unwrap();
    let allow = |name: &str, mode| fs::set_permissions(bench.path(name), Permissions::from_mode(mode)).unwrap();
    allow(".", 0o777);
    allow("bakeoff", 0o755);
    let mut shell = without_privileges("exec ./bakeoff run suite.toml --out out");
    let shell = shell.current_dir(bench.path(".")).stdout(Stdio::piped()).stderr(Stdio::piped());
    let run = shell.spawn().unwrap();
    wait_until("the first case", || bench.path("out/run.json").exists() && !endings(&bench.path("out")).is_empty());
    allow("out", 0o555);
    let output = run.wait_with_output().unwrap();
    allow("out", 0o755);
    exits(&output, 1);
    let said = stderr(&output);
    assert!(said.contains("what was measured is stored, but its rows are not in the order of the plan yet"), "{said}");
    assert!(said.contains("correct the cause, then: bakeoff resume out: cannot write out/records.csv"), "{said}");
    assert_eq!(endings(&bench.path("out")).len(), 2);
}
