//! A counter that is also read from a thread, so that a step that takes longer than the register can go without a read loses
//! nothing.

use std::sync::{Arc, Condvar, Mutex, MutexGuard, PoisonError};
use std::thread::{self, JoinHandle};
use std::time::Duration;

use super::{Counter, Fault, Timing};
use crate::machine::Machine;

/// The counter of a case, in the process that measures it.
pub struct KeptUp {
    shared: Arc<Shared>,
    machine: &'static dyn Machine,
    source: &'static str,
    timing: Option<Timing>,
    thread: Option<JoinHandle<()>>,
}

struct Shared {
    state: Mutex<State>,
    ended: Condvar,
}

struct State {
    counter: Box<dyn Counter>,
    /// Why joules were lost since [`KeptUp::begin`].
    lost: Option<String>,
    is_over: bool,
}

impl State {
    fn read_j(&mut self, now: Duration) -> Result<f64, String> {
        let read = self.counter.read_j(now);
        if let Err(Fault::Lost(why)) = &read {
            self.lost.get_or_insert_with(|| why.clone());
        }
        match &self.lost {
            Some(why) => Err(why.clone()),
            None => read.map_err(|fault| fault.to_string()),
        }
    }
}

impl KeptUp {
    /// Takes a counter and starts the thread, if the counter needs one.
    pub fn new(counter: Box<dyn Counter>, machine: &'static dyn Machine) -> KeptUp {
        let (source, timing) = (counter.source(), counter.timing());
        let state = State { counter, lost: None, is_over: false };
        let shared = Arc::new(Shared { state: Mutex::new(state), ended: Condvar::new() });
        let of_thread = Arc::clone(&shared);
        let keep_up = |every: Duration| {
            thread::Builder::new().name("meter".to_owned()).spawn(move || of_thread.keep_up(every, machine))
        };
        // Without the thread, a step that is too long has no joules and says so.
        let thread = timing.and_then(|timing| keep_up(timing.keep_up).ok());
        KeptUp { shared, machine, source, timing, thread }
    }

    /// As in [`Counter::source`].
    pub fn source(&self) -> &'static str {
        self.source
    }

    /// Whether it must be read regularly.
    pub fn is_sampled(&self) -> bool {
        self.timing.is_some()
    }

    /// Forgets what was lost before now.
    pub fn begin(&self) {
        if self.timing.is_none() {
            return;
        }
        let mut state = self.shared.lock();
        // A fault of this read is one of the time before.
        let _ = state.read_j(self.machine.moment().monotonic);
        state.lost = None;
    }

    /// Joules since some fixed moment.
    ///
    /// # Errors
    /// If the counter cannot be read, or if joules were lost since [`KeptUp::begin`].
    pub fn read_j(&self) -> Result<f64, String> {
        self.shared.lock().read_j(self.machine.moment().monotonic)
    }
}

impl Shared {
    fn lock(&self) -> MutexGuard<'_, State> {
        self.state.lock().unwrap_or_else(PoisonError::into_inner)
    }

    fn keep_up(&self, every: Duration, machine: &dyn Machine) {
        let mut state = self.lock();
        while !state.is_over {
            // What is lost is kept in the state. What could not be read now is read later.
            let _ = state.read_j(machine.moment().monotonic);
            state = self.ended.wait_timeout(state, every).unwrap_or_else(PoisonError::into_inner).0;
        }
    }
}

impl Drop for KeptUp {
    fn drop(&mut self) {
        self.shared.lock().is_over = true;
        self.shared.ended.notify_all();
        if let Some(thread) = self.thread.take() {
            // A thread that panicked has nothing left to say.
            let _ = thread.join();
        }
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::machine::ThisMachine;

    /// A counter that loses joules if it is not read for a tenth of a second.
    struct Forgetful {
        last: Duration,
    }

    impl Counter for Forgetful {
        fn source(&self) -> &'static str {
            "rapl"
        }
        fn how(&self) -> String {
            String::new()
        }
        fn timing(&self) -> Option<Timing> {
            let [update, poll, keep_up] = [0, 5, 10].map(Duration::from_millis);
            Some(Timing { update, poll, keep_up })
        }
        fn read_j(&mut self, now: Duration) -> Result<f64, Fault> {
            let step = now - std::mem::replace(&mut self.last, now);
            if step > Duration::from_secs(2) { Err(Fault::Lost("too late".to_owned())) } else { Ok(now.as_secs_f64()) }
        }
    }

    #[test]
    fn a_step_without_a_read_loses_nothing_and_what_was_lost_before_a_phase_does_not_count() {
        let counter = Forgetful { last: Duration::ZERO };
        let meter = KeptUp::new(Box::new(counter), &ThisMachine);
        meter.begin();
        let before = meter.read_j();
        thread::sleep(Duration::from_millis(2_500));
        assert!(before.is_ok() && meter.read_j().is_ok(), "{before:?}");
    }
}
