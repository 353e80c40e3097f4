//! Shards of a batch on threads of their own.
//!
//! The backend gains little from several threads within one operation, so each shard runs as a whole on a pool of one
//! thread. Its result depends on the shard alone, and results are returned in the order of the shards. The number of
//! threads therefore changes the time but no result. If there is only one shard to predict, all threads share its
//! products, which changes no result either.

use std::sync::atomic::{AtomicBool, Ordering};
use std::sync::{Mutex, PoisonError};

use rayon::{ThreadPool, ThreadPoolBuilder, Yield};

use crate::model::ModelError;
use crate::parallel;

/// How often a thread that spins looks for work before it yields the processor: some tens of microseconds.
pub(super) const SPINS_BEFORE_YIELD: usize = 1000;

/// One pool of one thread for each thread, and one pool of all threads if there are several.
#[derive(Debug)]
pub(crate) struct Pools {
    single: Vec<ThreadPool>,
    /// Locked while it works: two works at once could wait for each other's threads for ever.
    all: Option<Mutex<ThreadPool>>,
}

impl Pools {
    /// Starts `threads` threads, or fewer if the system starts no more.
    ///
    /// # Errors
    /// If not a single thread starts.
    pub(crate) fn new(threads: usize) -> Result<Pools, ModelError> {
        let pool = |threads| ThreadPoolBuilder::new().num_threads(threads).build();
        parallel::start(threads, |threads| {
            let single = (0..threads).map(|_| pool(1)).collect::<Result<_, _>>()?;
            let all = if threads > 1 { Some(Mutex::new(pool(threads)?)) } else { None };
            Ok(Pools { single, all })
        })
    }

    /// How many threads work at the same time.
    pub(crate) fn threads(&self) -> usize {
        self.single.len()
    }

    /// Runs `work` on one thread of the pool of all threads. The other threads spin until there is a part of the work
    /// for them, because waking a thread takes longer than a product. They yield the processor to whatever else needs
    /// it. This must not be called from within `work`.
    pub(crate) fn together<R: Send>(&self, work: impl FnOnce() -> R + Send) -> R {
        let Some(all) = &self.all else { return self.single[0].install(work) };
        // A pool outlives the panic of its work.
        let all = all.lock().unwrap_or_else(PoisonError::into_inner);
        let done = AtomicBool::new(false);
        let help = || {
            let mut idle = 0;
            while !done.load(Ordering::Acquire) {
                idle = if rayon::yield_now() == Some(Yield::Executed) { 0 } else { idle + 1 };
                if idle > SPINS_BEFORE_YIELD {
                    std::thread::yield_now();
                }
            }
        };
        all.in_place_scope(|scope| {
            // Spawned before the work, because the pool takes jobs in order. Inside the work, a thread that waits for
            // the other half of a join could otherwise take one of these jobs and never return to the join.
            (1..self.single.len()).for_each(|_| scope.spawn(|_| help()));
            // Set even if the work panics, because otherwise the scope would wait for the other threads for ever.
            let _set = SetOnDrop(&done);
            all.install(work)
        })
    }

    /// Runs `work` on each item. The results are in the order of the items.
    pub(crate) fn map<T: Sync, R: Send>(&self, items: &[T], work: impl Fn(usize, &T) -> R + Sync) -> Vec<R> {
        let pools = &self.single[..self.single.len().min(items.len())];
        parallel::in_order(items.len(), |index| work(index, &items[index]), |work| on_each(pools, work))
    }
}

/// Runs `work` once in each of the pools at the same time. The calling thread only waits.
fn on_each(pools: &[ThreadPool], work: &(dyn Fn() + Sync)) {
    if let Some((first, rest)) = pools.split_first() {
        first.in_place_scope(|scope| {
            scope.spawn(|_| work());
            on_each(rest, work);
        });
    }
}

/// Sets a flag when it is dropped.
struct SetOnDrop<'a>(&'a AtomicBool);

impl Drop for SetOnDrop<'_> {
    fn drop(&mut self) {
        self.0.store(true, Ordering::Release);
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn results_keep_the_order_of_the_items_whatever_the_threads() {
        let items: Vec<usize> = (0..100).collect();
        for threads in [1, 2, 5] {
            let squares = Pools::new(threads).expect("threads").map(&items, |index, item| index * item);
            assert_eq!(squares, items.iter().map(|i| i * i).collect::<Vec<_>>());
        }
    }

    #[test]
    fn work_shared_by_all_threads_ends_and_so_does_its_panic() {
        let pools = Pools::new(3).expect("threads");
        assert_eq!(pools.together(rayon::current_num_threads), 3);
        let panic = std::panic::AssertUnwindSafe(|| pools.together(|| panic!("a model's fault")));
        assert!(std::panic::catch_unwind(panic).is_err());
    }

    #[test]
    fn every_item_runs_on_a_pool_of_one_thread() {
        let widths = Pools::new(3).expect("threads").map(&[(); 8], |_, ()| rayon::current_num_threads());
        assert_eq!(widths, vec![1; 8]);
    }
}
