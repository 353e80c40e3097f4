//! NVIDIA's management library, which is loaded at run time, and what it says of a GPU that no energy meter needs.

use std::path::Path;

use nvml_wrapper::Nvml;
use nvml_wrapper::error::NvmlError;

/// What the driver says of a GPU.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Gpu {
    /// Bytes of its memory. 0 if it does not say.
    pub memory_bytes: u64,
    /// Its compute capability, such as `9.0`. Empty if it does not say.
    pub capability: String,
    /// The driver's version. Empty if it does not say.
    pub driver: String,
}

/// Loads the library.
///
/// # Errors
/// If it is not there, or if it does not find a driver.
pub fn load(library: &Path) -> Result<Nvml, NvmlError> {
    Nvml::builder().lib_path(library.as_os_str()).init()
}

/// The GPU at an address on the bus, such as `0000:65:00.0`. `None` if NVIDIA's driver knows none there.
pub fn gpu_at(library: &Path, address: &str) -> Option<Gpu> {
    let nvml = load(library).ok()?;
    let gpu = nvml.device_by_pci_bus_id(address).ok()?;
    Some(Gpu {
        memory_bytes: gpu.memory_info().map_or(0, |memory| memory.total),
        capability: gpu
            .cuda_compute_capability()
            .map_or(String::new(), |found| format!("{}.{}", found.major, found.minor)),
        driver: nvml.sys_driver_version().unwrap_or_default(),
    })
}
