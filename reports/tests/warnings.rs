//! What a reader must know about the rows of a task stands beside its table, in every report, once.
#![expect(clippy::unwrap_used, reason = "tests")]

mod common;

use std::path::Path;

use bakeoff_reports::{Built, OverTasks, Record, Results, RunDir, build};
use common::{Plan, SMALL, write_run};

const PLAN: Plan = Plan { models: 3, examples: 300, faults: false, ..SMALL };

/// A count that a case recorded.
struct Recorded<'a> {
    task: &'a str,
    model: &'a str,
    seed: u64,
    phase: &'a str,
    metric: &'a str,
    value: f64,
    conditions: &'a str,
    note: &'a str,
}

/// A made-up run with these rows added. Empty names of models stand for all of them.
fn run(folder: &Path, plan: &Plan, rows: &[Recorded<'_>]) -> Built {
    let dir = write_run(folder, plan);
    let mut records = dir.records().unwrap().rows;
    for row in rows {
        let is_of = |record: &Record| {
            record.task == row.task && record.seed == row.seed && (row.model.is_empty() || record.model == row.model)
        };
        let closing = |record: &&Record| record.metric == "wall_s" && is_of(record);
        let added = records.iter().filter(closing).map(|record| Record {
            phase: row.phase.to_owned(),
            metric: row.metric.to_owned(),
            unit: String::new(),
            value: Some(row.value),
            conditions: row.conditions.to_owned(),
            note: row.note.to_owned(),
            ..record.clone()
        });
        let added: Vec<Record> = added.collect();
        assert!(!added.is_empty());
        records.splice(0..0, added);
    }
    dir.write_rows(&dir.records_path(), &records).unwrap();
    build(&dir).unwrap()
}

fn recorded<'a>(task: &'a str, phase: &'a str, metric: &'a str, value: f64) -> Recorded<'a> {
    Recorded { task, model: "", seed: 1, phase, metric, value, conditions: "", note: "" }
}

/// Asserts that the three reports have the sentences once, in the part of the task.
fn assert_warned(folder: &Path, built: &Built, task: &str, sentences: &[&str]) {
    let read = |name: &str| std::fs::read_to_string(folder.join(name)).unwrap();
    let markdown = read("report.md").replace('\\', "");
    for (name, text, start, next) in [
        ("report.md", markdown, format!("## {task}\n"), "\n## "),
        ("report.html", read("report.html"), format!(">{task}</h3>"), "<h3 "),
        ("the terminal", built.terminal_table.clone(), format!("{task}\n"), "never"),
    ] {
        for sentence in sentences {
            assert_eq!(text.matches(sentence).count(), 1, "{name}: {sentence}\n{text}");
        }
        let part = &text[text.find(&start).unwrap()..];
        let next = part[start.len()..].find(next);
        let part = next.map_or(part, |end| &part[..start.len() + end]);
        assert!(sentences.iter().all(|sentence| part.contains(sentence)), "{name}: not beside the table of {task}");
    }
}

#[test]
fn a_generator_that_has_collapsed_is_named_with_its_seed_and_a_diverse_one_is_not() {
    let folder = tempfile::tempdir().unwrap();
    let of = |model, value| Recorded { model, ..recorded("cifar10", "case", "generated_diversity", value) };
    let built = run(folder.path(), &PLAN, &[of("resnet", 0.04), of("transformer", 0.7)]);
    assert_warned(folder.path(), &built, "cifar10", &["The generator of resnet has collapsed (seed 1)"]);
    assert!(!built.terminal_table.contains("generator of transformer"), "{}", built.terminal_table);
}

#[test]
fn leaked_test_rows_are_stated_once_where_all_models_agree() {
    let folder = tempfile::tempdir().unwrap();
    let rows = [
        recorded("sst2", "score", "leaked_examples", 12.0),
        recorded("sst2", "score", "leaked_other_target", 3.0),
        recorded("cifar10", "score", "leaked_examples", 0.0),
        recorded("cifar10", "score", "leaked_other_target", 0.0),
    ];
    let built = run(folder.path(), &PLAN, &rows);
    assert_warned(
        folder.path(),
        &built,
        "sst2",
        &[
            "12 of 300 test rows have the same input as a training row. 3 of these have another target than the training \
             row. Scores on such rows show what a model remembers, not how well it does on new data.",
        ],
    );
    assert_eq!(built.terminal_table.matches("same input").count(), 1, "{}", built.terminal_table);
    let summary = std::fs::read_to_string(folder.path().join("summary.csv")).unwrap();
    let column = |line: &str, title: &str| {
        let at = summary.lines().next().unwrap().split(',').position(|column| column == title).unwrap();
        line.split(',').nth(at).unwrap().to_owned()
    };
    for line in summary.lines().filter(|line| line.starts_with("sst2.")) {
        assert_eq!((column(line, "leaked_examples"), column(line, "leaked_other_target")), ("12".into(), "3".into()));
    }
}

#[test]
fn test_rows_among_the_unlabelled_ones_are_stated_of_the_model_that_was_given_them() {
    let folder = tempfile::tempdir().unwrap();
    let of = |model, value| Recorded { model, ..recorded("sst2", "score", "leaked_unlabelled", value) };
    let built = run(folder.path(), &PLAN, &[of("resnet", 3.0), of("transformer", 0.0)]);
    assert_warned(
        folder.path(),
        &built,
        "sst2",
        &["resnet: 3 of 300 test rows have the same input as an unlabelled row. The model has not seen their targets"],
    );
    assert_eq!(built.terminal_table.matches("an unlabelled row").count(), 1, "{}", built.terminal_table);
}

#[test]
fn counts_that_differ_by_seed_are_a_range_and_those_that_differ_by_model_name_it() {
    let folder = tempfile::tempdir().unwrap();
    let by_seed = |seed, value| Recorded { seed, ..recorded("sst2", "score", "leaked_examples", value) };
    let by_model = |model, value| Recorded { model, ..recorded("cifar10", "score", "leaked_examples", value) };
    let rows = [by_seed(1, 1.0), by_seed(2, 4.0), by_model("resnet", 1.0), by_model("lstm", 0.0)];
    let built = run(folder.path(), &Plan { seeds: 2, ..PLAN }, &rows);
    assert_warned(
        folder.path(),
        &built,
        "sst2",
        &["1 to 4 (by seed) of 300 test rows have the same input as a training row. Scores"],
    );
    assert!(built.terminal_table.contains("resnet: 1 of 300 test rows has the same input"), "{}", built.terminal_table);
    assert!(!built.terminal_table.contains("lstm: "), "{}", built.terminal_table);
}

#[test]
fn lost_classes_are_named() {
    let folder = tempfile::tempdir().unwrap();
    let noted = |metric, value, note| Recorded { note, ..recorded("cifar10", "fit", metric, value) };
    let rows = [
        noted("classes_without_rows", 2.0, "ship, truck"),
        noted("classes_with_one_row", 1.0, "cat, wild"),
        noted("train_examples", 1800.0, ""),
        recorded("sst2", "fit", "classes_without_rows", 0.0),
        recorded("sst2", "fit", "train_examples", 2000.0),
    ];
    let built = run(folder.path(), &PLAN, &rows);
    assert_warned(
        folder.path(),
        &built,
        "cifar10",
        &[
            "2 of 10 classes have no row to learn from: ship, truck. No model can predict a class that it has not seen.",
            "1 of 10 classes has only one row to learn from: cat, wild. One row is too little to learn a class from.",
        ],
    );
    assert_eq!(built.terminal_table.matches("note: ").count(), 2, "{}", built.terminal_table);
    let summary = std::fs::read_to_string(folder.path().join("summary.csv")).unwrap();
    let header =
        "train_examples,unlabelled_examples,classes_without_rows,classes_without_rows_names,classes_with_one_row";
    assert!(summary.lines().next().unwrap().contains(header), "{summary}");
    assert!(summary.contains(",1800,,2,\"ship, truck\",1,\"cat, wild\","), "{summary}");
}

#[test]
fn inputs_that_a_model_does_not_read_are_stated_by_model() {
    let folder = tempfile::tempdir().unwrap();
    let by_model = |phase, metric, value| Recorded { model: "resnet", ..recorded("sst2", phase, metric, value) };
    let rows = [
        by_model("fit", "truncated_examples", 12.0),
        by_model("score", "truncated_examples", 3.0),
        by_model("fit", "wordless_examples", 0.0),
        by_model("score", "wordless_examples", 7.0),
        Recorded { model: "lstm", ..recorded("sst2", "fit", "wordless_examples", 0.0) },
    ];
    let built = run(folder.path(), &PLAN, &rows);
    assert_warned(
        folder.path(),
        &built,
        "sst2",
        &[
            "resnet does not read 12 of 2000 training examples and 3 of 300 test examples to the end, because they are \
             longer than its limit.",
            "resnet finds no word that it can use in 0 of 2000 training examples and 7 of 300 test examples. It cannot \
             tell these examples apart.",
        ],
    );
    assert!(!built.terminal_table.contains("lstm finds"), "{}", built.terminal_table);
    let summary = std::fs::read_to_string(folder.path().join("summary.csv")).unwrap();
    assert!(summary.lines().next().unwrap().contains("train_truncated,test_truncated,train_wordless,test_wordless"));
}

#[test]
fn a_model_whose_weights_saw_the_task_in_pretraining_is_named_and_marked_where_its_scores_are() {
    let folder = tempfile::tempdir().unwrap();
    let seen = Recorded { model: "resnet", note: "glue/mnli", ..recorded("sst2", "fit", "seen_in_pretraining", 1.0) };
    let new = Recorded { model: "lstm", ..recorded("sst2", "fit", "seen_in_pretraining", 0.0) };
    let built = run(folder.path(), &PLAN, &[seen, new]);
    let sentence = "resnet: its weights learned from the training rows of glue/mnli before this run.";
    assert_warned(folder.path(), &built, "sst2", &[sentence]);
    assert!(!built.terminal_table.contains("lstm: its weights"), "{}", built.terminal_table);
    let quality = std::fs::read_to_string(folder.path().join("figures/quality.svg")).unwrap();
    for text in [&built.terminal_table, &quality] {
        assert!(text.contains("resnet †") && !text.contains("lstm †"), "{text}");
    }
}

#[test]
fn a_task_that_a_model_saw_in_pretraining_is_left_out_of_ranks_over_tasks() {
    let folder = tempfile::tempdir().unwrap();
    let tasks = |rows: &[Recorded<'_>]| {
        let folder = folder.path().join(rows.len().to_string());
        std::fs::create_dir(&folder).unwrap();
        run(&folder, &PLAN, rows);
        OverTasks::new(&Results::load(&RunDir::new(&folder)).unwrap()).map_or(0, |over| over.settings.len())
    };
    let all = tasks(&[]);
    let seen = Recorded { model: "resnet", note: "glue/mnli", ..recorded("sst2", "fit", "seen_in_pretraining", 1.0) };
    assert!(all > 1);
    // Of one task, nothing can be said over tasks.
    assert_eq!(tasks(&[seen]), if all == 2 { 0 } else { all - 1 });
}

#[test]
fn models_that_were_measured_under_noise_are_named_with_what_was_above_its_limit() {
    let folder = tempfile::tempdir().unwrap();
    let note = "steal_share 0.0500 is above max_steal = 0.02";
    let quiet = recorded("sst2", "fit", "noise_over_limits", 0.0);
    let noisy = Recorded { model: "lstm", value: 1.0, note, ..recorded("sst2", "serve", "noise_over_limits", 0.0) };
    let built = run(folder.path(), &PLAN, &[quiet, noisy]);
    let sentence = "lstm was served while the machine was noisier than [noise] of the suite allows (seed 1: steal_share 0.0500 is \
                    above max_steal = 0.02). Its times and joules may be too large.";
    assert_warned(folder.path(), &built, "sst2", &[sentence]);
    assert!(!built.terminal_table.contains("was fitted while"), "{}", built.terminal_table);
}

#[test]
fn models_whose_latency_is_not_the_same_in_all_rounds_are_named_with_what_the_machine_showed() {
    let folder = tempfile::tempdir().unwrap();
    let round = |model: &'static str, conditions: &'static str, value: f64| Recorded {
        model,
        conditions,
        ..recorded("sst2", "predict-single", "latency_p50_s", value)
    };
    let steal = Recorded { model: "lstm", ..recorded("sst2", "serve", "steal_share", 0.0286) };
    let elsewhere = Recorded { model: "resnet", ..recorded("sst2", "serve", "steal_share", 0.9) };
    let rows = [
        round("lstm", "round=1", 91e-6),
        round("lstm", "round=2", 228e-6),
        round("lstm", "round=3", 117e-6),
        round("resnet", "round=1", 100e-6),
        round("resnet", "round=2", 104e-6),
        round("resnet", "round=3", 105e-6),
        steal,
        elsewhere,
    ];
    let built = run(folder.path(), &PLAN, &rows);
    let sentence = "The p50 of lstm (91.0 µs to 228 µs) differs by more than 5 % between rounds of the same model. Meanwhile, the system \
                    showed processor time that went to other virtual machines: at most 2.9 %. Differences of this size between models say \
                    nothing.";
    assert_warned(folder.path(), &built, "sst2", &[sentence]);
    let same = tempfile::tempdir().unwrap();
    let built = run(same.path(), &PLAN, &rows[3..]);
    assert!(!built.terminal_table.contains("between rounds"), "{}", built.terminal_table);
}

#[test]
fn models_that_could_not_run_on_the_same_processors_are_named_with_theirs() {
    let folder = tempfile::tempdir().unwrap();
    let of = |model: &'static str, note: &'static str| Recorded {
        model,
        note,
        ..recorded("sst2", "case", "affinity_cpus", 2.0)
    };
    let alike = [of("resnet", "0-1"), of("transformer", "0-1"), of("lstm", "0-1")];
    let built = run(folder.path(), &PLAN, &alike);
    assert!(!built.terminal_table.contains("the same processors"), "{}", built.terminal_table);
    let folder = tempfile::tempdir().unwrap();
    let built = run(folder.path(), &PLAN, &[of("resnet", "0-1"), of("transformer", "2-3"), of("lstm", "0-1")]);
    let sentence = "The models could not run on the same processors: resnet, lstm on 0-1; transformer on 2-3. Compare no times of \
                    models that had others.";
    assert_warned(folder.path(), &built, "sst2", &[sentence]);
}

#[test]
fn models_that_computed_on_other_numbers_of_threads_are_named_with_theirs() {
    let folder = tempfile::tempdir().unwrap();
    let dir = write_run(folder.path(), &PLAN);
    let built = build(&dir).unwrap();
    assert!(!built.terminal_table.contains("as many threads"), "{}", built.terminal_table);
    let mut records = dir.records().unwrap().rows;
    for record in records.iter_mut().filter(|record| record.label == "lstm") {
        record.threads = Some(1);
    }
    dir.write_rows(&dir.records_path(), &records).unwrap();
    let built = build(&dir).unwrap();
    let sentence = "The models did not compute on as many threads: ";
    assert!(built.terminal_table.contains(sentence), "{}", built.terminal_table);
    assert!(built.terminal_table.contains("lstm on 1 thread"), "{}", built.terminal_table);
}
