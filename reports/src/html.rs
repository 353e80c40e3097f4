//! `report.html`: one self-contained file that asks for nothing from outside.

use maud::{DOCTYPE, Markup, PreEscaped, html};

use crate::figures::Picture;
use crate::format::{count, score, si};
use crate::markdown::{SPLITS, reproduce, sentence};
use crate::record::Status;
use crate::results::Results;
use crate::table::{Line, Standing, Table, beside, cells, header, test_result};

/// The text of `report.html`.
pub(crate) fn html(results: &Results, pictures: &[Picture], remarks: &[String]) -> String {
    let info = &results.info;
    let page = html! {
        (DOCTYPE)
        html lang="en" {
            head {
                meta charset="utf-8";
                meta name="viewport" content="width=device-width, initial-scale=1";
                title { "bakeoff " (info.suite) ": " (info.run) }
                style { (PreEscaped(include_str!("html.css"))) }
            }
            body {
                main {
                    (head(results))
                    (remarks_box(remarks))
                    (headlines(results))
                    (figures(pictures))
                    (not_ranked(results))
                    (gaps(results))
                    (provenance(results))
                    (parameters(results))
                }
            }
        }
    };
    page.into_string()
}

fn head(results: &Results) -> Markup {
    let info = &results.info;
    let finished = results.grid.trials().count();
    html! {
        header {
            h1 { "bakeoff: " (info.suite) }
            p.lead { (sentence(&info.about)) }
            p.muted {
                (finished) " of " (count(info.cases.len(), "case")) " · " (info.started) " · "
                (info.machine.cpu) ", " (count(info.machine.cpus, "processor")) " · energy: " (info.energy)
            }
            @if finished == 0 {
                p { strong { "No case has finished, so there is nothing to compare yet." } }
            }
            nav aria-label="Contents" {
                a href="#results" { "Results" }
                a href="#figures" { "Figures" }
                a href="#not-ranked" { "Not ranked" }
                a href="#provenance" { "What was run" }
                a href="#parameters" { "Parameters" }
            }
        }
    }
}

fn remarks_box(remarks: &[String]) -> Markup {
    html! {
        @if !remarks.is_empty() {
            aside.remarks aria-label="Remarks" {
                strong { "Before you read on" }
                ul { @for remark in remarks { li { (remark) } } }
            }
        }
    }
}

fn headlines(results: &Results) -> Markup {
    html! {
        h2 #results { "Results" }
        p {
            "Models are ranked by the task's primary metric on the same test examples. "
            "≈ marks a model that a paired test cannot tell from the best (McNemar's exact test for the accuracy "
            "of one seed, otherwise the paired bootstrap; p ≥ 0.05 after Holm's correction); ? marks one that could "
            "not be tested; – marks one that is not ranked. p50 and p99 are the time from one raw example to its "
            "prediction; memory is the largest of the whole case, training included. " (SPLITS)
        }
        @for table in &results.tables { (headline(results, table)) }
    }
}

/// The column of [`cells`] with the model's label.
const MODEL: usize = 1;
/// The column of [`cells`] with the primary metric.
const PRIMARY: usize = 2;
/// The column of [`cells`] with the status.
const STATUS: usize = 11;

/// Columns of [`cells`] whose text is a number.
fn is_number(column: usize) -> bool {
    (PRIMARY + 1..STATUS).contains(&column)
}

fn headline(results: &Results, table: &Table) -> Markup {
    let setting = results.setting(table.setting);
    html! {
        section {
            h3 { (setting.title) }
            p.muted {
                (sentence(&setting.task.about)) " " (count(setting.train_size, "training row")) ", " (setting.device) "."
                @if let Some(floor) = table.floor { " A constant answer scores " (score(setting.primary(), floor)) ": the floor." }
            }
            div.wide tabindex="0" role="region" aria-label={ "Results of " (setting.title) } {
                table {
                    thead {
                        tr {
                            @for (column, title) in header(&results.grid, table).iter().enumerate() {
                                th.number[is_number(column)] scope="col" { (title) }
                                @if column == PRIMARY { th scope="col" { "vs best" } }
                            }
                        }
                    }
                    tbody { @for line in &table.lines { (row(results, table, line)) } }
                }
            }
            @if let Some(beside) = beside(&results.grid, table) { p { (beside) } }
        }
    }
}

fn row(results: &Results, table: &Table, line: &Line) -> Markup {
    html! {
        tr.best[line.standing == Standing::Best].unranked[line.standing == Standing::Unranked] {
            @for (column, cell) in cells(&results.grid, table, line).iter().enumerate() {
                @if column == MODEL {
                    th scope="row" { (cell) }
                } @else {
                    td.number[is_number(column)].bad[column == STATUS && line.status != Status::Ok] { (cell) }
                }
                @if column == PRIMARY { td { (test_result(line)) } }
            }
        }
    }
}

fn figures(pictures: &[Picture]) -> Markup {
    let (matrices, others): (Vec<_>, Vec<_>) =
        pictures.iter().partition(|picture| picture.name.starts_with("confusion-"));
    html! {
        h2 #figures { "Figures" }
        @if pictures.is_empty() { p { "There is nothing to draw yet." } }
        div.figures { @for picture in &others { (figure(picture, true)) } }
        @if let Some(first) = matrices.first() {
            h3 { "Confusion matrices" }
            p.muted { (first.caption) }
            details open[matrices.len() <= 12] {
                summary { (count(matrices.len(), "classification case")) }
                div.figures { @for picture in &matrices { (figure(picture, false)) } }
            }
        }
        p.muted { "Each figure is also a file in figures/, as SVG and as PNG at 300 dots per inch." }
    }
}

fn figure(picture: &Picture, captioned: bool) -> Markup {
    // A page of two columns needs the whole width.
    let whole = picture.svg.starts_with("<svg") && is_wide(&picture.svg);
    html! {
        figure.whole[whole] {
            (PreEscaped(&picture.svg))
            // A matrix has its title in the picture.
            @if captioned || !picture.key.is_empty() {
                figcaption {
                    @if captioned { strong { (picture.title) } ". " (picture.caption) }
                    @if !picture.key.is_empty() { " " strong { "Key: " } (picture.key) "." }
                }
            }
        }
    }
}

/// Whether the page is wider than a column; its width is the first attribute.
fn is_wide(svg: &str) -> bool {
    let width = svg.trim_start_matches("<svg width=\"").split("mm").next().and_then(|width| width.parse::<f64>().ok());
    width.is_some_and(|width| width > 100.0)
}

fn not_ranked(results: &Results) -> Markup {
    let bad: Vec<_> = results.grid.trials().filter(|(_, _, trial)| trial.status != Status::Ok).collect();
    html! {
        h2 #not-ranked { "Cases that are not ranked" }
        @if bad.is_empty() {
            p { "Every finished case is ok." }
        } @else {
            div.wide tabindex="0" role="region" aria-label="Cases that are not ranked" {
                table {
                    thead { tr { th scope="col" { "case" } th scope="col" { "status" } th scope="col" { "reason" } } }
                    tbody {
                        @for (_, _, trial) in bad {
                            tr { th scope="row" { (trial.case) } td.bad { (trial.status) } td.text { (trial.note) } }
                        }
                    }
                }
            }
        }
    }
}

fn gaps(results: &Results) -> Markup {
    html! {
        @if !results.gaps.is_empty() {
            h2 #missing { "Numbers that are missing" }
            ul { @for gap in &results.gaps { li { (gap) } } }
        }
    }
}

fn provenance(results: &Results) -> Markup {
    let info = &results.info;
    let machine = &info.machine;
    html! {
        h2 #provenance { "What was run" }
        dl {
            dt { "Run" } dd { (info.run) }
            dt { "Suite" } dd { (info.suite) }
            dt { "Started" } dd { (info.started) }
            dt { "bakeoff" } dd { (info.version) ", commit " (info.commit) }
            dt { "Compiler" } dd { (info.toolchain) }
            dt { "Machine" } dd { (machine.cpu) ", " (count(machine.cpus, "processor")) ", " (si(machine.memory_bytes as f64, "B")) " of memory, " (machine.os) ", " (machine.arch) " (fingerprint " (machine.fingerprint) ")" }
            dt { "Energy" } dd { (info.energy) }
            @for (library, version) in &info.libraries { dt { (library) } dd { (version) } }
        }
        h3 { "Reproduce and cite" }
        pre { (reproduce(info)) }
        p {
            "Cite the program with its version and commit, the run by its name (" (info.run) "), and the datasets by "
            "their own papers. Costs are comparable only with runs of the same machine fingerprint."
        }
        details {
            summary { "Checksums of the data (" (count(info.datasets.len(), "file")) ")" }
            div.wide { table {
                thead { tr { th scope="col" { "file" } th scope="col" { "sha256" } } }
                tbody { @for (file, sum) in &info.datasets { tr { th scope="row" { (file) } td { code { (sum) } } } } }
            } }
        }
        details { summary { "The suite as resolved" } pre { (info.suite_toml) } }
    }
}

fn parameters(results: &Results) -> Markup {
    html! {
        h2 #parameters { "Parameters of each case" }
        details open[results.grid.trials().count() <= 30] {
            summary { (count(results.grid.trials().count(), "case")) }
            div.wide tabindex="0" role="region" aria-label="Parameters" {
                table {
                    thead { tr { th scope="col" { "case" } th scope="col" { "model" } th scope="col" { "parameters" } } }
                    tbody {
                        @for (_, _, trial) in results.grid.trials() {
                            tr {
                                th scope="row" { (trial.case) }
                                td { (trial.model) ", " (trial.model_version) }
                                td.text { (trial.params) }
                            }
                        }
                    }
                }
            }
        }
    }
}
