//! Graphics cards, as the library finds them. A card is opened once and then kept, because the library does so too.

use std::collections::HashMap;
use std::sync::{Mutex, PoisonError};

use burn::tensor::Device as BurnDevice;

use crate::device::{Card, Device};

/// A card that computes.
#[derive(Clone)]
pub(super) struct OpenedCard {
    pub(super) device: BurnDevice,
    pub(super) card: Card,
    /// The most bytes that one tensor may have.
    pub(super) tensor_bytes: u64,
}

static OPENED: Mutex<Option<HashMap<Device, Result<OpenedCard, String>>>> = Mutex::new(None);

/// Opens the card of this device, or gives that which is open.
///
/// # Errors
/// Why there is none, and what to do.
pub(super) fn open(device: Device) -> Result<OpenedCard, String> {
    let mut opened = OPENED.lock().unwrap_or_else(PoisonError::into_inner);
    let found = opened.get_or_insert_default().entry(device).or_insert_with(|| match device {
        Device::Cpu => Err("the processor is no card".to_owned()),
        #[cfg(feature = "wgpu")]
        Device::Wgpu(index) => wgpu_card(usize::from(index)),
        #[cfg(feature = "cuda")]
        Device::Cuda(index) => cuda_card(usize::from(index)),
        #[expect(clippy::allow_attributes, reason = "a build with both features has no other device")]
        #[allow(unreachable_patterns, reason = "a build with both features has no other device")]
        _ => Err(format!("this build has no {}", device.name())),
    });
    found.clone()
}

/// Runs what may panic inside the library, and gives the first line of what it said.
#[cfg(feature = "cuda")]
fn caught<T>(work: impl FnOnce() -> T + std::panic::UnwindSafe) -> Result<T, String> {
    std::panic::catch_unwind(work).map_err(|panic| {
        let text = panic.downcast_ref::<String>().map(String::as_str).or_else(|| panic.downcast_ref::<&str>().copied());
        text.and_then(|text| text.lines().next()).unwrap_or("no message").to_owned()
    })
}

/// Whether CUDA's headers are where the library looks for them. It panics where they are not.
#[cfg(feature = "cuda")]
fn has_toolkit() -> bool {
    use std::path::Path;

    match std::env::var_os("CUDA_PATH") {
        Some(path) => Path::new(&path).join("include").is_dir(),
        None if cfg!(target_os = "linux") => ["/usr/local/cuda/include", "/opt/cuda/include", "/usr/bin/nvcc"]
            .iter()
            .any(|path| Path::new(path).exists()),
        None => true,
    }
}

#[cfg(feature = "cuda")]
fn cuda_card(index: usize) -> Result<OpenedCard, String> {
    use burn::tensor::DeviceType;

    let count = BurnDevice::enumerate(DeviceType::Cuda).into_iter().count();
    if count == 0 {
        return Err("no card of NVIDIA is found: there is none, or its driver is missing (`nvidia-smi` must list it)"
            .to_owned());
    }
    if index >= count {
        return Err(format!("there is no card {index}: NVIDIA's driver lists {count}, and the first one is cuda:0"));
    }
    if !has_toolkit() {
        return Err("NVIDIA's driver is here, and the CUDA toolkit is not, whose compiler and headers are needed: install it, or set CUDA_PATH \
                    to a folder with its include/ (a Python environment with PyTorch has one, nvidia/cu13)"
            .to_owned());
    }
    let device = BurnDevice::cuda(index);
    let identity = {
        let device = device.clone();
        caught(move || device.identity())
            .map_err(|said| format!("NVIDIA's driver lists the card but does not open it: {said}"))?
    };
    let identity = identity.ok_or("NVIDIA's driver does not describe the card")?;
    let card = Card {
        name: identity.name,
        driver: String::new(),
        target: identity.fingerprint,
        address: identity.physical.and_then(|card| card.pci_address).map(|address| address.to_string()),
        is_software: false,
    };
    Ok(OpenedCard { device, card, tensor_bytes: u64::MAX })
}

/// The adapters of the first graphics API that has any, those that are no software first.
#[cfg(feature = "wgpu")]
fn wgpu_card(index: usize) -> Result<OpenedCard, String> {
    use burn::tensor::DeviceKind;
    use burn::tensor::wgpu::WgpuOptions;
    use burn::tensor::wgpu::wgpu::DeviceType;

    let (api, mut kinds) = adapters();
    // As the library counts them: each kind from 0.
    kinds.sort_by_key(|kind| match kind {
        DeviceType::DiscreteGpu => 0,
        DeviceType::IntegratedGpu => 1,
        DeviceType::VirtualGpu => 2,
        DeviceType::Other => 3,
        DeviceType::Cpu => 4,
    });
    let Some(kind) = kinds.get(index).copied() else {
        return Err(match kinds.len() {
            0 => "no graphics card is found: there is none, or its driver for Vulkan, Metal or Direct3D is missing (on Debian: \
                  mesa-vulkan-drivers, or NVIDIA's driver)"
                .to_owned(),
            count => format!("there is no card {index}: the graphics API lists {count}, and the first one is wgpu:0"),
        });
    };
    let nth = kinds[..index].iter().filter(|other| **other == kind).count();
    let kind = match kind {
        DeviceType::DiscreteGpu => DeviceKind::DiscreteGpu(nth),
        DeviceType::IntegratedGpu => DeviceKind::IntegratedGpu(nth),
        DeviceType::VirtualGpu => DeviceKind::VirtualGpu(nth),
        // The library has no name for it, but it is what it takes by default if there is nothing better.
        DeviceType::Other => DeviceKind::DefaultDevice,
        DeviceType::Cpu => DeviceKind::Cpu,
    };
    let opened = WgpuOptions::default().device_kind(kind).graphics_api(api).init_with_setup();
    let (device, setup) =
        opened.map_err(|error| format!("the graphics API lists the card but does not open it: {error}"))?;
    let info = setup.adapter.get_info();
    let card = Card {
        name: info.name,
        driver: [info.driver, info.driver_info].join(" ").trim().to_owned(),
        target: format!("{:?}", info.backend).to_lowercase(),
        address: Some(info.device_pci_bus_id).filter(|address| !address.is_empty()),
        is_software: info.device_type == DeviceType::Cpu,
    };
    let limits = setup.device.limits();
    let tensor_bytes = limits.max_buffer_size.min(limits.max_storage_buffer_binding_size);
    Ok(OpenedCard { device, card, tensor_bytes })
}

/// The first graphics API with a card, or else with software that takes the place of one, and the kinds of its adapters.
#[cfg(feature = "wgpu")]
fn adapters() -> (burn::tensor::wgpu::WgpuBackend, Vec<burn::tensor::wgpu::wgpu::DeviceType>) {
    use burn::tensor::wgpu::{WgpuBackend, wgpu};

    let apis = [
        (WgpuBackend::Vulkan, wgpu::Backends::VULKAN),
        (WgpuBackend::Metal, wgpu::Backends::METAL),
        (WgpuBackend::Dx12, wgpu::Backends::DX12),
    ];
    let mut software = None;
    for (api, backends) in apis {
        let descriptor =
            wgpu::InstanceDescriptor { backends, ..wgpu::InstanceDescriptor::new_without_display_handle() };
        let found = futures_lite::future::block_on(wgpu::Instance::new(descriptor).enumerate_adapters(backends));
        let kinds: Vec<wgpu::DeviceType> = found.iter().map(|adapter| adapter.get_info().device_type).collect();
        if kinds.iter().any(|kind| *kind != wgpu::DeviceType::Cpu) {
            return (api, kinds);
        }
        if !kinds.is_empty() {
            software.get_or_insert((api, kinds));
        }
    }
    software.unwrap_or((WgpuBackend::Auto, Vec::new()))
}
