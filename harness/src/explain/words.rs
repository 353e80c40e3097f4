//! Texts as rows of words, and words permuted among them.
//!
//! A text is read as models of words read it: in lower case, cut at Unicode's word boundaries. Its words are joined with blanks
//! before a model gets them, permuted or not, so that nothing but the permuted word differs.

use std::collections::{BTreeMap, BTreeSet};

use bakeoff_datasets::{Inputs, Targets, Text};
use bakeoff_models::{Tokens, Words};
use bakeoff_reports::{Part, ShownInput};
use rand_chacha::ChaCha8Rng;

use super::{Permuted, below};

/// The words of each text of a row.
type Row = Vec<Vec<String>>;

/// Fewer rows than this have no word whose importance is worth a number.
const MIN_ROWS_OF_WORD: usize = 2;

/// Texts as words.
#[derive(Debug)]
pub(super) struct WordRows {
    rows: Vec<Row>,
    /// The words that are permuted, with the number of rows that have them.
    permuted: Vec<(String, usize)>,
}

impl WordRows {
    /// Chooses the `most` words whose presence is most associated with the targets of these rows, whatever a model makes of
    /// them: by the squared correlation with a number, or with whether a row is of a class, summed over the classes. Words
    /// with equal numbers are in the order of the alphabet.
    pub(super) fn new(texts: &[Text], targets: &Targets, most: usize) -> WordRows {
        let words = |text: &str| Words::of(text, Tokens::WordsAndMarks).iter().map(str::to_owned).collect();
        let rows: Vec<Row> = texts
            .iter()
            .map(|text| std::iter::once(&text.first).chain(&text.second).map(|text| words(text)).collect())
            .collect();
        let mut rows_of: BTreeMap<&str, Vec<usize>> = BTreeMap::new();
        for (index, row) in rows.iter().enumerate() {
            let present: BTreeSet<&str> = row.iter().flatten().map(String::as_str).collect();
            present.into_iter().for_each(|word| rows_of.entry(word).or_default().push(index));
        }
        let numbers = indicators(targets);
        let mut ranked: Vec<(&str, usize, f64)> = rows_of
            .iter()
            .filter(|(_, with)| with.len() >= MIN_ROWS_OF_WORD && with.len() < rows.len())
            .map(|(word, with)| (*word, with.len(), numbers.iter().map(|number| association(with, number)).sum()))
            .collect();
        ranked.sort_by(|one, other| other.2.total_cmp(&one.2));
        let permuted = ranked.into_iter().take(most).map(|(word, count, _)| (word.to_owned(), count)).collect();
        WordRows { rows, permuted }
    }

    pub(super) fn inputs(&self) -> Inputs {
        Inputs::Texts(self.rows.iter().map(text).collect())
    }

    pub(super) fn shown(&self, row: usize) -> ShownInput {
        ShownInput::Texts(self.rows[row].clone())
    }

    pub(super) fn parts(&self) -> Vec<Part> {
        self.permuted.iter().map(|(word, rows)| Part::Word { word: word.clone(), rows: *rows }).collect()
    }

    /// Permutes which rows have the word. A row that loses it has it nowhere. A row that gets it has it as often, and as far from the
    /// beginning of its text, as the row from which it comes.
    pub(super) fn permuted(&self, part: usize, sources: &[usize]) -> Permuted {
        let word = &self.permuted[part].0;
        let (mut rows, mut texts) = (Vec::new(), Vec::new());
        for (row, &source) in sources.iter().enumerate() {
            let (own, from) = (&self.rows[row], &self.rows[source]);
            let gets = has(from, word);
            if has(own, word) != gets {
                rows.push(row);
                texts.push(text(&if gets { with(own, word, from) } else { without(own, word) }));
            }
        }
        Permuted { rows, inputs: Inputs::Texts(texts) }
    }

    /// Variants of a row in which a word of it is replaced by a word drawn from another row.
    pub(super) fn variants(&self, row: usize, repeats: usize, rng: &mut ChaCha8Rng) -> (usize, Inputs) {
        let own = &self.rows[row];
        let mut variants = Vec::new();
        for (at, words) in own.iter().enumerate() {
            for place in 0..words.len() {
                for _ in 0..repeats {
                    let mut variant = own.clone();
                    match self.draw(row, at, rng) {
                        Some(word) => variant[at][place] = word,
                        None => drop(variant[at].remove(place)),
                    }
                    variants.push(text(&variant));
                }
            }
        }
        (own.iter().map(Vec::len).sum(), Inputs::Texts(variants))
    }

    /// A word of the text `at` of another row. `None` if that text has no word.
    fn draw(&self, row: usize, at: usize, rng: &mut ChaCha8Rng) -> Option<String> {
        let other = (row + 1 + below(self.rows.len() - 1, rng)) % self.rows.len();
        let words = &self.rows[other][at];
        (!words.is_empty()).then(|| words[below(words.len(), rng)].clone())
    }
}

fn text(row: &Row) -> Text {
    Text { first: row[0].join(" "), second: row.get(1).map(|words| words.join(" ")) }
}

fn has(row: &Row, word: &str) -> bool {
    row.iter().flatten().any(|other| other == word)
}

fn without(row: &Row, word: &str) -> Row {
    row.iter().map(|words| words.iter().filter(|other| *other != word).cloned().collect()).collect()
}

/// The row with the word where `source` has it.
fn with(row: &Row, word: &str, source: &Row) -> Row {
    let put = |(words, source): (&Vec<String>, &Vec<String>)| {
        let mut words = words.clone();
        let own = words.len();
        // From the end on, so that places before do not move.
        for (place, _) in source.iter().enumerate().rev().filter(|(_, other)| *other == word) {
            words.insert(place * own / source.len(), word.to_owned());
        }
        words
    };
    row.iter().zip(source).map(put).collect()
}

/// The targets as numbers: themselves, or for each class whether a row is of it.
fn indicators(targets: &Targets) -> Vec<Vec<f64>> {
    match targets {
        Targets::Values(values) => vec![values.iter().map(|value| f64::from(*value)).collect()],
        Targets::Classes { labels, names } => (0..names.len())
            .map(|class| labels.iter().map(|label| f64::from(u8::from(usize::from(*label) == class))).collect())
            .collect(),
    }
}

/// The squared correlation of being one of these rows with a number that each row has; 0 if the number is the same for all rows.
fn association(rows: &[usize], numbers: &[f64]) -> f64 {
    let (count, all) = (rows.len() as f64, numbers.len() as f64);
    let mean = numbers.iter().sum::<f64>() / all;
    let variance: f64 = numbers.iter().map(|number| (number - mean).powi(2)).sum();
    let together: f64 = rows.iter().map(|&row| numbers[row] - mean).sum();
    if variance == 0.0 { 0.0 } else { together.powi(2) / (variance * count * (1.0 - count / all)) }
}

#[cfg(test)]
#[expect(clippy::unwrap_used, reason = "tests")]
mod tests {
    use rand_chacha::rand_core::SeedableRng;

    use super::*;

    fn rows(texts: &[&str]) -> Vec<Text> {
        texts.iter().map(|text| Text { first: (*text).to_owned(), second: None }).collect()
    }

    fn firsts(inputs: &Inputs) -> Vec<&str> {
        let Inputs::Texts(texts) = inputs else { panic!("they are texts") };
        texts.iter().map(|text| text.first.as_str()).collect()
    }

    #[test]
    fn words_are_chosen_by_their_squared_correlation_with_the_targets() {
        let texts = rows(&["a x", "a x", "a y", "a y x", "a"]);
        let words = WordRows::new(&texts, &Targets::Values(vec![2.0, 2.0, 0.0, 2.0, 0.0]), 1);
        assert_eq!(words.parts(), [Part::Word { word: "x".to_owned(), rows: 3 }]);
        assert!((association(&[0, 1, 3], &[2.0, 2.0, 0.0, 2.0, 0.0]) - 1.0).abs() < 1e-12);
        assert_eq!(association(&[0], &[1.0, 1.0]), 0.0);
        // A word of every row cannot be permuted.
        let all = WordRows::new(&texts, &Targets::Values(vec![2.0, 2.0, 0.0, 2.0, 0.0]), 9);
        assert!(all.parts().iter().all(|part| !matches!(part, Part::Word { word, .. } if word == "a")));
    }

    #[test]
    fn a_permuted_word_is_in_as_many_rows_at_the_place_from_which_it_comes() {
        let texts = rows(&["Good film", "one two three four", "two good", "three"]);
        let words = WordRows::new(&texts, &Targets::Values(vec![1.0, 0.0, 1.0, 0.0]), 1);
        assert_eq!(words.parts(), [Part::Word { word: "good".to_owned(), rows: 2 }]);
        let Permuted { rows, inputs } = words.permuted(0, &[1, 2, 0, 3]);
        assert_eq!(rows, [0, 1]);
        assert_eq!(firsts(&inputs), ["film", "one two good three four"]);
        assert_eq!(firsts(&words.inputs())[0], "good film", "the texts as they are have the same form");
        let Permuted { rows, .. } = words.permuted(0, &[0, 1, 2, 3]);
        assert!(rows.is_empty(), "nothing changes if each row keeps its word");
    }

    #[test]
    fn variants_change_one_word_each_and_may_be_of_pairs() {
        let pair = |first: &str, second: &str| Text { first: first.to_owned(), second: Some(second.to_owned()) };
        let texts = [pair("a b", "c"), pair("x", ""), pair("x", "")];
        let words = WordRows::new(&texts, &Targets::Values(vec![0.0, 1.0, 2.0]), 5);
        let (parts, variants) = words.variants(0, 2, &mut ChaCha8Rng::seed_from_u64(1));
        assert_eq!(parts, 3);
        let Inputs::Texts(variants) = variants else { panic!("they are texts") };
        let both: Vec<(&str, &str)> =
            variants.iter().map(|text| (text.first.as_str(), text.second.as_deref().unwrap())).collect();
        // The second text of the others has no word, so the word is left out.
        assert_eq!(both, [("x b", "c"), ("x b", "c"), ("a x", "c"), ("a x", "c"), ("a b", ""), ("a b", "")]);
    }
}
