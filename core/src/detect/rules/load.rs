//! Loading rules from several files, of Falco's language or of another one that was translated into it.

use std::sync::Arc;

use super::RuleSet;
use super::place::{Problem, Source, Written};
use super::read::{Definitions, Layer, MAX_PROBLEMS, RuleText};
use super::yaml::Place;

/// Takes in files and rules in order; [`Loader::finish`] makes them a [`RuleSet`].
#[derive(Debug, Default)]
pub struct Loader(Definitions);

/// A rule that was written in another language, translated.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Given {
    /// Its name.
    pub name: String,
    /// What it is about.
    pub desc: String,
    /// When it holds, in Falco's language.
    pub condition: String,
    /// The words of its signals, in Falco's language.
    pub output: String,
    /// Falco's priority.
    pub priority: String,
    /// As Falco's rules have them.
    pub tags: Vec<String>,
    /// The line of the file it was translated from, from 1.
    pub line: usize,
}

impl Loader {
    /// Begins a layer: see [`RuleSet::load_layers`].
    pub fn layer(&mut self) {
        self.0.layers.push(Layer::default());
    }

    /// Takes in a file in Falco's format.
    pub fn file(&mut self, name: &str, text: &str) {
        self.0.file(name, text);
    }

    /// Takes in the rules that were translated from a file.
    pub fn given(&mut self, name: &str, text: &str, rules: Vec<Given>) {
        let source = Arc::new(Source { name: crate::condition::shown(name).into(), text: text.into() });
        for rule in rules {
            let place = place(text, rule.line);
            let written = |part: &str| Written::new(&source, place, part);
            let text = RuleText {
                layer: self.0.layers.len().saturating_sub(1),
                source: Arc::clone(&source),
                place,
                desc: rule.desc,
                condition: written(&rule.condition),
                output: written(&rule.output),
                priority: (rule.priority, place),
                tags: rule.tags,
                enabled: true,
                event_source: "syscall".to_owned(),
                exceptions: Vec::new(),
            };
            self.0.rules.insert(rule.name, text);
        }
    }

    /// Takes down a rule of another language that could not be translated, and why.
    pub fn refused(&mut self, file: &str, text: &str, rule: &str, line: usize, reason: &str) {
        if self.0.refused.len() < MAX_PROBLEMS {
            let problem = problem(file, text, line, reason);
            self.0.refused.push((crate::condition::shown(rule).into(), problem));
        }
    }

    /// Takes down what is wrong with a file of another language.
    pub fn wrong(&mut self, file: &str, text: &str, line: usize, message: &str) {
        if self.0.errors.len() < MAX_PROBLEMS {
            self.0.errors.push(problem(file, text, line, message));
        }
    }

    /// All that was taken in.
    pub fn finish(self) -> RuleSet {
        RuleSet::from(self.0)
    }
}

fn place(text: &str, line: usize) -> Place {
    let offset: usize = text.split_inclusive('\n').take(line.saturating_sub(1)).map(str::len).sum();
    let blanks = text[offset..].bytes().take_while(|b| *b == b' ').count();
    Place { line, column: blanks + 1, offset: offset + blanks }
}

fn problem(file: &str, text: &str, line: usize, message: &str) -> Problem {
    let source = Source { name: crate::condition::shown(file).into(), text: text.into() };
    Problem::new(&source, place(text, line), crate::condition::shown(message))
}
