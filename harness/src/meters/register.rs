//! One hardware register of energy, which wraps and may be reset. It is a function of what was read and when, so that tests need no
//! hardware.

use std::time::Duration;

/// No domain takes more watts than this. The largest processors of today are built for 500 W a package. A register that went on by
/// more has not measured it.
const MOST_WATTS: f64 = 2_000.0;

/// A register can show what it counted some time before a read. So much of it is allowed for.
const SLACK: Duration = Duration::from_millis(100);

/// The shortest range of a register: 2^32 steps of 2^-16 J. It is assumed where the range is not readable.
const SHORTEST_RANGE_UJ: u64 = 65_532_610_987;

/// A register in microjoules that wraps at its range, as an ever-growing count.
#[derive(Debug, Clone)]
pub(super) struct Register {
    /// The largest number that it shows. `None` if that is not known.
    range_uj: Option<u64>,
    last_uj: u64,
    last: Duration,
    total_uj: u64,
}

impl Register {
    /// The register that showed `now_uj` at the moment `now`. Counting starts there.
    pub(super) fn new(range_uj: Option<u64>, now_uj: u64, now: Duration) -> Register {
        Register { range_uj, last_uj: now_uj, last: now, total_uj: 0 }
    }

    /// Microjoules counted so far.
    pub(super) fn total_uj(&self) -> u64 {
        self.total_uj
    }

    /// Counts on to what the register shows at the moment `now`.
    ///
    /// # Errors
    /// If the microjoules since the last read are unknown, with the reason. Counting then starts anew from here.
    pub(super) fn advance(&mut self, now_uj: u64, now: Duration) -> Result<(), String> {
        let elapsed = now.saturating_sub(self.last);
        let before_uj = std::mem::replace(&mut self.last_uj, now_uj);
        self.last = now;
        let most_uj = MOST_WATTS * (elapsed + SLACK).as_secs_f64() * 1e6;
        if most_uj >= self.range_uj.unwrap_or(SHORTEST_RANGE_UJ) as f64 {
            return Err(format!("it was not read for {:.0} s, in which it may have wrapped", elapsed.as_secs_f64()));
        }
        let went = || format!("it went from {before_uj} to {now_uj} µJ in {:.3} s", elapsed.as_secs_f64());
        let spent_uj = match self.range_uj {
            _ if now_uj >= before_uj => now_uj - before_uj,
            Some(range_uj) => range_uj.saturating_sub(before_uj).saturating_add(now_uj),
            None => {
                return Err(format!("{}, and its maximum is not readable, so that a wrap cannot be corrected", went()));
            }
        };
        if spent_uj as f64 > most_uj {
            return Err(format!("{}, which is no wrap: it was reset", went()));
        }
        self.total_uj += spent_uj;
        Ok(())
    }
}

#[cfg(test)]
mod tests {
    #![expect(clippy::unwrap_used, reason = "tests")]

    use super::*;

    const RANGE_UJ: u64 = 262_143_328_850;

    fn at(seconds: f64) -> Duration {
        Duration::from_secs_f64(seconds)
    }

    #[test]
    fn a_register_that_wraps_several_times_goes_on_growing() {
        let mut register = Register::new(Some(RANGE_UJ), RANGE_UJ - 5_000_000, at(0.0));
        let (mut shown, mut spent) = (RANGE_UJ - 5_000_000, 0);
        // 300 W for an hour and a half, which is six turns.
        for second in 1..=5_400 {
            shown = (shown + 300_000_000) % RANGE_UJ;
            spent += 300_000_000;
            register.advance(shown, at(f64::from(second))).unwrap();
            assert_eq!(register.total_uj(), spent);
        }
    }

    #[test]
    fn a_register_that_goes_back_and_cannot_have_wrapped_was_reset_and_gives_no_joules() {
        let mut register = Register::new(Some(RANGE_UJ), 250_769_000_000, at(0.0));
        register.advance(250_770_000_000, at(0.1)).unwrap();
        let why = register.advance(1_000, at(0.2)).unwrap_err();
        assert_eq!(why, "it went from 250770000000 to 1000 µJ in 0.100 s, which is no wrap: it was reset");
        let before = register.total_uj();
        register.advance(2_001_000, at(0.3)).unwrap();
        assert_eq!(register.total_uj() - before, 2_000_000, "it counts on from where it was reset");
    }

    #[test]
    fn a_wrap_without_a_known_maximum_is_no_number_and_never_negative() {
        let mut register = Register::new(None, 900, at(0.0));
        register.advance(1_000, at(0.1)).unwrap();
        let why = register.advance(10, at(0.2)).unwrap_err();
        assert!(why.contains("its maximum is not readable, so that a wrap cannot be corrected"), "{why}");
        assert_eq!(register.total_uj(), 100);
    }

    #[test]
    fn a_register_that_was_not_read_for_a_turn_may_have_wrapped_unseen() {
        // At 2,000 W, the range takes 131 s, and the shortest one 32 s.
        for (range, seconds, is_known) in
            [(Some(RANGE_UJ), 130.0, true), (Some(RANGE_UJ), 132.0, false), (None, 30.0, true), (None, 40.0, false)]
        {
            let mut register = Register::new(range, 0, at(0.0));
            let read = register.advance(9_000_000, at(seconds));
            assert_eq!(read.is_ok(), is_known, "{range:?} {seconds} s: {read:?}");
            if let Err(why) = read {
                assert_eq!(why, format!("it was not read for {seconds} s, in which it may have wrapped"));
            }
        }
    }

    #[test]
    fn a_register_that_leaps_ahead_has_not_measured_it() {
        let mut register = Register::new(Some(RANGE_UJ), 0, at(0.0));
        assert!(register.advance(100_000_000_000, at(1.0)).unwrap_err().contains("it was reset"));
    }
}
