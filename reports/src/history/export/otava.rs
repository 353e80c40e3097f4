//! Apache Otava: a CSV file for each cell, and a configuration that names them. <https://otava.apache.org/docs/csv/>
//!
//! Otava cannot read an empty field, so series of a cell that have other nights are in a file of their own. It knows no epochs, so only the
//! present epoch of a series is written. Scores are left out: they are not judged as series.

use std::fmt::Write as _;

use super::cell_id;
use crate::history::made_file::plain_name;
use crate::history::{History, MadeFile, Night, Point, Series};
use crate::metric::Better;

/// Series of one cell with numbers of the same runs.
struct OtavaTest<'a> {
    name: String,
    series: Vec<(&'a Series, Better, &'a [Point])>,
}

pub(super) fn files(history: &History, _: &Night) -> Vec<MadeFile> {
    let tests = tests(history);
    let mut config = String::from(
        "# A configuration of Apache Otava. File names are relative to the folder in which it is started.\ntests:",
    );
    config += if tests.is_empty() { " {}\n" } else { "\n" };
    for test in &tests {
        describe(&mut config, test);
    }
    let mut files = vec![MadeFile { name: "otava.yaml".to_owned(), bytes: config.into_bytes() }];
    files.extend(tests.iter().map(|test| MadeFile { name: format!("{}.csv", test.name), bytes: table(history, test) }));
    files
}

fn tests(history: &History) -> Vec<OtavaTest<'_>> {
    let mut tests: Vec<(usize, OtavaTest<'_>)> = Vec::new();
    for series in &history.series {
        let quantity = &series.key.quantity;
        if quantity.is_quality() || quantity.is_estimate() {
            continue;
        }
        let Some(metric) = quantity.rules() else { continue };
        let Some(last) = series.points.len().checked_sub(1) else { continue };
        let points = &series.points[series.epoch_of(last).first..];
        let has_same_runs = |test: &OtavaTest<'_>| {
            let (_, _, known) = &test.series[0];
            known.len() == points.len() && known.iter().zip(points).all(|(one, other)| one.run == other.run)
        };
        let one = (series, metric.better, points);
        match tests.iter_mut().find(|(cell, test)| *cell == series.cell && has_same_runs(test)) {
            Some((_, test)) => test.series.push(one),
            None => {
                let part = tests.iter().filter(|(cell, _)| *cell == series.cell).count() + 1;
                tests.push((series.cell, OtavaTest { name: name(series, part), series: vec![one] }));
            }
        }
    }
    tests.into_iter().map(|(_, test)| test).collect()
}

/// The name of a file and of a test: `sst2.svm.1f0c9a77`, and of the second file of the cell `sst2.svm.1f0c9a77.2`.
fn name(series: &Series, part: usize) -> String {
    let cell = &series.key.cell;
    let part = if part == 1 { String::new() } else { format!(".{part}") };
    format!("{}.{}.{}{part}", plain_name(&cell.task), plain_name(&cell.label), cell_id(cell))
}

fn describe(config: &mut String, test: &OtavaTest<'_>) {
    let (first, _, _) = &test.series[0];
    let words: String = first.key.cell.to_string().chars().filter(|c| !c.is_control()).collect();
    let _ = writeln!(config, "  # {words}");
    let _ = writeln!(config, "  {}:", quoted(&test.name));
    let _ = writeln!(config, "    type: csv\n    file: {}", quoted(&format!("{}.csv", test.name)));
    let _ = writeln!(config, "    time_column: time\n    attributes: [run, commit]\n    metrics:");
    for (series, better, _) in &test.series {
        let direction = if *better == Better::Higher { 1 } else { -1 };
        let quantity = quoted(&series.key.quantity.to_string());
        let _ = writeln!(config, "      {quantity}: {{column: {}, direction: {direction}}}", quoted(&series.id.0));
    }
}

/// A text in double quotes. What JSON quotes, YAML reads.
fn quoted(text: &str) -> String {
    serde_json::to_string(text).expect("a text")
}

fn table(history: &History, test: &OtavaTest<'_>) -> Vec<u8> {
    let mut csv = csv::Writer::from_writer(Vec::new());
    let ids = test.series.iter().map(|(series, _, _)| series.id.0.as_str());
    let written = "a table in memory can be written";
    csv.write_record(["time", "run", "commit"].into_iter().chain(ids)).expect(written);
    let (_, _, points) = &test.series[0];
    for (at, point) in points.iter().enumerate() {
        let run = &history.runs[point.run];
        let numbers = test.series.iter().map(|(_, _, points)| points[at].value.to_string());
        let fields = [run.at(), &run.run, &run.commit].map(str::to_owned);
        csv.write_record(fields.into_iter().chain(numbers)).expect(written);
    }
    csv.into_inner().expect(written)
}
