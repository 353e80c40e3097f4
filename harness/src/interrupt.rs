//! Ctrl-C. The first one asks the run to stop cleanly, and the second one ends the program immediately.

use std::sync::atomic::{AtomicBool, Ordering};
use std::sync::{Arc, LazyLock};

use signal_hook::consts::{SIGINT, SIGTERM};
use signal_hook::flag;

static REQUESTED: LazyLock<Arc<AtomicBool>> = LazyLock::new(Arc::default);

/// The exit status of a program that the user interrupted. By the convention of shells it is 128 + SIGINT.
pub const EXIT_CODE: u8 = 130;

/// Whether the user has asked to stop.
pub fn requested() -> bool {
    REQUESTED.load(Ordering::SeqCst)
}

/// Stops the run as if the user had asked for it.
pub fn request() {
    REQUESTED.store(true, Ordering::SeqCst);
}

/// Listens for Ctrl-C and SIGTERM. Some programs send SIGTERM twice, so a second one changes nothing. SIGHUP keeps its
/// default action, so that `nohup` works. A run that was stopped by any of these signals can be resumed.
///
/// # Errors
/// If the system does not allow it.
pub fn listen() -> anyhow::Result<()> {
    flag::register_conditional_shutdown(SIGINT, i32::from(EXIT_CODE), Arc::clone(&REQUESTED))?;
    flag::register(SIGINT, Arc::clone(&REQUESTED))?;
    flag::register(SIGTERM, Arc::clone(&REQUESTED))?;
    Ok(())
}

/// Makes a write beyond the limit on file sizes fail, so that it is reported. By default it would end the program.
pub fn report_large_files() {
    // If this fails, the default action stays.
    #[cfg(unix)]
    let _ = flag::register(signal_hook::consts::SIGXFSZ, Arc::default());
}
