//! What the clock must do while latency is measured: go on, and without a gap.

use std::time::Duration;

use crate::machine::Machine;

/// A thread that sleeps wakes up late by less than this, on a machine that is not overloaded. The rest is a spin-wait.
const SPIN: Duration = Duration::from_micros(200);
/// A thread that wakes up later than this did not run: the machine or the process was stopped.
const MIN_GAP: Duration = Duration::from_secs(1);
/// A clock that shows the same time in so many reads one after the other has stopped. A clock that counts in steps of 16 ms, the
/// coarsest in use, shows the same time for about as many reads.
const MOST_STILL_READS: usize = 1_000_000;
/// More predictions than this in a row that took no time at all show that the clock has stopped.
const MOST_STILL_READINGS: usize = 20;
/// Two clocks are never read at the same moment, so a difference of them is known to about this.
const MIN_SUSPENSION: Duration = Duration::from_millis(1);

/// Why times cannot be measured.
#[derive(Debug, Clone, PartialEq, thiserror::Error)]
pub enum ClockFault {
    /// The clock shows the same time again and again.
    #[error("the machine's clock stands still, so no time can be measured")]
    Stopped,
    /// The process did not run for a while, although it had nothing to wait for.
    #[error("the process did not run for {:.1} s, as if it or the machine had been stopped: run this case again, with -t and -m", .0.as_secs_f64())]
    Gap(Duration),
    /// The machine was suspended.
    #[error("the machine was suspended for {:.1} s meanwhile: run this case again, with -t and -m", .0.as_secs_f64())]
    Suspended(Duration),
}

/// Waits until `time` and returns the time then, which may be slightly later.
///
/// # Errors
/// If the clock stops, or if this thread wakes up more than a second late.
pub fn wait_until(machine: &dyn Machine, time: Duration) -> Result<Duration, ClockFault> {
    let mut now = machine.now();
    let mut still_reads = 0;
    while now < time {
        let sleeps = time - now > SPIN;
        if sleeps {
            machine.sleep(time - now - SPIN);
        } else {
            std::hint::spin_loop();
        }
        let before = std::mem::replace(&mut now, machine.now());
        if sleeps && now.saturating_sub(time) > MIN_GAP {
            return Err(ClockFault::Gap(now - time));
        }
        still_reads = if now > before { 0 } else { still_reads + 1 };
        if still_reads > MOST_STILL_READS || (sleeps && still_reads > 0) {
            return Err(ClockFault::Stopped);
        }
    }
    Ok(now)
}

/// Notices a clock that stands still by the readings that it gives.
#[derive(Debug, Clone, Copy, Default)]
pub struct StillClock {
    readings: usize,
}

impl StillClock {
    /// Takes a reading in seconds.
    ///
    /// # Errors
    /// If more than 20 readings one after the other are 0.
    pub fn check(&mut self, seconds: f64) -> Result<(), ClockFault> {
        self.readings = if seconds > 0.0 { 0 } else { self.readings + 1 };
        if self.readings > MOST_STILL_READINGS { Err(ClockFault::Stopped) } else { Ok(()) }
    }
}

/// Whether the machine was suspended since `before`, when [`Machine::suspended`] was read.
///
/// # Errors
/// If it was.
pub fn suspended_since(machine: &dyn Machine, before: Option<Duration>) -> Result<(), ClockFault> {
    let Some((before, after)) = before.zip(machine.suspended()) else { return Ok(()) };
    let suspended = after.saturating_sub(before);
    if suspended > MIN_SUSPENSION { Err(ClockFault::Suspended(suspended)) } else { Ok(()) }
}

#[cfg(test)]
mod tests {
    use std::path::{Path, PathBuf};
    use std::sync::Mutex;

    use bakeoff_reports::MachineInfo;

    use super::*;
    use crate::machine::Peak;

    /// A machine whose clock only goes on while a thread sleeps, as a function says.
    struct Sleeps {
        now: Mutex<Duration>,
        sleep: fn(Duration) -> Duration,
        read: Duration,
        suspended: Option<Duration>,
    }

    impl Machine for Sleeps {
        fn now(&self) -> Duration {
            let mut now = self.now.lock().expect("a clock");
            *now += self.read;
            *now
        }
        fn sleep(&self, duration: Duration) {
            *self.now.lock().expect("a clock") += (self.sleep)(duration);
        }
        fn suspended(&self) -> Option<Duration> {
            self.suspended
        }
        fn cpu_time(&self) -> Option<Duration> {
            None
        }
        fn peak_memory_bytes(&self) -> Option<u64> {
            None
        }
        fn evict(&self, _folder: &Path) -> Result<(), String> {
            unreachable!("nobody asks")
        }
        fn fetched_bytes(&self) -> Option<u64> {
            None
        }
        fn system_root(&self) -> PathBuf {
            PathBuf::new()
        }
        fn peak(&self, _threads: usize) -> Option<Peak> {
            None
        }
        fn utc(&self) -> String {
            String::new()
        }
        fn powercap(&self) -> PathBuf {
            PathBuf::new()
        }
        fn is_virtual(&self) -> bool {
            false
        }
        fn describe(&self) -> MachineInfo {
            unreachable!("nobody asks")
        }
    }

    fn machine(sleep: fn(Duration) -> Duration, read: Duration) -> Sleeps {
        Sleeps { now: Mutex::default(), sleep, read, suspended: None }
    }

    const MS: Duration = Duration::from_millis(1);

    #[test]
    fn a_wait_ends_at_its_time_and_one_for_the_past_at_once() {
        let machine = machine(|duration| duration, Duration::from_micros(1));
        let now = wait_until(&machine, 5 * MS).expect("a clock that goes on");
        assert!(now >= 5 * MS && now < 6 * MS, "{now:?}");
        assert_eq!(wait_until(&machine, MS), Ok(now + Duration::from_micros(1)));
    }

    #[test]
    fn a_clock_that_stands_still_ends_a_wait_with_its_reason() {
        let asleep = machine(|_| Duration::ZERO, Duration::ZERO);
        assert_eq!(wait_until(&asleep, 5 * MS), Err(ClockFault::Stopped));
        assert_eq!(wait_until(&asleep, Duration::from_micros(50)), Err(ClockFault::Stopped));
    }

    #[test]
    fn a_thread_that_wakes_up_seconds_late_ends_a_wait_with_its_reason() {
        let stopped = machine(|duration| duration + Duration::from_secs(3600), Duration::ZERO);
        let fault = wait_until(&stopped, 5 * MS).expect_err("an hour");
        assert!(matches!(fault, ClockFault::Gap(_)));
        assert!(fault.to_string().starts_with("the process did not run for 3600.0 s"), "{fault}");
    }

    #[test]
    fn many_predictions_without_time_show_that_the_clock_has_stopped() {
        let mut clock = StillClock::default();
        assert!((0..MOST_STILL_READINGS).all(|_| clock.check(0.0).is_ok()));
        let mut stopped = clock;
        assert_eq!(stopped.check(0.0), Err(ClockFault::Stopped));
        assert!(clock.check(1e-9).is_ok() && clock.check(0.0).is_ok());
    }

    #[test]
    fn a_suspended_machine_is_noticed_where_the_system_shows_it() {
        let mut machine = machine(|duration| duration, MS);
        assert!(suspended_since(&machine, machine.suspended()).is_ok());
        machine.suspended = Some(Duration::from_secs(60));
        assert_eq!(
            suspended_since(&machine, Some(Duration::ZERO)),
            Err(ClockFault::Suspended(Duration::from_secs(60)))
        );
        assert_eq!(suspended_since(&machine, machine.suspended()), Ok(()));
    }
}
