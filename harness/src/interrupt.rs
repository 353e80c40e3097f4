//! Ctrl-C: the first asks the run to stop cleanly, the second ends the program at once.

use std::sync::atomic::{AtomicBool, Ordering};

static REQUESTED: AtomicBool = AtomicBool::new(false);

/// The exit status of a program that the user interrupted: 128 + SIGINT, as shells have it.
pub const EXIT_CODE: u8 = 130;

/// Whether the user has asked to stop.
pub fn requested() -> bool {
    REQUESTED.load(Ordering::SeqCst)
}

/// Stops the run as if the user had asked for it.
pub fn request() {
    REQUESTED.store(true, Ordering::SeqCst);
}

/// Listens for Ctrl-C, SIGTERM and SIGHUP.
///
/// # Errors
/// If the system does not allow it.
pub fn listen() -> anyhow::Result<()> {
    ctrlc::set_handler(|| {
        if REQUESTED.swap(true, Ordering::SeqCst) {
            std::process::exit(i32::from(EXIT_CODE));
        }
    })?;
    Ok(())
}
