//! A made-up run with the same cases on several devices.

use bakeoff_reports::{DeviceInfo, Record, RunDir};

/// A device of a made-up run: its kind, its name, the seconds that a call takes without an example and those of each example, and the
/// meters of its joules with their watts.
#[derive(Debug, Clone, Copy)]
pub(crate) struct MadeDevice {
    pub(crate) kind: &'static str,
    pub(crate) name: &'static str,
    pub(crate) call_s: f64,
    pub(crate) example_s: f64,
    pub(crate) watts: &'static [(&'static str, f64)],
}

pub(crate) const CPU: MadeDevice = MadeDevice {
    kind: "cpu",
    name: "Example CPU",
    call_s: 2e-4,
    example_s: 5e-4,
    watts: &[("rapl", 40.0), ("estimate", 24.0)],
};

pub(crate) const CUDA: MadeDevice = MadeDevice {
    kind: "cuda",
    name: "Example H1",
    call_s: 2e-3,
    example_s: 2e-5,
    watts: &[("nvml", 200.0), ("rapl", 20.0), ("estimate", 12.0)],
};

/// A software device. Its joules are those of the processor.
pub(crate) const SOFTWARE: MadeDevice = MadeDevice {
    kind: "wgpu",
    name: "llvmpipe (LLVM 15.0.6, 256 bits)",
    call_s: 5e-3,
    example_s: 9e-4,
    watts: &[("rapl", 40.0), ("estimate", 24.0)],
};

impl MadeDevice {
    fn fingerprint(&self) -> String {
        format!("machine-with-{}", self.kind)
    }

    /// The seconds of a call of so many examples. Seeds differ by a few percent, on each device and at each size in another way.
    pub(crate) fn seconds(&self, size: usize, seed: u64) -> f64 {
        let kind = f64::from(self.kind.as_bytes()[0]) + self.kind.len() as f64;
        let place = size.ilog2() as f64;
        let spread = 1.0 + 0.04 * (seed as f64 * 2.3 + kind * 1.7 + place * 0.9).sin();
        (self.call_s + self.example_s * size as f64) * spread
    }
}

/// Repeats every case of a run on each of these devices, with calls of these sizes, in place of the device that it was on.
pub(crate) fn put_on_devices(dir: &RunDir, devices: &[MadeDevice], sizes: &[usize]) {
    let mut info = dir.info().unwrap();
    let (cases, rows) = (std::mem::take(&mut info.cases), dir.records().unwrap().rows);
    let mut records: Vec<Record> = Vec::new();
    let renamed = |case: &str, device: &MadeDevice| format!("{}.{}", case.strip_suffix(".cpu").unwrap(), device.kind);
    info.devices.clear();
    for device in devices {
        info.devices.push(DeviceInfo {
            name: device.name.to_owned(),
            memory_bytes: 8 << 30,
            fingerprint: device.fingerprint(),
            ..DeviceInfo::unknown(device.kind)
        });
        for case in &cases {
            let mut there = case.clone();
            (there.case, there.device) = (renamed(&case.case, device), device.kind.to_owned());
            if let Some(rows) =
                dir.predictions(&case.case).unwrap().map(|intact| intact.rows).filter(|_| there != *case)
            {
                dir.write_rows(&dir.predictions_path(&there.case), &rows).unwrap();
            }
            info.cases.push(there);
        }
        for row in &rows {
            let row = Record {
                case: renamed(&row.case, device),
                device: device.kind.to_owned(),
                device_name: device.name.to_owned(),
                machine: device.fingerprint(),
                ..row.clone()
            };
            if row.phase == "predict-batch" && row.metric == "throughput" {
                sizes.iter().for_each(|size| add_calls(&mut records, &row, device, *size));
            }
            records.push(row);
        }
    }
    dir.write_info(&info).unwrap();
    dir.write_rows(&dir.records_path(), &records).unwrap();
}

/// Adds what calls of a size record, with all else as in this row.
fn add_calls(records: &mut Vec<Record>, row: &Record, device: &MadeDevice, size: usize) {
    let seconds = device.seconds(size, row.seed);
    let mut push = |metric: &str, unit: &str, value: f64, source: &str| {
        records.push(Record {
            phase: "batch-size".to_owned(),
            conditions: format!("batch={size}"),
            metric: metric.to_owned(),
            unit: unit.to_owned(),
            value: Some(value),
            source: source.to_owned(),
            ..row.clone()
        });
    };
    push("throughput", "1/s", size as f64 / seconds, "stopwatch");
    for (meter, watts) in device.watts {
        push("energy_j", "J", watts * seconds / size as f64, meter);
    }
}
