//! Verdicts as tables.

use crate::format::{estimate, ratio};
use crate::metric::metric;
use crate::results::Results;
use crate::table::{CellKind, Emphasis, Table, TableCell, TableColumn, csv, terminal};

use super::judge::{Finding, Judged, Verdict, judge};
use super::registry::claims;

/// How verdicts are read.
pub(crate) const HOW_TO_READ: &str = "Each claim is read as strictly as is fair and judged by a rule that was written before the run. It is \
    supported if all comparisons of its rule come out as claimed (p < 0.05), refuted if one comes out the other way (p < 0.05 by Holm's \
    method over the comparisons of the claim), and undecided if the intervals are too wide.";

/// The verdicts that a run gives by itself, and the comparisons behind them; `None` if it measures no claim.
pub(crate) fn verdicts(results: &Results) -> Option<(Table, Table)> {
    let judged = measured(results);
    (!judged.is_empty()).then(|| (claims_table(&judged), findings_table(&judged)))
}

/// The claims that a run measures by itself, judged.
pub(crate) fn measured(results: &Results) -> Vec<Judged> {
    judge(&claims(), &[results]).into_iter().filter(Judged::is_measured).collect()
}

/// One row for each claim.
fn claims_table(judged: &[Judged]) -> Table {
    let columns = vec![
        TableColumn::new("claim", CellKind::Name),
        TableColumn::new("verdict", CellKind::Status),
        TableColumn::new("comparisons", CellKind::Text),
        TableColumn::new("where", CellKind::Text).detail(),
        TableColumn::new("in our words", CellKind::Text),
    ];
    let mut table = Table::new("Verdicts on the claims", columns);
    for Judged { claim, verdict, findings } in judged {
        let emphasis = if *verdict == Verdict::NotMeasured { Emphasis::Faint } else { Emphasis::Plain };
        let cells = vec![
            TableCell::Text(claim.id.clone()),
            TableCell::Verdict(*verdict),
            TableCell::Text(tally(findings)),
            TableCell::Text(claim.document.clone()),
            TableCell::Text(claim.claim.clone()),
        ];
        table.push(emphasis, cells);
    }
    table
}

/// `3 supported, 1 refuted`.
pub(crate) fn tally(findings: &[Finding]) -> String {
    let all = [Verdict::Supported, Verdict::Refuted, Verdict::Undecided, Verdict::NotMeasured];
    let counted = all.into_iter().filter_map(|verdict| {
        let n = findings.iter().filter(|finding| finding.verdict == verdict).count();
        (n > 0).then(|| format!("{n} {}", verdict.name()))
    });
    counted.collect::<Vec<_>>().join(", ")
}

/// The verdicts for a terminal: a row for each claim, and one for each comparison that was measured or could have been.
pub fn claims_text(judged: &[Judged], runs: &[Results]) -> String {
    let mut text = terminal(&claims_table(judged).without_details());
    let asked: Vec<Judged> = judged.iter().filter(|judged| judged.is_measured()).cloned().collect();
    if !asked.is_empty() {
        text += &format!("\nThe comparisons behind them:\n\n{}", terminal(&findings_table(&asked).without_details()));
    }
    text += "\n";
    let mut noted: Vec<&str> = Vec::new();
    for Results { info, remarks, .. } in runs {
        // A run that is given twice has its notes once.
        if noted.contains(&info.run.as_str()) {
            continue;
        }
        noted.push(&info.run);
        if !judged.iter().any(|judged| judged.claim.suites.contains(&info.suite)) {
            text +=
                &format!("note: run {} is of the suite {}, which judges none of these claims\n", info.run, info.suite);
        }
        remarks.iter().for_each(|remark| text += &format!("note: run {}: {remark}\n", info.run));
    }
    let all: Vec<&Results> = runs.iter().collect();
    let unmeasured = judged.iter().filter(|judged| judged.verdict == Verdict::NotMeasured);
    for Judged { claim, findings, .. } in unmeasured {
        // What a run of its suites lacks says more than to run one of them again.
        let lack = findings.iter().find(|finding| finding.remedy.contains("(run "));
        let lack = lack.or_else(|| findings.iter().find(|finding| finding.is_left_out));
        let remedy = lack.map_or_else(|| claim.remedy(&all), |finding| finding.remedy.clone());
        text += &format!("{}: {remedy}\n", claim.id);
    }
    text
}

/// The comparisons as CSV.
pub fn claims_csv(judged: &[Judged]) -> Vec<u8> {
    csv(&findings_table(judged))
}

/// One row for each comparison of the claims that have any.
fn findings_table(judged: &[Judged]) -> Table {
    let columns = vec![
        TableColumn::new("claim", CellKind::Name),
        TableColumn::new("comparison", CellKind::Text),
        TableColumn::new("verdict", CellKind::Status),
        TableColumn::new("difference or ratio [95 %]", CellKind::Text),
        TableColumn::new("p", CellKind::Number),
        TableColumn::new("seeds", CellKind::Text),
        TableColumn::new("rows", CellKind::Text),
        TableColumn::new("to decide it", CellKind::Text),
        TableColumn::new("run", CellKind::Text).detail(),
    ];
    let mut table = Table::new("Comparisons behind the verdicts", columns);
    for Judged { claim, findings, .. } in judged {
        for finding in findings {
            let emphasis = if finding.effect.is_none() { Emphasis::Faint } else { Emphasis::Plain };
            let counted = |n: usize| if n == 0 { TableCell::Empty } else { TableCell::Text(n.to_string()) };
            let cells = vec![
                TableCell::Text(claim.id.clone()),
                TableCell::Text(finding.what.clone()),
                TableCell::Verdict(finding.verdict),
                finding.effect.map_or(TableCell::Empty, |effect| TableCell::Text(shown(effect, finding))),
                finding.p.map_or(TableCell::Empty, TableCell::P),
                counted(finding.seeds),
                counted(finding.rows),
                TableCell::Text(finding.remedy.clone()),
                TableCell::Text(finding.run.clone()),
            ];
            table.push(emphasis, cells);
        }
    }
    table
}

/// `0.012 [-0.003, 0.027]`, or `× 2.10 [1.90, 2.40]`.
fn shown(effect: f64, finding: &Finding) -> String {
    if finding.is_ratio {
        return ratio(effect, finding.interval);
    }
    let accuracy = metric("accuracy").expect("the catalogue has the accuracy");
    estimate(accuracy, effect, finding.interval)
}
