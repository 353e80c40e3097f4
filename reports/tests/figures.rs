//! Figures at every size of grid: nothing clipped, nothing overlapping, nothing empty.
#![expect(clippy::unwrap_used, reason = "tests")]

#[path = "common/apart.rs"]
mod apart;
mod common;
#[path = "common/devices.rs"]
mod devices;
#[path = "common/drawn.rs"]
mod drawn;
#[path = "common/grids.rs"]
mod grids;
#[path = "common/lengths.rs"]
mod lengths;
#[path = "common/mixed.rs"]
mod mixed;
#[path = "common/pictures.rs"]
mod pictures;
#[path = "common/renamed.rs"]
mod renamed;
#[path = "common/written.rs"]
mod written;

use std::fs;
use std::path::PathBuf;

use apart::assert_texts_are_apart;
use bakeoff_reports::{FIGURES, Look, Record, Results, RunDir, Style, build};
use common::{Plan, SMALL, write_run};
use devices::{CPU, CUDA, SOFTWARE, put_on_devices};
use drawn::drawn;
use grids::{Variant, make_grid};
use lengths::make_lengths;
use mixed::MIXED;
use pictures::{has_text, parse, texts};
use written::pictures;

/// One model and one task, the quick suite's size, a full grid with faults, and several seeds.
const SIZES: &[(&str, Plan)] = &[
    ("1x1", Plan { tasks: 1, models: 1, seeds: 1, examples: 300, faults: false, trials: 0, axes: false }),
    ("5x3", Plan { tasks: 3, models: 5, seeds: 1, examples: 1000, faults: false, trials: 0, axes: false }),
    ("8x3", Plan { trials: 20, ..SMALL }),
    ("8x9", Plan { tasks: 9, models: 8, seeds: 1, examples: 200, faults: true, trials: 0, axes: false }),
    ("2x2", Plan { tasks: 2, models: 2, seeds: 3, examples: 200, faults: false, trials: 1, axes: false }),
    ("5x2-axes", Plan { tasks: 2, models: 5, seeds: 3, examples: 200, faults: false, trials: 0, axes: true }),
    ("8x3-axes", Plan { axes: true, ..SMALL }),
    ("5x2-grid", Plan { tasks: 2, models: 5, seeds: 3, examples: 200, faults: false, trials: 0, axes: false }),
    ("8x3-grid", SMALL),
    ("8x3-server", SMALL),
    ("8x3-batch-size", SMALL),
    ("8x3-roofline", SMALL),
    ("8x3-devices", SMALL),
    ("8x3-lengths", SMALL),
    ("3x2-threads", Plan { tasks: 2, models: 3, seeds: 2, examples: 200, faults: false, trials: 0, axes: false }),
];

/// The figures that need several values of an axis or of a parameter.
const AXIS_FIGURES: &[&str] = &["learning-curve", "label-noise", "ablation"];
/// The figure that needs a run of a suite which measures claims.
const VERDICTS: &str = "verdicts";
/// The figures of all settings together, which have no panels.
const OF_ALL: &[&str] = &[VERDICTS, "wins", "critical-difference"];

/// The figure that needs a model with several numbers of threads.
const THREADS: &str = "threads";

/// Makes the first three labels of a run one model with one, two and four threads.
fn make_threads(dir: &RunDir) {
    let mut info = dir.info().unwrap();
    let mut labels: Vec<String> = info.cases.iter().map(|case| case.label.clone()).collect();
    labels.dedup();
    labels.truncate(3);
    let model = info.cases[0].model.clone();
    let place = |label: &str| labels.iter().position(|other| other == label);
    for case in info.cases.iter_mut().filter(|case| place(&case.label).is_some()) {
        case.model.clone_from(&model);
    }
    dir.write_info(&info).unwrap();
    let mut records = dir.records().unwrap().rows;
    for record in &mut records {
        if let Some(place) = place(&record.label) {
            (record.model, record.threads) = (model.clone(), Some(1 << place));
        }
    }
    dir.write_rows(&dir.records_path(), &records).unwrap();
}

/// The figure that needs the scenario `server`.
const SERVER: &str = "server";

/// Adds the rows of the scenario `server` to every measured case: three rates that hold, one with too many late queries, and one that is
/// overloaded. The model `svm` holds none.
fn make_server(dir: &RunDir) {
    let mut records = dir.records().unwrap().rows;
    let single: Vec<Record> = records.iter().filter(|row| row.metric == "latency_p50_s").cloned().collect();
    for row in single {
        let service = row.value.unwrap();
        let mut push = |metric: &str, value: f64, conditions: String| {
            let unit = bakeoff_reports::metric(metric).unwrap().unit.to_owned();
            let (phase, metric) = ("server".to_owned(), metric.to_owned());
            records.push(Record { phase, metric, unit, value: Some(value), conditions, ..row.clone() });
        };
        push("declared_bound_s", 0.05, String::new());
        push("capacity_per_s", 1.0 / service, String::new());
        push("max_rate_per_s", 0.8 / service, String::new());
        for (load, queries, late) in
            [(0.2, 2010.0, 0.0), (0.5, 2010.0, 1.0), (0.8, 2010.0, 10.0), (0.95, 2010.0, 11.0), (1.0, 700.0, 11.0)]
        {
            let late = if row.model == "svm" { 11.0 } else { late };
            let conditions = format!("bound_ms=50 rate_per_s={} workers=1", load / service);
            push("queries", queries, conditions.clone());
            push("late_queries", late, conditions.clone());
            if load < 1.0 {
                push("latency_p99_s", service * (1.0 + 2.3 * load / (1.0 - load)), conditions);
            }
        }
    }
    dir.write_rows(&dir.records_path(), &records).unwrap();
}

/// The figure that needs calls of several batch sizes.
const BATCH_SIZE: &str = "batch-size";

/// Adds calls of 1 to 1,024 examples to every case that was measured. Those of each model flatten at another size.
fn make_batch_sizes(dir: &RunDir) {
    let mut records = Vec::new();
    for record in dir.records().unwrap().rows {
        let flat_from = f64::from(4 << (record.model.len() % 7));
        if record.phase == "predict-batch" && record.metric == "throughput" {
            for size in (0..=10).map(|power| f64::from(1 << power)) {
                let per_second = 900.0 * size.min(flat_from).powf(0.9) + size;
                for (metric, unit, value, source) in
                    [("throughput", "1/s", per_second, "stopwatch"), ("energy_j", "J", 20.0 / per_second, "rapl")]
                {
                    records.push(Record {
                        phase: BATCH_SIZE.to_owned(),
                        conditions: format!("batch={size}"),
                        metric: metric.to_owned(),
                        unit: unit.to_owned(),
                        value: Some(value),
                        source: source.to_owned(),
                        ..record.clone()
                    });
                }
            }
        }
        records.push(record);
    }
    dir.write_rows(&dir.records_path(), &records).unwrap();
}

/// The figure that needs several devices and calls of these sizes.
const DEVICES: &str = "devices";
const CALLS: &[usize] = &[1, 2, 4, 8, 16, 32, 64, 128, 256, 512, 1024];

/// The figure that needs texts of several lengths.
const SEQUENCE_LENGTH: &str = "sequence-length";

/// The figure that needs the machine's peak.
const ROOFLINE: &str = "roofline";

/// Adds to every case that was measured what its model does and what the machine can do at most.
fn make_roofline(dir: &RunDir) {
    let mut records = Vec::new();
    for record in dir.records().unwrap().rows {
        if record.phase == "case" && record.metric == "wall_s" && record.value.is_some() {
            let size = 10_f64.powi(record.label.len() as i32 % 4);
            for (metric, unit, value, source) in [
                ("flops", "", 2e5 * size * size, "model"),
                ("weight_bytes", "B", 4e5 * size, "model"),
                ("peak_flops_per_s", "1/s", 1.2e11, "stopwatch"),
                ("peak_bytes_per_s", "B/s", 1.1e10, "stopwatch"),
            ] {
                records.push(Record {
                    metric: metric.to_owned(),
                    unit: unit.to_owned(),
                    value: Some(value),
                    source: source.to_owned(),
                    note: String::new(),
                    ..record.clone()
                });
            }
        }
        records.push(record);
    }
    dir.write_rows(&dir.records_path(), &records).unwrap();
}

/// Makes the run one of a suite that measures claims.
fn make_claims_run(dir: &RunDir) {
    let mut info = dir.info().unwrap();
    info.suite = "claims-quick".to_owned();
    dir.write_info(&info).unwrap();
}

/// Forests of several sizes.
const TREES: &[Variant] = &[
    ("resnet", "random-forest-trees-1", "random-forest", "max_depth=0 trees=1"),
    ("transformer", "random-forest-trees-5", "random-forest", "max_depth=0 trees=5"),
    ("lstm", "random-forest-trees-20", "random-forest", "max_depth=0 trees=20"),
    ("svm", "random-forest-trees-100", "random-forest", "max_depth=0 trees=100"),
    ("random-forest", "random-forest-trees-500", "random-forest", "max_depth=0 trees=500"),
];

/// Keeps the pictures under the target folder, where a person can look at them.
fn run_folder(size: &str) -> PathBuf {
    let folder = PathBuf::from(env!("CARGO_TARGET_TMPDIR")).join("figures").join(size);
    let _ = fs::remove_dir_all(&folder);
    folder
}

#[test]
fn no_text_is_clipped_or_lies_on_another_at_any_size() {
    for (size, plan) in SIZES {
        let dir = write_run(&run_folder(size), plan);
        match *size {
            "5x2-grid" => make_grid(&dir, TREES),
            "8x3-grid" => make_grid(&dir, MIXED),
            "8x3-server" => make_server(&dir),
            "3x2-threads" => make_threads(&dir),
            "8x3-batch-size" => make_batch_sizes(&dir),
            "8x3-roofline" => make_roofline(&dir),
            "8x3-devices" => put_on_devices(&dir, &[CPU, CUDA, SOFTWARE], CALLS),
            "8x3-lengths" => make_lengths(&dir, 1.0),
            _ => {}
        }
        build(&dir).unwrap();
        let pictures = pictures(&dir.path().join("figures"));
        assert!(!pictures.is_empty());
        for (name, svg) in pictures {
            assert_texts_are_apart(&format!("{size}/{name}"), &svg);
        }
    }
}

#[test]
fn every_registered_figure_draws_the_small_run_and_nothing_of_an_empty_one() {
    let folder = tempfile::tempdir().unwrap();
    let dir = write_run(folder.path(), &Plan { trials: 3, ..SMALL });
    let results = Results::load(&dir).unwrap();
    fs::remove_file(dir.records_path()).unwrap();
    let empty = Results::load(&dir).unwrap();
    // Figures against an axis need several values of it.
    let axes_folder = tempfile::tempdir().unwrap();
    let axes_dir = write_run(axes_folder.path(), &Plan { axes: true, ..SMALL });
    make_grid(&axes_dir, MIXED);
    let axes = Results::load(&axes_dir).unwrap();
    let claims_folder = tempfile::tempdir().unwrap();
    let claims_dir = write_run(claims_folder.path(), &Plan { axes: true, seeds: 2, examples: 50, ..SMALL });
    make_claims_run(&claims_dir);
    let claims = Results::load(&claims_dir).unwrap();
    let threads_folder = tempfile::tempdir().unwrap();
    let threads_dir = write_run(threads_folder.path(), &SMALL);
    make_threads(&threads_dir);
    let threads = Results::load(&threads_dir).unwrap();
    let server_folder = tempfile::tempdir().unwrap();
    let server_dir = write_run(server_folder.path(), &SMALL);
    make_server(&server_dir);
    let server = Results::load(&server_dir).unwrap();
    let batches_folder = tempfile::tempdir().unwrap();
    let batches_dir = write_run(batches_folder.path(), &SMALL);
    make_batch_sizes(&batches_dir);
    let batches = Results::load(&batches_dir).unwrap();
    let roofline_folder = tempfile::tempdir().unwrap();
    let roofline_dir = write_run(roofline_folder.path(), &SMALL);
    make_roofline(&roofline_dir);
    let roofline = Results::load(&roofline_dir).unwrap();
    let devices_folder = tempfile::tempdir().unwrap();
    let devices_dir = write_run(devices_folder.path(), &Plan { models: 2, ..SMALL });
    put_on_devices(&devices_dir, &[CPU, CUDA], CALLS);
    let devices = Results::load(&devices_dir).unwrap();
    let lengths_folder = tempfile::tempdir().unwrap();
    let lengths_dir = write_run(lengths_folder.path(), &SMALL);
    make_lengths(&lengths_dir, 1.0);
    let lengths = Results::load(&lengths_dir).unwrap();
    for figure in FIGURES {
        let of_axis = AXIS_FIGURES.contains(&figure.name());
        let of_claims = figure.name() == VERDICTS;
        let of_threads = figure.name() == THREADS;
        let of_server = figure.name() == SERVER;
        let of_batches = figure.name() == BATCH_SIZE;
        let of_roofline = figure.name() == ROOFLINE;
        let of_devices = figure.name() == DEVICES;
        let of_lengths = figure.name() == SEQUENCE_LENGTH;
        let nothing = figure.draw(&results, &Style::default()).unwrap().pictures.is_empty();
        let needs_more = of_axis || of_claims || of_threads || of_server || of_batches || of_roofline;
        let needs_more = needs_more || of_devices || of_lengths;
        assert_eq!(nothing, needs_more, "{}", figure.name());
        let run = match () {
            () if of_axis => &axes,
            () if of_threads => &threads,
            () if of_server => &server,
            () if of_batches => &batches,
            () if of_roofline => &roofline,
            () if of_devices => &devices,
            () if of_lengths => &lengths,
            () => &results,
        };
        let drawn = figure.draw(if of_claims { &claims } else { run }, &Style::default()).unwrap();
        assert!(!drawn.pictures.is_empty(), "{} draws nothing", figure.name());
        for picture in &drawn.pictures {
            assert!(picture.name.starts_with(figure.name()), "{}", picture.name);
            assert!(!picture.caption.is_empty(), "{}", picture.name);
        }
        assert!(
            figure.draw(&empty, &Style::default()).unwrap().pictures.is_empty(),
            "{} draws an empty panel",
            figure.name()
        );
    }
}

#[test]
fn figures_cap_their_panels_and_say_so() {
    let folder = tempfile::tempdir().unwrap();
    let plan = Plan { tasks: 20, models: 5, seeds: 1, examples: 20, faults: false, trials: 2, axes: false };
    let built = build(&write_run(folder.path(), &plan)).unwrap();
    // A matrix is a picture of its own, so that figure counts cases and not panels.
    let counted = |name: &&str| {
        *name != "confusion"
            && !AXIS_FIGURES.contains(name)
            && !OF_ALL.contains(name)
            && ![THREADS, SERVER, BATCH_SIZE, ROOFLINE, DEVICES, SEQUENCE_LENGTH].contains(name)
    };
    for figure in FIGURES.iter().map(|figure| figure.name()).filter(counted) {
        // Of 20 tasks, 14 have classes, and only these have a reliability.
        let panels = if figure == "reliability" { 14 } else { 20 };
        let expected = format!("Figure {figure} shows the first 12 of {panels} panels");
        let told = built.remarks.iter().filter(|remark| remark.contains(&expected)).count();
        assert_eq!(told, 1, "{figure}: {:?}", built.remarks);
    }
    assert!(
        built.remarks.iter().any(|remark| remark.contains("Confusion matrices are drawn for the first 24 cases")),
        "{:?}",
        built.remarks
    );
}

#[test]
fn a_figure_against_an_axis_has_a_panel_for_each_value_of_the_other_axes() {
    let folder = tempfile::tempdir().unwrap();
    let plan = Plan { tasks: 7, models: 2, seeds: 1, examples: 20, faults: false, trials: 0, axes: true };
    let built = build(&write_run(folder.path(), &plan)).unwrap();
    for expected in
        ["Figure learning-curve shows the first 12 of 14 panels", "Figure label-noise shows the first 12 of 21 panels"]
    {
        assert!(built.remarks.iter().any(|remark| remark.contains(expected)), "{expected}: {:?}", built.remarks);
    }
    let picture = |name: &str| fs::read_to_string(folder.path().join(format!("figures/{name}.svg"))).unwrap();
    let curve = picture("learning-curve");
    for text in ["cifar10, 0 % noise", "cifar10, 20 % noise", "500", "1000", "2000"] {
        assert!(curve.contains(&format!("\n{text}\n")), "{text}: {curve}");
    }
    let mut written = Vec::new();
    texts(parse(&curve).root(), &mut written);
    assert!(!written.iter().any(|(text, _)| text.contains("n = ")), "the sizes are on the axis: {written:?}");
    assert!(picture("label-noise").contains("\ncifar10, n = 500\n"));
}

#[test]
fn an_ablation_has_a_panel_for_each_parameter_in_which_alone_labels_differ() {
    let folder = tempfile::tempdir().unwrap();
    let dir = write_run(folder.path(), &Plan { tasks: 1, models: 8, seeds: 2, ..SMALL });
    build(&dir).unwrap();
    assert!(!folder.path().join("figures/ablation.svg").exists(), "no two labels of a model differ in one parameter");
    make_grid(&dir, MIXED);
    build(&dir).unwrap();
    let svg = fs::read_to_string(folder.path().join("figures/ablation.svg")).unwrap();
    // Both values of c and of the kernel have a line; the forest and the kernels that failed have no score.
    let titles = ["crop of resnet", "flip of resnet", "on cifar10"];
    for text in titles.into_iter().chain(["crop", "flip", "flip=true", "crop=4", "0", "4", "false", "true"]) {
        assert!(has_text(&svg, text), "{text}: {svg}");
    }
    assert!(!svg.contains("depth") && !svg.contains("kernel of"), "the depth is always the same: {svg}");
}

#[test]
fn an_ablation_sorts_numbers_and_has_no_line_for_searched_parameters() {
    let folder = tempfile::tempdir().unwrap();
    let plan = Plan { tasks: 1, models: 5, seeds: 2, examples: 50, faults: false, trials: 0, axes: false };
    let dir = write_run(folder.path(), &plan);
    make_grid(&dir, TREES);
    build(&dir).unwrap();
    let svg = fs::read_to_string(folder.path().join("figures/ablation.svg")).unwrap();
    assert!(
        has_text(&svg, "trees of random-forest") && has_text(&svg, "on cifar10") && has_text(&svg, "trees (log)"),
        "{svg}"
    );
    let mut found = Vec::new();
    texts(parse(&svg).root(), &mut found);
    let at = |text: &str| found.iter().find(|(other, _)| other == text).unwrap().1.left();
    let places: Vec<f32> = ["1", "5", "20", "100", "500"].into_iter().map(at).collect();
    assert!(places.is_sorted(), "{places:?}");
    let searched = tempfile::tempdir().unwrap();
    let dir = write_run(searched.path(), &Plan { trials: 2, ..plan });
    make_grid(&dir, TREES);
    build(&dir).unwrap();
    assert!(!searched.path().join("figures/ablation.svg").exists());
}

#[test]
fn figures_against_an_axis_say_what_lines_are_and_which_direction_is_better() {
    let folder = tempfile::tempdir().unwrap();
    let dir = write_run(folder.path(), &Plan { axes: true, ..SMALL });
    make_grid(&dir, MIXED);
    // Far above all errors.
    let mut records = dir.records().unwrap().rows;
    for row in records.iter_mut().filter(|row| row.metric == "floor" && row.value == Some(1200.0)) {
        row.value = Some(9000.0);
    }
    dir.write_rows(&dir.records_path(), &records).unwrap();
    let picture = |name: &str| {
        build(&dir).unwrap();
        fs::read_to_string(folder.path().join(format!("figures/{name}.svg"))).unwrap()
    };
    for name in ["learning-curve", "label-noise", "ablation"] {
        let svg = picture(name);
        assert!(has_text(&svg, "on training rows") && has_text(&svg, "floor"), "{name}");
    }
    let curve = picture("learning-curve");
    assert!(has_text(&curve, "MSE, °² (lower is better)") && has_text(&curve, "accuracy"), "{curve}");
    assert!(has_text(&curve, "floor 9000 ↑"), "a floor far away is a number: {curve}");
    // A floor that depends on the size is no line.
    let mut records = dir.records().unwrap().rows;
    for row in records.iter_mut().filter(|row| row.metric == "floor") {
        row.value = row.value.map(|floor| floor + row.train_size as f64 / 1e6);
    }
    dir.write_rows(&dir.records_path(), &records).unwrap();
    assert!(!picture("learning-curve").contains("\nfloor"));
    assert!(has_text(&picture("label-noise"), "floor"), "it is the same for every share of wrong labels");
}

#[test]
fn searches_of_one_search_trial_have_no_tuning_figure_and_others_have_ticks_at_whole_numbers() {
    let picture = |trials| {
        let folder = tempfile::tempdir().unwrap();
        let plan = Plan { tasks: 1, models: 2, seeds: 1, examples: 50, faults: false, trials, axes: false };
        build(&write_run(folder.path(), &plan)).unwrap();
        fs::read_to_string(folder.path().join("figures/tuning.svg")).ok()
    };
    assert_eq!(picture(1), None);
    let two = picture(2).unwrap();
    assert!(has_text(&two, "1") && has_text(&two, "2") && !has_text(&two, "1.5"), "{two}");
    let regression = |name: &str| {
        let folder = tempfile::tempdir().unwrap();
        build(&write_run(folder.path(), &Plan { models: 2, trials: 2, ..SMALL })).unwrap();
        fs::read_to_string(folder.path().join(format!("figures/{name}.svg"))).unwrap()
    };
    for (name, title) in [("tuning", "validation MSE, °²"), ("anytime", "best validation MSE, °²")] {
        let svg = regression(name);
        assert!(has_text(&svg, title) && has_text(&svg, "(lower is better)"), "{name}: {svg}");
    }
}

#[test]
fn rates_that_did_not_hold_are_crosses_at_the_top_of_their_panel_and_no_part_of_a_line() {
    let folder = tempfile::tempdir().unwrap();
    let dir = write_run(folder.path(), &Plan { tasks: 1, models: 5, faults: false, ..SMALL });
    make_server(&dir);
    build(&dir).unwrap();
    let svg = fs::read_to_string(folder.path().join("figures/server.svg")).unwrap();
    let lines: Vec<&str> = svg.lines().collect();
    let words = |pair: &&[&str]| pair[1].starts_with("does not hold ");
    let crosses: Vec<&str> = lines.windows(2).filter(words).map(|pair| pair[0]).collect();
    assert_eq!(
        crosses.len(),
        4 * 2 + 5,
        "two of each model that holds three rates, five of that which holds none: {svg}"
    );
    let height = |circle: &&str| circle.split("cy=\"").nth(1).unwrap().split('"').next().unwrap().to_owned();
    let heights: Vec<String> = crosses.iter().map(height).collect();
    assert!(heights.windows(2).all(|pair| pair[0] == pair[1]), "they are at one height: {heights:?}");
}

#[test]
fn the_origin_of_joules_is_whole_beside_every_axis_in_every_look() {
    let folder = tempfile::tempdir().unwrap();
    let dir = write_run(folder.path(), &Plan { axes: true, trials: 2, ..SMALL });
    make_batch_sizes(&dir);
    let mut records = dir.records().unwrap().rows;
    for row in records.iter_mut().filter(|row| row.source == "rapl") {
        row.source = "estimate".to_owned();
    }
    dir.write_rows(&dir.records_path(), &records).unwrap();
    for look in Look::ALL {
        let mut seen = Vec::new();
        for (name, svg) in drawn(&dir, look) {
            let mut found = Vec::new();
            texts(parse(&svg).root(), &mut found);
            for (text, _) in found.iter().filter(|(text, _)| text.contains("estim") || text.contains("energy")) {
                assert!(!text.contains('…'), "{look:?}: {name} cuts '{text}'");
            }
            if found.iter().any(|(text, _)| text.contains("estimate ± 40 %")) {
                seen.push(name);
            }
        }
        for name in ["accuracy-energy", "anytime-energy", "batch-size-energy"] {
            assert!(seen.iter().any(|seen| seen.starts_with(name)), "{look:?}: {name} lacks its origin: {seen:?}");
        }
    }
}

/// How many lines of the width of a frontier, and in its grey, a picture has.
fn frontiers(svg: &str) -> usize {
    svg.matches("stroke=\"#646464\" stroke-width=\"4\"").count()
}

#[test]
fn joules_of_two_sources_have_panels_of_their_own_and_an_estimate_has_no_frontier() {
    let folder = tempfile::tempdir().unwrap();
    let dir = write_run(
        folder.path(),
        &Plan { tasks: 1, models: 4, seeds: 1, examples: 100, faults: false, trials: 0, axes: false },
    );
    let panels = || {
        build(&dir).unwrap();
        let svg = fs::read_to_string(folder.path().join("figures/accuracy-energy.svg")).unwrap();
        let with = |source: &str| svg.matches(&format!("fit energy, {source} (log)")).count();
        (with("measured by RAPL"), with("estimate ± 40 %"), frontiers(&svg))
    };
    assert_eq!(panels(), (0, 1, 0), "nothing is ranked by an estimate");
    let mut records = dir.records().unwrap().rows;
    let fits: Vec<Record> =
        records.iter().filter(|row| row.phase == "fit" && row.metric == "energy_j").cloned().collect();
    for (index, row) in fits.into_iter().enumerate() {
        let value = Some(100.0 + index as f64);
        records.push(Record { source: "rapl".to_owned(), value, ..row });
    }
    dir.write_rows(&dir.records_path(), &records).unwrap();
    assert_eq!(panels(), (1, 1, 1), "what was measured has a frontier");
    let svg = fs::read_to_string(folder.path().join("figures/accuracy-latency.svg")).unwrap();
    assert_eq!(frontiers(&svg), 1);
}
