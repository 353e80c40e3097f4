//! Tests the readers of GLUE on fixtures in the official format, and the table against the published columns.

#![expect(clippy::unwrap_used, reason = "tests")]

use std::fs;
use std::io::BufReader;
use std::path::{Path, PathBuf};

use super::*;
use crate::example::{Targets, Text};

/// The five tasks whose official files are not available here.
const FIXTURES: [&Glue; 5] = [&QQP, &MNLI, &QNLI, &RTE, &WNLI];

fn fixture(glue: &Glue, file: &DataFile) -> (PathBuf, NamedSource) {
    let folder = Path::new(env!("CARGO_MANIFEST_DIR")).join("tests/fixtures/glue").join(glue.transport.folder);
    let path = folder.join(file.base());
    let place = NamedSource { name: path.display().to_string(), remedy: "get it again".to_owned() };
    (path, place)
}

fn read(glue: &Glue, file: usize) -> Split {
    let (path, place) = fixture(glue, &glue.files[file]);
    glue.read_train(BufReader::new(fs::File::open(path).unwrap()), &place).unwrap()
}

fn read_hidden(glue: &Glue, file: &DataFile) -> Inputs {
    let (path, place) = fixture(glue, file);
    glue.read_hidden(BufReader::new(fs::File::open(path).unwrap()), &place).unwrap()
}

fn pair(split: &Split, row: usize) -> (&str, &str) {
    let Inputs::Texts(texts) = &split.inputs else { panic!("not texts") };
    (&texts[row].first, texts[row].second.as_ref().unwrap())
}

fn labels(split: &Split) -> &[u16] {
    let Targets::Classes { labels, .. } = &split.targets else { panic!("not classes") };
    labels
}

#[test]
fn qqp_reads_questions_and_lets_an_empty_one_through() {
    let train = read(&QQP, 0);
    assert_eq!(pair(&train, 0), ("How do I start a \"small\" bakery?", "How can I open a bakery?"));
    assert_eq!(pair(&train, 2), ("How much is ₹500 in euros?", ""));
    assert_eq!(labels(&train), [1, 0, 0]);
    assert_eq!(read(&QQP, 1).len(), 2);
}

#[test]
fn mnli_reads_the_gold_label_of_training_and_of_both_dev_files() {
    assert_eq!(labels(&read(&MNLI, 0)), [0, 2, 1]);
    let matched = read(&MNLI, 1);
    assert_eq!(pair(&matched, 0), ("The new rules took effect in May.", "There are new rules."));
    assert_eq!(labels(&matched), [0, 2]);
    assert_eq!(labels(&read(&MNLI, 2)), [1]);
    assert_eq!((MNLI.further, MNLI.hidden), (&[("mismatched", 9_832)][..], &["test_matched", "test_mismatched"][..]));
}

#[test]
fn qnli_rte_and_wnli_read_their_labels_in_words_and_in_digits() {
    assert_eq!(labels(&read(&QNLI, 0)), [0, 1]);
    assert_eq!(pair(&read(&QNLI, 1), 1), ("What is \"umami\"?", "Many cooks salt their water."));
    assert_eq!(labels(&read(&RTE, 0)), [0, 1]);
    assert_eq!(labels(&read(&WNLI, 0)), [1, 0]);
    assert_eq!((RTE.classes()[1], WNLI.classes()[1]), ("not_entailment", "entailment"));
}

#[test]
fn files_with_hidden_targets_give_their_texts() {
    for glue in FIXTURES {
        let files = &glue.files[2 + glue.further.len()..];
        assert_eq!(files.len(), glue.hidden.len(), "{}", glue.id);
        for file in files {
            let Inputs::Texts(texts) = read_hidden(glue, file) else { panic!("not texts") };
            assert!(!texts.is_empty() && texts.iter().all(|text| text.second.is_some()), "{}", file.name);
        }
    }
    let first = Text {
        first: "Is tea better than coffee?".to_owned(),
        second: Some("Why do people prefer tea to coffee?".to_owned()),
    };
    assert_eq!(
        read_hidden(&QQP, &QQP.files[2]),
        Inputs::Texts(vec![
            first.clone(),
            Text {
                first: "What does \"ad hoc\" mean?".to_owned(),
                second: Some("What is the meaning of ad hoc?".to_owned()),
            }
        ])
    );
}

#[test]
fn a_row_cut_within_its_columns_is_refused_by_file_and_line() {
    for glue in [&MNLI, &QNLI, &RTE, &WNLI] {
        let (path, place) = fixture(glue, &glue.files[0]);
        let text = fs::read_to_string(path).unwrap();
        let cut = text.trim_end().rsplit_once('\t').unwrap().0;
        let message = glue.read_train(cut.as_bytes(), &place).unwrap_err().to_string();
        let line = format!("{}, line {}: expected ", place.name, text.lines().count());
        assert!(message.starts_with(&line) && message.contains("columns separated by tabs"), "{message}");
    }
}

#[test]
fn a_line_of_qqp_that_is_broken_in_two_is_left_out_but_not_of_the_hidden_rows() {
    let broken = |file: &DataFile| {
        let (path, place) = fixture(&QQP, file);
        let text = fs::read_to_string(path).unwrap();
        (text.replacen("ad hoc", "ad\nhoc", 1).replacen("bakery", "bak\nery", 1), place)
    };
    let (text, place) = broken(&QQP.files[0]);
    let rows = QQP.read_train(text.as_bytes(), &place).unwrap();
    assert_eq!(labels(&rows), [0, 0]);
    let (text, place) = broken(&QQP.files[2]);
    let message = QQP.read_hidden(text.as_bytes(), &place).unwrap_err().to_string();
    assert!(message.contains("line 3: expected 3 columns"), "{message}");
}

#[test]
fn the_columns_are_those_of_the_published_description() {
    // The text columns and the target column of the training files, counted from 0.
    for (glue, texts, target) in
        [(&QQP, [3, 4], 5), (&MNLI, [8, 9], 11), (&QNLI, [1, 2], 3), (&RTE, [1, 2], 3), (&WNLI, [1, 2], 3)]
    {
        let text = fs::read_to_string(fixture(glue, &glue.files[0]).0).unwrap();
        let header: Vec<&str> = text.lines().next().unwrap().split('\t').collect();
        assert_eq!(texts.map(|column| header[column]), glue.layout.texts, "{}", glue.id);
        assert_eq!(Some(header[target]), glue.layout.target, "{}", glue.id);
    }
}

#[test]
fn a_task_s_files_lie_in_its_folder_and_each_has_a_place_to_come_from() {
    for glue in [&COLA, &SST2, &MRPC, &STSB, &QQP, &MNLI, &QNLI, &RTE, &WNLI] {
        assert_eq!(glue.files.len(), 2 + glue.further.len() + glue.hidden.len(), "{}", glue.id);
        assert!(glue.files.iter().all(|file| file.folder() == glue.id), "{}", glue.id);
        assert!(!glue.transport.downloads.is_empty());
    }
}
