//! Where models compute.

use crate::model::Support;

/// Where a model computes.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Hash)]
pub enum Device {
    /// The processor.
    Cpu,
    /// A graphics card through wgpu, by its number from 0: Vulkan, Metal or Direct3D.
    Wgpu(u8),
    /// A card of NVIDIA through CUDA, by its number from 0.
    Cuda(u8),
}

/// The names of graphics cards through wgpu, by their numbers. The first one needs none.
const WGPU: [&str; 8] = ["wgpu", "wgpu:1", "wgpu:2", "wgpu:3", "wgpu:4", "wgpu:5", "wgpu:6", "wgpu:7"];
/// The same through CUDA.
const CUDA: [&str; 8] = ["cuda", "cuda:1", "cuda:2", "cuda:3", "cuda:4", "cuda:5", "cuda:6", "cuda:7"];

/// A graphics card as its driver describes it.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Card {
    /// What the card is called.
    pub name: String,
    /// The driver's name and version, as far as the graphics API tells it; empty through CUDA.
    pub driver: String,
    /// What its kernels are compiled for, such as `ptx_sm90`; through wgpu, the graphics API, such as `vulkan`.
    pub target: String,
    /// Its address on the bus, such as `0000:65:00.0`. `None` for a device that has none, such as a software renderer.
    pub address: Option<String>,
    /// Whether it is a program on the processor that takes the place of a card.
    pub is_software: bool,
}

impl Device {
    /// The first device of each kind that this build can use. Whether the machine has it is another question.
    pub const BUILT: &[Device] = &[
        Device::Cpu,
        #[cfg(feature = "wgpu")]
        Device::Wgpu(0),
        #[cfg(feature = "cuda")]
        Device::Cuda(0),
    ];

    /// The kinds that this build cannot use. Each is the name of the feature that builds it.
    pub const NOT_BUILT: &[&str] = &[
        #[cfg(not(feature = "wgpu"))]
        "wgpu",
        #[cfg(not(feature = "cuda"))]
        "cuda",
    ];

    /// The name on the command line and in records.
    pub fn name(self) -> &'static str {
        match self {
            Device::Cpu => "cpu",
            Device::Wgpu(index) => WGPU[usize::from(index) % WGPU.len()],
            Device::Cuda(index) => CUDA[usize::from(index) % CUDA.len()],
        }
    }

    /// The device of this name.
    ///
    /// # Errors
    /// If there is none of this name, or if this build cannot use it: what is known, or how to build it.
    pub fn named(name: &str) -> Result<Device, String> {
        // The first card has two names.
        let bare = name.strip_suffix(":0").unwrap_or(name);
        let number =
            |names: &[&str]| names.iter().position(|known| *known == bare).and_then(|at| u8::try_from(at).ok());
        let device = match (bare, number(&WGPU), number(&CUDA)) {
            ("cpu", ..) if name == "cpu" => Device::Cpu,
            (_, Some(index), _) => Device::Wgpu(index),
            (_, _, Some(index)) => Device::Cuda(index),
            _ => {
                let kinds = ["cpu", WGPU[0], CUDA[0], WGPU[1], CUDA[1]];
                return Err(crate::names::unknown_name("device", name, &kinds));
            }
        };
        if device.is_built() {
            return Ok(device);
        }
        let feature = if matches!(device, Device::Wgpu(_)) { "wgpu" } else { "cuda" };
        Err(format!(
            "this bakeoff was built without {name}, so it computes on {} alone: cargo build --release --features {feature}",
            Device::BUILT.iter().map(|built| built.name()).collect::<Vec<_>>().join(" and ")
        ))
    }

    /// The card of this device. It opens the card, which takes up to a second.
    ///
    /// # Errors
    /// Why there is none, in words, and what to do. The processor is no card.
    pub fn card(self) -> Result<Card, String> {
        #[cfg(any(feature = "wgpu", feature = "cuda"))]
        return crate::neural::card(self);
        #[cfg(not(any(feature = "wgpu", feature = "cuda")))]
        Err(format!("{} is no card", self.name()))
    }

    /// How many bytes of the card's memory this process holds. The library keeps what it no longer uses, so this is the most that it has
    /// held at a time, with what a card's memory is divided into. `None` for the processor.
    pub fn memory_bytes(self) -> Option<u64> {
        #[cfg(any(feature = "wgpu", feature = "cuda"))]
        return crate::neural::card_memory(self);
        #[cfg(not(any(feature = "wgpu", feature = "cuda")))]
        None
    }

    fn is_built(self) -> bool {
        match self {
            Device::Cpu => true,
            Device::Wgpu(_) => cfg!(feature = "wgpu"),
            Device::Cuda(_) => cfg!(feature = "cuda"),
        }
    }

    /// What a model answers that has code for the processor alone.
    pub(crate) fn processor_alone(self) -> Support {
        match self {
            Device::Cpu => Support::Yes,
            Device::Wgpu(_) | Device::Cuda(_) => {
                Support::No { reason: format!("it computes on the processor alone, and the device is {}", self.name()) }
            }
        }
    }
}

#[cfg(all(test, any(feature = "wgpu", feature = "cuda")))]
pub(crate) mod testing {
    //! What tests on cards share.

    use std::sync::{Mutex, MutexGuard, PoisonError};

    use super::Device;

    /// The cards that this build and this machine have, for one test at a time: their random numbers are one stream for the whole process.
    pub(crate) fn cards() -> (MutexGuard<'static, ()>, Vec<Device>) {
        static TURN: Mutex<()> = Mutex::new(());
        let turn = TURN.lock().unwrap_or_else(PoisonError::into_inner);
        // One of several may be asked for, because software in the place of a card takes long.
        let asked = std::env::var("BAKEOFF_CARD").ok();
        let is_asked = |device: &Device| asked.as_ref().is_none_or(|asked| asked == device.name());
        let built = Device::BUILT.iter().copied().filter(is_asked);
        let found: Vec<Device> = built.filter(|device| device.card().is_ok()).collect();
        let last = Device::BUILT.last().map(|device| device.card());
        assert!(!found.is_empty(), "this build is for cards, and this machine has none: {last:?}");
        (turn, found)
    }

    /// How far a loss may be from PyTorch's, as a share of it. CUDA's products may be in TF32; see docs/devices.md.
    pub(crate) fn tolerance(device: Device) -> f64 {
        if matches!(device, Device::Cuda(_)) { 1e-2 } else { 1e-4 }
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_device_is_found_by_its_name_and_another_is_answered_with_what_there_is() {
        assert_eq!(Device::named("cpu"), Ok(Device::Cpu));
        for built in Device::BUILT {
            assert_eq!(Device::named(built.name()), Ok(*built));
        }
        let said = Device::named("cudda").expect_err("it is mistyped");
        assert!(said.contains("unknown device 'cudda', did you mean 'cuda'?"), "{said}");
        assert!(Device::named("cuda:99").is_err() && Device::named("cpu:1").is_err() && Device::named("").is_err());
        let of = |name| Device::named(name);
        if cfg!(feature = "wgpu") {
            assert_eq!((of("wgpu:0"), of("wgpu:3")), (Ok(Device::Wgpu(0)), Ok(Device::Wgpu(3))));
        } else {
            let said = of("wgpu:1").expect_err("it is not built");
            assert!(said.contains("built without wgpu:1") && said.contains("--features wgpu"), "{said}");
        }
    }
}
