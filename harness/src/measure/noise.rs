//! How noisy the machine was before, during and after a measurement. No stopwatch of a phase runs while it is looked at.

use super::Bench;
use crate::noise::{Look, involuntary_per_s, other_load, steal_share};
use crate::phase::Phase;

/// The looks of one process.
#[derive(Debug, Default)]
pub(super) struct NoiseWatch {
    looks: Vec<TimedLook>,
}

/// A look, with the seconds at which it was taken, and the seconds of processor time that the process had used by then.
#[derive(Debug)]
struct TimedLook {
    at_s: f64,
    own_s: Option<f64>,
    look: Look,
}

impl Bench<'_> {
    /// Looks at the machine now.
    pub(super) fn look_for_noise(&mut self) {
        let machine = self.program.machine;
        let look = Look::take(&machine.system_root());
        let own_s = machine.cpu_time().map(|time| time.as_secs_f64());
        self.noise.looks.push(TimedLook { at_s: machine.now().as_secs_f64(), own_s, look });
    }

    /// Looks at the machine for the last time in a phase, and records what the looks show. Says by how much it is above the limits of
    /// the suite, if there are any.
    pub(super) fn noise(&mut self, phase: Phase) {
        self.look_for_noise();
        let looks = std::mem::take(&mut self.noise.looks);
        let (Some(began), Some(ended)) = (looks.first(), looks.last()) else { return };
        let (first, last, seconds) = (&began.look, &ended.look, ended.at_s - began.at_s);
        let own_s = began.own_s.zip(ended.own_s).map(|(before, after)| after - before);
        let steal = steal_share(first, last);
        let load = other_load(first, last, own_s, seconds);
        let involuntary = involuntary_per_s(first, last, seconds);
        let each = |number: fn(&Look) -> Result<f64, String>| -> Result<Vec<f64>, String> {
            looks.iter().map(|timed| number(&timed.look)).collect()
        };
        let rates = each(|look| look.frequency_hz.clone());
        let heats = each(|look| look.temperature_c.clone());
        let governor = first.governor.as_ref().map_or(String::new(), |name| format!("governor {name}"));
        let mean = |values: &[f64]| values.iter().sum::<f64>() / values.len() as f64;
        let hottest = |values: &[f64]| values.iter().copied().fold(f64::NEG_INFINITY, f64::max);
        for (metric, value, note) in [
            ("steal_share", steal.clone(), String::new()),
            ("involuntary_per_s", involuntary.clone(), String::new()),
            ("load", load.clone(), String::new()),
            ("frequency_hz", rates.as_deref().map(mean).map_err(Clone::clone), governor),
            ("temperature_c", heats.as_deref().map(hottest).map_err(Clone::clone), String::new()),
        ] {
            match value {
                Ok(value) => self.record(phase, metric, Some(value), "kernel", note),
                Err(reason) => self.record(phase, metric, None, "kernel", reason),
            }
        }
        for (metric, unit, values) in [("frequency_hz", "Hz", rates), ("temperature_c", "°C", heats)] {
            self.keep(
                phase,
                metric,
                (unit, "kernel"),
                values.unwrap_or_default().into_iter().map(|value| (None, value)),
            );
        }
        self.judge_noise(phase, [steal, involuntary, load]);
    }

    /// Records how many limits of the suite are exceeded, if it has any. A number that is not known exceeds no limit, and the note says
    /// that it is not known.
    fn judge_noise(&mut self, phase: Phase, numbers: [Result<f64, String>; 3]) {
        let limits = self.case.noise;
        let named = [
            ("steal_share", "max_steal", limits.steal),
            ("involuntary_per_s", "max_involuntary_per_s", limits.involuntary_per_s),
            ("load", "max_load", limits.load),
        ];
        let mut exceeded = 0;
        let mut notes = Vec::new();
        for ((metric, key, limit), number) in named.into_iter().zip(numbers) {
            let Some(limit) = limit else { continue };
            match number {
                Ok(number) if number > limit => {
                    exceeded += 1;
                    notes.push(format!("{metric} {number:.4} is above {key} = {limit}"));
                }
                Ok(_) => {}
                Err(reason) => notes.push(format!("{metric} is not known, so {key} says nothing: {reason}")),
            }
        }
        if named.iter().any(|(.., limit)| limit.is_some()) {
            self.record(phase, "noise_over_limits", Some(f64::from(exceeded)), "kernel", notes.join("; "));
        }
    }

    /// Records on which processors the case may run.
    pub(super) fn processors(&mut self) {
        let (value, note) = match Look::take(&self.program.machine.system_root()).cpus_allowed {
            Ok(list) => (count(&list).map(|count| count as f64), list),
            Err(reason) => (None, reason),
        };
        self.record(Phase::Case, "affinity_cpus", value, "kernel", note);
    }
}

/// How many processors a list such as `0-3,8` names.
fn count(list: &str) -> Option<usize> {
    let of_part = |part: &str| match part.split_once('-') {
        None => part.parse::<usize>().ok().map(|_| 1),
        Some((first, last)) => (last.parse::<usize>().ok()? + 1).checked_sub(first.parse().ok()?),
    };
    list.split(',').map(of_part).sum()
}

#[cfg(test)]
mod tests {
    use super::count;

    #[test]
    fn lists_of_processors_are_counted() {
        assert_eq!(count("0"), Some(1));
        assert_eq!(count("0-3,8"), Some(5));
        assert_eq!(count("0,2,4-5"), Some(4));
        assert_eq!(count("5-4"), Some(0));
        assert_eq!(count("all"), None);
    }
}
