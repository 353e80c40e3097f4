//! A made-up run of any size, with every way that a case can end: what the tests and the benchmark read.

use std::path::Path;

use bakeoff_reports::{
    CaseInfo, Curve, DeviceInfo, MachineInfo, PredictionRow, Reading, Record, RunDir, RunInfo, SCHEMA, Status, TaskInfo,
};

/// What a made-up run holds.
#[derive(Debug, Clone)]
pub(crate) struct Plan {
    /// Tasks; every third one is a regression.
    pub(crate) tasks: usize,
    /// Models per task.
    pub(crate) models: usize,
    /// Seeds per model.
    pub(crate) seeds: usize,
    /// Test examples, and rows of each predictions file; 0 for none.
    pub(crate) examples: usize,
    /// Whether some cases fail, each in another way.
    pub(crate) faults: bool,
    /// Search trials of each case; 0 for none. The second of several fails.
    pub(crate) trials: usize,
    /// Whether each task has the training sizes and the shares of wrong labels in [`AXES`], scores of training rows, and a target.
    pub(crate) axes: bool,
}

/// The values of the axes: training sizes and shares of wrong labels.
pub(crate) const AXES: (&[usize], &[f64]) = (&[500, 1000, 2000], &[0.0, 0.2]);
const ONE_SETTING: (&[usize], &[f64]) = (&[2000], &[0.0]);

/// Three tasks, eight models, one seed: every status is there.
pub(crate) const SMALL: Plan =
    Plan { tasks: 3, models: 8, seeds: 1, examples: 400, faults: true, trials: 0, axes: false };

const MODELS: &[&str] =
    &["resnet", "transformer", "lstm", "svm", "random-forest", "resnet-deep", "svm-linear", "lstm-bidirectional"];
const TASKS: &[&str] = &["cifar10", "sst2", "cifar10-rotation", "cola", "mrpc", "sts-b", "qnli", "rte", "wnli"];
const CLASSES: &[&str] = &["airplane", "automobile", "bird", "cat", "deer", "dog", "frog", "horse", "ship", "truck"];

/// A small generator of numbers in 0..1; the tests need no good one, only the same one everywhere.
pub(crate) struct Noise(u64);

impl Noise {
    pub(crate) fn next(&mut self) -> f64 {
        self.0 = self.0.wrapping_mul(6_364_136_223_846_793_005).wrapping_add(1_442_695_040_888_963_407);
        (self.0 >> 11) as f64 / (1_u64 << 53) as f64
    }
}

/// Writes the run into `folder` as the harness would.
pub(crate) fn write_run(folder: &Path, plan: &Plan) -> RunDir {
    let dir = RunDir::new(folder);
    let info = info(plan);
    dir.write_info(&info).unwrap();
    let (mut records, mut curves) = (Vec::new(), Vec::new());
    for (index, case) in info.cases.iter().enumerate() {
        let task = info.tasks.iter().find(|task| task.name == case.task).unwrap();
        let mut made = MadeCase::new(&info, task, case, index / (plan.trials + 1), plan);
        match case.trial {
            Some(trial) => made.try_out(trial),
            None => made.measure(&dir, plan),
        }
        records.append(&mut made.records);
        curves.append(&mut made.curves);
    }
    dir.write_rows(&dir.records_path(), &records).unwrap();
    dir.write_rows(&dir.curves_path(), &curves).unwrap();
    dir
}

pub(crate) fn info(plan: &Plan) -> RunInfo {
    let tasks: Vec<TaskInfo> = (0..plan.tasks).map(task).collect();
    let (sizes, noises) = if plan.axes { AXES } else { ONE_SETTING };
    let settings = tasks
        .iter()
        .flat_map(|task| sizes.iter().flat_map(move |size| noises.iter().map(move |noise| (task, *size, *noise))));
    let cases = settings.flat_map(|(task, train_size, label_noise)| {
        (0..plan.models).flat_map(move |model| {
            (1..=plan.seeds)
                .flat_map(move |seed| (1..=plan.trials).map(Some).chain([None]).map(move |t| (seed, t)))
                .map(move |(seed, trial)| {
                    let label = label(model);
                    let noise = if label_noise > 0.0 { ".noise20" } else { "" };
                    let part = trial.map_or(String::new(), |trial| format!(".t{trial}"));
                    let case = format!("{}.{label}.n{train_size}{noise}.s{seed}{part}.cpu", task.name);
                    let name = label.split("-v").next().unwrap().to_owned();
                    CaseInfo {
                        case,
                        task: task.name.clone(),
                        label,
                        model: name,
                        train_size,
                        label_noise,
                        seed: seed as u64,
                        folds: None,
                        repeat: None,
                        fold: None,
                        trial,
                        device: "cpu".to_owned(),
                        model_version: "1 (burn 0.22.1)".to_owned(),
                    }
                })
        })
    });
    let words = |pairs: &[(&str, &str)]| pairs.iter().map(|(k, v)| ((*k).to_owned(), (*v).to_owned())).collect();
    RunInfo {
        again_of: None,
        schema: SCHEMA,
        run: "20261122T060000Z-quick-7f3a".to_owned(),
        suite: "quick".to_owned(),
        about: "All five models on three small real tasks, in minutes".to_owned(),
        started: "2026-11-22T06:00:00Z".to_owned(),
        version: "0.1.0".to_owned(),
        commit: "0123456789abcdef0123456789abcdef01234567".to_owned(),
        toolchain: "rustc 1.95.0".to_owned(),
        command: ["bakeoff", "run", "quick"].map(str::to_owned).to_vec(),
        machine: MachineInfo {
            fingerprint: "a1b2c3d4".to_owned(),
            cpu: "Example CPU <3 GHz> & co".to_owned(),
            cpus: 2,
            memory_bytes: 8 << 30,
            os: "Linux 6.1".to_owned(),
            arch: "x86_64".to_owned(),
        },
        devices: vec![DeviceInfo {
            name: "Example CPU <3 GHz> & co".to_owned(),
            memory_bytes: 8 << 30,
            fingerprint: "a1b2c3d4".to_owned(),
            ..DeviceInfo::unknown("cpu")
        }],
        libraries: words(&[("burn", "0.22.1"), ("linfa-svm", "0.8.1")]),
        datasets: words(&[("samples/cifar10-train.bin.gz", "ab".repeat(32).as_str())]),
        energy: "estimate".to_owned(),
        remarks: Vec::new(),
        cases: cases.collect(),
        tasks,
        suite_toml: "name = \"quick\"\nseeds = [1]\n".to_owned(),
    }
}

fn label(model: usize) -> String {
    let name = MODELS[model % MODELS.len()];
    if model < MODELS.len() { name.to_owned() } else { format!("{name}-v{}", model / MODELS.len() + 1) }
}

fn task(index: usize) -> TaskInfo {
    let name = TASKS[index % TASKS.len()];
    let name = if index < TASKS.len() { name.to_owned() } else { format!("{name}-{}", index / TASKS.len() + 1) };
    let (primary, unit, classes) = match index % 3 {
        0 => ("accuracy", "", CLASSES),
        1 => ("accuracy", "", &["negative", "positive"][..]),
        _ => ("mse", "°", &[][..]),
    };
    TaskInfo {
        about: format!("What the task {name} asks"),
        name,
        version: 1,
        primary: primary.to_owned(),
        unit: unit.to_owned(),
        classes: classes.iter().map(|class| (*class).to_owned()).collect(),
    }
}

/// One case on its way into the run.
struct MadeCase<'a> {
    info: &'a RunInfo,
    task: &'a TaskInfo,
    case: &'a CaseInfo,
    model: usize,
    seed: u64,
    status: Status,
    note: &'static str,
    noise: Noise,
    records: Vec<Record>,
    curves: Vec<Curve>,
}

impl<'a> MadeCase<'a> {
    fn new(info: &'a RunInfo, task: &'a TaskInfo, case: &'a CaseInfo, index: usize, plan: &Plan) -> MadeCase<'a> {
        let model = index / plan.seeds % plan.models;
        let group = index / plan.seeds / plan.models;
        let (status, note) = match (plan.faults, group % 3, model) {
            (true, 0, 5) => (Status::Failed, "exit code 101: thread 'main' panicked at \"index, out of bounds\""),
            (true, 0, 6) => (Status::TimedOut, "did not end within 600 s; raise timeout_s"),
            (true, 0, 7) => (Status::OutOfMemory, "used 4.3 GB, the limit is 4.3 GB"),
            (true, 1, 5) => (Status::Diverged, "loss is NaN in epoch 3"),
            (true, 1, 6) => (Status::BelowFloor, "accuracy 0.100 is not above the floor of 0.100"),
            (true, 2, 6) => (Status::Unsupported, "<svm> needs a kernel of 20 GB | for 50,000 rows"),
            (true, 2, 7) => (
                Status::OverBudget,
                "the budget was used up in the first epoch, after 3 of its 57 steps: raise the budget",
            ),
            _ => (Status::Ok, ""),
        };
        let seed = (index % plan.seeds + 1) as u64;
        let noise = Noise(index as u64 + 1);
        MadeCase { info, task, case, model, seed, status, note, noise, records: Vec::new(), curves: Vec::new() }
    }

    fn push(&mut self, phase: &str, metric: &str, value: Option<f64>, source: &str) {
        let found = bakeoff_reports::metric(metric).unwrap();
        let closing = phase == "case" && metric == "wall_s";
        self.records.push(Record {
            schema: SCHEMA,
            run: self.info.run.clone(),
            commit: self.info.commit.clone(),
            machine: self.info.machine.fingerprint.clone(),
            case: self.case.case.clone(),
            task: self.task.name.clone(),
            task_version: self.task.version,
            label: self.case.label.clone(),
            model: self.case.model.clone(),
            model_version: "1 (burn 0.22.1)".to_owned(),
            params: format!("depth=8 rate=0.{}", self.case.trial.unwrap_or(1)),
            train_size: self.case.train_size,
            label_noise: self.case.label_noise,
            seed: self.seed,
            folds: None,
            repeat: None,
            fold: None,
            trial: self.case.trial,
            device: "cpu".to_owned(),
            device_name: self.info.devices[0].name.clone(),
            threads: Some(2),
            conditions: String::new(),
            phase: phase.to_owned(),
            metric: metric.to_owned(),
            unit: found.unit.to_owned(),
            value,
            source: source.to_owned(),
            status: self.status,
            note: if closing { self.note.to_owned() } else { String::new() },
        });
    }

    /// A search trial.
    fn try_out(&mut self, trial: usize) {
        let is_failed = trial == 2;
        self.status = if is_failed { Status::Diverged } else { Status::Ok };
        self.note = if is_failed { "in epoch 1: the training loss is not a finite number" } else { "" };
        if !is_failed {
            let scale = if self.task.classes.is_empty() { 900.0 } else { 0.1 };
            self.push(
                "validate",
                &self.task.primary,
                Some(scale * (self.model as f64 + trial as f64).sqrt()),
                "scorer",
            );
        }
        self.push("case", "wall_s", Some(3.0), "stopwatch");
    }

    fn measure(&mut self, dir: &RunDir, plan: &Plan) {
        if plan.trials > 0 {
            self.push("search", "trials", Some(plan.trials as f64), "search");
            self.push("search", "failed_trials", Some(f64::from(u8::from(plan.trials > 1))), "search");
            self.push("search", "fit_s", Some(40.0), "stopwatch");
            self.push("search", "energy_j", Some(480.0), "estimate");
            self.push("search", "best_validation", Some(0.5), "scorer");
        }
        if matches!(self.status, Status::Ok | Status::BelowFloor) {
            self.score(dir, plan);
            self.cost();
            if plan.examples > 0 {
                self.time_each(dir);
            }
            if plan.axes {
                self.judge();
            }
        }
        let wall = (self.status != Status::Unsupported).then_some(12.5 + self.model as f64);
        self.push("case", "wall_s", wall, "stopwatch");
    }

    fn score(&mut self, dir: &RunDir, plan: &Plan) {
        let classes = self.task.classes.len();
        let skill = 0.35 + 0.09 * ((self.model * 5 + self.task.name.len()) % 7) as f64;
        // More rows and fewer wrong labels are better.
        let skill = skill * (self.case.train_size as f64 / 2000.0).powf(0.3) * (1.0 - self.case.label_noise);
        let rows = if classes > 0 {
            self.answer_classes(plan.examples, skill)
        } else {
            self.answer_values(plan.examples, skill)
        };
        let n = plan.examples.max(1) as f64;
        if classes > 0 {
            let right = rows.iter().filter(|row| row.target == row.prediction).count() as f64;
            let accuracy = if rows.is_empty() { skill } else { right / n };
            for metric in ["accuracy", "recall_macro", "precision_macro", "f1_macro"] {
                self.push("score", metric, Some(accuracy), "scorer");
            }
            self.push("score", "floor", Some(1.0 / classes as f64), "scorer");
        } else {
            let errors =
                rows.iter().map(|row| row.target.parse::<f64>().unwrap() - row.prediction.parse::<f64>().unwrap());
            let mse = if rows.is_empty() { 1.0 - skill } else { errors.map(|error| error * error).sum::<f64>() / n };
            self.push("score", "mse", Some(mse), "scorer");
            self.push("score", "floor", Some(1200.0), "scorer");
        }
        self.push("score", "examples", Some(n), "scorer");
        if plan.axes {
            let (metric, score) =
                if classes > 0 { ("accuracy_train", 0.5 + skill / 2.0) } else { ("mse_train", 500.0 * (1.0 - skill)) };
            self.push("score", metric, Some(score), "scorer");
        }
        if !rows.is_empty() {
            dir.write_rows(&dir.predictions_path(&self.case.case), &rows).unwrap();
        }
    }

    fn answer_classes(&mut self, examples: usize, skill: f64) -> Vec<PredictionRow> {
        let classes = &self.task.classes;
        let noise = &mut self.noise;
        (0..examples)
            .map(|example| {
                let target = example % classes.len();
                let wrong = (target + 1 + (noise.next() * 2.0) as usize) % classes.len();
                let prediction = if noise.next() < skill { target } else { wrong };
                let sure = (0.5 + noise.next() / 2.0) as f32;
                let mut probabilities = vec![(1.0 - sure) / (classes.len() - 1) as f32; classes.len()];
                probabilities[prediction] = sure;
                let (target, prediction) = (classes[target].clone(), classes[prediction].clone());
                PredictionRow { example, target, prediction, probabilities }
            })
            .collect()
    }

    fn answer_values(&mut self, examples: usize, skill: f64) -> Vec<PredictionRow> {
        let noise = &mut self.noise;
        (0..examples)
            .map(|example| {
                let target = (example * 37 % 121) as f64 - 60.0;
                let prediction = target + (noise.next() - 0.5) * 100.0 * (1.1 - skill);
                PredictionRow {
                    example,
                    target: target.to_string(),
                    prediction: prediction.to_string(),
                    probabilities: Vec::new(),
                }
            })
            .collect()
    }

    /// The seconds of single predictions, around the recorded median, with a long end.
    fn time_each(&mut self, dir: &RunDir) {
        let median = self.records.iter().find(|row| row.metric == "latency_p50_s").and_then(|row| row.value).unwrap();
        let noise = &mut self.noise;
        let reading = |index| Reading {
            phase: "predict-single".to_owned(),
            metric: "latency_s".to_owned(),
            index,
            example: Some(index),
            value: median * (0.8 + 0.4 * noise.next() + 1.6 * noise.next().powi(20)),
            unit: "s".to_owned(),
            source: "stopwatch".to_owned(),
        };
        let mut readings: Vec<Reading> = (0..100).map(reading).collect();
        readings.extend(self.power());
        dir.write_readings(&self.case.case, &readings).unwrap();
    }

    /// What a meter showed during the fit: it takes more power from a tenth of the fit on.
    fn power(&self) -> Vec<Reading> {
        const SAMPLES: usize = 40;
        let fit_s = self.records.iter().find(|row| row.metric == "fit_s").and_then(|row| row.value).unwrap();
        let level = 20.0 + 5.0 * self.model as f64;
        let share = |index: usize| index as f64 / (SAMPLES - 1) as f64;
        let joules = |index: usize| fit_s * (level * share(index) - 0.7 * level * share(index).min(0.1));
        let reading = |metric: &str, unit: &str, source: &str, index, value| Reading {
            phase: "fit".to_owned(),
            metric: metric.to_owned(),
            index,
            example: None,
            value,
            unit: unit.to_owned(),
            source: source.to_owned(),
        };
        let seconds = (0..SAMPLES).map(|index| reading("sample_s", "s", "stopwatch", index, fit_s * share(index)));
        seconds.chain((0..SAMPLES).map(|index| reading("sample_j", "J", "rapl", index, joules(index)))).collect()
    }

    /// The target of the task, and when the fit reached it.
    fn judge(&mut self) {
        let (target, is_reached): (f64, fn(f64, f64) -> bool) = if self.task.classes.is_empty() {
            (450.0, |score, target| score <= target)
        } else {
            (0.55, |score, target| score >= target)
        };
        self.push("fit", "target", Some(target), "suite");
        let number = |metric: &str| self.records.iter().find(|row| row.metric == metric).and_then(|row| row.value);
        let costs = if self.curves.is_empty() {
            let score = number(&self.task.primary).unwrap();
            let costs = is_reached(score, target).then(|| (number("fit_s").unwrap(), number("energy_j").unwrap()));
            self.push("fit", "validation", Some(score), "scorer");
            costs
        } else {
            let first = self.curves.iter().find(|epoch| is_reached(epoch.validation.unwrap(), target));
            first.map(|epoch| (epoch.elapsed_s, epoch.energy_j.unwrap()))
        };
        self.push("fit", "time_to_target_s", costs.map(|(seconds, _)| seconds), "stopwatch");
        self.push("fit", "energy_to_target_j", costs.map(|(_, joules)| joules), "estimate");
        for row in self.records.iter_mut().filter(|row| row.metric.contains("to_target") && row.value.is_none()) {
            row.note = "not reached: best 0.5400 after 8 epochs, 3.200 s".to_owned();
        }
    }

    fn cost(&mut self) {
        let scale = 10f64.powf(self.model as f64 / 3.0) * (0.8 + 0.4 * self.noise.next());
        self.push("fit", "fit_s", Some(2.0 * scale), "stopwatch");
        self.push("fit", "energy_j", Some(24.0 * scale), "estimate");
        for (metric, factor) in
            [("latency_p50_s", 1.0), ("latency_p90_s", 1.4), ("latency_p95_s", 1.7), ("latency_p99_s", 2.6)]
        {
            self.push("predict-single", metric, Some(1e-4 * scale * factor), "stopwatch");
        }
        self.push("predict-batch", "throughput", Some(9e4 / scale), "stopwatch");
        self.push("predict-batch", "energy_j", Some(1e-3 * scale), "estimate");
        self.push("case", "peak_memory_bytes", Some(1e8 + 1e6 * scale), "kernel");
        self.push("case", "parameters", Some((1e4 * scale).round()), "model");
        self.push("case", "model_bytes", Some((4e4 * scale).round()), "model");
        if self.model % 8 >= 3 && self.model % 8 != 5 && self.model % 8 != 7 {
            return;
        }
        for epoch in 1..=8 {
            let progress = epoch as f64 / 8.0;
            let validation =
                if self.task.classes.is_empty() { 1300.0 - 900.0 * progress } else { 0.2 + 0.4 * progress };
            self.curves.push(Curve {
                case: self.case.case.clone(),
                epoch,
                train_loss: 2.3 / (1.0 + progress * (1.0 + self.model as f64 / 4.0)),
                metric: self.task.primary.clone(),
                validation: Some(validation * (0.9 + 0.1 * self.noise.next())),
                elapsed_s: epoch as f64 * scale / 4.0,
                energy_j: Some(epoch as f64 * scale * 3.0),
            });
        }
    }
}
