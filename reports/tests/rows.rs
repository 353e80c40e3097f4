//! The CSV files keep what is put in and refuse what does not belong.
#![expect(clippy::unwrap_used, reason = "tests")]

use std::path::Path;

use bakeoff_reports::{
    Curve, Intact, PredictionRow, Reading, Record, ReportError, Row, RunDir, SCHEMA, Status, decode, encode,
    encode_header,
};
use proptest::prelude::*;

fn path() -> &'static Path {
    Path::new("records.csv")
}

fn csv<R: Row>(rows: &[R]) -> Vec<u8> {
    let mut bytes = encode_header::<R>();
    bytes.extend(encode(rows).unwrap());
    bytes
}

fn record(note: &str, value: Option<f64>) -> Record {
    let text = str::to_owned;
    Record {
        schema: SCHEMA,
        run: text("20261122T060000Z-quick-7f3a"),
        commit: text("0123456"),
        machine: text("a1b2"),
        case: text("sst2.svm.n2000.s1.cpu"),
        task: text("sst2"),
        task_version: 1,
        label: text("svm-linear"),
        model: text("svm"),
        model_version: text("1 (linfa-svm 0.8.1)"),
        params: text("c=10 gamma=0.5"),
        train_size: 2000,
        label_noise: 0.0,
        seed: 1,
        folds: None,
        repeat: None,
        fold: None,
        trial: None,
        device: text("cpu"),
        device_name: text("Example CPU 3 GHz"),
        threads: Some(2),
        conditions: text("batch=64"),
        phase: text("fit"),
        metric: text("fit_s"),
        unit: text("s"),
        value,
        source: text("stopwatch"),
        status: Status::Ok,
        note: text(note),
    }
}

prop_compose! {
    fn records()(
        words in prop::array::uniform11("(?s).{0,12}"),
        case in "[a-z0-9][a-z0-9._-]{0,30}",
        numbers in (any::<u32>(), any::<u32>(), any::<u64>(), prop::option::of(any::<u16>().prop_map(usize::from))),
        value in prop::option::of(any::<f64>().prop_filter("finite", |x| x.is_finite())),
        status in prop::sample::select(Status::ALL),
        note in "[a-z,\"\r\n ;é漢🦀]{0,40}",
    ) -> Record {
        let [run, commit, machine, task, label, model, params, device, device_name, conditions, unit] = words;
        let (task_version, train_size, seed, threads) = numbers;
        let train_size = train_size as usize;
        Record {
            run, commit, machine, case, task, task_version, label, model, params, train_size, seed, device, device_name,
            threads, conditions, unit, status, value, ..record(&note, None)
        }
    }
}

proptest! {
    #[test]
    fn any_record_reads_back_as_it_was(rows in prop::collection::vec(records(), 0..6)) {
        let bytes = csv(&rows);
        let read = decode::<Record>(path(), &bytes).unwrap();
        prop_assert_eq!(read, Intact { rows, bytes: bytes.len() as u64, torn_line: None });
    }

    #[test]
    fn a_file_cut_anywhere_reads_as_a_prefix_of_its_rows(rows in prop::collection::vec(records(), 1..4), cut in any::<prop::sample::Index>()) {
        let bytes = csv(&rows);
        let kept = cut.index(bytes.len());
        let read = decode::<Record>(path(), &bytes[..kept]).unwrap();
        prop_assert!(rows.starts_with(&read.rows));
        prop_assert!(read.bytes as usize <= kept);
        prop_assert_eq!(read.torn_line.is_some(), (read.bytes as usize) < kept);
        let again = decode::<Record>(path(), &bytes[..read.bytes as usize]).unwrap();
        prop_assert_eq!(again.rows, read.rows);
    }

    #[test]
    fn any_curve_prediction_and_reading_reads_back_as_it_was(
        loss in any::<f64>().prop_filter("finite", |x| x.is_finite()),
        epoch in any::<usize>(),
        text in "(?s).{0,20}",
        probabilities in prop::collection::vec(any::<f32>().prop_filter("finite", |x| x.is_finite()), 0..12),
        value in any::<f64>().prop_filter("finite", |x| x.is_finite()),
        example in prop::option::of(any::<usize>()),
    ) {
        let curves = vec![Curve {
            case: "a.b".to_owned(), epoch, train_loss: loss, metric: text.clone(), validation: Some(loss), elapsed_s: 0.1, energy_j: None,
        }];
        prop_assert_eq!(decode::<Curve>(path(), &csv(&curves)).unwrap().rows, curves);
        let answers = vec![PredictionRow { example: epoch, target: text.clone(), prediction: text.clone(), probabilities }];
        let read = decode::<PredictionRow>(path(), &csv(&answers)).unwrap().rows;
        prop_assert_eq!(bits(&read), bits(&answers));
        prop_assert_eq!(&read, &answers);
        let readings = vec![Reading {
            phase: text.clone(), metric: text.clone(), index: epoch, example, value, unit: text.clone(), source: text,
        }];
        let folder = tempfile::tempdir().unwrap();
        let dir = RunDir::new(folder.path());
        dir.write_readings("a.b", &readings).unwrap();
        prop_assert_eq!(dir.readings("a.b").unwrap().unwrap(), readings);
    }

    #[test]
    fn predictions_cross_a_pipe_as_json_to_the_same_bits(probabilities in prop::collection::vec(any::<f32>(), 0..12)) {
        let row = PredictionRow { example: 0, target: String::new(), prediction: String::new(), probabilities };
        let read: PredictionRow = serde_json::from_str(&serde_json::to_string(&row).unwrap()).unwrap();
        let finite = |row: &PredictionRow| row.probabilities.iter().all(|x| !x.is_nan());
        prop_assert!(!finite(&row) || bits(&[read]) == bits(&[row]));
    }
}

fn bits(rows: &[PredictionRow]) -> Vec<Vec<u32>> {
    rows.iter().map(|row| row.probabilities.iter().map(|x| x.to_bits()).collect()).collect()
}

#[test]
fn the_columns_are_the_fields_in_their_order() {
    fn check<R: Row>(row: R) {
        let mut writer = csv::Writer::from_writer(Vec::new());
        writer.serialize(row).unwrap();
        assert!(writer.into_inner().unwrap().starts_with(&encode_header::<R>()));
    }
    check(record("", None));
    check(Curve {
        case: "a".into(),
        epoch: 1,
        train_loss: 1.0,
        metric: "mse".into(),
        validation: Some(1.0),
        elapsed_s: 1.0,
        energy_j: None,
    });
    check(PredictionRow { example: 0, target: "a".into(), prediction: "a".into(), probabilities: vec![0.5, 0.5] });
    check(reading(0));
}

fn reading(index: usize) -> Reading {
    Reading {
        phase: "predict-single".into(),
        metric: "latency_s".into(),
        index,
        example: Some(index),
        value: 1e-3 + index as f64 * 1e-7,
        unit: "s".into(),
        source: "stopwatch".into(),
    }
}

#[test]
fn readings_of_one_case_are_always_packed_to_the_same_bytes() {
    let folder = tempfile::tempdir().unwrap();
    let dir = RunDir::new(folder.path());
    let readings: Vec<Reading> = (0..1000).map(reading).collect();
    let written = |case: &str| {
        dir.write_readings(case, &readings).unwrap();
        std::fs::read(dir.readings_path(case)).unwrap()
    };
    let (one, other) = (written("one"), written("other"));
    assert!(one == other);
    assert_eq!(one[..10], [0x1f, 0x8b, 8, 0, 0, 0, 0, 0, 0, 255], "no name, no time, no system in the header");
    assert!(one.len() < 20_000, "{} bytes", one.len());
    assert_eq!(dir.readings("one").unwrap().unwrap(), readings);
    assert_eq!(dir.readings("none").unwrap(), None);
}

#[test]
fn damaged_readings_are_reported_by_file() {
    let folder = tempfile::tempdir().unwrap();
    let dir = RunDir::new(folder.path());
    dir.write_readings("a", &(0..100).map(reading).collect::<Vec<_>>()).unwrap();
    let whole = std::fs::read(dir.readings_path("a")).unwrap();
    let flipped =
        |at: usize| whole.iter().enumerate().map(|(i, byte)| if i == at { byte ^ 1 } else { *byte }).collect();
    let garbage = [whole.as_slice(), b"garbage"].concat();
    let cut = (0..whole.len()).map(|length| whole[..length].to_vec());
    for bytes in cut.chain([flipped(whole.len() - 6), flipped(0), garbage]) {
        std::fs::write(dir.readings_path("a"), &bytes).unwrap();
        let error = dir.readings("a").unwrap_err();
        let named =
            error.to_string().contains(&format!("{} is damaged or cut short", dir.readings_path("a").display()));
        assert!(named && matches!(error, ReportError::Damaged { .. }), "{} bytes: {error}", bytes.len());
    }
}

#[test]
fn removing_a_case_removes_all_of_its_files_and_none_of_another() {
    let folder = tempfile::tempdir().unwrap();
    let dir = RunDir::new(folder.path());
    for case in ["t.svm.n5.s1.cpu", "t.svm.n5.s11.cpu"] {
        for path in [dir.predictions_path(case), dir.hidden_predictions_path(case, "test")] {
            dir.write_rows::<PredictionRow>(&path, &[]).unwrap();
        }
        dir.write_readings(case, &[reading(0)]).unwrap();
        std::fs::create_dir_all(dir.model_path(case)).unwrap();
        std::fs::write(dir.model_path(case).join("model.json"), "{}").unwrap();
    }
    let left = |case: &str| {
        let paths = [dir.predictions_path(case), dir.hidden_predictions_path(case, "test"), dir.readings_path(case)];
        paths.into_iter().chain([dir.model_path(case)]).filter(|path| path.exists()).count()
    };
    for _ in 0..2 {
        dir.remove_cases(&["t.svm.n5.s1.cpu", "t.svm.n5.s2.cpu"].into()).unwrap();
        assert_eq!((left("t.svm.n5.s1.cpu"), left("t.svm.n5.s11.cpu")), (0, 4));
    }
}

fn message_of(bytes: &[u8]) -> String {
    decode::<Record>(path(), bytes).unwrap_err().to_string()
}

#[test]
fn a_bad_line_in_the_middle_is_named_with_its_column() {
    let mut text = String::from_utf8(csv(&[record("two\nlines", None), record("", Some(1.0))])).unwrap();
    text = text.replace(",1.0,stopwatch,ok", ",fast,stopwatch,ok");
    text += &String::from_utf8(encode(&[record("", None)]).unwrap()).unwrap();
    let message = message_of(text.as_bytes());
    assert!(message.starts_with("records.csv:4: column value: 'fast'"), "{message}");
}

#[test]
fn a_line_with_too_few_columns_is_an_error_unless_it_is_the_torn_last_one() {
    let mut bytes = csv(&[record("", None)]);
    bytes.extend(b"3,run\n");
    bytes.extend(encode(&[record("", None)]).unwrap());
    assert_eq!(message_of(&bytes), "records.csv:3: 2 columns, expected 29");
    let shorter = String::from_utf8(bytes.clone()).unwrap().replace("\n3,run\n", "\n3\n");
    assert_eq!(message_of(shorter.as_bytes()), "records.csv:3: 1 column, expected 29");
}

#[test]
fn an_unknown_status_and_a_number_that_is_not_finite_are_refused() {
    let text = String::from_utf8(csv(&[record("", Some(0.5))])).unwrap();
    let message = message_of(text.replace(",ok,", ",fine,").as_bytes());
    assert!(message.contains("unknown variant `fine`, expected one of `ok`"), "{message}");
    let message = message_of(text.replace(",0.5,", ",inf,").as_bytes());
    assert!(message.contains("column value: inf is not a finite number"), "{message}");
    assert!(matches!(encode(&[record("", Some(f64::NAN))]), Err(ReportError::Unwritable { column: "value", .. })));
}

#[test]
fn a_case_that_would_lead_out_of_the_folder_is_refused() {
    for case in ["../../etc/passwd", "", ".hidden", "a/b"] {
        let row = Record { case: case.to_owned(), ..record("", None) };
        assert!(encode(&[row]).is_err(), "{case}");
    }
}

#[test]
fn a_header_of_other_columns_is_refused() {
    let text = String::from_utf8(encode_header::<Record>()).unwrap().replace("task_version", "version");
    assert!(message_of(text.as_bytes()).starts_with("records.csv:1: column 7 is 'version', expected 'task_version'"));
}

#[test]
fn a_newer_schema_is_refused_by_its_number_whatever_its_columns() {
    let expected = "written by a newer bakeoff (schema 4, this one reads up to 3): update";
    let text = String::from_utf8(csv(&[record("", None)])).unwrap().replace("\n3,", "\n4,");
    assert!(message_of(text.as_bytes()).contains(expected), "the same columns");
    let text = text.replace(",note\n", ",note,scenario\n").replace(",ok,\n", ",ok,,offline\n");
    assert!(message_of(text.as_bytes()).contains(expected), "{}", message_of(text.as_bytes()));
}

#[test]
fn rows_of_two_schemas_do_not_stand_in_one_file() {
    let text = String::from_utf8(csv(&[record("", None)])).unwrap().replace("\n3,", "\n1,");
    assert_eq!(
        message_of(text.as_bytes()),
        "records.csv:2: column schema: '1', expected 3, whose columns the file has"
    );
    let error = encode(&[Record { schema: 1, ..record("", None) }]).unwrap_err();
    assert!(error.to_string().contains("a row of schema 1 can be read but not written"), "{error}");
}

#[test]
fn probabilities_are_numbers_with_a_space_between_them() {
    let header = "example,target,prediction,probabilities\n";
    let read = |field: &str| decode::<PredictionRow>(path(), format!("{header}0,a,b,{field}\n").as_bytes());
    assert_eq!(read("0.25 0.75").unwrap().rows[0].probabilities, [0.25, 0.75]);
    assert!(read("").unwrap().rows[0].probabilities.is_empty());
    for (field, word) in [("0.5 half", "'half'"), ("0.5  0.5", "''"), (" ", "''"), ("0.5 NaN", "NaN is not a finite")] {
        let message = read(field).unwrap_err().to_string();
        assert!(message.starts_with("records.csv:2: column probabilities: ") && message.contains(word), "{message}");
    }
}

#[test]
fn records_of_schema_1_stay_readable_for_ever() {
    let golden = include_bytes!("golden/records-v1.csv");
    let read = decode::<Record>(Path::new("records-v1.csv"), golden).unwrap();
    assert_eq!((read.rows.len(), read.torn_line), (4, None));
    assert_eq!(read.rows[0].value, Some(0.1 + 0.2));
    assert_eq!(read.rows[1].note, "a \"quoted\", two-line\nnote: Ω");
    assert_eq!(read.rows[2].status, Status::BelowFloor);
    assert_eq!((read.rows[3].value, read.rows[3].status), (None, Status::Unsupported));
    for row in &read.rows {
        let joined_later = (row.label.as_str(), row.device_name.as_str(), row.threads, row.conditions.as_str());
        assert_eq!((row.schema, joined_later), (1, ("", "", None, "")));
    }
}

#[test]
fn records_of_schema_2_stay_readable_for_ever() {
    let golden = include_bytes!("golden/records-v2.csv");
    let read = decode::<Record>(Path::new("records-v2.csv"), golden).unwrap();
    assert_eq!((read.rows.len(), read.torn_line), (3, None));
    let old = |note: &str, value| Record { schema: 2, ..record(note, value) };
    assert_eq!(read.rows[0], old("two\nlines, \"quoted\": Ω", Some(0.1 + 0.2)));
    assert_eq!(read.rows[1], Record { threads: None, conditions: String::new(), value: None, ..old("", None) });
    let last = Record { status: Status::BelowFloor, source: "estimate".to_owned(), ..old("", Some(1e-9)) };
    assert_eq!(read.rows[2], last);
}

#[test]
fn records_of_schema_3_stay_readable_for_ever() {
    let golden = include_bytes!("golden/records-v3.csv");
    let read = decode::<Record>(Path::new("records-v3.csv"), golden).unwrap();
    assert_eq!((read.rows.len(), read.torn_line), (2, None));
    assert_eq!(read.rows[0], record("two\nlines, \"quoted\": Ω", Some(0.1 + 0.2)));
    let folds = (Some(5), Some(3), Some(2));
    assert_eq!((read.rows[1].folds, read.rows[1].repeat, read.rows[1].fold), folds);
    assert_eq!((read.rows[1].label_noise, read.rows[1].trial), (0.125, Some(4)));
    assert_eq!(csv(&read.rows), golden, "and what is written today has the same bytes");
}
