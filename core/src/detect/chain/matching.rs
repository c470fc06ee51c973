//! The best way to see a chain in an incident: all required steps, then as many as can be.

use super::relation::Relation;
use super::{Chain, ChainStep, Scene, Shape};
use crate::detect::{ChainMatch, FoundStep, Occurrence, Stage};
use crate::graph::Graph;

/// What a search may cost: a step tried costs one, a relation looked at as much as there are links. What is best when it is
/// spent is taken, so that a forged incident cannot stop the engine; the order is fixed, so that a replay takes the same.
const BUDGET: usize = 20_000;
/// Times of stages that one step is tried with, the earliest.
const MAX_CANDIDATES: usize = 64;

/// For each step of a chain the place in [`Scene::times`] at which it is seen.
type Chosen = Vec<Option<usize>>;

/// The chain that an incident follows best: all of its required steps are there, as they hang together, and most of the
/// others. On a tie the one of which less is missing, then the one that was loaded first.
pub(in crate::detect) fn best(chains: &[Chain], scene: &Scene<'_>, graph: &Graph) -> Option<ChainMatch> {
    let mut best: Option<(&Chain, Chosen)> = None;
    let mut most = (0, 0);
    for chain in chains {
        let Some(chosen) = Search::new(chain, scene).and_then(Search::run) else { continue };
        let found = chosen.iter().flatten().count();
        let rank = (found, usize::MAX - positive(chain).count());
        if rank > most {
            (best, most) = (Some((chain, chosen)), rank);
        }
    }
    let (chain, chosen) = best?;
    let parts: Vec<FoundStep> = positive(chain)
        .map(|(i, step)| FoundStep {
            step: step.name.clone(),
            required: step.required,
            stage: chosen[i].map(|at| scene.times[at].0),
            event: chosen[i].map(|at| scene.time(at).event),
        })
        .collect();
    Some(ChainMatch {
        name: chain.name.clone(),
        found: chosen.iter().flatten().count(),
        steps: parts.len(),
        parts,
        story: chain.story.tell(chain, scene, &chosen, graph),
    })
}

fn positive(chain: &Chain) -> impl Iterator<Item = (usize, &ChainStep)> {
    chain.steps.iter().enumerate().filter(|(_, step)| !step.absent)
}

struct Search<'a> {
    chain: &'a Chain,
    scene: &'a Scene<'a>,
    /// For each step the times that have its shape.
    candidates: Vec<Vec<usize>>,
    /// How many steps from each one on have any.
    ahead: Vec<usize>,
    budget: usize,
    best: Option<(usize, Chosen)>,
}

impl<'a> Search<'a> {
    /// `None` when a required step is nowhere.
    fn new(chain: &'a Chain, scene: &'a Scene<'a>) -> Option<Search<'a>> {
        // Mostly a stage is missing, and no time need be looked at.
        let may_be = |step: &ChainStep| scene.stages.iter().map(|stage| step.may_be(stage)).collect::<Vec<bool>>();
        let stages: Vec<Vec<bool>> = chain.steps.iter().map(may_be).collect();
        if chain.steps.iter().zip(&stages).any(|(step, stages)| step.required && !stages.contains(&true)) {
            return None;
        }
        let fits = |(step, stages): (&ChainStep, &Vec<bool>)| {
            let times = (0..scene.times.len()).filter(|at| stages[scene.times[*at].0]);
            let times = times.filter(|at| step.is(scene.stage(*at), scene.time(*at)));
            times.take(MAX_CANDIDATES).collect::<Vec<usize>>()
        };
        let candidates: Vec<Vec<usize>> = chain.steps.iter().zip(&stages).map(fits).collect();
        if chain.steps.iter().zip(&candidates).any(|(step, c)| step.required && c.is_empty()) {
            return None;
        }
        let mut ahead = vec![0; chain.steps.len() + 1];
        for (i, step) in chain.steps.iter().enumerate().rev() {
            ahead[i] = ahead[i + 1] + usize::from(!step.absent && !candidates[i].is_empty());
        }
        Some(Search { chain, scene, candidates, ahead, budget: BUDGET, best: None })
    }

    fn run(mut self) -> Option<Chosen> {
        let mut chosen = vec![None; self.chain.steps.len()];
        self.step(0, None, 0, &mut chosen);
        self.best.map(|(_, chosen)| chosen)
    }

    /// Tries what may be step `i`, after the time at `last`.
    fn step(&mut self, i: usize, last: Option<usize>, found: usize, chosen: &mut Chosen) {
        let enough = self.best.as_ref().map(|(most, _)| *most);
        if self.budget == 0 || enough.is_some_and(|most| found + self.ahead[i] <= most) {
            return;
        }
        self.budget -= 1;
        let Some(step) = self.chain.steps.get(i) else {
            if !self.spoiled(chosen) {
                self.best = Some((found, chosen.clone()));
            }
            return;
        };
        if !step.absent {
            for n in 0..self.candidates[i].len() {
                let at = self.candidates[i][n];
                let in_order = step.anytime || last.is_none_or(|last| at > last);
                if !in_order || self.is_taken(at, chosen) || !self.related(step, at, chosen) {
                    continue;
                }
                chosen[i] = Some(at);
                let last = if step.anytime { last } else { Some(at) };
                self.step(i + 1, last, found + 1, chosen);
                chosen[i] = None;
            }
        }
        if !step.required {
            self.step(i + 1, last, found, chosen);
        }
    }

    /// Whether a stage is a step already. One stage is one step.
    fn is_taken(&self, at: usize, chosen: &[Option<usize>]) -> bool {
        let stage = self.scene.times[at].0;
        chosen.iter().flatten().any(|c| self.scene.times[*c].0 == stage)
    }

    fn related(&mut self, step: &ChainStep, at: usize, chosen: &[Option<usize>]) -> bool {
        self.budget = self.budget.saturating_sub(step.with.len() * (1 + self.scene.ties.len()));
        step.with.iter().all(|relation| holds(relation, self.scene, at, chosen).unwrap_or(true))
    }

    /// Whether something followed that must not have.
    fn spoiled(&mut self, chosen: &[Option<usize>]) -> bool {
        for (i, step) in self.chain.steps.iter().enumerate().filter(|(_, step)| step.absent) {
            let after = chosen[..i].iter().rev().find_map(|c| *c);
            for n in 0..self.candidates[i].len() {
                let at = self.candidates[i][n];
                let follows = after.is_none_or(|after| at > after) && !self.is_taken(at, chosen);
                if follows && self.related(step, at, chosen) {
                    return true;
                }
            }
        }
        false
    }
}

/// Whether a relation of the step that is seen at `at` holds; `None` when it leads to what was not seen.
pub(super) fn holds(relation: &Relation, scene: &Scene<'_>, at: usize, chosen: &[Option<usize>]) -> Option<bool> {
    match relation {
        Relation::To(kind, step) => chosen[*step].map(|that| scene.holds(*kind, at, that)),
        Relation::Within(most, step) => {
            chosen[*step].map(|that| scene.time(at).time.since(scene.time(that).time) <= *most)
        }
        Relation::Any(relations) => {
            let known: Vec<bool> = relations.iter().filter_map(|r| holds(r, scene, at, chosen)).collect();
            (!known.is_empty()).then(|| known.contains(&true))
        }
    }
}

impl ChainStep {
    /// Whether a stage may be it, as far as that does not depend on the time.
    fn may_be(&self, stage: &Stage) -> bool {
        self.shape.may_be(stage) && (self.any.is_empty() || self.any.iter().any(|shape| shape.may_be(stage)))
    }

    fn is(&self, stage: &Stage, time: &Occurrence) -> bool {
        self.shape.is(stage, time) && (self.any.is_empty() || self.any.iter().any(|shape| shape.is(stage, time)))
    }
}

impl Shape {
    fn is(&self, stage: &Stage, time: &Occurrence) -> bool {
        let link = || stage.link.iter().chain(&time.link).map(|link| link.kind);
        self.may_be(stage) && self.link.is_none_or(|kind| link().any(|k| k == kind))
    }

    fn may_be(&self, stage: &Stage) -> bool {
        let is_technique = |id: &String| {
            stage.technique.strip_prefix(id.as_str()).is_some_and(|rest| rest.is_empty() || rest.starts_with('.'))
        };
        self.tactic.is_none_or(|t| t == stage.tactic)
            && (self.techniques.is_empty() || self.techniques.iter().any(is_technique))
            && (self.rules.is_empty() || self.rules.contains(&stage.signal))
    }
}
