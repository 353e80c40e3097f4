//! The order of two markers that are far apart, after the temporal-order problem of Hochreiter and Schmidhuber 1997
//! (*Long Short-Term Memory*, Neural Computation 9, experiment 6).

use rand_chacha::ChaCha8Rng;

use super::words::{below, distractors};

/// A text holds two of them. Each is followed by the next in the cycle `ka` → `ro` → `tu` → `ka`.
const MARKERS: [&str; 3] = ["ka", "ro", "tu"];
/// Whether the marker that comes second in the text is the next in the cycle after the first, or the one before it.
pub(super) const CLASSES: [&str; 2] = ["forward", "backward"];
/// The least number of distractors before the first marker and after the second. A convolution network of depth 8 sees 13 words
/// at a time, so it never sees a marker together with an end of the text, which would show which marker is the first.
const EDGE: usize = 12;
/// How many places the first marker can have.
const PLACES: usize = 4;

/// Words of a text, the same number in all texts of a distance.
pub(super) const fn words(distance: usize) -> usize {
    distance + 2 * EDGE + PLACES
}

/// The words and the label of a row. Six rows in a row hold the six ordered pairs of markers; random are the place and the
/// distractors.
pub(super) fn example(row: usize, distance: usize, random: &mut ChaCha8Rng) -> (Vec<&'static str>, u16) {
    let (label, first) = (row % CLASSES.len(), row / CLASSES.len() % MARKERS.len());
    // One step on in the cycle for the first class, two for the second, which is one step back.
    let second = (first + 1 + label) % MARKERS.len();
    let place = EDGE + below(PLACES, random);
    let mut words = distractors(words(distance), random);
    words[place] = MARKERS[first];
    words[place + distance] = MARKERS[second];
    (words, label as u16)
}

#[cfg(test)]
mod tests {
    /// Three numbers from 0 to 8.
    fn triples() -> impl Iterator<Item = [usize; 3]> {
        (0..9 * 9 * 9).map(|code| [code / 81, code / 9 % 9, code % 9])
    }

    #[test]
    fn a_sum_of_what_each_marker_says_alone_is_right_for_at_most_five_of_the_six_pairs() {
        // The inequalities of the three forward pairs add up to the opposite of what those of the three backward pairs do.
        let right = |first: [usize; 3], second: [usize; 3]| {
            let forward = (0..3).filter(|&marker| first[marker] + second[(marker + 1) % 3] > 8).count();
            let backward = (0..3).filter(|&marker| first[marker] + second[(marker + 2) % 3] < 8).count();
            forward + backward
        };
        let most = triples().flat_map(|first| triples().map(move |second| right(first, second))).max();
        assert_eq!(most, Some(5));
    }
}
