//! Checks the table `[slurm]` of a suite, and that the rest of the suite can be carried out by a cluster.

use toml::Spanned;

use super::settings::RangeCheck;
use crate::suite::{ExecutorKind, SlurmEntry, Source, Suite, SuiteError};

/// The most tasks of an array, of any Slurm.
const MOST_TASKS: usize = 4_000_001;

/// What `extra` must not set, and why. Each is the name of an option with a blank after it, or the whole option.
const NOT_EXTRA: &[(&[&str], &str)] = &[
    (&["--partition", "-p"], "write it as partition = \"…\""),
    (&["--account", "-A"], "write it as account = \"…\""),
    (&["--gres"], "write it as gres = \"…\""),
    (&["--time", "-t"], "write it as time = \"…\""),
    (&["--cpus-per-task", "-c"], "write it as threads = … in the suite, which also tells the models"),
    (&["--array", "-a"], "the cases of the run decide it; at_a_time limits how many tasks run at the same time"),
    (
        &["--output", "-o", "--error", "-e", "--input", "-i", "--open-mode", "--job-name", "-J", "--chdir", "-D"],
        "the program finds its tasks by it",
    ),
    (&["--wrap", "--parsable", "--test-only", "--wait", "-W", "--ntasks", "-n"], "an array of bakeoff cannot have it"),
];

/// Checks the table.
///
/// # Errors
/// Names the key at fault, its place, and what to write instead.
pub(super) fn check(source: &Source, suite: &Suite) -> Result<(), SuiteError> {
    let SlurmEntry { partition, account, gres, time, extra, at_a_time, start_within_s, poll_s, settle_s } =
        &suite.slurm;
    let range = RangeCheck { source };
    for (key, text) in [("partition", partition), ("account", account), ("gres", gres), ("time", time)] {
        text.iter().try_for_each(|text| one_word(source, key, text))?;
    }
    extra.iter().try_for_each(|option| check_extra(source, option))?;
    if let Some(count) = at_a_time {
        range.check("at_a_time", count, 1..=MOST_TASKS, &format!("a whole number in 1..={MOST_TASKS}"))?;
    }
    for (key, seconds, least) in
        [("start_within_s", start_within_s, 1.0), ("poll_s", poll_s, 0.1), ("settle_s", settle_s, 0.0)]
    {
        let expected = format!("a number of seconds in {least}..=1000000000");
        seconds.iter().try_for_each(|seconds| range.check(key, seconds, least..=1e9, &expected))?;
    }
    let Some(limit) = time else { return Ok(()) };
    let Some(limit_s) = seconds_of(limit.as_ref()) else {
        let message = format!(
            "time is '{limit}', expected a time limit as Slurm writes it: minutes, minutes:seconds, hours:minutes:seconds, days-hours, \
             days-hours:minutes or days-hours:minutes:seconds"
        );
        return Err(source.fault(limit, message));
    };
    let timeout_s = *suite.timeout_s.as_ref();
    if limit_s <= timeout_s {
        let message = format!(
            "time is {limit_s} s, and timeout_s = {timeout_s}: Slurm would end a task before its case has run out of time; raise time, or \
             lower timeout_s"
        );
        return Err(source.fault(limit, message));
    }
    Ok(())
}

/// Checks what only a cluster cannot do. Comes after the command line.
pub(super) fn check_suite(source: &Source, suite: &Suite) -> Result<(), SuiteError> {
    if suite.executor != Some(ExecutorKind::Slurm) {
        return Ok(());
    }
    if *suite.jobs.as_ref() > 1 {
        let message = format!(
            "jobs is {}, and on Slurm every case is a task of its own: leave jobs out, or limit how many tasks run at the same time by \
             at_a_time in [slurm]",
            suite.jobs
        );
        return Err(source.fault(&suite.jobs, message));
    }
    match &suite.latency.rounds {
        Some(rounds) if *rounds.as_ref() > 1 => {
            let message = "in rounds, models are served by turns on one machine, and on Slurm every case is a task of its own: leave \
                           rounds out";
            Err(source.fault(rounds, message))
        }
        _ => Ok(()),
    }
}

/// Refuses what would not be one word of a line.
fn one_word(source: &Source, key: &str, text: &Spanned<String>) -> Result<(), SuiteError> {
    let letters = text.as_ref();
    if letters.is_empty() || letters.chars().any(|letter| letter.is_control() || letter.is_whitespace()) {
        return Err(
            source.fault(text, format!("{key} is '{}', expected a word without blanks", letters.escape_debug()))
        );
    }
    Ok(())
}

fn check_extra(source: &Source, option: &Spanned<String>) -> Result<(), SuiteError> {
    let text = option.as_ref().as_str();
    if !text.starts_with('-') || text.chars().any(char::is_control) {
        let message = format!(
            "an option in extra is '{}', expected one as sbatch takes it, such as \"--exclusive\" or \"--constraint=avx512\"",
            text.escape_debug()
        );
        return Err(source.fault(option, message));
    }
    let name = text.split(['=', ' ']).next().unwrap_or_default();
    let is_name = |known: &&str| {
        name == *known || (!known.starts_with("--") && !name.starts_with("--") && name.starts_with(known))
    };
    let reserved = NOT_EXTRA.iter().find_map(|(names, why)| Some((names.iter().find(|known| is_name(known))?, why)));
    match reserved {
        Some((known, why)) => Err(source.fault(option, format!("extra must not set {known}: {why}"))),
        None => Ok(()),
    }
}

/// The seconds of a time limit as Slurm writes it. `None` if it is none.
fn seconds_of(limit: &str) -> Option<f64> {
    let number = |text: &str| text.parse::<u32>().ok().map(f64::from);
    let (days, rest) = match limit.split_once('-') {
        Some((days, rest)) => (Some(number(days)?), rest),
        None => (None, limit),
    };
    let parts: Vec<f64> = rest.split(':').map(number).collect::<Option<_>>()?;
    let [hours, minutes, seconds] = match (days, &parts[..]) {
        (Some(_), [hours]) => [*hours, 0.0, 0.0],
        (Some(_), [hours, minutes]) => [*hours, *minutes, 0.0],
        (None, [minutes]) => [0.0, *minutes, 0.0],
        (None, [minutes, seconds]) => [0.0, *minutes, *seconds],
        (_, [hours, minutes, seconds]) => [*hours, *minutes, *seconds],
        _ => return None,
    };
    Some(((days.unwrap_or(0.0) * 24.0 + hours) * 60.0 + minutes) * 60.0 + seconds)
}

#[cfg(test)]
mod tests {
    use super::seconds_of;

    #[test]
    fn time_limits_are_read_as_slurm_reads_them() {
        for (limit, seconds) in [
            ("90", Some(5_400.0)),
            ("1:30", Some(90.0)),
            ("2:00:01", Some(7_201.0)),
            ("1-0", Some(86_400.0)),
            ("1-2:30", Some(95_400.0)),
            ("1-02:30:05", Some(95_405.0)),
            ("", None),
            ("1-", None),
            ("an hour", None),
            ("1:2:3:4", None),
            ("-5", None),
            ("UNLIMITED", None),
        ] {
            assert_eq!(seconds_of(limit), seconds, "{limit}");
        }
    }
}
