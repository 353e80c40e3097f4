//! A user's own claims: the form of `claims.toml`, with errors that say where and what was expected.
#![expect(clippy::unwrap_used, reason = "tests")]

use std::path::Path;

use bakeoff_reports::{Claim, KnownNames, claims, read_claims};

const SUITES: &[&str] = &[
    "quick",
    "claims-quick",
    "claims",
    "pretrained",
    "hybrids",
    "generative",
    "compress",
    "threads",
    "devices-quick",
    "devices",
    "sequence-length",
];

fn read_with(text: &str, tasks: &[&str], models: &[&str]) -> Result<Vec<Claim>, String> {
    let names = |names: &[&str]| names.iter().map(|name| (*name).to_owned()).collect();
    let unknown = |kind: &str, name: &str, known: &[&str]| format!("unknown {kind} '{name}' ({})", known.join(", "));
    let known = KnownNames { suites: names(SUITES), tasks: names(tasks), models: names(models), unknown };
    read_claims(Path::new("mine.toml"), text, &known).map_err(|error| error.to_string())
}

fn read(text: &str) -> Result<Vec<Claim>, String> {
    read_with(text, &["sst2", "cola", "cifar10-full"], &["svm", "lstm"])
}

/// One claim with this part, which begins on line 8.
fn with_part(part: &str) -> String {
    format!(
        "# Mine\n[[claim]]\nid = \"M1\"\ndocument = \"a talk\"\nclaim = \"so\"\nreading = \"so\"\nsuites = [\"quick\"]\n[[claim.part]]\n{part}\n"
    )
}

#[track_caller]
fn refused(text: &str, parts: &[&str]) {
    let message = read(text).unwrap_err();
    for part in parts {
        assert!(message.contains(part), "'{part}' is not in: {message}");
    }
}

const SIDES: &str = "task = [\"sst2\"]\nfirst = { model = [\"svm\"] }\nis = \"better\"\n";

#[test]
fn own_claims_are_read_in_the_form_of_those_of_the_documents() {
    let claims = read(&with_part(&format!("{SIDES}second = {{ model = [\"lstm\"] }}"))).unwrap();
    assert_eq!(claims.len(), 1);
    assert_eq!(claims[0].parts[0].second.as_ref().unwrap().model, ["lstm"]);
}

#[test]
fn the_claims_of_the_documents_that_a_suite_measures_keep_the_rules_for_own_claims() {
    let text = include_str!("../claims.toml");
    // Claims that wait for a suite have none, so they are left out.
    let kept: Vec<&str> = text.split("[[claim]]").skip(1).filter(|claim| !claim.contains("suites = []")).collect();
    let text = format!("[[claim]]{}", kept.join("[[claim]]"));
    let expected: Vec<Claim> = claims().into_iter().filter(|claim| !claim.suites.is_empty()).collect();
    let parts = || expected.iter().flat_map(|claim| &claim.parts);
    let sides = || parts().flat_map(|part| [Some(&part.first), part.second.as_ref()]).flatten();
    let tasks = parts().flat_map(|part| &part.task).chain(sides().map(|side| &side.task));
    let tasks: Vec<&str> = tasks.map(String::as_str).collect();
    let models: Vec<&str> = sides().flat_map(|side| &side.model).map(String::as_str).collect();
    assert_eq!(read_with(&text, &tasks, &models), Ok(expected.clone()));
}

#[test]
fn an_unknown_suite_is_named_with_its_line_and_the_known_ones() {
    let text = with_part(&format!("{SIDES}value = 0.5")).replace("[\"quick\"]", "[\n\"quick\",\n\"quikc\"]");
    refused(&text, &["mine.toml:9: claim M1: unknown suite 'quikc'", "quick, claims-quick, claims"]);
    refused(&text.replace("[\n\"quick\",\n\"quikc\"]", "[]"), &["mine.toml:7: claim M1 names no suite"]);
}

#[test]
fn an_unknown_task_or_model_is_named_with_its_line_and_the_known_ones() {
    let second = |second: &str| with_part(&format!("{SIDES}second = {{ {second} }}"));
    let good = second("model = [\"lstm\"]");
    refused(
        &good.replace("[\"sst2\"]", "[\"cola\", \"sst-2\"]"),
        &["mine.toml:9: claim M1: unknown task 'sst-2' (sst2, cola, cifar10-full)", "or give a run that has it"],
    );
    refused(&good.replace("\"svm\"", "\"swm\""), &["mine.toml:10: claim M1: unknown model 'swm' (svm, lstm)"]);
    refused(&good.replace("\"lstm\"", "\"lstn\""), &["mine.toml:12: claim M1: unknown model 'lstn'"]);
    refused(&second("task = \"colla\""), &["mine.toml:12: claim M1: unknown task 'colla'"]);
    assert!(read(&second("task = \"cifar10\"")).is_ok(), "cifar10-full answers for it");
    assert!(read(&good).is_ok());
}

#[test]
fn an_unknown_metric_is_named_with_its_line() {
    let text = with_part(&format!("{SIDES}value = 0.5\nmetric = \"acuracy\""));
    refused(&text, &["mine.toml:8: a part of claim M1: unknown metric 'acuracy'", "bakeoff list metrics"]);
}

#[test]
fn a_part_has_exactly_one_right_side() {
    refused(&with_part(SIDES), &["mine.toml:8:", "neither `second` nor `value`"]);
    let both = format!("{SIDES}value = 0.5\nsecond = {{ model = [\"lstm\"] }}");
    refused(&with_part(&both), &["mine.toml:8:", "both `second` and `value`"]);
}

#[test]
fn a_model_is_not_compared_with_itself_at_the_same_place() {
    for second in ["{}", "{ model = [\"svm\"] }", "{ model = [\"svm\"], rows = \"fewest\" }"] {
        refused(&with_part(&format!("{SIDES}second = {second}")), &["both sides are the same", "leave out `model`"]);
    }
    assert!(read(&with_part(&format!("{SIDES}second = {{ rows = \"fewest\" }}"))).is_ok());
    assert!(read(&with_part(&format!("{SIDES}second = {{ task = \"cola\" }}"))).is_ok());
}

#[test]
fn a_number_out_of_range_is_refused_with_what_was_expected() {
    let value = |value: &str, metric: &str| with_part(&format!("{SIDES}value = {value}\nmetric = \"{metric}\""));
    refused(&value("nan", "accuracy"), &["`value` is NaN, expected a finite number"]);
    refused(&value("0.0", "fit_s"), &["`value` is 0, expected a number above 0", "ratios"]);
    refused(&value("-1.0", "fit_s"), &["`value` is -1"]);
    let noise = with_part(&format!("{SIDES}second = {{ label_noise = 40 }}")).replace("40", "40.0");
    refused(&noise, &["`label_noise` is 40, expected a share from 0 to 1"]);
    refused(&value("75.0", "accuracy"), &["mine.toml:8:", "`value` is 75, but accuracy is from 0 to 1"]);
    let most = with_part(&format!("{SIDES}value = 0.5")).replace("suites", "most = 50.0\nsuites");
    refused(&most, &["mine.toml:2: claim M1: `most` is not in 0..1"]);
}

#[test]
fn a_claim_without_a_rule_or_with_the_id_of_another_is_refused() {
    let text = with_part(&format!("{SIDES}value = 0.5"));
    let only = text.split("[[claim.part]]").next().unwrap_or_default().to_owned();
    refused(&only, &["mine.toml:2: claim M1 has no [[claim.part]]"]);
    refused(&format!("{text}{text}"), &["two claims have the id 'M1', expected one each"]);
    refused(
        &with_part("task = []\nfirst = { model = [\"svm\"] }\nis = \"better\"\nvalue = 0.5"),
        &["at least one task"],
    );
}

#[test]
fn text_of_another_form_is_refused_with_its_line() {
    let text = with_part(&format!("{SIDES}value = 0.5"));
    refused(&text.replace("suites", "suite"), &["mine.toml:7:", "suite"]);
    refused(&text.replace("\"better\"", "\"beter\""), &["mine.toml:11:", "beter", "better"]);
    refused(&text.replace("0.5", "\"high\""), &["mine.toml:12:", "high"]);
    refused(&text.replace("id =", "id"), &["mine.toml:3:"]);
    refused("", &["mine.toml:1:", "claim"]);
    let rows = with_part(&format!("{SIDES}second = {{ rows = \"few\" }}"));
    refused(&rows, &["mine.toml:12:", "most", "fewest"]);
}
