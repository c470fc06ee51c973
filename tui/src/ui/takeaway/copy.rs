//! A thing as text to paste elsewhere. Escaped as on the screen: what an attacker chose does not run in the shell that it is
//! pasted into by a line feed of its own.

use super::super::scene::Scene;
use super::super::state::Subject;
use super::super::words;
use crate::lines::{self, json};

/// The text, and what it is.
pub(crate) fn text(scene: &Scene<'_>, subject: &Subject) -> Option<(String, &'static str)> {
    Some(match subject {
        Subject::Incident(id) => {
            let incident = scene.incident_of_any_time(id)?;
            (lines::incident_words(incident, scene.node, 0) + "\n", "the story")
        }
        Subject::Stage { incident, stage } => {
            let stage = scene.incident_of_any_time(incident)?.stages.get(*stage)?;
            (format!("{} {}: {}", stage.tactic, stage.technique, stage.sentence), "the stage")
        }
        Subject::Process(key) => {
            let process = scene.graph.process(*key)?;
            match process.image() {
                Some(image) => (crate::words::command(image), "the command"),
                None => (key.pid.to_string(), "the pid"),
            }
        }
        Subject::Container(id) => (id.to_string(), "the container's id"),
        Subject::Flow(key) => (scene.flows.get(key)?.remote.to_string(), "the address"),
        Subject::File(number) => (words::file(&scene.files.get(*number)?.file), "the path"),
        Subject::Event(number) => {
            let entry = scene.event(*number)?;
            (json(&lines::event(&entry.event, scene.node, scene.graph)), "the event")
        }
    })
}
