//! Verdicts on claims.
#![expect(clippy::unwrap_used, reason = "tests")]

mod common;

use std::io::Read as _;

use bakeoff_reports::{
    Claim, Finding, Judged, KnownNames, Results, RunDir, Verdict, build, claims, claims_csv, claims_text, compare_text,
    holm, judge, rank_text, read_claims,
};
use common::{Plan, SMALL, write_run};

/// Three seeds of two models at three sizes and with wrong labels.
const PLAN: Plan = Plan { tasks: 3, models: 5, seeds: 3, examples: 200, faults: false, axes: true, ..SMALL };

/// A made-up run of the suite `claims-quick`.
fn run(folder: &std::path::Path, plan: &Plan) -> RunDir {
    let dir = write_run(folder, plan);
    let mut info = dir.info().unwrap();
    info.suite = "claims-quick".to_owned();
    std::fs::remove_file(folder.join("run.json")).unwrap();
    dir.write_info(&info).unwrap();
    dir
}

fn claim(id: &str) -> Claim {
    claims().into_iter().find(|claim| claim.id == id).unwrap()
}

fn findings(id: &str, results: &Results) -> (Verdict, Vec<Finding>) {
    let judged = judge(&[claim(id)], &[results]).remove(0);
    (judged.verdict, judged.findings)
}

#[test]
fn a_claim_about_two_models_follows_from_their_rows() {
    let folder = tempfile::tempdir().unwrap();
    let results = Results::load(&run(folder.path(), &PLAN)).unwrap();
    let (verdict, findings) = findings("C06", &results);
    assert_eq!(findings.len(), 2);
    for (finding, (task, better, worse)) in
        findings.iter().zip([("sst2", "transformer", "resnet"), ("cifar10", "resnet", "transformer")])
    {
        let setting = (0..results.grid.settings.len())
            .find(|&at| {
                let setting = results.setting(at);
                setting.task.name == task && setting.train_size == 2000 && setting.label_noise == 0.0
            })
            .unwrap();
        let label = |name: &str| results.grid.labels.iter().position(|label| label == name).unwrap();
        let mean =
            |name: &str| results.grid.cell(setting, label(name)).unwrap().mean("score", "accuracy").unwrap().mean;
        let effect = mean(better) - mean(worse);
        assert!((finding.effect.unwrap() - effect).abs() < 1e-12, "{finding:?}, expected {effect}");
        let pair = results.rankings[setting].comparison(label(better), label(worse)).unwrap();
        let is_so = pair.better == label(better);
        let expected = match pair.uncertainty.p.unwrap() {
            p if p >= 0.05 => Verdict::Undecided,
            _ if is_so => Verdict::Supported,
            _ => Verdict::Refuted,
        };
        assert_eq!((finding.verdict, finding.seeds, finding.rows), (expected, 3, 200), "{finding:?} {pair:?}");
    }
    let has = |verdict| findings.iter().any(|finding| finding.verdict == verdict);
    let expected = if has(Verdict::Refuted) {
        Verdict::Refuted
    } else if has(Verdict::Undecided) {
        Verdict::Undecided
    } else {
        Verdict::Supported
    };
    assert_eq!(verdict, expected);
}

#[test]
fn fewer_than_three_seeds_decide_no_claim() {
    let folder = tempfile::tempdir().unwrap();
    let results = Results::load(&run(folder.path(), &Plan { seeds: 2, ..PLAN })).unwrap();
    for judged in judge(&claims(), &[&results]) {
        assert!(!matches!(judged.verdict, Verdict::Supported | Verdict::Refuted), "{judged:?}");
    }
    let (_, findings) = findings("C12", &results);
    assert!(
        findings.iter().all(|finding| finding.effect.is_some() && finding.remedy == "three seeds or more"),
        "{findings:?}"
    );
}

#[test]
fn a_run_of_another_suite_judges_no_claim_and_says_so() {
    let folder = tempfile::tempdir().unwrap();
    let results = Results::load(&write_run(folder.path(), &PLAN)).unwrap();
    let judged = judge(&claims(), &[&results]);
    assert!(judged.iter().all(|judged| judged.verdict == Verdict::NotMeasured));
    let text = claims_text(&judged, &[results]);
    assert!(text.contains("is of the suite quick, which judges none of these claims"), "{text}");
    assert!(text.contains("C06: bakeoff run claims-quick") && text.contains("C20: bakeoff run devices"), "{text}");
}

#[test]
fn a_model_of_which_a_seed_failed_is_not_measured() {
    let folder = tempfile::tempdir().unwrap();
    let dir = run(folder.path(), &PLAN);
    let mut records = dir.records().unwrap().rows;
    records.retain(|row| !(row.case.starts_with("sst2.transformer.n2000.s2") && row.phase != "case"));
    for row in records.iter_mut().filter(|row| row.case.starts_with("sst2.transformer.n2000.s2")) {
        row.status = bakeoff_reports::Status::Failed;
    }
    std::fs::remove_file(dir.records_path()).unwrap();
    dir.write_rows(&dir.records_path(), &records).unwrap();
    let results = Results::load(&dir).unwrap();
    let (_, findings) = findings("C06", &results);
    assert_eq!(findings[0].verdict, Verdict::NotMeasured);
    assert!(findings[0].remedy.contains("did not end well on every seed"), "{}", findings[0].remedy);
}

#[test]
fn verdicts_of_a_made_up_run_read_as_promised() {
    let folder = tempfile::tempdir().unwrap();
    let dir = run(folder.path(), &PLAN);
    let results = Results::load(&dir).unwrap();
    let judged = judge(&claims(), &[&results]);
    insta::assert_snapshot!("claims_csv", String::from_utf8(claims_csv(&judged)).unwrap());
    insta::assert_snapshot!("claims", claims_text(&judged, &[results]));
    build(&dir).unwrap();
    let markdown = std::fs::read_to_string(folder.path().join("report.md")).unwrap();
    let (verdicts, tables) = (markdown.find("## Verdicts on claims").unwrap(), markdown.find("## cifar10").unwrap());
    assert!(verdicts < tables, "verdicts come first");
}

#[test]
fn a_ranking_reads_as_promised() {
    let folder = tempfile::tempdir().unwrap();
    let plan = Plan { seeds: 2, models: 4, axes: false, ..PLAN };
    let results = Results::load(&write_run(folder.path(), &plan)).unwrap();
    insta::assert_snapshot!("rank", rank_text(&results));
}

#[test]
fn a_run_compared_with_itself_has_not_changed_and_with_another_run_it_has() {
    let folder = tempfile::tempdir().unwrap();
    let plan = Plan { seeds: 2, models: 3, axes: false, ..PLAN };
    let before = Results::load(&write_run(&folder.path().join("a"), &plan)).unwrap();
    let text = compare_text(&before, &before).unwrap();
    assert_eq!(text.matches(" same\n").count(), 9, "{text}");
    let dir = write_run(&folder.path().join("b"), &plan);
    let mut info = dir.info().unwrap();
    "other".clone_into(&mut info.machine.fingerprint);
    info.devices.iter_mut().for_each(|device| "other".clone_into(&mut device.fingerprint));
    std::fs::remove_file(folder.path().join("b/run.json")).unwrap();
    dir.write_info(&info).unwrap();
    let mut records = dir.records().unwrap().rows;
    for row in &mut records {
        "other".clone_into(&mut row.machine);
        if row.model == "resnet" && row.task == "cifar10" && row.metric == "accuracy" {
            row.value = row.value.map(|value| value - 0.05);
        }
    }
    // Ten of the 200 answers are wrong now.
    for case in info.cases.iter().filter(|case| case.model == "resnet" && case.task == "cifar10") {
        let mut rows = dir.predictions(&case.case).unwrap().unwrap().rows;
        let wrong = [rows[0].target.clone(), rows[1].target.clone()];
        for row in rows.iter_mut().filter(|row| row.target == row.prediction).take(10) {
            row.prediction.clone_from(&wrong[usize::from(wrong[0] == row.target)]);
        }
        dir.write_rows(&dir.predictions_path(&case.case), &rows).unwrap();
    }
    std::fs::remove_file(dir.records_path()).unwrap();
    dir.write_rows(&dir.records_path(), &records).unwrap();
    let text = compare_text(&before, &Results::load(&dir).unwrap()).unwrap();
    assert!(text.contains("so scores are compared and costs are not") && text.contains("-0.050"), "{text}");
    let none = Plan { tasks: 1, models: 1, ..plan };
    let mut other = write_run(&folder.path().join("c"), &none).info().unwrap();
    other.tasks.clear();
}

/// One of many comparisons comes out as claimed by chance, so that a claim about some of them needs more than p < 0.05.
#[test]
fn a_claim_about_most_of_its_comparisons_is_judged_by_adjusted_p() {
    let folder = tempfile::tempdir().unwrap();
    let results = Results::load(&run(folder.path(), &Plan { axes: false, examples: 60, ..PLAN })).unwrap();
    let models = "[\"resnet\", \"transformer\", \"lstm\", \"svm\", \"random-forest\"]";
    let text = format!(
        "[[claim]]\nid = \"M1\"\ndocument = \"\"\nclaim = \"\"\nreading = \"\"\nsuites = [\"claims-quick\"]\nmost = 0.0\n\
         [[claim.part]]\ntask = [\"sst2\", \"cifar10\"]\nfirst = {{ model = {models} }}\nis = \"better\"\n\
         second = {{ model = {models} }}\n"
    );
    let names = |names: &[&str]| names.iter().map(|name| (*name).to_owned()).collect();
    let known = KnownNames {
        suites: names(&["claims-quick"]),
        tasks: names(&["sst2", "cifar10"]),
        models: results.grid.labels.clone(),
        unknown: |_, name, _| name.to_owned(),
    };
    let claims = read_claims(std::path::Path::new("mine.toml"), &text, &known).unwrap();
    let findings = judge(&claims, &[&results]).remove(0).findings;
    let adjusted = holm(&findings.iter().filter_map(|finding| finding.p).collect::<Vec<_>>());
    let tested = findings.iter().filter(|finding| finding.p.is_some()).zip(adjusted);
    let mut only_unadjusted = 0;
    for (finding, adjusted) in tested {
        assert_eq!(finding.verdict == Verdict::Undecided, adjusted >= 0.05, "{finding:?} {adjusted}");
        only_unadjusted += usize::from(finding.p.unwrap() < 0.05 && adjusted >= 0.05);
    }
    assert!(only_unadjusted > 0, "no p is between the two: {findings:?}");
}

#[test]
fn every_claim_of_the_documents_has_a_rule_and_says_what_will_measure_it() {
    let claims = claims();
    let ids: Vec<String> = (1..=21).map(|n| format!("C{n:02}")).collect();
    assert_eq!(claims.iter().map(|claim| claim.id.clone()).collect::<Vec<_>>(), ids);
    for claim in &claims {
        assert_eq!(claim.suites.is_empty(), !claim.waits_for.is_empty(), "{}", claim.id);
        assert!(!claim.reading.is_empty() && !claim.document.is_empty(), "{}", claim.id);
        assert!(claim.suites.is_empty() || !claim.parts.is_empty(), "{}", claim.id);
    }
    assert!(claims.first().unwrap().most.is_some());
}

#[test]
fn every_verdict_of_the_documents_follows_from_the_rows_of_its_run() {
    let mut text = String::new();
    let packed: &[u8] = include_bytes!("fixtures/claims-run.json.gz");
    flate2::read::GzDecoder::new(packed).read_to_string(&mut text).unwrap();
    let stored: serde_json::Value = serde_json::from_str(&text).unwrap();
    let folder = tempfile::tempdir().unwrap();
    let write = |name: &str, value: &serde_json::Value| {
        std::fs::write(folder.path().join(name), value.as_str().unwrap()).unwrap();
    };
    std::fs::create_dir(folder.path().join("predictions")).unwrap();
    write("run.json", &stored["run.json"]);
    write("records.csv", &stored["records.csv"]);
    for (name, rows) in stored["predictions"].as_object().unwrap() {
        write(&format!("predictions/{name}"), rows);
    }
    let results = Results::load(&RunDir::new(folder.path())).unwrap();
    let judged = judge(&claims(), &[&results]);
    insta::assert_snapshot!("verdicts_of_the_documents", String::from_utf8(claims_csv(&judged)).unwrap());
    let document = include_str!("../../docs/claims.md");
    for Judged { claim, verdict, .. } in &judged {
        let row = format!("| {} | {} | {} |", claim.id, verdict.name(), claim.claim);
        assert!(document.contains(&row), "docs/claims.md does not have: {row}");
    }
}

#[test]
fn a_score_on_rows_that_were_seen_in_pretraining_is_shown_and_left_out_of_the_verdict() {
    let folder = tempfile::tempdir().unwrap();
    let dir = run(folder.path(), &PLAN);
    let (_, before) = findings("C06", &Results::load(&dir).unwrap());
    let mut records = dir.records().unwrap().rows;
    let is_of = |row: &&bakeoff_reports::Record| {
        row.task == "cifar10" && row.model == "resnet" && row.metric == "wall_s" && row.phase == "case"
    };
    let seen = records.iter().filter(is_of).map(|row| bakeoff_reports::Record {
        phase: "fit".to_owned(),
        metric: "seen_in_pretraining".to_owned(),
        unit: String::new(),
        value: Some(1.0),
        note: "cifar10".to_owned(),
        ..row.clone()
    });
    let seen: Vec<_> = seen.collect();
    assert!(!seen.is_empty());
    records.splice(0..0, seen);
    std::fs::remove_file(dir.records_path()).unwrap();
    dir.write_rows(&dir.records_path(), &records).unwrap();
    let (verdict, after) = findings("C06", &Results::load(&dir).unwrap());
    assert_eq!(after.iter().map(|finding| finding.is_left_out).collect::<Vec<_>>(), [false, true]);
    assert_eq!((after[1].effect, after[1].verdict), (before[1].effect, Verdict::NotMeasured));
    assert!(after[1].remedy.contains("seen in pretraining"), "{:?}", after[1]);
    // What is left decides alone.
    assert_eq!(verdict, after[0].verdict);
}
