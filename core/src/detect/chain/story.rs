//! The sentence that tells a chain: words, names of what was seen, and parts that are left out when a name in them is not
//! known: `{attacker} left {container}[, and came back as {user}]`.

use indexmap::IndexMap;

use super::matching::holds;
use super::relation::Relation;
use super::{Chain, ChainStep, Scene};
use crate::condition::shown;
use crate::detect::{Tie, words};
use crate::event::Text;
use crate::graph::Graph;

/// How deep parts may stand in each other.
const MAX_DEPTH: usize = 4;

/// A sentence with names in it.
#[derive(Debug, Clone, PartialEq, Eq, Default)]
pub struct Story(pub(super) Vec<Part>);

#[derive(Debug, Clone, PartialEq, Eq)]
pub(super) enum Part {
    Words(String),
    /// What of the step of this number.
    Name(usize, What),
    /// Told when all names in it are known.
    Maybe(Vec<Part>),
}

/// What of a step has a name.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum What {
    /// Who did it.
    Process,
    /// Where, "the host" included.
    Container,
    /// The file that it was about.
    File,
    /// The remote end that it was about.
    Peer,
    /// The file or the address by which it hangs together with a step above.
    Object,
    /// The remote end from which that file had come.
    Source,
    /// What happened, in the words of the rule.
    Sentence,
    /// How long after the step above that was seen.
    Wait,
}

impl What {
    /// All, with their names in chain files.
    pub const ALL: [(&'static str, What); 8] = [
        ("process", What::Process),
        ("container", What::Container),
        ("file", What::File),
        ("peer", What::Peer),
        ("object", What::Object),
        ("source", What::Source),
        ("sentence", What::Sentence),
        ("wait", What::Wait),
    ];
}

/// What each name means: the number of a step, and what of it.
pub(super) type Names = IndexMap<String, (usize, What)>;

/// What is wrong with a sentence.
pub(super) enum Wrong {
    /// No step gives this name.
    Name(String),
    Form(&'static str),
}

impl Story {
    pub(super) fn parse(text: &str, names: &Names) -> Result<Story, Wrong> {
        parts(text, names).map(Story)
    }

    /// The sentence, escaped, safe to show.
    pub(super) fn tell(&self, chain: &Chain, scene: &Scene<'_>, chosen: &[Option<usize>], graph: &Graph) -> String {
        let teller = Teller { chain, scene, chosen, graph };
        let mut out = String::new();
        teller.tell(&self.0, &mut out);
        out
    }
}

struct Teller<'a> {
    chain: &'a Chain,
    scene: &'a Scene<'a>,
    chosen: &'a [Option<usize>],
    graph: &'a Graph,
}

impl Teller<'_> {
    /// Appends the parts; gives whether all their names were known.
    fn tell(&self, parts: &[Part], out: &mut String) -> bool {
        let mut whole = true;
        for part in parts {
            match part {
                Part::Words(words) => out.push_str(words),
                Part::Name(step, what) => {
                    let name = self.name(*step, *what);
                    whole &= name.is_some();
                    out.push_str(name.as_deref().unwrap_or("something"));
                }
                Part::Maybe(parts) => {
                    let mut more = String::new();
                    if self.tell(parts, &mut more) {
                        out.push_str(&more);
                    }
                }
            }
        }
        whole
    }

    fn name(&self, step: usize, what: What) -> Option<String> {
        let at = self.chosen[step]?;
        let time = self.scene.time(at);
        let member = self.scene.members.get(&time.process);
        match what {
            What::Process => {
                let name = member.map(|m| Text::from(m.exe.file_name())).filter(|name| !name.is_empty());
                Some(match name {
                    Some(name) => format!("{name} ({})", time.process.pid),
                    None => format!("process {}", time.process.pid),
                })
            }
            What::Container => Some(match member.and_then(|m| m.container.as_ref()) {
                Some(id) => words::container(self.graph, id),
                None => "the host".to_owned(),
            }),
            What::File => (!time.file.is_empty()).then(|| time.file.to_string()),
            // What was typed names a peer less surely than the connection that came of it.
            What::Peer => time.peer.or_else(|| self.scene.peer_of(time.process)).map(|peer| peer.to_string()),
            What::Object => self.tie(step, at).map(|tie| tie.object.to_string()).filter(|object| !object.is_empty()),
            What::Source => self.tie(step, at)?.delivered_by.map(|peer| peer.to_string()),
            What::Sentence => Some(self.scene.stage(at).sentence.clone()),
            What::Wait => {
                let before = self.chosen[..step].iter().rev().find_map(|c| *c)?;
                Some(words::duration(time.time.since(self.scene.time(before).time)))
            }
        }
    }

    /// The link by which a step hangs together with one above; when none of those was seen, that of the kind it must have.
    fn tie(&self, step: usize, at: usize) -> Option<&Tie> {
        let step: &ChainStep = &self.chain.steps[step];
        let by_kind = || step.shape.link.and_then(|kind| self.scene.tie_to(kind, at));
        step.with.iter().find_map(|relation| self.tie_of(relation, at)).or_else(by_kind)
    }

    fn tie_of(&self, relation: &Relation, at: usize) -> Option<&Tie> {
        match relation {
            Relation::To(kind, that) => self.scene.tie(*kind, at, self.chosen[*that]?),
            Relation::Within(..) => None,
            Relation::Any(relations) => relations
                .iter()
                .filter(|r| holds(r, self.scene, at, self.chosen) == Some(true))
                .find_map(|r| self.tie_of(r, at)),
        }
    }
}

fn parts(text: &str, names: &Names) -> Result<Vec<Part>, Wrong> {
    let mut open: Vec<Vec<Part>> = vec![Vec::new()];
    let mut rest = text;
    loop {
        let at = rest.find(['{', '}', '[', ']']).unwrap_or(rest.len());
        let (words, mark) = rest.split_at(at);
        let Some(last) = open.last_mut() else { return Err(Wrong::Form("a `]` of the story has no `[`")) };
        if !words.is_empty() {
            last.push(Part::Words(shown(words)));
        }
        let Some(mark) = mark.chars().next() else { break };
        rest = &rest[at + 1..];
        match mark {
            '{' => {
                let Some((name, after)) = rest.split_once('}') else {
                    return Err(Wrong::Form("a `{` of the story has no `}`"));
                };
                let (step, what) = names.get(name).ok_or_else(|| Wrong::Name(name.to_owned()))?;
                last.push(Part::Name(*step, *what));
                rest = after;
            }
            '[' if open.len() > MAX_DEPTH => {
                return Err(Wrong::Form("parts of the story stand too deep in each other"));
            }
            '[' => open.push(Vec::new()),
            ']' if open.len() > 1 => {
                let maybe = open.pop().unwrap_or_default();
                if let Some(last) = open.last_mut() {
                    last.push(Part::Maybe(maybe));
                }
            }
            ']' => return Err(Wrong::Form("a `]` of the story has no `[`")),
            _ => return Err(Wrong::Form("a `}` of the story has no `{`")),
        }
    }
    match open.len() {
        1 => Ok(open.remove(0)),
        _ => Err(Wrong::Form("a `[` of the story has no `]`")),
    }
}
