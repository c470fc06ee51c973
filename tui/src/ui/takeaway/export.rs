//! The report of an incident, from what is known now.

use super::super::feed::Source;
use super::super::scene::Scene;
use super::super::state::{State, Subject};
use super::super::text::safe;
use crate::report::{Account, Chosen, Format, Missing, write};

/// The letters of the formats, as they are asked for.
pub(crate) const FORMATS: [(char, Format); 6] = [
    ('m', Format::Md),
    ('h', Format::Html),
    ('j', Format::Json),
    ('d', Format::Dot),
    ('g', Format::Mermaid),
    ('n', Format::Navigator),
];

/// What is asked for.
pub(crate) const ASKED: &str = "export: m md  h html  j json  d dot  g mermaid  n nav";

/// The incident that an export would be of: the one that was drilled down to or selected, else the gravest.
pub(crate) fn incident(scene: &Scene<'_>, state: &State) -> Option<String> {
    let drilled = state.trail.iter().rev().find_map(|step| match &step.subject {
        Subject::Incident(id) | Subject::Stage { incident: id, .. } => Some(id),
        _ => None,
    });
    let known = |id: &&String| scene.incident_of_any_time(id).is_some();
    let chosen = drilled.or(state.selection.incident.as_ref()).filter(known).cloned();
    chosen.or_else(|| scene.incidents().first().map(|incident| incident.id.clone()))
}

/// The report, with all that is known by now, whatever moment is shown.
pub(crate) fn report(scene: &Scene<'_>, id: &str, format: Format) -> Option<String> {
    let scene = scene.in_hindsight();
    let incident = scene.incident_of_any_time(id)?;
    let mut chosen = Chosen::new(incident, scene.graph);
    for number in scene.history.start()..scene.until.end {
        scene.event(number).iter().for_each(|entry| chosen.offer(&entry.event));
    }
    let truncated = chosen.truncated();
    let gaps = scene.health.gaps.len();
    let mut problem = scene.reception.ended.as_ref().filter(|end| !end.complete).map(|end| end.words.clone());
    if scene.history.let_go() > 0 {
        problem = Some(format!("{} older events had to be let go", scene.history.let_go()));
    } else if gaps > 0 {
        problem = Some(format!("the connection was lost {gaps} times, and what happened meanwhile is not known"));
    }
    let source = match &scene.reception.source {
        Source::Live => "the sensor of this node".to_owned(),
        Source::Remote(address) => safe(address),
        Source::Recording(name, _) => safe(name),
    };
    let others = scene.incidents().into_iter().filter(|other| other.id != incident.id);
    let account = Account {
        incident,
        others: others.map(|other| (other.id.as_str(), other.name.as_str())).collect(),
        graph: scene.graph,
        node: scene.node,
        header: scene.reception.recording.as_deref(),
        source,
        events: chosen.events.iter().collect(),
        left_out: chosen.left_out,
        missing: Missing { losses: scene.health.losses.clone(), truncated, problem },
        source_hash: None,
    };
    Some(write(&account, format))
}
