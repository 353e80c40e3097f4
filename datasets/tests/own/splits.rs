//! Classes over the splits, the seeded split, and what a survey tells.

use std::collections::BTreeMap;

use bakeoff_datasets::Targets;
use bakeoff_datasets::own::{
    Column, DataFormat, InputSurvey, Own, OwnData, OwnError, TableLayout, Target, TestRows, survey,
};
use proptest::prelude::*;

use crate::common::{Folder, classes, csv, texts};

fn parted(text: &str, share: f64, seed: u64) -> Result<Own, OwnError> {
    let folder = Folder::new();
    folder.write("all", text);
    let test = TestRows::Share { share, seed };
    OwnData { layout: DataFormat::Table(csv()), train: vec![folder.part("all")], test }.load()
}

/// `count` rows of each of three classes.
fn rows(counts: [usize; 3]) -> String {
    let names = ["x", "y", "z"].into_iter().zip(counts).flat_map(|(name, count)| std::iter::repeat_n(name, count));
    let rows: String = names.enumerate().map(|(row, name)| format!("text {row},{name}\n")).collect();
    format!("text,label\n{rows}")
}

proptest! {
    #[test]
    fn a_seeded_split_is_a_partition_that_holds_each_class_by_its_share(
        counts in [5..40_usize, 5..40_usize, 5..40_usize], share in 0.05..0.6_f64, seed: u64,
    ) {
        let own = parted(&rows(counts), share, seed).unwrap();
        let mut all = [texts(&own.splits.train), texts(&own.splits.test)].concat();
        all.sort_unstable();
        all.dedup();
        let total: usize = counts.iter().sum();
        prop_assert_eq!(all.len(), total);
        for (name, count) in ["x", "y", "z"].into_iter().zip(counts) {
            let taken = classes(&own.splits.test).into_iter().filter(|class| *class == name).count();
            let fair = count as f64 * own.splits.test.len() as f64 / total as f64;
            prop_assert!((taken as f64 - fair).abs() < 1.0, "{taken} of {count}");
        }
        for (text, place) in texts(&own.splits.test).iter().zip(&own.test_places) {
            let line = 2 + text.strip_prefix("text ").unwrap().parse::<usize>().unwrap();
            prop_assert!(place.to_string().ends_with(&format!("all, line {line}")), "{place}");
        }
    }
}

#[test]
fn the_same_split_seed_gives_the_same_rows_and_another_others() {
    let test = |seed| texts(&parted(&rows([20, 20, 20]), 0.3, seed).unwrap().splits.test).join(",");
    assert_eq!(test(1), test(1));
    assert_ne!(test(1), test(2));
}

#[test]
fn a_class_of_the_test_rows_alone_is_refused_by_name_and_line() {
    let folder = Folder::new();
    folder.write("train", "text,label\na,x\nb,y\n");
    folder.write("test", "text,label\nc,x\nd,w\n");
    assert_eq!(
        folder.refusal(DataFormat::Table(csv())),
        "test, line 3: expected a class of the training rows (x, y), found 'w', which no training row has"
    );
    // Two of three rows, each the only one of its class, leave one class to learn.
    let message = parted(&rows([1, 1, 1]), 0.6, 1).map(|_| ()).unwrap_err().to_string();
    let expected = "all, line 2: expected a class of the training rows (z), found 'x', all of whose rows were set aside: make \
                    test_part smaller";
    assert!(message.contains(expected), "{message}");
}

#[test]
fn fewer_than_two_classes_or_more_than_a_thousand_are_refused() {
    let folder = Folder::new();
    folder.write("train", "text,label\na,x\nb,x\n");
    folder.write("test", "text,label\na,x\n");
    assert_eq!(folder.refusal(DataFormat::Table(csv())), "train: expected at least two classes, found only 'x'");
    folder.write("train", (0..1001).fold("text,label\n".to_owned(), |text, row| format!("{text}a,{row}.5\n")));
    let message = folder.refusal(DataFormat::Table(csv()));
    assert!(message.starts_with("train: expected at most 1000 classes, found 1001; if they are numbers"), "{message}");
}

#[test]
fn several_training_files_are_joined_and_their_checksums_kept_apart() {
    let folder = Folder::new();
    folder.write("a/rows.csv", "text,label\na,x\n");
    folder.write("b/rows.csv", "label,text\ny,b\n");
    folder.write("test", "text,label\nc,y\n");
    let train = vec![folder.part("a/rows.csv"), folder.part("b/rows.csv")];
    let test = TestRows::Parts(vec![folder.part("test")]);
    let own = OwnData { layout: DataFormat::Table(csv()), train, test }.load().unwrap();
    assert_eq!((texts(&own.splits.train), classes(&own.splits.train)), (vec!["a", "b"], vec!["x", "y"]));
    let names: Vec<&str> = own.checksums.keys().map(String::as_str).collect();
    assert_eq!(names, ["test: test", "train 1: rows.csv", "train 2: rows.csv"]);
}

#[test]
fn a_survey_counts_lengths_classes_duplicates_and_leakage() {
    let folder = Folder::new();
    folder.write("train", "text,label\nan apple,x\na pear or two,y\nan apple,y\nplum,z\nplum,z\n");
    folder.write("test", "text,label\nfig,y\nplum,z\nan apple,y\n");
    let own = folder.load(DataFormat::Table(csv())).unwrap();
    let survey = survey(&own);
    assert_eq!(survey.inputs, InputSurvey::Words([1, 2, 4], Some([1, 1, 2])));
    let counts: BTreeMap<_, _> =
        survey.classes.iter().map(|(name, train, test)| (name.as_str(), (*train, *test))).collect();
    assert_eq!(counts, BTreeMap::from([("x", (1, 0)), ("y", (2, 2)), ("z", (2, 1))]));
    assert_eq!((survey.within_train.count, survey.within_train.contradicting), (2, 1));
    assert_eq!((survey.across.count, survey.across.contradicting), (2, 1));
    let text =
        survey.to_string().replace(&format!("{}/", folder.path("").display().to_string().trim_end_matches('/')), "");
    assert_eq!(
        text,
        "rows: 5 training, 3 test\n\
         words: 1 to 4, median 2 (training), 1 to 2, median 1 (test)\n\
         classes: 3\n  \
         x: 1 (20.0 %) and 0  (one training row: no model can learn a class from that)\n  \
         y: 2 (40.0 %) and 2\n  \
         z: 2 (40.0 %) and 1\n\
         duplicates within the training rows: 2 (1 with another target)\n  \
         train, line 4 repeats train, line 2\n  \
         train, line 6 repeats train, line 5\n\
         leakage: 2 test rows also occur in the training rows (1 of them with a different target)\n  \
         test, line 3 repeats train, line 5\n  \
         test, line 4 repeats train, line 2"
    );
}

#[test]
fn a_survey_of_numbers_tells_their_range() {
    let folder = Folder::new();
    folder.write("train", "text,label\na,1\nb,3\nc,-2\n");
    folder.write("test", "text,label\nd,5\n");
    let layout = TableLayout { target: Target::Value(Column::Name("label".to_owned())), ..csv() };
    let own = folder.load(DataFormat::Table(layout)).unwrap();
    assert_eq!(survey(&own).values, Some(([-2.0, 1.0, 3.0], Some([5.0, 5.0, 5.0]))));
    assert!(matches!(own.splits.train.targets, Targets::Values(_)));
    assert_eq!(survey(&own).rounded, None);
    let text = survey(&own).to_string();
    assert!(text.ends_with("rows: none\nleakage: none of the test rows occurs in the training rows"), "{text}");
}

#[test]
fn a_survey_tells_of_numbers_with_more_digits_than_are_kept() {
    let folder = Folder::new();
    folder.write("train", "text,label\na,0.1\nb,1e-5\nc,16777215\nd,16777275\n");
    folder.write("test", "text,label\ne,-3.14\nf,0.123456789\n");
    let layout = TableLayout { target: Target::Value(Column::Name("label".to_owned())), ..csv() };
    let own = folder.load(DataFormat::Table(layout)).unwrap();
    let text = survey(&own).to_string().replace(&format!("{}/", folder.path("x").parent().unwrap().display()), "");
    let expected = "\nrounded: 2 values, because only about seven digits are stored; the first is in train, line 5\n";
    assert!(text.contains(expected), "{text}");
}
