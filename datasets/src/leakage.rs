//! Test rows that are training rows too, and how many rows each class has.

use std::collections::hash_map::Entry;
use std::collections::{HashMap, HashSet};
use std::sync::Arc;

use unicode_normalization::UnicodeNormalization;

use crate::example::{Inputs, Split, Targets};
use crate::own::names::{is_invisible, one_space_between_words};

/// Test rows whose input is also the input of a training row.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Default)]
pub struct Leakage {
    /// How many such test rows there are.
    pub examples: usize,
    /// How many of them have another target than a training row with the same input.
    pub other_target: usize,
}

/// Counts the test rows whose input is also in `train`. Images are equal if all of their pixels are. Texts are equal
/// if they differ at most in what every model discards: capital letters, the normalization form, invisible characters, and
/// how much white space stands between words. For a pair, both texts must be equal, in the same order. Rows of a table are equal if all of
/// their columns are. The time is
/// proportional to the bytes of both splits.
pub fn leakage(train: &Split, test: &Split) -> Leakage {
    let learned = DistinctInputs::of(train);
    let mut leakage = Leakage::default();
    for row in 0..test.len() {
        if let Some(leak) = learned.find(test, row) {
            leakage.examples += 1;
            leakage.other_target += usize::from(leak.other_target);
        }
    }
    leakage
}

/// How many of `test` are also among `rows`, equal as for [`leakage`]. Neither has targets.
pub fn repeated_inputs(rows: &Inputs, test: &Inputs) -> usize {
    let known: HashSet<InputKey<'_>> = (0..rows.len()).map(|row| key(rows, row)).collect();
    (0..test.len()).filter(|&row| known.contains(&key(test, row))).count()
}

/// The number of rows of each class, in the order of the classes' names. Empty if the targets are numbers.
pub fn class_counts(targets: &Targets) -> Vec<usize> {
    let Targets::Classes { labels, names } = targets else { return Vec::new() };
    let mut counts = vec![0; names.len()];
    for &label in labels {
        counts[usize::from(label)] += 1;
    }
    counts
}

/// The inputs of a split, each once.
pub(crate) struct DistinctInputs<'a> {
    split: &'a Split,
    rows: HashMap<InputKey<'a>, FirstRow>,
}

/// The first row that has an input.
struct FirstRow {
    row: usize,
    /// Whether a later row has the same input and another target.
    contradicted: bool,
}

/// What is known about a row whose input is among [`DistinctInputs`].
pub(crate) struct Repetition {
    /// The first row with that input.
    pub(crate) row: usize,
    /// Whether a row with that input has another target.
    pub(crate) other_target: bool,
}

impl<'a> DistinctInputs<'a> {
    pub(crate) fn of(split: &'a Split) -> DistinctInputs<'a> {
        DistinctInputs::watching(split, |_, _| ())
    }

    /// As [`DistinctInputs::of`]. It also calls `repeated` for each row whose input is that of an earlier row.
    pub(crate) fn watching(split: &'a Split, mut repeated: impl FnMut(usize, Repetition)) -> DistinctInputs<'a> {
        let mut rows: HashMap<InputKey<'a>, FirstRow> = HashMap::with_capacity(split.len());
        for row in 0..split.len() {
            match rows.entry(key(&split.inputs, row)) {
                Entry::Vacant(entry) => drop(entry.insert(FirstRow { row, contradicted: false })),
                Entry::Occupied(mut entry) => {
                    let first = entry.get_mut();
                    let other_target = !same_target(split, row, split, first.row);
                    first.contradicted |= other_target;
                    repeated(row, Repetition { row: first.row, other_target });
                }
            }
        }
        DistinctInputs { split, rows }
    }

    /// Looks for the input that `row` of another split has.
    pub(crate) fn find(&self, other: &Split, row: usize) -> Option<Repetition> {
        let first = self.rows.get(&key(&other.inputs, row))?;
        let other_target = first.contradicted || !same_target(other, row, self.split, first.row);
        Some(Repetition { row: first.row, other_target })
    }
}

/// An input in a form that can be hashed.
#[derive(PartialEq, Eq, Hash)]
enum InputKey<'a> {
    Text(String, Option<String>),
    Image(&'a [u8]),
    /// The bits of the numbers, and the categories.
    Row(Vec<u32>, &'a [Arc<str>]),
}

fn key(inputs: &Inputs, row: usize) -> InputKey<'_> {
    match inputs {
        Inputs::Texts(texts) => {
            InputKey::Text(comparable(&texts[row].first), texts[row].second.as_deref().map(comparable))
        }
        Inputs::Images(images) => InputKey::Image(images.image(row)),
        Inputs::Table(table) => {
            let numbers = table.numbers_of(row).iter();
            // Zero is written with two signs, and a missing number in many ways.
            let bits = |x: &f32| if x.is_nan() { f32::NAN.to_bits() } else { (x + 0.0).to_bits() };
            InputKey::Row(numbers.map(bits).collect(), table.categories_of(row))
        }
    }
}

/// A text without what every model discards.
fn comparable(text: &str) -> String {
    let text: String = if text.is_ascii() {
        text.to_ascii_lowercase()
    } else {
        text.nfc().filter(|&c| !is_invisible(c)).flat_map(char::to_lowercase).collect()
    };
    one_space_between_words(&text)
}

fn same_target(a: &Split, row: usize, b: &Split, other: usize) -> bool {
    match (&a.targets, &b.targets) {
        (Targets::Classes { labels: a, .. }, Targets::Classes { labels: b, .. }) => a[row] == b[other],
        (Targets::Values(a), Targets::Values(b)) => a[row] == b[other],
        _ => false,
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::example::{Images, Text};
    use crate::tabular::{Table, TableColumns};

    fn classes(labels: &[u16]) -> Targets {
        let names: Arc<[String]> = ["a", "b", "c"].map(str::to_owned).into();
        Targets::Classes { labels: labels.to_vec(), names }
    }

    fn texts(rows: &[(&str, u16)]) -> Split {
        let text = |(text, _): &(&str, u16)| Text { first: (*text).to_owned(), second: None };
        let labels: Vec<u16> = rows.iter().map(|row| row.1).collect();
        Split { inputs: Inputs::Texts(rows.iter().map(text).collect()), targets: classes(&labels) }
    }

    #[test]
    fn test_rows_that_are_training_rows_are_counted_each_time_and_those_with_another_target_apart() {
        let train = texts(&[("x", 0), ("y", 1), ("z", 2)]);
        let test = texts(&[("x", 0), ("x", 1), ("new", 0), ("y", 1), ("X", 0)]);
        assert_eq!(leakage(&train, &test), Leakage { examples: 4, other_target: 1 });
        assert_eq!(repeated_inputs(&train.inputs, &test.inputs), 4);
        assert_eq!(repeated_inputs(&train.inputs.select(&[2]), &test.inputs), 0);
    }

    #[test]
    fn a_text_that_differs_only_in_what_every_model_discards_is_the_same_text() {
        let train = texts(&[("Un caf\u{e9}, merci", 0)]);
        for same in [
            "un cafe\u{301}, merci",
            "Un  caf\u{e9},\u{a0}merci ",
            "UN CAF\u{c9}, MERCI",
            "Un ca\u{200b}f\u{e9}, merci",
        ] {
            assert_eq!(leakage(&train, &texts(&[(same, 0)])).examples, 1, "{same:?}");
        }
        for other in ["Un cafe, merci", "Un caf\u{e9} merci", "Un caf\u{e9}, mer ci"] {
            assert_eq!(leakage(&train, &texts(&[(other, 0)])).examples, 0, "{other:?}");
        }
    }

    #[test]
    fn where_training_rows_contradict_each_other_their_order_does_not_matter() {
        let test = texts(&[("x", 0)]);
        for train in
            [texts(&[("x", 0), ("x", 1)]), texts(&[("x", 1), ("x", 0)]), texts(&[("x", 0), ("x", 0), ("x", 2)])]
        {
            assert_eq!(leakage(&train, &test), Leakage { examples: 1, other_target: 1 });
        }
        assert_eq!(leakage(&texts(&[("x", 0), ("x", 0)]), &test), Leakage { examples: 1, other_target: 0 });
    }

    #[test]
    fn a_pair_is_equal_if_both_texts_are_in_their_order() {
        let pair =
            |first: &str, second: Option<&str>| Text { first: first.to_owned(), second: second.map(str::to_owned) };
        let split =
            |texts: Vec<Text>| Split { targets: Targets::Values(vec![1.5; texts.len()]), inputs: Inputs::Texts(texts) };
        let train = split(vec![pair("a", Some("b"))]);
        let test = split(vec![pair("b", Some("a")), pair("ab", None), pair("a", Some("b")), pair("a", Some("c"))]);
        assert_eq!(leakage(&train, &test), Leakage { examples: 1, other_target: 0 });
    }

    #[test]
    fn images_are_equal_if_all_pixels_are_and_targets_may_be_numbers() {
        let split = |pixels: &[u8], values: &[f32]| Split {
            inputs: Inputs::Images(Images { channels: 1, height: 1, width: 2, pixels: pixels.to_vec() }),
            targets: Targets::Values(values.to_vec()),
        };
        let train = split(&[1, 2, 3, 4], &[0.5, -1.0]);
        let test = split(&[3, 4, 1, 3, 1, 2], &[-1.0, 0.5, 0.25]);
        assert_eq!(leakage(&train, &test), Leakage { examples: 2, other_target: 1 });
        assert_eq!(leakage(&train, &test.select(&[])), Leakage::default());
    }

    #[test]
    fn rows_of_a_table_are_equal_if_all_columns_are_and_missing_ones_are_equal() {
        let columns = Arc::new(TableColumns { numbers: vec!["x".to_owned()], categories: vec!["y".to_owned()] });
        let split = |numbers: &[f32], words: &[&str]| {
            let categories = words.iter().map(|word| Arc::from(*word)).collect();
            let table = Table { columns: Arc::clone(&columns), numbers: numbers.to_vec(), categories };
            Split { inputs: Inputs::Table(table), targets: Targets::Values(vec![1.0; words.len()]) }
        };
        let train = split(&[0.0, Table::MISSING], &["a", ""]);
        let test = split(&[-0.0, Table::MISSING, 0.0, Table::MISSING], &["a", "", "b", "a"]);
        assert_eq!(leakage(&train, &test).examples, 2);
    }

    #[test]
    fn classes_without_rows_are_counted_too_and_numbers_have_none() {
        assert_eq!(class_counts(&classes(&[2, 0, 2])), [1, 0, 2]);
        assert_eq!(class_counts(&classes(&[])), [0, 0, 0]);
        assert!(class_counts(&Targets::Values(vec![1.0])).is_empty());
    }
}
