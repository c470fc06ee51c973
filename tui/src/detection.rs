//! The detection content that this program runs with.

use anyhow::{Context, bail};
use lanner_core::condition::Filter;
use lanner_core::detect::chain::{self, Chain};
use lanner_core::detect::rules::RuleSet;
use lanner_core::engine::Engine;

use crate::source::SourceError;

/// An engine with the built-in rules and chains.
pub fn engine() -> anyhow::Result<Engine> {
    let rules = RuleSet::load(lanner_rules::RULES);
    if let Some(problem) = rules.errors.first() {
        bail!("a built-in rule file does not load: {problem}");
    }
    let mut chains: Vec<Chain> = Vec::new();
    for (file, text) in lanner_rules::CHAINS {
        chains.extend(chain::load(file, text).context("a built-in chain file does not load")?);
    }
    Ok(Engine::new(rules, chains))
}

/// A filter from the command line.
pub fn filter(text: Option<&str>) -> Result<Option<Filter>, SourceError> {
    let parse = |text: &str| Filter::parse(text).map_err(|e| SourceError::Usage(e.render("--filter")));
    text.map(parse).transpose()
}
