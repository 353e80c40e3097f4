//! What disturbs a measurement, as the system shows it: processor time that a hypervisor gave to others, the clock rate and what
//! chooses it, the load of other programs, the temperature, and how often the process had to wait for its processor.
//!
//! Every number is read on its own. What cannot be read is a reason and never a zero.

use std::fs;
use std::path::{Path, PathBuf};

use serde::{Deserialize, Serialize};

/// Above which noise a case is served once more, and marked if that does not help. `None` for no limit.
#[derive(Debug, Clone, Copy, Default, PartialEq, Serialize, Deserialize)]
#[serde(deny_unknown_fields)]
pub struct NoiseLimits {
    /// The share of stolen processor time.
    pub steal: Option<f64>,
    /// Involuntary context switches a second.
    pub involuntary_per_s: Option<f64>,
    /// Processors that other programs keep busy.
    pub load: Option<f64>,
}

/// One look at the machine.
#[derive(Debug, Clone, PartialEq)]
pub struct Look {
    /// Processor time of all processors since the system began.
    pub ticks: Result<Ticks, String>,
    /// How often threads of this process were made to wait although they had work, as far as the threads still exist.
    pub involuntary: Result<u64, String>,
    /// The mean clock rate of the processors, in Hz.
    pub frequency_hz: Result<f64, String>,
    /// What chooses the clock rate, such as `performance`; several names if the processors differ.
    pub governor: Result<String, String>,
    /// The temperature of the processor, the hottest of its sensors, in degrees Celsius.
    pub temperature_c: Result<f64, String>,
    /// The processors on which this process may run, such as `0-3,8`.
    pub cpus_allowed: Result<String, String>,
}

/// Processor time in ticks of the system's clock, of all processors together.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub struct Ticks {
    /// What a hypervisor gave to other machines while this one had work.
    pub stolen: u64,
    /// Time in which a processor had nothing to do, or only waited for storage.
    pub idle: u64,
    /// All time.
    pub all: u64,
    /// The processors.
    pub cpus: usize,
}

impl Look {
    /// Looks at the system whose `/proc` and `/sys` are below `root`.
    pub fn take(root: &Path) -> Look {
        let proc = root.join("proc");
        let cpus = root.join("sys/devices/system/cpu");
        let status = read(&proc.join("self/status"));
        Look {
            ticks: read(&proc.join("stat")).and_then(|text| ticks(&text)),
            involuntary: involuntary(&proc.join("self/task")),
            frequency_hz: frequency_hz(&cpus),
            governor: governor(&cpus),
            temperature_c: temperature_c(&root.join("sys/class")),
            cpus_allowed: status.and_then(|text| field(&text, "Cpus_allowed_list:").map(str::to_owned)),
        }
    }
}

/// The share of all processor time between two looks that a hypervisor gave to other machines.
///
/// # Errors
/// If a look has no number, or if less than a tick passed between them.
pub fn steal_share(before: &Look, after: &Look) -> Result<f64, String> {
    let passed = passed(before, after)?;
    Ok(passed.stolen as f64 / passed.all as f64)
}

/// How many processors other programs kept busy between two looks, in the mean: the busy ones, less what this process used in
/// `own_s` seconds of processor time. It may be a little above 0 on a quiet machine, because time is counted in whole ticks.
///
/// # Errors
/// As [`steal_share`]; also if the processor time of this process is not known.
pub fn other_load(before: &Look, after: &Look, own_s: Option<f64>, seconds: f64) -> Result<f64, String> {
    let own_s = own_s.ok_or_else(|| "the system does not show the processor time of a process".to_owned())?;
    let passed = passed(before, after)?;
    if seconds <= 0.0 {
        return Err("no time passed".to_owned());
    }
    let busy = passed.all.saturating_sub(passed.idle + passed.stolen) as f64 / passed.all as f64;
    Ok((busy * passed.cpus as f64 - own_s / seconds).max(0.0))
}

/// The ticks between two looks.
fn passed(before: &Look, after: &Look) -> Result<Ticks, String> {
    let (before, after) = (before.ticks.clone()?, after.ticks.clone()?);
    match after.all.checked_sub(before.all) {
        None => Err("the processor time that the system counts went back".to_owned()),
        Some(0) => Err("the measurement was shorter than a tick of the system's clock".to_owned()),
        Some(all) => Ok(Ticks {
            // The kernel's counts of these two can go back by a tick.
            stolen: after.stolen.saturating_sub(before.stolen),
            idle: after.idle.saturating_sub(before.idle),
            all,
            cpus: after.cpus,
        }),
    }
}

/// How often threads of this process were made to wait between two looks, a second. Waits of threads that ended in between are not
/// counted.
///
/// # Errors
/// If a look has no number, or if no time passed.
pub fn involuntary_per_s(before: &Look, after: &Look, seconds: f64) -> Result<f64, String> {
    let (before, after) = (before.involuntary.clone()?, after.involuntary.clone()?);
    if seconds <= 0.0 {
        return Err("no time passed".to_owned());
    }
    Ok(after.saturating_sub(before) as f64 / seconds)
}

fn read(path: &Path) -> Result<String, String> {
    fs::read_to_string(path).map_err(|error| format!("{} cannot be read: {error}", path.display()))
}

/// The value after a name at the beginning of a line.
fn field<'a>(text: &'a str, name: &str) -> Result<&'a str, String> {
    let value = text.lines().find_map(|line| line.strip_prefix(name));
    value.map(str::trim).filter(|value| !value.is_empty()).ok_or_else(|| format!("the system shows no {name}"))
}

/// The first line of `/proc/stat`: user, nice, system, idle, iowait, irq, softirq, steal, and two that are part of the first two.
fn ticks(text: &str) -> Result<Ticks, String> {
    let numbers: Option<Vec<u64>> = field(text, "cpu ")?.split_whitespace().map(|number| number.parse().ok()).collect();
    let is_cpu =
        |line: &&str| line.strip_prefix("cpu").is_some_and(|rest| rest.starts_with(|c: char| c.is_ascii_digit()));
    let cpus = text.lines().filter(is_cpu).count();
    match numbers.as_deref() {
        Some(&[user, nice, system, idle, iowait, irq, softirq, stolen, ..]) => {
            let all = [user, nice, system, idle, iowait, irq, softirq, stolen].iter().sum();
            Ok(Ticks { stolen, idle: idle + iowait, all, cpus })
        }
        _ => Err("/proc/stat does not have the eight numbers that Linux writes since 2.6.11".to_owned()),
    }
}

/// The involuntary context switches of all threads. The file of the process itself counts its first thread only.
fn involuntary(tasks: &Path) -> Result<u64, String> {
    let entries = fs::read_dir(tasks).map_err(|error| format!("{} cannot be read: {error}", tasks.display()))?;
    // A thread may end between the two reads.
    let statuses = entries.flatten().filter_map(|task| fs::read_to_string(task.path().join("status")).ok());
    let counts = statuses.map(|text| {
        let count = field(&text, "nonvoluntary_ctxt_switches:")?;
        count.parse::<u64>().map_err(|_| format!("nonvoluntary_ctxt_switches is '{count}', expected a number"))
    });
    let counts: Vec<u64> = counts.collect::<Result<_, String>>()?;
    if counts.is_empty() { Err(format!("{} has no threads", tasks.display())) } else { Ok(counts.iter().sum()) }
}

/// The file of this name in the folder `cpufreq` of each processor.
fn of_each_cpu(cpus: &Path, name: &str) -> Result<Vec<String>, String> {
    let is_cpu = |path: &PathBuf| {
        let number = path.file_name().and_then(|name| name.to_str()).and_then(|name| name.strip_prefix("cpu"));
        number.is_some_and(|number| !number.is_empty() && number.bytes().all(|byte| byte.is_ascii_digit()))
    };
    let entries = fs::read_dir(cpus).map_err(|error| format!("{} cannot be read: {error}", cpus.display()))?;
    let folders = entries.flatten().map(|entry| entry.path()).filter(is_cpu);
    let texts: Vec<String> =
        folders.filter_map(|cpu| fs::read_to_string(cpu.join("cpufreq").join(name)).ok()).collect();
    if texts.is_empty() {
        return Err(format!(
            "no processor below {} has a file cpufreq/{name}, as in a virtual machine",
            cpus.display()
        ));
    }
    Ok(texts.into_iter().map(|text| text.trim().to_owned()).collect())
}

fn frequency_hz(cpus: &Path) -> Result<f64, String> {
    let texts = of_each_cpu(cpus, "scaling_cur_freq")?;
    let khz: Option<Vec<f64>> = texts.iter().map(|text| text.parse().ok()).collect();
    let khz = khz.ok_or_else(|| "a file cpufreq/scaling_cur_freq does not hold a number".to_owned())?;
    Ok(khz.iter().sum::<f64>() / khz.len() as f64 * 1e3)
}

fn governor(cpus: &Path) -> Result<String, String> {
    let mut names = of_each_cpu(cpus, "scaling_governor")?;
    names.sort_unstable();
    names.dedup();
    Ok(names.join(", "))
}

/// The hottest sensor of the processor, in degrees Celsius: those of the drivers that read a processor, or else the thermal zones
/// that are named after one.
fn temperature_c(class: &Path) -> Result<f64, String> {
    const DRIVERS: [&str; 5] = ["coretemp", "k10temp", "zenpower", "cpu_thermal", "soc_thermal"];
    let folders = |kind: &str| {
        let entries = fs::read_dir(class.join(kind)).into_iter().flatten().flatten();
        entries.map(|entry| entry.path()).collect::<Vec<_>>()
    };
    let says = |folder: &Path, file: &str| fs::read_to_string(folder.join(file)).map(|text| text.trim().to_owned());
    let of_driver = folders("hwmon")
        .into_iter()
        .filter(|folder| says(folder, "name").is_ok_and(|name| DRIVERS.contains(&name.as_str())))
        .flat_map(|folder| {
            let files = fs::read_dir(&folder).into_iter().flatten().flatten().map(|entry| entry.path());
            files.filter(|file| {
                let name = file.file_name().unwrap_or_default().to_string_lossy();
                name.starts_with("temp") && name.ends_with("_input")
            })
        });
    let of_zone = folders("thermal").into_iter().filter_map(|folder| {
        let is_cpu = |kind: &str| kind == "x86_pkg_temp" || kind.contains("cpu") || kind.contains("soc");
        says(&folder, "type").is_ok_and(|kind| is_cpu(&kind)).then(|| folder.join("temp"))
    });
    let hottest = |files: &mut dyn Iterator<Item = PathBuf>| {
        let milli = files.filter_map(|file| fs::read_to_string(file).ok()?.trim().parse::<f64>().ok());
        // A sensor that does not work shows 0 or less.
        milli.filter(|milli| *milli > 0.0).reduce(f64::max)
    };
    let found = hottest(&mut of_driver.into_iter()).or_else(|| hottest(&mut of_zone.into_iter()));
    found.map(|milli| milli / 1e3).ok_or_else(|| {
        format!("no sensor below {}/hwmon or {0}/thermal shows the temperature of the processor", class.display())
    })
}

#[cfg(test)]
#[expect(clippy::unwrap_used, reason = "tests")]
mod tests {
    use super::*;

    fn put(root: &Path, file: &str, text: &str) {
        let path = root.join(file);
        fs::create_dir_all(path.parent().unwrap()).unwrap();
        fs::write(path, text).unwrap();
    }

    /// A machine of two processors, as Linux shows it.
    fn machine() -> tempfile::TempDir {
        let folder = tempfile::tempdir().unwrap();
        let root = folder.path();
        put(root, "proc/stat", "cpu  100 0 50 800 10 5 5 30 7 0\ncpu0 1 2 3 4 5 6 7 8 9 10\ncpu1 1\nintr 5\n");
        put(root, "proc/self/status", "Name:\tx\nCpus_allowed:\tf\nCpus_allowed_list:\t0-1\nThreads:\t2\n");
        for (thread, count) in [(1, 4), (2, 38)] {
            let text = format!("Name:\tx\nvoluntary_ctxt_switches:\t99\nnonvoluntary_ctxt_switches:\t{count}\n");
            put(root, &format!("proc/self/task/{thread}/status"), &text);
        }
        for (cpu, khz) in [(0, "2400000\n"), (1, "3600000\n")] {
            let folder = format!("sys/devices/system/cpu/cpu{cpu}/cpufreq");
            put(root, &format!("{folder}/scaling_cur_freq"), khz);
            put(root, &format!("{folder}/scaling_governor"), "powersave\n");
        }
        put(root, "sys/devices/system/cpu/cpuidle/current_driver", "acpi_idle\n");
        for (number, name, milli) in [(0, "nvme", "90000\n"), (1, "coretemp", "41000\n")] {
            put(root, &format!("sys/class/hwmon/hwmon{number}/name"), &format!("{name}\n"));
            put(root, &format!("sys/class/hwmon/hwmon{number}/temp1_input"), milli);
        }
        put(root, "sys/class/hwmon/hwmon1/temp2_input", "47500\n");
        put(root, "sys/class/hwmon/hwmon1/temp1_max", "100000\n");
        folder
    }

    #[test]
    fn a_machine_that_shows_all_is_read_in_plain_units() {
        let machine = machine();
        let look = Look::take(machine.path());
        let expected = Look {
            ticks: Ok(Ticks { stolen: 30, idle: 810, all: 1000, cpus: 2 }),
            involuntary: Ok(42),
            frequency_hz: Ok(3.0e9),
            governor: Ok("powersave".to_owned()),
            temperature_c: Ok(47.5),
            cpus_allowed: Ok("0-1".to_owned()),
        };
        assert_eq!(look, expected);
    }

    #[test]
    fn a_machine_that_shows_nothing_is_reasons_and_no_zeros() {
        let empty = tempfile::tempdir().unwrap();
        let look = Look::take(empty.path());
        let reasons = [
            look.ticks.clone().map(|_| ()),
            look.involuntary.clone().map(|_| ()),
            look.frequency_hz.clone().map(|_| ()),
            look.governor.clone().map(|_| ()),
            look.temperature_c.clone().map(|_| ()),
            look.cpus_allowed.clone().map(|_| ()),
            steal_share(&look, &look).map(|_| ()),
            other_load(&look, &look, Some(1.0), 1.0).map(|_| ()),
            involuntary_per_s(&look, &look, 1.0).map(|_| ()),
        ];
        for reason in reasons {
            let reason = reason.unwrap_err();
            assert!(reason.contains(&empty.path().display().to_string()), "{reason}");
        }
    }

    #[test]
    fn files_with_something_else_are_reasons() {
        let machine = machine();
        let root = machine.path();
        for (file, text) in [
            ("proc/stat", "cpu  1 2 3\n"),
            ("proc/self/task/1/status", "nonvoluntary_ctxt_switches:\tmany\n"),
            ("sys/devices/system/cpu/cpu0/cpufreq/scaling_cur_freq", "<unknown>\n"),
            ("sys/class/hwmon/hwmon1/temp1_input", "0\n"),
            ("sys/class/hwmon/hwmon1/temp2_input", "-128000\n"),
        ] {
            put(root, file, text);
        }
        let look = Look::take(root);
        assert!(look.ticks.is_err() && look.involuntary.is_err(), "{look:?}");
        assert!(look.frequency_hz.is_err() && look.temperature_c.is_err(), "{look:?}");
    }

    #[test]
    fn a_thermal_zone_of_the_processor_is_read_where_there_is_no_sensor() {
        let machine = machine();
        let root = machine.path();
        fs::remove_dir_all(root.join("sys/class/hwmon")).unwrap();
        for (zone, kind, milli) in [(0, "acpitz", "27800\n"), (1, "x86_pkg_temp", "55000\n")] {
            put(root, &format!("sys/class/thermal/thermal_zone{zone}/type"), &format!("{kind}\n"));
            put(root, &format!("sys/class/thermal/thermal_zone{zone}/temp"), milli);
        }
        assert_eq!(Look::take(root).temperature_c, Ok(55.0));
    }

    #[test]
    fn processors_with_several_governors_name_each_once() {
        let machine = machine();
        put(machine.path(), "sys/devices/system/cpu/cpu1/cpufreq/scaling_governor", "performance\n");
        assert_eq!(Look::take(machine.path()).governor, Ok("performance, powersave".to_owned()));
    }

    #[test]
    fn shares_and_rates_are_those_between_two_looks() {
        let machine = machine();
        let before = Look::take(machine.path());
        put(machine.path(), "proc/stat", "cpu  150 0 50 840 10 5 5 40 7 0\ncpu0 1\ncpu1 1\n");
        put(machine.path(), "proc/self/task/2/status", "nonvoluntary_ctxt_switches:\t58\n");
        let after = Look::take(machine.path());
        assert_eq!(steal_share(&before, &after), Ok(0.1));
        // Half of two processors was busy, and this process used a quarter of one.
        assert_eq!(other_load(&before, &after, Some(0.125), 0.5), Ok(0.75));
        assert_eq!(other_load(&before, &after, Some(9.0), 0.5), Ok(0.0));
        assert!(other_load(&before, &after, None, 0.5).unwrap_err().contains("processor time of a process"));
        assert_eq!(involuntary_per_s(&before, &after, 4.0), Ok(5.0));
        assert!(steal_share(&before, &before).unwrap_err().contains("shorter than a tick"));
        assert!(steal_share(&after, &before).unwrap_err().contains("went back"));
        assert!(involuntary_per_s(&before, &after, 0.0).is_err());
    }
}
