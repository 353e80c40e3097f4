//! Threads of this program itself, beside those of a model: for images that are decoded and pictures that are drawn.

use std::io::{Write, stderr};

/// `work`, in which parallel iterators run on at most `threads` threads. Where the system starts fewer, a line on standard
/// error says so.
pub fn at_most<R: Send>(threads: usize, work: impl FnOnce() -> R + Send) -> R {
    let (result, started) = bakeoff_models::on_threads(threads, work);
    if let Some(note) = fewer(threads, started) {
        // Without a reader of standard error the work is still done.
        let _ = writeln!(stderr(), "note: {note}");
    }
    result
}

/// What to say where `started` threads are fewer than `wanted`.
pub fn fewer(wanted: usize, started: usize) -> Option<String> {
    (started < wanted).then(|| {
        format!("{started} of {wanted} threads were started: the system allows no more (see the limit on processes, ulimit -u)")
    })
}

#[cfg(test)]
mod tests {
    use super::fewer;

    #[test]
    fn only_fewer_threads_than_wanted_are_mentioned() {
        assert_eq!(fewer(2, 2), None);
        assert!(fewer(104, 31).expect("fewer").starts_with("31 of 104 threads were started"));
    }
}
