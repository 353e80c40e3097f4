//! Graphics cards over the whole program, made up: which are found, what becomes of their faults, and who has them when.

use std::collections::BTreeSet;
use std::fs;
use std::process::Output;

use bakeoff_reports::RunDir;

use crate::common::{Bench, endings, exits, records, stderr, stdout};

/// Two cards, each by its address.
const TWO: &str = "wgpu=0000:01:00.0,wgpu:1=0000:02:00.0";

/// Runs the program on a machine with these cards.
fn run_with(bench: &Bench, cards: &str, arguments: &[&str]) -> Output {
    bench.command(arguments).env("FAKE_CARDS", cards).output().unwrap()
}

#[test]
fn a_run_on_a_card_says_in_all_of_its_files_which_one_it_was() {
    let bench = Bench::new();
    bench.suite("devices = [\"cpu\", \"wgpu\"]", &["parity"], &["nearly"]);
    exits(&run_with(&bench, TWO, &["run", "suite.toml", "--out", "out"]), 0);
    let info = RunDir::new(bench.path("out")).info().unwrap();
    let [cpu, card] = &info.devices[..] else { panic!("{:?}", info.devices) };
    assert_eq!((card.device.as_str(), card.name.as_str(), card.driver.as_str()), ("wgpu", "Fake Card", "fakedrv 1.2"));
    assert_eq!(
        (card.capability.as_str(), card.address.as_deref(), card.memory_bytes),
        ("9.0", Some("0000:01:00.0"), 0)
    );
    assert_eq!(cpu.fingerprint, info.machine.fingerprint);
    assert_ne!(
        card.fingerprint, info.machine.fingerprint,
        "costs on a card are compared with those on equal ones only"
    );
    for row in records(&bench.path("out")) {
        let device = if row.device == "cpu" { cpu } else { card };
        assert_eq!(
            (&row.machine, &row.device_name),
            (&device.fingerprint, &device.name),
            "{} {}",
            row.case,
            row.metric
        );
    }
    let words = "Fake Card, driver fakedrv 1.2, memory unknown, compute capability 9.0, at 0000:01:00.0 (fingerprint ";
    for file in ["report.html", "report.md"] {
        let text = fs::read_to_string(bench.path("out").join(file)).unwrap();
        assert!(text.contains(words), "{file}: {text}");
    }
}

#[test]
fn the_memory_of_a_card_is_a_number_of_cases_on_cards_only() {
    let bench = Bench::new();
    bench.suite("devices = [\"cpu\", \"wgpu\"]", &["parity"], &["nearly"]);
    exits(&run_with(&bench, TWO, &["run", "suite.toml", "--out", "out"]), 0);
    let rows = records(&bench.path("out"));
    let found: Vec<_> = rows
        .iter()
        .filter(|row| row.metric == "device_memory_bytes")
        .map(|row| (row.device.as_str(), row.phase.as_str(), row.value, row.source.as_str()))
        .collect();
    let held = Some(f64::from(77 << 20));
    assert_eq!(found, [("wgpu", "case", held, "library"), ("wgpu", "serve", held, "library")]);
    let report = fs::read_to_string(bench.path("out/report.md")).unwrap();
    assert_eq!(report.matches("card memory").count(), 1, "only the table of the card has the column: {report}");
}

#[test]
fn the_same_model_on_two_devices_is_in_two_settings_and_two_series() {
    let bench = Bench::new();
    bench.suite("devices = [\"cpu\", \"wgpu\"]", &["parity"], &["nearly", "constant"]);
    exits(&run_with(&bench, TWO, &["run", "suite.toml", "--out", "out"]), 0);
    let report = fs::read_to_string(bench.path("out/report.md")).unwrap();
    assert!(report.contains("parity, cpu") && report.contains("parity, wgpu"), "{report}");
    // A run on the other device has no case in common.
    bench.suite("devices = [\"wgpu\"]", &["parity"], &["nearly"]);
    exits(&run_with(&bench, TWO, &["run", "suite.toml", "--out", "card"]), 0);
    bench.suite("devices = [\"cpu\"]", &["parity"], &["nearly"]);
    exits(&run_with(&bench, TWO, &["run", "suite.toml", "--out", "cpu"]), 0);
    let compared = bench.run(&["compare", "cpu", "card"]);
    let said = stdout(&compared) + &stderr(&compared);
    assert!(said.contains("the runs cpu and card have no model in the same setting"), "{said}");
    exits(&run_with(&bench, TWO, &["history", "add", "perf", "out"]), 0);
    let shown = stdout(&bench.run(&["history", "show", "perf"]));
    assert!(shown.contains("nearly on parity, n = 60, wgpu"), "{shown}");
}

#[test]
fn a_device_that_the_machine_lacks_is_refused_before_anything_runs() {
    let bench = Bench::new();
    bench.suite("devices = [\"cpu\", \"wgpu:1\"]", &["parity"], &["nearly"]);
    let arguments: [&[&str]; 3] = [
        &["run", "suite.toml", "--out", "out"],
        &["run", "suite.toml", "--inline", "--out", "out"],
        &["check", "suite.toml"],
    ];
    for arguments in arguments {
        let output = run_with(&bench, "wgpu=0000:01:00.0", arguments);
        exits(&output, 2);
        let said = stderr(&output);
        let expected =
            "this machine has no device wgpu:1: the fake machine has no such card: install one; `bakeoff doctor` shows";
        assert!(said.contains(expected), "{said}");
        assert!(!bench.path("out").exists());
    }
}

#[test]
fn a_run_whose_card_is_gone_is_not_resumed_and_says_why() {
    let bench = Bench::new();
    bench.suite("device = \"wgpu\"", &["parity"], &["nearly", "needs-file"]);
    exits(&run_with(&bench, TWO, &["run", "suite.toml", "--out", "out"]), 3);
    let output = run_with(&bench, "", &["resume", "out"]);
    exits(&output, 2);
    let said = stderr(&output);
    assert!(
        said.contains("its device wgpu was ") && said.contains("(Fake Card), is absent (the fake machine has"),
        "{said}"
    );
}

#[test]
fn a_driver_that_prints_hangs_or_aborts_is_a_reason_and_no_end() {
    let doctor = |driver: &str| {
        let bench = Bench::new();
        let output = bench.command(&["doctor"]).env("FAKE_CARDS", TWO).env("FAKE_DRIVER", driver).output().unwrap();
        exits(&output, 0);
        assert_eq!(stderr(&output), "", "nothing of a library is shown");
        stdout(&output)
    };
    let said = doctor("prints");
    for (device, address) in [("wgpu", "0000:01:00.0"), ("wgpu:1", "0000:02:00.0")] {
        let line = format!(
            "device {device}: Fake Card, driver fakedrv 1.2, memory unknown, compute capability 9.0, at {address}"
        );
        assert!(said.contains(&line) && !said.contains("libEGL"), "{said}");
    }
    assert!(!said.contains("device wgpu:2"), "{said}");
    let said = doctor("aborts");
    assert!(said.contains("device wgpu: its driver failed when it was opened (signal: 6"), "{said}");
}

#[test]
fn a_card_that_is_full_or_lost_is_a_row_that_says_what_to_do_and_the_next_case_runs() {
    let bench = Bench::new();
    bench.suite("device = \"wgpu\"", &["number"], &["fills-card", "loses-card", "aborts", "panics", "nearly"]);
    exits(&run_with(&bench, TWO, &["run", "suite.toml", "--out", "out"]), 3);
    let found = endings(&bench.path("out"));
    let expected = [
        (
            "out-of-memory",
            "the card of wgpu has not enough free memory: make `batch` or the model smaller",
            "wgpu error: Out of Memory",
        ),
        ("failed", "the card of wgpu was lost while the case computed", "Parent device is lost"),
        ("failed", "the card of wgpu was lost while the case computed", "VK_ERROR_DEVICE_LOST"),
        ("failed", "the model panicked: this model panics on purpose", ""),
        ("ok", "", ""),
    ];
    assert_eq!(found.len(), expected.len(), "{found:?}");
    for ((_, status, note), (expected, reason, library)) in found.iter().zip(expected) {
        assert!(status == expected && note.starts_with(reason) && note.contains(library), "{status}: {note}");
        assert!(!note.contains("Backtrace"), "{note}");
    }
    // Also of the process that was aborted, the rows are those of the card.
    let machines: BTreeSet<String> = records(&bench.path("out")).into_iter().map(|row| row.machine).collect();
    assert_eq!(machines.len(), 1, "{machines:?}");
}

#[test]
fn a_model_that_hangs_on_a_card_is_timed_out_and_the_next_case_has_the_card() {
    let bench = Bench::new();
    bench.suite("device = \"wgpu\"\njobs = 2\ntimeout_s = 1.0", &["number"], &["never-ends", "nearly"]);
    exits(&run_with(&bench, TWO, &["run", "suite.toml", "--out", "out"]), 3);
    let statuses: Vec<_> = endings(&bench.path("out")).into_iter().map(|(_, status, _)| status).collect();
    assert_eq!(statuses, ["timed-out", "ok"]);
}

#[test]
fn two_cases_never_have_one_card_at_the_same_time() {
    let bench = Bench::new();
    let text = "name = \"jobs\"\nseeds = [1, 2, 3]\njobs = 4\ndevices = [\"cpu\", \"wgpu\", \"wgpu:1\"]\n[[task]]\nname = \"parity\"\n\
                [[model]]\nname = \"alone\"\nparams = { epochs = 2, pause_s = 0.2 }\n";
    bench.write("suite.toml", text);
    fs::create_dir(bench.path("locks")).unwrap();
    // The two devices are one card, as a card is by two graphics libraries.
    let one = "wgpu=0000:01:00.0,wgpu:1=0000:01:00.0";
    for (out, jobs, rounds) in [("plain", "4", "1"), ("rounds", "1", "3")] {
        let mut command = bench.command(&["run", "suite.toml", "--jobs", jobs, "--rounds", rounds, "--out", out]);
        let output = command.env("FAKE_CARDS", one).env("FAKE_LOCKS", bench.path("locks")).output().unwrap();
        exits(&output, 0);
        let ended = endings(&bench.path(out));
        assert!(ended.len() == 9 && ended.iter().any(|(case, ..)| case == "parity.alone.n60.s3.wgpu-1"), "{ended:?}");
    }
}
