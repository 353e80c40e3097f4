//! Runs of older schemas stay readable for ever, and those of newer ones are refused by their number.
#![expect(clippy::unwrap_used, reason = "tests")]

use std::fs;
use std::path::{Path, PathBuf};

use bakeoff_reports::{ReportError, Results, RunDir, SCHEMA, build};

#[path = "common/folder.rs"]
mod folder;

fn golden(name: &str) -> PathBuf {
    Path::new(env!("CARGO_MANIFEST_DIR")).join("tests/golden").join(name)
}

#[test]
fn a_run_of_schema_1_is_read_whole() {
    let results = Results::load(&RunDir::new(golden("run-v1"))).unwrap();
    let cases: Vec<_> = results
        .info
        .cases
        .iter()
        .map(|case| {
            (case.label.as_str(), case.train_size, case.seed, case.device.as_str(), case.model_version.as_str())
        })
        .collect();
    let svm = ("svm", 60, 1, "cpu", "1 (linfa-svm 0.8.1; own SMO unless solver=linfa)");
    let lstm = ("small-lstm", 60, 1, "cpu", "1 (burn 0.22.1)");
    assert_eq!(cases, [svm, lstm, svm, lstm], "what schema 1 has in the ids and the versions");
    let [device] = &results.info.devices[..] else { panic!("{:?}", results.info.devices) };
    let machine = &results.info.machine;
    assert_eq!(
        (&device.name, &device.fingerprint, device.device.as_str()),
        (&machine.cpu, &machine.fingerprint, "cpu")
    );
    assert_eq!(results.info.schema, 1, "the schema that it was stored with");

    // As the program that wrote the run summed them up.
    let primary = |setting: usize, label: usize| {
        let metric = &results.setting(setting).task.primary;
        results.grid.cell(setting, label).unwrap().mean("score", metric).unwrap().mean
    };
    assert_eq!([primary(0, 0), primary(0, 1)], [1.0, 0.5]);
    assert_eq!([primary(1, 0), primary(1, 1)], [0.130_296_667_699_448_45, 2.577_886_454_252_836]);
    assert_eq!(results.answers.len(), 4, "all predictions are read");
    assert_eq!(results.curves.len(), 2, "and the curves of the two networks");
    assert_eq!(results.remarks, Vec::<String>::new());
}

#[test]
fn a_run_of_schema_1_gets_its_report_and_its_files_stay_as_they_are() {
    let folder = tempfile::tempdir().unwrap();
    folder::copy(&golden("run-v1"), folder.path());
    let built = build(&RunDir::new(folder.path())).unwrap();
    for part in ["small-lstm", "1.000", "0.500", "2.578"] {
        assert!(built.terminal_table.contains(part), "{part}: {}", built.terminal_table);
    }
    for name in ["report.html", "report.md", "summary.csv", "figures/quality.png", "figures/curves.svg"] {
        assert!(folder.path().join(name).is_file(), "{name}");
    }
    for name in ["run.json", "records.csv", "curves.csv"] {
        assert_eq!(
            fs::read(folder.path().join(name)).unwrap(),
            fs::read(golden("run-v1").join(name)).unwrap(),
            "{name}"
        );
    }
}

#[test]
fn a_run_of_schema_2_is_read_whole() {
    let dir = RunDir::new(golden("run-v2"));
    let results = Results::load(&dir).unwrap();
    assert_eq!(results.info.schema, 2);
    let case = &results.info.cases[1];
    assert_eq!((case.case.as_str(), case.label.as_str()), ("parity.longer.n60.s1.cpu", "longer"));
    assert_eq!(
        (case.train_size, case.seed, case.device.as_str(), case.model_version.as_str()),
        (60, 1, "cpu", "1 (fake)")
    );
    assert_eq!(results.info.devices[0].name, "Fake 9000");
    let record = &dir.records().unwrap().rows[0];
    let of_device = (record.device.as_str(), record.device_name.as_str(), record.threads);
    assert_eq!((record.label.as_str(), of_device), ("nearly", ("cpu", "Fake 9000", Some(2))));
    let predictions = dir.predictions(&case.case).unwrap().unwrap().rows;
    assert_eq!((predictions.len(), &predictions[0].probabilities[..]), (30, &[0.25_f32, 0.75][..]));
    let readings = dir.readings(&case.case).unwrap().unwrap();
    let latencies: Vec<_> = readings.iter().filter(|reading| reading.metric == "latency_s").collect();
    assert_eq!((latencies.len(), latencies[29].example, latencies[29].value), (30, Some(29), 0.001));
    assert_eq!((results.answers.len(), results.curves.len()), (4, 4));
    assert_eq!(results.remarks, Vec::<String>::new());
}

#[test]
fn predictions_of_schema_1_read_without_probabilities() {
    let rows = RunDir::new(golden("run-v1")).predictions("reviews.small-lstm.n60.s1.cpu").unwrap().unwrap().rows;
    assert_eq!(rows.len(), 12);
    assert!(rows.iter().all(|row| row.probabilities.is_empty() && !row.prediction.is_empty()));
}

/// What `info` says of a `run.json` with this text.
fn fault(text: &str) -> String {
    let folder = tempfile::tempdir().unwrap();
    fs::write(folder.path().join("run.json"), text).unwrap();
    match RunDir::new(folder.path()).info() {
        Err(error @ ReportError::Info { .. }) => error.to_string(),
        other => panic!("not refused: {other:?}"),
    }
}

#[test]
fn a_newer_run_is_refused_by_its_number_and_not_by_a_strange_field() {
    for text in ["{\"schema\": 4}", "{\"scenarios\": [], \"schema\": 4, \"machine\": 7}"] {
        let message = fault(text);
        assert!(
            message.ends_with("written by a newer bakeoff (schema 4, this one reads up to 3): update"),
            "{message}"
        );
    }
}

#[test]
fn a_field_that_a_known_schema_does_not_have_is_a_fault_with_its_line() {
    let text = fs::read_to_string(golden("run-v1/run.json")).unwrap();
    let message = fault(&text.replacen("\"suite\":", "\"colour\": 1,\n\"suite\":", 1));
    assert!(message.contains("unknown field `colour`") && message.contains("line 4"), "{message}");
    assert!(fault("{\"schema\": 0}").ends_with("schema 0 does not exist, expected 1 to 3"));
    let message = fault(&text.replace("reviews.svm.n60.s1.cpu", "reviews"));
    assert!(message.contains("case 'reviews': expected an id that ends in .n<rows>.s<seed>.<device>"), "{message}");
}

#[test]
fn a_run_of_an_older_schema_is_not_written() {
    let info = RunDir::new(golden("run-v1")).info().unwrap();
    let folder = tempfile::tempdir().unwrap();
    let message = RunDir::new(folder.path()).write_info(&info).unwrap_err().to_string();
    assert!(message.contains(&format!("a run of schema 1 can be read but not written: this bakeoff writes {SCHEMA}")));
}
