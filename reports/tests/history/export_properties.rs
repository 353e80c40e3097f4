//! What holds of exports whatever the names, the notes and the numbers are.

use std::collections::BTreeSet;

use bakeoff_reports::{
    CellKey, Change, EXPORT_FORMATS, Epoch, History, MachineClass, MadeFile, Night, NightVerdict, NotJudged, Numbers,
    Point, Rules, Run, RunCell, RunKind, Series, SeriesKey, SeriesVerdict, Status, history_pages,
};
use proptest::prelude::*;
use resvg::usvg::roxmltree::Document;

/// A history of one night with a cell for each name, and its verdicts.
fn made(names: &[String], note: &str, values: &[f64]) -> (History, Night) {
    let machine = MachineClass { cpu: names[0].clone(), cpus: 2, memory_gib: 8, device: "d".to_owned() };
    let cell = |name: &String| CellKey {
        suite: name.clone(),
        task: name.clone(),
        task_version: 1,
        label: name.clone(),
        model: name.clone(),
        params: name.clone(),
        train_size: 10,
        label_noise: 0.0,
        folds: None,
        trials: "s1".to_owned(),
        device: "cpu".to_owned(),
        threads: None,
        machine: machine.clone(),
    };
    let cells: Vec<CellKey> = names.iter().map(cell).collect();
    let (mut series, mut verdicts) = (Vec::new(), Vec::new());
    for (index, (cell, value)) in cells.iter().zip(values.iter().cycle()).enumerate() {
        for quantity in ["fit/fit_s@stopwatch", "predict-batch/throughput@stopwatch", "fit/energy_j@estimate"] {
            let key = SeriesKey { cell: cell.clone(), quantity: quantity.parse().unwrap() };
            let verdict = match index % 5 {
                0 => NightVerdict::Confirmed(Change::Regression),
                1 => NightVerdict::Suspected(Change::Regression),
                2 => NightVerdict::Confirmed(Change::Improvement),
                3 => NightVerdict::NotJudged(NotJudged::NewEpoch(note.to_owned())),
                _ => NightVerdict::Unchanged,
            };
            let numbers = Numbers {
                tonight: *value,
                baseline: Some(value * 1.5),
                interval: None,
                change: Some(-0.3),
                points: 12,
                p: Some(0.01),
                floor: None,
                again: vec![*value],
            };
            verdicts.push(SeriesVerdict { id: key.id(), key: key.clone(), verdict, numbers: Some(numbers) });
            let epochs = vec![Epoch { first: 0, why: Some(note.to_owned()), accepted: None }];
            let points = vec![Point { run: 0, value: *value }];
            series.push(Series { cell: index, id: key.id(), key, points, again: Vec::new(), epochs });
        }
    }
    let failed = |cell: usize| RunCell {
        cell,
        status: Status::Failed,
        note: note.to_owned(),
        model_version: "1".to_owned(),
        quality: None,
    };
    let run = Run {
        settings: String::new(),
        run: "night-1".to_owned(),
        kind: RunKind::Night,
        of: None,
        started: "2026-01-01T02:00:00Z".to_owned(),
        committed: None,
        commit: note.to_owned(),
        suite: names[0].clone(),
        version: "1".to_owned(),
        line: 2,
        cells: (0..cells.len()).map(failed).collect(),
    };
    let remarks = vec![note.to_owned()];
    let history = History { project: names[0].clone(), runs: vec![run], cells, series, remarks: remarks.clone() };
    (history, Night { run: 0, verdicts, remarks })
}

fn text(history: &History, night: &Night, format: &str) -> String {
    let format = EXPORT_FORMATS.iter().find(|known| known.name == format).unwrap();
    String::from_utf8(format.files(history, night).remove(0).bytes).unwrap()
}

/// Any text, and often one of the characters that formats have a use for.
fn words() -> impl Strategy<Value = String> {
    prop_oneof![any::<String>(), "[<>&\"'%:,|`\\n\\r\\t\\x00\\x1b\\]\\[ -~é]{0,40}"]
}

/// Different names.
fn names(most: usize) -> impl Strategy<Value = Vec<String>> {
    proptest::collection::btree_set(words(), 1..most).prop_map(|names| names.into_iter().collect())
}

proptest! {
    #[test]
    fn every_format_is_well_formed_whatever_names_and_notes_are(
        names in names(40), note in words(), values in proptest::collection::vec(1e-9..1e12_f64, 1..5)
    ) {
        let (history, night) = made(&names, &note, &values);
        let xml = text(&history, &night, "junit");
        let document = Document::parse(&xml).map_err(|error| TestCaseError::fail(format!("{error}: {xml}")))?;
        let tests = document.descendants().filter(|node| node.has_tag_name("testcase")).count();
        prop_assert_eq!(tests, 2 * names.len() + history.cells.len(), "estimates are left out");

        let bmf: serde_json::Value = serde_json::from_str(&text(&history, &night, "bmf")).unwrap();
        let measures: usize = bmf.as_object().unwrap().values().map(|of| of.as_object().unwrap().len()).sum();
        prop_assert_eq!(measures, 2 * names.len(), "no series hides another, and estimates are left out");
        prop_assert!(bmf.as_object().unwrap().keys().all(|name| name.chars().count() <= 1024));

        let annotations = text(&history, &night, "github-annotations");
        for level in ["error", "warning", "notice"] {
            let begins = format!("::{level} title=");
            prop_assert!(annotations.lines().filter(|line| line.starts_with(&begins)).count() <= 10);
        }
        prop_assert!(annotations.split('\n').all(|line| line.is_empty() || line.starts_with("::")), "{}", annotations);
        prop_assert!(!annotations.contains('\r'));
    }

    #[test]
    fn files_have_plain_names_of_their_own(names in names(12), note in words()) {
        let (history, night) = made(&names, &note, &[1.0]);
        let mut made: Vec<MadeFile> = history_pages(&history, &Rules::default(), |_| true).unwrap();
        prop_assert_eq!(made.len(), 1 + names.len(), "a page for each task, and one that leads to them");
        let otava = EXPORT_FORMATS.iter().find(|known| known.name == "otava").unwrap();
        made.extend(otava.files(&history, &night));
        let lower: BTreeSet<String> = made.iter().map(|file| file.name.to_ascii_lowercase()).collect();
        prop_assert_eq!(lower.len(), made.len(), "also where capital letters do not count");
        let plain = |c: char| c.is_ascii_alphanumeric() || matches!(c, '.' | '-' | '_');
        prop_assert!(made.iter().all(|file| file.name.chars().all(plain) && !file.name.starts_with('.')));
    }
}

#[test]
fn markdown_keeps_to_the_limits_of_github_and_says_what_is_left_out() {
    let names: Vec<String> = (0..4000).map(|n| format!("model-{n}-{}", "x".repeat(60))).collect();
    let (history, night) = made(&names, "a note", &[1.0]);
    for (format, limit) in [("markdown", 65_536), ("github-summary", 1 << 20)] {
        let text = text(&history, &night, format);
        assert!(text.len() < limit, "{format}: {}", text.len());
        assert!(text.len() > limit / 4, "{format}: {} is far below the limit", text.len());
        assert!(text.contains(" more, which `bakeoff history judge` shows"), "{format}");
        assert!(
            text.starts_with("### 2400 regressions confirmed, 2400 regressions suspected, 2400 improvements confirmed")
        );
    }
}
