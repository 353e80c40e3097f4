//! The file: what is put in is read back, nothing half-written counts, and nothing that was edited passes for what was measured.

use std::fs;
use std::path::Path;

use bakeoff_reports::{History, NewRun, Origin, Quantity, Results, RunDir, add_runs, check_history};
use proptest::prelude::*;

use crate::{Bench, PROJECT, cells, name, quiet, said, scaled, series};

/// A history of two nights, as text.
fn two_nights(bench: &Bench) -> String {
    bench.add(1, quiet(1));
    bench.add(2, quiet(2));
    fs::read_to_string(bench.file()).unwrap()
}

#[test]
fn a_number_of_a_night_is_the_mean_over_its_seeds() {
    let bench = Bench::new();
    let dir = bench.night(1, |record| {
        if record.metric == "fit_s" {
            record.value = Some(if record.seed == 1 { 2.0 } else { 5.0 });
        }
    });
    bench.add_run(&Results::load(&dir).unwrap(), Origin::night());
    let history = bench.read();
    let found = series(&history, "fit_s");
    assert_eq!(found.points.len(), 1);
    assert_eq!(found.points[0].value, 3.5);
    assert_eq!(found.key.cell.trials, "s1 s2");
    assert_eq!(history.runs[found.points[0].run].run, name(1));
}

#[test]
fn the_same_runs_give_the_same_bytes_as_ever() {
    let golden = Path::new(env!("CARGO_MANIFEST_DIR")).join("tests/golden");
    let folder = tempfile::tempdir().unwrap();
    for run in ["run-v2", "run-v1"] {
        let results = Results::load(&RunDir::new(golden.join(run))).unwrap();
        add_runs(folder.path(), PROJECT, &[NewRun::of(&results, Origin::night(), None)]).unwrap();
    }
    let written = fs::read_to_string(folder.path().join("history.jsonl")).unwrap();
    let kept = golden.join("history-v1.jsonl");
    if std::env::var_os("UPDATE_GOLDEN").is_some() {
        fs::write(&kept, &written).unwrap();
    }
    assert_eq!(written, fs::read_to_string(kept).unwrap());
}

#[test]
fn the_golden_history_has_the_numbers_that_its_runs_have() {
    let folder = tempfile::tempdir().unwrap();
    let golden = Path::new(env!("CARGO_MANIFEST_DIR")).join("tests/golden/history-v1.jsonl");
    fs::copy(golden, folder.path().join("history.jsonl")).unwrap();
    let history = History::read(folder.path()).unwrap();
    assert_eq!(history.remarks, [""; 0]);
    assert_eq!(history.runs.len(), 2);
    let shown: Vec<String> = history
        .series
        .iter()
        .filter(|series| series.key.quantity.metric == "latency_p50_s" || series.key.quantity.phase == "score")
        .map(|series| {
            let values: Vec<f64> = series.points.iter().map(|point| point.value).collect();
            format!("{} {} {values:?}", series.id, series.key)
        })
        .collect();
    insta::assert_snapshot!(shown.join("\n"));
}

#[test]
fn a_file_that_is_cut_short_anywhere_has_its_whole_runs_and_takes_the_lost_one_again() {
    let bench = Bench::new();
    let whole = two_nights(&bench);
    let (history, of_one) = (bench.read(), whole.match_indices("{\"run\":{").nth(1).unwrap().0);
    let second = NewRun::of(&Results::load(&bench.night(2, quiet(2))).unwrap(), Origin::night(), None);
    let header = whole.find('\n').unwrap() + 1;
    // Without its newline, the last line is still whole.
    for length in header..whole.len() - 1 {
        fs::write(bench.file(), &whole.as_bytes()[..length]).unwrap();
        let read = bench.read();
        let expected = usize::from(length >= of_one - 1);
        assert_eq!(read.runs.len(), expected, "cut at {length}");
        assert_eq!(read.runs[..], history.runs[..expected], "cut at {length}");
        let is_at_an_end = length == header || length == of_one || length == of_one - 1;
        assert_eq!(read.remarks.is_empty(), is_at_an_end, "cut at {length}: {:?}", read.remarks);
        if expected == 1 {
            add_runs(&bench.history(), PROJECT, std::slice::from_ref(&second)).unwrap();
            assert_eq!(fs::read_to_string(bench.file()).unwrap(), whole, "cut at {length}");
        }
    }
}

#[test]
fn what_was_cut_short_is_said_with_what_to_do() {
    let bench = Bench::new();
    let whole = two_nights(&bench);
    let last = whole.trim_end().rfind('\n').unwrap();
    for (length, said) in [
        (
            last + 1,
            "The file ends after 1 of the 2 cells of run night-2 (line 5). The run is left out; to add it again: bakeoff history add",
        ),
        (last + 20, "The file ends after 1 of the 2 cells of run night-2 (line 5)."),
        (whole.match_indices("{\"run\":{").nth(1).unwrap().0 + 9, "Line 5 is cut short. It is left out."),
    ] {
        fs::write(bench.file(), &whole.as_bytes()[..length]).unwrap();
        let remarks = bench.read().remarks;
        assert!(remarks.len() == 1 && remarks[0].starts_with(said), "{remarks:?}");
    }
}

#[test]
fn git_may_change_the_ends_of_lines() {
    let bench = Bench::new();
    let whole = two_nights(&bench);
    let history = bench.read();
    fs::write(bench.file(), whole.replace('\n', "\r\n")).unwrap();
    assert_eq!(bench.read(), history);
}

proptest! {
    #![proptest_config(ProptestConfig::with_cases(400))]

    #[test]
    fn a_byte_that_was_edited_is_never_taken_for_what_was_measured(share in 0.0..1.0_f64, byte in 0x20_u8..0x7f) {
        thread_local! {
            static WHOLE: (Bench, String) = { let bench = Bench::new(); let text = two_nights(&bench); (bench, text) };
        }
        WHOLE.with(|(bench, whole)| {
            fs::write(bench.file(), whole).unwrap();
            let history = bench.read();
            let header = whole.find('\n').unwrap() + 1;
            // The last newline only says that the last line is whole, which it still is.
            let at = header + (share * (whole.len() - 1 - header) as f64) as usize;
            let mut bytes = whole.clone().into_bytes();
            bytes[at] = byte;
            fs::write(bench.file(), &bytes).unwrap();
            let read = History::read(&bench.history());
            if bytes == whole.as_bytes() {
                prop_assert_eq!(read.unwrap(), history);
            } else {
                prop_assert!(read.is_err(), "byte {} as {:?}: {:?}", at, byte as char, read);
            }
            Ok(())
        })?;
    }
}

#[test]
fn a_file_that_is_no_history_of_this_project_is_refused_with_its_line_and_what_to_do() {
    let bench = Bench::new();
    let whole = two_nights(&bench);
    let line = |n: usize| whole.lines().nth(n - 1).unwrap().to_owned();
    let replaced = |from: &str, to: &str| {
        assert!(whole.contains(from), "{from}");
        whole.replacen(from, to, 1)
    };
    let without = |n: usize| whole.replacen(&format!("{}\n", line(n)), "", 1);
    let cases = [
        ("empty", String::new()),
        ("another tool's", "{\"reason\":\"benchmark-complete\"}\n".to_owned()),
        ("no JSON", "benchmarks\n".to_owned()),
        ("newer", replaced("{\"history\":1,", "{\"history\":2,\"since\":\"now\",")),
        ("byte order mark", format!("\u{feff}{whole}")),
        ("schema 0", replaced("{\"history\":1,", "{\"history\":0,")),
        ("unknown field in the header", replaced("{\"history\":1,", "{\"history\":1,\"since\":\"now\",")),
        (
            "conflict",
            format!(
                "{}<<<<<<< HEAD\n{}",
                &whole[..whole.find('\n').unwrap() + 1],
                &whole[whole.find('\n').unwrap() + 1..]
            ),
        ),
        ("edited number", replaced("\"fit/fit_s@stopwatch\":", "\"fit/fit_s@stopwatch\":1")),
        ("NaN", replaced("\"fit/fit_s@stopwatch\":", "\"fit/fit_s@stopwatch\":NaN,\"fit/energy_j@rapl\":")),
        (
            "too large a number",
            replaced("\"fit/fit_s@stopwatch\":", "\"fit/fit_s@stopwatch\":1e999,\"fit/energy_j@rapl\":"),
        ),
        ("no quantity", replaced("\"fit/fit_s@stopwatch\":", "\"fit_s\":")),
        ("a cell is gone", without(3)),
        ("its run is gone", without(2)),
        ("an empty line", replaced("{\"cell\"", "\n{\"cell\"")),
        ("unknown kind of line", replaced("{\"cell\":", "{\"sell\":")),
        ("unknown field", replaced("{\"cell\":{", "{\"cell\":{\"mood\":\"calm\",")),
        ("no UTF-8", String::new()),
    ];
    let mut messages = Vec::new();
    for (what, text) in cases {
        let mut bytes = text.into_bytes();
        if what == "no UTF-8" {
            bytes = whole.clone().into_bytes();
            bytes[whole.find("resnet").unwrap()] = 0xff;
        }
        fs::write(bench.file(), &bytes).unwrap();
        let read = said(History::read(&bench.history()), &bench.history());
        assert_eq!(said(check_history(&bench.history(), PROJECT), &bench.history()), read, "{what}");
        messages.push(format!("{what}\n  {read}"));
        assert_eq!(fs::read(bench.file()).unwrap(), bytes, "{what}: the file stays as it is");
    }
    fs::write(bench.file(), &whole).unwrap();
    messages.push(format!("another project\n  {}", said(check_history(&bench.history(), "other"), &bench.history())));
    fs::remove_file(bench.file()).unwrap();
    messages.push(format!("no history\n  {}", said(History::read(&bench.history()), &bench.history())));
    insta::assert_snapshot!(messages.join("\n"));
}

#[test]
fn a_run_that_is_there_already_is_refused_and_nothing_is_added() {
    let bench = Bench::new();
    let whole = two_nights(&bench);
    let again = NewRun::of(&Results::load(&bench.night(1, quiet(1))).unwrap(), Origin::night(), None);
    let third = NewRun::of(&Results::load(&bench.night(3, quiet(3))).unwrap(), Origin::night(), None);
    let message = said(add_runs(&bench.history(), PROJECT, &[third, again]), &bench.history());
    assert_eq!(message, "perf/history.jsonl: run night-1 is in the history already: nothing was added");
    assert_eq!(fs::read_to_string(bench.file()).unwrap(), whole);
}

#[test]
fn a_run_that_is_twice_in_the_file_counts_once_and_is_said() {
    let bench = Bench::new();
    let whole = two_nights(&bench);
    let once = bench.read();
    let second = whole.match_indices("{\"run\":{").nth(1).unwrap().0;
    fs::write(bench.file(), format!("{whole}{}", &whole[second..])).unwrap();
    let twice = bench.read();
    assert_eq!(twice.remarks, ["Line 8 is the same run as line 5 (night-2). It is left out."]);
    assert_eq!((twice.runs, twice.series), (once.runs, once.series));
}

#[test]
fn a_history_is_begun_with_a_lock_that_version_control_leaves_out() {
    let bench = Bench::new();
    bench.add(1, scaled("fit_s", 1.0));
    assert_eq!(fs::read_to_string(bench.history().join(".gitignore")).unwrap(), "/.lock\n/.*.tmp\n/reference/.*.tmp\n");
    assert!(
        fs::read_to_string(bench.file()).unwrap().starts_with("{\"history\":1,\"project\":\"example\"}\n{\"run\":{")
    );
    assert_eq!(cells(&bench.file()).len(), 2);
}

proptest! {
    #[test]
    fn a_quantity_reads_back(
        phase in "[a-z-]{1,8}",
        metric in "[a-z0-9_]{1,8}",
        conditions in "|[a-z]{1,4}=[0-9]{1,3}|[a-z]{1,4}=[0-9]{1,3} [a-z]{1,4}=[0-9]{1,3}",
        source in "[a-z-]{1,8}",
    ) {
        let quantity = Quantity { phase, metric, conditions, source };
        prop_assert_eq!(quantity.to_string().parse::<Quantity>(), Ok(quantity));
    }
}

#[test]
fn what_is_no_quantity_is_refused() {
    for text in [
        "",
        "fit_s",
        "fit/fit_s",
        "fit@stopwatch",
        "/fit_s@stopwatch",
        "fit/@stopwatch",
        "fit/fit_s@",
        "fit/fit_s[a@stopwatch",
        "fit/fit_s[]@x",
    ] {
        let refused = text.parse::<Quantity>().unwrap_err();
        assert!(refused.contains("expected phase/metric@source"), "{refused}");
    }
}
