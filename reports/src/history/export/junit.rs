//! JUnit XML as Jenkins and GitLab read it: a suite for each task, a test for each series, and one for each cell whose cases failed.
//!
//! A confirmed regression is a failure. A series that is not judged is skipped, with its reason: a missing baseline is no pass. A cell
//! without numbers is an error. The attributes are those of Jenkins' `junit-10.xsd`. GitLab shows `classname` as the suite, and the text
//! of an element as its details, so both have the words.

use std::fmt::Write as _;

use super::{evidence, one_file, series_name};
use crate::figures::{allowed_in_xml, xml_escape};
use crate::history::{Change, History, MadeFile, Night, NightVerdict, SeriesVerdict};
use crate::results::measured;

/// A test with its outcome.
struct TestCase {
    class: String,
    name: String,
    outcome: Outcome,
}

enum Outcome {
    /// It passed. The words are of interest to a reader who looks at it.
    Passed(String),
    /// What kind of failure it is, and the words.
    Failure(String, String),
    Error(String, String),
    Skipped(String),
}

pub(super) fn files(history: &History, night: &Night) -> Vec<MadeFile> {
    let run = &history.runs[night.run];
    let mut suites: Vec<(&str, Vec<TestCase>)> = Vec::new();
    let mut add = |task, case| match suites.iter_mut().find(|(known, _)| *known == task) {
        Some((_, cases)) => cases.push(case),
        None => suites.push((task, vec![case])),
    };
    for cell in run.cells.iter().filter(|cell| !measured(cell.status)) {
        let key = &history.cells[cell.cell];
        let words =
            if cell.note.is_empty() { cell.status.to_string() } else { format!("{}: {}", cell.status, cell.note) };
        let outcome = Outcome::Error(cell.status.to_string(), words);
        add(&key.task, TestCase { class: class(&key.task, &key.label), name: format!("{key}: cases"), outcome });
    }
    for one in night.verdicts.iter().filter(|one| !one.key.quantity.is_estimate()) {
        let key = &one.key.cell;
        let case = TestCase { class: class(&key.task, &key.label), name: series_name(one), outcome: outcome(one) };
        add(&key.task, case);
    }
    let mut xml = String::from("<?xml version=\"1.0\" encoding=\"UTF-8\"?>\n");
    let all = || suites.iter().flat_map(|(_, cases)| cases);
    let _ = writeln!(xml, "<testsuites name=\"{}\" {}>", attribute(&run.suite), counts(all()).0);
    for (task, cases) in &suites {
        let (counted, skipped) = counts(cases.iter());
        let _ = writeln!(
            xml,
            "  <testsuite name=\"{}\" {counted} skipped=\"{skipped}\" timestamp=\"{}\">",
            attribute(task),
            attribute(run.at())
        );
        xml += "    <properties>\n";
        for (name, value) in [("run", &run.run), ("commit", &run.commit), ("bakeoff", &run.version)] {
            let _ = writeln!(xml, "      <property name=\"{name}\" value=\"{}\"/>", attribute(value));
        }
        xml += "    </properties>\n";
        cases.iter().for_each(|case| write_case(&mut xml, case));
        xml += "  </testsuite>\n";
    }
    xml += "</testsuites>\n";
    one_file("junit.xml", xml)
}

/// `sst2.svm`. A point in a name would be read as one more level.
fn class(task: &str, label: &str) -> String {
    format!("{}.{}", task.replace('.', "_"), label.replace('.', "_"))
}

fn outcome(one: &SeriesVerdict) -> Outcome {
    match &one.verdict {
        NightVerdict::Confirmed(Change::Regression) => Outcome::Failure(one.verdict.words(), evidence(one)),
        NightVerdict::NotJudged(reason) => Outcome::Skipped(reason.to_string()),
        verdict => Outcome::Passed(format!("{}: {}", verdict.words(), evidence(one))),
    }
}

/// The attributes that count the tests, and how many are skipped.
fn counts<'a>(cases: impl Iterator<Item = &'a TestCase>) -> (String, usize) {
    let (mut tests, mut failures, mut errors, mut skipped) = (0, 0, 0, 0);
    for case in cases {
        tests += 1;
        match case.outcome {
            Outcome::Passed(_) => {}
            Outcome::Failure(..) => failures += 1,
            Outcome::Error(..) => errors += 1,
            Outcome::Skipped(_) => skipped += 1,
        }
    }
    (format!("tests=\"{tests}\" failures=\"{failures}\" errors=\"{errors}\""), skipped)
}

fn write_case(xml: &mut String, case: &TestCase) {
    let inside = match &case.outcome {
        Outcome::Passed(words) => format!("<system-out>{}</system-out>", text(words)),
        Outcome::Failure(kind, words) => element("failure", Some(kind), words),
        Outcome::Error(kind, words) => element("error", Some(kind), words),
        Outcome::Skipped(words) => element("skipped", None, words),
    };
    let _ = writeln!(
        xml,
        "    <testcase classname=\"{}\" name=\"{}\" time=\"0\">{inside}</testcase>",
        attribute(&case.class),
        attribute(&case.name)
    );
}

fn element(name: &str, kind: Option<&str>, words: &str) -> String {
    let kind = kind.map_or_else(String::new, |kind| format!(" type=\"{}\"", attribute(kind)));
    format!("<{name}{kind} message=\"{}\">{}</{name}>", attribute(words), text(words))
}

fn text(words: &str) -> String {
    xml_escape(&allowed_in_xml(words))
}

fn attribute(words: &str) -> String {
    text(words).replace('"', "&quot;").replace('\n', "&#10;").replace('\r', "&#13;").replace('\t', "&#9;")
}
