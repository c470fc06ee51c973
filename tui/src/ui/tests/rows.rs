//! What is shown by what was remembered is what is shown when nothing was.

use lanner_core::event::{ContainerId, Text};
use ratatui::buffer::Buffer;
use ratatui::layout::Rect;

use super::super::model::Model;
use super::super::state::{Screen, Subject};
use super::super::update::update;
use super::super::view::{ViewState, paint};
use super::forest::{Random, feed, history, model, model_with};
use super::key;

fn frame(model: &Model) -> Buffer {
    let area = Rect { x: 0, y: 0, width: 120, height: 40 };
    let mut buffer = Buffer::empty(area);
    paint(&model.scene(), &model.state, &mut ViewState::default(), area, &mut buffer);
    buffer
}

/// A frame of one who has just come.
fn frame_anew(model: &mut Model) -> Buffer {
    let state = &mut model.state;
    let rows = (state.flow_rows.take(), state.file_rows.take());
    let (tree, followed) = (std::mem::take(&mut state.tree), state.followed.take());
    let frame = frame(model);
    model.state.flow_rows.replace(rows.0);
    model.state.file_rows.replace(rows.1);
    model.state.tree = tree;
    model.state.followed.replace(followed);
    frame
}

#[test]
fn lists_that_follow_are_those_that_are_made_anew() {
    for seed in 1..9 {
        let mut model = model();
        let mut random = Random(seed * 31_337);
        let mut events = history(seed * 65_537).into_iter().peekable();
        while events.peek().is_some() {
            let some = events.by_ref().take(1 + random.below(9)).collect();
            feed(&mut model, some);
            for screen in [Screen::Flows, Screen::Files, Screen::Tree] {
                model.state.screen = screen;
                // Another order, another view, another selection; back to before, and to now.
                if let Some(c) = ['s', 'S', 'v', 'j', 'G', '[', 'f'].get(random.below(30)) {
                    update(&mut model, key(*c));
                }
                model.state.screen = screen;
                assert_eq!(frame(&model), frame_anew(&mut model), "seed {seed}, {screen:?}");
            }
        }
        assert!(model.scene().flows.len() > 3 && model.scene().files.len() > 3);
    }
}

#[test]
fn who_runs_in_a_container_is_followed_and_is_told_as_if_it_were_looked_for_anew() {
    for seed in 1..4 {
        // So little memory that most of those who ended are forgotten.
        let engine = || crate::detection::engine().unwrap().with_memory(48 << 10);
        let mut model = model_with(engine);
        let mut random = Random(seed * 31_337);
        let mut forgotten = 0;
        for round in 0..3 {
            let mut events = history(seed * 65_537 + round).into_iter().peekable();
            while events.peek().is_some() {
                let some = events.by_ref().take(1 + random.below(9)).collect();
                feed(&mut model, some);
                if random.below(9) == 0 {
                    let id = ContainerId(Text::from(format!("{:064x}", random.below(3))));
                    model.state.open(Subject::Container(id));
                    model.state.zoomed = true;
                }
                if let Some(c) = ['[', 'f'].get(random.below(30)) {
                    update(&mut model, key(*c));
                }
                if model.state.zoomed {
                    assert_eq!(frame(&model), frame_anew(&mut model), "seed {seed}");
                }
            }
            forgotten = model.scene().graph.evicted();
        }
        assert!(forgotten > 9, "{forgotten}");
    }
}

#[test]
fn the_flows_of_a_process_are_followed_and_are_told_as_if_they_were_looked_for_anew() {
    let mut told = 0;
    for seed in 1..9 {
        let mut model = model();
        let mut random = Random(seed * 31_337);
        let mut events = history(seed * 65_537).into_iter().peekable();
        while events.peek().is_some() {
            let some = events.by_ref().take(1 + random.below(9)).collect();
            feed(&mut model, some);
            if random.below(9) == 0 {
                let flows = model.scene().flows;
                let process = flows.iter().nth(random.below(flows.len().max(1))).map(|line| line.process);
                process.into_iter().for_each(|key| model.state.open(Subject::Process(key)));
                model.state.zoomed = process.is_some();
            }
            if let Some(c) = ['[', 'f'].get(random.below(30)) {
                update(&mut model, key(*c));
            }
            if model.state.zoomed {
                let shown = frame(&model);
                let text: String = shown.content.iter().map(|cell| cell.symbol()).collect();
                told += usize::from(text.contains("connected") || text.contains("open to"));
                assert_eq!(shown, frame_anew(&mut model), "seed {seed}");
            }
        }
    }
    assert!(told > 9, "{told}");
}
