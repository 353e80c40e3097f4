//! Shards of a batch on threads of their own.
//!
//! Within one operation the backend scales badly over threads, so each shard runs whole on a pool of one thread. A
//! shard's result depends on the shard alone, and results come back in the order of the shards: the number of threads
//! changes the time and nothing else.

use std::sync::Mutex;
use std::sync::atomic::{AtomicUsize, Ordering};

use rayon::{ThreadPool, ThreadPoolBuilder};

use crate::model::ModelError;

/// Pools of one thread each.
#[derive(Debug)]
pub(crate) struct Pools(Vec<ThreadPool>);

impl Pools {
    /// `threads` pools, at least one.
    ///
    /// # Errors
    /// If the system gives no thread.
    pub(crate) fn new(threads: usize) -> Result<Pools, ModelError> {
        (0..threads.max(1))
            .map(|_| ThreadPoolBuilder::new().num_threads(1).build())
            .collect::<Result<_, _>>()
            .map(Pools)
            .map_err(|error| ModelError::Failed(format!("no thread to compute on: {error}")))
    }

    /// `work` on each item, results in the order of the items.
    pub(crate) fn map<T: Sync, R: Send>(&self, items: &[T], work: impl Fn(usize, &T) -> R + Sync) -> Vec<R> {
        let next = AtomicUsize::new(0);
        let results: Vec<Mutex<Option<R>>> = items.iter().map(|_| Mutex::new(None)).collect();
        let drain = || {
            loop {
                let index = next.fetch_add(1, Ordering::Relaxed);
                let Some(item) = items.get(index) else { return };
                let result = work(index, item);
                *results[index].lock().expect("no other thread takes this item") = Some(result);
            }
        };
        let (first, others) = self.0.split_first().expect("there is at least one pool");
        std::thread::scope(|scope| {
            for pool in others.iter().take(items.len().saturating_sub(1)) {
                scope.spawn(|| pool.install(drain));
            }
            first.install(drain);
        });
        results
            .into_iter()
            .map(|cell| cell.into_inner().expect("no thread panicked").expect("every item was taken"))
            .collect()
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
    fn every_item_runs_on_a_pool_of_one_thread() {
        let widths = Pools::new(3).expect("threads").map(&[(); 8], |_, ()| rayon::current_num_threads());
        assert_eq!(widths, vec![1; 8]);
    }
}
