//! Runs that are damaged, incomplete or odd: a clear message or a stated gap, never a wrong number.
#![expect(clippy::unwrap_used, reason = "tests")]

mod common;

use std::fs;
use std::path::Path;

use bakeoff_reports::{
    Finding, Impute, KnownNames, PredictionRow, Record, Results, RunDir, Status, Verdict, build, claims, claims_csv,
    claims_text, compare_text, judge, rank_text, read_claims,
};
use common::{Plan, SMALL, write_run};

#[path = "common/folder.rs"]
mod folder;

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

#[test]
fn a_seed_that_is_missing_leaves_its_model_unranked_and_is_named() {
    let folder = tempfile::tempdir().unwrap();
    let dir = made(folder.path(), &PLAN);
    change_records(&dir, |records| records.retain(|row| row.case != "sst2.transformer.n2000.s2.cpu"));
    let texts = texts(&dir);
    let named = "1 case of 27 planned has no result yet: sst2.transformer.n2000.s2.cpu. Run it with";
    for text in [&texts.report, &texts.rank, &texts.claims, &texts.compare] {
        says(text, &[named]);
    }
    says(&texts.rank, &["A model with a failed or missing seed is not ranked"]);
    says(&texts.imputed, &["3, 1 imputed", "1 score missing: the floor stands in for each"]);
    says(&texts.claims, &["transformer on sst2 has 2 of 3 planned cases"]);
}

#[test]
fn models_of_unequal_seeds_are_compared_on_the_seeds_that_both_have() {
    let folder = tempfile::tempdir().unwrap();
    let dir = made(folder.path(), &PLAN);
    let mut info = dir.info().unwrap();
    info.cases.retain(|case| !case.case.starts_with("sst2.transformer") || case.seed < 3);
    dir.write_info(&info).unwrap();
    change_records(&dir, |records| {
        records.retain(|row| !row.case.starts_with("sst2.transformer") || row.seed < 3);
    });
    let results = Results::load(&dir).unwrap();
    let setting = (0..3).find(|&at| results.setting(at).task.name == "sst2").unwrap();
    let label = |name: &str| results.grid.labels.iter().position(|label| label == name).unwrap();
    let pair = results.rankings[setting].comparison(label("transformer"), label("resnet")).unwrap();
    let accuracy = |model: &str| {
        let cell = results.grid.cell(setting, label(model)).unwrap();
        let scores =
            cell.trials.iter().filter(|trial| trial.seed < 3).map(|t| t.get("score", "accuracy").unwrap().value);
        scores.sum::<f64>() / 2.0
    };
    assert_eq!(pair.uncertainty.seeds, 2);
    assert!((pair.effect - (accuracy("transformer") - accuracy("resnet")).abs()).abs() < 1e-12);
    texts(&dir);
}

#[test]
fn a_number_that_is_none_is_refused_with_its_line() {
    let folder = tempfile::tempdir().unwrap();
    let dir = made(folder.path(), &PLAN);
    let text = fs::read_to_string(dir.records_path()).unwrap();
    for (name, shown) in [("NaN", "NaN is not a finite number"), ("inf", "inf is not a finite number"), ("x", "'x'")] {
        let lines: Vec<String> = text
            .lines()
            .enumerate()
            .map(
                |(at, line)| {
                    if at == 1 { line.replace(",accuracy,,", &format!(",accuracy,,{name}")) } else { line.to_owned() }
                },
            )
            .collect();
        let value = lines[1].split(&format!(",accuracy,,{name}")).nth(1).unwrap();
        let rest = value.split_once(',').unwrap().1;
        let line = format!("{},accuracy,,{name},{rest}", lines[1].split(",accuracy,,").next().unwrap());
        let damaged = text.replacen(text.lines().nth(1).unwrap(), &line, 1);
        fs::write(dir.records_path(), damaged).unwrap();
        says(&refusal(&dir), &["records.csv:2: column value", shown]);
    }
}

#[test]
fn an_answer_that_is_no_number_is_refused_with_its_line() {
    let folder = tempfile::tempdir().unwrap();
    let dir = made(folder.path(), &PLAN);
    let case = "cifar10-rotation.resnet.n2000.s1.cpu";
    for answer in ["NaN", "inf", "-inf", "left"] {
        change_answers(&dir, case, |rows| answer.clone_into(&mut rows[3].prediction));
        let expected = format!("{case}.csv:5: column prediction: '{answer}', expected a finite number");
        says(&refusal(&dir), &[&expected]);
    }
}

#[test]
fn a_row_that_is_there_twice_is_refused() {
    let folder = tempfile::tempdir().unwrap();
    let dir = made(folder.path(), &PLAN);
    change(&dir.records_path(), |text| format!("{text}{}\n", text.lines().nth(1).unwrap()));
    says(&refusal(&dir), &["records.csv", "is in the file twice: remove one"]);
}

#[test]
fn a_metric_that_the_program_does_not_know_is_kept_out_and_cannot_rank() {
    let folder = tempfile::tempdir().unwrap();
    let dir = made(folder.path(), &PLAN);
    change_records(&dir, |records| {
        for row in records.iter_mut().filter(|row| row.metric == "recall_macro") {
            "recall_of_my_own".clone_into(&mut row.metric);
        }
    });
    assert!(!texts(&dir).report.contains("recall_of_my_own"));
    change(&folder.path().join("run.json"), |text| {
        text.replace("\"primary\": \"accuracy\"", "\"primary\": \"accuracie\"")
    });
    says(&refusal(&dir), &["case 'cifar10.resnet.n2000.s1.cpu'", "the primary metric 'accuracie'"]);
}

#[test]
fn a_run_of_schema_1_is_ranked_judged_and_compared() {
    let folder = tempfile::tempdir().unwrap();
    let golden = Path::new(env!("CARGO_MANIFEST_DIR")).join("tests/golden/run-v1");
    folder::copy(&golden, folder.path());
    let texts = texts(&RunDir::new(folder.path()));
    says(&texts.rank, &["small-lstm", "There is one seed"]);
    says(&texts.claims, &["which judges none of these claims"]);
    says(&texts.compare, &["same"]);
}

#[test]
fn a_run_of_one_model_or_of_one_task_has_no_comparison_of_more() {
    for (tasks, models) in [(1, 1), (3, 1), (1, 3)] {
        let folder = tempfile::tempdir().unwrap();
        let texts = texts(&made(folder.path(), &Plan { tasks, models, ..PLAN }));
        assert!(!texts.rank.contains("Friedman"), "{}", texts.rank);
        assert_eq!(texts.report.contains("### All pairs of models"), models > 1);
    }
}

#[test]
fn a_run_whose_cases_all_failed_ranks_and_judges_nothing() {
    let folder = tempfile::tempdir().unwrap();
    let dir = made(folder.path(), &PLAN);
    change_records(&dir, |records| {
        records.retain(|row| row.phase == "case" && row.metric == "wall_s");
        for row in records.iter_mut() {
            row.status = Status::Failed;
            row.note = "exit code 101".to_owned();
        }
    });
    let texts = texts(&dir);
    says(&texts.rank, &["failed"]);
    says(&texts.compare, &["9 models with no seed that both runs scored", "resnet on cifar10 (failed and failed)"]);
    let judged = judge(&claims(), &[&Results::load(&dir).unwrap()]);
    assert!(judged.iter().all(|judged| judged.findings.iter().all(|finding| finding.effect.is_none())));
}

/// Gives every case of these tasks the same answers and scores.
fn all_alike(dir: &RunDir, answer: impl Fn(&mut PredictionRow), score: f64) {
    let cases: Vec<String> = dir.info().unwrap().cases.into_iter().map(|case| case.case).collect();
    for case in cases.iter().filter(|case| !case.starts_with("cifar10-rotation")) {
        change_answers(dir, case, |rows| rows.iter_mut().for_each(&answer));
    }
    change_records(dir, |records| {
        for row in records.iter_mut().filter(|row| row.metric == "accuracy") {
            row.value = Some(score);
        }
    });
}

#[test]
fn models_that_all_score_alike_share_every_place() {
    let folder = tempfile::tempdir().unwrap();
    let dir = made(folder.path(), &PLAN);
    all_alike(&dir, |row| row.prediction.clone_from(&row.target), 1.0);
    let texts = texts(&dir);
    let results = Results::load(&dir).unwrap();
    for ranking in results.rankings.iter().filter(|ranking| results.setting(ranking.setting).task.primary == "accuracy")
    {
        for model in ranking.ranked() {
            let ranks = model.ranks.unwrap();
            assert_eq!((ranks.best, ranks.worst), (1, 3));
            assert!(model.interval().is_some_and(|interval| interval.low > 0.9 && interval.high > 0.999), "{model:?}");
        }
        assert!(ranking.comparisons.iter().all(|pair| pair.p == Some(1.0) && pair.effect == 0.0));
    }
    says(&texts.compare, &["same"]);
}

#[test]
fn a_difference_that_never_varies_is_not_tested() {
    let folder = tempfile::tempdir().unwrap();
    let dir = made(folder.path(), &PLAN);
    all_alike(&dir, |row| row.prediction.clone_from(&row.target), 1.0);
    for seed in 1..=3 {
        change_answers(&dir, &format!("sst2.resnet.n2000.s{seed}.cpu"), |rows| {
            for row in rows.iter_mut() {
                let other = if row.target == "negative" { "positive" } else { "negative" };
                other.clone_into(&mut row.prediction);
            }
        });
    }
    change_records(&dir, |records| {
        for row in records.iter_mut().filter(|row| row.case.starts_with("sst2.resnet") && row.metric == "accuracy") {
            row.value = Some(0.0);
        }
    });
    let texts = texts(&dir);
    says(&texts.claims, &["numbers that vary: these are all the same, so their error is unknown"]);
}

#[test]
fn costs_that_never_vary_decide_nothing() {
    let folder = tempfile::tempdir().unwrap();
    let dir = made(folder.path(), &PLAN);
    change_records(&dir, |records| {
        for row in records.iter_mut().filter(|row| row.metric == "fit_s") {
            row.value = Some(if row.model == "transformer" { 2.0 } else { 3.0 });
        }
    });
    let texts = texts(&dir);
    says(&texts.claims, &["× 0.667", "numbers that vary: these are all the same"]);
    says(&texts.compare, &["× 1.00"]);
}

#[test]
fn answers_of_other_test_rows_are_never_paired() {
    let folder = tempfile::tempdir().unwrap();
    let dir = made(folder.path(), &PLAN);
    for cases in
        [&["sst2.transformer.n2000.s1.cpu"][..], &["sst2.transformer.n2000.s2.cpu", "sst2.transformer.n2000.s3.cpu"]]
    {
        for case in cases {
            change_answers(&dir, case, |rows| {
                let first = rows.remove(0);
                rows.push(first);
                rows.iter_mut().enumerate().for_each(|(at, row)| row.example = at);
            });
        }
        let results = Results::load(&dir).unwrap();
        let label = |name: &str| results.grid.labels.iter().position(|label| label == name).unwrap();
        let setting = (0..3).find(|&at| results.setting(at).task.name == "sst2").unwrap();
        let pair = |one: &str, other: &str| results.rankings[setting].comparison(label(one), label(other)).unwrap();
        assert_eq!(pair("transformer", "resnet").p, None);
        assert_eq!(pair("transformer", "lstm").uncertainty.interval, None);
        assert!(pair("resnet", "lstm").p.is_some(), "the others are tested");
        for (one, other) in [("transformer", "lstm"), ("resnet", "transformer")] {
            let found = better(&results, one, other);
            assert_eq!((found.p, found.interval, found.rows), (None, None, 0), "they share no row: {found:?}");
            assert_eq!(found.remedy, "both sides on the same test rows: run them again on the same data");
        }
        assert_eq!(better(&results, "resnet", "lstm").rows, 60);
        let texts = texts(&dir);
        for text in [&texts.rank, &texts.report, &texts.claims, &texts.compare] {
            says(text, &["On sst2, cases of one seed answered other test rows: sst2.transformer"]);
        }
    }
}

#[test]
fn seeds_that_each_have_test_rows_of_their_own_state_these_rows_and_ask_for_more_of_both() {
    let folder = tempfile::tempdir().unwrap();
    let dir = made(folder.path(), &PLAN);
    for case in dir.info().unwrap().cases.iter().filter(|case| case.task == "sst2") {
        change_answers(&dir, &case.case, |rows| {
            rows.rotate_left(case.seed as usize % 2);
            rows.iter_mut().enumerate().for_each(|(at, row)| row.example = at);
        });
    }
    let results = Results::load(&dir).unwrap();
    let pairs = [("transformer", "lstm"), ("lstm", "transformer"), ("resnet", "lstm"), ("lstm", "resnet")];
    let undecided = pairs.map(|(one, other)| better(&results, one, other));
    let found = undecided.iter().find(|found| found.verdict == Verdict::Undecided).unwrap();
    assert_eq!((found.seeds, found.rows), (3, 60), "{found:?}");
    assert_eq!(found.remedy, "more seeds and more test rows", "{found:?}");
}

#[test]
fn a_score_that_the_predictions_do_not_give_is_named_and_decides_nothing() {
    let case = "sst2.transformer.n2000.s2.cpu";
    let score = |dir: &RunDir, metric: &str, changed: f64| {
        change_records(dir, |records| {
            let is_it = |row: &&mut Record| row.case == case && row.metric == metric;
            records.iter_mut().filter(is_it).for_each(|row| row.value = row.value.map(|value| value + changed));
        });
    };
    let folder = tempfile::tempdir().unwrap();
    let dir = made(folder.path(), &PLAN);
    // No more than rounding.
    score(&dir, "accuracy", 1e-12);
    assert!(!texts(&dir).report.contains("another score"));
    score(&dir, "accuracy", 1e-6);
    let recorded = dir.records().unwrap().rows.iter().find(|row| row.case == case && row.metric == "accuracy").unwrap().value.unwrap();
    let texts = texts(&dir);
    let numbers = format!("{case} (accuracy is {recorded} in records.csv, and ");
    for text in [&texts.report, &texts.rank, &texts.claims, &texts.compare] {
        says(text, &["1 case has another score in records.csv than its predictions give", &numbers, "bakeoff resume"]);
    }
    let results = Results::load(&dir).unwrap();
    let setting = (0..3).find(|&at| results.setting(at).task.name == "sst2").unwrap();
    let label = results.grid.labels.iter().position(|label| label == "transformer").unwrap();
    let ranking = &results.rankings[setting];
    assert!(!ranking.ranked().any(|model| model.label == label), "it has no place");
    assert!(ranking.comparisons.iter().all(|pair| pair.better != label && pair.worse != label));
    assert_eq!(ranking.ranked().count(), 2, "the others have");
    let found = better(&results, "transformer", "lstm");
    assert_eq!((found.verdict, found.effect), (Verdict::NotMeasured, None));
    says(&found.remedy, &["transformer on sst2 has accuracy for 2 of 3 seeds"]);
    says(&texts.imputed, &["3, 1 imputed"]);
}

#[test]
fn predictions_that_were_changed_after_the_run_are_not_used() {
    for (case, answer) in [("sst2.transformer.n2000.s1.cpu", "negative"), ("cifar10-rotation.lstm.n2000.s3.cpu", "7.5")] {
        let folder = tempfile::tempdir().unwrap();
        let dir = made(folder.path(), &PLAN);
        change_answers(&dir, case, |rows| rows.iter_mut().for_each(|row| answer.clone_into(&mut row.prediction)));
        says(&texts(&dir).rank, &["1 case has another score in records.csv than its predictions give", case]);
        assert!(!Results::load(&dir).unwrap().answers.contains_key(case));
    }
}

#[test]
fn a_gap_between_training_and_test_scores_needs_scores_that_the_predictions_give() {
    let folder = tempfile::tempdir().unwrap();
    let dir = made(folder.path(), &Plan { axes: true, ..PLAN });
    let gaps = |dir: &RunDir| {
        let judged = judge(&claims(), &[&Results::load(dir).unwrap()]);
        let is_gap = |found: &Finding| found.what.contains("gap: transformer") && found.what.contains("resnet");
        judged.into_iter().flat_map(|judged| judged.findings).filter(is_gap).collect::<Vec<_>>()
    };
    assert!(gaps(&dir).iter().any(|found| found.what.starts_with("sst2") && found.effect.is_some()));
    change_answers(&dir, "sst2.transformer.n500.s1.cpu", |rows| {
        rows.iter_mut().for_each(|row| row.prediction.clone_from(&row.target));
    });
    let found = gaps(&dir).into_iter().find(|found| found.what.starts_with("sst2")).unwrap();
    assert_eq!(found.effect, None);
    says(&found.remedy, &["transformer on sst2 has a gap for 2 of 3 seeds"]);
}

#[test]
fn answers_that_lack_rows_are_not_used() {
    let folder = tempfile::tempdir().unwrap();
    let dir = made(folder.path(), &PLAN);
    let case = "sst2.transformer.n2000.s1.cpu";
    change_answers(&dir, case, |rows| rows.truncate(50));
    let texts = texts(&dir);
    says(&texts.rank, &["1 case left no complete predictions file", case]);
}

#[test]
fn a_last_line_that_was_cut_short_is_left_out_and_named() {
    let folder = tempfile::tempdir().unwrap();
    let dir = made(folder.path(), &PLAN);
    let bytes = fs::read(dir.records_path()).unwrap();
    fs::write(dir.records_path(), &bytes[..bytes.len() - 20]).unwrap();
    let texts = texts(&dir);
    for text in [&texts.report, &texts.rank, &texts.claims, &texts.compare] {
        says(text, &["of records.csv is incomplete, as if the run had been killed while writing it"]);
    }
}

#[test]
fn a_file_that_a_spreadsheet_saved_is_read_whole_or_refused_with_the_reason() {
    let folder = tempfile::tempdir().unwrap();
    let dir = made(folder.path(), &PLAN);
    let before = Results::load(&dir).unwrap();
    let text = fs::read_to_string(dir.records_path()).unwrap();
    let saved = |text: String| fs::write(dir.records_path(), text).unwrap();
    saved(text.replace('\n', "\r\n"));
    assert_eq!(Results::load(&dir).unwrap(), before, "other ends of lines");
    saved(format!("\u{feff}{text}"));
    assert_eq!(Results::load(&dir).unwrap(), before, "a byte order mark");
    saved(text.replacen("schema,run", "run,schema", 1));
    says(&refusal(&dir), &["records.csv:1: column 1 is 'run', expected 'schema'"]);
    for (separator, name) in [(";", "semicolons"), ("\t", "tabs")] {
        saved(text.replace(',', separator));
        says(&refusal(&dir), &["records.csv:1:", &format!("columns are separated by {name}, expected commas")]);
    }
}

/// Gives the cases of a model another machine.
fn move_model(dir: &RunDir, model: &str) {
    change_records(dir, |records| {
        for row in records.iter_mut().filter(|row| row.model == model) {
            "other".clone_into(&mut row.machine);
        }
    });
}

#[test]
fn costs_of_two_machines_are_never_compared() {
    let folder = tempfile::tempdir().unwrap();
    let dir = made(folder.path(), &PLAN);
    move_model(&dir, "transformer");
    let texts = texts(&dir);
    says(&texts.claims, &["cases of two devices or machines are not compared", "were measured on 2 machines"]);
    says(&texts.rank, &["models are compared within each machine only"]);
    let judged = judge(&claims(), &[&Results::load(&dir).unwrap()]);
    let costs = judged.iter().find(|judged| judged.claim.id == "C07").unwrap();
    assert!(costs.findings.iter().all(|finding| finding.effect.is_none()), "{costs:?}");
}

#[test]
fn a_run_on_two_machines_compared_with_itself_pairs_each_machine_with_itself() {
    let folder = tempfile::tempdir().unwrap();
    let dir = made(folder.path(), &PLAN);
    change_records(&dir, |records| {
        for row in records.iter_mut().filter(|row| row.seed == 3) {
            "other".clone_into(&mut row.machine);
        }
    });
    let texts = texts(&dir);
    assert_eq!(texts.compare.matches(" same\n").count(), 18, "{}", texts.compare);
    assert!(!texts.compare.contains("only in the"), "{}", texts.compare);
}

#[test]
fn a_size_that_is_still_to_come_is_not_replaced_by_a_smaller_one() {
    let folder = tempfile::tempdir().unwrap();
    let dir = made(folder.path(), &Plan { axes: true, ..PLAN });
    change_records(&dir, |records| records.retain(|row| !row.case.starts_with("sst2.transformer.n2000.s")));
    let judged = judge(&claims(), &[&Results::load(&dir).unwrap()]);
    let finding = &judged.iter().find(|judged| judged.claim.id == "C06").unwrap().findings[0];
    assert_eq!(finding.effect, None, "{finding:?}");
    says(&finding.remedy, &["it has no finished case of transformer on sst2 with 2000 rows"]);
}

#[test]
fn costs_from_two_instruments_are_not_compared() {
    let folder = tempfile::tempdir().unwrap();
    let dir = made(folder.path(), &PLAN);
    change_records(&dir, |records| {
        for row in records.iter_mut().filter(|row| row.metric == "fit_s" && row.model == "resnet") {
            "wristwatch".clone_into(&mut row.source);
        }
    });
    let judged = judge(&claims(), &[&Results::load(&dir).unwrap()]);
    let finding = &judged.iter().find(|judged| judged.claim.id == "C07").unwrap().findings[0];
    assert_eq!(finding.effect, None);
    says(&finding.remedy, &["fit_s is from stopwatch and wristwatch, which are not compared"]);
}

#[test]
fn a_folder_that_is_no_run_is_refused_with_what_to_give() {
    let folder = tempfile::tempdir().unwrap();
    let file = folder.path().join("file");
    fs::write(&file, "").unwrap();
    for path in [folder.path().join("missing"), folder.path().to_owned(), file] {
        says(&refusal(&RunDir::new(path)), &["is no run directory", "give the folder that `bakeoff run` named"]);
    }
}
