//! Texts that the program makes itself, by a rule and a fixed seed. No file is read.
//!
//! docs/generated-tasks.md says what each rule is for. Rows follow from `SEED`, the split and the row's number alone, so they
//! are the same on every machine. The tests hold their sha256: when rows change, the tasks' version must be raised.

use std::sync::Arc;

use rand_chacha::ChaCha8Rng;
use rand_chacha::rand_core::SeedableRng;

use crate::example::{Inputs, Split, Splits, Targets, Text};

mod long_range;
mod words;
mod xor;

/// Rows of every generated task to learn from.
pub const TRAIN_ROWS: usize = 8_000;
/// Rows of every generated task to be scored on.
pub const TEST_ROWS: usize = 1_000;
/// The seed of all generated rows.
const SEED: u64 = 1_997;

/// How a text is made and what decides its class.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum GeneratedTexts {
    /// Two of three markers, exactly `distance` words apart: whether the second is the next of the first in a cycle.
    LongRange {
        /// From one marker to the other, in words.
        distance: usize,
    },
    /// One word of each of two pairs: the exclusive or of which ones.
    Xor,
}

impl GeneratedTexts {
    /// Class names in the order of their labels.
    pub fn classes(self) -> [&'static str; 2] {
        match self {
            GeneratedTexts::LongRange { .. } => long_range::CLASSES,
            GeneratedTexts::Xor => xor::CLASSES,
        }
    }

    /// Words of each text.
    pub fn words(self) -> usize {
        match self {
            GeneratedTexts::LongRange { distance } => long_range::words(distance),
            GeneratedTexts::Xor => xor::WORDS,
        }
    }

    /// All rows.
    pub fn splits(self) -> Splits {
        Splits::new(self.split(TRAIN_ROWS, 0), self.split(TEST_ROWS, 1))
    }

    /// The first `rows` rows of a split. Each row has a stream of random numbers of its own.
    fn split(self, rows: usize, split: u64) -> Split {
        let (mut texts, mut labels) = (Vec::with_capacity(rows), Vec::with_capacity(rows));
        let mut random = ChaCha8Rng::seed_from_u64(SEED);
        for row in 0..rows {
            random.set_stream(split << 32 | row as u64);
            random.set_word_pos(0);
            let (words, label) = match self {
                GeneratedTexts::LongRange { distance } => long_range::example(row, distance, &mut random),
                GeneratedTexts::Xor => xor::example(row, &mut random),
            };
            texts.push(Text { first: words.join(" "), second: None });
            labels.push(label);
        }
        let names: Arc<[String]> = self.classes().map(str::to_owned).into();
        Split { inputs: Inputs::Texts(texts), targets: Targets::Classes { labels, names } }
    }
}
