//! Which rules to ask about an event: those that look at its family and, of these, those whose names, paths, ports or
//! parts of texts the event has. A rule that cannot be looked up so is asked about every event of its families.
//!
//! Nothing is allocated unless a rule is met.

use aho_corasick::{AhoCorasick, AhoCorasickKind};

use crate::condition::{Answers, Condition, Key, KeyField, Outline, Root, Shared, Sharing, Sought, Value, View};
use crate::event::Family;
use crate::hash::HashMap;

/// Up to so many bytes the parts of one field are searched for by a table with a row for each, which is faster.
const SMALL: usize = 4 << 10;
/// How many bytes the parts of one field may have together; rules beyond that are asked about every event.
const MAX_PARTS: usize = 256 << 10;

#[derive(Debug, Clone, Default)]
pub(super) struct Index {
    /// By [`Family`].
    families: Vec<OfFamily>,
}

#[derive(Debug, Clone, Default)]
struct OfFamily {
    rules: Vec<Asked>,
    conditions: Shared,
    fields: Vec<ByField>,
    /// Those (indices into `rules`) that are always asked.
    always: Vec<u32>,
}

#[derive(Debug, Clone)]
struct Asked {
    /// Its place among all rules.
    number: u32,
    condition: Root,
}

/// The rules, as indices into [`OfFamily::rules`], that a field leads to.
#[derive(Debug, Clone)]
struct ByField {
    field: KeyField,
    texts: HashMap<Box<[u8]>, Vec<u32>>,
    outline: Outline,
    numbers: HashMap<i128, Vec<u32>>,
    parts: Parts,
}

#[derive(Debug, Clone, Default)]
struct Parts {
    texts: Vec<Box<[u8]>>,
    size: usize,
    /// The rule of each text.
    rules: Vec<u32>,
    finder: Option<AhoCorasick>,
}

impl Index {
    pub(super) fn new<'a>(conditions: impl Iterator<Item = &'a Condition>) -> Index {
        let mut families: Vec<(OfFamily, Sharing)> = Family::ALL.iter().map(|_| Default::default()).collect();
        for (number, condition) in (0..).zip(conditions) {
            for family in condition.families().iter() {
                if let Some(condition) = condition.narrowed(family) {
                    let (of_family, sharing) = &mut families[family as usize];
                    of_family.add(Asked { number, condition: sharing.add(&condition) }, condition.keys(family));
                }
            }
        }
        Index { families: families.into_iter().map(|(of_family, sharing)| of_family.finish(sharing)).collect() }
    }

    /// The rules that the event meets, in their order.
    pub(super) fn matching(&self, view: &View<'_>) -> Vec<u32> {
        match self.families.get(Family::of(&view.event.payload) as usize) {
            Some(family) => family.matching(view),
            None => Vec::new(),
        }
    }
}

impl OfFamily {
    fn add(&mut self, rule: Asked, keys: Vec<Key>) {
        let at = u32::try_from(self.rules.len()).unwrap_or(u32::MAX);
        self.rules.push(rule);
        let fits = |key: &Key| match &key.sought {
            Sought::Texts { texts, parts: true } => {
                let known = self.fields.iter().find(|f| f.field.is(&key.subject)).map_or(0, |f| f.parts.size);
                known + texts.iter().map(|t| t.len()).sum::<usize>() <= MAX_PARTS
            }
            _ => true,
        };
        if keys.is_empty() || !keys.iter().all(fits) {
            self.always.push(at);
            return;
        }
        for key in keys {
            let known = self.fields.iter().position(|f| f.field.is(&key.subject));
            let known = known.unwrap_or_else(|| {
                self.fields.push(ByField::new(key.subject));
                self.fields.len() - 1
            });
            self.fields[known].add(at, key.sought);
        }
    }

    fn finish(mut self, sharing: Sharing) -> OfFamily {
        self.conditions = sharing.finish();
        self.fields.retain_mut(|field| match field.parts.finish() {
            true => true,
            // A finder that cannot be made is none: its rules are always asked.
            false => {
                self.always.append(&mut field.parts.rules);
                field.parts = Parts::default();
                !field.texts.is_empty() || !field.numbers.is_empty()
            }
        });
        self.always.sort_unstable();
        self.always.dedup();
        self
    }

    fn matching(&self, view: &View<'_>) -> Vec<u32> {
        if self.rules.is_empty() {
            return Vec::new();
        }
        view.answering(|answers| {
            answers.begin(&self.conditions);
            self.asked(view, answers)
        })
    }

    fn asked(&self, view: &View<'_>, answers: &mut Answers) -> Vec<u32> {
        let mut met = Vec::new();
        let mut ask = |at: u32| {
            let rule = &self.rules[at as usize];
            if self.conditions.matches(rule.condition, view, answers) {
                met.push(rule.number);
            }
        };
        self.always.iter().for_each(|at| ask(*at));
        for field in &self.fields {
            field.field.each(view, &mut |value| match value {
                Value::Text(text) => {
                    if field.outline.fits(&text) {
                        field.texts.get(&*text).into_iter().flatten().for_each(|at| ask(*at));
                    }
                    field.parts.each(&text, &mut ask);
                }
                Value::Number(n) => field.numbers.get(&n).into_iter().flatten().for_each(|at| ask(*at)),
                _ => {}
            });
        }
        // A rule may have been led to by several fields.
        met.sort_unstable();
        met.dedup();
        met
    }
}

impl ByField {
    fn new(field: KeyField) -> ByField {
        ByField {
            field,
            texts: HashMap::default(),
            outline: Outline::default(),
            numbers: HashMap::default(),
            parts: Parts::default(),
        }
    }

    fn add(&mut self, rule: u32, sought: Sought) {
        match sought {
            Sought::Texts { texts, parts: true } => {
                for text in texts {
                    self.parts.size += text.len();
                    self.parts.texts.push(text);
                    self.parts.rules.push(rule);
                }
            }
            Sought::Texts { texts, parts: false } => {
                for text in texts {
                    self.outline.add(&text);
                    push(&mut self.texts, text, rule);
                }
            }
            Sought::Numbers(numbers) => numbers.into_iter().for_each(|n| push(&mut self.numbers, n, rule)),
        }
    }
}

fn push<K: Eq + std::hash::Hash>(map: &mut HashMap<K, Vec<u32>>, key: K, rule: u32) {
    let rules = map.entry(key).or_default();
    if rules.last() != Some(&rule) {
        rules.push(rule);
    }
}

impl Parts {
    /// Prepares the search; false when there is to be one, and it cannot be made.
    fn finish(&mut self) -> bool {
        if self.texts.is_empty() {
            return true;
        }
        // Upper and lower case are told apart by the rules themselves.
        let mut builder = AhoCorasick::builder();
        let kind = if self.size <= SMALL { AhoCorasickKind::DFA } else { AhoCorasickKind::ContiguousNFA };
        builder.ascii_case_insensitive(true).kind(Some(kind));
        self.finder = builder.build(std::mem::take(&mut self.texts)).ok();
        self.finder.is_some()
    }

    /// Tells `ask` the rules one of whose parts is in the text.
    fn each(&self, text: &[u8], ask: &mut impl FnMut(u32)) {
        let Some(finder) = &self.finder else { return };
        for found in finder.find_overlapping_iter(text) {
            ask(self.rules[found.pattern().as_usize()]);
        }
    }
}
