//! Of what the graph is a picture, and what is selected in it.

use lanner_core::event::ProcessKey;
use ratatui::crossterm::event::KeyCode;

use super::super::model::Model;
use super::super::screens;
use super::super::state::{Screen, Subject};
use super::keys::{code, live, press, type_in};
use super::text;

fn shown(model: &Model) -> String {
    let area = ratatui::layout::Rect { x: 0, y: 0, width: 80, height: 24 };
    let mut buffer = ratatui::buffer::Buffer::empty(area);
    super::paint(&model.scene(), &model.state, &mut super::ViewState::default(), area, &mut buffer);
    text(&buffer)
}

/// Of what the picture is, in its first line.
fn title(model: &Model) -> String {
    shown(model).lines().nth(2).unwrap_or_default().trim().to_owned()
}

fn selected(model: &Model) -> Option<Subject> {
    screens::selected(&model.scene(), &model.state)
}

/// A process of the incident that is not its first, and one that is none of it.
fn processes(model: &Model) -> (ProcessKey, ProcessKey) {
    let scene = model.scene();
    let incident = scene.incidents()[0];
    let part = |key| incident.processes.iter().any(|p| p.key == key);
    let other = scene.processes().find(|p| !part(p.key) && p.key.pid > 1).unwrap().key;
    (incident.processes[2].key, other)
}

#[test]
fn what_is_part_of_an_incident_is_shown_in_the_picture_of_it() {
    let mut model = live();
    let name = model.scene().incidents()[0].name.clone();
    let (part, other) = processes(&model);
    for (key, of) in [(part, name.as_str()), (other, "around ")] {
        type_in(&mut model, "2");
        model.state.select_process(key);
        type_in(&mut model, "3");
        assert!(title(&model).starts_with(of), "{}", shown(&model));
        assert_eq!(selected(&model), Some(Subject::Process(key)));
    }
}

#[test]
fn who_looks_into_a_process_sees_what_lies_around_it() {
    let mut model = live();
    let (part, _) = processes(&model);
    type_in(&mut model, "2");
    model.state.select_process(part);
    press(&mut model, code(KeyCode::Enter));
    type_in(&mut model, "3");
    assert!(title(&model).starts_with("around "), "{}", shown(&model));
}

#[test]
fn from_the_incident_the_tree_shows_with_whom_it_began_and_the_graph_the_whole_of_it() {
    let mut model = live();
    let incident = model.scene().incidents()[0];
    let (first, name) = (incident.stages[0].process.key, incident.name.clone());
    type_in(&mut model, "2");
    assert_eq!(selected(&model), Some(Subject::Process(first)));
    type_in(&mut model, "3");
    assert_eq!((model.state.screen, title(&model).starts_with(&name)), (Screen::Graph, true), "{}", shown(&model));
}

#[test]
fn stepping_from_signal_to_signal_walks_through_the_picture() {
    let mut model = live();
    type_in(&mut model, "3");
    shown(&model);
    let mut walked = Vec::new();
    for _ in 0..6 {
        type_in(&mut model, "[");
        shown(&model);
        let by = model.scene().event(model.state.selection.event.unwrap()).unwrap().event.header.process;
        assert_eq!(selected(&model), Some(Subject::Process(by)), "{}", shown(&model));
        walked.push(by);
    }
    walked.dedup();
    assert!(walked.len() > 2, "{walked:?}");
}

#[test]
fn the_picture_begins_where_the_story_was_left() {
    let mut model = live();
    press(&mut model, code(KeyCode::Enter));
    type_in(&mut model, "jjj3");
    let stage = model.scene().incidents()[0].stages[3].process.key;
    assert_eq!(selected(&model), Some(Subject::Process(stage)), "{}", shown(&model));
}

#[test]
fn a_filter_stands_out_in_the_picture_and_is_walked_through() {
    let mut model = live();
    type_in(&mut model, "3");
    let all = title(&model);
    type_in(&mut model, "/curl");
    press(&mut model, code(KeyCode::Enter));
    type_in(&mut model, "g");
    // What is said of the selected node, below the picture.
    let told = |model: &Model| shown(model).lines().nth(21).unwrap_or_default().to_owned();
    let mut walked = vec![told(&model)];
    while model.state.notice.is_none() {
        type_in(&mut model, "n");
        walked.push(told(&model));
    }
    assert!(title(&model).contains(" match") && !all.contains(" match"), "{}", shown(&model));
    assert_eq!(model.state.notice.as_deref(), Some("no other match"));
    assert!(walked[1..].iter().any(|told| told.starts_with(" process curl ")), "{walked:#?}");
    assert!(!walked[1..].iter().any(|told| told.contains("nsenter")), "{walked:#?}");
}

/// Whatever is there may have done much, elsewhere: it is not said that nothing came of it.
#[test]
fn of_whom_the_attacker_calls_it_is_said_that_nothing_leads_on_from_there() {
    let mut model = live();
    type_in(&mut model, "3/10.77.0.9");
    press(&mut model, code(KeyCode::Enter));
    let mut told = shown(&model);
    while !told.contains("\n peer ") && model.state.notice.is_none() {
        type_in(&mut model, "n");
        told = shown(&model);
    }
    assert!(told.contains("\n peer 10.77.0.9:8000") && told.contains("\n nothing leads on from here"), "{told}");
}
