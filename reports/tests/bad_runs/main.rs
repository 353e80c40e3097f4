//! Runs that are damaged, incomplete or odd: a clear message or a stated gap, never a wrong number.
#![expect(clippy::unwrap_used, reason = "tests")]

mod files;
mod rows;
mod runs;
mod scores;

#[path = "../common/mod.rs"]
mod common;
#[path = "../common/folder.rs"]
mod folder;

use std::fs;
use std::path::Path;

use bakeoff_reports::{
    Finding, Impute, KnownNames, PredictionRow, Record, Results, RunDir, build, claims, claims_csv, claims_text,
    compare_text, judge, rank_text, read_claims,
};
use common::{Plan, SMALL, write_run};

/// Three seeds of three models on three tasks.
const PLAN: Plan = Plan { tasks: 3, models: 3, seeds: 3, examples: 60, faults: false, ..SMALL };

/// Writes a run of the suite of some claims.
fn made(folder: &Path, plan: &Plan) -> RunDir {
    let dir = write_run(folder, plan);
    change(&folder.join("run.json"), |text| text.replace("\"suite\": \"quick\"", "\"suite\": \"claims-quick\""));
    dir
}

fn change(path: &Path, changed: impl Fn(&str) -> String) {
    fs::write(path, changed(&fs::read_to_string(path).unwrap())).unwrap();
}

fn change_records(dir: &RunDir, changed: impl Fn(&mut Vec<Record>)) {
    let mut records = dir.records().unwrap().rows;
    changed(&mut records);
    dir.write_rows(&dir.records_path(), &records).unwrap();
}

fn change_answers(dir: &RunDir, case: &str, changed: impl Fn(&mut Vec<PredictionRow>)) {
    let mut rows = dir.predictions(case).unwrap().unwrap().rows;
    changed(&mut rows);
    dir.write_rows(&dir.predictions_path(case), &rows).unwrap();
}

/// What people read of a run: its report, its ranking with and without imputed scores, its verdicts, and its comparison with itself.
struct Texts {
    report: String,
    rank: String,
    imputed: String,
    claims: String,
    compare: String,
}

/// Everything that is read of a run, none of which may show a number that is none.
#[track_caller]
fn texts(dir: &RunDir) -> Texts {
    build(dir).unwrap();
    let read = |name: &str| fs::read_to_string(dir.path().join(name)).unwrap();
    let results = Results::load(dir).unwrap();
    let imputed = Results::load_with(dir, Impute::Floor).unwrap();
    let judged = judge(&claims(), &[&results]);
    let csv = String::from_utf8(claims_csv(&judged)).unwrap();
    let texts = Texts {
        report: read("report.md"),
        rank: rank_text(&results),
        imputed: rank_text(&imputed),
        compare: compare_text(&results, &results).unwrap_or_else(|error| error.to_string()),
        claims: claims_text(&judged, &[results]),
    };
    let (summary, page) = (read("summary.csv"), read("report.html"));
    // The page's script and style hold words of their own, and its pictures any letters.
    let page = page.split("<main>").nth(1).unwrap();
    let page: Vec<&str> =
        page.split("base64,").map(|part| part.split_once('"').map_or(part, |(_, rest)| rest)).collect();
    let page = page.concat();
    for text in [&texts.report, &texts.rank, &texts.imputed, &texts.claims, &texts.compare, &csv, &summary] {
        only_numbers(text);
    }
    only_numbers(&page);
    texts
}

#[track_caller]
fn only_numbers(text: &str) {
    for word in text.split(|c: char| !c.is_alphanumeric()) {
        assert!(!["NaN", "nan", "inf", "Inf"].contains(&word), "'{word}' is in: {}", around(text, word));
    }
}

/// What stands beside a word.
fn around(text: &str, word: &str) -> String {
    text.lines().find(|line| line.contains(word)).map_or(String::new(), |line| line.chars().take(300).collect())
}

/// The message with which a run is refused.
#[track_caller]
fn refusal(dir: &RunDir) -> String {
    Results::load(dir).unwrap_err().to_string()
}

/// What a run says of the claim that a model is better than another on SST-2.
fn better(results: &Results, one: &str, other: &str) -> Finding {
    let text = format!(
        "[[claim]]\nid = \"M1\"\ndocument = \"\"\nclaim = \"\"\nreading = \"\"\nsuites = [\"claims-quick\"]\n[[claim.part]]\n\
         task = [\"sst2\"]\nfirst = {{ model = [\"{one}\"] }}\nis = \"better\"\nsecond = {{ model = [\"{other}\"] }}\n"
    );
    let names = |names: &[&str]| names.iter().map(|name| (*name).to_owned()).collect();
    let known = KnownNames {
        suites: names(&["claims-quick"]),
        tasks: names(&["sst2"]),
        models: results.grid.labels.clone(),
        unknown: |_, name, _| name.to_owned(),
    };
    let claims = read_claims(Path::new("mine.toml"), &text, &known).unwrap();
    judge(&claims, &[results]).remove(0).findings.remove(0)
}

#[track_caller]
fn says(text: &str, parts: &[&str]) {
    for part in parts {
        assert!(text.contains(part), "'{part}' is not in: {text}");
    }
}
