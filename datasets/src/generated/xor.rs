//! The exclusive or of two words: the simplest function that is no sum of what each word says alone (Minsky and Papert 1969,
//! *Perceptrons*).

use rand_chacha::ChaCha8Rng;

use super::words::{below, distractors};

/// A text holds one word of each pair.
const PAIRS: [[&str; 2]; 2] = [["ka", "ro"], ["tu", "vi"]];
/// Whether both words are the same ones of their pairs: both the first, or both the second.
pub(super) const CLASSES: [&str; 2] = ["same", "different"];
/// Words of a text.
pub(super) const WORDS: usize = 12;

/// The words and the label of a row. Four rows in a row hold the four combinations; random are the places, which are never
/// neighbours, and the distractors.
pub(super) fn example(row: usize, random: &mut ChaCha8Rng) -> (Vec<&'static str>, u16) {
    let (one, other) = (row % 2, row / 2 % 2);
    let mut words = distractors(WORDS, random);
    let place = below(WORDS, random);
    // Neither that place nor a neighbour of it, going round the end of the text.
    let gap = 2 + below(WORDS - 3, random);
    words[place] = PAIRS[0][one];
    words[(place + gap) % WORDS] = PAIRS[1][other];
    (words, u16::from(one != other))
}
