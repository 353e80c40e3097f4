//! Energy over the whole program: measured by registers that a test moves, and by a library that it builds.

use std::fs;
use std::path::PathBuf;
use std::process::Command;

use bakeoff_reports::{Reading, Record, RunDir};

use crate::common::{Bench, endings, exits, records, stderr, stdout};

/// One fit of two seconds, by each of these models.
fn suite(bench: &Bench, settings: &str, models: &[&str]) {
    let models: String = models
        .iter()
        .map(|name| format!("[[model]]\nname = \"{name}\"\nparams = {{ epochs = 4, pause_s = 0.5 }}\n"))
        .collect();
    bench.write("suite.toml", &format!("name = \"metered\"\n{settings}\n[[task]]\nname = \"number\"\n{models}"));
}

#[track_caller]
fn row<'a>(rows: &'a [Record], model: &str, phase: &str, metric: &str) -> &'a Record {
    let is_it = |row: &&Record| row.model == model && row.phase == phase && row.metric == metric;
    rows.iter().find(is_it).unwrap_or_else(|| panic!("{model} {phase} {metric}"))
}

fn values(readings: &[Reading], phase: &str, metric: &str) -> Vec<f64> {
    let found: Vec<&Reading> = readings.iter().filter(|r| r.phase == phase && r.metric == metric).collect();
    assert!(found.iter().enumerate().all(|(index, reading)| reading.index == index), "{found:?}");
    found.iter().map(|reading| reading.value).collect()
}

#[test]
fn measured_joules_follow_from_the_samples_of_the_parent() {
    let bench = Bench::new();
    suite(&bench, "", &["nearly"]);
    exits(&bench.run_metered(&["run", "suite.toml", "--out", "out"], 40.0, |_| {}), 0);
    let dir = RunDir::new(bench.path("out"));
    assert_eq!(dir.info().unwrap().energy, "rapl");
    let rows = records(&bench.path("out"));
    let readings = dir.readings("number.nearly.n60.s1.cpu").unwrap().unwrap();
    let idle = dir.idle().unwrap();
    let whens: Vec<_> =
        idle.iter().map(|row| (row.when.as_str(), row.source.as_str(), row.watts().is_some())).collect();
    assert_eq!(whens, [("before", "rapl", true), ("after", "rapl", true)]);
    let idle_w = idle[0].watts().unwrap();
    assert_eq!(row(&rows, "nearly", "fit", "idle_w").value, Some(idle_w));
    for (phase, many) in [("fit", false), ("predict-batch", true), ("predict-single", true)] {
        let edges = values(&readings, phase, "window_j");
        let seconds = values(&readings, phase, "window_s")[0];
        let count = if many { values(&readings, phase, "predictions")[0] } else { 1.0 };
        let energy = row(&rows, "nearly", phase, "energy_j");
        assert_eq!((energy.value, energy.source.as_str()), (Some((edges[1] - edges[0]) / count), "rapl"), "{phase}");
        assert_eq!(energy.note, "package-0", "what was counted is named");
        let above = row(&rows, "nearly", phase, "energy_above_idle_j").value;
        assert_eq!(above, Some((edges[1] - edges[0] - idle_w * seconds) / count), "{phase}");
    }
    let (seconds, joules) = (values(&readings, "fit", "sample_s"), values(&readings, "fit", "sample_j"));
    assert_eq!(seconds.len(), joules.len());
    assert!(seconds.len() > 20 && seconds[0] == 0.0, "{seconds:?}");
    assert!(joules.windows(2).all(|pair| pair[0] <= pair[1]) && seconds.windows(2).all(|pair| pair[0] < pair[1]));
    assert!(bench.path("out/figures/power.svg").is_file());
    let report = fs::read_to_string(bench.path("out/report.md")).unwrap();
    assert!(report.contains("## Energy\n") && report.contains("By rapl, the idle machine took"), "{report}");
    assert!(!report.contains("Estimated energy") && !report.contains("CO2e"), "{report}");
}

#[test]
fn a_meter_that_vanishes_in_mid_run_is_a_stated_gap_and_the_next_case_runs() {
    let bench = Bench::new();
    suite(&bench, "", &["nearly", "constant"]);
    let first = bench.path("out/readings/number.nearly.n60.s1.cpu.csv.gz");
    let output = bench.run_metered(&["run", "suite.toml", "--out", "out"], 40.0, |package| {
        if first.exists() {
            let _ = fs::remove_file(package.join("energy_uj"));
        }
    });
    exits(&output, 0);
    let rows = records(&bench.path("out"));
    assert!(row(&rows, "nearly", "fit", "energy_j").value.is_some());
    let gap = rows.iter().find(|row| row.model == "constant" && row.metric == "energy_j" && row.source == "rapl");
    let gap = gap.unwrap();
    assert!(gap.value.is_none() && gap.note.contains("energy_uj"), "{gap:?}");
    let idle = RunDir::new(bench.path("out")).idle().unwrap();
    assert!(idle[1].joules.is_none() && idle[1].note.contains("energy_uj"), "{idle:?}");
    let report = fs::read_to_string(bench.path("out/report.md")).unwrap();
    // By rapl, or by nothing if the second case began without the meter.
    let is_gap = |line: &str| {
        line.starts_with("- energy\\_j of fit") && line.contains("is missing in 1 case: the meter could not be read")
    };
    assert!(report.lines().any(is_gap), "{report}");
    assert!(report.contains("and was not measured after the last case"), "{report}");
    // The second case may have begun without the meter. What only the estimate knows of it is in a table of its own.
    let (others, _) = report.split_once("## Estimated energy").unwrap_or((&report, ""));
    assert!(others.contains("J to fit (rapl)") && !others.contains("J to fit (estimate"), "{report}");
}

#[test]
fn a_child_that_dies_within_a_phase_is_one_failed_case_and_the_next_has_joules() {
    let bench = Bench::new();
    suite(&bench, "", &["is-killed", "nearly"]);
    exits(&bench.run_metered(&["run", "suite.toml", "--out", "out"], 40.0, |_| {}), 3);
    let statuses: Vec<_> = endings(&bench.path("out")).into_iter().map(|(_, status, _)| status).collect();
    assert_eq!(statuses, ["failed", "ok"]);
    let rows = records(&bench.path("out"));
    assert!(!rows.iter().any(|row| row.model == "is-killed" && row.metric == "energy_j"));
    assert!(row(&rows, "nearly", "fit", "energy_j").value.is_some());
}

#[test]
fn a_fit_too_short_for_the_meter_says_so_and_its_predictions_are_repeated_until_they_are_not() {
    let bench = Bench::new();
    bench.suite("", &["number"], &["nearly"]);
    exits(&bench.run_metered(&["run", "suite.toml", "--out", "out"], 40.0, |_| {}), 0);
    let rows = records(&bench.path("out"));
    let fit = row(&rows, "nearly", "fit", "energy_j");
    assert!(fit.value.is_none() && fit.note.starts_with("window-too-short: "), "{fit:?}");
    assert!(row(&rows, "nearly", "fit", "counted_j").value.is_some(), "budgets are kept all the same");
    assert!(row(&rows, "nearly", "predict-batch", "energy_j").value.is_some());
    let readings = RunDir::new(bench.path("out")).readings("number.nearly.n60.s1.cpu").unwrap().unwrap();
    assert_eq!(values(&readings, "predict-batch", "pass_s").len(), 3, "the passes that are timed stay as many");
    let examples = row(&rows, "nearly", "score", "examples").value.unwrap();
    assert!(values(&readings, "predict-batch", "predictions")[0] > 3.0 * examples);
}

#[test]
fn joules_of_a_guest_are_those_of_rapl_virtual() {
    let bench = Bench::new();
    suite(&bench, "", &["nearly"]);
    let output = bench.run_metered_in(&["run", "suite.toml", "--out", "out"], 40.0, &[("FAKE_VIRTUAL", "1")], |_| {});
    exits(&output, 0);
    assert_eq!(row(&records(&bench.path("out")), "nearly", "fit", "energy_j").source, "rapl-virtual");
    let report = fs::read_to_string(bench.path("out/report.md")).unwrap();
    assert!(report.contains("J to fit (rapl-virtual)"), "{report}");
}

#[test]
fn carbon_is_shown_only_of_a_declared_grid_and_with_its_source() {
    let bench = Bench::new();
    let grid = "[energy]\ngrams_per_kwh = 381.5\ngrid = \"Utopia 2025, made up\"";
    suite(&bench, grid, &["nearly"]);
    exits(&bench.run(&["run", "suite.toml", "--out", "out"]), 0);
    let report = fs::read_to_string(bench.path("out/report.md")).unwrap();
    for part in ["CO2e of the fit (estimate ± 40 %)", "at 381.5 g/kWh (Utopia 2025, made up)"] {
        assert!(report.contains(part), "{part}: {report}");
    }
    let page = fs::read_to_string(bench.path("out/report.html")).unwrap();
    assert!(page.contains("381.5 g/kWh"));
}

#[test]
fn doctor_lists_every_meter_with_what_enables_it() {
    let bench = Bench::new();
    let doctor = |environment: &[(&str, &str)]| {
        let output = bench.command(&["doctor"]).envs(environment.iter().copied()).output().unwrap();
        exits(&output, 0);
        stdout(&output)
    };
    let said = doctor(&[]);
    for part in [
        "  no    energy, rapl: no RAPL: /nowhere does not exist",
        "  no    energy, rapl-virtual: this is no virtual machine",
        "  no    energy, nvml: no NVML: ",
        "          if there is an NVIDIA GPU: install NVIDIA's driver",
        "  ok    energy, estimate: 12 W for each busy processor core, ± 40 %",
    ] {
        assert!(said.contains(part), "{part}: {said}");
    }
    let said = doctor(&[("FAKE_VIRTUAL", "1")]);
    assert!(said.contains("no    energy, rapl: this is a virtual machine"), "{said}");
    assert!(said.contains("QEMU shares it out: sudo qemu-vmsr-helper"), "{said}");
    let output = bench.run_metered(&["doctor"], 40.0, |_| {});
    assert!(
        stdout(&output).contains("  ok    energy, rapl: package-0 (the processors' own registers"),
        "{}",
        stdout(&output)
    );
}

/// Builds a library that stands for NVIDIA's. The first GPU takes 1,000 W, the second 100 W. They count joules, or show only their power.
/// Their addresses are `0000:00:00.0` and `0000:01:00.0`.
pub(crate) fn fake_nvml(bench: &Bench, gpus: usize, has_counter: bool) -> PathBuf {
    let source = format!(
        r#"
#include <string.h>
#include <time.h>
typedef int nvmlReturn_t;
static const unsigned watts[] = {{ 0, 1000, 100 }};
nvmlReturn_t nvmlInit_v2(void) {{ return 0; }}
nvmlReturn_t nvmlShutdown(void) {{ return 0; }}
nvmlReturn_t nvmlSystemGetDriverVersion(char *version, unsigned int length) {{ strncpy(version, "580.1", length); return 0; }}
nvmlReturn_t nvmlDeviceGetCount_v2(unsigned int *count) {{ *count = {gpus}; return 0; }}
nvmlReturn_t nvmlDeviceGetHandleByIndex_v2(unsigned int index, void **device) {{ *device = (void *)(index + 1UL); return 0; }}
nvmlReturn_t nvmlDeviceGetIndex(void *device, unsigned int *index) {{ *index = (unsigned long)device - 1; return 0; }}
nvmlReturn_t nvmlDeviceGetHandleByPciBusId_v2(const char *address, void **device) {{
    unsigned long gpu = address[6] - '0';
    if (strncmp(address, "0000:0", 6) || strcmp(address + 7, ":00.0") || gpu >= {gpus}) return 6;
    *device = (void *)(gpu + 1UL);
    return 0;
}}
nvmlReturn_t nvmlDeviceGetName(void *device, char *name, unsigned int length) {{ strncpy(name, "Fake GPU", length); return 0; }}
nvmlReturn_t nvmlDeviceGetCudaComputeCapability(void *device, int *major, int *minor) {{ *major = 9; *minor = 0; return 0; }}
struct memory {{ unsigned int version; unsigned long long total, reserved, free, used; }};
nvmlReturn_t nvmlDeviceGetMemoryInfo_v2(void *device, struct memory *memory) {{ memory->total = 80ULL << 30; return 0; }}
nvmlReturn_t nvmlDeviceGetTotalEnergyConsumption(void *device, unsigned long long *energy) {{
    struct timespec now;
    clock_gettime(CLOCK_MONOTONIC, &now);
    *energy = watts[(unsigned long)device] * (now.tv_sec * 1000ULL + now.tv_nsec / 1000000);
    return {};
}}
nvmlReturn_t nvmlDeviceGetPowerUsage(void *device, unsigned int *power) {{ *power = 1000 * watts[(unsigned long)device]; return 0; }}
"#,
        if has_counter { 0 } else { 3 }
    );
    let (source, library) = (bench.write("nvml.c", &source), bench.path("libnvidia-ml.so"));
    let built = Command::new("cc").args(["-shared", "-fPIC", "-o"]).arg(&library).arg(&source).status().unwrap();
    assert!(built.success());
    library
}

#[cfg(feature = "wgpu")]
#[test]
fn a_case_on_a_card_has_the_joules_of_its_own_card_beside_those_of_the_processor() {
    let bench = Bench::new();
    let library = fake_nvml(&bench, 2, true).display().to_string();
    // A window of NVML is 12.5 s long at least.
    let text = "name = \"cards\"\njobs = 2\ndevices = [\"cpu\", \"wgpu\"]\n[[task]]\nname = \"number\"\n\
                [[model]]\nname = \"nearly\"\nparams = { epochs = 20, pause_s = 0.8 }\n";
    bench.write("suite.toml", text);
    let environment = [("FAKE_NVML", library.as_str()), ("FAKE_CARDS", "wgpu=0000:01:00.0")];
    exits(&bench.run_metered_in(&["run", "suite.toml", "--out", "out"], 40.0, &environment, |_| {}), 0);
    let rows = records(&bench.path("out"));
    let joules = |device: &str, phase: &str| {
        let is_it = |row: &&Record| row.device == device && row.phase == phase && row.metric == "energy_j";
        rows.iter().filter(is_it).map(|row| (row.source.clone(), row.value, row.note.clone())).collect::<Vec<_>>()
    };
    let sources =
        |found: &[(String, Option<f64>, String)]| found.iter().map(|(source, ..)| source.clone()).collect::<Vec<_>>();
    let of_card = joules("wgpu", "fit");
    assert_eq!(sources(&of_card), ["rapl", "nvml"], "two rows, and nothing is added up");
    assert_eq!(sources(&joules("cpu", "fit")), ["rapl"], "a case on the processor has none of an idle card");
    assert_eq!(of_card[1].2, "Fake GPU (total-energy counter)");
    let readings = RunDir::new(bench.path("out")).readings("number.nearly.n60.s1.wgpu").unwrap().unwrap();
    let of_nvml: Vec<f64> = readings
        .iter()
        .filter(|reading| reading.phase == "fit" && reading.metric == "window_j" && reading.source == "nvml")
        .map(|reading| reading.value)
        .collect();
    let seconds = values(&readings, "fit", "window_s")[0];
    let watts = (of_nvml[1] - of_nvml[0]) / seconds;
    assert!((watts - 100.0).abs() < 2.0, "the second GPU, and not the first: {watts} W");
    assert_eq!(of_card[1].1, Some(of_nvml[1] - of_nvml[0]));
    let [(_, none, why)] = &joules("wgpu", "predict-batch")[1..] else { panic!("one of NVML") };
    assert!(none.is_none() && why.starts_with("window-too-short"), "no phase is made longer for it: {why}");
    let info = RunDir::new(bench.path("out")).info().unwrap();
    assert_eq!(info.energy, "rapl, nvml");
    let card = &info.devices[1];
    assert_eq!((card.memory_bytes, card.capability.as_str(), card.driver.as_str()), (80 << 30, "9.0", "fakedrv 1.2"));
}

#[test]
fn nvidias_library_is_loaded_at_run_time_and_which_of_its_two_ways_counts_is_named() {
    for (has_counter, way) in [(true, "total-energy counter"), (false, "power, integrated")] {
        let bench = Bench::new();
        let output = bench.command(&["doctor"]).env("FAKE_NVML", fake_nvml(&bench, 1, has_counter)).output().unwrap();
        exits(&output, 0);
        let expected =
            format!("  ok    energy, nvml: Fake GPU ({way}) (NVIDIA's GPUs, by the driver); a suite must ask for it");
        assert!(stdout(&output).contains(&expected), "{}", stdout(&output));
    }
}

#[test]
fn a_suite_that_names_a_meter_which_is_not_readable_is_refused_before_anything_runs() {
    let bench = Bench::new();
    suite(&bench, "[energy]\nmeters = [\"nvml\"]", &["nearly"]);
    let output = bench.run(&["run", "suite.toml", "--out", "out"]);
    exits(&output, 2);
    assert!(
        stderr(&output).contains("suite.toml:3:11: meter 'nvml' is not readable here: no NVML"),
        "{}",
        stderr(&output)
    );
    assert!(stderr(&output).contains("`bakeoff doctor` shows what enables it") && !bench.path("out").exists());
}

#[test]
fn each_batch_size_and_each_round_of_serving_has_joules_of_its_own_window() {
    let bench = Bench::new();
    suite(&bench, "[latency]\nbatch_sizes = [1, 8]\nrounds = 3", &["nearly"]);
    exits(&bench.run_metered(&["run", "suite.toml", "--out", "out"], 40.0, |_| {}), 0);
    let rows = records(&bench.path("out"));
    let readings = RunDir::new(bench.path("out")).readings("number.nearly.n60.s1.cpu").unwrap().unwrap();
    for size in [1, 8] {
        let mut of_rounds = Vec::new();
        for round in 1..=3 {
            let reading = |name: &str| values(&readings, "batch-size", &format!("{name} batch={size} round={round}"));
            let (edges, count) = (reading("window_j"), reading("predictions")[0]);
            assert!(count >= 5.0 * f64::from(size) && count % f64::from(size) == 0.0, "{count}");
            let joules = (edges[1] - edges[0]) / count;
            let conditions = format!("batch={size} round={round}");
            let is_it =
                |row: &&Record| row.phase == "batch-size" && row.metric == "energy_j" && row.conditions == conditions;
            let found: Vec<_> = rows.iter().filter(is_it).map(|row| (row.value, row.source.as_str())).collect();
            assert_eq!(found, [(Some(joules), "rapl")], "{conditions}");
            of_rounds.push(joules);
        }
        of_rounds.sort_by(f64::total_cmp);
        let conditions = format!("batch={size}");
        let is_it =
            |row: &&Record| row.phase == "batch-size" && row.metric == "energy_j" && row.conditions == conditions;
        let found: Vec<_> = rows.iter().filter(is_it).map(|row| (row.value, row.source.as_str())).collect();
        assert_eq!(found, [(Some(of_rounds[1]), "rapl")], "the median of the rounds");
    }
}
