//! The report of an incident: what happened, how it is known, and what is not. An [`Account`] is everything that is told;
//! each format is one file, and a string.

mod account;
mod chosen;
pub(crate) mod html;
mod json;
mod markdown;
mod missing;
mod page;
#[cfg(test)]
mod tests;

use std::rc::Rc;

use lanner_core::detect::Stage;

pub(crate) use account::{Account, Hash, Listed};
pub(crate) use chosen::Chosen;
pub(crate) use missing::{Missing, is_truncated};

use crate::drawing::{self, Sketch};
use crate::lines;
use crate::navigator::{Layer, Told};

/// What a report can be written as.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Default, clap::ValueEnum)]
pub enum Format {
    /// Markdown, with the picture as a Mermaid chart
    #[default]
    Md,
    /// One page that needs nothing else
    Html,
    /// One JSON object (docs/schema/report.json)
    Json,
    /// The picture alone, for Graphviz
    Dot,
    /// The picture alone, for Mermaid
    Mermaid,
    /// A layer for MITRE's ATT&CK Navigator
    Navigator,
}

impl Format {
    /// How names of its files end.
    pub(crate) fn ending(self) -> &'static str {
        match self {
            Format::Md => "md",
            Format::Html => "html",
            Format::Json => "json",
            Format::Dot => "dot",
            Format::Mermaid => "mmd",
            Format::Navigator => "navigator.json",
        }
    }
}

/// The report in a format.
pub(crate) fn write(account: &Account<'_>, format: Format) -> String {
    match format {
        Format::Md => markdown::markdown(account),
        Format::Html => page::page(account),
        Format::Json => json::json(account),
        Format::Dot => drawing::dot(&picture(account), &account.incident.name),
        Format::Mermaid => drawing::mermaid(&picture(account)),
        Format::Navigator => lines::json(&layer(account)) + "\n",
    }
}

fn picture(account: &Account<'_>) -> Rc<Sketch> {
    Rc::new(drawing::of_incident(account.incident, account.graph))
}

fn layer(account: &Account<'_>) -> Layer {
    let incident = account.incident;
    let told = |stage: &'_ Stage| (stage.tactic, stage.technique.clone(), stage.sentence.clone(), stage.severity);
    let all: Vec<_> = incident.stages.iter().map(told).collect();
    let told = all.iter().map(|(tactic, technique, words, severity)| Told {
        tactic: *tactic,
        technique,
        words,
        score: usize::try_from(severity.weight()).unwrap_or(1).max(1),
    });
    let description = format!(
        "{} on {}, as Lanner saw it. A score is the gravity of what was seen.",
        incident.id,
        account.node_name()
    );
    Layer::new(incident.name.clone(), description, told)
}
