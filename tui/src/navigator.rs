//! A layer for MITRE's ATT&CK Navigator, which shows the matrix with the techniques that rules or an incident tell of. The format is
//! version 4.5 of <https://github.com/mitre-attack/attack-navigator/blob/master/layers/LAYERFORMATv4_5.md>.

use std::collections::BTreeMap;

use lanner_core::detect::Tactic;
use lanner_core::detect::rules::RuleSet;
use serde::Serialize;

/// A layer.
#[derive(Debug, Serialize)]
#[serde(rename_all = "camelCase")]
pub(crate) struct Layer {
    name: String,
    versions: Versions,
    domain: &'static str,
    description: String,
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
    /// By how much it is coloured.
    score: usize,
    /// What tells of it.
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

/// Something to be told of a technique.
pub(crate) struct Told<'a> {
    pub(crate) tactic: Tactic,
    /// ATT&CK's id; empty: it has no place there.
    pub(crate) technique: &'a str,
    /// What is told, in a few words.
    pub(crate) words: &'a str,
    /// How much it counts.
    pub(crate) score: usize,
}

impl Layer {
    /// A layer that colours techniques by the sum of their scores.
    pub(crate) fn new<'a>(name: String, description: String, told: impl Iterator<Item = Told<'a>>) -> Layer {
        let mut by: BTreeMap<(Tactic, &str), (usize, Vec<&str>)> = BTreeMap::new();
        for told in told.filter(|told| !told.technique.is_empty()) {
            let (score, words) = by.entry((told.tactic, told.technique)).or_default();
            *score += told.score;
            words.push(told.words);
        }
        let technique = |((tactic, id), (score, words)): ((Tactic, &str), (usize, Vec<&str>))| Technique {
            technique_id: id.to_owned(),
            tactic: tactic.id(),
            score,
            comment: words.join("; "),
            enabled: true,
            show_subtechniques: true,
        };
        let techniques: Vec<Technique> = by.into_iter().map(technique).collect();
        let most = techniques.iter().map(|technique| technique.score).max().unwrap_or(1);
        Layer {
            name,
            versions: Versions { attack: "17", navigator: "5.1.0", layer: "4.5" },
            domain: "enterprise-attack",
            description,
            techniques,
            gradient: Gradient { colors: ["#d6e6f4", "#1b6aa5"], min_value: 0, max_value: most },
            show_tactic_row_background: false,
            select_techniques_across_tactics: false,
            select_subtechniques_with_parent: false,
        }
    }

    /// The layer of the rules that work and have a place in ATT&CK.
    pub(crate) fn of_rules(rules: &RuleSet) -> Layer {
        let told = rules.rules.iter().filter_map(|rule| {
            Some(Told { tactic: rule.tactic?, technique: &rule.technique, words: &rule.name, score: 1 })
        });
        let description = "Techniques that the rules of Lanner tell of. A score is the number of rules.";
        Layer::new("Lanner".to_owned(), description.to_owned(), told)
    }
}
