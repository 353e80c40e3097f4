//! The running average power limit registers of Intel and AMD processors, as Linux shows them below /sys/class/powercap.
//! docs/energy.md says which of them are counted, and why.

use std::fs;
use std::io::{self, Read};
use std::path::{Path, PathBuf};
use std::time::Duration;

use super::register::Register;
use super::{Counter, EnergyConfig, Fault, MeterKind, Timing, Unavailable};
use crate::machine::Machine;

/// RAPL of hardware.
pub(super) struct OfHardware;
/// RAPL that a hypervisor makes up for its guest.
pub(super) struct OfHypervisor;

impl MeterKind for OfHardware {
    fn name(&self) -> &'static str {
        "rapl"
    }

    fn about(&self) -> &'static str {
        "the processors' own registers of energy"
    }

    fn is_tried(&self, machine: &dyn Machine) -> bool {
        !machine.is_virtual()
    }

    fn open<'a>(
        &self,
        _: &EnergyConfig,
        machine: &'a dyn Machine,
        _card: Option<&str>,
    ) -> Result<Box<dyn Counter + 'a>, Unavailable> {
        if machine.is_virtual() {
            let why = "this is a virtual machine, so any RAPL is that of the hypervisor: rapl-virtual";
            return Err(Unavailable::because(why));
        }
        Ok(Box::new(Rapl::of_machine(self.name(), machine)?))
    }
}

impl MeterKind for OfHypervisor {
    fn name(&self) -> &'static str {
        "rapl-virtual"
    }

    fn about(&self) -> &'static str {
        "the host's registers, divided among virtual machines by processor time"
    }

    fn is_tried(&self, machine: &dyn Machine) -> bool {
        machine.is_virtual()
    }

    fn open<'a>(
        &self,
        _: &EnergyConfig,
        machine: &'a dyn Machine,
        _card: Option<&str>,
    ) -> Result<Box<dyn Counter + 'a>, Unavailable> {
        if !machine.is_virtual() {
            return Err(Unavailable::because("this is no virtual machine"));
        }
        match Rapl::of_machine(self.name(), machine) {
            Ok(rapl) => Ok(Box::new(rapl)),
            Err(Unavailable { why, remedy }) if remedy.is_empty() => Err(Unavailable {
                why,
                remedy: vec!["on an Intel host, QEMU shares it out: sudo qemu-vmsr-helper --daemon --socket /run/qemu-vmsr-helper.sock, \
                     and qemu-system-x86_64 -accel kvm,rapl=true,rapl-helper-socket=/run/qemu-vmsr-helper.sock …"
                    .to_owned()],
            }),
            Err(unavailable) => Err(unavailable),
        }
    }
}

/// The sum of all processor packages and of their memory, in joules.
#[derive(Debug)]
struct Rapl {
    source: &'static str,
    domains: Vec<Domain>,
    /// What is not counted, and why.
    left_out: Vec<String>,
}

/// What a domain is a part of.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
enum Kind {
    Package,
    Dram,
    /// The whole board, packages included.
    Platform,
    /// A part of a package.
    Part,
}

/// A folder of a domain.
#[derive(Debug, Clone)]
struct Zone {
    folder: PathBuf,
    /// The driver that shows it: `intel-rapl` or `intel-rapl-mmio`.
    driver: String,
    name: String,
    kind: Kind,
}

/// A domain that is counted.
#[derive(Debug)]
struct Domain {
    name: String,
    path: PathBuf,
    register: Register,
}

/// How long a register may take to advance when it is first looked at. Registers advance every millisecond.
const LOOKS: usize = 20;
const BETWEEN_LOOKS: Duration = Duration::from_millis(5);

impl Rapl {
    fn of_machine(source: &'static str, machine: &dyn Machine) -> Result<Rapl, Unavailable> {
        let now = || machine.moment().monotonic;
        Rapl::open(source, &machine.powercap(), &now, &mut || std::thread::sleep(BETWEEN_LOOKS))
    }

    /// Opens every package and its memory below `powercap`. `pause` waits between two looks at a register.
    fn open(
        source: &'static str,
        powercap: &Path,
        now: &dyn Fn() -> Duration,
        pause: &mut dyn FnMut(),
    ) -> Result<Rapl, Unavailable> {
        let mut left_out = Vec::new();
        let zones = counted(powercap, &mut left_out)?;
        let first = all_uj(powercap, &zones)?;
        let mirrored_first = mirrored(powercap, &zones)?;
        let mut last = first.clone();
        for _ in 0..LOOKS {
            if first.iter().zip(&last).all(|(first, last)| first != last) {
                break;
            }
            pause();
            last = all_uj(powercap, &zones)?;
        }
        let mirrored_last = mirrored(powercap, &zones)?;
        let mut domains = Vec::new();
        for (index, zone) in zones.iter().enumerate() {
            let name = &zone.name;
            let stuck = first[index] == last[index];
            match mirrored_last[index].filter(|other| mirrored_first[index] == Some(*other)) {
                _ if stuck && zone.kind == Kind::Package => return Err(stuck_at(name, last[index])),
                _ if stuck => left_out.push(format!("{name} (it stays at {} µJ)", last[index])),
                Some(other) => left_out.push(format!("{name} (it shows the register of {})", zones[other].name)),
                None => {
                    let path = zone.folder.join("energy_uj");
                    let range_uj = read_u64(&zone.folder.join("max_energy_range_uj")).ok().filter(|range| *range > 0);
                    let now_uj = read_u64(&path).map_err(|error| unreadable(powercap, &path, &error))?;
                    domains.push(Domain { name: name.clone(), path, register: Register::new(range_uj, now_uj, now()) });
                }
            }
        }
        Ok(Rapl { source, domains, left_out })
    }
}

impl Counter for Rapl {
    fn source(&self) -> &'static str {
        self.source
    }

    fn how(&self) -> String {
        let names: Vec<&str> = self.domains.iter().map(|domain| domain.name.as_str()).collect();
        let left_out = match self.left_out.as_slice() {
            [] => String::new(),
            left_out => format!(", without {}", left_out.join(", ")),
        };
        format!("{}{left_out}", names.join(" + "))
    }

    fn timing(&self) -> Option<Timing> {
        // Registers advance about every millisecond (Intel SDM, volume 3B; Hähnel et al. 2012).
        Some(Timing {
            update: Duration::from_millis(1),
            poll: Duration::from_millis(10),
            keep_up: Duration::from_secs(1),
        })
    }

    fn read_j(&mut self, now: Duration) -> Result<f64, Fault> {
        let mut lost = Vec::new();
        for domain in &mut self.domains {
            let now_uj = read_u64(&domain.path)
                .map_err(|error| Fault::Unreadable(format!("{}: {error}", domain.path.display())))?;
            if let Err(why) = domain.register.advance(now_uj, now) {
                lost.push(format!("the register of {}: {why}", domain.name));
            }
        }
        if !lost.is_empty() {
            return Err(Fault::Lost(lost.join("; ")));
        }
        Ok(self.domains.iter().map(|domain| domain.register.total_uj()).sum::<u64>() as f64 / 1e6)
    }
}

/// The domains that are counted: each package once, and the memory beside it.
fn counted(powercap: &Path, left_out: &mut Vec<String>) -> Result<Vec<Zone>, Unavailable> {
    let entries = fs::read_dir(powercap).map_err(|error| match error.kind() {
        io::ErrorKind::NotFound => Unavailable {
            why: format!("no RAPL: {} does not exist (a virtual machine, or not Linux)", powercap.display()),
            remedy: Vec::new(),
        },
        _ => Unavailable::because(format!("no RAPL: {}: {error}", powercap.display())),
    })?;
    let mut zones: Vec<Zone> = entries.filter_map(|entry| Zone::of(entry.ok()?.path())).collect();
    zones.sort_by(|one, other| one.folder.cmp(&other.folder));
    // Registers of the processor (MSR) and in memory (MMIO) show the same package. The first name in the alphabet is that of the MSR.
    let mut drivers: Vec<&str> =
        zones.iter().filter(|zone| zone.kind == Kind::Package).map(|zone| zone.driver.as_str()).collect();
    drivers.sort_unstable();
    drivers.dedup();
    let Some(driver) = drivers.first().map(|driver| (*driver).to_owned()) else {
        let only =
            if zones.iter().any(|zone| zone.kind == Kind::Platform) { ", only the whole board (psys)" } else { "" };
        return Err(Unavailable {
            why: format!("no RAPL: {} lists no processor package{only}", powercap.display()),
            remedy: vec!["the kernel's driver: sudo modprobe intel_rapl_msr".to_owned()],
        });
    };
    left_out.extend(drivers.iter().skip(1).map(|other| format!("{other} (it shows the packages of {driver} again)")));
    zones.retain(|zone| match zone.kind {
        Kind::Package | Kind::Dram => zone.driver == driver,
        Kind::Platform => {
            left_out.push(format!("{} (it contains the packages)", zone.name));
            false
        }
        Kind::Part => false,
    });
    Ok(zones)
}

impl Zone {
    /// The domain in a folder; `None` if the folder is of no domain.
    fn of(folder: PathBuf) -> Option<Zone> {
        let file_name = folder.file_name()?.to_string_lossy().into_owned();
        let (driver, _) = file_name.split_once(':')?;
        let name = fs::read_to_string(folder.join("name")).ok()?.trim().to_owned();
        let kind = match name.as_str() {
            "dram" => Kind::Dram,
            "psys" => Kind::Platform,
            name if name.starts_with("package-") => Kind::Package,
            _ => Kind::Part,
        };
        Some(Zone { driver: driver.to_owned(), name, kind, folder })
    }
}

/// For each domain, the first one before it whose register it shows: what it reads lies between two reads of the other.
/// Two registers of their own lie so close together about once in a hundred million looks, and never twice in a row.
fn mirrored(powercap: &Path, zones: &[Zone]) -> Result<Vec<Option<usize>>, Unavailable> {
    let read = |zone: &Zone| {
        let path = zone.folder.join("energy_uj");
        read_u64(&path).map_err(|error| unreadable(powercap, &path, &error))
    };
    let mut found = vec![None; zones.len()];
    for (later, zone) in zones.iter().enumerate() {
        for (earlier, other) in zones[..later].iter().enumerate().filter(|(_, other)| other.kind == zone.kind) {
            let (before, shown, after) = (read(other)?, read(zone)?, read(other)?);
            if found[later].is_none() && (before..=after).contains(&shown) {
                found[later] = Some(earlier);
            }
        }
    }
    Ok(found)
}

/// What each domain shows.
fn all_uj(powercap: &Path, zones: &[Zone]) -> Result<Vec<u64>, Unavailable> {
    let read = |zone: &Zone| {
        let path = zone.folder.join("energy_uj");
        read_u64(&path).map_err(|error| unreadable(powercap, &path, &error))
    };
    zones.iter().map(read).collect()
}

fn stuck_at(name: &str, uj: u64) -> Unavailable {
    let zero = if uj == 0 { " (KVM shows registers to its guests that stay at 0)" } else { "" };
    let milliseconds = LOOKS as u128 * BETWEEN_LOOKS.as_millis();
    Unavailable::because(format!(
        "the register of {name} stays at {uj} µJ for {milliseconds} ms, so that it measures nothing{zero}"
    ))
}

fn unreadable(powercap: &Path, path: &Path, error: &io::Error) -> Unavailable {
    if error.kind() != io::ErrorKind::PermissionDenied {
        return Unavailable::because(format!("RAPL is not readable: {}: {error}", path.display()));
    }
    Unavailable {
        why: format!("RAPL is not readable: only the administrator can read {}", path.display()),
        remedy: vec![
            format!("until the next boot: sudo sh -c 'chmod a+r {}/*/energy_uj'", powercap.display()),
            format!(
                "for good: echo '{UDEV_RULE}' | sudo tee /etc/udev/rules.d/70-rapl.rules && sudo udevadm control --reload && sudo \
                 udevadm trigger --subsystem-match=powercap --action=add"
            ),
        ],
    }
}

/// Lets every user read the registers.
const UDEV_RULE: &str =
    r#"SUBSYSTEM=="powercap", ACTION=="add", KERNEL=="intel-rapl*:*", RUN+="/bin/chmod a+r %S%p/energy_uj""#;

/// Reads the number in a file. Registers are read all the time, so it takes no more calls of the system than it must.
fn read_u64(path: &Path) -> io::Result<u64> {
    // More than the digits of any number.
    let mut bytes = [0; 32];
    let length = fs::File::open(path)?.read(&mut bytes)?;
    let text = String::from_utf8_lossy(&bytes[..length]);
    text.trim().parse().map_err(|_| io::Error::new(io::ErrorKind::InvalidData, format!("'{}'", text.trim())))
}

#[cfg(test)]
mod tests;
