//! What a message changes. Nothing here draws, waits or touches a terminal; what must be done outside is returned.

use ratatui::crossterm::event::{KeyCode, KeyEvent, KeyEventKind, KeyModifiers};
use ratatui::layout::Size;
use tui_input::{Input, InputRequest};

use super::command::{Command, Key, command_for};
use super::details;
use super::feed::{FeedItem, ReplayCommand};
use super::filter::Filter;
use super::model::Model;
use super::screens::{help, incidents, sensor, timeline, tree};
use super::state::{Prompt, Screen};
use super::view::Regions;

/// A filter is no longer than this, in characters.
const MAX_FILTER: usize = 1_024;

/// Something that the model must take in.
#[derive(Debug)]
pub enum Msg {
    /// From the source of events.
    Feed(FeedItem),
    /// From the keyboard.
    Key(KeyEvent),
    /// The terminal has this many columns and rows now.
    Resize(u16, u16),
}

/// Something that must be done outside.
#[derive(Debug, Clone, Copy, PartialEq)]
pub enum Effect {
    /// Leave the program.
    Quit,
    /// Stop the program until the shell continues it.
    Suspend,
    /// Draw the whole screen anew.
    Redraw,
    /// Tell the replay.
    Replay(ReplayCommand),
}

/// Takes in a message.
pub fn update(model: &mut Model, msg: Msg) -> Vec<Effect> {
    match msg {
        Msg::Feed(item) => {
            feed(model, item);
            Vec::new()
        }
        Msg::Resize(width, height) => {
            model.state.size = Size { width, height };
            Vec::new()
        }
        Msg::Key(event) if event.kind == KeyEventKind::Release => Vec::new(),
        Msg::Key(event) => key(model, event),
    }
}

fn feed(model: &mut Model, item: FeedItem) {
    let (before, start) = (model.world.moment(), model.world.scene(None).history.start());
    model.world.take(item);
    let now = model.world.moment();
    let scene = model.world.scene(None);
    if now.end < before.end || scene.history.start() < start {
        // Another node, or another boot: what was selected, paused at or listed is of the past one.
        model.state.paused = None;
        model.state.event = None;
        model.state.drill.clear();
        model.state.listing.rebuild(&scene, &model.state.filter);
    }
    if model.state.untouched && !scene.incidents().is_empty() {
        model.state.screen = Screen::Incidents;
    }
    model.state.listing.extend(&scene, &model.state.filter);
}

fn key(model: &mut Model, event: KeyEvent) -> Vec<Effect> {
    let context = model.state.context(&model.scene());
    model.state.notice = None;
    model.state.untouched = false;
    if let Some(command) = command_for(Key::from(event), &context) {
        return perform(model, command);
    }
    let plain = event.modifiers.difference(KeyModifiers::SHIFT).is_empty();
    if let (true, true, KeyCode::Char(c)) = (context.prompt, plain, event.code) {
        edit(model, InputRequest::InsertChar(c));
    }
    Vec::new()
}

fn perform(model: &mut Model, command: Command) -> Vec<Effect> {
    match command {
        Command::Quit => return vec![Effect::Quit],
        Command::Suspend => return vec![Effect::Suspend],
        Command::Redraw => return vec![Effect::Redraw],
        Command::Pause => return pause(model),
        Command::Faster | Command::Slower => {
            let speed = model.world.reception.speed;
            model.world.reception.speed = if command == Command::Faster { speed.faster() } else { speed.slower() };
            return vec![Effect::Replay(ReplayCommand::Speed(model.world.reception.speed))];
        }
        Command::Help => model.state.help = if model.state.help.is_some() { None } else { Some(0) },
        Command::Back => back(model),
        Command::Show(screen) => show(model, screen),
        Command::NextScreen => show(model, model.state.screen.step(true)),
        Command::PreviousScreen => show(model, model.state.screen.step(false)),
        Command::Zoom => model.state.zoomed = !model.state.zoomed,
        Command::Filter => {
            let before = model.state.filter.clone();
            let input = Input::new(before.text().to_owned());
            model.state.prompt = Some(Prompt { input, error: None, before });
        }
        Command::Accept => accept(model),
        Command::Cancel => {
            if let Some(prompt) = model.state.prompt.take() {
                apply(model, prompt.before);
            }
        }
        Command::Erase => edit(model, InputRequest::DeletePrevChar),
        Command::EraseAll => edit(model, InputRequest::DeleteLine),
        Command::CursorLeft => edit(model, InputRequest::GoToPrevChar),
        Command::CursorRight => edit(model, InputRequest::GoToNextChar),
        Command::NextSignal | Command::PreviousSignal
            if model.state.screen != Screen::Incidents || !model.state.drill.is_empty() =>
        {
            signal(model, command == Command::NextSignal);
        }
        other => navigate(model, other),
    }
    Vec::new()
}

/// Holds the view, and a recording with it; or lets both go on.
fn pause(model: &mut Model) -> Vec<Effect> {
    let pausing = model.state.paused.is_none();
    model.state.paused = pausing.then(|| model.world.moment());
    match (model.world.reception.is_replay(), pausing) {
        (true, true) => vec![Effect::Replay(ReplayCommand::Pause)],
        (true, false) => vec![Effect::Replay(ReplayCommand::Resume)],
        (false, _) => Vec::new(),
    }
}

/// Goes back one step: out of the help, out of the details, out of the story, out of the filter.
fn back(model: &mut Model) {
    let state = &mut model.state;
    if state.help.is_some() {
        state.help = None;
    } else if state.drill.pop().is_some() {
        if state.drill.is_empty() {
            state.zoomed = false;
        }
    } else if state.screen == Screen::Incidents && state.story {
        state.story = false;
    } else {
        apply(model, Filter::everything());
    }
}

/// Shows a screen, at what was selected on the one before.
fn show(model: &mut Model, screen: Screen) {
    model.state.drill.clear();
    model.state.zoomed = false;
    model.state.screen = screen;
    if screen == Screen::Tree {
        tree::reveal(&model.world.scene(model.state.paused), &mut model.state);
    }
}

/// Applies what stands in the prompt, unless it is wrong.
fn accept(model: &mut Model) {
    match model.state.prompt.take() {
        Some(prompt) if prompt.error.is_some() => model.state.prompt = Some(prompt),
        _ => {}
    }
}

/// Changes what stands in the prompt; while it is wrong the last good filter stays applied.
fn edit(model: &mut Model, request: InputRequest) {
    let Some(prompt) = &mut model.state.prompt else { return };
    let inserts = matches!(request, InputRequest::InsertChar(_));
    if inserts && prompt.input.value().chars().count() >= MAX_FILTER {
        return;
    }
    prompt.input.handle(request);
    match Filter::parse(prompt.input.value()) {
        Ok(filter) => {
            prompt.error = None;
            apply(model, filter);
        }
        Err(error) => prompt.error = Some(error),
    }
}

fn apply(model: &mut Model, filter: Filter) {
    if model.state.filter != filter {
        model.state.filter = filter;
        model.state.listing.rebuild(&model.world.scene(None), &model.state.filter);
    }
}

/// Goes to the nearest event with a signal, before or after the selected one.
fn signal(model: &mut Model, forward: bool) {
    let scene = model.world.scene(model.state.paused);
    let state = &mut model.state;
    let found = match (forward, state.event) {
        (true, Some(number)) => scene.history.signal_after(number, scene.at.end),
        (true, None) => None,
        (false, number) => scene.history.signal_before(number.unwrap_or(scene.at.end).min(scene.at.end)),
    };
    match found {
        Some(number) => {
            state.select_event(&scene, number);
            if state.screen == Screen::Tree {
                tree::reveal(&scene, state);
            }
            if let Some(drill) = state.drill.last_mut() {
                drill.subject = super::state::Subject::Event(number);
                drill.line = 0;
            }
        }
        None => state.notice = Some(if forward { "no later signal" } else { "no earlier signal" }.to_owned()),
    }
}

fn navigate(model: &mut Model, command: Command) {
    let scene = model.world.scene(model.state.paused);
    let context = model.state.context(&scene);
    let state = &mut model.state;
    let Some(regions) = Regions::of(state.size, state) else { return };
    if let Some(from) = state.help {
        let last = help::last(state, &context, regions.body);
        let page = usize::from(regions.body.height);
        if let Some(to) = super::screens::moved(command, from, last + 1, page) {
            state.help = Some(to);
        }
        return;
    }
    if !state.drill.is_empty() {
        let columns = usize::from(regions.details.width).saturating_sub(1);
        details::act(&scene, state, command, columns, usize::from(regions.details.height));
        return;
    }
    let page = usize::from(regions.main.height);
    match state.screen {
        Screen::Incidents => incidents::act(&scene, state, command, page),
        Screen::Tree => tree::act(&scene, state, command, page.saturating_sub(1)),
        Screen::Timeline => timeline::act(&scene, state, command, page.saturating_sub(1)),
        Screen::Sensor => {
            let columns = usize::from(regions.main.width).saturating_sub(1);
            sensor::act(&scene, state, command, columns, page);
        }
    }
}
