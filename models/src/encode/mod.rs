//! Encodes raw inputs as features. Encoders learn from training rows only.

pub(crate) mod classic;
pub(crate) mod columns;
pub(crate) mod features;
pub(crate) mod hog;
pub(crate) mod images;
pub(crate) mod pairs;
pub(crate) mod pieces;
pub(crate) mod scale;
pub(crate) mod sparse;
pub(crate) mod tfidf;
pub(crate) mod vocabulary;
pub(crate) mod words;

#[cfg(test)]
#[expect(clippy::unwrap_used, reason = "tests")]
mod tests;
