//! The queue of the scenario `server`: queries that arrive by a schedule, and workers that serve them in their order.
//!
//! A worker that is free takes the next query of the schedule, waits for its arrival if that is still to come, and serves it. So a
//! query is served by the worker that is free first, in the order of arrival, as from a queue with several servers; and no thread is
//! needed that puts queries into the queue and takes time from the workers. The latency of a query counts from its arrival by the
//! schedule, however late a worker takes it. Time and service are a [`Worker`], so that the same code runs on threads and the
//! machine's clock, and on virtual time in tests.

use std::sync::atomic::{AtomicUsize, Ordering};
use std::time::Duration;

/// A worker: what it does with a query, and the clock by which it does it.
pub trait Worker {
    /// What it answers.
    type Answer;
    /// Why it cannot go on.
    type Fault;

    /// The time by the clock of all workers.
    fn now(&mut self) -> Duration;

    /// Waits until `time`, or not at all if that has passed. Returns the time then.
    ///
    /// # Errors
    /// If the clock cannot be trusted.
    fn wait_until(&mut self, time: Duration) -> Result<Duration, Self::Fault>;

    /// Serves the query with this place in the schedule.
    ///
    /// # Errors
    /// If there is no answer.
    fn serve(&mut self, query: usize) -> Result<Self::Answer, Self::Fault>;
}

/// A query that was served.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub struct Served {
    /// Its place in the schedule, from 0.
    pub query: usize,
    /// The time from its arrival until a worker took it.
    pub queueing: Duration,
    /// The time that the worker needed.
    pub service: Duration,
}

impl Served {
    /// The time from its arrival to its answer.
    pub fn latency(&self) -> Duration {
        self.queueing + self.service
    }
}

/// A schedule of queries with a bound on their latency. Workers share it.
#[derive(Debug)]
pub struct Load {
    /// By the clock of the workers, ascending.
    arrivals: Vec<Duration>,
    bound: Duration,
    most_late: usize,
    /// The next query that no worker has taken.
    next: AtomicUsize,
    /// How many of the served queries are late.
    late: AtomicUsize,
}

impl Load {
    /// Queries that arrive at these times after `start`, in ascending order, of which `most_late` may take longer than `bound`.
    pub fn new(start: Duration, arrivals: &[Duration], bound: Duration, most_late: usize) -> Load {
        Load {
            arrivals: arrivals.iter().map(|arrival| start + *arrival).collect(),
            bound,
            most_late,
            next: AtomicUsize::new(0),
            late: AtomicUsize::new(0),
        }
    }

    /// Lets a worker take and serve the next query. `None` if there is none left, or if more queries are late already than may be: the
    /// served ones, and those that have waited for longer than the bound.
    ///
    /// # Errors
    /// Those of the worker.
    pub fn step<W: Worker>(&self, worker: &mut W) -> Result<Option<(Served, W::Answer)>, W::Fault> {
        if self.is_overloaded() {
            return Ok(None);
        }
        let query = self.next.fetch_add(1, Ordering::Relaxed);
        let Some(&arrival) = self.arrivals.get(query) else { return Ok(None) };
        let begun = worker.wait_until(arrival)?;
        let answer = worker.serve(query)?;
        let ended = worker.now();
        let served = Served { query, queueing: begun.saturating_sub(arrival), service: ended.saturating_sub(begun) };
        if served.latency() > self.bound {
            self.late.fetch_add(1, Ordering::Relaxed);
        }
        self.look_at_queue(ended);
        Ok(Some((served, answer)))
    }

    /// Ends the load if so many queries have waited for longer than the bound that, with the late ones, there are more than may be. The
    /// queries wait in the order of their arrival, so one of them tells for all before it.
    fn look_at_queue(&self, now: Duration) {
        let may_be_late = self.most_late.saturating_sub(self.late());
        let last = self.next.load(Ordering::Relaxed).saturating_add(may_be_late);
        let is_late = |arrival: &Duration| now.saturating_sub(*arrival) > self.bound;
        if self.arrivals.get(last).is_some_and(is_late) {
            self.late.fetch_add(may_be_late + 1, Ordering::Relaxed);
        }
    }

    /// Lets no worker take another query.
    pub fn end(&self) {
        self.next.store(self.arrivals.len(), Ordering::Relaxed);
    }

    /// Whether more queries are late than may be.
    pub fn is_overloaded(&self) -> bool {
        self.late() > self.most_late
    }

    /// How many queries are known to be late.
    fn late(&self) -> usize {
        self.late.load(Ordering::Relaxed)
    }
}

/// Lets a worker serve until no query is left or the load is more than the bound allows. `take` is given each query and its answer.
///
/// # Errors
/// Those of the worker, and of `take`.
pub fn serve_all<W: Worker>(
    load: &Load,
    worker: &mut W,
    mut take: impl FnMut(Served, W::Answer) -> Result<(), W::Fault>,
) -> Result<(), W::Fault> {
    while let Some((served, answer)) = load.step(worker)? {
        take(served, answer)?;
    }
    Ok(())
}
