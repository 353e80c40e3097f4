//! Work on a fixed number of threads, with progress told on the calling thread.

use std::sync::mpsc;

use rayon::prelude::*;
use rayon::{ThreadPool, ThreadPoolBuilder};

use crate::model::{ModelError, Watch};

/// A pool of `threads` threads.
///
/// # Errors
/// If the system does not give that many.
pub(crate) fn pool(threads: usize) -> Result<ThreadPool, ModelError> {
    ThreadPoolBuilder::new()
        .num_threads(threads.max(1))
        .build()
        .map_err(|e| ModelError::Failed(format!("failed to start {threads} threads: {e}; ask for fewer")))
}

/// `task(0)`, …, `task(total - 1)` in that order, computed in `pool`; each one done is told to `watch`.
pub(crate) fn map<T: Send>(
    pool: &ThreadPool,
    total: usize,
    watch: &mut dyn Watch,
    task: impl Fn(usize) -> T + Sync,
) -> Vec<T> {
    let mut results = Vec::new();
    let (sender, receiver) = mpsc::channel();
    pool.in_place_scope(|scope| {
        scope.spawn(|_| {
            let tell = sender;
            results = (0..total)
                .into_par_iter()
                .map(|index| {
                    let result = task(index);
                    // The receiver listens until the last sender is gone; it cannot hang up first.
                    tell.send(()).expect("the calling thread listens");
                    result
                })
                .collect();
        });
        for (index, ()) in receiver.iter().enumerate() {
            watch.progress(index + 1, total);
        }
    });
    results
}

#[cfg(test)]
#[expect(clippy::unwrap_used, reason = "tests")]
mod tests {
    use super::{map, pool};
    use crate::model::{EpochReport, ModelError, Watch};

    struct Steps(Vec<(usize, usize)>);

    impl Watch for Steps {
        fn epoch(&mut self, _: &EpochReport<'_>) -> Result<f64, ModelError> {
            unreachable!("there are no epochs here")
        }

        fn progress(&mut self, done: usize, total: usize) {
            self.0.push((done, total));
        }
    }

    #[test]
    fn results_keep_their_order_and_every_step_is_told() {
        let mut steps = Steps(Vec::new());
        let squares = map(&pool(3).unwrap(), 50, &mut steps, |i| i * i);
        assert_eq!(squares, (0..50).map(|i| i * i).collect::<Vec<_>>());
        assert_eq!(steps.0, (1..=50).map(|done| (done, 50)).collect::<Vec<_>>());
    }
}
