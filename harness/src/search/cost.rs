//! What the fits of search trials cost, and whether a budget is used up.

use bakeoff_reports::named_source;

use super::TrialResult;
use crate::budget::Budget;

/// What is said of a sum that lacks the fits that were cut off.
fn without(begun: &[&TrialResult]) -> String {
    match begun.iter().filter(|trial| trial.fit_s.is_none()).count() {
        0 => String::new(),
        1 => "without 1 search trial whose fit was cut off".to_owned(),
        count => format!("without {count} search trials whose fit was cut off"),
    }
}

/// Seconds of all fits, and what they lack.
pub(super) fn seconds(begun: &[&TrialResult]) -> (Option<f64>, String) {
    let fits: Vec<f64> = begun.iter().filter_map(|trial| trial.fit_s).collect();
    ((!fits.is_empty()).then(|| fits.iter().sum()), without(begun))
}

/// Joules of all fits, their source, and what they lack. Joules of two sources are not added up.
pub(super) fn joules(begun: &[&TrialResult]) -> (Option<f64>, String, String) {
    let mut sum = 0.0;
    let mut first_source: Option<&str> = None;
    for trial in begun.iter().filter(|trial| trial.fit_s.is_some()) {
        match &trial.energy {
            Err(reason) => return (None, String::new(), reason.clone()),
            Ok((_, source)) if first_source.is_some_and(|first| first != source) => {
                return (None, String::new(), "the joules of the search trials are of two sources".to_owned());
            }
            Ok((joules, source)) => {
                sum += joules;
                first_source = Some(source);
            }
        }
    }
    (first_source.map(|_| sum), first_source.unwrap_or_default().to_owned(), without(begun))
}

/// Why no further search trial begins, if the fits of those that have begun have used up the budget. Nothing is known of
/// the joules of a fit that was cut off. Its seconds are taken from the wall time of its case.
pub(super) fn used_up(budget: Budget, begun: &[&TrialResult]) -> Option<String> {
    let (used, most, unit, source) = match budget {
        Budget::Seconds(most) => {
            let used = begun.iter().filter_map(|trial| trial.fit_s.or(trial.wall_s)).sum::<f64>();
            (used, most, "s", String::new())
        }
        Budget::Joules(most) => {
            let (sum, source, reason) = joules(begun);
            if sum.is_none() && !reason.is_empty() && begun.iter().any(|trial| trial.fit_s.is_some()) {
                return Some(format!("the budget of {budget} cannot be kept without joules: {reason}"));
            }
            (sum.unwrap_or(0.0), most, "J", format!(", source {}", named_source(&source)))
        }
    };
    let fits = if begun.len() == 1 { "the fit of the search trial" } else { "the fits of the search trials" };
    (used >= most).then(|| format!("{fits} before this one used {used:.3} {unit} of the budget of {budget}{source}"))
}

#[cfg(test)]
mod tests {
    use bakeoff_models::Resolved;
    use bakeoff_reports::Status;

    use super::*;

    fn trial(fit_s: Option<f64>, energy: Result<(f64, &str), &str>) -> TrialResult {
        let params: Resolved = serde_json::from_str("{}").expect("no parameters are parameters");
        let energy = energy.map(|(joules, source)| (joules, source.to_owned())).map_err(str::to_owned);
        TrialResult { params, status: Status::Ok, note: String::new(), score: None, fit_s, energy, wall_s: Some(9.0) }
    }

    #[test]
    fn costs_are_summed_and_say_what_they_lack() {
        let trials = [trial(Some(1.5), Ok((10.0, "rapl"))), trial(None, Err("")), trial(Some(2.0), Ok((5.0, "rapl")))];
        let all: Vec<&TrialResult> = trials.iter().collect();
        let lacking = "without 1 search trial whose fit was cut off";
        assert_eq!(seconds(&all), (Some(3.5), lacking.to_owned()));
        assert_eq!(joules(&all), (Some(15.0), "rapl".to_owned(), lacking.to_owned()));
        assert_eq!(seconds(&all[1..2]), (None, lacking.to_owned()));
    }

    #[test]
    fn joules_of_two_sources_or_with_a_gap_are_not_added_up() {
        let [rapl, estimate] = ["rapl", "estimate"].map(|source| trial(Some(1.0), Ok((10.0, source))));
        let gap = trial(Some(1.0), Err("no meter is readable"));
        let (sum, _, reason) = joules(&[&rapl, &estimate]);
        assert_eq!((sum, reason.as_str()), (None, "the joules of the search trials are of two sources"));
        assert_eq!(joules(&[&rapl, &gap]), (None, String::new(), "no meter is readable".to_owned()));
    }

    #[test]
    fn a_budget_is_used_up_by_fits_and_by_the_wall_time_of_those_that_were_cut_off() {
        let [whole, cut_off] = [trial(Some(2.0), Ok((10.0, "estimate"))), trial(None, Err(""))];
        assert_eq!(used_up(Budget::Seconds(3.0), &[&whole]), None);
        let said = used_up(Budget::Seconds(2.0), &[&whole]).expect("two of two seconds are used");
        assert_eq!(said, "the fit of the search trial before this one used 2.000 s of the budget of 2s");
        assert!(used_up(Budget::Seconds(11.0), &[&whole, &cut_off]).is_some());
        assert_eq!(used_up(Budget::Joules(10.5), &[&whole, &cut_off]), None);
        let said = used_up(Budget::Joules(10.0), &[&whole, &cut_off]).expect("ten of ten joules are used");
        assert!(said.ends_with("used 10.000 J of the budget of 10J, source estimate ± 40 %"), "{said}");
    }

    #[test]
    fn a_budget_in_joules_ends_where_there_are_no_joules() {
        let gap = trial(Some(1.0), Err("no meter is readable"));
        let said = used_up(Budget::Joules(1e9), &[&gap]);
        let expected = "the budget of 1000000000J cannot be kept without joules: no meter is readable";
        assert_eq!(said.as_deref(), Some(expected));
    }
}
