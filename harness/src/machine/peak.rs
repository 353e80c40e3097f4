//! How much this machine can do at most, as the kernels of the networks use it.

use bakeoff_models::PeakWork;
use serde::{Deserialize, Serialize};

use super::Machine;

/// The bytes that a pass over memory reads: more than the caches of most processors hold.
const PASS_BYTES: u64 = 256 << 20;
/// Work is repeated for so many seconds, and at least this often. The fastest repetition counts.
const SECONDS: f64 = 0.3;
const FEWEST: usize = 3;

/// What a machine can do at most on a number of threads.
#[derive(Debug, Clone, Copy, PartialEq, Serialize, Deserialize)]
#[serde(deny_unknown_fields)]
pub struct Peak {
    /// Floating-point operations a second, in a product of two matrices.
    pub flops_per_s: f64,
    /// Bytes a second that are read from memory.
    pub bytes_per_s: f64,
}

/// Measures the peak of `machine` on so many threads, in less than a second. `None` if no thread starts, or if there is no memory for it.
pub(super) fn measure(machine: &dyn Machine, threads: usize) -> Option<Peak> {
    // It must not be what a small machine runs out of.
    let bytes = PASS_BYTES.min(machine.describe().memory_bytes / 8);
    let mut work = PeakWork::new(threads, usize::try_from(bytes).ok()?).ok()?;
    let product_s = fastest(machine, || work.multiply());
    let pass_s = fastest(machine, || work.read());
    let rate = |amount: u64, seconds: f64| (amount > 0 && seconds > 0.0).then(|| amount as f64 / seconds);
    Some(Peak { flops_per_s: rate(work.flops(), product_s)?, bytes_per_s: rate(work.bytes(), pass_s)? })
}

/// The seconds of the fastest repetition, after one that is not counted.
fn fastest(machine: &dyn Machine, mut work: impl FnMut() -> f32) -> f64 {
    std::hint::black_box(work());
    let (mut fastest_s, mut all_s, mut done) = (f64::INFINITY, 0.0, 0);
    while done < FEWEST || all_s < SECONDS {
        let before = machine.now();
        std::hint::black_box(work());
        let seconds = (machine.now() - before).as_secs_f64();
        fastest_s = fastest_s.min(seconds);
        all_s += seconds;
        done += 1;
    }
    fastest_s
}

#[cfg(test)]
#[expect(clippy::unwrap_used, reason = "tests")]
mod tests {
    use super::super::ThisMachine;
    use super::*;

    #[test]
    fn this_machine_has_a_peak() {
        let peak = measure(&ThisMachine, 1).unwrap();
        assert!(peak.flops_per_s > 0.0 && peak.bytes_per_s > 0.0, "{peak:?}");
    }
}
