//! The detection content that this program runs with: what is built in, and what the user adds.

use std::fs;
use std::io::Read;
use std::path::{Path, PathBuf};

use anyhow::{Context, bail};
use lanner_core::condition::Filter;
use lanner_core::detect::chain::{self, Chain};
use lanner_core::detect::rules::{Loader, RuleSet};
use lanner_core::engine::{Engine, MEMORY};

use crate::source::SourceError;

/// How much of a file is read, in bytes. What is longer than the loader takes is still seen to be too long.
const MAX_FILE: u64 = 5 << 20;
/// How many files a folder may have.
const MAX_FILES: usize = 10_000;

/// Rules and chains.
#[derive(Debug, Clone)]
pub struct Content {
    /// The rules.
    pub rules: RuleSet,
    chains: Vec<Chain>,
    memory: usize,
}

/// A file of the user's, or one of the user's folder's.
#[derive(Debug, Clone)]
pub struct File {
    /// Its path, as the user or the folder names it.
    pub name: String,
    /// Its text; bytes that are not UTF-8 are replaced.
    pub text: String,
}

impl Content {
    /// The built-in content, and the user's files on top of it, which must be without mistakes.
    pub fn load(paths: &[PathBuf]) -> anyhow::Result<Content> {
        let content = Content::of(&files(paths)?)?;
        match content.rules.errors.first() {
            None => Ok(content),
            Some(first) => {
                let more = match content.rules.errors.len() - 1 {
                    0 => String::new(),
                    n => format!("and {n} more: `lanner rules check` shows them all"),
                };
                bail!("{}{more}", first.render())
            }
        }
    }

    /// As [`Content::load`]; mistakes in rule files are taken down in the rules.
    pub fn of(files: &[File]) -> anyhow::Result<Content> {
        let mut chains: Vec<Chain> = Vec::new();
        for (file, text) in lanner_rules::CHAINS {
            chains.extend(chain::load(file, text).context("a built-in chain file does not load")?);
        }
        let mut loader = Loader::default();
        loader.layer();
        lanner_rules::RULES.iter().for_each(|(name, text)| loader.file(name, text));
        loader.layer();
        for file in files {
            match () {
                () if is_chains(&file.text) => chains.extend(chain::load(&file.name, &file.text)?),
                () if lanner_rules_sigma::is_sigma(&file.text) => {
                    lanner_rules_sigma::load(&mut loader, &file.name, &file.text);
                }
                () => loader.file(&file.name, &file.text),
            }
        }
        Ok(Content { rules: loader.finish(), chains, memory: MEMORY })
    }

    /// The same, with so many MiB of memory for what an engine knows.
    #[must_use]
    pub fn with_memory(mut self, mib: u32) -> Content {
        self.memory = usize::try_from(u64::from(mib) << 20).unwrap_or(usize::MAX);
        self
    }

    /// An engine that runs with it.
    pub fn engine(&self) -> Engine {
        Engine::new(self.rules.clone(), self.chains.clone()).with_memory(self.memory)
    }

    /// What the user should know of rules that were added: some cannot work.
    pub fn warning(&self) -> Option<String> {
        let first = self.rules.unsupported.first()?;
        let (some, all) = (self.rules.unsupported.len(), self.rules.names().count());
        Some(format!(
            "{some} of {all} rules cannot work here, the first of them {:?} ({}:{}): `lanner rules list` tells why",
            first.rule, first.file, first.line
        ))
    }
}

/// An engine with the built-in rules and chains.
pub fn engine() -> anyhow::Result<Engine> {
    Ok(Content::load(&[])?.engine())
}

/// Reads files, and of folders those that end in `.yaml` or `.yml`, by name.
pub fn files(paths: &[PathBuf]) -> Result<Vec<File>, SourceError> {
    let mut files = Vec::new();
    for path in paths {
        let failed = |e| SourceError::Failed(format!("{} cannot be read: {e}", path.display()));
        if !fs::metadata(path).map_err(failed)?.is_dir() {
            files.push(File { name: path.display().to_string(), text: read(path).map_err(failed)? });
            continue;
        }
        let entries = fs::read_dir(path).map_err(failed)?;
        let mut found: Vec<PathBuf> =
            entries.take(MAX_FILES).map(|e| e.map(|e| e.path())).collect::<Result<_, _>>().map_err(failed)?;
        found.retain(|p| p.extension().is_some_and(|e| e == "yaml" || e == "yml") && p.is_file());
        found.sort();
        if found.is_empty() {
            return Err(SourceError::Failed(format!("{} has no files that end in .yaml or .yml", path.display())));
        }
        for path in found {
            let failed = |e| SourceError::Failed(format!("{} cannot be read: {e}", path.display()));
            files.push(File { text: read(&path).map_err(failed)?, name: path.display().to_string() });
        }
    }
    Ok(files)
}

fn read(path: &Path) -> std::io::Result<String> {
    let mut bytes = Vec::new();
    fs::File::open(path)?.take(MAX_FILE).read_to_end(&mut bytes)?;
    Ok(String::from_utf8_lossy(&bytes).into_owned())
}

/// Whether a file is one of chains: its entries begin so.
pub fn is_chains(text: &str) -> bool {
    text.lines().any(|line| line.trim_start_matches('\u{feff}').starts_with("- chain:"))
}

/// A filter from the command line.
pub fn filter(text: Option<&str>) -> Result<Option<Filter>, SourceError> {
    let parse = |text: &str| Filter::parse(text).map_err(|e| SourceError::Usage(e.render("--filter")));
    text.map(parse).transpose()
}
