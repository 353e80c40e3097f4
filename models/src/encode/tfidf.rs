//! TF-IDF of word 1- and 2-grams: texts to sparse rows of unit length.
//!
//! The conventions are those of scikit-learn's `TfidfVectorizer(ngram_range=(1, 2))`, so that values can be compared
//! number by number: lower case; a token is a longest run of two or more letters, digits or underscores; a term's
//! weight is its count times `ln((1 + N) / (1 + df)) + 1`; rows are scaled to unit Euclidean length. Of a pair of
//! texts the terms of both are counted, and no 2-gram spans the two.

use bakeoff_datasets::Text;
use rayon::prelude::*;
use rustc_hash::FxHashMap;

use super::sparse::SparseRows;

/// The terms of the training texts and their inverse document frequencies.
#[derive(Debug, Clone)]
pub(crate) struct TfIdf {
    columns: FxHashMap<String, u32>,
    idf: Vec<f64>,
}

impl TfIdf {
    /// Learns the `limit` terms that occur most often in `texts` (ties by the alphabet); columns are in alphabetical
    /// order.
    pub(crate) fn fit(texts: &[Text], limit: usize) -> TfIdf {
        /// Texts that one thread counts at a time.
        const CHUNK: usize = 4096;
        let counts = texts.par_chunks(CHUNK).map(count).reduce(Counts::default, merged);
        let mut terms: Vec<(String, (u32, u32))> = counts.into_iter().collect();
        terms.sort_unstable_by(|a, b| b.1.1.cmp(&a.1.1).then_with(|| a.0.cmp(&b.0)));
        terms.truncate(limit);
        terms.sort_unstable_by(|a, b| a.0.cmp(&b.0));
        let texts = texts.len() as f64;
        let idf = terms.iter().map(|(_, (df, _))| ((1.0 + texts) / (1.0 + f64::from(*df))).ln() + 1.0).collect();
        let columns = terms.into_iter().zip(0..).map(|((term, _), column)| (term, column)).collect();
        TfIdf { columns, idf }
    }

    /// The number of terms.
    pub(crate) fn width(&self) -> usize {
        self.idf.len()
    }

    /// One row per text; a text without a known term becomes a row of zeros.
    pub(crate) fn encode(&self, texts: &[Text]) -> SparseRows {
        let rows: Vec<Vec<(u32, f32)>> = texts.par_iter().map(|text| self.encode_one(text)).collect();
        let mut sparse = SparseRows::new(self.width());
        rows.iter().for_each(|row| sparse.push(row));
        sparse
    }

    fn encode_one(&self, text: &Text) -> Vec<(u32, f32)> {
        let mut row: Vec<(u32, f64)> = term_counts(text)
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

    /// The memory of the terms and their weights.
    pub(crate) fn bytes(&self) -> u64 {
        let terms: usize = self.columns.keys().map(|term| term.len() + size_of::<(String, u32)>()).sum();
        (terms + size_of_val(self.idf.as_slice())) as u64
    }
}

/// Of each term the texts that hold it, and its occurrences.
type Counts = FxHashMap<String, (u32, u32)>;

fn count(texts: &[Text]) -> Counts {
    let mut counts = Counts::default();
    for text in texts {
        for (term, occurrences) in term_counts(text) {
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
fn term_counts(text: &Text) -> FxHashMap<String, u32> {
    let mut counts = FxHashMap::default();
    for part in std::iter::once(&text.first).chain(&text.second) {
        let lower = part.to_lowercase();
        let words: Vec<&str> = lower
            .split(|c: char| !(c.is_alphanumeric() || c == '_'))
            .filter(|word| word.chars().nth(1).is_some())
            .collect();
        for word in &words {
            *counts.entry((*word).to_owned()).or_default() += 1;
        }
        for pair in words.windows(2) {
            *counts.entry([pair[0], pair[1]].join(" ")).or_default() += 1;
        }
    }
    counts
}

#[cfg(test)]
mod tests {
    use bakeoff_datasets::Text;

    use super::{TfIdf, term_counts};

    fn text(first: &str) -> Text {
        Text { first: first.to_owned(), second: None }
    }

    #[test]
    fn terms_are_lower_case_words_of_two_letters_and_their_pairs() {
        let mut terms: Vec<_> = term_counts(&text("It's a GOOD-film, good film")).into_iter().collect();
        terms.sort();
        let expected = [("film", 2), ("film good", 1), ("good", 2), ("good film", 2), ("it", 1), ("it good", 1)];
        assert_eq!(terms, expected.map(|(term, count)| (term.to_owned(), count)));
    }

    #[test]
    fn no_pair_spans_two_texts() {
        let pair = Text { first: "good".to_owned(), second: Some("film".to_owned()) };
        assert!(!term_counts(&pair).contains_key("good film"));
    }

    #[test]
    fn the_limit_keeps_the_commonest_terms_and_ties_go_by_the_alphabet() {
        let texts = [text("bb aa"), text("bb cc")];
        let encoder = TfIdf::fit(&texts, 2);
        let mut terms: Vec<_> = encoder.columns.keys().cloned().collect();
        terms.sort();
        assert_eq!(terms, ["aa", "bb"]);
    }

    #[test]
    fn a_text_of_unknown_words_is_a_row_of_zeros() {
        let encoder = TfIdf::fit(&[text("good film")], 10);
        assert!(encoder.encode(&[text("dire")]).row(0).is_empty());
    }
}
