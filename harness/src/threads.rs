//! The threads of this program itself, beside those of a model. They decode images and draw pictures.

use std::io::{self, ErrorKind, Write, stderr};

/// Runs `work` with its parallel iterators on at most `threads` threads. If the system starts fewer, a line on standard
/// error says so.
pub fn at_most<R: Send>(threads: usize, work: impl FnOnce() -> R + Send) -> R {
    let (result, started) = bakeoff_models::on_threads(threads, work);
    if let Some(note) = fewer(threads, started) {
        // The work is done even if nobody can read standard error.
        let _ = writeln!(stderr(), "note: {note}");
    }
    result
}

/// What to say if only `started` of `wanted` threads were started.
pub fn fewer(wanted: usize, started: usize) -> Option<String> {
    (started < wanted).then(|| {
        format!("only {started} of {wanted} threads could be started: the system allows no more (see the limits on processes: ulimit -u, or pids.max of a container)")
    })
}

/// Why the system started no thread or process. If a limit forbids more of them, also what to do.
pub fn refused(error: &io::Error) -> String {
    match error.kind() {
        ErrorKind::WouldBlock => format!(
            "{error}: the system allows no more processes; raise the limit (ulimit -u, or pids.max of a container)"
        ),
        _ => error.to_string(),
    }
}

#[cfg(test)]
mod tests {
    use std::io::{Error, ErrorKind};

    use super::{fewer, refused};

    #[test]
    fn a_limit_on_processes_is_named_where_nothing_could_be_started() {
        assert!(
            refused(&Error::from(ErrorKind::WouldBlock))
                .ends_with("raise the limit (ulimit -u, or pids.max of a container)")
        );
        assert!(!refused(&Error::from(ErrorKind::NotFound)).contains("ulimit"));
    }

    #[test]
    fn only_fewer_threads_than_wanted_are_mentioned() {
        assert_eq!(fewer(2, 2), None);
        assert!(fewer(104, 31).expect("fewer").starts_with("only 31 of 104 threads could be started"));
    }
}
