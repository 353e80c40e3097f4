//! Ctrl-C: the first asks the run to stop cleanly, the second ends the program at once.

use std::sync::atomic::{AtomicBool, Ordering};
use std::sync::{Arc, LazyLock};

use signal_hook::consts::{SIGINT, SIGTERM};
use signal_hook::flag;

static REQUESTED: LazyLock<Arc<AtomicBool>> = LazyLock::new(Arc::default);

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

/// Listens for Ctrl-C and SIGTERM. A second SIGTERM changes nothing, since some programs send two; a hang-up keeps the
/// system's way, so that `nohup` works: the run can be resumed either way.
///
/// # Errors
/// If the system does not allow it.
pub fn listen() -> anyhow::Result<()> {
    flag::register_conditional_shutdown(SIGINT, i32::from(EXIT_CODE), Arc::clone(&REQUESTED))?;
    flag::register(SIGINT, Arc::clone(&REQUESTED))?;
    flag::register(SIGTERM, Arc::clone(&REQUESTED))?;
    Ok(())
}

/// Makes a limit on the size of files an error of a write, which is reported, and not the end of the program.
pub fn report_large_files() {
    // Where the system does not allow it, the system's way stays.
    #[cfg(unix)]
    let _ = flag::register(signal_hook::consts::SIGXFSZ, Arc::default());
}
