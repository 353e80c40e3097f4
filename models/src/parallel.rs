//! Work on a fixed number of threads, or on fewer if the system does not start so many.

use std::any::Any;
use std::fmt;
use std::sync::atomic::{AtomicBool, AtomicUsize, Ordering};
use std::sync::{Arc, Mutex, PoisonError, mpsc};
use std::time::Duration;

use rayon::{ThreadPool, ThreadPoolBuildError, ThreadPoolBuilder};

use crate::model::{ModelError, Watch};

/// How long to wait until threads of a failed attempt have ended, so that others can be started in their place.
const WAIT_FOR_THREADS_TO_END: Duration = Duration::from_millis(10);

/// Threads of the processor that a model may use, started when the first model wants them. Models that were built from
/// clones share them. A thread that goes from one model to the next need not wake up, and keeps its memory.
#[derive(Clone)]
pub struct Threads {
    count: usize,
    /// At most one of each type.
    started: Arc<Mutex<Vec<Arc<dyn Any + Send + Sync>>>>,
}

impl Threads {
    /// So many threads, none of which runs yet.
    pub fn new(count: usize) -> Threads {
        Threads { count, started: Arc::default() }
    }

    /// How many they are.
    pub(crate) fn count(&self) -> usize {
        self.count
    }

    /// A pool of them, or of fewer where the system starts no more.
    ///
    /// # Errors
    /// If there is not a single thread.
    pub(crate) fn pool(&self) -> Result<Arc<ThreadPool>, ModelError> {
        self.shared(pool)
    }

    /// What `start` makes on so many threads: made once, and the same for all clones.
    ///
    /// # Errors
    /// As `start`.
    pub(crate) fn shared<T: Any + Send + Sync>(
        &self,
        start: impl FnOnce(usize) -> Result<T, ModelError>,
    ) -> Result<Arc<T>, ModelError> {
        // What a panic leaves in the list is whole.
        let mut started = self.started.lock().unwrap_or_else(PoisonError::into_inner);
        if let Some(found) = started.iter().find_map(|one| Arc::clone(one).downcast().ok()) {
            return Ok(found);
        }
        let new = Arc::new(start(self.count)?);
        started.push(Arc::clone(&new) as _);
        Ok(new)
    }
}

impl fmt::Debug for Threads {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.debug_tuple("Threads").field(&self.count).finish()
    }
}

/// What `build` makes on `threads` threads, or on fewer if the system starts no more. A limit on processes counts
/// threads too.
///
/// # Errors
/// If not a single thread starts.
pub(crate) fn start<T>(
    threads: usize,
    build: impl Fn(usize) -> Result<T, ThreadPoolBuildError>,
) -> Result<T, ModelError> {
    let mut threads = threads.max(1);
    loop {
        match build(threads) {
            Ok(built) => return Ok(built),
            Err(error) if threads == 1 => {
                let reason = format!("failed to start a thread: {error}; raise the limit on processes (ulimit -u)");
                return Err(ModelError::Failed(reason));
            }
            Err(_) => {
                threads -= threads.div_ceil(8);
                std::thread::sleep(WAIT_FOR_THREADS_TO_END);
            }
        }
    }
}

/// A pool of `threads` threads, or of fewer if the system starts no more.
///
/// # Errors
/// If not a single thread starts.
pub(crate) fn pool(threads: usize) -> Result<ThreadPool, ModelError> {
    start(threads, |threads| ThreadPoolBuilder::new().num_threads(threads).build())
}

/// Runs `work` with its parallel iterators on `threads` threads, or on fewer if the system starts no more. If it starts
/// none, they run on the calling thread. Also returns the number of threads.
pub fn on_threads<R: Send>(threads: usize, work: impl FnOnce() -> R + Send) -> (R, usize) {
    match pool(threads) {
        Ok(pool) => (pool.install(work), pool.current_num_threads()),
        Err(_) => {
            // This fails if the calling thread belongs to a pool. The iterators then run on that pool.
            let _alone = ThreadPoolBuilder::new().num_threads(1).use_current_thread().build();
            (work(), rayon::current_num_threads())
        }
    }
}

/// `task(0)`, …, `task(total - 1)` in that order. `spread` must call its argument on as many threads as shall share the
/// tasks, and return when all those calls have returned.
pub(crate) fn in_order<T: Send>(
    total: usize,
    task: impl Fn(usize) -> T + Sync,
    spread: impl FnOnce(&(dyn Fn() + Sync)),
) -> Vec<T> {
    let next = AtomicUsize::new(0);
    let results: Vec<Mutex<Option<T>>> = (0..total).map(|_| Mutex::new(None)).collect();
    spread(&|| {
        loop {
            let index = next.fetch_add(1, Ordering::Relaxed);
            let Some(place) = results.get(index) else { return };
            let result = task(index);
            *place.lock().expect("no other thread has this task") = Some(result);
        }
    });
    let result =
        |place: Mutex<Option<T>>| place.into_inner().expect("no thread panicked").expect("every task was done");
    results.into_iter().map(result).collect()
}

/// `task(0)`, …, `task(total - 1)` in that order, computed in `pool`. Each finished task is reported to `watch` on the
/// calling thread. No task begins after the budget of `watch` is used up, so there may be fewer results.
pub(crate) fn map<T: Send>(
    pool: &ThreadPool,
    total: usize,
    watch: &mut dyn Watch,
    task: impl Fn(usize) -> T + Sync,
) -> Vec<T> {
    let mut results: Vec<Option<T>> = Vec::new();
    let is_over = AtomicBool::new(false);
    let (sender, receiver) = mpsc::channel();
    pool.in_place_scope(|scope| {
        scope.spawn(|_| {
            let tell = sender;
            let told = |index| {
                let result = (!is_over.load(Ordering::Relaxed)).then(|| task(index))?;
                // The receiver listens until the sender is dropped, so it cannot end first.
                tell.send(()).expect("the calling thread listens");
                Some(result)
            };
            results = in_order(total, told, |work| drop(rayon::broadcast(|_| work())));
        });
        for (index, ()) in receiver.iter().enumerate() {
            watch.progress(index + 1, total);
            is_over.fetch_or(watch.spent().is_some_and(|spent| spent >= 1.0), Ordering::Relaxed);
        }
    });
    results.into_iter().flatten().collect()
}

#[cfg(test)]
#[expect(clippy::unwrap_used, reason = "tests")]
mod tests {
    use std::cell::RefCell;
    use std::sync::Arc;

    use rayon::ThreadPoolBuilder;

    use super::{Threads, map, on_threads, pool, start};
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
    fn results_keep_their_order_and_every_step_is_reported() {
        let mut steps = Steps(Vec::new());
        let squares = map(&pool(3).unwrap(), 50, &mut steps, |i| i * i);
        assert_eq!(squares, (0..50).map(|i| i * i).collect::<Vec<_>>());
        assert_eq!(steps.0, (1..=50).map(|done| (done, 50)).collect::<Vec<_>>());
    }

    #[test]
    fn fewer_threads_are_started_where_the_system_gives_no_more() {
        let tried = RefCell::new(Vec::new());
        let given = |most: usize| {
            tried.borrow_mut().clear();
            start(100, |threads| {
                tried.borrow_mut().push(threads);
                let spawn = |thread: rayon::ThreadBuilder| match thread.index() < most {
                    true => std::thread::Builder::new().spawn(|| thread.run()).map(drop),
                    false => Err(std::io::Error::from_raw_os_error(11)),
                };
                ThreadPoolBuilder::new().num_threads(threads).spawn_handler(spawn).build()
            })
        };
        assert_eq!(given(100).unwrap().current_num_threads(), 100);
        let most = given(40).unwrap().current_num_threads();
        assert!((35..=40).contains(&most), "{most} of 40: {tried:?}");
        assert_eq!(given(1).unwrap().current_num_threads(), 1);
        let error = given(0).unwrap_err().to_string();
        assert!(error.contains("failed to start a thread") && error.contains("ulimit -u"), "{error}");
        assert_eq!(tried.borrow().last(), Some(&1));
    }

    #[test]
    fn clones_share_their_threads_and_others_do_not() {
        let threads = Threads::new(2);
        let (one, other) = (threads.pool().unwrap(), threads.clone().pool().unwrap());
        assert!(Arc::ptr_eq(&one, &other) && one.current_num_threads() == 2);
        assert!(!Arc::ptr_eq(&one, &Threads::new(2).pool().unwrap()));
        // Another thing on the same threads is another thing.
        assert_eq!((*threads.shared(Ok).unwrap(), *threads.shared(|_| Ok(7_usize)).unwrap()), (2, 2));
        assert!(Threads::new(1).shared(|_| Err::<u8, _>(ModelError::Failed("no thread".to_owned()))).is_err());
    }

    #[test]
    fn work_runs_on_the_threads_that_are_reported() {
        assert_eq!(on_threads(3, rayon::current_num_threads), (3, 3));
        assert_eq!(on_threads(0, rayon::current_num_threads), (1, 1));
    }
}
