//! TF-IDF of word 1- and 2-grams: texts to sparse rows of unit length.
//!
//! The conventions are those of scikit-learn's `TfidfVectorizer(ngram_range=(1, 2))`, so that values can be compared
//! number by number. Only the definition of a word differs; [`super::words`] has it for all models. A term's weight is
//! its count times `ln((1 + N) / (1 + df)) + 1`. Rows are scaled to unit Euclidean length. For a pair, the terms of
//! both texts are counted, and no 2-gram spans the two.
//!
//! Where characters are read, a term has a place, because the order of characters says more than which ones there are. The terms are
//! each of the last [`PLACES`] characters with its distance from the end, as NETtalk reads letters (Sejnowski and Rosenberg
//! 1987), and the last 2 to [`LONGEST`] characters together, which are what an n-gram model of characters reads (Shannon 1951).
//! `e@1` is an `e` at the end, `t@3` a `t` with two characters after it, and `the@1` the three characters at the end.

use bakeoff_datasets::Text;
use rayon::prelude::*;
use rustc_hash::FxHashMap;

use super::sparse::SparseRows;
use super::words::{Tokens, Words};
use crate::artefact::{ArraysIn, ArraysOut};
use crate::model::ModelError;

/// How many characters at the end of a text have a place of their own.
const PLACES: usize = 16;
/// The most characters at the end of a text that are one term.
const LONGEST: usize = 5;

/// The terms of the training texts and their inverse document frequencies.
#[derive(Debug, Clone)]
pub(crate) struct TfIdf {
    columns: FxHashMap<String, u32>,
    idf: Vec<f64>,
    tokens: Tokens,
}

impl TfIdf {
    /// Learns the `limit` terms that occur most often in `texts`, made of the words that `tokens` admits. Ties go to
    /// the term that is first in the alphabet. Columns are in alphabetical order.
    pub(crate) fn fit(texts: &[Text], tokens: Tokens, limit: usize) -> TfIdf {
        /// How many texts one thread counts at a time.
        const CHUNK: usize = 4096;
        let counts = texts.par_chunks(CHUNK).map(|chunk| count(chunk, tokens)).reduce(Counts::default, merged);
        let mut terms: Vec<(String, (u32, u32))> = counts.into_iter().collect();
        terms.sort_unstable_by(|a, b| b.1.1.cmp(&a.1.1).then_with(|| a.0.cmp(&b.0)));
        terms.truncate(limit);
        terms.sort_unstable_by(|a, b| a.0.cmp(&b.0));
        let texts = texts.len() as f64;
        let idf = terms.iter().map(|(_, (df, _))| ((1.0 + texts) / (1.0 + f64::from(*df))).ln() + 1.0).collect();
        let columns = terms.into_iter().zip(0..).map(|((term, _), column)| (term, column)).collect();
        TfIdf { columns, idf, tokens }
    }

    /// The number of terms.
    pub(crate) fn width(&self) -> usize {
        self.idf.len()
    }

    /// One row per text. A text without a known term becomes a row of zeros.
    pub(crate) fn encode(&self, texts: &[Text]) -> SparseRows {
        let rows: Vec<Vec<(u32, f32)>> = texts.par_iter().map(|text| self.encode_one(text)).collect();
        let mut sparse = SparseRows::new(self.width());
        rows.iter().for_each(|row| sparse.push(row));
        sparse
    }

    fn encode_one(&self, text: &Text) -> Vec<(u32, f32)> {
        let mut row: Vec<(u32, f64)> = term_counts(text, self.tokens)
            .into_iter()
            .filter_map(|(term, count)| {
                let column = *self.columns.get(&term)?;
                Some((column, f64::from(count) * self.idf[column as usize]))
            })
            .collect();
        row.sort_unstable_by_key(|&(column, _)| column);
        let norm = row.iter().map(|(_, value)| value * value).sum::<f64>().sqrt();
        row.into_iter().map(|(column, value)| (column, (value / norm) as f32)).collect()
    }

    /// Whether a text has a term that has a weight.
    pub(crate) fn knows_a_term_of(&self, text: &str) -> bool {
        !self.encode_one(&Text { first: text.to_owned(), second: None }).is_empty()
    }

    /// Adds the weights of the terms as an array `name`. Returns the terms in the order of their columns.
    pub(crate) fn save(&self, name: &str, arrays: &mut ArraysOut) -> Vec<String> {
        arrays.add(name, &[self.idf.len()], self.idf.iter().copied());
        self.terms()
    }

    /// The terms in the order of their columns.
    pub(crate) fn terms(&self) -> Vec<String> {
        let mut terms: Vec<(&String, u32)> = self.columns.iter().map(|(term, &column)| (term, column)).collect();
        terms.sort_unstable_by_key(|&(_, column)| column);
        terms.into_iter().map(|(term, _)| term.clone()).collect()
    }

    /// Restores an encoder from what [`TfIdf::save`] stored.
    ///
    /// # Errors
    /// If a term occurs twice or has no weight.
    pub(crate) fn load(
        name: &str,
        terms: Vec<String>,
        tokens: Tokens,
        arrays: &mut ArraysIn,
    ) -> Result<TfIdf, ModelError> {
        let idf = arrays.take(name, &[terms.len()])?;
        if u32::try_from(terms.len()).is_err() {
            return Err(arrays.refused(format!("'{name}' is of {} terms, which 32 bits cannot count", terms.len())));
        }
        let columns: FxHashMap<String, u32> = terms.into_iter().zip(0..).collect();
        if columns.len() != idf.len() {
            return Err(arrays.refused(format!(
                "'{name}' is of {} different terms, not of {}",
                columns.len(),
                idf.len()
            )));
        }
        Ok(TfIdf { columns, idf, tokens })
    }
}

/// For each term, how many texts contain it, and how often it occurs.
type Counts = FxHashMap<String, (u32, u32)>;

fn count(texts: &[Text], tokens: Tokens) -> Counts {
    let mut counts = Counts::default();
    for text in texts {
        for (term, occurrences) in term_counts(text, tokens) {
            let count = counts.entry(term).or_default();
            count.0 += 1;
            count.1 += occurrences;
        }
    }
    counts
}

fn merged(a: Counts, b: Counts) -> Counts {
    let (mut all, others) = if a.len() < b.len() { (b, a) } else { (a, b) };
    for (term, (texts, occurrences)) in others {
        let count = all.entry(term).or_default();
        count.0 += texts;
        count.1 += occurrences;
    }
    all
}

/// How often each term occurs in a text.
fn term_counts(text: &Text, tokens: Tokens) -> FxHashMap<String, u32> {
    let mut counts = FxHashMap::default();
    for part in std::iter::once(&text.first).chain(&text.second) {
        let words = Words::of(part, tokens);
        let words: Vec<&str> = words.iter().collect();
        if tokens == Tokens::Characters {
            placed_terms(&words).for_each(|term| *counts.entry(term).or_default() += 1);
            continue;
        }
        for word in &words {
            *counts.entry((*word).to_owned()).or_default() += 1;
        }
        for pair in words.windows(2) {
            *counts.entry([pair[0], pair[1]].join(" ")).or_default() += 1;
        }
    }
    counts
}

/// The terms of a sequence of characters.
fn placed_terms(characters: &[&str]) -> impl Iterator<Item = String> {
    let single = characters.iter().rev().take(PLACES).zip(1..).map(|(character, place)| format!("{character}@{place}"));
    let ends = (2..=LONGEST.min(characters.len())).map(|length| &characters[characters.len() - length..]);
    single.chain(ends.map(|end| format!("{}@1", end.concat())))
}

#[cfg(test)]
mod tests {
    use bakeoff_datasets::Text;

    use super::{TfIdf, Tokens, term_counts};

    fn text(first: &str) -> Text {
        Text { first: first.to_owned(), second: None }
    }

    #[test]
    fn terms_are_words_and_their_pairs_of_what_the_tokens_admit() {
        let terms = |tokens: Tokens| {
            let mut terms: Vec<_> = term_counts(&text("It's a GOOD film, good film"), tokens).into_iter().collect();
            terms.sort();
            terms.into_iter().map(|(term, count)| format!("{term}: {count}")).collect::<Vec<_>>().join(", ")
        };
        let expected = "film: 2, film good: 1, good: 2, good film: 2, it's: 1, it's good: 1";
        assert_eq!(terms(Tokens::LongWords), expected);
        let expected =
            ",: 1, , good: 1, a: 1, a good: 1, film: 2, film ,: 1, good: 2, good film: 2, it's: 1, it's a: 1";
        assert_eq!(terms(Tokens::WordsAndMarks), expected);
    }

    #[test]
    fn terms_of_characters_have_their_place_from_the_end() {
        let terms = |text: &str| {
            let text = Text { first: text.to_owned(), second: None };
            let mut terms: Vec<_> = term_counts(&text, Tokens::Characters).into_keys().collect();
            terms.sort();
            terms
        };
        assert_eq!(terms("\nbe"), ["\n@3", "\nbe@1", "b@2", "be@1", "e@1"]);
        let long = terms(&"ab".repeat(30));
        assert_eq!(long.len(), super::PLACES + super::LONGEST - 1);
        assert!(long.contains(&"babab@1".to_owned()) && long.contains(&"a@16".to_owned()), "{long:?}");
        assert!(!long.contains(&"b@17".to_owned()));
    }

    #[test]
    fn no_pair_spans_two_texts() {
        let pair = Text { first: "good".to_owned(), second: Some("film".to_owned()) };
        assert!(!term_counts(&pair, Tokens::Words).contains_key("good film"));
    }

    #[test]
    fn the_limit_keeps_the_commonest_terms_and_ties_go_by_the_alphabet() {
        let texts = [text("bb aa"), text("bb cc")];
        let encoder = TfIdf::fit(&texts, Tokens::Words, 2);
        let mut terms: Vec<_> = encoder.columns.keys().cloned().collect();
        terms.sort();
        assert_eq!(terms, ["aa", "bb"]);
    }

    #[test]
    fn a_text_of_unknown_words_is_a_row_of_zeros() {
        let encoder = TfIdf::fit(&[text("good film")], Tokens::Words, 10);
        assert!(encoder.encode(&[text("dire")]).row(0).is_empty());
    }
}
