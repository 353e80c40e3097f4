//! The same models on several devices: crossovers, tables, figures and the verdicts on claims about graphics cards.
#![expect(clippy::unwrap_used, reason = "tests")]

#[path = "common/apart.rs"]
mod apart;
mod common;
#[path = "common/devices.rs"]
mod devices;
#[path = "common/grids.rs"]
mod grids;
#[path = "common/lengths.rs"]
mod lengths;
#[path = "common/pictures.rs"]
mod pictures;
#[path = "common/renamed.rs"]
mod renamed;
#[path = "common/written.rs"]
mod written;

use std::fs;
use std::path::Path;

use apart::assert_texts_are_apart;
use bakeoff_reports::{Finding, Record, Results, RunDir, Verdict, build, claims, claims_text, judge};
use common::{Plan, SMALL, write_run};
use devices::{CPU, CUDA, MadeDevice, SOFTWARE, put_on_devices};
use lengths::make_lengths;
use pictures::has_text;
use renamed::rename;

/// ResNet, Transformer and LSTM on images and texts.
const PLAN: Plan = Plan { tasks: 2, models: 3, seeds: 3, examples: 60, faults: false, ..SMALL };

const SIZES: &[usize] = &[1, 2, 4, 8, 16, 32, 64, 128, 256, 512, 1024];

/// A made-up run of the suite `devices`.
fn run(folder: &Path, plan: &Plan, devices: &[MadeDevice]) -> RunDir {
    let dir = write_run(folder, plan);
    put_on_devices(&dir, devices, SIZES);
    let mut info = dir.info().unwrap();
    info.suite = "devices".to_owned();
    dir.write_info(&info).unwrap();
    dir
}

/// Changes the records of a run.
fn change(dir: &RunDir, change: impl FnOnce(&mut Vec<Record>)) {
    let mut records = dir.records().unwrap().rows;
    change(&mut records);
    dir.write_rows(&dir.records_path(), &records).unwrap();
}

/// The part of the report below this heading; empty if there is none.
fn part(dir: &RunDir, heading: &str) -> String {
    build(dir).unwrap();
    let text = fs::read_to_string(dir.path().join("report.md")).unwrap();
    let part = text.split_once(&format!("\n## {heading}\n\n")).map(|(_, rest)| rest.split("\n## ").next().unwrap());
    part.unwrap_or_default().replace('\\', "")
}

fn picture(dir: &RunDir, name: &str) -> String {
    fs::read_to_string(dir.path().join(format!("figures/{name}.svg"))).unwrap()
}

#[test]
fn the_table_of_devices_reads_as_promised() {
    let folder = tempfile::tempdir().unwrap();
    let dir = run(folder.path(), &Plan { tasks: 1, models: 1, ..PLAN }, &[CPU, CUDA, SOFTWARE]);
    insta::assert_snapshot!("devices", part(&dir, "Devices"));
}

#[test]
fn the_report_and_the_figures_have_the_same_crossovers() {
    let folder = tempfile::tempdir().unwrap();
    let dir = run(folder.path(), &PLAN, &[CPU, CUDA]);
    let table = part(&dir, "Devices");
    let page = fs::read_to_string(dir.path().join("report.html")).unwrap();
    for (name, what) in [("devices", "predictions per second"), ("devices-energy", "joules per prediction")] {
        let rows: Vec<&str> = table.lines().filter(|line| line.contains(what)).collect();
        assert_eq!(rows.len(), 6, "a row for each model on each task: {table}");
        for row in rows {
            let crossover = row.split(" | ").nth(5).unwrap();
            assert!(crossover.contains('[') && !crossover.contains("below"), "{crossover}");
            assert!(picture(&dir, name).contains(&format!("from {crossover} examples in a call on")), "{name}");
            assert!(page.contains(crossover), "{crossover}");
        }
    }
}

/// A call of n examples takes a + b n seconds, and both devices take as long at (a2 - a1) / (b1 - b2) examples.
#[test]
fn the_crossover_is_near_the_size_at_which_both_devices_take_as_long() {
    let folder = tempfile::tempdir().unwrap();
    let dir = run(folder.path(), &PLAN, &[CPU, CUDA]);
    let expected = (CUDA.call_s - CPU.call_s) / (CPU.example_s - CUDA.example_s);
    let table = part(&dir, "Devices");
    let row = table.lines().find(|line| line.contains("predictions per second")).unwrap();
    let cells: Vec<&str> = row.split(" | ").collect();
    assert_eq!(&cells[3..5], ["cuda", "cpu"], "{row}");
    let found: f64 = cells[5].split(' ').next().unwrap().parse().unwrap();
    assert!((found / expected).ln().abs() < 0.1, "{found}, not about {expected}");
}

#[test]
fn one_seed_has_a_crossover_without_an_interval_and_says_so() {
    let folder = tempfile::tempdir().unwrap();
    let dir = run(folder.path(), &Plan { seeds: 1, ..PLAN }, &[CPU, CUDA]);
    let table = part(&dir, "Devices");
    assert!(table.contains("(1 seed, so no interval)") && !table.contains("[below"), "{table}");
    assert!(picture(&dir, "devices").contains("(1 seed, so no interval)"));
}

#[test]
fn an_estimate_of_joules_has_a_line_and_no_crossover() {
    let folder = tempfile::tempdir().unwrap();
    let estimated = MadeDevice { watts: &[("estimate", 24.0)], ..CPU };
    let dir = run(folder.path(), &PLAN, &[estimated, CUDA]);
    let table = part(&dir, "Devices");
    assert!(table.contains("predictions per second") && !table.contains("joules per prediction |"), "{table}");
    let svg = picture(&dir, "devices-energy");
    assert!(has_text(&svg, "cpu: Example CPU, estimate ± 40 %"), "{svg}");
    assert!(!svg.contains("examples in a call on"), "{svg}");
}

#[test]
fn joules_of_a_card_are_those_of_the_card_and_of_the_processor() {
    let folder = tempfile::tempdir().unwrap();
    let dir = run(folder.path(), &PLAN, &[CPU, CUDA]);
    let table = part(&dir, "Devices");
    let row = table.lines().find(|line| line.contains("joules per prediction")).unwrap();
    let ratio: f64 = row.split(" | ").nth(7).unwrap().split(' ').nth(1).unwrap().parse().unwrap();
    let log = |seed| (220.0 * CUDA.seconds(1024, seed) / (40.0 * CPU.seconds(1024, seed))).ln();
    let expected = ((1..=3).map(log).sum::<f64>() / 3.0).exp();
    assert!((ratio / expected - 1.0).abs() < 0.01, "{row}: {ratio}, not {expected}");
    assert!(has_text(&picture(&dir, "devices-energy"), "cuda: Example H1, measured by NVML and by RAPL"));
    // A card alone is not the whole.
    change(&dir, |records| records.retain(|row| row.device != "cuda" || row.source != "rapl"));
    assert!(!part(&dir, "Devices").contains("joules per prediction |"));
}

#[test]
fn a_run_on_one_device_has_no_table_and_no_figure_of_devices() {
    let folder = tempfile::tempdir().unwrap();
    let dir = run(folder.path(), &PLAN, &[CPU]);
    assert_eq!(part(&dir, "Devices"), "");
    assert!(!dir.path().join("figures/devices.svg").exists());
}

#[test]
fn a_software_device_is_named_as_one() {
    let folder = tempfile::tempdir().unwrap();
    let dir = run(folder.path(), &PLAN, &[CPU, SOFTWARE]);
    let table = part(&dir, "Devices");
    assert!(table.contains("its numbers say nothing about graphics cards"), "{table}");
    let svg = picture(&dir, "devices");
    assert!(has_text(&svg, "wgpu: llvmpipe (LLVM 15.0.6, 256 bits), software"), "{svg}");
}

#[test]
fn a_device_on_two_machines_has_two_lines_and_no_crossover() {
    let folder = tempfile::tempdir().unwrap();
    let dir = run(folder.path(), &PLAN, &[CPU, CUDA]);
    change(&dir, |records| {
        for row in records.iter_mut().filter(|row| row.device == "cuda" && row.seed == 3) {
            row.machine = "another".to_owned();
        }
    });
    assert_eq!(part(&dir, "Devices"), "");
    assert!(has_text(&picture(&dir, "devices"), "cuda: Example H1"));
}

fn judged(id: &str, runs: &[&RunDir]) -> (Verdict, Vec<Finding>) {
    let results: Vec<Results> = runs.iter().map(|dir| Results::load(dir).unwrap()).collect();
    let claim = claims().into_iter().find(|claim| claim.id == id).unwrap();
    let judged = judge(&[claim], &results.iter().collect::<Vec<_>>()).remove(0);
    (judged.verdict, judged.findings)
}

#[test]
fn a_card_that_is_faster_and_takes_fewer_joules_supports_c20_and_the_verdict_names_the_hardware() {
    let folder = tempfile::tempdir().unwrap();
    let (verdict, findings) = judged("C20", &[&run(folder.path(), &PLAN, &[CPU, CUDA])]);
    assert_eq!((verdict, findings.len()), (Verdict::Supported, 6));
    assert_eq!(
        findings[0].what,
        "cifar10, throughput in the largest calls: resnet on cuda above resnet on cpu (cuda: Example H1; cpu: Example CPU)"
    );
    assert!(findings.iter().all(|finding| finding.is_ratio && finding.seeds == 3 && finding.rows == 0));
    // The seconds of 1,024 examples are the last ones.
    let log = |seed| (CPU.seconds(1024, seed) / CUDA.seconds(1024, seed)).ln();
    let expected = ((1..=3).map(log).sum::<f64>() / 3.0).exp();
    assert!((findings[0].effect.unwrap() / expected - 1.0).abs() < 1e-9, "{findings:?}");
}

#[test]
fn a_card_that_takes_more_joules_refutes_c20() {
    let folder = tempfile::tempdir().unwrap();
    let hot = MadeDevice { watts: &[("nvml", 4000.0), ("rapl", 20.0)], ..CUDA };
    let (verdict, findings) = judged("C20", &[&run(folder.path(), &PLAN, &[CPU, hot])]);
    assert_eq!(verdict, Verdict::Refuted, "{findings:?}");
    let verdicts: Vec<Verdict> = findings.iter().map(|finding| finding.verdict).collect();
    assert_eq!(verdicts, [[Verdict::Supported; 3], [Verdict::Refuted; 3]].concat());
}

#[test]
fn c20_is_not_measured_without_a_card_or_with_estimated_joules() {
    let folder = tempfile::tempdir().unwrap();
    let (verdict, findings) = judged("C20", &[&run(folder.path(), &PLAN, &[CPU])]);
    assert_eq!(verdict, Verdict::NotMeasured);
    assert!(findings.iter().all(|finding| finding.remedy.contains("no case on a graphics card")), "{findings:?}");
    let folder = tempfile::tempdir().unwrap();
    let estimated = MadeDevice { watts: &[("estimate", 24.0)], ..CPU };
    let (verdict, findings) = judged("C20", &[&run(folder.path(), &PLAN, &[estimated, CUDA])]);
    assert_eq!((verdict, findings[0].verdict), (Verdict::NotMeasured, Verdict::Supported));
    assert!(findings[5].remedy.contains("energy_j on cpu is an estimate, which decides nothing"), "{findings:?}");
}

#[test]
fn a_software_device_decides_nothing_about_cards_and_the_verdict_says_so() {
    let folder = tempfile::tempdir().unwrap();
    let dir = run(folder.path(), &PLAN, &[CPU, SOFTWARE]);
    let (verdict, findings) = judged("C20", &[&dir]);
    assert_eq!(verdict, Verdict::NotMeasured);
    for finding in &findings {
        assert!(finding.effect.is_some() && finding.p.is_none() && finding.is_left_out, "{finding:?}");
        assert!(finding.what.contains("wgpu: llvmpipe (LLVM 15.0.6, 256 bits), software"), "{finding:?}");
        assert!(finding.remedy.contains("no evidence about graphics cards"), "{finding:?}");
    }
    let results = [Results::load(&dir).unwrap()];
    let text = claims_text(&judge(&claims(), &[&results[0]]), &results);
    assert!(text.contains("\nC20: llvmpipe (LLVM 15.0.6, 256 bits) computes on the processor"), "{text}");
    // A card beside it decides.
    let folder = tempfile::tempdir().unwrap();
    let (verdict, findings) = judged("C20", &[&run(folder.path(), &PLAN, &[CPU, SOFTWARE, CUDA])]);
    assert_eq!((verdict, findings.len()), (Verdict::Supported, 6), "{findings:?}");
}

#[test]
fn c20_must_hold_on_each_card_of_the_runs() {
    let folder = tempfile::tempdir().unwrap();
    let slow = MadeDevice { kind: "wgpu", name: "Example 200", example_s: 6e-3, ..CUDA };
    let (verdict, findings) = judged("C20", &[&run(folder.path(), &PLAN, &[CPU, CUDA, slow])]);
    assert_eq!((verdict, findings.len()), (Verdict::Refuted, 12), "{findings:?}");
}

#[test]
fn fewer_than_three_seeds_decide_nothing_about_cards() {
    let folder = tempfile::tempdir().unwrap();
    let (verdict, findings) = judged("C20", &[&run(folder.path(), &Plan { seeds: 2, ..PLAN }, &[CPU, CUDA])]);
    assert_eq!(verdict, Verdict::Undecided);
    assert!(findings.iter().all(|finding| finding.remedy == "three seeds or more"), "{findings:?}");
}

#[test]
fn largest_calls_of_other_sizes_are_not_compared() {
    let folder = tempfile::tempdir().unwrap();
    let dir = run(folder.path(), &PLAN, &[CPU, CUDA]);
    change(&dir, |records| records.retain(|row| row.device != "cuda" || row.conditions != "batch=1024"));
    let (verdict, findings) = judged("C20", &[&dir]);
    assert_eq!(verdict, Verdict::NotMeasured);
    assert!(findings[0].remedy.contains("its largest calls have 512 and 1024 examples"), "{findings:?}");
}

/// A made-up run of the suite `sequence-length`, in which this share of the training texts was cut.
fn run_of_lengths(folder: &Path, devices: &[MadeDevice], of_cut: f64) -> RunDir {
    let dir = write_run(folder, &Plan { tasks: 1, models: 8, ..PLAN });
    put_on_devices(&dir, devices, &[]);
    rename(&dir, &[("cifar10", "long-range-512")]);
    make_lengths(&dir, of_cut);
    let mut info = dir.info().unwrap();
    info.suite = "sequence-length".to_owned();
    dir.write_info(&info).unwrap();
    dir
}

#[test]
fn the_speed_of_a_fit_has_a_panel_for_each_device_and_a_line_for_each_model() {
    let folder = tempfile::tempdir().unwrap();
    let dir = run_of_lengths(folder.path(), &[CPU, CUDA], 1.0);
    build(&dir).unwrap();
    let svg = picture(&dir, "sequence-length");
    for text in ["long-range-512, cpu", "long-range-512, cuda", "16", "64", "512", "tokens of a text (log)"] {
        assert!(has_text(&svg, text), "{text}: {svg}");
    }
    let end = "examples/s with 512 tokens";
    assert_eq!(svg.matches(end).count(), 4, "two models on two devices: {svg}");
    let rows = dir.records().unwrap().rows;
    let fits = rows.iter().filter(|row| row.metric == "fit_s" && row.label == "lstm-512" && row.device == "cpu");
    let speeds: Vec<f64> = fits.map(|row| 1800.0 * 2.0 / row.value.unwrap()).collect();
    let mean = speeds.iter().sum::<f64>() / 3.0;
    assert_eq!(speeds.len(), 3);
    assert!(svg.contains(&format!("\n{:.0}0 {end}", mean / 10.0)), "{mean}: {svg}");
}

#[test]
fn texts_that_are_not_all_cut_have_no_length_and_are_not_drawn() {
    let folder = tempfile::tempdir().unwrap();
    let dir = run_of_lengths(folder.path(), &[CPU], 0.9);
    build(&dir).unwrap();
    assert!(!dir.path().join("figures/sequence-length.svg").exists());
}

#[test]
fn c10_is_judged_on_a_card_by_texts_of_each_length() {
    let folder = tempfile::tempdir().unwrap();
    let (verdict, findings) = judged("C10", &[&run_of_lengths(folder.path(), &[CPU, CUDA], 1.0)]);
    // The part about the processor is of another suite, and this run lacks two of the lengths.
    assert_eq!(verdict, Verdict::NotMeasured, "{findings:?}");
    let measured: Vec<&Finding> = findings.iter().filter(|finding| finding.effect.is_some()).collect();
    assert_eq!(measured.len(), 4);
    let first = measured[0];
    assert_eq!(first.what, "long-range-512, fit_s: transformer-16 on cuda below lstm-16 on cuda (cuda: Example H1)");
    // 1 ms for a token and 1/32 more, against 2 ms; seeds differ by a percent.
    assert!((first.effect.unwrap() / (33.0 / 64.0) - 1.0).abs() < 0.02, "{first:?}");
}

#[test]
fn the_figures_of_devices_are_legible() {
    let folder = Path::new(env!("CARGO_TARGET_TMPDIR")).join("devices");
    for (name, devices) in [("two", &[CPU, CUDA][..]), ("three", &[CPU, CUDA, SOFTWARE])] {
        let folder = folder.join(name);
        let _ = fs::remove_dir_all(&folder);
        build(&run(&folder, &PLAN, devices)).unwrap();
        let folder = folder.with_extension("lengths");
        let _ = fs::remove_dir_all(&folder);
        build(&run_of_lengths(&folder, devices, 1.0)).unwrap();
    }
    for entry in fs::read_dir(&folder).unwrap() {
        let folder = entry.unwrap().path();
        for (name, svg) in written::pictures(&folder.join("figures")) {
            assert_texts_are_apart(&format!("{}/{name}", folder.display()), &svg);
        }
    }
}
