//! What a paper takes from a run: tables, figures and references.
#![expect(clippy::unwrap_used, reason = "tests")]

mod common;

use std::collections::{BTreeMap, BTreeSet};
use std::path::Path;

use bakeoff_reports::{Columns, FIGURES, Results, RunDir, Style, bibtex, paper_files};
use common::{Plan, SMALL, write_run};

const SEEDS: Plan = Plan { tasks: 2, models: 3, seeds: 3, examples: 100, faults: false, trials: 0, axes: false };

fn files(dir: &RunDir, columns: Columns) -> BTreeMap<&'static str, String> {
    let results = Results::load(dir).unwrap();
    let drawn = FIGURES.iter().map(|figure| figure.draw(&results, &Style::default()).unwrap());
    let pictures: Vec<_> = drawn.flat_map(|drawn| drawn.pictures).collect();
    paper_files(&results, &pictures, columns).into_iter().collect()
}

fn made(folder: &Path, plan: &Plan) -> BTreeMap<&'static str, String> {
    files(&write_run(folder, plan), Columns::One)
}

/// What stands in the braces after a command, split at commas.
fn arguments(text: &str, command: &str) -> BTreeSet<String> {
    let begins = format!("\\{command}{{");
    let parts = text.split(&begins).skip(1);
    parts.flat_map(|part| part.split('}').next().unwrap().split(',').map(str::to_owned)).collect()
}

/// The keys of the entries of a bibliography.
fn keys(bib: &str) -> Vec<&str> {
    bib.lines().filter(|line| line.starts_with('@')).map(|line| line.split(['{', ',']).nth(1).unwrap()).collect()
}

#[test]
fn the_tables_of_a_small_run_read_as_promised() {
    let folder = tempfile::tempdir().unwrap();
    let files = made(folder.path(), &SMALL);
    insta::assert_snapshot!("tables.tex", files["tables.tex"]);
    insta::assert_snapshot!("paper.tex", files["paper.tex"]);
}

#[test]
fn every_work_and_table_that_a_caption_names_is_there() {
    for plan in [SMALL, SEEDS] {
        let folder = tempfile::tempdir().unwrap();
        let files = made(folder.path(), &plan);
        let text = format!("{}{}", files["tables.tex"], files["figures.tex"]);
        let (cited, keys) = (arguments(&text, "cite"), keys(&files["references.bib"]));
        assert!(cited.len() > 4, "{cited:?}");
        assert!(cited.iter().all(|key| keys.contains(&key.as_str())), "{cited:?} of {keys:?}");
        let labels = arguments(&text, "label");
        assert_eq!(labels.len(), text.matches("\\label{").count(), "each label is there once");
        assert!(arguments(&text, "ref").is_subset(&labels), "{labels:?}");
    }
}

#[test]
fn a_caption_states_rows_seeds_interval_and_test() {
    for (plan, stated) in [
        (
            SMALL,
            [
                "2000 training rows, 400 test rows, 1 seed.",
                "Wilson's score interval~\\cite{wilson1927}",
                "McNemar's exact test",
            ],
        ),
        (
            SEEDS,
            [
                "2000 training rows, 100 test rows, 3 seeds.",
                "Student's $t$ over seeds and test rows",
                "a paired $t$ test over seeds",
            ],
        ),
    ] {
        let folder = tempfile::tempdir().unwrap();
        let files = made(folder.path(), &plan);
        let caption = files["tables.tex"].lines().find(|line| line.starts_with("\\caption{cifar10")).unwrap();
        for words in stated.into_iter().chain(["Holm's method~\\cite{holm1979}"]) {
            assert!(caption.contains(words), "{words} is not in {caption}");
        }
        assert_eq!(caption.contains("the spread over seeds is unknown"), plan.seeds == 1, "{caption}");
    }
}

#[test]
fn every_picture_has_a_figure_as_wide_as_its_columns() {
    let folder = tempfile::tempdir().unwrap();
    let dir = write_run(folder.path(), &SMALL);
    for (columns, begins) in [(Columns::One, "\\begin{figure}"), (Columns::Both, "\\begin{figure*}")] {
        let text = &files(&dir, columns)["figures.tex"];
        assert!(text.contains("{quality.pdf}") && text.contains("\\label{fig:bakeoff-quality}"), "{text}");
        assert_eq!(text.matches(begins).count(), text.matches("\\includegraphics").count());
        assert!(
            text.split("\\begin{figure")
                .skip(1)
                .all(|figure| figure.contains("test rows)") || figure.contains("{confusion-")),
            "every caption states its rows, but for the matrix of one case"
        );
    }
}

#[test]
fn the_references_are_those_of_what_the_run_used() {
    let folder = tempfile::tempdir().unwrap();
    let dir = write_run(folder.path(), &Plan { tasks: 1, models: 1, ..SEEDS });
    let of = |dir: &RunDir| bibtex(&Results::load(dir).unwrap());
    let bib = of(&dir);
    let found = keys(&bib);
    for used in ["krizhevsky2009cifar", "he2016resnet", "cochran1957designs", "sellam2022multiberts"] {
        assert!(found.contains(&used), "{used} is not in {found:?}");
    }
    // There is one model, so nothing is tested; and no text, no forest, no search.
    for unused in [
        "wang2019glue",
        "socher2013sst",
        "breiman2001forests",
        "cortes1995svm",
        "holm1979",
        "mcnemar1947",
        "bergstra2012random",
        "demsar2006",
        "xiao2017fashion",
    ] {
        assert!(!found.contains(&unused), "{unused} was not used");
    }
    let unique: BTreeSet<&&str> = found.iter().collect();
    assert_eq!(unique.len(), found.len(), "each work stands once");
    // The same task on a user's files is not CIFAR-10.
    let mut info = dir.info().unwrap();
    info.datasets =
        [("cifar10, train: /data/Fashion-MNIST/train-images-idx3-ubyte.gz".to_owned(), "0".repeat(64))].into();
    dir.write_info(&info).unwrap();
    let bib = of(&dir);
    assert!(keys(&bib).contains(&"xiao2017fashion") && !keys(&bib).contains(&"krizhevsky2009cifar"), "{bib}");
}

#[test]
fn an_optimiser_is_cited_only_if_a_case_learned_with_it() {
    let folder = tempfile::tempdir().unwrap();
    let dir = write_run(folder.path(), &Plan { tasks: 1, models: 1, ..SEEDS });
    for (params, cited, others) in [
        (
            "optimizer=adamw ensemble=1",
            vec!["kingma2015adam", "loshchilov2019adamw"],
            vec!["polyak1964momentum", "lakshminarayanan2017ensembles"],
        ),
        (
            "optimizer=sgd ensemble=5",
            vec!["polyak1964momentum", "lakshminarayanan2017ensembles"],
            vec!["kingma2015adam"],
        ),
    ] {
        let mut records = dir.records().unwrap().rows;
        records.iter_mut().for_each(|record| record.params = params.to_owned());
        dir.write_rows(&dir.records_path(), &records).unwrap();
        let bib = bibtex(&Results::load(&dir).unwrap());
        assert!(cited.iter().all(|key| keys(&bib).contains(key)), "{params}: {bib}");
        assert!(!others.iter().any(|key| keys(&bib).contains(key)), "{params}: {bib}");
    }
}

#[test]
fn the_braces_of_every_entry_are_balanced() {
    let folder = tempfile::tempdir().unwrap();
    let bib = bibtex(&Results::load(&write_run(folder.path(), &SMALL)).unwrap());
    for entry in bib.split("\n@").skip(1) {
        assert_eq!(entry.matches('{').count(), entry.matches('}').count(), "{entry}");
        assert!(entry.contains("title = {") && entry.contains("author = {") && entry.contains("year = {"), "{entry}");
    }
}
