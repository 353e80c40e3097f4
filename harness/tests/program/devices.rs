//! Devices of a suite: a list, or one as suites were written before.

use std::fs;

use crate::common::{Bench, endings, exits, stderr, stdout};

#[test]
fn a_list_of_devices_and_the_older_single_device_plan_the_same_cases() {
    let bench = Bench::new();
    let cases = |settings: &str, arguments: &[&str]| {
        bench.suite(settings, &["parity"], &["nearly"]);
        let output = bench.run(&[&["run", "suite.toml", "--list"], arguments].concat());
        exits(&output, 0);
        stdout(&output)
    };
    let planned = cases("", &[]);
    assert_eq!(planned, "parity.nearly.n60.s1.cpu\n");
    assert_eq!(cases("devices = [\"cpu\"]", &[]), planned);
    assert_eq!(cases("device = \"cpu\"", &[]), planned);
    assert_eq!(cases("device = \"cpu\"", &["--device", "cpu"]), planned);
}

#[test]
fn a_run_whose_stored_suite_has_the_older_single_device_is_resumed() {
    let bench = Bench::new();
    bench.suite("", &["parity"], &["nearly", "needs-file"]);
    let file = bench.path("file").display().to_string();
    let run = |arguments: &[&str]| bench.command(arguments).env("FAKE_FILE", &file).output().unwrap();
    exits(&run(&["run", "suite.toml", "--out", "out"]), 3);
    let path = bench.path("out/run.json");
    let stored = fs::read_to_string(&path).unwrap();
    let list = "devices = [\\\"cpu\\\"]";
    assert!(stored.contains(list), "{stored}");
    fs::write(&path, stored.replace(list, "device = \\\"cpu\\\"")).unwrap();
    bench.write("file", "");
    exits(&run(&["resume", "out"]), 0);
    let endings = endings(&bench.path("out"));
    let statuses: Vec<_> = endings.iter().map(|(case, status, _)| (case.as_str(), status.as_str())).collect();
    assert_eq!(statuses, [("parity.nearly.n60.s1.cpu", "ok"), ("parity.needs-file.n60.s1.cpu", "ok")]);
}

#[test]
fn a_run_on_another_machine_or_device_is_not_resumed() {
    let bench = Bench::new();
    bench.suite("", &["parity"], &["nearly", "needs-file"]);
    exits(&bench.run(&["run", "suite.toml", "--out", "out"]), 3);
    let path = bench.path("out/run.json");
    let stored = fs::read_to_string(&path).unwrap();
    let info = bakeoff_reports::RunDir::new(bench.path("out")).info().unwrap();
    let device = &info.devices[0];
    assert_eq!((device.device.as_str(), device.name.as_str(), device.memory_bytes), ("cpu", "Fake 9000", 8 << 30));
    assert_eq!(device.fingerprint, info.machine.fingerprint, "the processor's fingerprint is the machine's");
    let fingerprint = format!("\"fingerprint\": \"{}\"", device.fingerprint);
    let places: Vec<usize> = stored.match_indices(&fingerprint).map(|(at, _)| at).collect();
    assert_eq!(places.len(), 2, "{stored}");
    for (place, said) in places.into_iter().zip(["begun on machine 0000", "its device cpu was 0000 (Fake 9000), is "]) {
        let mut other = stored.clone();
        other.replace_range(place..place + fingerprint.len(), "\"fingerprint\": \"0000\"");
        fs::write(&path, other).unwrap();
        let output = bench.run(&["resume", "out"]);
        exits(&output, 2);
        assert!(stderr(&output).contains(said), "{}", stderr(&output));
    }
}
