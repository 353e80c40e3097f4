//! What a graphics library says when a card fails, as a reason in plain words. It panics or aborts with the words of its drivers.

use bakeoff_models::Device;
use bakeoff_reports::Status;

/// How these libraries say that a card has no memory left: wgpu, the library above it, and CUDA.
const OUT_OF_MEMORY: [&str; 8] = [
    "not enough memory left",
    "out of memory",
    "out of device memory",
    "out-of-memory",
    "outofmemory",
    "out_of_memory",
    "out_of_device_memory",
    "can't allocate buffer of size",
];

/// How they say that a card does not answer any more.
const LOST: [&str; 10] = [
    "device is lost",
    "device was lost",
    "device lost",
    "device was poisoned",
    "devicepoison",
    "error_device_lost",
    "cuda_error_illegal_address",
    "cuda_error_launch_failed",
    "cuda_error_ecc_uncorrectable",
    "cuda_error_device_unavailable",
];

/// What a case on a card ended with, if this is what its library said. `None` for the processor, and for what is no fault of a card.
pub(crate) fn ending(device: &str, said: &str) -> Option<(Status, String)> {
    if device == Device::Cpu.name() {
        return None;
    }
    // The other lines are a backtrace.
    let line_with = |known: &[&str]| {
        said.lines().map(str::trim).find(|line| known.iter().any(|words| line.to_lowercase().contains(words)))
    };
    if let Some(line) = line_with(&OUT_OF_MEMORY) {
        let reason = format!(
            "the card of {device} has not enough free memory: make `batch` or the model smaller, or end other programs that use the \
             card (its library said: {line})"
        );
        return Some((Status::OutOfMemory, reason));
    }
    line_with(&LOST).map(|line| {
        let reason = format!(
            "the card of {device} was lost while the case computed, as when its driver is reset: see the system's log, then run the case \
             again with `bakeoff resume` (its library said: {line})"
        );
        (Status::Failed, reason)
    })
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_card_without_memory_says_what_to_make_smaller() {
        for said in [
            "wgpu error: Out of Memory\n at /x/runtime.rs:1",
            "An out-of-memory error happened during launch\nCaused by:\n  pool\nBacktrace\n 0: main",
            "out of device memory allocating 4096 bytes\n<backtrace>",
            "called `Result::unwrap()` on an `Err` value: DriverError(CUDA_ERROR_OUT_OF_MEMORY, \"out of memory\")",
            "Error in Device::create_buffer: Not enough memory left.",
        ] {
            let (status, reason) = ending("wgpu", said).unwrap_or_else(|| panic!("{said}"));
            assert_eq!(status, Status::OutOfMemory, "{said}");
            assert!(reason.starts_with("the card of wgpu has not enough free memory: make `batch`"), "{reason}");
            assert!(!reason.contains('\n') && !reason.contains("acktrace"), "{reason}");
        }
    }

    #[test]
    fn a_card_that_is_lost_says_that_the_case_can_be_run_again() {
        for said in [
            "Parent device is lost",
            "the wgpu device was lost (Unknown): GPU hang",
            "The device was poisoned during launch\nCaused by:\n  cuLaunchKernel failed with status 700",
            "DriverError(CUDA_ERROR_ILLEGAL_ADDRESS, \"an illegal memory access was encountered\")",
            "VK_ERROR_DEVICE_LOST",
        ] {
            let (status, reason) = ending("cuda:1", said).unwrap_or_else(|| panic!("{said}"));
            assert_eq!(status, Status::Failed, "{said}");
            assert!(reason.starts_with("the card of cuda:1 was lost") && reason.contains("bakeoff resume"), "{reason}");
        }
    }

    #[test]
    fn the_processor_and_other_faults_have_their_own_words() {
        assert_eq!(ending("cpu", "out of memory"), None);
        assert_eq!(ending("wgpu", "index out of bounds: the len is 3 but the index is 7"), None);
    }
}
