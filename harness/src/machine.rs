//! The interface to the machine: the time, the memory and processor time of this process, and what the machine is.
//!
//! It is a trait so that tests can run the whole program on a machine with exact numbers.

use std::fs;
use std::path::{Path, PathBuf};
use std::sync::OnceLock;
use std::time::{Duration, Instant};

use bakeoff_models::{Card, Device};
use bakeoff_reports::{DeviceInfo, MachineInfo};
use sha2::{Digest, Sha256};

use crate::{nvml, process_tree};

mod cgroup;
mod page_cache;
mod peak;

pub use peak::Peak;

/// The machine that measures. Every time in a record comes from [`Machine::now`].
pub trait Machine: Sync {
    /// The time since some fixed moment. It never goes back.
    fn now(&self) -> Duration;
    /// Lets this thread sleep for about this long, by the clock of [`Machine::now`].
    fn sleep(&self, duration: Duration) {
        std::thread::sleep(duration);
    }
    /// For how long the machine has been suspended since some fixed moment. [`Machine::now`] may or may not count this time. `None`
    /// if the system does not show it.
    fn suspended(&self) -> Option<Duration>;
    /// The processor time that all threads of this process have used, and all processes below it. `None` if the system does not show it.
    fn cpu_time(&self) -> Option<Duration>;
    /// The largest resident set that this process has had, in bytes, and those of the processes below it. `None` if the system does not show it.
    fn peak_memory_bytes(&self) -> Option<u64>;
    /// Drops the files below a folder from the system's cache, so that they are read from the disk next time.
    ///
    /// # Errors
    /// Why that cannot be done here.
    fn evict(&self, folder: &Path) -> Result<(), String>;
    /// The bytes that this process has fetched from storage, and all processes below it. `None` if the system does not show it.
    fn fetched_bytes(&self) -> Option<u64>;
    /// The wall clock, UTC, as `YYYY-MM-DDTHH:MM:SSZ`.
    fn utc(&self) -> String;
    /// The folder with the RAPL counters.
    fn powercap(&self) -> PathBuf;
    /// The folder with the system's `proc` and `sys`.
    fn system_root(&self) -> PathBuf;
    /// What the machine can do at most on so many threads. `None` if that cannot be measured.
    fn peak(&self, threads: usize) -> Option<Peak>;
    /// The moment on the clock that all processes of the machine share.
    fn moment(&self) -> Moment {
        Moment::now()
    }
    /// Whether a hypervisor runs this system, so that its RAPL registers are not those of the hardware.
    fn is_virtual(&self) -> bool;
    /// The library through which NVIDIA's GPUs are read.
    fn nvml_library(&self) -> PathBuf {
        PathBuf::from(if cfg!(windows) { "nvml.dll" } else { "libnvidia-ml.so.1" })
    }
    /// The machine's processor, memory and system.
    fn describe(&self) -> MachineInfo;
    /// The graphics card of a device, which is opened, and stays open until this process ends.
    ///
    /// # Errors
    /// Why there is none, and what to do.
    fn card(&self, device: Device) -> Result<Card, String> {
        device.card()
    }
    /// The most bytes of the device's own memory that this process has held. `None` for the processor, and if nothing shows it.
    fn device_memory_bytes(&self, device: Device) -> Option<u64> {
        device.memory_bytes()
    }
    /// A device of the machine. The processor has the machine's fingerprint. A card is opened in this process: see
    /// [`find`](crate::devices::find).
    ///
    /// # Errors
    /// Why there is no such device, and what to do.
    fn device(&self, device: Device) -> Result<DeviceInfo, String> {
        let machine = self.describe();
        if device == Device::Cpu {
            return Ok(DeviceInfo {
                name: machine.cpu,
                memory_bytes: machine.memory_bytes,
                fingerprint: machine.fingerprint,
                ..DeviceInfo::unknown(device.name())
            });
        }
        let card = self.card(device)?;
        let gpu = card.address.as_ref().and_then(|address| nvml::gpu_at(&self.nvml_library(), address));
        let (memory_bytes, capability, nvidia) =
            gpu.map_or_else(Default::default, |gpu| (gpu.memory_bytes, gpu.capability, gpu.driver));
        Ok(DeviceInfo {
            fingerprint: fingerprint_with(&machine, &card.name),
            name: card.name,
            memory_bytes,
            driver: if card.driver.is_empty() { nvidia } else { card.driver },
            capability: if capability.is_empty() {
                capability_of(&card.target).unwrap_or_default()
            } else {
                capability
            },
            address: card.address,
            is_software: card.is_software,
            ..DeviceInfo::unknown(device.name())
        })
    }
}

/// The compute capability that kernels are compiled for, `9.0` for `ptx_sm90`. `None` if it is none of NVIDIA's.
fn capability_of(target: &str) -> Option<String> {
    let (_, rest) = target.split_once("sm")?;
    let digits: String = rest.trim_start_matches('_').chars().take_while(char::is_ascii_digit).collect();
    let (major, minor) = digits.split_at_checked(digits.len().checked_sub(1)?)?;
    (!major.is_empty()).then(|| format!("{major}.{minor}"))
}

/// The fingerprint of a machine with a graphics card. The machine feeds the card, so both decide what a case costs. The driver is left
/// out, as the kernel's version is.
pub fn fingerprint_with(machine: &MachineInfo, card: &str) -> String {
    fingerprint(&[&machine.fingerprint, card])
}

/// A moment on the clock that all processes of a machine share, by which the parent finds what its meters showed while a child
/// worked.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub struct Moment {
    /// CLOCK_MONOTONIC. It stands still while the machine is suspended.
    pub monotonic: Duration,
    /// How long the machine has been suspended since it was started: CLOCK_BOOTTIME less CLOCK_MONOTONIC.
    pub suspended: Duration,
}

impl Moment {
    /// This moment.
    pub fn now() -> Moment {
        #[cfg(target_os = "linux")]
        {
            use rustix::time::{ClockId, clock_gettime};
            let read = |clock: ClockId| {
                let time = clock_gettime(clock);
                Duration::new(time.tv_sec.try_into().unwrap_or(0), time.tv_nsec.try_into().unwrap_or(0))
            };
            let monotonic = read(ClockId::Monotonic);
            Moment { monotonic, suspended: read(ClockId::Boottime).saturating_sub(monotonic) }
        }
        #[cfg(not(target_os = "linux"))]
        Moment { monotonic: ThisMachine.now(), suspended: Duration::ZERO }
    }
}

/// The machine on which the program runs.
pub struct ThisMachine;

impl Machine for ThisMachine {
    fn now(&self) -> Duration {
        static START: OnceLock<Instant> = OnceLock::new();
        START.get_or_init(Instant::now).elapsed()
    }

    fn suspended(&self) -> Option<Duration> {
        // Linux counts suspended time in one of its clocks and not in the other.
        #[cfg(target_os = "linux")]
        {
            Some(Moment::now().suspended)
        }
        #[cfg(not(target_os = "linux"))]
        None
    }

    fn cpu_time(&self) -> Option<Duration> {
        #[cfg(unix)]
        {
            let time = rustix::time::clock_gettime(rustix::time::ClockId::ProcessCPUTime);
            let own = Duration::new(time.tv_sec.try_into().ok()?, time.tv_nsec.try_into().ok()?);
            Some(own + process_tree::cpu_time(std::process::id()))
        }
        #[cfg(not(unix))]
        None
    }

    fn peak_memory_bytes(&self) -> Option<u64> {
        let status = fs::read_to_string("/proc/self/status").ok()?;
        let line = status.lines().find_map(|line| line.strip_prefix("VmHWM:"))?;
        let own = line.trim().strip_suffix("kB")?.trim().parse::<u64>().ok().map(|kib| kib * 1024)?;
        Some(own + process_tree::peak_resident_bytes(std::process::id()))
    }

    fn evict(&self, folder: &Path) -> Result<(), String> {
        page_cache::evict(folder)
    }

    fn fetched_bytes(&self) -> Option<u64> {
        // That of processes which have ended and were waited for is in ours.
        let own = page_cache::fetched_bytes(&fs::read_to_string("/proc/self/io").ok()?)?;
        let below = process_tree::io_of(std::process::id()).filter_map(|io| page_cache::fetched_bytes(&io));
        Some(own + below.sum::<u64>())
    }

    fn utc(&self) -> String {
        jiff::Timestamp::now().strftime("%Y-%m-%dT%H:%M:%SZ").to_string()
    }

    fn powercap(&self) -> PathBuf {
        PathBuf::from("/sys/class/powercap")
    }

    fn system_root(&self) -> PathBuf {
        PathBuf::from("/")
    }

    fn peak(&self, threads: usize) -> Option<Peak> {
        peak::measure(self, threads)
    }

    fn is_virtual(&self) -> bool {
        fs::read_to_string("/proc/cpuinfo").is_ok_and(|info| has_hypervisor(&info))
    }

    fn describe(&self) -> MachineInfo {
        let mut cpu = String::new();
        let mut memory_bytes = 0;
        if let Ok(mut system) = sysinfo::System::new() {
            system.refresh_memory();
            system.refresh_cpu_all();
            cpu = system.cpus().first().map_or(String::new(), |cpu| cpu.brand().trim().to_owned());
            memory_bytes = usable_memory(system.total_memory(), cgroup::memory_limit(Path::new("/")));
        }
        let os = sysinfo::System::long_os_version().unwrap_or_else(|_| std::env::consts::OS.to_owned());
        let kernel = sysinfo::System::kernel_version().map_or(String::new(), |version| format!(", kernel {version}"));
        fingerprinted(MachineInfo {
            fingerprint: String::new(),
            cpu: if cpu.is_empty() { "unknown".to_owned() } else { cpu },
            cpus: available_cpus(),
            memory_bytes,
            os: format!("{os}{kernel}"),
            arch: std::env::consts::ARCH.to_owned(),
        })
    }
}

/// Whether /proc/cpuinfo names the flag by which a hypervisor tells its guest that it is one.
fn has_hypervisor(cpuinfo: &str) -> bool {
    let flags = cpuinfo.lines().find_map(|line| line.strip_prefix("flags"));
    flags.is_some_and(|flags| flags.split_whitespace().any(|flag| flag == "hypervisor"))
}

/// How many bytes of memory this process may use: the host's, or the limit of its container if that is less. `host` is
/// 0 if unknown.
fn usable_memory(host: u64, limit: Option<u64>) -> u64 {
    match limit {
        Some(limit) if host == 0 => limit,
        Some(limit) => host.min(limit),
        None => host,
    }
}

/// How many logical processors this process may use at the same time. They are those of its affinity mask, which
/// cpusets narrow. A control group's quota of processor time, rounded down, may allow fewer.
pub fn available_cpus() -> usize {
    std::thread::available_parallelism().map_or(1, usize::from)
}

/// Fills in the fingerprint. It is a hash of what decides cost: processor, number of processors, memory in whole GiB
/// and instruction set. The kernel's version is left out, and so are the few pages of memory that can differ after a
/// reboot.
pub fn fingerprinted(mut info: MachineInfo) -> MachineInfo {
    let gib = (info.memory_bytes as f64 / f64::from(1 << 30)).round();
    info.fingerprint = fingerprint(&[&info.cpu, &info.cpus.to_string(), &gib.to_string(), &info.arch]);
    info
}

/// A short hash of lines.
fn fingerprint(lines: &[&str]) -> String {
    let digest = Sha256::digest(lines.join("\n").as_bytes());
    digest.iter().take(4).map(|byte| format!("{byte:02x}")).collect()
}

#[cfg(test)]
mod tests {
    #![expect(clippy::unwrap_used, reason = "tests")]

    use super::*;

    #[test]
    fn time_never_goes_back_and_processor_time_is_spent() {
        let before = (ThisMachine.now(), ThisMachine.cpu_time());
        let work: u64 = (0..2_000_000_u64).map(|i| std::hint::black_box(i).rotate_left(3)).fold(0, u64::wrapping_add);
        std::hint::black_box(work);
        assert!(ThisMachine.now() > before.0);
        assert!(ThisMachine.cpu_time() >= before.1);
    }

    #[test]
    fn the_shared_clock_goes_on_and_no_test_suspends_the_machine() {
        let before = Moment::now();
        let after = Moment::now();
        assert!(after.monotonic >= before.monotonic, "{before:?} {after:?}");
        // The two clocks are read one after the other.
        assert!(after.suspended.abs_diff(before.suspended) < Duration::from_millis(100), "{before:?} {after:?}");
    }

    #[test]
    fn a_guest_is_known_by_its_flag_and_not_by_its_name() {
        assert!(has_hypervisor("model name\t: x\nflags\t\t: fpu hypervisor avx2\nbugs\t\t:\n"));
        assert!(!has_hypervisor("model name\t: hypervisor\nflags\t\t: fpu avx2\n"));
        assert!(!has_hypervisor(""));
    }

    #[test]
    fn memory_is_the_smaller_of_host_and_limit() {
        assert_eq!(usable_memory(25 << 30, None), 25 << 30);
        assert_eq!(usable_memory(25 << 30, Some(2 << 30)), 2 << 30);
        assert_eq!(usable_memory(25 << 30, Some(32 << 30)), 25 << 30);
        assert_eq!(usable_memory(0, Some(2 << 30)), 2 << 30);
        assert_eq!(usable_memory(0, None), 0);
    }

    #[test]
    fn a_machine_without_a_limit_keeps_its_fingerprint() {
        let info = fingerprinted(MachineInfo {
            fingerprint: String::new(),
            cpu: "Intel(R) Xeon(R) Processor @ 2.70GHz".to_owned(),
            cpus: 2,
            memory_bytes: usable_memory(25_282_000_000, None),
            os: "Linux".to_owned(),
            arch: "x86_64".to_owned(),
        });
        assert_eq!(info.fingerprint, "5e379dbb");
    }

    /// The machine of the tests with a card.
    struct WithCard(Card);

    impl Machine for WithCard {
        fn now(&self) -> Duration {
            ThisMachine.now()
        }
        fn suspended(&self) -> Option<Duration> {
            None
        }
        fn cpu_time(&self) -> Option<Duration> {
            None
        }
        fn peak_memory_bytes(&self) -> Option<u64> {
            None
        }
        fn evict(&self, _: &Path) -> Result<(), String> {
            Ok(())
        }
        fn fetched_bytes(&self) -> Option<u64> {
            None
        }
        fn utc(&self) -> String {
            String::new()
        }
        fn powercap(&self) -> PathBuf {
            PathBuf::new()
        }
        fn system_root(&self) -> PathBuf {
            PathBuf::new()
        }
        fn peak(&self, _: usize) -> Option<Peak> {
            None
        }
        fn is_virtual(&self) -> bool {
            false
        }
        fn nvml_library(&self) -> PathBuf {
            PathBuf::from("/nowhere")
        }
        fn describe(&self) -> MachineInfo {
            fingerprinted(MachineInfo {
                fingerprint: String::new(),
                cpu: "A".to_owned(),
                cpus: 2,
                memory_bytes: 25 << 30,
                os: "1".to_owned(),
                arch: "x86_64".to_owned(),
            })
        }
        fn card(&self, device: Device) -> Result<Card, String> {
            if device == Device::Cuda(0) { Ok(self.0.clone()) } else { Err("there is none".to_owned()) }
        }
    }

    #[test]
    fn costs_on_a_card_are_those_of_the_machine_and_the_card_whatever_its_driver_is() {
        let machine = |name: &str, driver: &str| {
            WithCard(Card {
                name: name.to_owned(),
                driver: driver.to_owned(),
                target: "ptx_sm90".to_owned(),
                address: Some("0000:65:00.0".to_owned()),
                is_software: false,
            })
        };
        let of_card = |name, driver| machine(name, driver).device(Device::Cuda(0)).unwrap();
        let card = of_card("H200", "580.1");
        assert_eq!(card.fingerprint, of_card("H200", "999.9").fingerprint);
        assert_ne!(card.fingerprint, of_card("H100", "580.1").fingerprint);
        assert_ne!(card.fingerprint, machine("H200", "").device(Device::Cpu).unwrap().fingerprint);
        assert_eq!((card.driver.as_str(), card.capability.as_str()), ("580.1", "9.0"));
        assert_eq!(
            (card.address.as_deref(), card.memory_bytes),
            (Some("0000:65:00.0"), 0),
            "without NVML, the memory is unknown"
        );
        assert_eq!(machine("H200", "").device(Device::Cuda(1)), Err("there is none".to_owned()));
    }

    #[test]
    fn a_compute_capability_is_read_from_what_kernels_are_compiled_for() {
        for (target, capability) in
            [("ptx_sm90", "9.0"), ("ptx_sm_89", "8.9"), ("sm120", "12.0"), ("vulkan", ""), ("", "")]
        {
            assert_eq!(capability_of(target).unwrap_or_default(), capability, "{target}");
        }
    }

    #[test]
    fn fingerprint_ignores_the_kernel_but_not_the_processor() {
        let info = |cpu: &str, os: &str| {
            fingerprinted(MachineInfo {
                fingerprint: String::new(),
                cpu: cpu.to_owned(),
                cpus: 2,
                memory_bytes: 25 << 30,
                os: os.to_owned(),
                arch: "x86_64".to_owned(),
            })
            .fingerprint
        };
        assert_eq!(info("A", "1"), info("A", "2"));
        assert_ne!(info("A", "1"), info("B", "1"));
    }
}
