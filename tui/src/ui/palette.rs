//! Commands by their names, and filters made from what is selected.

use lanner_core::event::Text;

use super::command::{Command, Context};
use super::complete::quoted;
use super::keymap::Keymap;
use super::known::flows::FlowKey;
use super::prompt::{Offer, Prompt};
use super::scene::Scene;
use super::scope::file_of;
use super::state::Subject;
use super::text::{safe, shown};

/// The commands whose names begin so, then those that have the word anywhere in name or meaning.
pub(crate) fn offers(keymap: &Keymap, context: &Context, typed: &str) -> Vec<Offer> {
    let typed = typed.trim().to_lowercase();
    let mut ranked: Vec<(u8, &str, Offer)> = keymap
        .named(context)
        .filter_map(|binding| {
            let rank = match () {
                () if binding.name.starts_with(&typed) => 0,
                () if binding.name.contains(&typed) => 1,
                () if binding.long.to_lowercase().contains(&typed) => 2,
                () => return None,
            };
            let meaning = format!("{}  {}", binding.keys[0], binding.long);
            Some((rank, binding.name, Offer { line: binding.name.to_owned(), shown: binding.name.to_owned(), meaning }))
        })
        .collect();
    ranked.sort_by(|a, b| (a.0, a.1).cmp(&(b.0, b.1)));
    ranked.dedup_by(|a, b| a.1 == b.1);
    ranked.into_iter().map(|(_, _, offer)| offer).collect()
}

/// The command whose name was typed, or the first that is offered.
pub(crate) fn find(keymap: &Keymap, context: &Context, prompt: &Prompt) -> Option<Command> {
    let typed = prompt.input.value().trim();
    if typed.is_empty() {
        return None;
    }
    let named = |name: &str| keymap.named(context).find(|b| b.name == name).map(|b| b.command);
    named(typed).or_else(|| named(&offers(keymap, context, typed).first()?.line))
}

/// The filters that can be made from something, the narrowest first.
pub(crate) fn filters(scene: &Scene<'_>, subject: &Subject) -> Vec<Offer> {
    let mut lines: Vec<String> = Vec::new();
    let mut text = |field: &str, value: &Text| {
        // What is no UTF-8 cannot be typed.
        if let Ok(value) = std::str::from_utf8(value.as_bytes())
            && !value.is_empty()
        {
            lines.push(format!("{field}={}", quoted(value)));
        }
    };
    let process = match subject {
        Subject::Process(key) => Some(*key),
        Subject::Stage { incident, stage } => {
            scene.incident(incident).and_then(|i| i.stages.get(*stage)).map(|stage| stage.process.key)
        }
        Subject::Flow(key) => {
            let line = scene.flows.get(key);
            if let FlowKey::Dns(_, _, name) = key {
                text("dns.name", name);
            } else if let Some(line) = line {
                text("fd.rip", &Text::from(line.remote.ip().to_string()));
                text("fd.rport", &Text::from(line.remote.port().to_string()));
            }
            line.map(|line| line.process)
        }
        Subject::File(number) => {
            let touched = scene.files.get(*number);
            touched.iter().for_each(|t| text("fd.name", &t.file.path));
            touched.map(|t| t.by)
        }
        Subject::Event(number) => {
            let entry = scene.event(*number);
            let event = entry.as_ref().map(|entry| &entry.event);
            event.iter().for_each(|e| text("lanner.event", &Text::from(e.payload.family())));
            event.and_then(|e| file_of(e)).iter().for_each(|file| text("fd.name", &file.path));
            event.map(|e| e.header.process)
        }
        Subject::Container(id) => {
            text("container.id", &id.0);
            None
        }
        Subject::Incident(_) => None,
    };
    if let Some(process) = process.and_then(|key| scene.graph.process(key)) {
        text("proc.pid", &Text::from(process.key.pid.to_string()));
        text("proc.name", &Text::from(scene.name(process.key).unwrap_or_default()));
        if let Some(image) = scene.image(process) {
            text("proc.exepath", &image.exe.path);
        }
        if let Some(id) = &process.task.context.container {
            text("container.id", &id.0);
        }
    }
    lines.dedup();
    let right = |line: &String| lanner_core::condition::Filter::parse(line).is_ok();
    let offer = |line: String| Offer { shown: shown(safe(&line), 60), line, meaning: String::new() };
    lines.into_iter().filter(right).map(offer).collect()
}
