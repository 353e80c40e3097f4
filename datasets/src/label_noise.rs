//! Wrong labels, put into training rows on purpose.

use rand_chacha::ChaCha8Rng;
use rand_chacha::rand_core::{Rng, SeedableRng};

use crate::example::Targets;
use crate::split::shuffled;

/// Gives `share` of the rows, rounded to whole rows, another class than their own: the new targets, and how many rows changed.
///
/// `seed` chooses the rows and, with equal chances, their new classes (symmetric noise). For one seed, the rows of a smaller
/// share are among those of a larger one, with the same new classes.
///
/// Numbers stay as they are, and so do the labels of fewer than two classes.
pub fn with_label_noise(targets: &Targets, share: f64, seed: u64) -> (Targets, usize) {
    let Targets::Classes { labels, names } = targets else { return (targets.clone(), 0) };
    let classes = names.len();
    if classes < 2 {
        return (targets.clone(), 0);
    }
    let changed = (share * labels.len() as f64).round() as usize;
    // A stream of its own: the numbers that choose the rows must not choose the classes too.
    let mut random = ChaCha8Rng::seed_from_u64(seed);
    random.set_stream(1);
    let mut noisy = labels.clone();
    for row in shuffled(labels.len(), seed).into_iter().take(changed) {
        // The remainder favours a class by less than 1 in 2^47: there are at most 2^16 classes.
        let step = 1 + (random.next_u64() % (classes as u64 - 1)) as usize;
        noisy[row] = ((usize::from(labels[row]) + step) % classes) as u16;
    }
    (Targets::Classes { labels: noisy, names: names.clone() }, changed)
}

#[cfg(test)]
mod tests {
    use std::sync::Arc;

    use proptest::prelude::*;

    use super::*;

    fn labels(targets: &Targets) -> &[u16] {
        let Targets::Classes { labels, .. } = targets else { panic!("not classes") };
        labels
    }

    proptest! {
        #[test]
        fn so_many_rows_and_no_others_get_another_class(classes in 2_u16..12, rows in 1_usize..200, share in 0.0..0.9_f64, seed: u64) {
            let names: Arc<[String]> = (0..classes).map(|class| class.to_string()).collect();
            let targets = Targets::Classes { labels: (0..rows).map(|row| row as u16 % classes).collect(), names };
            let (noisy, changed) = with_label_noise(&targets, share, seed);
            let differ = |one: &Targets, other: &Targets| -> Vec<bool> {
                labels(one).iter().zip(labels(other)).map(|(one, other)| one != other).collect()
            };
            let wrong = differ(&targets, &noisy);
            prop_assert_eq!(wrong.iter().filter(|&&wrong| wrong).count(), changed);
            prop_assert_eq!(changed, (share * rows as f64).round() as usize);
            prop_assert!(labels(&noisy).iter().all(|&label| label < classes));
            let (less, _) = with_label_noise(&targets, share / 2.0, seed);
            for (row, is_wrong) in differ(&targets, &less).into_iter().enumerate() {
                prop_assert!(!is_wrong || labels(&less)[row] == labels(&noisy)[row], "row {}", row);
            }
        }
    }

    #[test]
    fn every_other_class_is_as_likely() {
        let names: Arc<[String]> = (0..4).map(|class| class.to_string()).collect();
        let targets = Targets::Classes { labels: vec![1; 30_000], names };
        let (noisy, _) = with_label_noise(&targets, 0.3, 7);
        for class in [0, 2, 3] {
            let count = labels(&noisy).iter().filter(|&&label| label == class).count();
            assert!((2_800..3_200).contains(&count), "{class}: {count}");
        }
    }

    #[test]
    fn numbers_stay_as_they_are() {
        let targets = Targets::Values(vec![1.0, 2.0]);
        assert_eq!(with_label_noise(&targets, 0.5, 1), (targets, 0));
    }
}
