//! The report as one page of HTML that needs nothing else: no script, no resource from elsewhere, and a policy that allows
//! none.

use std::fmt::{self, Write};

use base64::Engine as _;
use base64::engine::general_purpose::STANDARD;
use lanner_core::detect::{duration, technique_name};
use lanner_core::event::{ProcessKey, Text};
use sha2::{Digest, Sha256};

use super::html::escaped;
use super::{Account, Missing};
use crate::drawing::{Detail, Memory, Shape, lay_out, svg};
use crate::words::{container_title, deed, text, user, when};

const STYLE: &str = include_str!("page.css");
/// Columns of an event's words.
const WORDS: usize = 1_000;
/// Columns of the picture: as wide as a page in landscape can be read.
const PICTURE: i32 = 170;

pub(super) fn page(account: &Account<'_>) -> String {
    let mut out = String::new();
    // Writing to a String cannot fail.
    let _ = whole(account, &mut out);
    out
}

fn whole(account: &Account<'_>, out: &mut String) -> fmt::Result {
    let style = STANDARD.encode(Sha256::digest(STYLE));
    let title = escaped(&account.incident.name);
    write!(
        out,
        "<!DOCTYPE html>\n<html lang=\"en\">\n<head>\n<meta charset=\"utf-8\">\n\
         <meta http-equiv=\"Content-Security-Policy\" content=\"default-src 'none'; style-src 'sha256-{style}'; \
         base-uri 'none'; form-action 'none'\">\n\
         <meta name=\"viewport\" content=\"width=device-width, initial-scale=1\">\n\
         <meta name=\"referrer\" content=\"no-referrer\">\n<meta name=\"generator\" content=\"lanner {}\">\n\
         <title>{title}</title>\n<style>{STYLE}</style>\n</head>\n<body>\n",
        env!("CARGO_PKG_VERSION")
    )?;
    heading(account, out)?;
    story(account, out)?;
    picture(account, out)?;
    evidence(account, out)?;
    timeline(account, out)?;
    processes(account, out)?;
    lists(account, out)?;
    writeln!(
        out,
        "<footer>Times are UTC, by the node's clock. Made by lanner {}.</footer>\n</body>\n</html>",
        env!("CARGO_PKG_VERSION")
    )
}

fn heading(account: &Account<'_>, out: &mut String) -> fmt::Result {
    let (incident, node) = (account.incident, account.node);
    let severity = incident.severity.word();
    write!(
        out,
        "<header>\n<h1>{}</h1>\n<p><span class=\"badge-of {severity}\">{severity}</span> on <b>{}</b>, {}</p>\n<dl>\n",
        escaped(&incident.name),
        escaped(&account.node_name()),
        escaped(&account.status())
    )?;
    let mut facts = vec![
        ("First seen", when::stamp(node, incident.first_time)),
        ("Last seen", when::stamp(node, incident.last_time)),
        ("Lasted", duration(incident.last_time.since(incident.first_time))),
        ("Incident", format!("{}, revision {}", incident.id, incident.revision)),
        ("Node", format!("{}, Linux {} {}", account.node_name(), text::safe(&node.kernel), text::safe(&node.machine))),
        ("Source", account.source.clone()),
        ("Gravity", text::safe(&incident.because)),
    ];
    facts.extend(account.chain().map(|chain| ("Story", chain)));
    facts.extend(account.others.iter().map(|(id, name)| ("Also found", format!("{id}: {name}"))));
    if let Some(header) = account.header {
        facts.extend(crate::lines::recording_words(header).map(|words| ("Note", words)));
        if !header.note.is_empty() {
            facts.push(("Recorded as", text::safe(&header.note)));
        }
    }
    for (name, value) in facts {
        writeln!(out, "<dt>{name}</dt><dd>{}</dd>", escaped(&value))?;
    }
    out.write_str("</dl>\n</header>\n")
}

fn story(account: &Account<'_>, out: &mut String) -> fmt::Result {
    let incident = account.incident;
    out.write_str("<section>\n<h2>What happened</h2>\n")?;
    if let Some((story, missing)) = account.story() {
        writeln!(out, "<p class=\"what\">{}</p>", escaped(&story))?;
        if !missing.is_empty() {
            writeln!(out, "<p>Steps of this story that were not seen: {}</p>", escaped(&missing.join(", ")))?;
        }
    }
    out.write_str("<ol class=\"story\">\n")?;
    for (i, stage) in incident.stages.iter().enumerate() {
        let gap = i.checked_sub(1).map(|before| stage.time.since(incident.stages[before].time));
        let gap = gap.map(|gap| format!(", {} later", duration(gap))).unwrap_or_default();
        let technique = technique_name(&stage.technique).map(|name| format!(" {name}")).unwrap_or_default();
        let times = if stage.count > 1 { format!(" ({} times)", stage.count) } else { String::new() };
        let severity = stage.severity.word();
        write!(
            out,
            "<li id=\"stage-{n}\"><span class=\"number-of {severity}\">{n}</span><div class=\"what\">{}{times}</div>\
             <div><span class=\"mono\">{}</span>{gap} · <span class=\"{severity}\">{severity}</span> · {} {}</div>",
            escaped(&stage.sentence),
            when::clock_millis(account.node, stage.time),
            escaped(stage.tactic.id()),
            escaped(&format!("{}{technique}", stage.technique)),
            n = i + 1,
        )?;
        if let Some(link) = &stage.link {
            let to = link.to_stage + 1;
            let why = escaped(&link.why);
            write!(out, "<div class=\"why\">Linked to <a href=\"#stage-{to}\">stage {to}</a>: {why}</div>")?;
        }
        out.write_str("</li>\n")?;
    }
    out.write_str("</ol>\n</section>\n")
}

fn picture(account: &Account<'_>, out: &mut String) -> fmt::Result {
    let sketch = super::picture(account);
    let left_out = sketch.left_out;
    let shape = Shape { detail: Detail::Full, fold: Some(PICTURE) };
    let drawing = lay_out(sketch, shape, &mut Memory::default());
    let title = format!("Who did what to whom in {}", account.incident.name);
    write!(
        out,
        "<section class=\"picture\">\n<h2>Picture</h2>\n<div class=\"scroll\">\n{}</div>\n",
        svg(&drawing, &title)
    )?;
    out.write_str(
        "<p class=\"dim\">Numbers are stages. Heavy frames are containers, round ones files and remote ends; who has a broken \
         frame was made use of, and is no part of the attack. An arrow leads from cause to effect; with … it leads through \
         processes that are left out.</p>\n",
    )?;
    if left_out > 0 {
        writeln!(out, "<p>{} more are left out of the picture.</p>", text::grouped(left_out as u64))?;
    }
    out.write_str("</section>\n")
}

const HEAD: &str = "<table>\n<thead><tr><th>Time</th><th>Stage</th><th>Event</th><th>Process</th><th>What</th></tr></thead>\n<tbody>\n";

fn evidence(account: &Account<'_>, out: &mut String) -> fmt::Result {
    write!(out, "<section>\n<h2>Evidence</h2>\n{HEAD}")?;
    for listed in account.listed().filter(|listed| !listed.stages.is_empty()) {
        row(account, &listed, false, out)?;
    }
    out.write_str("</tbody>\n</table>\n</section>\n")
}

fn timeline(account: &Account<'_>, out: &mut String) -> fmt::Result {
    write!(out, "<section>\n<h2>Timeline</h2>\n{HEAD}")?;
    for listed in account.listed() {
        row(account, &listed, !listed.stages.is_empty(), out)?;
    }
    out.write_str("</tbody>\n</table>\n")?;
    if account.left_out > 0 {
        let n = text::grouped(account.left_out);
        writeln!(out, "<p>{n} more events of its processes are left out.</p>")?;
    }
    out.write_str("</section>\n")
}

fn row(account: &Account<'_>, listed: &super::Listed<'_>, marked: bool, out: &mut String) -> fmt::Result {
    let header = &listed.event.header;
    let links: Vec<String> = listed.stages.iter().map(|n| format!("<a href=\"#stage-{n}\">{n}</a>")).collect();
    let words = text::shown(deed(&listed.event.payload, account.graph), WORDS);
    writeln!(
        out,
        "<tr{}><td class=\"n\">{}</td><td class=\"n\">{}</td><td class=\"n\">{}</td><td>{}</td><td>{}</td></tr>",
        if marked { " class=\"stage\"" } else { "" },
        when::clock_millis(account.node, header.time),
        links.join(" "),
        header.seq,
        escaped(&process(account, header.process)),
        escaped(&words)
    )
}

fn processes(account: &Account<'_>, out: &mut String) -> fmt::Result {
    out.write_str(
        "<section>\n<h2>Processes</h2>\n<table>\n<thead><tr><th>Started</th><th>Pid</th><th>User</th><th>Where</th>\
         <th>Program</th><th>Arguments</th></tr></thead>\n<tbody>\n",
    )?;
    for process in &account.incident.processes {
        let place =
            process.container.as_ref().map_or_else(|| "host".to_owned(), |id| container_title(id, account.graph));
        let user = account.graph.process(process.key).map(|p| user(p.task.context.creds.euid)).unwrap_or_default();
        writeln!(
            out,
            "<tr><td class=\"n\">{}</td><td class=\"n\">{}</td><td>{}</td><td>{}</td><td>{}</td><td>{}</td></tr>",
            when::clock_millis(account.node, process.key.start),
            process.key.pid,
            escaped(&user),
            escaped(&place),
            escaped(&text::shown(&process.exe, WORDS)),
            escaped(&text::shown(&process.args, WORDS)),
        )?;
    }
    out.write_str("</tbody>\n</table>\n</section>\n")
}

fn lists(account: &Account<'_>, out: &mut String) -> fmt::Result {
    let incident = account.incident;
    let hashes = account.hashes().into_iter().map(|h| format!("{}: SHA-256 {}", h.of, h.sha256));
    for (title, list) in [
        ("Files", incident.files.iter().map(|f| text::shown(f, WORDS)).collect::<Vec<_>>()),
        ("Peers", incident.peers.iter().map(ToString::to_string).collect()),
        ("Hashes", hashes.collect()),
        ("What was not seen", account.missing.sentences(account.node, account.graph)),
        ("What is never seen on this node", Missing::never(account.node)),
    ] {
        if list.is_empty() {
            continue;
        }
        write!(out, "<section>\n<h2>{title}</h2>\n<ul>\n")?;
        for line in list {
            writeln!(out, "<li>{}</li>", escaped(&line))?;
        }
        out.write_str("</ul>\n</section>\n")?;
    }
    Ok(())
}

/// A process as a person speaks of it.
pub(super) fn process(account: &Account<'_>, key: ProcessKey) -> String {
    let remembered = || account.incident.processes.iter().find(|p| p.key == key).map(|p| Text::from(p.exe.file_name()));
    let name = account.graph.process(key).map(|p| Text::from(p.name())).or_else(remembered);
    match name {
        Some(name) => format!("{} ({})", text::shown(name, 80), key.pid),
        None => format!("process {}", key.pid),
    }
}
