//! Everything known of a stage of an incident.

use lanner_core::detect::technique_name;

use super::super::look::glyph;
use super::super::scene::Scene;
use super::super::state::Subject;
use super::super::text::{grouped, safe};
use super::super::{when, words};
use super::{Page, rule};

pub(super) fn write(page: &mut Page, scene: &Scene<'_>, id: &str, index: usize) {
    let Some((incident, stage)) = scene.incident(id).and_then(|i| Some((i, scene.stages(i).get(index)?))) else {
        page.heading("Stage");
        page.fact("", "it is not known at the moment that is shown");
        return;
    };
    page.heading(&format!("Stage {} of {}", index + 1, scene.stages(incident).len()));
    page.fact("what", &safe(&stage.sentence));
    page.fact("rule", &safe(&stage.signal));
    let severity = format!("{} {}", glyph(stage.severity), stage.severity.word());
    page.styled("severity", &severity, page.look.severity(stage.severity), None);
    page.fact("tactic", stage.tactic.id());
    let name = technique_name(&stage.technique).unwrap_or("no name of it is known here");
    page.fact("technique", &format!("{} {name}", safe(&stage.technique)));
    page.fact("when", &when::stamp(scene.node, stage.time));
    if stage.count > 1 {
        let last = when::stamp(scene.node, stage.last_time);
        page.fact("", &format!("{} times, the last at {last}", grouped(stage.count)));
    }
    page.process("process", stage.process.key, scene);
    page.fact("it ran", &words_of(&stage.process.exe.to_string(), &stage.process.args.to_string()));
    match &stage.process.container {
        Some(container) => {
            page.link(
                "container",
                &words::container_title(container, scene.graph),
                Subject::Container(container.clone()),
            );
        }
        None => page.fact("container", "none: it ran on the host"),
    }

    page.heading("Why it belongs to this incident");
    match &stage.link {
        None => page.fact("", "it is where the incident began"),
        Some(link) => {
            page.fact("evidence", link.kind.id());
            page.fact("why", &safe(&link.why));
            let to = Subject::Stage { incident: id.to_owned(), stage: link.to_stage };
            let earlier = incident.stages.get(link.to_stage).map(|s| safe(&s.sentence)).unwrap_or_default();
            page.link("linked to", &format!("stage {}: {earlier}", link.to_stage + 1), to);
            for (i, seq) in link.evidence.iter().enumerate() {
                page.event(if i == 0 { "shown by" } else { "" }, *seq, scene);
            }
        }
    }

    page.heading("The events it rests on");
    for seq in &stage.evidence {
        page.event("", *seq, scene);
    }
    rule::write(page, scene, &stage.signal, &stage.evidence);
}

fn words_of(exe: &str, args: &str) -> String {
    if args.is_empty() { exe.to_owned() } else { format!("{exe}  {args}") }
}
