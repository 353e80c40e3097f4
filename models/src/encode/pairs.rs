//! The features of a pair of texts: those of each text, and how much the two have in common.
//!
//! If u and v are the TF-IDF rows of the two texts, the features begin with the blocks `[u, v, |u - v|, u * v]` of
//! Conneau et al. 2017 (section 3.1, where u and v are learned vectors). Three numbers follow that measure the overlap
//! directly: the cosine of u and v over all terms, the Jaccard index `|A ∩ B| / |A ∪ B|` of their sets of words
//! (Jaccard 1912), and the smaller number of words divided by the larger one. In the document frequencies each text
//! counts as one document.

use std::cmp::Ordering;
use std::collections::HashSet;

use bakeoff_datasets::Text;
use rayon::prelude::*;

use super::sparse::SparseRows;
use super::tfidf::TfIdf;
use super::words::{Tokens, Words};
use crate::artefact::{ArraysIn, ArraysOut};
use crate::model::ModelError;

/// How many blocks of terms a row has.
const BLOCKS: usize = 4;
/// How many numbers follow the blocks.
pub(crate) const OVERLAPS: usize = 3;
/// The largest number of terms of the cosine.
const MOST_TERMS: usize = 1_000_000;

/// An encoder fitted on the training pairs.
#[derive(Debug, Clone)]
pub(crate) struct PairEncoder {
    /// The terms of the blocks.
    terms: TfIdf,
    /// The terms of the cosine. `None` if the blocks have all terms.
    all_terms: Option<TfIdf>,
    tokens: Tokens,
}

impl PairEncoder {
    /// Whether a text has a term that has a weight.
    pub(crate) fn knows_a_term_of(&self, text: &str) -> bool {
        self.all_terms.as_ref().unwrap_or(&self.terms).knows_a_term_of(text)
    }

    /// Learns from pairs, using the words that `tokens` admits. `limit` is the largest number of terms in a row; each
    /// block gets a quarter of it.
    pub(crate) fn fit(pairs: &[Text], tokens: Tokens, limit: usize) -> PairEncoder {
        let texts: Vec<Text> = side(pairs, first).into_iter().chain(side(pairs, second)).collect();
        let limit = (limit / BLOCKS).max(1);
        let terms = TfIdf::fit(&texts, tokens, limit);
        let all_terms = (terms.width() == limit).then(|| TfIdf::fit(&texts, tokens, MOST_TERMS));
        PairEncoder { terms, all_terms, tokens }
    }

    /// The number of terms in a block.
    pub(crate) fn terms(&self) -> usize {
        self.terms.width()
    }

    /// The number of features.
    pub(crate) fn width(&self) -> usize {
        BLOCKS * self.terms.width() + OVERLAPS
    }

    /// A name for each feature.
    pub(crate) fn feature_names(&self) -> Vec<String> {
        let terms = self.terms.terms();
        let blocks: [fn(&String) -> String; BLOCKS] = [
            |term| format!("\"{term}\" in the first text"),
            |term| format!("\"{term}\" in the second text"),
            |term| format!("\"{term}\": difference of both texts"),
            |term| format!("\"{term}\": product of both texts"),
        ];
        let overlaps = ["cosine of both texts", "shared words of both texts", "ratio of the lengths of both texts"];
        let terms = blocks.iter().flat_map(|name| terms.iter().map(name));
        terms.chain(overlaps.map(str::to_owned)).collect()
    }

    /// One row per pair.
    pub(crate) fn encode(&self, pairs: &[Text]) -> SparseRows {
        let (firsts, seconds) = (side(pairs, first), side(pairs, second));
        let both = |terms: &TfIdf| (terms.encode(&firsts), terms.encode(&seconds));
        let (u, v) = both(&self.terms);
        let all = self.all_terms.as_ref().map(both);
        let row = |index: usize| {
            let (u, v) = (u.row(index), v.row(index));
            let cosine = all.as_ref().map_or_else(|| dot(u, v), |(u, v)| dot(u.row(index), v.row(index)));
            self.row(u, v, cosine, &pairs[index])
        };
        let rows: Vec<Vec<(u32, f32)>> = (0..pairs.len()).into_par_iter().map(row).collect();
        let mut sparse = SparseRows::new(self.width());
        rows.iter().for_each(|row| sparse.push(row));
        sparse
    }

    fn row(&self, u: &[(u32, f32)], v: &[(u32, f32)], cosine: f32, pair: &Text) -> Vec<(u32, f32)> {
        let width = u32::try_from(self.terms.width()).expect("terms are numbered by u32");
        let mut row = u.to_vec();
        row.extend(v.iter().map(|&(column, value)| (width + column, value)));
        let shared = aligned(u, v);
        let apart = shared.iter().map(|&(column, u, v)| (2 * width + column, (u - v).abs()));
        row.extend(apart.filter(|&(_, value)| value != 0.0));
        let together = shared.iter().map(|&(column, u, v)| (3 * width + column, u * v));
        row.extend(together.filter(|&(_, value)| value != 0.0));
        let [jaccard, ratio] = overlap(pair, self.tokens);
        row.extend((4 * width..).zip([cosine, jaccard, ratio]).filter(|&(_, value)| value != 0.0));
        row
    }

    /// Adds the weights of the terms as arrays. Returns the terms of the blocks and, if they differ, those of the
    /// cosine.
    pub(crate) fn save(&self, arrays: &mut ArraysOut) -> (Vec<String>, Option<Vec<String>>) {
        let all_terms = self.all_terms.as_ref().map(|terms| terms.save("idf.cosine", arrays));
        (self.terms.save("idf", arrays), all_terms)
    }

    /// Restores an encoder from what [`PairEncoder::save`] stored.
    ///
    /// # Errors
    /// If the terms and the arrays do not fit together.
    pub(crate) fn load(
        (terms, all_terms): (Vec<String>, Option<Vec<String>>),
        tokens: Tokens,
        arrays: &mut ArraysIn,
    ) -> Result<PairEncoder, ModelError> {
        let all_terms = all_terms.map(|terms| TfIdf::load("idf.cosine", terms, tokens, arrays)).transpose()?;
        Ok(PairEncoder { terms: TfIdf::load("idf", terms, tokens, arrays)?, all_terms, tokens })
    }
}

/// Refuses texts that are not all pairs, or, if `pairs` is false, not all single texts.
///
/// # Errors
/// Names the first example of the wrong kind, counted from 0.
pub(crate) fn check_kind(texts: &[Text], pairs: bool) -> Result<(), ModelError> {
    match texts.iter().position(|text| text.second.is_some() != pairs) {
        None => Ok(()),
        Some(example) => {
            let (expected, found) = if pairs { ("pairs of texts", "one text") } else { ("one text each", "a pair") };
            Err(ModelError::Unsupported(format!(
                "this model is for {expected}, but example {example} is {found}; the task's input must say which"
            )))
        }
    }
}

fn first(pair: &Text) -> &str {
    &pair.first
}

fn second(pair: &Text) -> &str {
    pair.second.as_deref().unwrap_or_default()
}

/// The first or the second text of every pair, as a single text.
fn side(pairs: &[Text], of: fn(&Text) -> &str) -> Vec<Text> {
    pairs.iter().map(|pair| Text { first: of(pair).to_owned(), second: None }).collect()
}

/// Every column that is in either row, with the values of both rows, in ascending order. A missing value is zero.
fn aligned(u: &[(u32, f32)], v: &[(u32, f32)]) -> Vec<(u32, f32, f32)> {
    let (mut left, mut right) = (u.iter().peekable(), v.iter().peekable());
    let mut both = Vec::with_capacity(u.len() + v.len());
    loop {
        let order = match (left.peek(), right.peek()) {
            (None, None) => return both,
            (Some(_), None) => Ordering::Less,
            (None, Some(_)) => Ordering::Greater,
            (Some((left, _)), Some((right, _))) => left.cmp(right),
        };
        let u = if order.is_le() { left.next() } else { None };
        let v = if order.is_ge() { right.next() } else { None };
        let column = u.or(v).map_or(0, |&(column, _)| column);
        both.push((column, u.map_or(0.0, |&(_, value)| value), v.map_or(0.0, |&(_, value)| value)));
    }
}

/// The inner product of two rows.
fn dot(u: &[(u32, f32)], v: &[(u32, f32)]) -> f32 {
    aligned(u, v).into_iter().map(|(_, u, v)| u * v).sum()
}

/// The Jaccard index of the words of both texts, and the ratio of the numbers of their words. Both are 0 if there is no
/// word.
fn overlap(pair: &Text, tokens: Tokens) -> [f32; 2] {
    let (u, v) = (Words::of(first(pair), tokens), Words::of(second(pair), tokens));
    let (u, v): (Vec<&str>, Vec<&str>) = (u.iter().collect(), v.iter().collect());
    let share = |part: usize, whole: usize| if whole == 0 { 0.0 } else { part as f32 / whole as f32 };
    let ratio = share(u.len().min(v.len()), u.len().max(v.len()));
    let (u, v): (HashSet<&str>, HashSet<&str>) = (u.into_iter().collect(), v.into_iter().collect());
    let shared = u.intersection(&v).count();
    [share(shared, u.len() + v.len() - shared), ratio]
}

#[cfg(test)]
mod tests {
    use super::*;

    fn pair(first: &str, second: &str) -> Text {
        Text { first: first.to_owned(), second: Some(second.to_owned()) }
    }

    #[test]
    fn a_row_is_both_texts_their_difference_their_product_and_three_overlaps() {
        let pairs = [pair("good film", "good plot"), pair("bad", "")];
        let encoder = PairEncoder::fit(&pairs, Tokens::Words, 1_000_000);
        let rows = encoder.encode(&pairs).to_dense();
        let width = encoder.terms.width();
        // The terms are bad, film, good, good film, good plot, plot.
        assert_eq!((width, rows.ncols()), (6, 4 * 6 + 3));
        let names = encoder.feature_names();
        assert_eq!(names.len(), rows.ncols());
        assert_eq!((&*names[7], &*names[26]), ("\"film\" in the second text", "ratio of the lengths of both texts"));
        let row = rows.row(0);
        let (mut cosine, mut terms) = (0.0, 0);
        for column in 0..width {
            let (u, v) = (row[column], row[width + column]);
            assert!((row[2 * width + column] - (u - v).abs()).abs() < 1e-6);
            assert!((row[3 * width + column] - u * v).abs() < 1e-6);
            cosine += u * v;
            terms += usize::from(u > 0.0) + usize::from(v > 0.0);
        }
        assert_eq!(terms, 6);
        assert!(cosine > 0.1 && (row[4 * width] - cosine).abs() < 1e-6);
        assert_eq!((row[4 * width + 1], row[4 * width + 2]), (1.0 / 3.0, 1.0));
        assert_eq!(rows.row(1).to_vec()[4 * width..], [0.0; 3], "nothing is shared with an empty text");
    }

    #[test]
    fn the_cosine_is_over_all_terms_however_few_the_blocks_have() {
        let pairs = [pair("the rare word", "the rare word"), pair("the one", "the other")];
        let few = PairEncoder::fit(&pairs, Tokens::Words, 4);
        assert_eq!((few.terms.width(), few.width()), (1, 7));
        let (few, all) =
            (few.encode(&pairs).to_dense(), PairEncoder::fit(&pairs, Tokens::Words, 1000).encode(&pairs).to_dense());
        let cosine = |rows: &ndarray::Array2<f32>, row: usize| rows[[row, rows.ncols() - OVERLAPS]];
        for row in 0..2 {
            assert!((cosine(&few, row) - cosine(&all, row)).abs() < 1e-6);
        }
        assert!((cosine(&few, 0) - 1.0).abs() < 1e-6 && cosine(&few, 1) < 0.9);
    }

    #[test]
    fn texts_of_the_other_kind_are_refused_by_example() {
        let texts = [pair("a", "b"), Text { first: "a".to_owned(), second: None }];
        let error = check_kind(&texts, true).expect_err("one is no pair").to_string();
        assert!(error.starts_with("this model is for pairs of texts, but example 1 is one text"), "{error}");
        let error = check_kind(&texts, false).expect_err("one is a pair").to_string();
        assert!(error.starts_with("this model is for one text each, but example 0 is a pair"), "{error}");
        assert!(check_kind(&texts[..1], true).is_ok());
    }
}
