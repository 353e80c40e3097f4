//! The words of generated texts: two lower-case letters each, so that every model reads each as one word.

use rand_chacha::ChaCha8Rng;
use rand_chacha::rand_core::Rng;

/// Words that say nothing about the class. None is a marker.
pub(super) const DISTRACTORS: [&str; 8] = ["ba", "de", "fi", "go", "le", "ma", "ni", "so"];

/// `count` random distractors.
pub(super) fn distractors(count: usize, random: &mut ChaCha8Rng) -> Vec<&'static str> {
    let mut bytes = vec![0; count];
    random.fill_bytes(&mut bytes);
    // A power of two divides 256, so that every distractor is as likely as another.
    bytes.into_iter().map(|byte| DISTRACTORS[usize::from(byte) % DISTRACTORS.len()]).collect()
}

/// A random number below `bound`. The bias is at most `bound` in 2^64.
pub(super) fn below(bound: usize, random: &mut ChaCha8Rng) -> usize {
    (random.next_u64() % bound as u64) as usize
}
