//! The files for a paper: tables and figures that it can include, the works that it must cite, and a document that compiles as it is.

mod captions;

use std::collections::HashSet;
use std::fmt::Write;

use crate::cell::named_source;
use crate::citations::{bibtex, cite_method};
use crate::claims::verdicts;
use crate::crossovers::crossover_table;
use crate::extra_tables::ExtraTable;
use crate::figures::Picture;
use crate::format::{count, p_value, significant};
use crate::methods::Method;
use crate::over_tasks::OverTasks;
use crate::results::Results;
use crate::sections::sections;
use crate::table::{CellKind, Emphasis, Table, TableCell, TableColumn, latex, latex_escape as escape};

use captions::{conditions, of_figures, of_pairs, of_setting};

/// How wide the pictures of a paper are.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Columns {
    /// As one of two columns.
    One,
    /// As both.
    Both,
}

/// The files of a paper, each as its name and its text.
pub fn paper_files(results: &Results, pictures: &[Picture], columns: Columns) -> [(&'static str, String); 4] {
    let tables = tables(results);
    let floats = tables.matches("\\begin{table").count() + pictures.len();
    [
        ("tables.tex", tables),
        ("figures.tex", figures(results, pictures, columns)),
        ("references.bib", bibtex(results)),
        ("paper.tex", paper(results, floats)),
    ]
}

/// The document: what it needs is in every LaTeX distribution.
fn paper(results: &Results, floats: usize) -> String {
    let info = &results.info;
    let dirty = if info.commit.ends_with("-dirty") { ", with changes that are in no commit" } else { "" };
    format!(
        "% Compile: pdflatex paper && bibtex paper && pdflatex paper && pdflatex paper\n\
         \\documentclass[10pt,twocolumn,letterpaper]{{article}}\n\
         \\usepackage[utf8]{{inputenc}}\n\
         \\usepackage{{textcomp}}\n\
         \\usepackage{{array}}\n\
         \\usepackage{{booktabs}}\n\
         \\usepackage{{graphicx}}\n\
         \\usepackage[textwidth=7in,textheight=9.2in,columnsep=0.3in]{{geometry}}\n\
         % LaTeX stops at about 50 figures and tables that wait for their page.\n\
         \\extrafloats{{{}}}\n\
         % There is no text between them, at which LaTeX gives up otherwise.\n\
         \\maxdeadcycles=1000\n\
         \\title{{{}: {}}}\n\
         \\author{{bakeoff {}}}\n\
         \\date{{{}}}\n\n\
         \\begin{{document}}\n\
         \\maketitle\n\n\
         \\noindent {} The run began on {} on {} ({}). bakeoff {} was built from commit \\texttt{{{}}}{dirty}. Energy: {}.\n\n\
         \\input{{tables}}\n\
         \\input{{figures}}\n\n\
         % Also the works that only the models and the data stand on.\n\
         \\nocite{{*}}\n\
         \\sloppy\n\
         \\bibliographystyle{{plain}}\n\
         \\bibliography{{references}}\n\
         \\end{{document}}\n",
        floats + 50,
        escape(&info.suite),
        escape(&info.run),
        escape(&info.version),
        escape(info.started.split('T').next().unwrap_or_default()),
        escape(&crate::sections::sentence(&info.about)),
        escape(&info.started),
        escape(&info.machine.cpu),
        count(info.machine.cpus, "processor"),
        escape(&info.version),
        escape(info.commit.trim_end_matches("-dirty")),
        escape(&named_source(&info.energy)),
    )
}

/// Every table of the paper: a setting and its pairs, ranks over settings, crossovers, verdicts.
fn tables(results: &Results) -> String {
    let mut text =
        "% \\input this file. It needs \\usepackage{array}, booktabs and textcomp, and cites references.bib.\n"
            .to_owned();
    let mut labels = Labels::default();
    for (section, ranking) in sections(results).into_iter().zip(&results.rankings) {
        let slug = labels.unique(&section.title);
        write_table(&mut text, &section.table.without_details(), &of_setting(results, ranking), &slug);
        if let Some(pairs) = &section.pairs {
            let about = of_pairs(results, ranking, &format!("tab:{slug}"));
            write_table(&mut text, &pairs.without_details(), &about, &format!("{slug}-pairs"));
        }
    }
    if let Some((table, about)) = ranks(results) {
        write_table(&mut text, &table, &about, "bakeoff-ranks");
    }
    if let Some(ExtraTable { table, rule, .. }) = crossover_table(results) {
        write_table(
            &mut text,
            &table,
            &format!("{}{}", escape(&rule), cite_method(Method::Crossover)),
            "bakeoff-crossovers",
        );
    }
    if let Some((claims, findings)) = verdicts(results) {
        let about = "Verdicts on the claims. A claim is supported if all comparisons of its rule come out as claimed, refuted if one \
            comes out the other way, and undecided otherwise";
        let rule = format!(
            "{about} ($p < 0.05$; a refutation by Holm's method{}). The rules were written before the run.",
            cite_method(Method::Holm)
        );
        write_table(&mut text, &claims.without_details(), &rule, "bakeoff-claims");
        let about = "The comparisons behind Table~\\ref{tab:bakeoff-claims}. Brackets have 95\\,\\% intervals; $p$ is not adjusted.";
        write_table(&mut text, &findings.without_details(), about, "bakeoff-comparisons");
    }
    text
}

/// Mean ranks over the tasks of the run, and what the table says; `None` for fewer than two tasks or models.
fn ranks(results: &Results) -> Option<(Table, String)> {
    let over = OverTasks::new(results)?;
    let columns = vec![TableColumn::new("model", CellKind::Name), TableColumn::new("mean rank", CellKind::Number)];
    let mut table = Table::new("Mean ranks over tasks", columns);
    for (label, rank) in over.labels.iter().zip(&over.mean_ranks) {
        let name = TableCell::Text(results.grid.labels[*label].clone());
        table.push(Emphasis::Plain, vec![name, TableCell::Number(*rank)]);
    }
    let p = p_value(over.friedman.f.as_ref().unwrap_or(&over.friedman.chi_square).p);
    let about = format!(
        "Mean ranks over {}; 1 is the best. Friedman's test of equal models has ${p}$; Nemenyi's critical difference is {}{}. \
         With few tasks, such tests rarely tell models apart.",
        count(over.settings.len(), "task"),
        significant(over.critical_difference, 3),
        cite_method(Method::Ranks),
    );
    Some((table, about))
}

/// Writes a float for each part of the table. Tables span both columns.
fn write_table(text: &mut String, table: &Table, caption: &str, slug: &str) {
    for (part, tabular) in latex(table).iter().enumerate() {
        let (caption, label) = match part {
            0 => (format!("\\caption{{{caption}}}"), format!("\\label{{tab:{slug}}}")),
            _ => (
                format!("\\caption{{Table~\\ref{{tab:{slug}}} continued.}}"),
                format!("\\label{{tab:{slug}-{}}}", part + 1),
            ),
        };
        let _ = write!(
            text,
            "\n\\begin{{table*}}[tp]\n\\centering\n{caption}\n{label}\n\\smallskip\n{tabular}\\end{{table*}}\n"
        );
    }
}

/// A float for each picture, which is included at its own width.
fn figures(results: &Results, pictures: &[Picture], columns: Columns) -> String {
    let float = match columns {
        Columns::One => "figure",
        Columns::Both => "figure*",
    };
    let mut text = "% \\input this file. It needs \\usepackage{graphicx} and textcomp, and cites references.bib. Where the pictures are not\n\
        % beside the document, say where: \\graphicspath{{path/of/this/folder/}}\n"
        .to_owned();
    let conditions = conditions(results);
    for picture in pictures {
        let _ = write!(
            text,
            "\n\\begin{{{float}}}[tp]\n\\centering\n\\includegraphics[width=\\linewidth,height=0.6\\textheight,keepaspectratio]{{{}.pdf}}\n\\caption[{}]{{{}}}\n\\label{{fig:bakeoff-{}}}\n\\end{{{float}}}\n",
            picture.name,
            escape(&picture.title),
            of_figures(picture, &conditions),
            picture.name,
        );
    }
    text
}

/// Labels of floats: of letters, digits and hyphens, each once.
#[derive(Default)]
struct Labels(HashSet<String>);

impl Labels {
    fn unique(&mut self, title: &str) -> String {
        let plain =
            title.to_lowercase().chars().map(|c| if c.is_ascii_alphanumeric() { c } else { ' ' }).collect::<String>();
        let slug = format!("bakeoff-{}", plain.split_whitespace().collect::<Vec<_>>().join("-"));
        let mut label = slug.clone();
        let mut number = 2;
        while !self.0.insert(label.clone()) {
            label = format!("{slug}-{number}");
            number += 1;
        }
        label
    }
}
