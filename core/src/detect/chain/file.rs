//! The format of chain files: YAML, a list of chains.
//!
//! ```yaml
//! - chain: Dropper with a job of its own
//!   desc: Someone fetches a program, runs it, and has cron run it again.
//!   story: "{who} fetched {payload} and ran it[, and left {job} to run it again]"
//!   steps:
//!     - step: fetch
//!       rules: [Download put among temporary files]
//!       required: true
//!       names: {who: process}
//!     - step: run
//!       tactic: execution
//!       any: [{techniques: [T1204]}, {techniques: [T1059]}]
//!       with: [{any: [{wrote-executed: fetch}, {descends: fetch}]}, {within: 1 h, of: fetch}]
//!       required: true
//!       names: {payload: object}
//!     - step: job
//!       techniques: [T1053]
//!       names: {job: file}
//! ```

use std::fmt;
use std::sync::Arc;
use std::time::Duration;

use super::relation::{Relation, RelationKind};
use super::story::{Names, What, Wrong};
use super::{Chain, ChainStep, Shape, Story};
use crate::condition::{nearest, quoted, shown};
use crate::detect::rules::Problem;
use crate::detect::rules::place::Source;
use crate::detect::rules::yaml::{self, Place, Yaml, YamlKind};
use crate::detect::{LinkKind, Tactic};

/// How many chains a file may have, and steps a chain.
const MAX_CHAINS: usize = 1_000;
const MAX_STEPS: usize = 32;
/// How deep parts of a story or relations may stand in each other.
const MAX_DEPTH: usize = 4;
/// How many problems are taken down.
const MAX_PROBLEMS: usize = 100;

const CHAIN_KEYS: &[&str] = &["chain", "desc", "story", "steps"];
const SHAPE_KEYS: &[&str] = &["tactic", "techniques", "rules", "link"];
const STEP_KEYS: &[&str] =
    &["step", "tactic", "techniques", "rules", "link", "any", "with", "required", "absent", "anytime", "names"];

/// What is wrong with a chain file; at least one problem.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct ChainErrors(pub Vec<Problem>);

impl fmt::Display for ChainErrors {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        let words: Vec<String> = self.0.iter().map(Problem::render).collect();
        f.write_str(words.join("\n").trim_end())
    }
}

impl std::error::Error for ChainErrors {}

/// Reads a chain file.
///
/// # Errors
/// All that is wrong with it, each with its place.
pub fn load(file: &str, text: &str) -> Result<Vec<Chain>, ChainErrors> {
    let source = Source { name: shown(file).into(), text: text.into() };
    let mut reader = Reader { source: Arc::new(source), problems: Vec::new() };
    let yaml = match yaml::read(text) {
        Ok(yaml) => yaml,
        Err(wrong) => return Err(ChainErrors(vec![reader.problem(wrong.place, wrong.message)])),
    };
    let chains = reader.chains(&yaml);
    if reader.problems.is_empty() { Ok(chains) } else { Err(ChainErrors(reader.problems)) }
}

struct Reader {
    source: Arc<Source>,
    problems: Vec<Problem>,
}

type Entries = [(String, Place, Yaml)];

/// What is known of the chain that is being read.
#[derive(Default)]
struct Known {
    steps: Vec<String>,
    names: Names,
}

impl Reader {
    fn problem(&self, place: Place, message: impl Into<Box<str>>) -> Problem {
        Problem::new(&self.source, place, message)
    }

    fn wrong(&mut self, place: Place, message: impl Into<Box<str>>) {
        self.wrong_with(place, message, None);
    }

    fn wrong_with(&mut self, place: Place, message: impl Into<Box<str>>, hint: Option<String>) {
        if self.problems.len() < MAX_PROBLEMS {
            let problem = self.problem(place, message);
            self.problems.push(match hint {
                Some(hint) => problem.hint(hint),
                None => problem,
            });
        }
    }

    /// `name` is none of `names`: says so, and which is closest.
    fn unknown<'n>(&mut self, place: Place, what: &str, name: &str, names: impl Iterator<Item = &'n str>) {
        let names: Vec<&str> = names.collect();
        let hint = match nearest(name, names.iter().copied()) {
            Some(near) => format!("did you mean `{near}`?"),
            None if names.is_empty() => "there is none above it".to_owned(),
            None => format!("one of {}", names.join(", ")),
        };
        self.wrong_with(place, format!("{} is no {what}", quoted(name)), Some(hint));
    }

    fn keys(&mut self, entries: &Entries, keys: &[&str], what: &str) {
        for (n, (key, place, _)) in entries.iter().enumerate() {
            if !keys.contains(&key.as_str()) {
                self.unknown(*place, &format!("key of {what}"), key, keys.iter().copied());
            } else if entries[..n].iter().any(|(k, ..)| k == key) {
                self.wrong(*place, format!("`{key}` stands here twice"));
            }
        }
    }

    fn chains(&mut self, yaml: &Yaml) -> Vec<Chain> {
        let YamlKind::Sequence(items) = &yaml.kind else {
            self.wrong(yaml.place, "a chain file is a list of chains");
            return Vec::new();
        };
        let mut chains: Vec<Chain> = Vec::new();
        for item in items {
            if chains.len() == MAX_CHAINS {
                self.wrong(item.place, format!("a file has at most {MAX_CHAINS} chains"));
                break;
            }
            let Some(chain) = self.chain(item) else { continue };
            if chains.iter().any(|c| c.name == chain.name) {
                self.wrong(item.place, format!("there are two chains {}", quoted(&chain.name)));
            }
            chains.push(chain);
        }
        chains
    }

    fn chain(&mut self, yaml: &Yaml) -> Option<Chain> {
        let YamlKind::Mapping(entries) = &yaml.kind else {
            self.wrong(yaml.place, "a chain is a mapping of `chain`, `desc`, `story` and `steps`");
            return None;
        };
        self.keys(entries, CHAIN_KEYS, "a chain");
        let name = self.text(entries, "chain")?.unwrap_or_default();
        if name.is_empty() {
            self.wrong(yaml.place, "a chain needs a name: `chain: NAME`");
        }
        let desc = self.text(entries, "desc")?.unwrap_or_default();
        if desc.is_empty() {
            self.wrong(yaml.place, format!("the chain {} has no `desc`", quoted(&name)));
        }
        let Some(Yaml { kind: YamlKind::Sequence(items), place }) = get(entries, "steps") else {
            self.wrong(yaml.place, format!("the chain {} has no list of `steps`", quoted(&name)));
            return None;
        };
        if items.len() > MAX_STEPS {
            self.wrong(*place, format!("a chain has at most {MAX_STEPS} steps"));
            return None;
        }
        let mut known = Known::default();
        let below: Vec<&str> = items.iter().filter_map(step_name).collect();
        let mut steps = Vec::new();
        for item in items {
            let step = self.step(item, &mut known, &below)?;
            steps.push(step);
        }
        if !steps.iter().any(|s: &ChainStep| s.required) {
            let message = format!("the chain {} has no required step, so that anything would match it", quoted(&name));
            self.wrong_with(yaml.place, message, Some("say `required: true` of what makes it this story".to_owned()));
        }
        let story = match get(entries, "story") {
            Some(story) => self.story(story, &known),
            None => {
                self.wrong(yaml.place, format!("the chain {} has no `story`", quoted(&name)));
                Story::default()
            }
        };
        Some(Chain { name: shown(&name), desc, story, steps })
    }

    fn step(&mut self, yaml: &Yaml, known: &mut Known, all: &[&str]) -> Option<ChainStep> {
        let YamlKind::Mapping(entries) = &yaml.kind else {
            self.wrong(yaml.place, "a step is a mapping that begins with `step: NAME`");
            return None;
        };
        self.keys(entries, STEP_KEYS, "a step");
        let name = self.text(entries, "step")?.unwrap_or_default();
        if name.is_empty() {
            self.wrong(yaml.place, "a step needs a name: `step: NAME`");
        }
        if known.steps.contains(&name) {
            self.wrong(yaml.place, format!("there are two steps {}", quoted(&name)));
        }
        let shape = self.shape(entries);
        let any = match get(entries, "any") {
            Some(yaml) => self.shapes(yaml),
            None => Vec::new(),
        };
        if shape.is_empty() && any.is_empty() {
            let hint = "give it a tactic, techniques, rules, a link, or alternatives under `any`";
            self.wrong_with(yaml.place, format!("the step {} may be anything", quoted(&name)), Some(hint.to_owned()));
        }
        let step = ChainStep {
            with: get(entries, "with").map(|w| self.relations(w, &name, known, all, 0)).unwrap_or_default(),
            required: self.flag(entries, "required"),
            absent: self.flag(entries, "absent"),
            anytime: self.flag(entries, "anytime"),
            name: shown(&name),
            shape,
            any,
        };
        if step.absent && (step.required || step.anytime) {
            self.wrong(
                yaml.place,
                format!("the step {} is absent; it can be neither required nor anytime", quoted(&name)),
            );
        }
        if let Some(names) = get(entries, "names") {
            if step.absent {
                self.wrong(names.place, "what is absent has no names");
            }
            self.names(names, known);
        }
        known.steps.push(name);
        Some(step)
    }

    fn names(&mut self, yaml: &Yaml, known: &mut Known) {
        let YamlKind::Mapping(entries) = &yaml.kind else {
            self.wrong(yaml.place, "`names` is a mapping of names to what they mean, such as `attacker: process`");
            return;
        };
        for (name, place, value) in entries {
            let word = scalar(value).unwrap_or_default();
            let Some((_, what)) = What::ALL.iter().find(|(id, _)| *id == word) else {
                self.unknown(value.place, "part of a step", word, What::ALL.iter().map(|(id, _)| *id));
                continue;
            };
            if name.is_empty() || !name.bytes().all(|b| b.is_ascii_alphanumeric() || matches!(b, b'-' | b'_')) {
                self.wrong(*place, "a name has letters, digits, `-` and `_`");
            } else if known.names.insert(name.clone(), (known.steps.len(), *what)).is_some() {
                self.wrong(*place, format!("there are two names {}", quoted(name)));
            }
        }
    }

    fn shapes(&mut self, yaml: &Yaml) -> Vec<Shape> {
        let YamlKind::Sequence(items) = &yaml.kind else {
            self.wrong(
                yaml.place,
                "`any` is a list of alternatives, such as `[{tactic: execution}, {techniques: [T1059]}]`",
            );
            return Vec::new();
        };
        let mut shapes = Vec::new();
        for item in items {
            let YamlKind::Mapping(entries) = &item.kind else {
                self.wrong(item.place, "an alternative is a mapping, such as `{tactic: execution}`");
                continue;
            };
            self.keys(entries, SHAPE_KEYS, "an alternative");
            let shape = self.shape(entries);
            if shape.is_empty() {
                self.wrong(item.place, "this alternative may be anything");
            }
            shapes.push(shape);
        }
        shapes
    }

    fn shape(&mut self, entries: &Entries) -> Shape {
        let mut shape = Shape::default();
        if let Some(yaml) = get(entries, "tactic") {
            let word = scalar(yaml).unwrap_or_default();
            shape.tactic = Tactic::ALL.into_iter().find(|t| t.id() == word);
            if shape.tactic.is_none() {
                self.unknown(yaml.place, "tactic", word, Tactic::ALL.iter().map(|t| t.id()));
            }
        }
        if let Some(yaml) = get(entries, "link") {
            let word = scalar(yaml).unwrap_or_default();
            shape.link = LinkKind::ALL.into_iter().find(|k| k.id() == word);
            if shape.link.is_none() {
                self.unknown(yaml.place, "kind of link", word, LinkKind::ALL.iter().map(|k| k.id()));
            }
        }
        shape.techniques = self.list(entries, "techniques");
        shape.rules = self.list(entries, "rules");
        shape
    }

    fn relations(&mut self, yaml: &Yaml, own: &str, known: &Known, all: &[&str], depth: usize) -> Vec<Relation> {
        let YamlKind::Sequence(items) = &yaml.kind else {
            self.wrong(yaml.place, "relations are a list, such as `[{descends: STEP}, {within: 10 min, of: STEP}]`");
            return Vec::new();
        };
        items.iter().filter_map(|item| self.relation(item, own, known, all, depth)).collect()
    }

    fn relation(&mut self, yaml: &Yaml, own: &str, known: &Known, all: &[&str], depth: usize) -> Option<Relation> {
        let YamlKind::Mapping(entries) = &yaml.kind else {
            self.wrong(yaml.place, "a relation is a mapping, such as `{descends: STEP}`");
            return None;
        };
        let (kind, place, value) = entries.first()?;
        if kind == "any" && depth < MAX_DEPTH {
            let relations = self.relations(value, own, known, all, depth + 1);
            return (!relations.is_empty()).then_some(Relation::Any(relations));
        }
        if kind == "within" {
            let Some(time) = scalar(value).and_then(duration) else {
                self.wrong_with(value.place, "this is no time", Some("such as 30 s, 10 min, 2 h or 1 d".to_owned()));
                return None;
            };
            let Some(of) = get(entries, "of") else {
                self.wrong(*place, "`within` needs `of: STEP`, the step that it is counted from");
                return None;
            };
            return Some(Relation::Within(time, self.above(of, own, known, all)?));
        }
        if let Some((_, place, _)) = entries.get(1) {
            self.wrong(*place, "one relation an entry: begin another with `-`");
            return None;
        }
        match RelationKind::ALL.iter().find(|(id, _)| id == kind) {
            Some((_, found)) => Some(Relation::To(*found, self.above(value, own, known, all)?)),
            None => {
                let names = RelationKind::ALL.iter().map(|(id, _)| *id).chain(["within", "any"]);
                self.unknown(*place, "relation", kind, names);
                None
            }
        }
    }

    /// The step that a relation leads to. Each leads up, so that none goes round in a circle.
    fn above(&mut self, yaml: &Yaml, own: &str, known: &Known, all: &[&str]) -> Option<usize> {
        let name = scalar(yaml).unwrap_or_default();
        if let Some(at) = known.steps.iter().position(|s| s == name) {
            return Some(at);
        }
        if name == own {
            self.wrong(yaml.place, format!("the step {} cannot stand in a relation to itself", quoted(own)));
        } else if all.contains(&name) {
            let hint = format!("write it as a relation of {}, which is below, to {}", quoted(name), quoted(own));
            let message = "a relation leads to a step above, or relations would go round in a circle";
            self.wrong_with(yaml.place, message, Some(hint));
        } else {
            self.unknown(yaml.place, "step above", name, known.steps.iter().map(String::as_str));
        }
        None
    }

    fn story(&mut self, yaml: &Yaml, known: &Known) -> Story {
        let Some(text) = scalar(yaml) else {
            self.wrong(yaml.place, "`story` is a text");
            return Story::default();
        };
        match Story::parse(text.trim(), &known.names) {
            Ok(story) => story,
            Err(Wrong::Name(name)) => {
                self.unknown(yaml.place, "name that a step gives", &name, known.names.keys().map(String::as_str));
                Story::default()
            }
            Err(Wrong::Form(message)) => {
                self.wrong(yaml.place, message);
                Story::default()
            }
        }
    }

    /// `None` when it is no text, which has been said.
    fn text(&mut self, entries: &Entries, key: &str) -> Option<Option<String>> {
        let Some(yaml) = get(entries, key) else { return Some(None) };
        let text = scalar(yaml);
        if text.is_none() {
            self.wrong(yaml.place, format!("`{key}` is a text"));
        }
        text.map(|t| Some(t.trim().to_owned()))
    }

    fn flag(&mut self, entries: &Entries, key: &str) -> bool {
        let Some(yaml) = get(entries, key) else { return false };
        match scalar(yaml) {
            Some("true") => true,
            Some("false") => false,
            _ => {
                self.wrong(yaml.place, format!("`{key}` is true or false"));
                false
            }
        }
    }

    fn list(&mut self, entries: &Entries, key: &str) -> Vec<String> {
        let Some(yaml) = get(entries, key) else { return Vec::new() };
        let texts = match &yaml.kind {
            YamlKind::Sequence(items) => items.iter().map(|i| scalar(i).map(str::to_owned)).collect::<Option<Vec<_>>>(),
            _ => None,
        };
        if texts.as_ref().is_none_or(Vec::is_empty) {
            self.wrong(yaml.place, format!("`{key}` is a list of texts"));
        }
        texts.unwrap_or_default()
    }
}

fn get<'e>(entries: &'e Entries, key: &str) -> Option<&'e Yaml> {
    entries.iter().find(|(k, ..)| k == key).map(|(_, _, value)| value)
}

fn scalar(yaml: &Yaml) -> Option<&str> {
    match &yaml.kind {
        YamlKind::Scalar(text) => Some(text),
        _ => None,
    }
}

fn step_name(yaml: &Yaml) -> Option<&str> {
    match &yaml.kind {
        YamlKind::Mapping(entries) => scalar(get(entries, "step")?),
        _ => None,
    }
}

/// `30 s`, `10 min`, `2 h`, `1 d`.
fn duration(text: &str) -> Option<Duration> {
    let (number, unit) = text.trim().split_at(text.trim().find(|c: char| !c.is_ascii_digit())?);
    let unit = match unit.trim() {
        "s" => 1,
        "min" => 60,
        "h" => 3_600,
        "d" => 86_400,
        _ => return None,
    };
    number.parse::<u64>().ok()?.checked_mul(unit).map(Duration::from_secs)
}
