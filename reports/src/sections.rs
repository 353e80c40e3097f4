//! The text of the report, in parts that `report.html`, `report.md` and the terminal share.

use crate::cell::{Cell, Mean, SearchTrial, Trial, measured_first};
use crate::comparison_table::{HOW_TO_READ_PAIRS, HOW_TO_READ_SEEDS, comparison_table};
use crate::estimate::Basis;
use crate::format::{count, listed, percent, score};
use crate::grid::Grid;
use crate::metric::{Better, Metric, metric};
use crate::ranking::{RankedModel, Ranking};
use crate::record::Status;
use crate::results::Results;
use crate::setting::Setting;
use crate::table::{CellKind, Emphasis, Table, TableCell, TableColumn};
use crate::warnings::warnings;

/// The note on how the rows were used.
pub(crate) const HOW_ROWS_ARE_USED: &str = "A tenth of the training rows is set aside for validation. The seed chooses these rows, \
    and a tenth of each class is among them. A model that learns in epochs keeps the epoch that scores best on them; a model that \
    chooses nothing learns from them too, unless the task has a target. \
    The test targets were used once, by the scorer, after the fit.";

/// How a table is read.
const HOW_TO_READ_TABLES: &str = "Models are in the order of their mean scores on the same test examples. `#` is the places that the tests \
    leave to a model: `1–3` means that none is significantly better and that all but the first three are significantly worse. \
    `–` marks a model that is not ranked. All pairs are tested, and their p-values are adjusted together by Holm's method. ";

/// What intervals and tests of one seed speak of.
const ONE_SEED: &str = "There is one seed, so the 95 % intervals and the tests speak of other test examples only, and **the spread over \
    seeds is unknown**: another seed may change the order. Shares of examples have Wilson's interval and McNemar's exact test; other \
    scores have the bootstrap's interval and a paired t test over examples.";

/// What intervals and tests of several seeds speak of.
const SEVERAL_SEEDS: &str = "The 95 % intervals and the tests speak of other seeds and other test examples. Models are paired by seed and \
    example. The variance has a part of seeds, which has only one degree of freedom less than there are seeds, and a part of examples; \
    the quantile of Student's t is that of both parts by their weight (Cochran and Cox 1957).";

/// What intervals and tests speak of if test rows differ from seed to seed.
const DIVISIONS: &str = " Where each seed has test rows of its own, its training rows are mostly those of the others, so the variance over \
    seeds is corrected for it (Nadeau and Bengio 2003).";

/// How scores of a cross-validation are read.
const FOLDS: &str = " Where rows are divided into folds, a model that learned from the other folds scores each row once in each \
    division. Two folds share training rows, so their interval and test use Student's t with a variance that is corrected \
    for it (Nadeau and Bengio 2003).";

/// How the tables of these results are read.
pub(crate) fn marks(results: &Results) -> String {
    let models = || results.rankings.iter().flat_map(|ranking| &ranking.models);
    let has = |basis: Basis| models().any(|model| model.uncertainty.is_some_and(|found| found.basis == basis));
    let mut text = HOW_TO_READ_TABLES.to_owned();
    if results.rankings.iter().any(|ranking| !ranking.comparisons.is_empty()) {
        text += HOW_TO_READ_PAIRS;
    }
    if results.rankings.iter().flat_map(|ranking| &ranking.comparisons).any(|pair| pair.seeds.is_some()) {
        text += HOW_TO_READ_SEEDS;
    }
    if has(Basis::Rows) {
        text += ONE_SEED;
    }
    if has(Basis::SeedsAndRows) {
        text += SEVERAL_SEEDS;
    }
    if has(Basis::Divisions) {
        text += DIVISIONS;
    }
    if has(Basis::Folds) {
        text += FOLDS;
    }
    text
}

/// One setting: its ranked models and what a reader must know of them.
pub(crate) struct Section {
    /// The title of the setting.
    pub(crate) title: String,
    /// A sentence on the task, its rows and its floor.
    pub(crate) lead: String,
    /// The table of the models.
    pub(crate) table: Table,
    /// What a reader must know before believing the table.
    pub(crate) warnings: Vec<String>,
    /// A sentence on the metric that is reported beside the primary one.
    pub(crate) beside: Option<String>,
    /// All pairs of ranked models.
    pub(crate) pairs: Option<Table>,
}

/// The planned cases that are scored: `3 cases`, with their search trials if there are any.
pub(crate) fn planned(results: &Results) -> String {
    let all = results.info.cases.len();
    let scored = results.info.cases.iter().filter(|case| case.trial.is_none()).count();
    match all - scored {
        0 => count(scored, "case"),
        trials => format!("{} with {}", count(scored, "case"), count(trials, "search trial")),
    }
}

/// The sections of the settings, in the order of the plan.
pub(crate) fn sections(results: &Results) -> Vec<Section> {
    results.rankings.iter().map(|ranking| section(results, ranking)).collect()
}

fn section(results: &Results, ranking: &Ranking) -> Section {
    let setting = results.setting(ranking.setting);
    let floor = |floor| format!(" A constant answer scores {}, which is the floor.", score(setting.primary(), floor));
    Section {
        title: setting.title.clone(),
        lead: format!(
            "{} {}, {}.{}{}{}",
            sentence(&setting.task.about),
            rows(setting),
            setting.device,
            learned(&results.grid, ranking.setting),
            budget(&results.grid, ranking.setting),
            ranking.floor.map_or(String::new(), floor)
        ),
        table: table(results, ranking),
        warnings: warnings(&results.grid, ranking.setting),
        beside: beside(results, ranking),
        pairs: comparison_table(results, ranking),
    }
}

/// `2000 training rows`, with what was done to them.
fn rows(setting: &Setting) -> String {
    let noise = match setting.label_noise {
        0.0 => String::new(),
        share => format!(", {} % of their labels made wrong", percent(share)),
    };
    match setting.folds {
        Some(folds) => format!("{} divided into {folds} folds{noise}", count(setting.train_size, "row")),
        None => format!("{}{noise}", count(setting.train_size, "training row")),
    }
}

/// ` lstm and resnet learn from 1800 of them, svm from 2000.`: without the rows that a model sets aside for validation.
fn learned(grid: &Grid, setting: usize) -> String {
    let mut groups: Vec<(String, Vec<String>)> = Vec::new();
    for (label, cell) in grid.row(setting) {
        let counts = cell.trials.iter().filter_map(|trial| trial.get("fit", "train_examples")).map(|value| value.value);
        let (least, most) = counts.fold((f64::INFINITY, 0.0_f64), |(least, most), n| (least.min(n), most.max(n)));
        let learned = match (least, most) {
            _ if most == 0.0 => continue,
            (least, most) if least == most => most.to_string(),
            (least, most) => format!("{least} to {most}"),
        };
        let label = grid.labels[label].clone();
        match groups.iter_mut().find(|(other, _)| *other == learned) {
            Some((_, labels)) => labels.push(label),
            None => groups.push((learned, vec![label])),
        }
    }
    let clauses: Vec<String> = groups
        .into_iter()
        .enumerate()
        .map(|(index, (learned, labels))| {
            let learn = if labels.len() == 1 { "learns" } else { "learn" };
            let of_them = if index == 0 { " of them" } else { "" };
            format!("{} {learn} from {learned}{of_them}", listed(&labels))
        })
        .collect();
    if clauses.is_empty() { String::new() } else { format!(" {}.", clauses.join(", ")) }
}

/// ` Every fit had a budget of 60 s.`, if the suite sets one.
fn budget(grid: &Grid, setting: usize) -> String {
    let trials = || grid.row(setting).flat_map(|(_, cell)| &cell.trials);
    let given = |metric| trials().find_map(|trial| trial.get("fit", metric)).map(|value| value.value);
    let shown = match (given("budget_s"), given("budget_j")) {
        (Some(most), _) => format!("{most} s"),
        (_, Some(most)) => format!("{most} J"),
        _ => return String::new(),
    };
    format!(
        " Every fit had a budget of {shown}: networks and forests learned until it was used up, whatever `epochs` and `trees` say."
    )
}

/// The memory of the graphics card that a case held.
const DEVICE_MEMORY: &str = "device_memory_bytes";

/// The models of a setting with their scores and costs.
fn table(results: &Results, ranking: &Ranking) -> Table {
    let setting = results.setting(ranking.setting);
    // Joules of two sources are never in one column: those that measured leave no room for an estimate.
    let source = |phase: &str| results.grid.sources(ranking.setting, phase, "energy_j").first().copied();
    let [of_fit, of_batch] = ["fit", "predict-batch"].map(source);
    let cost = |title: &str| TableColumn::cost(title, Better::Lower);
    // Only cases on a graphics card have its memory.
    let on_card = results.grid.row(ranking.setting).any(|(_, cell)| cell.mean("case", DEVICE_MEMORY).is_some());
    let mut columns = vec![
        TableColumn::new("#", CellKind::Rank),
        TableColumn::new("model", CellKind::Name),
        TableColumn::new(format!("{}{}", setting.primary().short_title(), setting.primary_unit()), CellKind::Estimate),
        cost("fit"),
        cost("p50"),
        cost("p99").detail(),
        TableColumn::cost("predictions/s", Better::Higher),
        cost("J/prediction").measured_by(of_batch),
        cost("J to fit").measured_by(of_fit).detail(),
        cost("memory").detail(),
    ];
    columns.extend(on_card.then(|| cost("card memory").detail()));
    columns.extend([cost("model size").detail(), TableColumn::new("status", CellKind::Status)]);
    let mut table = Table::new(format!("Results of {}", setting.title), columns);
    for model in &ranking.models {
        if let Some(cell) = results.grid.cell(ranking.setting, model.label) {
            let emphasis = match model.ranks {
                Some(ranks) if ranks.is_tied_with_best() => Emphasis::Bold,
                Some(_) => Emphasis::Plain,
                None => Emphasis::Faint,
            };
            let subject = results.subject(ranking.setting, model.label, model.status);
            table.push_about(subject, emphasis, row(results, ranking, model, cell, ([of_fit, of_batch], on_card)));
        }
    }
    table
}

/// `meters` are the sources of the joules of the fit and of a prediction. `on_card` says whether there is a column for a card's memory.
fn row(
    results: &Results,
    ranking: &Ranking,
    model: &RankedModel,
    cell: &Cell,
    (meters, on_card): ([Option<&str>; 2], bool),
) -> Vec<TableCell> {
    let mean = |phase: &str, name: &str| cell.mean(phase, name).map(|mean| mean.mean);
    let quantity = |phase: &str, name: &str| {
        let unit = metric(name).map_or("", |metric| metric.unit);
        mean(phase, name).map_or(TableCell::Empty, |value| TableCell::Quantity { value, unit })
    };
    let joules = |phase: &str, source: Option<&str>| {
        let mean = source.and_then(|source| cell.mean_from(phase, "energy_j", source));
        mean.map_or(TableCell::Empty, |mean| TableCell::Quantity { value: mean.mean, unit: "J" })
    };
    let primary = results.setting(ranking.setting).primary();
    let estimate = |mean: Mean| TableCell::Estimate { metric: primary, value: mean.mean, interval: model.interval() };
    let trials = cell.planned;
    let folds = results.setting(ranking.setting).folds;
    // The seeds that have the status; the mean of folds has it as a whole.
    let counted = match model.status {
        status if status == Status::Ok || folds.is_some() => model.primary.map_or(0, |primary| primary.n),
        status => cell.trials.iter().filter(|trial| trial.status == status).count(),
    };
    let what = match folds {
        None => "seeds",
        Some(folds) if trials == folds => "folds",
        Some(_) => "cases",
    };
    let mut cells = vec![
        TableCell::Rank(model.ranks),
        TableCell::Text(results.name_in(ranking.setting, model.label)),
        model.primary.map_or(TableCell::Empty, estimate),
        quantity("fit", "fit_s"),
        quantity("predict-single", "latency_p50_s"),
        quantity("predict-single", "latency_p99_s"),
        mean("predict-batch", "throughput").map_or(TableCell::Empty, TableCell::Number),
        joules("predict-batch", meters[1]),
        joules("fit", meters[0]),
        quantity("case", "peak_memory_bytes"),
    ];
    cells.extend(on_card.then(|| quantity("case", DEVICE_MEMORY)));
    let seeds = if trials > 1 { format!("{counted} of {trials} {what}") } else { String::new() };
    cells.extend([quantity("case", "model_bytes"), TableCell::Status { status: model.status, seeds }]);
    cells
}

/// A sentence with the models' scores by the metric that is reported beside the primary one.
fn beside(results: &Results, ranking: &Ranking) -> Option<String> {
    let mut others = results.setting(ranking.setting).score().beside.iter().filter_map(|name| metric(name));
    let sentence = |other: &Metric| {
        let scores = ranking.ranked().filter_map(|model| {
            let mean = results.grid.cell(ranking.setting, model.label)?.mean("score", other.name)?;
            Some(format!("{} {}", results.name_in(ranking.setting, model.label), score(other, mean.mean)))
        });
        let scores: Vec<String> = scores.collect();
        (!scores.is_empty()).then(|| format!("Second metric, {}: {}.", other.title, scores.join("; ")))
    };
    others.find_map(sentence)
}

/// How the parameters of searched cases were chosen.
pub(crate) const TUNING: &str = "Parameters were chosen by a search: at random, unless [search] of the suite in run.json names \
    another method. Each model that has ranges got the same number of search trials or the same budget. A search trial is scored on \
    the validation rows, which it does not learn from, and never on the test rows. The case is then fitted anew with the parameters of its best search trial. The best of several scores is too good: \
    compare models by their test scores. Seconds and joules are those of the fits of all search trials, apart from the fit of \
    the case itself. Of the chosen parameters, those that differ among the search trials are shown.";

/// What was searched for and chosen, a row for each case with search trials; `None` if there is none.
pub(crate) fn tuning(results: &Results) -> Option<Table> {
    let search_source = search_source(results);
    let columns = vec![
        TableColumn::new("setting", CellKind::Text),
        TableColumn::new("model", CellKind::Name),
        TableColumn::new("seed", CellKind::Text),
        TableColumn::new("search trials", CellKind::Number),
        TableColumn::new("failed", CellKind::Number),
        TableColumn::new("best validation score", CellKind::Number),
        TableColumn::new("search time", CellKind::Number),
        TableColumn::new("search energy", CellKind::Number).measured_by(search_source),
        TableColumn::new("chosen parameters", CellKind::Text),
    ];
    let mut table = Table::new("Search trials and chosen parameters", columns);
    for (setting, label, trial) in results.grid.trials().filter(|(_, _, trial)| !trial.search.is_empty()) {
        let value = |name: &str| trial.get("search", name).map(|value| value.value);
        let counted = |name: &str| {
            value(name).map_or(TableCell::Empty, |value| TableCell::Written { value, text: value.to_string() })
        };
        let quantity =
            |name: &str, unit| value(name).map_or(TableCell::Empty, |value| TableCell::Quantity { value, unit });
        let joules = search_source.and_then(|source| trial.get_from("search", "energy_j", source));
        let joules = joules.map_or(TableCell::Empty, |joules| TableCell::Quantity { value: joules.value, unit: "J" });
        let compared = results.setting(setting);
        let best = value("best_validation");
        let fold = trial.fold.map_or(String::new(), |(repeat, fold)| format!(", repeat {repeat}, fold {fold}"));
        let cells = vec![
            TableCell::Text(compared.title.clone()),
            TableCell::Text(results.grid.labels[label].clone()),
            TableCell::Text(format!("{}{fold}", trial.seed)),
            counted("trials"),
            counted("failed_trials"),
            best.map_or(TableCell::Empty, |best| TableCell::Written {
                value: best,
                text: format!("{} {}", compared.primary().short_title(), score(compared.primary(), best)),
            }),
            quantity("fit_s", "s"),
            joules,
            best.map_or(TableCell::Empty, |_| TableCell::Text(chosen(trial))),
        ];
        table.push_about(results.subject(setting, label, trial.status), Emphasis::Plain, cells);
    }
    (!table.rows.is_empty()).then_some(table)
}

/// The one source of the joules of searches that is shown.
fn search_source(results: &Results) -> Option<&str> {
    let joules = results.grid.trials().flat_map(|(_, _, trial)| trial.all("search", "energy_j"));
    measured_first(joules).first().copied()
}

/// The parameters of a case that differ among its search trials, as they were chosen.
fn chosen(trial: &Trial) -> String {
    let is_varied = |parameter: &&str| {
        let name = parameter.split('=').next().unwrap_or_default();
        let same = |search: &SearchTrial| search.params.split(' ').any(|other| other == *parameter);
        !name.is_empty() && !trial.search.iter().all(same)
    };
    let varied: Vec<&str> = trial.params.split(' ').filter(is_varied).collect();
    varied.join(" ")
}

/// The cases that are not ranked, with their reasons; `None` if there are none.
pub(crate) fn not_ranked(results: &Results) -> Option<Table> {
    let columns = vec![
        TableColumn::new("case", CellKind::Name),
        TableColumn::new("status", CellKind::Status),
        TableColumn::new("reason", CellKind::Text),
    ];
    let mut table = Table::new("Cases that are not ranked", columns);
    // One fold below its floor does not keep the others from being ranked.
    let is_ranked =
        |setting: usize, label: usize| results.grid.cell(setting, label).is_some_and(|cell| cell.status == Status::Ok);
    let unranked =
        |(setting, label, trial): &(usize, usize, &Trial)| trial.status != Status::Ok && !is_ranked(*setting, *label);
    for (setting, label, trial) in results.grid.trials().filter(unranked) {
        let status = TableCell::Status { status: trial.status, seeds: String::new() };
        table.push_about(
            results.subject(setting, label, trial.status),
            Emphasis::Plain,
            vec![TableCell::Text(trial.case.clone()), status, TableCell::Text(trial.note.clone())],
        );
    }
    (!table.rows.is_empty()).then_some(table)
}

/// The model, its version and its parameters in each case.
pub(crate) fn parameters(results: &Results) -> Table {
    let columns = vec![
        TableColumn::new("case", CellKind::Name),
        TableColumn::new("model", CellKind::Text),
        TableColumn::new("parameters", CellKind::Text),
    ];
    let mut table = Table::new("Parameters", columns);
    for (setting, label, trial) in results.grid.trials() {
        let model = format!("{}, {}", trial.model, trial.model_version);
        let cells = [trial.case.clone(), model, trial.params.clone()].map(TableCell::Text).to_vec();
        table.push_about(results.subject(setting, label, trial.status), Emphasis::Plain, cells);
    }
    table
}

/// The data files and their checksums.
pub(crate) fn checksums(results: &Results) -> Table {
    let columns = vec![TableColumn::new("file", CellKind::Name), TableColumn::new("sha256", CellKind::Code)];
    let mut table = Table::new("Checksums of the data", columns);
    for (file, sum) in &results.info.datasets {
        table.push(Emphasis::Plain, [file.clone(), sum.clone()].map(TableCell::Text).to_vec());
    }
    table
}

/// A text that ends with a full stop.
pub(crate) fn sentence(text: &str) -> String {
    let text = text.trim();
    if text.is_empty() || text.ends_with(['.', '!', '?']) { text.to_owned() } else { format!("{text}.") }
}
