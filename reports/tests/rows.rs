//! The CSV files keep what is put in and refuse what does not belong.
#![expect(clippy::unwrap_used, reason = "tests")]

use std::path::Path;

use bakeoff_reports::{
    Curve, Intact, PredictionRow, Record, ReportError, Row, SCHEMA, Status, decode, encode, encode_header,
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
        model: text("svm"),
        model_version: text("1 (linfa-svm 0.8.1)"),
        params: text("c=10 gamma=0.5"),
        train_size: 2000,
        seed: 1,
        device: text("cpu"),
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
        words in prop::array::uniform8("(?s).{0,12}"),
        case in "[a-z0-9][a-z0-9._-]{0,30}",
        numbers in (any::<u32>(), any::<u32>(), any::<u64>()),
        value in prop::option::of(any::<f64>().prop_filter("finite", |x| x.is_finite())),
        status in prop::sample::select(Status::ALL),
        note in "[a-z,\"\r\n ;é漢🦀]{0,40}",
    ) -> Record {
        let [run, commit, machine, task, model, params, device, unit] = words;
        let (task_version, train_size, seed) = numbers;
        let train_size = train_size as usize;
        Record { run, commit, machine, case, task, task_version, model, params, train_size, seed, device, unit, status, value, ..record(&note, None) }
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
    fn any_curve_and_prediction_reads_back_as_it_was(
        loss in any::<f64>().prop_filter("a NaN equals nothing", |x| !x.is_nan()),
        epoch in any::<usize>(),
        text in "(?s).{0,20}",
    ) {
        let curves = vec![Curve {
            case: "a.b".to_owned(), epoch, train_loss: loss, metric: text.clone(), validation: Some(loss), elapsed_s: 0.1, energy_j: None,
        }];
        prop_assert_eq!(decode::<Curve>(path(), &csv(&curves)).unwrap().rows, curves);
        let answers = vec![PredictionRow { example: epoch, target: text.clone(), prediction: text, probability: Some(0.3) }];
        prop_assert_eq!(decode::<PredictionRow>(path(), &csv(&answers)).unwrap().rows, answers);
    }
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
    check(PredictionRow { example: 0, target: "a".into(), prediction: "a".into(), probability: None });
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
    bytes.extend(b"1,run\n");
    bytes.extend(encode(&[record("", None)]).unwrap());
    assert_eq!(message_of(&bytes), "records.csv:3: 2 columns, expected 20");
}

#[test]
fn an_unknown_status_and_a_number_that_is_not_finite_are_refused() {
    let text = String::from_utf8(csv(&[record("", Some(0.5))])).unwrap();
    let message = message_of(text.replace(",ok,", ",fine,").as_bytes());
    assert!(message.contains("unknown variant `fine`, expected one of `ok`"), "{message}");
    let message = message_of(text.replace(",0.5,", ",inf,").as_bytes());
    assert!(message.contains("column value: inf is no finite number"), "{message}");
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
fn another_schema_is_refused_with_the_way_out() {
    let text = String::from_utf8(csv(&[record("", None)])).unwrap().replace("\n1,", "\n2,");
    assert!(message_of(text.as_bytes()).contains("use the version of bakeoff that wrote it"));
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
    assert_eq!(csv(&read.rows), golden, "and what is written today has the same bytes");
}
