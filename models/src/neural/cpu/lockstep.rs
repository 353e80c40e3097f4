//! Threads of a pool that work in lockstep. Each has a part of its own, and after every step all of them wait for the
//! last.
//!
//! A step may take a few microseconds, which is less than it takes to hand work to another thread. So waiting threads
//! spin, and yield the processor only after some time.

use std::hint::spin_loop;
use std::sync::atomic::{AtomicBool, AtomicUsize, Ordering};

use super::pools::SPINS_BEFORE_YIELD;

/// The state that the threads share.
#[derive(Default)]
struct LockstepState {
    /// How many steps were ended, counted over all threads.
    arrivals: AtomicUsize,
    /// Whether a thread panicked. It will end no further step.
    has_panicked: AtomicBool,
}

/// One of the threads.
pub(super) struct LockstepThread<'a> {
    pub(super) index: usize,
    pub(super) threads: usize,
    steps: usize,
    state: &'a LockstepState,
}

impl LockstepThread<'_> {
    /// Waits until all threads have ended their step. This thread can then load what the others stored before.
    ///
    /// # Panics
    /// If another thread panicked.
    pub(super) fn wait(&mut self) {
        self.steps += 1;
        self.state.arrivals.fetch_add(1, Ordering::AcqRel);
        let mut idle = 0;
        while self.state.arrivals.load(Ordering::Acquire) < self.steps * self.threads {
            assert!(!self.state.has_panicked.load(Ordering::Relaxed), "another thread panicked");
            idle += 1;
            if idle > SPINS_BEFORE_YIELD {
                std::thread::yield_now();
            } else {
                spin_loop();
            }
        }
    }
}

impl Drop for LockstepThread<'_> {
    fn drop(&mut self) {
        if std::thread::panicking() {
            self.state.has_panicked.store(true, Ordering::Relaxed);
        }
    }
}

/// Runs `work` on `threads` threads of the current pool at once. Only one thread of a pool may call this at a time,
/// because two calls would wait for each other for ever.
///
/// # Panics
/// If the pool has fewer threads, or `work` panics.
pub(super) fn lockstep(threads: usize, work: impl Fn(LockstepThread<'_>) + Sync) {
    let state = LockstepState::default();
    let numbered = |index| LockstepThread { index, threads, steps: 0, state: &state };
    if threads == 1 {
        return work(numbered(0));
    }
    assert!(
        threads <= rayon::current_num_threads(),
        "each of them needs a thread of the pool, else the others wait for ever"
    );
    rayon::broadcast(|thread| {
        if thread.index() < threads {
            work(numbered(thread.index()));
        }
    });
}

#[cfg(test)]
mod tests {
    use std::panic::{AssertUnwindSafe, catch_unwind};

    use rayon::ThreadPoolBuilder;

    use super::*;

    #[test]
    fn no_thread_is_a_step_ahead_of_another() {
        let pool = ThreadPoolBuilder::new().num_threads(3).build().expect("threads");
        for threads in 1..=3 {
            let done = AtomicUsize::new(0);
            pool.install(|| {
                lockstep(threads, |mut thread| {
                    for step in 1..=500 {
                        done.fetch_add(1, Ordering::Relaxed);
                        thread.wait();
                        assert!((step * threads..(step + 1) * threads).contains(&done.load(Ordering::Relaxed)));
                        thread.wait();
                    }
                });
            });
            assert_eq!(done.into_inner(), 500 * threads);
        }
    }

    #[test]
    fn a_panic_of_one_thread_ends_all() {
        let pool = ThreadPoolBuilder::new().num_threads(3).build().expect("threads");
        let work = |mut thread: LockstepThread<'_>| {
            thread.wait();
            assert_ne!(thread.index, 1, "a model's fault");
            thread.wait();
        };
        assert!(catch_unwind(AssertUnwindSafe(|| pool.install(|| lockstep(3, work)))).is_err());
    }
}
