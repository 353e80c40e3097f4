//! A tree as rules that people can read.

use std::fmt::Write;

use super::tree::{Decision, Tree};

/// The rules of a tree, a line for each decision and each leaf, indented by their depth. `features` are the names of
/// the features, and `leaf` describes the values of a leaf.
pub(super) fn rules(tree: &Tree, features: &[String], leaf: impl Fn(&[f32]) -> String) -> String {
    /// A node with its depth, or the `else` of a decision of this depth.
    enum Line {
        Node(usize, usize),
        Else(usize),
    }
    let mut text = String::new();
    let mut open = vec![Line::Node(0, 0)];
    while let Some(line) = open.pop() {
        let (depth, words) = match line {
            Line::Else(depth) => (depth, "else:".to_owned()),
            Line::Node(node, depth) => match tree.decision(node) {
                None => (depth, leaf(tree.leaf(node))),
                Some(Decision { feature, threshold, left }) => {
                    open.extend([Line::Node(left + 1, depth + 1), Line::Else(depth), Line::Node(left, depth + 1)]);
                    (depth, format!("if {} <= {threshold}:", features[feature]))
                }
            },
        };
        // Writing to a string cannot fail.
        let _ = writeln!(text, "{:width$}{words}", "", width = 2 * depth);
    }
    text
}

/// The decisions by which a row goes from the root to its leaf, in words, and then the leaf.
pub(super) fn path(
    tree: &Tree,
    features: &[String],
    value: impl Fn(usize) -> f32,
    leaf: impl Fn(&[f32]) -> String,
) -> Vec<String> {
    let mut lines = Vec::new();
    let mut node = 0;
    while let Some(Decision { feature, threshold, left }) = tree.decision(node) {
        let (name, value) = (&features[feature], value(feature));
        let goes_right = value > threshold;
        let sign = if goes_right { ">" } else { "<=" };
        lines.push(format!("{name} {sign} {threshold} (it is {value})"));
        node = left + usize::from(goes_right);
    }
    lines.push(leaf(tree.leaf(node)));
    lines
}

#[cfg(test)]
mod tests {
    use linfa::ParamGuard;
    use ndarray::array;

    use super::super::{ForestParams, Gini, Growth, MaxFeatures};
    use super::*;

    #[test]
    fn a_tree_is_printed_as_nested_rules_with_names() {
        let rows = array![[0.0_f32, 0.0], [0.0, 1.0], [0.0, 1.0], [1.0, 0.0], [1.0, 1.0]];
        let params = ForestParams::default().max_features(MaxFeatures::Share(1.0)).check().expect("they are valid");
        let growth = Growth::<Gini>::new(&params, &rows.view(), &[0, 0, 0, 1, 2], 3).expect("five rows");
        let names = ["wing", "leg"].map(str::to_owned);
        let leaf = |values: &[f32]| ["fish", "bat", "bird"][super::super::most_probable(values)].to_owned();
        let tree = growth.pruned_tree(&rows.view(), 0.0);
        let text = rules(&tree, &names, leaf);
        let path = |row: [f32; 2]| path(&tree, &names, |feature| row[feature], leaf);
        assert_eq!(path([0.0, 1.0]), ["wing <= 0.5 (it is 0)", "fish"]);
        assert_eq!(path([1.0, 1.0]), ["wing > 0.5 (it is 1)", "leg > 0.5 (it is 1)", "bird"]);
        assert_eq!(text, "if wing <= 0.5:\n  fish\nelse:\n  if leg <= 0.5:\n    bat\n  else:\n    bird\n",);
    }
}
