//! Reads meters from a thread while cases run, and keeps what they showed.

use std::sync::{Arc, Condvar, Mutex, MutexGuard, PoisonError};
use std::thread::{self, JoinHandle};
use std::time::{Duration, Instant};

use super::{Counter, Fault, Sample, Timing, Trace, Window};
use crate::machine::{Machine, Moment};

/// Reads meters until it is dropped.
pub struct Sampler {
    shared: Arc<Shared>,
    sampled: Vec<Sampled>,
    thread: Option<JoinHandle<()>>,
}

/// A meter that is sampled.
#[derive(Debug, Clone)]
pub struct Sampled {
    /// As in [`Counter::source`].
    pub source: &'static str,
    /// As in [`Counter::how`].
    pub how: String,
    /// As in [`Counter::card`].
    pub card: Option<String>,
    /// When it is read.
    pub timing: Timing,
}

struct Shared {
    /// One for each meter.
    traces: Mutex<Vec<Trace>>,
    is_over: Mutex<bool>,
    ended: Condvar,
}

/// A meter between two reads.
struct Polled {
    counter: Box<dyn Counter>,
    timing: Timing,
    due: Duration,
    last: Option<Moment>,
}

impl Sampler {
    /// Starts to read the counters that must be read regularly.
    ///
    /// # Errors
    /// If the thread cannot be started.
    pub fn start(counters: Vec<Box<dyn Counter>>, machine: &'static dyn Machine) -> std::io::Result<Sampler> {
        let now = machine.moment().monotonic;
        let polled: Vec<Polled> = counters
            .into_iter()
            .filter_map(|counter| Some(Polled { timing: counter.timing()?, counter, due: now, last: None }))
            .collect();
        let sampled = polled
            .iter()
            .map(|Polled { counter, timing, .. }| Sampled {
                source: counter.source(),
                how: counter.how(),
                card: counter.card().map(str::to_owned),
                timing: *timing,
            })
            .collect();
        let traces = Mutex::new(polled.iter().map(|polled| Trace::new(polled.timing.update)).collect());
        let shared = Arc::new(Shared { traces, is_over: Mutex::new(false), ended: Condvar::new() });
        let of_thread = Arc::clone(&shared);
        let sample = move || sample(&of_thread, polled, machine);
        let thread = thread::Builder::new().name("meters".to_owned()).spawn(sample)?;
        Ok(Sampler { shared, sampled, thread: Some(thread) })
    }

    /// The meters.
    pub fn sampled(&self) -> &[Sampled] {
        &self.sampled
    }

    /// The joules that a meter, by its place in [`Sampler::sampled`], counted between two moments. Waits until it was read after the
    /// second one, but not for long.
    ///
    /// # Errors
    /// Why they are not known.
    pub fn window(&self, meter: usize, start: Duration, end: Duration) -> Result<Window, String> {
        /// A thread that has not run for so long on a busy machine still comes to its turn.
        const LONGEST_WAIT: Duration = Duration::from_secs(1);
        let Some(Sampled { timing, .. }) = self.sampled.get(meter) else {
            return Err("there is no such meter".to_owned());
        };
        let begun = Instant::now();
        while begun.elapsed() < LONGEST_WAIT && !self.traces()[meter].is_settled(end) {
            thread::sleep(timing.poll / 2);
        }
        self.traces()[meter].window(start, end)
    }

    fn traces(&self) -> MutexGuard<'_, Vec<Trace>> {
        self.shared.traces.lock().unwrap_or_else(PoisonError::into_inner)
    }
}

impl Drop for Sampler {
    fn drop(&mut self) {
        *self.shared.is_over.lock().unwrap_or_else(PoisonError::into_inner) = true;
        self.shared.ended.notify_all();
        if let Some(thread) = self.thread.take() {
            // A thread that panicked has nothing left to say.
            let _ = thread.join();
        }
    }
}

fn sample(shared: &Shared, mut meters: Vec<Polled>, machine: &dyn Machine) {
    let mut is_over = shared.is_over.lock().unwrap_or_else(PoisonError::into_inner);
    while !*is_over {
        let now = machine.moment().monotonic;
        for (index, meter) in meters.iter_mut().enumerate().filter(|(_, meter)| meter.due <= now) {
            let (moment, read) = meter.read(machine);
            let mut traces = shared.traces.lock().unwrap_or_else(PoisonError::into_inner);
            meter.keep(moment, read, &mut traces[index]);
        }
        let next = meters.iter().map(|meter| meter.due).min().unwrap_or(now + Duration::from_secs(1));
        let wait = next.saturating_sub(machine.moment().monotonic);
        is_over = shared.ended.wait_timeout(is_over, wait).unwrap_or_else(PoisonError::into_inner).0;
    }
}

impl Polled {
    /// Reads the counter, and says when. If this thread was interrupted between the two, it reads again.
    fn read(&mut self, machine: &dyn Machine) -> (Moment, Result<f64, Fault>) {
        const TRIES: usize = 3;
        let mut tries = 1;
        loop {
            let moment = machine.moment();
            let read = self.counter.read_j(moment.monotonic);
            let took = machine.moment().monotonic.saturating_sub(moment.monotonic);
            if tries == TRIES || read.is_err() || took <= self.timing.update {
                return (moment, read);
            }
            tries += 1;
        }
    }

    /// Keeps what was read at a moment, and says when the next read is due.
    fn keep(&mut self, moment: Moment, read: Result<f64, Fault>, trace: &mut Trace) {
        /// The two clocks are read one after the other.
        const SHORTEST_SUSPENSION: Duration = Duration::from_millis(100);
        let at = moment.monotonic;
        self.due = at + self.timing.poll;
        if let Some(last) = self.last.replace(moment) {
            let suspended = moment.suspended.saturating_sub(last.suspended);
            if suspended > SHORTEST_SUSPENSION {
                trace.break_off(format!("the machine was suspended for {:.1} s", suspended.as_secs_f64()));
            }
        }
        match read {
            Ok(joules) => trace.push(Sample { at, joules }),
            Err(Fault::Lost(why)) => trace.break_off(why),
            Err(fault @ Fault::Unreadable(_)) => trace.unreadable(fault.to_string()),
        }
    }
}

#[cfg(test)]
mod tests {
    #![expect(clippy::unwrap_used, reason = "tests")]

    use super::*;
    use crate::machine::ThisMachine;

    const TIMING: Timing =
        Timing { update: Duration::ZERO, poll: Duration::from_millis(2), keep_up: Duration::from_secs(1) };

    /// A meter of 50 W that vanishes at some moment.
    struct Steady {
        vanishes: Duration,
    }

    impl Counter for Steady {
        fn source(&self) -> &'static str {
            "rapl"
        }
        fn how(&self) -> String {
            "a constant".to_owned()
        }
        fn timing(&self) -> Option<Timing> {
            Some(TIMING)
        }
        fn read_j(&mut self, now: Duration) -> Result<f64, Fault> {
            if now < self.vanishes { Ok(50.0 * now.as_secs_f64()) } else { Err(Fault::Unreadable("gone".to_owned())) }
        }
    }

    fn now() -> Duration {
        ThisMachine.moment().monotonic
    }

    #[test]
    fn joules_of_a_window_are_known_soon_after_its_end() {
        let sampler = Sampler::start(vec![Box::new(Steady { vanishes: Duration::MAX })], &ThisMachine).unwrap();
        thread::sleep(Duration::from_millis(200));
        let start = now();
        thread::sleep(Duration::from_secs(2));
        let end = now();
        let window = sampler.window(0, start, end).unwrap();
        assert!((window.joules() / (50.0 * (end - start).as_secs_f64()) - 1.0).abs() < 1e-6, "{window:?}");
        assert!(sampler.window(1, start, end).is_err());
    }

    #[test]
    fn a_meter_that_vanishes_gives_a_reason_and_what_it_showed_before() {
        let begun = now();
        let vanishes = begun + Duration::from_secs(3);
        let sampler = Sampler::start(vec![Box::new(Steady { vanishes })], &ThisMachine).unwrap();
        thread::sleep(Duration::from_millis(3_500));
        let start = begun + Duration::from_millis(500);
        let error = sampler.window(0, start, vanishes + Duration::from_millis(100)).unwrap_err();
        assert_eq!(error, "the meter could not be read: gone");
        assert!(sampler.window(0, start, start + Duration::from_secs(2)).is_ok());
    }

    /// What a meter of 50 W gives at these moments, each with how long the machine has been suspended.
    fn kept(moments: impl IntoIterator<Item = (f64, f64)>) -> Trace {
        let counter = Box::new(Steady { vanishes: Duration::MAX });
        let mut polled = Polled { counter, timing: TIMING, due: Duration::ZERO, last: None };
        let mut trace = Trace::new(Duration::ZERO);
        for (at, suspended) in moments {
            let [monotonic, suspended] = [at, suspended].map(Duration::from_secs_f64);
            let read = polled.counter.read_j(monotonic);
            polled.keep(Moment { monotonic, suspended }, read, &mut trace);
        }
        trace
    }

    #[test]
    fn a_window_in_which_the_machine_was_suspended_has_no_joules() {
        let trace = kept((0..1000).map(|nth| (f64::from(nth) * 0.01, if nth < 500 { 0.0 } else { 3600.0 })));
        let window = |start: f64, end: f64| trace.window(Duration::from_secs_f64(start), Duration::from_secs_f64(end));
        assert_eq!(window(4.0, 6.0), Err("the machine was suspended for 3600.0 s".to_owned()));
        assert!(window(1.0, 4.0).is_ok() && window(6.0, 9.0).is_ok());
    }
}
