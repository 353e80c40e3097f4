//! The joules of NVIDIA's GPUs, through the driver's management library. A machine without it has a reason and no meter.

use std::path::Path;
use std::time::Duration;

use nvml_wrapper::error::NvmlError;

use super::{Counter, EnergyConfig, Fault, MeterKind, NVML, Timing, Unavailable};
use crate::machine::Machine;
use crate::nvml;

/// The GPU that a case computes on. For a case on the processor, all GPUs of the machine, which a suite must ask for.
pub(super) struct Nvml;

impl MeterKind for Nvml {
    fn name(&self) -> &'static str {
        NVML
    }

    fn about(&self) -> &'static str {
        "NVIDIA's GPUs, by the driver"
    }

    fn is_tried(&self, _: &dyn Machine) -> bool {
        false
    }

    fn open<'a>(
        &self,
        _: &EnergyConfig,
        machine: &'a dyn Machine,
        card: Option<&str>,
    ) -> Result<Box<dyn Counter + 'a>, Unavailable> {
        let library = Library::load(&machine.nvml_library())?;
        Ok(Box::new(GpuCounter::open(Box::new(library), card, machine.moment().monotonic)?))
    }
}

/// What the driver says of the GPUs of a machine.
trait Gpus: Send {
    fn count(&self) -> Result<u32, NvmlError>;
    /// The number of the GPU at this address on the bus.
    fn at(&self, address: &str) -> Result<u32, NvmlError>;
    fn name(&self, gpu: u32) -> Result<String, NvmlError>;
    /// Millijoules since the driver was loaded.
    fn energy_mj(&self, gpu: u32) -> Result<u64, NvmlError>;
    /// Milliwatts.
    fn power_mw(&self, gpu: u32) -> Result<u32, NvmlError>;
}

struct Library {
    nvml: nvml_wrapper::Nvml,
}

impl Library {
    fn load(path: &Path) -> Result<Library, Unavailable> {
        match nvml::load(path) {
            Ok(nvml) => Ok(Library { nvml }),
            Err(NvmlError::LibloadingError(error)) => Err(Unavailable {
                why: format!("no NVML: {error}"),
                remedy: vec!["if there is an NVIDIA GPU: install NVIDIA's driver, which has this library".to_owned()],
            }),
            Err(error) => Err(Unavailable {
                why: format!("NVML does not start: {error}"),
                remedy: vec!["`nvidia-smi` must work first".to_owned()],
            }),
        }
    }
}

impl Gpus for Library {
    fn count(&self) -> Result<u32, NvmlError> {
        self.nvml.device_count()
    }
    fn at(&self, address: &str) -> Result<u32, NvmlError> {
        self.nvml.device_by_pci_bus_id(address)?.index()
    }
    fn name(&self, gpu: u32) -> Result<String, NvmlError> {
        self.nvml.device_by_index(gpu)?.name()
    }
    fn energy_mj(&self, gpu: u32) -> Result<u64, NvmlError> {
        self.nvml.device_by_index(gpu)?.total_energy_consumption()
    }
    fn power_mw(&self, gpu: u32) -> Result<u32, NvmlError> {
        self.nvml.device_by_index(gpu)?.power_usage()
    }
}

/// The joules of all GPUs, or of one.
struct GpuCounter {
    gpus: Box<dyn Gpus>,
    /// The address of the one.
    card: Option<String>,
    counted: Vec<CountedGpu>,
    /// The moment of the last read.
    read: Duration,
}

struct CountedGpu {
    index: u32,
    name: String,
    last: Shown,
    joules: f64,
}

/// What the driver shows of a GPU, by which its joules are known.
#[derive(Debug, Clone, Copy)]
enum Shown {
    /// Millijoules that it has counted.
    Energy(u64),
    /// Milliwatts, if it counts no joules. They are integrated by the trapezoidal rule.
    Power(u32),
}

/// The driver renews what it shows about ten times a second. A read that comes sooner would find the same number.
const UPDATE: Duration = Duration::from_millis(100);
/// Reads at less than 50 ms gave zeros.
const SHORTEST_STEP: Duration = Duration::from_millis(50);
/// The longest time that a straight line between two readings of power may span.
const LONGEST_STEP: Duration = Duration::from_secs(1);

impl GpuCounter {
    fn open(gpus: Box<dyn Gpus>, card: Option<&str>, now: Duration) -> Result<GpuCounter, Unavailable> {
        let failed = |error: NvmlError| Unavailable::because(format!("NVML cannot be read: {error}"));
        let indexes = match card {
            None => 0..gpus.count().map_err(failed)?,
            Some(address) => {
                let of_another = |error| Unavailable::because(format!("NVML shows no GPU at {address}: {error}"));
                let index = gpus.at(address).map_err(of_another)?;
                index..index + 1
            }
        };
        if indexes.is_empty() {
            return Err(Unavailable::because("NVML shows no GPU"));
        }
        let mut counted = Vec::new();
        for index in indexes {
            let name = gpus.name(index).map_err(failed)?;
            let last = match gpus.energy_mj(index) {
                Ok(mj) => Shown::Energy(mj),
                Err(_) => match gpus.power_mw(index) {
                    Ok(mw) => Shown::Power(mw),
                    Err(error) => {
                        let why = format!("{name} shows neither its energy nor its power: {error}");
                        return Err(Unavailable::because(why));
                    }
                },
            };
            counted.push(CountedGpu { index, name, last, joules: 0.0 });
        }
        Ok(GpuCounter { gpus, card: card.map(str::to_owned), counted, read: now })
    }

    fn joules(&self) -> f64 {
        self.counted.iter().map(|gpu| gpu.joules).sum()
    }

    /// What the driver shows of a GPU now, in the way in which it is counted.
    fn shown(&self, gpu: &CountedGpu) -> Result<Shown, Fault> {
        let shown = match gpu.last {
            Shown::Energy(_) => self.gpus.energy_mj(gpu.index).map(Shown::Energy),
            Shown::Power(_) => self.gpus.power_mw(gpu.index).map(Shown::Power),
        };
        shown.map_err(|error| Fault::Unreadable(format!("{}: {error}", gpu.name)))
    }
}

impl CountedGpu {
    /// Counts on to what the driver shows after `step`.
    fn advance(&mut self, shown: Shown, step: Duration) -> Result<(), String> {
        let last = std::mem::replace(&mut self.last, shown);
        match (last, shown) {
            (Shown::Energy(last_mj), Shown::Energy(now_mj)) if now_mj < last_mj => {
                return Err(format!("{}: its counter went from {last_mj} to {now_mj} mJ: it was reset", self.name));
            }
            (Shown::Energy(last_mj), Shown::Energy(now_mj)) => self.joules += (now_mj - last_mj) as f64 / 1e3,
            (Shown::Power(last_mw), Shown::Power(now_mw)) if step <= LONGEST_STEP => {
                self.joules += (f64::from(last_mw) + f64::from(now_mw)) / 2e3 * step.as_secs_f64();
            }
            _ => return Err(format!("{}: its power was not read for {:.1} s", self.name, step.as_secs_f64())),
        }
        Ok(())
    }
}

impl Counter for GpuCounter {
    fn source(&self) -> &'static str {
        NVML
    }

    fn card(&self) -> Option<&str> {
        self.card.as_deref()
    }

    fn how(&self) -> String {
        let of = |gpu: &CountedGpu| match gpu.last {
            Shown::Energy(_) => format!("{} (total-energy counter)", gpu.name),
            Shown::Power(_) => format!("{} (power, integrated)", gpu.name),
        };
        self.counted.iter().map(of).collect::<Vec<_>>().join(" + ")
    }

    fn timing(&self) -> Option<Timing> {
        let is_integrated = self.counted.iter().any(|gpu| matches!(gpu.last, Shown::Power(_)));
        let keep_up = if is_integrated { UPDATE } else { Duration::from_secs(60) };
        Some(Timing { update: UPDATE, poll: UPDATE, keep_up })
    }

    fn read_j(&mut self, now: Duration) -> Result<f64, Fault> {
        let step = now.saturating_sub(self.read);
        if step < SHORTEST_STEP {
            return Ok(self.joules());
        }
        // All are read before any is counted, so that a fault leaves none of them ahead of the others.
        let shown: Vec<Shown> = self.counted.iter().map(|gpu| self.shown(gpu)).collect::<Result<_, _>>()?;
        self.read = now;
        let advanced = self.counted.iter_mut().zip(shown).map(|(gpu, shown)| gpu.advance(shown, step));
        let lost: Vec<String> = advanced.filter_map(Result::err).collect();
        if lost.is_empty() { Ok(self.joules()) } else { Err(Fault::Lost(lost.join("; "))) }
    }
}

#[cfg(test)]
mod tests {
    #![expect(clippy::unwrap_used, reason = "tests")]

    use std::sync::{Arc, Mutex};

    use super::*;

    /// What the driver of a made-up machine shows.
    #[derive(Clone, Default)]
    struct Driver {
        /// `None` for a GPU without a counter.
        energy_mj: Vec<Option<u64>>,
        power_mw: Vec<u32>,
        is_gone: bool,
    }

    #[derive(Clone)]
    struct Fake(Arc<Mutex<Driver>>);

    impl Fake {
        fn new(energy_mj: &[Option<u64>], power_mw: &[u32]) -> Fake {
            let driver = Driver { energy_mj: energy_mj.to_vec(), power_mw: power_mw.to_vec(), is_gone: false };
            Fake(Arc::new(Mutex::new(driver)))
        }

        fn set(&self, change: impl FnOnce(&mut Driver)) {
            change(&mut self.0.lock().unwrap());
        }

        fn counter(&self) -> GpuCounter {
            GpuCounter::open(Box::new(self.clone()), None, Duration::ZERO).unwrap()
        }
    }

    impl Gpus for Fake {
        fn count(&self) -> Result<u32, NvmlError> {
            Ok(self.0.lock().unwrap().energy_mj.len() as u32)
        }
        /// Their addresses are `0000:00:00.0`, `0000:01:00.0` and so on.
        fn at(&self, address: &str) -> Result<u32, NvmlError> {
            let gpu = (0..self.count()?).find(|gpu| address == format!("0000:{gpu:02x}:00.0"));
            gpu.ok_or(NvmlError::NotFound)
        }
        fn name(&self, gpu: u32) -> Result<String, NvmlError> {
            Ok(format!("GPU {gpu}"))
        }
        fn energy_mj(&self, gpu: u32) -> Result<u64, NvmlError> {
            let driver = self.0.lock().unwrap();
            if driver.is_gone {
                return Err(NvmlError::GpuLost);
            }
            driver.energy_mj[gpu as usize].ok_or(NvmlError::NotSupported)
        }
        fn power_mw(&self, gpu: u32) -> Result<u32, NvmlError> {
            let driver = self.0.lock().unwrap();
            driver.power_mw.get(gpu as usize).copied().ok_or(NvmlError::NotSupported)
        }
    }

    fn ms(milliseconds: u64) -> Duration {
        Duration::from_millis(milliseconds)
    }

    #[test]
    fn the_counters_of_several_gpus_are_summed() {
        let fake = Fake::new(&[Some(1_000_000), Some(5_000)], &[]);
        let mut counter = fake.counter();
        assert_eq!(counter.how(), "GPU 0 (total-energy counter) + GPU 1 (total-energy counter)");
        fake.set(|driver| driver.energy_mj = vec![Some(1_002_500), Some(5_500)]);
        assert_eq!(counter.read_j(ms(100)), Ok(3.0));
    }

    #[test]
    fn of_several_gpus_only_that_of_the_case_is_counted() {
        let fake = Fake::new(&[Some(1_000_000), Some(5_000)], &[]);
        let mut counter = GpuCounter::open(Box::new(fake.clone()), Some("0000:01:00.0"), Duration::ZERO).unwrap();
        assert_eq!(counter.how(), "GPU 1 (total-energy counter)");
        assert_eq!(counter.card(), Some("0000:01:00.0"));
        fake.set(|driver| driver.energy_mj = vec![Some(9_000_000), Some(5_500)]);
        assert_eq!(counter.read_j(ms(100)), Ok(0.5));
        let of_another = GpuCounter::open(Box::new(fake), Some("0000:65:00.0"), Duration::ZERO).map(|_| ());
        assert!(of_another.unwrap_err().why.starts_with("NVML shows no GPU at 0000:65:00.0: "));
    }

    #[test]
    fn power_is_integrated_where_there_is_no_counter_and_the_note_says_so() {
        let fake = Fake::new(&[None], &[100_000]);
        let mut counter = fake.counter();
        assert_eq!(counter.how(), "GPU 0 (power, integrated)");
        fake.set(|driver| driver.power_mw = vec![300_000]);
        assert_eq!(counter.read_j(ms(100)), Ok(20.0));
        assert_eq!(counter.read_j(ms(200)), Ok(50.0));
    }

    #[test]
    fn a_read_that_comes_too_soon_does_not_ask_the_driver() {
        let fake = Fake::new(&[Some(0)], &[]);
        let mut counter = fake.counter();
        fake.set(|driver| driver.energy_mj = vec![Some(7_000)]);
        assert_eq!(counter.read_j(ms(49)), Ok(0.0));
        assert_eq!(counter.read_j(ms(50)), Ok(7.0));
    }

    #[test]
    fn power_that_was_not_read_for_long_is_no_number() {
        let fake = Fake::new(&[None], &[100_000]);
        let mut counter = fake.counter();
        assert_eq!(counter.read_j(ms(1_000)), Ok(100.0));
        let lost = Fault::Lost("GPU 0: its power was not read for 1.5 s".to_owned());
        assert_eq!(counter.read_j(ms(2_500)), Err(lost));
        assert_eq!(counter.read_j(ms(2_600)), Ok(110.0));
    }

    #[test]
    fn a_counter_that_is_reset_is_no_negative_number() {
        let fake = Fake::new(&[Some(9_000)], &[]);
        let mut counter = fake.counter();
        fake.set(|driver| driver.energy_mj = vec![Some(10_000)]);
        assert_eq!(counter.read_j(ms(100)), Ok(1.0));
        fake.set(|driver| driver.energy_mj = vec![Some(2_000)]);
        assert!(matches!(counter.read_j(ms(200)), Err(Fault::Lost(why)) if why.ends_with("to 2000 mJ: it was reset")));
        let before = counter.joules();
        fake.set(|driver| driver.energy_mj = vec![Some(5_000)]);
        assert_eq!(counter.read_j(ms(300)).unwrap() - before, 3.0);
    }

    #[test]
    fn a_gpu_that_falls_off_the_bus_is_unreadable() {
        let fake = Fake::new(&[Some(0)], &[]);
        let mut counter = fake.counter();
        fake.set(|driver| driver.is_gone = true);
        assert!(matches!(counter.read_j(ms(100)), Err(Fault::Unreadable(why)) if why.starts_with("GPU 0: ")));
    }

    #[test]
    fn a_machine_without_the_library_or_without_a_gpu_has_a_reason() {
        let Err(Unavailable { why, remedy }) = Library::load(Path::new("/nowhere/libnvidia-ml.so.1")) else {
            panic!("it is not there")
        };
        assert!(why.starts_with("no NVML: ") && why.contains("/nowhere/libnvidia-ml.so.1"), "{why}");
        assert!(remedy[0].contains("driver"));
        let none = GpuCounter::open(Box::new(Fake::new(&[], &[])), None, Duration::ZERO).map(|_| ());
        assert_eq!(none.unwrap_err().why, "NVML shows no GPU");
        let mute = GpuCounter::open(Box::new(Fake::new(&[None], &[])), None, Duration::ZERO).map(|_| ());
        assert!(mute.unwrap_err().why.starts_with("GPU 0 shows neither its energy nor its power"));
    }
}
