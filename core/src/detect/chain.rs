//! Chain files: known stories, as ordered steps that an incident's stages are held against.

use serde::Deserialize;

use super::{ChainMatch, LinkKind, Stage, Tactic};

/// A known story.
#[derive(Debug, Clone, PartialEq, Eq, Deserialize)]
#[serde(deny_unknown_fields)]
pub struct Chain {
    /// Its name: what an incident that follows it is called.
    #[serde(rename = "chain")]
    pub name: String,
    /// What happens in it, for a person.
    pub desc: String,
    /// In the order in which they happen.
    pub steps: Vec<ChainStep>,
}

/// One step of a story: a stage that meets all that is said here.
#[derive(Debug, Clone, PartialEq, Eq, Deserialize)]
#[serde(deny_unknown_fields)]
pub struct ChainStep {
    /// Its name in the story.
    pub step: String,
    /// The stage's tactic.
    #[serde(default)]
    pub tactic: Option<Tactic>,
    /// The stage's technique is one of these, or a sub-technique of one; any when empty.
    #[serde(default)]
    pub techniques: Vec<String>,
    /// How the stage is linked to an earlier one.
    #[serde(default)]
    pub link: Option<LinkKind>,
    /// Without it the story is another one.
    #[serde(default)]
    pub required: bool,
}

/// A chain file that cannot be used.
#[derive(Debug, Clone, PartialEq, Eq, thiserror::Error)]
#[error("{file}: {problem}")]
pub struct ChainError {
    /// The file.
    pub file: String,
    /// What is wrong, and where.
    pub problem: String,
}

/// Reads a chain file: a YAML list of chains.
///
/// # Errors
/// When it is no such list, has keys that are not known, or a chain that nothing could tell from others.
pub fn load(file: &str, text: &str) -> Result<Vec<Chain>, ChainError> {
    let fail = |problem: String| ChainError { file: file.to_owned(), problem };
    let chains: Vec<Chain> = serde_saphyr::from_str(text).map_err(|e| fail(e.to_string()))?;
    for chain in &chains {
        if !chain.steps.iter().any(|s| s.required) {
            return Err(fail(format!("chain {:?} has no required step, so that anything would match it", chain.name)));
        }
        if let Some(step) = chain.steps.iter().find(|s| s.tactic.is_none() && s.techniques.is_empty()) {
            let (chain, step) = (&chain.name, &step.step);
            return Err(fail(format!("chain {chain:?}, step {step:?}: give it a tactic, techniques or both")));
        }
    }
    Ok(chains)
}

/// The chain that stages follow best: all of its required steps are there, in order, and most of the others.
pub fn best(chains: &[Chain], stages: &[Stage]) -> Option<ChainMatch> {
    let matches = chains.iter().filter_map(|chain| {
        let needed = chain.steps.iter().filter(|s| s.required).count();
        let (required, found) = longest(&chain.steps, stages);
        (required == needed).then(|| ChainMatch { name: chain.name.clone(), found, steps: chain.steps.len() })
    });
    // On a tie the chain that was loaded first.
    matches.reduce(|best, next| if next.found > best.found { next } else { best })
}

/// The most required steps, and with them the most steps at all, that stages show in order: a longest common
/// subsequence.
fn longest(steps: &[ChainStep], stages: &[Stage]) -> (usize, usize) {
    let mut row = vec![(0, 0); stages.len() + 1];
    for step in steps {
        let mut next = vec![(0, 0); stages.len() + 1];
        for (i, stage) in stages.iter().enumerate() {
            let mut best = row[i + 1].max(next[i]);
            if step.accepts(stage) {
                let (required, found) = row[i];
                best = best.max((required + usize::from(step.required), found + 1));
            }
            next[i + 1] = best;
        }
        row = next;
    }
    row.last().copied().unwrap_or_default()
}

impl ChainStep {
    fn accepts(&self, stage: &Stage) -> bool {
        let is_technique = |id: &String| {
            stage.technique.strip_prefix(id.as_str()).is_some_and(|rest| rest.is_empty() || rest.starts_with('.'))
        };
        self.tactic.is_none_or(|t| t == stage.tactic)
            && (self.techniques.is_empty() || self.techniques.iter().any(is_technique))
            && self.link.is_none_or(|kind| stage.link.as_ref().is_some_and(|link| link.kind == kind))
    }
}
