//! What disturbed a measurement is recorded; above the limits of the suite, the model is served once more, and then marked.

use std::fs;

use bakeoff_reports::{Record, RunDir};

use crate::common::{Bench, exits, records, stderr, stdout};

const CASE: &str = "number.nearly.n60.s1.cpu";

/// A machine that shows everything: half of its two processors is busy, and a twentieth of the time was stolen.
fn system(bench: &Bench) -> std::path::PathBuf {
    let root = bench.path("system");
    for (file, text) in [
        ("proc/stat", "cpu  0 0 0 0 0 0 0 0 0 0\ncpu0 0\ncpu1 0\n"),
        ("proc/self/status", "Cpus_allowed_list:\t0-1\n"),
        ("proc/self/task/1/status", "nonvoluntary_ctxt_switches:\t7\n"),
        ("sys/devices/system/cpu/cpu0/cpufreq/scaling_cur_freq", "2000000\n"),
        ("sys/devices/system/cpu/cpu0/cpufreq/scaling_governor", "performance\n"),
        ("sys/class/hwmon/hwmon0/name", "coretemp\n"),
        ("sys/class/hwmon/hwmon0/temp1_input", "51000\n"),
    ] {
        let path = root.join(file);
        fs::create_dir_all(path.parent().unwrap()).unwrap();
        fs::write(path, text).unwrap();
    }
    root
}

/// Runs the suite while the counters of the system advance as on a noisy machine.
fn run_on_noisy(bench: &Bench, out: &str) -> std::process::Output {
    let root = system(bench);
    let mut child = bench
        .command(&["run", "suite.toml", "--out", out])
        .env("FAKE_SYSTEM", &root)
        .stdout(std::process::Stdio::piped())
        .stderr(std::process::Stdio::piped())
        .spawn()
        .unwrap();
    let mut ticks = 0_u64;
    while child.try_wait().unwrap().is_none() {
        ticks += 100;
        let (busy, idle, stolen) = (ticks * 45, ticks * 50, ticks * 5);
        // A reader never sees half a file.
        let next = root.join("proc/next");
        fs::write(&next, format!("cpu  {busy} 0 0 {idle} 0 0 0 {stolen} 0 0\ncpu0 0\ncpu1 0\n")).unwrap();
        fs::rename(&next, root.join("proc/stat")).unwrap();
        std::thread::sleep(std::time::Duration::from_micros(200));
    }
    child.wait_with_output().unwrap()
}

fn of_noise<'a>(rows: &'a [Record], phase: &str, metric: &str) -> Vec<&'a Record> {
    rows.iter().filter(|row| (&*row.phase, &*row.metric) == (phase, metric)).collect()
}

const METRICS: [&str; 5] = ["steal_share", "involuntary_per_s", "load", "frequency_hz", "temperature_c"];

#[test]
fn a_machine_that_shows_nothing_gives_reasons_and_no_zeros() {
    let bench = Bench::new();
    bench.suite("", &["number"], &["nearly"]);
    exits(&bench.run(&["run", "suite.toml", "--out", "out"]), 0);
    let rows = records(&bench.path("out"));
    for phase in ["fit", "serve"] {
        for metric in METRICS {
            let [row] = of_noise(&rows, phase, metric)[..] else { panic!("{phase} {metric}") };
            assert_eq!(row.value, None, "{phase} {metric}");
            assert!(row.note.contains("/nowhere"), "{metric}: {}", row.note);
        }
        assert!(of_noise(&rows, phase, "noise_over_limits").is_empty(), "the suite has no limit");
    }
}

#[test]
fn noise_is_recorded_for_the_fit_and_for_serving_with_all_its_readings() {
    let bench = Bench::new();
    bench.write("suite.toml", &slow(""));
    exits(&run_on_noisy(&bench, "out"), 0);
    let rows = records(&bench.path("out"));
    let value = |phase: &str, metric: &str| of_noise(&rows, phase, metric)[0].value;
    for phase in ["fit", "serve"] {
        assert_eq!(value(phase, "frequency_hz"), Some(2e9));
        assert_eq!(of_noise(&rows, phase, "frequency_hz")[0].note, "governor performance");
        assert_eq!(value(phase, "temperature_c"), Some(51.0));
        assert_eq!(value(phase, "involuntary_per_s"), Some(0.0));
    }
    assert_eq!(value("fit", "steal_share"), Some(0.05));
    let processors = of_noise(&rows, "case", "affinity_cpus")[0];
    assert_eq!((processors.value, processors.note.as_str()), (Some(2.0), "0-1"));
    let readings = RunDir::new(bench.path("out")).readings(CASE).unwrap().unwrap();
    let looks = |phase: &str| {
        readings.iter().filter(|reading| reading.phase == phase && reading.metric == "temperature_c").count()
    };
    assert_eq!((looks("fit"), looks("serve")), (2, 4), "before, at the beginning of each scenario, and after");
}

/// A suite of one model whose fit takes a while of real time, in which the system's counters advance.
fn slow(settings: &str) -> String {
    format!(
        "name = \"test\"\n{settings}\n[[task]]\nname = \"number\"\n[[model]]\nname = \"nearly\"\nparams = {{ pause_s = 0.05 }}\n"
    )
}

#[test]
fn a_fit_above_a_limit_is_marked_and_one_below_is_not() {
    let bench = Bench::new();
    bench.write("suite.toml", &slow("[noise]\nmax_steal = 0.02"));
    let output = run_on_noisy(&bench, "out");
    exits(&output, 0);
    let rows = records(&bench.path("out"));
    let mark = of_noise(&rows, "fit", "noise_over_limits")[0];
    assert_eq!((mark.value, mark.note.as_str()), (Some(1.0), "steal_share 0.0500 is above max_steal = 0.02"));
    assert!(stdout(&output).contains("nearly was fitted while the machine was noisier"), "{}", stdout(&output));
    bench.write("suite.toml", &slow("[noise]\nmax_steal = 0.2"));
    let output = run_on_noisy(&bench, "quiet");
    let rows = records(&bench.path("quiet"));
    assert_eq!(of_noise(&rows, "fit", "noise_over_limits")[0].value, Some(0.0));
    assert!(!stdout(&output).contains("noisier"), "{}", stdout(&output));
}

#[test]
fn a_model_that_is_served_above_a_limit_is_served_once_more_and_then_marked() {
    let bench = Bench::new();
    let root = system(&bench);
    bench.suite("[noise]\nmax_involuntary_per_s = 1", &["number"], &["nearly"]);
    let run = |out: &str| {
        bench
            .command(&["run", "suite.toml", "--out", out])
            .env("FAKE_SYSTEM", &root)
            .env("FAKE_SWITCHES", "1")
            .output()
            .unwrap()
    };
    let output = run("out");
    exits(&output, 0);
    let rows = records(&bench.path("out"));
    let mark = of_noise(&rows, "serve", "noise_over_limits")[0];
    assert_eq!(mark.value, Some(1.0));
    assert!(mark.note.contains("is above max_involuntary_per_s = 1"), "{}", mark.note);
    let closing = of_noise(&rows, "case", "wall_s")[0];
    assert!(closing.note.contains("served a second time, because involuntary_per_s"), "{}", closing.note);
    assert_eq!(of_noise(&rows, "serve", "load_s").len(), 1, "the second measurement takes the place of the first");
    assert!(stdout(&output).contains("nearly was served while the machine was noisier"), "{}", stdout(&output));
}

#[test]
fn limits_that_are_none_are_refused_with_their_place() {
    let bench = Bench::new();
    for (key, expected) in [
        ("max_steal = 1.5", "suite.toml:3:13: max_steal is 1.5, expected a share in 0..=1"),
        ("max_load = -1", "suite.toml:3:12: max_load is -1, expected a number from 0 on"),
        ("max_heat = 80", "unknown key `max_heat`"),
    ] {
        bench.suite(&format!("[noise]\n{key}"), &["number"], &["nearly"]);
        let output = bench.run(&["run", "suite.toml", "--out", "out"]);
        exits(&output, 2);
        assert!(stderr(&output).contains(expected), "{}", stderr(&output));
    }
}

#[test]
fn doctor_says_which_differences_the_machine_can_resolve() {
    let bench = Bench::new();
    let root = system(&bench);
    let output = bench.command(&["doctor", "--noise", "--seconds", "2"]).env("FAKE_SYSTEM", &root).output().unwrap();
    exits(&output, 0);
    let said = stdout(&output);
    for part in [
        "repeating fixed work on one thread for 2 s",
        "processors: may run on 0-1",
        "temperature: 51 °C before, 51 °C after",
        "clock rate: 2.00 GHz before, 2.00 GHz after",
        "in 30 windows",
        "standard deviation 0.00 %",
        " 2 measurements of each model: 1.0000 times as long",
        "20 measurements of each model: 1.0000 times as long",
    ] {
        assert!(said.contains(part), "{part}: {said}");
    }
    assert!(!said.contains("0.00 % of the processor time"), "no tick passed, so there is no share: {said}");
    for arguments in [&["doctor", "--seconds", "5"][..], &["doctor", "--noise", "--seconds", "0"]] {
        exits(&bench.run(arguments), 2);
    }
    let nothing = bench.run(&["doctor", "--noise", "--seconds", "1"]);
    assert!(stdout(&nothing).contains("steal: not shown: /nowhere/proc/stat cannot be read"), "{}", stdout(&nothing));
}
