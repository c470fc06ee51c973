//! Rule files, one after the other: what each defines, and what it changes of what earlier ones defined.

use std::sync::Arc;

use indexmap::IndexMap;

use super::exception::{self, Exception, scalar, texts};
use super::place::{Problem, Source, Written};
use super::yaml::{self, Place, Yaml, YamlKind};
use crate::condition::{nearest, quoted};

/// What the files define together.
#[derive(Debug, Default)]
pub(super) struct Definitions {
    /// Lists and macros, the lowest layer first. What an upper layer defines under a name that a lower one has too is
    /// meant by the rules of the upper layer, and not by those of the lower one.
    pub(super) layers: Vec<Layer>,
    pub(super) rules: IndexMap<String, RuleText>,
    pub(super) errors: Vec<Problem>,
    pub(super) warnings: Vec<Problem>,
    /// Rules of other languages that could not be translated, and why.
    pub(super) refused: Vec<(Arc<str>, Problem)>,
}

/// Lists and macros of files that know each other.
#[derive(Debug, Default)]
pub(super) struct Layer {
    pub(super) lists: IndexMap<String, Vec<String>>,
    pub(super) macros: IndexMap<String, Written>,
}

/// A rule, as it is written.
#[derive(Debug, Clone)]
pub(super) struct RuleText {
    /// Whose lists and macros it means.
    pub(super) layer: usize,
    pub(super) source: Arc<Source>,
    pub(super) place: Place,
    pub(super) desc: String,
    pub(super) condition: Written,
    pub(super) output: Written,
    pub(super) priority: (String, Place),
    pub(super) tags: Vec<String>,
    pub(super) enabled: bool,
    pub(super) event_source: String,
    pub(super) exceptions: Vec<(Exception, Arc<Source>)>,
}

const LIST_KEYS: &[&str] = &["list", "items", "append", "override"];
const MACRO_KEYS: &[&str] = &["macro", "condition", "append", "override"];
const RULE_KEYS: &[&str] = &[
    "rule",
    "desc",
    "condition",
    "output",
    "priority",
    "tags",
    "source",
    "enabled",
    "exceptions",
    "append",
    "override",
    "warn_evttypes",
    "skip-if-unknown-filter",
    "capture",
    "capture_duration",
];

/// The version of Falco's rule engine (of Falco 0.43) whose language is spoken here.
const ENGINE: [u32; 3] = [0, 57, 0];

/// An engine's version: `0.57.0`, or before there were three numbers, its second one alone.
fn version(text: &str) -> Option<[u32; 3]> {
    let parts: Vec<u32> = text.split('.').map(|part| part.parse().ok()).collect::<Option<_>>()?;
    match parts[..] {
        [minor] => Some([0, minor, 0]),
        [major, minor, patch] => Some([major, minor, patch]),
        _ => None,
    }
}

fn shown(version: [u32; 3]) -> String {
    version.map(|part| part.to_string()).join(".")
}

/// How many exceptions a rule may have.
const MAX_EXCEPTIONS: usize = 1_000;
/// Among how many keys of an entry one is looked for that stands there twice.
const MAX_KEYS: usize = 32;
/// How many problems are taken down. A file with more is no rule file, or an attack.
pub(super) const MAX_PROBLEMS: usize = 1_000;

/// One entry of a file.
struct Item<'a> {
    source: &'a Arc<Source>,
    place: Place,
    name: String,
    entries: &'a [(String, Place, Yaml)],
}

impl Item<'_> {
    fn get(&self, key: &str) -> Option<&Yaml> {
        self.entries.iter().find(|(k, ..)| k == key).map(|(_, _, value)| value)
    }

    fn text(&self, key: &str) -> Result<Option<&str>, Problem> {
        let Some(value) = self.get(key) else { return Ok(None) };
        match scalar(value) {
            Some(text) => Ok(Some(text)),
            None => Err(Problem::new(self.source, value.place, format!("`{key}` is a text"))),
        }
    }

    fn written(&self, key: &str) -> Result<Option<Written>, Problem> {
        let place = self.get(key).map(|v| v.place).unwrap_or_default();
        Ok(self.text(key)?.map(|text| Written::new(self.source, place, text)))
    }

    fn flag(&self, key: &str) -> Result<Option<bool>, Problem> {
        let place = self.get(key).map(|v| v.place).unwrap_or_default();
        match self.text(key)?.map(str::to_ascii_lowercase).as_deref() {
            None => Ok(None),
            Some("true" | "yes" | "on") => Ok(Some(true)),
            Some("false" | "no" | "off") => Ok(Some(false)),
            Some(_) => Err(Problem::new(self.source, place, format!("`{key}` is true or false"))),
        }
    }

    fn list(&self, key: &str) -> Result<Option<Vec<String>>, Problem> {
        let Some(value) = self.get(key) else { return Ok(None) };
        let list = match &value.kind {
            YamlKind::Scalar(text) if text.is_empty() => Some(Vec::new()),
            YamlKind::Sequence(_) => texts(value),
            _ => None,
        };
        list.map(Some).ok_or_else(|| Problem::new(self.source, value.place, format!("`{key}` is a list of texts")))
    }

    fn missing(&self, what: &str, key: &str) -> Problem {
        Problem::new(self.source, self.place, format!("the {what} {} has no `{key}`", quoted(&self.name)))
    }

    /// How a key changes what was there: by `override`, or for all keys by the older `append: true`.
    fn change(&self, key: &str) -> Result<Option<Change>, Problem> {
        if self.flag("append")?.unwrap_or(false) {
            return Ok(Some(Change::Append));
        }
        let Some(changes) = self.get("override") else { return Ok(None) };
        let YamlKind::Mapping(entries) = &changes.kind else {
            return Err(Problem::new(
                self.source,
                changes.place,
                "`override` is a mapping of keys to append or replace",
            ));
        };
        let Some((_, _, how)) = entries.iter().find(|(k, ..)| k == key) else { return Ok(None) };
        match scalar(how) {
            Some("append") => Ok(Some(Change::Append)),
            Some("replace") => Ok(Some(Change::Replace)),
            _ => Err(Problem::new(self.source, how.place, "write `append` or `replace`")),
        }
    }

    fn changes(&self) -> Result<bool, Problem> {
        Ok(self.flag("append")?.unwrap_or(false) || self.get("override").is_some())
    }
}

#[derive(Clone, Copy, PartialEq, Eq)]
enum Change {
    Append,
    Replace,
}

impl Definitions {
    /// Takes in a file.
    pub(super) fn file(&mut self, name: &str, text: &str) {
        let text = text.strip_prefix('\u{feff}').unwrap_or(text);
        let source = Arc::new(Source { name: crate::condition::shown(name).into(), text: text.into() });
        let yaml = match yaml::read(text) {
            Ok(yaml) => yaml,
            Err(malformed) => {
                self.errors.push(Problem::new(&source, malformed.place, malformed.message));
                return;
            }
        };
        let items = match &yaml.kind {
            YamlKind::Sequence(items) => items.as_slice(),
            YamlKind::Scalar(text) if text.is_empty() => &[],
            _ => {
                self.errors.push(Problem::new(&source, yaml.place, "a rule file is a list of lists, macros and rules"));
                return;
            }
        };
        let mut seen = std::collections::HashSet::new();
        for item in items {
            if self.errors.len() + self.warnings.len() >= MAX_PROBLEMS {
                let message = format!("more than {MAX_PROBLEMS} problems: the file is not read from here on");
                self.errors.push(Problem::new(&source, item.place, message));
                return;
            }
            if let Err(problem) = self.item(&source, item, &mut seen) {
                self.errors.push(problem);
            }
        }
    }

    fn item(
        &mut self,
        source: &Arc<Source>,
        yaml: &Yaml,
        seen: &mut std::collections::HashSet<(&'static str, String)>,
    ) -> Result<(), Problem> {
        let YamlKind::Mapping(entries) = &yaml.kind else {
            return Err(Problem::new(source, yaml.place, "an entry is a mapping that begins with list, macro or rule"));
        };
        let kinds = [("list", LIST_KEYS), ("macro", MACRO_KEYS), ("rule", RULE_KEYS)];
        let found = kinds.iter().find_map(|(kind, keys)| {
            entries.iter().find(|(k, ..)| k == kind).map(|(_, place, value)| (*kind, *keys, *place, value))
        });
        let Some((kind, keys, place, value)) = found else {
            if let Some((_, _, version)) = entries.iter().find(|(k, ..)| k == "required_engine_version") {
                return self.engine_version(source, version);
            }
            // Plugins are other sources of events; a rule of another source says so itself.
            if entries.iter().any(|(k, ..)| k == "required_plugin_versions") {
                return Ok(());
            }
            let first = entries.first().map_or("", |(k, ..)| k);
            return Err(Problem::new(source, yaml.place, format!("{} begins no entry", quoted(first)))
                .hint("an entry begins with list, macro or rule"));
        };
        let name = scalar(value).filter(|n| !n.is_empty());
        let name = name.ok_or_else(|| Problem::new(source, place, format!("this {kind} has no name")))?.to_owned();
        self.keys(source, kind, keys, entries);
        let item = Item { source, place: value.place, name, entries };
        if !seen.insert((kind, item.name.clone()))
            && !item.changes()?
            && item.get("condition").or(item.get("items")).is_some()
        {
            let message =
                format!("the {kind} {} is defined again in this file: only this one counts", quoted(&item.name));
            self.warnings.push(Problem::new(source, item.place, message));
        }
        match kind {
            "list" => self.list(&item),
            "macro" => self.condition_macro(&item),
            _ => self.rule(&item),
        }
    }

    /// Compares the engine that a file asks for with the one whose language is spoken here.
    fn engine_version(&mut self, source: &Source, yaml: &Yaml) -> Result<(), Problem> {
        let wrong = || {
            Problem::new(source, yaml.place, "this is no engine's version")
                .hint("write it as in `0.57.0`, or as a number such as `17`")
        };
        let text = scalar(yaml).ok_or_else(wrong)?;
        let asked = version(text).ok_or_else(wrong)?;
        if asked > ENGINE {
            let message = format!("the file asks for engine {}, and {} is spoken here", quoted(text), shown(ENGINE));
            let problem = Problem::new(source, yaml.place, message);
            self.warnings.push(problem.hint("rules that need what is newer are listed as unsupported, or as wrong"));
        }
        Ok(())
    }

    /// Warns of keys that nobody reads.
    fn keys(&mut self, source: &Source, kind: &str, keys: &[&str], entries: &[(String, Place, Yaml)]) {
        for (n, (key, place, _)) in entries.iter().enumerate() {
            if self.warnings.len() >= MAX_PROBLEMS {
                return;
            }
            if entries[..n.min(MAX_KEYS)].iter().any(|(k, ..)| k == key) {
                let message = format!("the key {} stands here twice: the first counts", quoted(key));
                self.warnings.push(Problem::new(source, *place, message));
            }
            if keys.contains(&&**key) {
                continue;
            }
            let problem = Problem::new(source, *place, format!("a {kind} has no key {}: it is ignored", quoted(key)));
            self.warnings.push(match nearest(key, keys.iter().copied()) {
                Some(near) => problem.hint(format!("did you mean `{near}`?")),
                None => problem,
            });
        }
    }

    fn list(&mut self, item: &Item<'_>) -> Result<(), Problem> {
        let items = item.list("items")?.ok_or_else(|| item.missing("list", "items"))?;
        if item.change("items")? == Some(Change::Append) {
            return match self.layers.iter_mut().rev().find_map(|layer| layer.lists.get_mut(&item.name)) {
                Some(list) => {
                    list.extend(items);
                    Ok(())
                }
                None => Err(undefined(item, "list", self.layers.iter().flat_map(|layer| layer.lists.keys()))),
            };
        }
        self.layer().lists.insert(item.name.clone(), items);
        Ok(())
    }

    fn condition_macro(&mut self, item: &Item<'_>) -> Result<(), Problem> {
        let condition = item.written("condition")?.ok_or_else(|| item.missing("macro", "condition"))?;
        if item.change("condition")? == Some(Change::Append) {
            let place = item.get("condition").map(|v| v.place).unwrap_or_default();
            return match self.layers.iter_mut().rev().find_map(|layer| layer.macros.get_mut(&item.name)) {
                Some(earlier) => {
                    earlier.append(item.source, place, &condition.text);
                    Ok(())
                }
                None => Err(undefined(item, "macro", self.layers.iter().flat_map(|layer| layer.macros.keys()))),
            };
        }
        self.layer().macros.insert(item.name.clone(), condition);
        Ok(())
    }

    /// The layer that is being read.
    fn layer(&mut self) -> &mut Layer {
        if self.layers.is_empty() {
            self.layers.push(Layer::default());
        }
        let last = self.layers.len() - 1;
        &mut self.layers[last]
    }

    fn rule(&mut self, item: &Item<'_>) -> Result<(), Problem> {
        // A rule that is only named, to switch it on or off, changes what was there.
        let switches = item.get("condition").is_none() && item.get("output").is_none() && item.get("enabled").is_some();
        if item.changes()? || switches {
            return match self.rules.get_mut(&item.name) {
                Some(rule) => change_rule(item, rule),
                None => Err(undefined(item, "rule", self.rules.keys())),
            };
        }
        let need = |key| item.missing("rule", key);
        let priority = item.text("priority")?.ok_or_else(|| need("priority"))?.to_owned();
        let mut rule = RuleText {
            layer: self.layers.len().saturating_sub(1),
            source: Arc::clone(item.source),
            place: item.place,
            desc: item.text("desc")?.unwrap_or_default().to_owned(),
            condition: item.written("condition")?.ok_or_else(|| need("condition"))?,
            output: item.written("output")?.ok_or_else(|| need("output"))?,
            priority: (priority, item.get("priority").map(|v| v.place).unwrap_or_default()),
            tags: item.list("tags")?.unwrap_or_default(),
            enabled: item.flag("enabled")?.unwrap_or(true),
            event_source: item.text("source")?.unwrap_or("syscall").to_owned(),
            exceptions: Vec::new(),
        };
        exceptions(item, &mut rule.exceptions)?;
        self.rules.insert(item.name.clone(), rule);
        Ok(())
    }
}

fn change_rule(item: &Item<'_>, rule: &mut RuleText) -> Result<(), Problem> {
    let place = |key: &str| item.get(key).map(|v| v.place).unwrap_or_default();
    for (key, written) in [("condition", &mut rule.condition), ("output", &mut rule.output)] {
        match (item.change(key)?, item.written(key)?) {
            (Some(Change::Append), Some(more)) => written.append(item.source, place(key), &more.text),
            (Some(Change::Replace), Some(new)) => *written = new,
            _ => {}
        }
    }
    match (item.change("tags")?, item.list("tags")?) {
        (Some(Change::Append), Some(more)) => rule.tags.extend(more),
        (Some(Change::Replace), Some(new)) => rule.tags = new,
        _ => {}
    }
    match (item.change("desc")?, item.text("desc")?) {
        (Some(Change::Append), Some(more)) => rule.desc = format!("{} {more}", rule.desc),
        (Some(Change::Replace), Some(new)) => rule.desc = new.to_owned(),
        _ => {}
    }
    if let (Some(Change::Replace), Some(priority)) = (item.change("priority")?, item.text("priority")?) {
        rule.priority = (priority.to_owned(), place("priority"));
    }
    if let Some(enabled) = item.flag("enabled")? {
        rule.enabled = enabled;
    }
    match item.change("exceptions")? {
        Some(Change::Replace) => {
            rule.exceptions.clear();
            exceptions(item, &mut rule.exceptions)
        }
        Some(Change::Append) => exceptions(item, &mut rule.exceptions),
        None => Ok(()),
    }
}

fn exceptions(item: &Item<'_>, into: &mut Vec<(Exception, Arc<Source>)>) -> Result<(), Problem> {
    let Some(list) = item.get("exceptions") else { return Ok(()) };
    let YamlKind::Sequence(list) = &list.kind else {
        return Err(Problem::new(item.source, list.place, "`exceptions` is a list"));
    };
    for yaml in list {
        let name = match &yaml.kind {
            YamlKind::Mapping(entries) => entries.iter().find(|(k, ..)| k == "name").and_then(|(_, _, v)| scalar(v)),
            _ => None,
        };
        if into.len() == MAX_EXCEPTIONS {
            let message = format!("the rule has more than {MAX_EXCEPTIONS} exceptions");
            return Err(Problem::new(item.source, yaml.place, message));
        }
        let earlier = into.iter().position(|(e, _)| Some(e.name.as_str()) == name).map(|n| into.swap_remove(n).0);
        into.push((exception::read(item.source, yaml, earlier)?, Arc::clone(item.source)));
    }
    Ok(())
}

fn undefined<'a>(item: &Item<'_>, kind: &str, names: impl Iterator<Item = &'a String>) -> Problem {
    let message = format!("there is no {kind} {} to change", quoted(&item.name));
    let problem = Problem::new(item.source, item.place, message);
    match nearest(&item.name, names.map(String::as_str)) {
        Some(near) => problem.hint(format!("did you mean `{near}`?")),
        None => problem.hint("what is changed must be defined before, in this file or an earlier one"),
    }
}
