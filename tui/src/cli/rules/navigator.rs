//! A layer for MITRE's ATT&CK Navigator, which shows the matrix with the techniques that rules tell of. The format is
//! version 4.5 of <https://github.com/mitre-attack/attack-navigator/blob/master/layers/LAYERFORMATv4_5.md>.

use std::collections::BTreeMap;

use lanner_core::detect::Tactic;
use lanner_core::detect::rules::RuleSet;
use serde::Serialize;

/// A layer.
#[derive(Debug, Serialize)]
#[serde(rename_all = "camelCase")]
pub(super) struct Layer {
    name: &'static str,
    versions: Versions,
    domain: &'static str,
    description: &'static str,
    techniques: Vec<Technique>,
    gradient: Gradient,
    show_tactic_row_background: bool,
    select_techniques_across_tactics: bool,
    select_subtechniques_with_parent: bool,
}

#[derive(Debug, Serialize)]
struct Versions {
    attack: &'static str,
    navigator: &'static str,
    layer: &'static str,
}

#[derive(Debug, Serialize)]
#[serde(rename_all = "camelCase")]
struct Technique {
    #[serde(rename = "techniqueID")]
    technique_id: String,
    tactic: &'static str,
    /// How many rules tell of it.
    score: usize,
    /// Their names.
    comment: String,
    enabled: bool,
    /// Parents of techniques with a score are shown unfolded.
    show_subtechniques: bool,
}

#[derive(Debug, Serialize)]
#[serde(rename_all = "camelCase")]
struct Gradient {
    colors: [&'static str; 2],
    min_value: usize,
    max_value: usize,
}

/// The layer of the rules that work and have a place in ATT&CK.
pub(super) fn layer(rules: &RuleSet) -> Layer {
    let mut told: BTreeMap<(Tactic, &str), Vec<&str>> = BTreeMap::new();
    for rule in rules.rules.iter().filter(|rule| !rule.technique.is_empty()) {
        if let Some(tactic) = rule.tactic {
            told.entry((tactic, &rule.technique)).or_default().push(&rule.name);
        }
    }
    let techniques: Vec<Technique> = told
        .into_iter()
        .map(|((tactic, id), names)| Technique {
            technique_id: id.to_owned(),
            tactic: tactic.id(),
            score: names.len(),
            comment: names.join("; "),
            enabled: true,
            show_subtechniques: true,
        })
        .collect();
    let most = techniques.iter().map(|technique| technique.score).max().unwrap_or(1);
    Layer {
        name: "Lanner",
        versions: Versions { attack: "17", navigator: "5.1.0", layer: "4.5" },
        domain: "enterprise-attack",
        description: "Techniques that the rules of Lanner tell of. A score is the number of rules.",
        techniques,
        gradient: Gradient { colors: ["#d6e6f4", "#1b6aa5"], min_value: 0, max_value: most },
        show_tactic_row_background: false,
        select_techniques_across_tactics: false,
        select_subtechniques_with_parent: false,
    }
}
