//! The report as Markdown (CommonMark with GitHub's tables), the picture as a Mermaid chart.

use std::fmt::Write;

use lanner_core::detect::{duration, technique_name};

use super::{Account, Missing};
use crate::drawing;
use crate::words::{deed, text, when};

/// Columns of an event's words.
const WORDS: usize = 400;

pub(super) fn markdown(account: &Account<'_>) -> String {
    let mut out = String::new();
    // Writing to a String cannot fail.
    let _ = whole(account, &mut out);
    out
}

fn whole(account: &Account<'_>, out: &mut String) -> std::fmt::Result {
    let (incident, node) = (account.incident, account.node);
    writeln!(out, "# {}\n", escaped(&incident.name))?;
    writeln!(out, "| | |\n|---|---|")?;
    let mut fact = |name: &str, value: &str| writeln!(out, "| {name} | {} |", escaped(value));
    fact("Severity", incident.severity.word())?;
    fact("Because", &incident.because)?;
    fact("Status", &account.status())?;
    fact("Node", &account.node_name())?;
    fact("First seen", &when::stamp(node, incident.first_time))?;
    fact("Last seen", &when::stamp(node, incident.last_time))?;
    fact("Lasted", &duration(incident.last_time.since(incident.first_time)))?;
    fact("Incident", &format!("{}, revision {}", incident.id, incident.revision))?;
    if let Some(chain) = account.chain() {
        fact("Story", &chain)?;
    }
    fact("Source", &account.source)?;
    for (id, name) in &account.others {
        fact("Also found", &format!("{id}: {name}"))?;
    }

    writeln!(out, "\n## What happened\n")?;
    if let Some((story, missing)) = account.story() {
        writeln!(out, "{}\n", escaped(&story))?;
        if !missing.is_empty() {
            writeln!(out, "Steps of this story that were not seen: {}\n", escaped(&missing.join(", ")))?;
        }
    }
    for (i, stage) in incident.stages.iter().enumerate() {
        let gap = i.checked_sub(1).map(|before| stage.time.since(incident.stages[before].time));
        let gap = gap.map(|gap| format!(", {} later", duration(gap))).unwrap_or_default();
        let name = technique_name(&stage.technique).map(|name| format!(" {name}")).unwrap_or_default();
        let times = if stage.count > 1 { format!(" ({} times)", stage.count) } else { String::new() };
        writeln!(out, "{}. **{}**{times}  ", i + 1, escaped(&stage.sentence))?;
        let place = format!("{} {}{name}", stage.tactic, stage.technique);
        write!(out, "   {}{gap}: {}", when::clock_millis(node, stage.time), escaped(&place))?;
        if let Some(link) = &stage.link {
            write!(out, "  \n   Linked to stage {}: {}", link.to_stage + 1, escaped(&link.why))?;
        }
        out.push('\n');
    }

    let sketch = super::picture(account);
    writeln!(out, "\n## Picture\n\n```mermaid\n{}```", drawing::mermaid(&sketch))?;
    if sketch.left_out > 0 {
        writeln!(out, "\n{} more are left out of the picture.", sketch.left_out)?;
    }

    writeln!(out, "\n## Timeline\n\n| Time | Stage | Event | Process | What |\n|---|---|---|---|---|")?;
    for listed in account.listed() {
        let header = &listed.event.header;
        let stages: Vec<String> = listed.stages.iter().map(usize::to_string).collect();
        let words = text::shown(deed(&listed.event.payload, account.graph), WORDS);
        writeln!(
            out,
            "| {} | {} | {} | {} | {} |",
            when::clock_millis(node, header.time),
            stages.join(", "),
            header.seq,
            escaped(&super::page::process(account, header.process)),
            escaped(&words)
        )?;
    }
    if account.left_out > 0 {
        writeln!(out, "\n{} more events of its processes are left out.", account.left_out)?;
    }

    for (title, list) in [
        ("Files", incident.files.iter().map(|f| text::shown(f, WORDS)).collect::<Vec<_>>()),
        ("Peers", incident.peers.iter().map(ToString::to_string).collect()),
        ("Hashes", account.hashes().iter().map(|h| format!("{}: SHA-256 {}", h.of, h.sha256)).collect()),
        ("What was not seen", account.missing.sentences(node, account.graph)),
        ("What is never seen on this node", Missing::never(node)),
    ] {
        if !list.is_empty() {
            writeln!(out, "\n## {title}\n")?;
            for line in list {
                writeln!(out, "- {}", escaped(&line))?;
            }
        }
    }
    writeln!(out, "\nTimes are UTC. Made by lanner {}.", env!("CARGO_PKG_VERSION"))
}

/// Words as text of one line: no mark of it is Markdown's, and nothing becomes a link.
fn escaped(words: &str) -> String {
    let mut out = String::with_capacity(words.len() + 8);
    let mut only_digits = true;
    for (i, c) in words.char_indices() {
        let begins_list = only_digits && matches!(c, '.' | ')');
        only_digits &= c.is_ascii_digit();
        let begins_link = match c {
            ':' => words[i + 1..].starts_with('/'),
            '.' => i >= 3 && words.as_bytes()[i - 3..i].eq_ignore_ascii_case(b"www"),
            _ => false,
        };
        let harmless = matches!(c, ',' | ';' | '/' | '%' | '\'' | '"' | '(' | ')' | '?' | '.' | ':')
            || (matches!(c, '-' | '+' | '=') && i > 0);
        match c {
            c if c.is_ascii_punctuation() && (!harmless || begins_list || begins_link) => out.extend(['\\', c]),
            c if c.is_ascii() && !c.is_ascii_control() => out.push(c),
            c => out.push_str(&text::safe(c.encode_utf8(&mut [0; 4]))),
        }
    }
    out
}
