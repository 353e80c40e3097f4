//! Generated texts: the same on every machine, balanced, and with no word, pair of words or place that alone tells the class.
#![expect(clippy::unwrap_used, reason = "tests")]

use std::collections::{HashMap, HashSet};

use bakeoff_datasets::generated::{GeneratedTexts, TEST_ROWS, TRAIN_ROWS};
use bakeoff_datasets::{Inputs, Split, Splits, Targets, leakage};
use sha2::{Digest, Sha256};

const DISTANCES: [usize; 7] = [8, 16, 32, 64, 128, 256, 512];
/// Each is followed by the next, and the last by the first.
const CYCLE: [&str; 3] = ["ka", "ro", "tu"];
const PAIRS: [[&str; 2]; 2] = [["ka", "ro"], ["tu", "vi"]];

fn long_range() -> impl Iterator<Item = GeneratedTexts> {
    DISTANCES.into_iter().map(|distance| GeneratedTexts::LongRange { distance })
}

fn all() -> impl Iterator<Item = GeneratedTexts> {
    long_range().chain([GeneratedTexts::Xor])
}

/// The words and the label of each row.
fn examples(split: &Split) -> Vec<(Vec<&str>, u16)> {
    let (Inputs::Texts(texts), Targets::Classes { labels, .. }) = (&split.inputs, &split.targets) else {
        panic!("not texts with classes")
    };
    assert!(texts.iter().all(|text| text.second.is_none()));
    texts.iter().zip(labels).map(|(text, &label)| (text.first.split(' ').collect(), label)).collect()
}

/// The places of these words in a text, in the order of the text.
fn places(words: &[&str], wanted: &[&str]) -> Vec<usize> {
    (0..words.len()).filter(|&place| wanted.contains(&words[place])).collect()
}

/// Those of the wanted words that a text holds, in the order of the text.
fn found(words: &[&str], wanted: &[&str]) -> Vec<String> {
    places(words, wanted).into_iter().map(|place| words[place].to_owned()).collect()
}

fn sorted<'a>(words: &[&'a str]) -> Vec<&'a str> {
    let mut words = words.to_vec();
    words.sort_unstable();
    words
}

/// For each thing that examples show, in how many examples of each class it is.
fn counts(examples: &[(Vec<&str>, u16)], shown: impl Fn(&[&str]) -> Vec<String>) -> HashMap<String, [usize; 2]> {
    let mut counts: HashMap<String, [usize; 2]> = HashMap::new();
    for (words, label) in examples {
        for thing in HashSet::<String>::from_iter(shown(words)) {
            counts.entry(thing).or_default()[usize::from(*label)] += 1;
        }
    }
    counts
}

/// Whether two counts differ by less than five standard deviations of what chance gives.
fn is_chance([a, b]: [usize; 2]) -> bool {
    (a.abs_diff(b) as f64) < 5.0 * ((a + b) as f64).sqrt()
}

/// The class by the rule of `long-range`.
fn order(first: &str, second: &str) -> u16 {
    let of = |word: &str| CYCLE.iter().position(|marker| *marker == word).unwrap();
    u16::from((of(first) + 1) % CYCLE.len() != of(second))
}

/// The first eight bytes of the sha256 of the rows of each task.
const HASHES: [&str; 8] = [
    "93993c02d1f8c839",
    "ccf055ed0e5d6007",
    "8edd7d328bfbbd3c",
    "a70b97c5f8558bb4",
    "32069c6de2758ce2",
    "3a6ccd1b7c373f3a",
    "75037e238492b681",
    "c497e66a74e83760",
];

#[test]
fn rows_are_the_same_on_every_machine() {
    let hash_of = |texts: GeneratedTexts| {
        let Splits { train, test, .. } = texts.splits();
        let mut hash = Sha256::new();
        for (words, label) in [examples(&train), examples(&test)].concat() {
            hash.update(format!("{}\t{label}\n", words.join(" ")));
        }
        hash.finalize().iter().take(8).map(|byte| format!("{byte:02x}")).collect::<String>()
    };
    let hashes: Vec<String> = all().map(hash_of).collect();
    assert_eq!(hashes, HASHES, "rows have changed: raise the version of the task");
}

#[test]
fn splits_are_as_large_as_stated_balanced_and_share_no_row() {
    for texts in all() {
        let splits = texts.splits();
        assert_eq!((splits.train.len(), splits.test.len()), (TRAIN_ROWS, TEST_ROWS));
        for split in [&splits.train, &splits.test] {
            let ones = examples(split).iter().filter(|(_, label)| *label == 1).count();
            assert_eq!(2 * ones, split.len(), "{texts:?}");
            let different: HashSet<Vec<&str>> = examples(split).into_iter().map(|(words, _)| words).collect();
            assert_eq!(different.len(), split.len(), "{texts:?}");
        }
        assert_eq!(leakage(&splits.train, &splits.test).examples, 0, "{texts:?}");
    }
}

#[test]
fn every_text_of_a_task_has_as_many_words_and_each_is_a_word_to_every_model() {
    for texts in all() {
        let splits = texts.splits();
        for (words, _) in [examples(&splits.train), examples(&splits.test)].concat() {
            assert_eq!(words.len(), texts.words(), "{texts:?}");
            // Two letters or more: `tokens = "long-words"` leaves single ones out.
            assert!(words.iter().all(|word| word.len() >= 2 && word.bytes().all(|b| b.is_ascii_lowercase())));
        }
    }
}

#[test]
fn long_range_texts_hold_two_markers_exactly_the_distance_apart_whose_order_is_the_class() {
    for texts in long_range() {
        let GeneratedTexts::LongRange { distance } = texts else { unreachable!() };
        let splits = texts.splits();
        let mut first_places = HashSet::new();
        for (words, label) in [examples(&splits.train), examples(&splits.test)].concat() {
            let [first, second] = places(&words, &CYCLE)[..] else { panic!("not two markers: {words:?}") };
            assert_eq!(second - first, distance);
            assert_eq!(order(words[first], words[second]), label, "{words:?}");
            first_places.insert(first);
        }
        assert_eq!(first_places, (12..16).collect(), "distance {distance}");
    }
}

#[test]
fn a_long_range_text_with_its_markers_swapped_has_the_same_words_and_the_other_class() {
    for texts in long_range() {
        for (words, label) in examples(&texts.splits().train) {
            let [first, second] = places(&words, &CYCLE)[..] else { panic!("not two markers: {words:?}") };
            let mut swapped = words.clone();
            swapped.swap(first, second);
            assert_eq!(sorted(&swapped), sorted(&words));
            assert_eq!(order(swapped[first], swapped[second]), 1 - label);
        }
    }
}

#[test]
fn both_classes_of_long_range_have_the_same_markers_and_each_of_them_as_often_first_and_second() {
    for texts in long_range() {
        let splits = texts.splits();
        for split in [&splits.train, &splits.test] {
            let examples = examples(split);
            let bags = counts(&examples, |words| {
                let mut found = found(words, &CYCLE);
                found.sort_unstable();
                vec![found.join(" ")]
            });
            let firsts = counts(&examples, |words| vec![found(words, &CYCLE)[0].clone()]);
            let seconds = counts(&examples, |words| vec![found(words, &CYCLE)[1].clone()]);
            for counts in [bags, firsts, seconds] {
                assert_eq!(counts.len(), 3);
                assert!(counts.values().all(|[a, b]| a.abs_diff(*b) <= 1), "{texts:?}: {counts:?}");
            }
        }
    }
}

#[test]
fn no_word_no_bigram_and_no_place_of_a_marker_tells_the_class() {
    for texts in all() {
        let splits = texts.splits();
        let examples = examples(&splits.train);
        let markers = if texts == GeneratedTexts::Xor { PAIRS.concat() } else { CYCLE.to_vec() };
        let is_marker = |word: &str| markers.contains(&word);
        for (words, _) in &examples {
            assert!(!words.windows(2).any(|pair| pair.iter().all(|word| is_marker(word))), "{texts:?}: {words:?}");
        }
        let words = counts(&examples, |words| words.iter().map(|word| (*word).to_owned()).collect());
        let bigrams = counts(&examples, |words| words.windows(2).map(|pair| pair.join(" ")).collect());
        let marked = counts(&examples, |words| {
            places(words, &markers).into_iter().map(|place| format!("{} at {place}", words[place])).collect()
        });
        for (what, counts) in [("words", words), ("bigrams", bigrams), ("places", marked)] {
            for (thing, counts) in counts {
                assert!(is_chance(counts), "{texts:?}, {what}: {thing} is in {counts:?} texts of the classes");
            }
        }
    }
}

#[test]
fn xor_is_the_exclusive_or_of_two_words_of_which_each_alone_is_in_as_many_texts_of_both_classes() {
    let splits = GeneratedTexts::Xor.splits();
    for split in [&splits.train, &splits.test] {
        let examples = examples(split);
        for (words, label) in &examples {
            let [which_one, which_other] = PAIRS.map(|pair| {
                let [place] = places(words, &pair)[..] else { panic!("not one word of a pair: {words:?}") };
                words[place] == pair[1]
            });
            assert_eq!(u16::from(which_one ^ which_other), *label, "{words:?}");
        }
        let counts = counts(&examples, |words| found(words, &PAIRS.concat()));
        assert_eq!(counts.len(), 4);
        assert!(counts.values().all(|[a, b]| a == b), "{counts:?}");
    }
}
