//! Verdicts on claims.
#![expect(clippy::unwrap_used, reason = "tests")]

use bakeoff_reports::claims;

#[test]
fn every_claim_of_the_documents_has_a_rule_and_says_what_will_measure_it() {
    let claims = claims();
    let ids: Vec<String> = (1..=21).map(|n| format!("C{n:02}")).collect();
    assert_eq!(claims.iter().map(|claim| claim.id.clone()).collect::<Vec<_>>(), ids);
    for claim in &claims {
        assert_eq!(claim.suites.is_empty(), !claim.waits_for.is_empty(), "{}", claim.id);
        assert!(!claim.reading.is_empty() && !claim.document.is_empty(), "{}", claim.id);
        assert!(claim.suites.is_empty() || !claim.parts.is_empty(), "{}", claim.id);
    }
    assert!(claims.first().unwrap().most.is_some());
}
