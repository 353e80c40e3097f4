//! The search for the highest rate of queries that holds a bound.

/// Two rates that differ by no more than this share of the higher one are not told apart.
const RESOLUTION: f64 = 0.005;
/// The most rates that a search tries, if its ends are no further apart than a factor of a million.
pub const MOST_STEPS: usize = 30;

/// What a search has found.
#[derive(Debug, Clone, Copy, PartialEq)]
pub struct Search {
    /// The highest rate that held, if any did. It was tried itself.
    pub held: Option<f64>,
    /// How many rates were tried.
    pub steps: usize,
}

/// The highest rate between `lowest` and `highest` that `holds`, to half a percent. `highest` is tried first, and then the middle of what
/// is left.
///
/// The search ends: each step after the first halves the distance between the highest rate that held and the lowest that did not, until
/// it is half a percent of the latter or less. That is so after `log2(200 highest / lowest)` halvings at the latest, because no rate below
/// `lowest` is tried. It ends so whatever the trials say, and also if a rate holds and a lower one does not.
///
/// # Errors
/// Those of `holds`. The search then ends.
pub fn highest_rate<E>(lowest: f64, highest: f64, mut holds: impl FnMut(f64) -> Result<bool, E>) -> Result<Search, E> {
    if holds(highest)? {
        return Ok(Search { held: Some(highest), steps: 1 });
    }
    let (mut held, mut failed) = (None, highest);
    let mut steps = 1;
    for _ in 0..halvings(lowest, highest) {
        let low = held.unwrap_or(lowest);
        if failed - low <= RESOLUTION * failed {
            break;
        }
        let middle = f64::midpoint(low, failed);
        steps += 1;
        if holds(middle)? { held = Some(middle) } else { failed = middle }
    }
    Ok(Search { held, steps })
}

/// After so many halvings, the distance between the two rates is at most half a percent of the lowest one.
fn halvings(lowest: f64, highest: f64) -> usize {
    let needed = ((highest - lowest) / (RESOLUTION * lowest)).log2().ceil();
    // A lowest rate of 0 has no end of halvings, and no number of them is needed for a highest rate at the lowest.
    needed.clamp(0.0, (MOST_STEPS - 1) as f64) as usize
}

#[cfg(test)]
mod tests {
    use std::convert::Infallible;

    use proptest::prelude::*;

    use super::*;

    fn search(lowest: f64, highest: f64, mut holds: impl FnMut(f64) -> bool) -> Search {
        let Ok(found) = highest_rate(lowest, highest, |rate| Ok::<_, Infallible>(holds(rate)));
        found
    }

    #[test]
    fn a_highest_rate_that_holds_is_found_at_once() {
        assert_eq!(search(1.0, 80.0, |_| true), Search { held: Some(80.0), steps: 1 });
    }

    #[test]
    fn no_rate_that_holds_ends_the_search_near_the_lowest_rate() {
        let mut tried = Vec::new();
        let found = search(1.0, 1000.0, |rate| {
            tried.push(rate);
            false
        });
        assert_eq!((found.held, found.steps), (None, tried.len()));
        assert!(tried.iter().all(|rate| *rate > 1.0) && tried[tried.len() - 1] < 1.01, "{tried:?}");
    }

    #[test]
    fn an_error_ends_the_search() {
        assert_eq!(highest_rate(1.0, 9.0, |_| Err("a fault")), Err("a fault"));
    }

    #[test]
    fn ends_that_make_no_sense_end_the_search_too() {
        for (lowest, highest) in [(0.0, 10.0), (10.0, 10.0), (20.0, 10.0), (f64::NAN, 10.0), (1.0, f64::INFINITY)] {
            assert!(search(lowest, highest, |_| false).steps <= MOST_STEPS, "{lowest} {highest}");
        }
    }

    proptest! {
        #[test]
        fn the_rate_that_is_found_holds_and_one_a_little_higher_does_not(
            lowest in 0.01..10.0_f64,
            factor in 1.0..1e6_f64,
            share in 0.0..1.0_f64,
        ) {
            let highest = lowest * factor;
            let limit = lowest + share * (highest - lowest);
            let found = search(lowest, highest, |rate| rate <= limit);
            prop_assert!(found.steps <= MOST_STEPS);
            match found.held {
                Some(held) => prop_assert!(held <= limit && limit - held <= 0.0052 * limit),
                None => prop_assert!(limit <= 1.0052 * lowest),
            }
        }

        #[test]
        fn the_search_ends_whatever_the_trials_say(answers in proptest::collection::vec(any::<bool>(), MOST_STEPS)) {
            let mut answers = answers.into_iter();
            let found = search(0.5, 4e5, |_| answers.next().expect("fewer steps than the most"));
            prop_assert!(found.steps <= MOST_STEPS);
        }
    }
}
