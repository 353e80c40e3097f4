//! What the instrument asks of the machine: the time, its own memory and processor time, and what it is.
//!
//! Behind a trait so that the whole program can be tested with exact numbers.

use std::fs;
use std::path::PathBuf;
use std::sync::OnceLock;
use std::time::{Duration, Instant};

use bakeoff_reports::MachineInfo;
use sha2::{Digest, Sha256};

/// The machine that measures. Every time in a record comes from [`Machine::now`].
pub trait Machine: Sync {
    /// Time since some fixed moment, never going back.
    fn now(&self) -> Duration;
    /// Processor time that this process has used, all threads together, where the system tells.
    fn cpu_time(&self) -> Option<Duration>;
    /// The largest resident set that this process has had, in bytes, where the system tells.
    fn peak_memory_bytes(&self) -> Option<u64>;
    /// The wall clock, UTC, as `YYYY-MM-DDTHH:MM:SSZ`.
    fn utc(&self) -> String;
    /// The folder that shows the RAPL registers.
    fn powercap(&self) -> PathBuf;
    /// What it is.
    fn describe(&self) -> MachineInfo;
}

/// The machine that the program runs on.
pub struct ThisMachine;

impl Machine for ThisMachine {
    fn now(&self) -> Duration {
        static START: OnceLock<Instant> = OnceLock::new();
        START.get_or_init(Instant::now).elapsed()
    }

    fn cpu_time(&self) -> Option<Duration> {
        #[cfg(unix)]
        {
            let time = rustix::time::clock_gettime(rustix::time::ClockId::ProcessCPUTime);
            Some(Duration::new(time.tv_sec.try_into().ok()?, time.tv_nsec.try_into().ok()?))
        }
        #[cfg(not(unix))]
        None
    }

    fn peak_memory_bytes(&self) -> Option<u64> {
        let status = fs::read_to_string("/proc/self/status").ok()?;
        let line = status.lines().find_map(|line| line.strip_prefix("VmHWM:"))?;
        line.trim().strip_suffix("kB")?.trim().parse::<u64>().ok().map(|kib| kib * 1024)
    }

    fn utc(&self) -> String {
        jiff::Timestamp::now().strftime("%Y-%m-%dT%H:%M:%SZ").to_string()
    }

    fn powercap(&self) -> PathBuf {
        PathBuf::from("/sys/class/powercap")
    }

    fn describe(&self) -> MachineInfo {
        let mut cpu = String::new();
        let mut memory_bytes = 0;
        if let Ok(mut system) = sysinfo::System::new() {
            system.refresh_memory();
            system.refresh_cpu_all();
            cpu = system.cpus().first().map_or(String::new(), |cpu| cpu.brand().trim().to_owned());
            memory_bytes = system.total_memory();
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

/// Logical processors that this process may use.
pub fn available_cpus() -> usize {
    std::thread::available_parallelism().map_or(1, usize::from)
}

/// Fills in the fingerprint: what decides cost (processor, how many, memory in whole GiB, instruction set), not the
/// kernel's patch level or the few pages that memory differs by after a reboot.
pub fn fingerprinted(mut info: MachineInfo) -> MachineInfo {
    let gib = (info.memory_bytes as f64 / f64::from(1 << 30)).round();
    let text = format!("{}\n{}\n{gib}\n{}", info.cpu, info.cpus, info.arch);
    let digest = Sha256::digest(text.as_bytes());
    info.fingerprint = digest.iter().take(4).map(|byte| format!("{byte:02x}")).collect();
    info
}

#[cfg(test)]
mod tests {
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
