//! Sentences as a task of their next characters: from the characters before a place, the character at that place.
//!
//! A sentence begins and ends with a newline, and is read from left to right. Each of its characters, and the newline at its end, is
//! the target of one row. The row's input is what stands before the target, at most [`CONTEXT`] characters. No input
//! crosses a newline, so an input never holds parts of two sentences, and the inputs at the beginning of a sentence are short.
//!
//! The training rows come from the training phrases of SST-2, and the test rows from its dev sentences. These are of other
//! sentences, because SST-2 was split by sentence. Its training phrases are parts of sentences and overlap. So a phrase that
//! is part of another one is left out, and so is one that stands in a dev sentence or has a whole one in it. Texts with a character outside
//! the alphabet are left out too.

use std::collections::HashSet;
use std::sync::Arc;

use serde::{Deserialize, Serialize};

use crate::example::{Inputs, Split, Splits, Targets, Text};
use crate::split::shuffled;

/// The most characters that an input has.
pub const CONTEXT: usize = 64;
/// The number of training rows.
pub const NEXT_CHARACTER_TRAIN_ROWS: usize = 40_000;
/// The number of test rows.
pub const NEXT_CHARACTER_TEST_ROWS: usize = 4_000;
/// The seeds by which rows are chosen among all places of all texts.
const TRAIN_PLACES: u64 = 0x7261_696e;
const TEST_PLACES: u64 = 0x7465_7374;

/// The characters of a task whose texts are sequences of characters, in the order of their classes.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Hash, Serialize, Deserialize)]
#[serde(rename_all = "kebab-case")]
pub enum Alphabet {
    /// The characters of SST-2's sentences, which have no capital letters: newline, space, marks, digits, letters. Letters with
    /// accents and rare marks are not among them.
    Sst2,
}

impl Alphabet {
    /// The characters, each once.
    pub fn characters(self) -> impl ExactSizeIterator<Item = char> + Clone {
        let Alphabet::Sst2 = self;
        // All are ASCII, so each is one byte.
        b"\n !$&'(),-./0123456789:;?`abcdefghijklmnopqrstuvwxyz".iter().map(|&byte| char::from(byte))
    }

    /// How many characters there are.
    pub fn len(self) -> usize {
        self.characters().len()
    }

    /// Whether there is no character.
    pub fn is_empty(self) -> bool {
        self.len() == 0
    }

    /// The number of a character, which is the class of a row with this target.
    pub fn number(self, character: char) -> Option<u16> {
        self.characters().position(|other| other == character).and_then(|at| u16::try_from(at).ok())
    }

    /// The names of the classes: each character itself, but words for those that cannot be seen.
    pub fn class_names(self) -> Arc<[String]> {
        let name = |character| match character {
            '\n' => "newline".to_owned(),
            ' ' => "space".to_owned(),
            seen => seen.to_string(),
        };
        self.characters().map(name).collect()
    }

    /// What a model reads to predict the character after `text`: at most [`CONTEXT`] characters, from the last newline on. A text
    /// without a newline is the beginning of a sentence, so one is put before it.
    pub fn context(self, text: &str) -> String {
        // Not all of a long text is read, because a text that is written character by character asks at each of them.
        let mut read: Vec<char> = Vec::with_capacity(CONTEXT);
        let mut back = text.chars().rev();
        while read.len() < CONTEXT && read.last() != Some(&'\n') {
            read.push(back.next().unwrap_or('\n'));
        }
        read.into_iter().rev().collect()
    }
}

/// Makes rows of next characters out of the rows of SST-2.
///
/// # Panics
/// If the inputs are not texts.
pub fn next_character(splits: &Splits) -> Splits {
    let [train, test] = [&splits.train, &splits.test].map(sentences);
    let read: HashSet<char> = Alphabet::Sst2.characters().collect();
    let is_read = |text: &&str| text.chars().all(|character| read.contains(&character));
    let (parts_of_train, parts_of_test) = (Parts::of(&train), Parts::of(&test));
    let holds_test_text: HashSet<usize> = test.iter().flat_map(|text| parts_of_train.holders(text)).collect();
    let is_apart = |(index, text): &(usize, &str)| {
        parts_of_train.holders(text).count() == 1
            && parts_of_test.holders(text).next().is_none()
            && !holds_test_text.contains(index)
    };
    let train = train.iter().copied().enumerate().filter(is_apart).map(|(_, text)| text);
    let train: Vec<&str> = train.filter(is_read).collect();
    let test: Vec<&str> = test.into_iter().filter(is_read).collect();
    Splits::new(
        rows(&train, NEXT_CHARACTER_TRAIN_ROWS, TRAIN_PLACES),
        rows(&test, NEXT_CHARACTER_TEST_ROWS, TEST_PLACES),
    )
}

/// The different texts of a split that are not empty, in the order in which they first stand there.
fn sentences(split: &Split) -> Vec<&str> {
    let Inputs::Texts(texts) = &split.inputs else { panic!("only texts have characters") };
    let mut seen = HashSet::new();
    let all = texts.iter().map(|text| text.first.as_str());
    all.filter(|text| !text.is_empty() && seen.insert(*text)).collect()
}

/// Finds the texts that are parts of texts. A part begins and ends where a word does.
struct Parts(Vec<(String, usize)>);

impl Parts {
    /// What stands in each text from each word on, with the number of the text, in order. A space ends each, so that a part ends with
    /// a word.
    fn of(texts: &[&str]) -> Parts {
        let mut parts = Vec::new();
        for (index, text) in texts.iter().enumerate() {
            let ended = format!("{text} ");
            let starts = std::iter::once(0).chain(ended.match_indices(' ').map(|(at, _)| at + 1));
            parts.extend(starts.filter(|&start| start < ended.len()).map(|start| (ended[start..].to_owned(), index)));
        }
        parts.sort_unstable();
        Parts(parts)
    }

    /// The numbers of the texts in which `text` stands, one for each time.
    fn holders(&self, text: &str) -> impl Iterator<Item = usize> {
        let text = format!("{text} ");
        let first = self.0.partition_point(|(part, _)| part.as_str() < text.as_str());
        self.0[first..].iter().take_while(move |(part, _)| part.starts_with(&text)).map(|(_, index)| *index)
    }
}

/// A row for each of at most `count` places, which `seed` chooses among all places of all texts.
fn rows(texts: &[&str], count: usize, seed: u64) -> Split {
    let lines: Vec<Vec<char>> = texts.iter().map(|text| format!("\n{text}\n").chars().collect()).collect();
    // A newline at the beginning is the target of no row.
    let places = lines.iter().enumerate().flat_map(|(line, text)| (1..text.len()).map(move |place| (line, place)));
    let places: Vec<(usize, usize)> = places.collect();
    let mut chosen = shuffled(places.len(), seed);
    chosen.truncate(count);
    let (mut inputs, mut labels) = (Vec::with_capacity(count), Vec::with_capacity(count));
    for row in chosen {
        let (line, place) = places[row];
        let text = &lines[line];
        let number = Alphabet::Sst2.number(text[place]);
        labels.push(number.expect("texts with other characters were left out"));
        let first = text[place.saturating_sub(CONTEXT)..place].iter().collect();
        inputs.push(Text { first, second: None });
    }
    Split { inputs: Inputs::Texts(inputs), targets: Targets::Classes { labels, names: Alphabet::Sst2.class_names() } }
}

#[cfg(test)]
mod tests {
    use sha2::{Digest, Sha256};

    use super::*;
    use crate::dataset::Dataset;
    use crate::sst2::Sst2Sample;
    use crate::store::Store;

    fn split(texts: &[&str]) -> Split {
        let inputs = texts.iter().map(|text| Text { first: (*text).to_owned(), second: None }).collect();
        Split { inputs: Inputs::Texts(inputs), targets: Targets::Values(vec![0.0; texts.len()]) }
    }

    /// The input and the target of each row, in order.
    fn read(split: &Split) -> Vec<(String, char)> {
        let (Inputs::Texts(texts), Targets::Classes { labels, .. }) = (&split.inputs, &split.targets) else {
            panic!("not characters")
        };
        let characters: Vec<char> = Alphabet::Sst2.characters().collect();
        let target = |label: &u16| characters[usize::from(*label)];
        let mut rows: Vec<(String, char)> =
            texts.iter().map(|text| text.first.clone()).zip(labels.iter().map(target)).collect();
        rows.sort();
        rows
    }

    /// Of all rows in their order: the input as it is written in Rust, and the label.
    fn sha256(split: &Split) -> String {
        let (Inputs::Texts(texts), Targets::Classes { labels, .. }) = (&split.inputs, &split.targets) else {
            panic!("not characters")
        };
        let mut sum = Sha256::new();
        texts.iter().zip(labels).for_each(|(text, label)| sum.update(format!("{:?} {label}\n", text.first)));
        sum.finalize().iter().map(|byte| format!("{byte:02x}")).collect()
    }

    #[test]
    fn every_character_of_a_sentence_is_the_target_of_a_row_that_reads_what_stands_before_it() {
        let long = "a".repeat(70);
        let made = next_character(&Splits::new(split(&["go on", &long]), split(&["an end"])));
        let test = read(&made.test);
        let expected = [("\n", 'a'), ("\na", 'n'), ("\nan", ' '), ("\nan ", 'e'), ("\nan e", 'n'), ("\nan en", 'd')];
        let mut expected: Vec<_> = expected.map(|(text, next)| (text.to_owned(), next)).to_vec();
        expected.push(("\nan end".to_owned(), '\n'));
        expected.sort();
        assert_eq!(test, expected);
        let train = read(&made.train);
        assert_eq!(train.len(), 6 + 71);
        assert!(train.iter().all(|(text, _)| (1..=CONTEXT).contains(&text.chars().count())));
        assert!(
            train.contains(&("a".repeat(CONTEXT), '\n')),
            "a long sentence ends with what stands before its end alone"
        );
    }

    #[test]
    fn parts_of_other_texts_and_texts_with_other_characters_are_left_out() {
        let train = split(&["a good film", "good film", "a good film", "bad", "a café", "Loud", "goo", "fine"]);
        let made = next_character(&Splits::new(train, split(&["it is bad .", "100 %"])));
        let first =
            |split: &Split| read(split).iter().filter(|(text, _)| text == "\n").map(|(_, next)| *next).collect();
        let (train, test): (Vec<char>, Vec<char>) = (first(&made.train), first(&made.test));
        // "good film" is part of "a good film", and "bad" stands in a test sentence. "goo" is part of no text, because words
        // are whole.
        assert_eq!(train, ['a', 'f', 'g']);
        assert_eq!(test, ['i']);
    }

    #[test]
    fn a_context_begins_at_the_last_newline_and_has_at_most_64_characters() {
        let context = |text: &str| Alphabet::Sst2.context(text);
        assert_eq!(context(""), "\n");
        assert_eq!(context("the f"), "\nthe f");
        assert_eq!(context("the end .\n"), "\n");
        assert_eq!(context("the end .\nit"), "\nit");
        assert_eq!(context(&"ab".repeat(40)), "ab".repeat(32));
        assert_eq!(context(&format!("{}b", "a".repeat(63))), format!("{}b", "a".repeat(63)));
    }

    #[test]
    fn the_alphabet_has_each_character_once_and_a_visible_name_for_each() {
        let characters: Vec<char> = Alphabet::Sst2.characters().collect();
        assert_eq!(characters.iter().collect::<HashSet<_>>().len(), Alphabet::Sst2.len());
        for (number, &character) in (0..).zip(&characters) {
            assert_eq!(Alphabet::Sst2.number(character), Some(number));
        }
        assert_eq!(Alphabet::Sst2.number('é'), None);
        let names = Alphabet::Sst2.class_names();
        assert_eq!(names.iter().collect::<HashSet<_>>().len(), characters.len());
        assert!(names.iter().all(|name| !name.trim().is_empty()));
    }

    #[test]
    fn the_rows_of_the_sample_are_as_many_as_promised_and_no_text_is_on_both_sides() {
        let splits = Sst2Sample.load(&Store::embedded()).expect("the sample is in the program");
        let made = next_character(&splits);
        assert_eq!((made.train.len(), made.test.len()), (NEXT_CHARACTER_TRAIN_ROWS, NEXT_CHARACTER_TEST_ROWS));
        assert_eq!(made, next_character(&splits), "the rows are the same every time");
        // When this changes, the version of the task must be raised.
        assert_eq!(
            [&made.train, &made.test].map(sha256),
            [
                "c96db01a65130dcd1458cd8094f7faa4fdc0d8181f3997ca43a817a3bd10cfd5",
                "059faac37cefc08a689525668babaa09abfeb9644023d5903885b95ad9e9e8a1"
            ]
        );
        let [train, test] = [&splits.train, &splits.test].map(sentences);
        let (parts_of_train, parts_of_test) = (Parts::of(&train), Parts::of(&test));
        let count = |parts: &Parts, text: &str| parts.holders(text).count();
        let other: Vec<&&str> = train.iter().filter(|text| count(&parts_of_test, text) == 0).collect();
        assert!(train.len() - other.len() > 0, "some phrases stand in a test sentence, and are left out");
        // Texts as the rows have them, from their newlines: what a row of a beginning reads is the beginning of no test sentence
        // that stands whole in a training phrase.
        let holders: HashSet<usize> = test.iter().flat_map(|text| parts_of_train.holders(text)).collect();
        assert!(holders.len() * 100 < train.len(), "few training phrases have a whole test sentence in them");
        let mut inputs = HashSet::new();
        let Inputs::Texts(texts) = &made.train.inputs else { panic!("not texts") };
        inputs.extend(texts.iter().map(|text| text.first.as_str()));
        for text in &test {
            let line = format!("\n{text}");
            assert!(line.chars().count() > CONTEXT || !inputs.contains(line.as_str()), "{text} is read in training");
        }
    }
}
