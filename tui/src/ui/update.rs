//! What a message changes. Nothing here draws, waits or touches a terminal; what must be done outside is returned.

use ratatui::crossterm::event::{KeyCode, KeyEvent, KeyEventKind, KeyModifiers};
use ratatui::layout::Size;
use tui_input::InputRequest;

use super::command::{Command, Key};
use super::details;
use super::feed::{FeedItem, ReplayCommand, Source};
use super::filter::Filter;
use super::model::Model;
use super::prompt::{Prompt, PromptKind};
use super::scope::Scope;
use super::screens::{self, files, flows, graph, help, incidents, sensor, timeline, tree};
use super::state::{Mark, Pending, Screen, Subject};
use super::view::Regions;
use super::{complete, palette, takeaway};

/// Something that the model must take in.
#[derive(Debug)]
pub enum Msg {
    /// From the source of events.
    Feed(FeedItem),
    /// From the keyboard.
    Key(KeyEvent),
    /// Text that was pasted.
    Paste(String),
    /// The terminal has this many columns and rows now.
    Resize(u16, u16),
    /// Nothing else is to be done: go on with what is left (see [`Model::is_busy`]).
    Work,
}

/// Something that must be done outside.
#[derive(Debug, Clone, PartialEq)]
pub enum Effect {
    /// Leave the program.
    Quit,
    /// Stop the program until the shell continues it.
    Suspend,
    /// Draw the whole screen anew.
    Redraw,
    /// Write this into a new file.
    Save {
        /// The beginning of its name.
        stem: String,
        /// The end of it.
        ending: &'static str,
        /// What is in it.
        text: String,
    },
    /// Let it be pasted elsewhere.
    Copy {
        /// What.
        text: String,
        /// What it is, in words.
        what: &'static str,
    },
    /// Begin to record what happens, or end that.
    Record(bool),
    /// Write the screen into a new file.
    Dump,
    /// Tell the replay.
    Replay(ReplayCommand),
}

/// Takes in a message.
pub fn update(model: &mut Model, msg: Msg) -> Vec<Effect> {
    let effects = match msg {
        Msg::Feed(item) => {
            feed(model, item);
            Vec::new()
        }
        // Before each frame it is said how large the terminal is.
        Msg::Resize(width, height) if model.state.size == (Size { width, height }) => return Vec::new(),
        Msg::Resize(width, height) => {
            model.state.size = Size { width, height };
            Vec::new()
        }
        Msg::Work => Vec::new(),
        Msg::Key(event) if event.kind == KeyEventKind::Release => Vec::new(),
        Msg::Key(event) => key(model, event),
        Msg::Paste(text) => {
            paste(model, &text);
            Vec::new()
        }
    };
    settle(model);
    effects
}

/// Brings up to date what follows from everything else: the picture of the past, and the events that are listed.
fn settle(model: &mut Model) {
    model.world.turn_to(model.state.then());
    let scene = model.world.latest();
    let state = &mut model.state;
    let scope = Scope::of(state.trail.iter().map(|step| &step.subject), &scene);
    let scoped = state.trail.iter().rev().map(|s| &s.subject).find(|s| !matches!(s, Subject::Event(_)));
    let revision = scope.revision();
    if state.listed.0.as_ref() == scoped && state.listed.1 == revision {
        state.listing.extend(&scene, &state.filter, &scope);
    } else {
        let listed = (scoped.cloned(), revision);
        state.listing.rebuild(&scene, &state.filter, &scope);
        state.listed = listed;
    }
}

fn feed(model: &mut Model, item: FeedItem) {
    let before = model.world.moment();
    model.world.take(item);
    let now = model.world.moment();
    if now.end < before.end {
        // Another node, or another boot: what was selected, held or listed is of the past one.
        let state = &mut model.state;
        state.follow();
        state.trail.clear();
        state.pane = false;
        state.marks.clear();
        (state.selection.flow, state.selection.file) = (None, None);
        let filter = std::mem::replace(&mut state.filter, Filter::everything());
        apply(model, filter);
    }
    if model.state.untouched && !model.world.latest().incidents().is_empty() {
        model.state.screen = Screen::Incidents;
    }
    let start = model.world.latest().history.start();
    // A moment whose events were let go cannot be shown any more.
    if model.state.cursor.is_some_and(|cursor| cursor.end < start) {
        model.state.follow();
        model.state.notice = Some("the past that was looked at has been let go: this is now".to_owned());
    }
}

fn key(model: &mut Model, event: KeyEvent) -> Vec<Effect> {
    let context = model.state.context(&model.scene());
    model.state.notice = None;
    model.state.untouched = false;
    if let Some(command) = model.state.keymap.command_for(Key::from(event), &context) {
        return perform(model, command);
    }
    let plain = event.modifiers.difference(KeyModifiers::SHIFT).is_empty();
    if let (true, KeyCode::Char(c)) = (plain, event.code) {
        match (model.state.pending.take(), context.prompt) {
            (Some(Pending::Export), _) => return export(model, c),
            (Some(pending), _) => mark(model, pending, c),
            (None, Some(_)) => edit(model, InputRequest::InsertChar(c)),
            (None, None) => {}
        }
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
        Command::SkipSilence => {
            let skips = !model.state.skips_silence;
            model.state.skips_silence = skips;
            let words = if skips { "passing over quiet stretches" } else { "playing quiet stretches too" };
            model.state.notice = Some(words.to_owned());
            return vec![Effect::Replay(ReplayCommand::SkipSilence(skips))];
        }
        Command::Accept => return accept(model),
        Command::Follow => return follow(model),
        Command::Help => model.state.help = if model.state.help.is_some() { None } else { Some(0) },
        Command::Back => back(model),
        Command::Show(screen) => show(model, screen),
        Command::NextScreen => show(model, model.state.screen.step(true)),
        Command::PreviousScreen => show(model, model.state.screen.step(false)),
        Command::Zoom => model.state.zoomed = !model.state.zoomed,
        Command::Details => toggle_details(model),
        Command::Filter => {
            let text = model.state.filter.text().to_owned();
            prompt(model, PromptKind::Filter, text);
        }
        Command::FilterSelection => filter_selection(model),
        Command::Palette => prompt(model, PromptKind::Palette, String::new()),
        Command::Cancel => cancel(model),
        Command::Erase => edit(model, InputRequest::DeletePrevChar),
        Command::EraseAll => edit(model, InputRequest::DeleteLine),
        Command::CursorLeft => edit(model, InputRequest::GoToPrevChar),
        Command::CursorRight => edit(model, InputRequest::GoToNextChar),
        Command::NextOffer | Command::PreviousOffer => {
            if let Some(prompt) = &mut model.state.prompt {
                prompt.take(command == Command::NextOffer);
            }
            typed(model, false);
        }
        Command::Export => model.state.pending = Some(Pending::Export),
        Command::Copy => return copy(model),
        Command::Record => return record(model),
        Command::Dump => return vec![Effect::Dump],
        Command::SetMark => model.state.pending = Some(Pending::SetMark),
        Command::GoToMark => model.state.pending = Some(Pending::GoToMark),
        Command::Sort => model.state.notice = Some(model.state.sorts.next(model.state.screen)),
        Command::ReverseSort => model.state.notice = Some(model.state.sorts.reverse(model.state.screen)),
        Command::NextSignal | Command::PreviousSignal => signal(model, command == Command::NextSignal),
        Command::Earlier | Command::Later => step(model, command == Command::Later),
        other => navigate(model, other),
    }
    Vec::new()
}

/// Holds the view, and a recording with it; or lets both go on.
fn pause(model: &mut Model) -> Vec<Effect> {
    let pausing = model.state.held.is_none();
    model.state.held = pausing.then(|| model.world.moment());
    match (model.world.reception.is_replay(), pausing) {
        (true, true) => vec![Effect::Replay(ReplayCommand::Pause)],
        (true, false) => vec![Effect::Replay(ReplayCommand::Resume)],
        (false, _) => Vec::new(),
    }
}

/// Back to now, and on with it.
fn follow(model: &mut Model) -> Vec<Effect> {
    let was_held = model.state.held.is_some();
    model.state.follow();
    if was_held && model.world.reception.is_replay() { vec![Effect::Replay(ReplayCommand::Resume)] } else { Vec::new() }
}

/// Goes back one step: out of the help, out of what was drilled down to, out of the filter.
fn back(model: &mut Model) {
    let state = &mut model.state;
    if state.help.is_some() {
        state.help = None;
    } else if !state.step_back() && !state.filter.is_empty() {
        apply(model, Filter::everything());
    }
}

/// Shows a screen, at what was selected on the one before and limited to what was drilled down to.
fn show(model: &mut Model, screen: Screen) {
    if model.state.screen == Screen::Incidents && model.state.selection.node.is_none() {
        incidents::turn_to_process(&model.world.scene(model.state.then(), model.state.held), &mut model.state);
    }
    if screen == Screen::Graph {
        graph::turn_to(&model.world.scene(model.state.then(), model.state.held), &mut model.state);
    }
    model.state.pane = false;
    model.state.zoomed = false;
    model.state.screen = screen;
    settle(model);
    if screen == Screen::Tree {
        tree::reveal(&model.world.scene(model.state.then(), model.state.held), &mut model.state);
    }
}

fn toggle_details(model: &mut Model) {
    if model.state.pane {
        model.state.pane = false;
        return;
    }
    let selected = screens::selected(&model.scene(), &model.state);
    let is_last = |subject: &Subject| model.state.trail.last().is_some_and(|step| step.subject == *subject);
    match selected {
        Some(subject) if !is_last(&subject) && !matches!(subject, Subject::Incident(_)) => model.state.open(subject),
        _ => model.state.pane = model.state.trail.last().is_some_and(|s| !matches!(s.subject, Subject::Incident(_))),
    }
}

fn prompt(model: &mut Model, kind: PromptKind, text: String) {
    model.state.prompt = Some(Prompt::new(kind, text, model.state.filter.clone()));
    typed(model, true);
}

/// Begins a filter made from the selection; the other ways to make one of it are offered.
fn filter_selection(model: &mut Model) {
    let scene = model.scene();
    let subject = model.state.details().map(|step| step.subject.clone());
    let subject = subject.or_else(|| screens::selected(&scene, &model.state));
    let offers = subject.map(|subject| palette::filters(&scene, &subject)).unwrap_or_default();
    let Some(first) = offers.first().map(|offer| offer.line.clone()) else {
        model.state.notice = Some("no filter can be made from this".to_owned());
        return;
    };
    prompt(model, PromptKind::Filter, first);
    if let Some(prompt) = &mut model.state.prompt {
        (prompt.offers, prompt.taken) = (offers, Some(0));
    }
}

fn cancel(model: &mut Model) {
    model.state.pending = None;
    if let Some(prompt) = model.state.prompt.take()
        && prompt.kind == PromptKind::Filter
    {
        apply(model, prompt.before);
    }
}

/// Applies what stands in the prompt, unless it is wrong; or carries out the command that stands there.
fn accept(model: &mut Model) -> Vec<Effect> {
    let Some(prompt) = model.state.prompt.take() else { return Vec::new() };
    match prompt.kind {
        PromptKind::Filter => {
            if prompt.error.is_some() {
                model.state.prompt = Some(prompt);
            }
            Vec::new()
        }
        PromptKind::Palette => {
            let context = model.state.context(&model.scene());
            match palette::find(&model.state.keymap, &context, &prompt) {
                Some(command) => perform(model, command),
                None => {
                    if !prompt.input.value().trim().is_empty() {
                        model.state.notice = Some("there is no such command here".to_owned());
                    }
                    Vec::new()
                }
            }
        }
    }
}

/// What is pasted is text, and never taken for keys.
fn paste(model: &mut Model, text: &str) {
    model.state.notice = None;
    let Some(prompt) = &mut model.state.prompt else {
        let filter = model.state.keymap.key_of(Command::Filter);
        model.state.notice = Some(format!("what is pasted goes into a filter: press {filter} first"));
        return;
    };
    for c in text.trim().chars() {
        prompt.edit(InputRequest::InsertChar(if c.is_control() { ' ' } else { c }));
    }
    typed(model, true);
}

/// Changes what stands in the prompt.
fn edit(model: &mut Model, request: InputRequest) {
    if let Some(prompt) = &mut model.state.prompt {
        prompt.edit(request);
    }
    typed(model, true);
}

/// Takes in what stands in the prompt. While a filter is wrong the last good one stays applied.
fn typed(model: &mut Model, by_hand: bool) {
    let Some(prompt) = &model.state.prompt else { return };
    let text = prompt.input.value().to_owned();
    let before_cursor: String = text.chars().take(prompt.input.cursor()).collect();
    let kind = prompt.kind;
    if by_hand {
        let scene = model.world.scene(model.state.then(), model.state.held);
        let offers = match kind {
            // Only the end of a line is completed: what stands behind the cursor would have to be guessed at.
            PromptKind::Filter if before_cursor.len() == text.len() => complete::offers(&text, &scene),
            PromptKind::Filter => Vec::new(),
            PromptKind::Palette => {
                let reading = super::command::Context { prompt: None, ..model.state.context(&scene) };
                palette::offers(&model.state.keymap, &reading, &text)
            }
        };
        if let Some(prompt) = &mut model.state.prompt {
            prompt.offers = offers;
        }
    }
    if kind == PromptKind::Palette {
        return;
    }
    let parsed = Filter::parse(&text);
    if let Some(prompt) = &mut model.state.prompt {
        prompt.error = parsed.as_ref().err().cloned();
    }
    // A field's name that is not whole yet is no word to look for, nor were its first letters.
    let before = model.state.prompt.as_ref().map(|prompt| prompt.before.clone());
    match (parsed, before) {
        (Ok(_), Some(before)) if complete::is_unfinished(&text) => apply(model, before),
        (Ok(filter), _) => apply(model, filter),
        // What looked like words was the beginning of a condition, and no filter.
        (Err(_), Some(before)) if model.state.filter.is_words() => apply(model, before),
        (Err(_), _) => {}
    }
}

fn apply(model: &mut Model, filter: Filter) {
    if model.state.filter != filter {
        model.state.filter = filter;
        // What was listed was listed for another filter.
        let scene = model.world.latest();
        let state = &mut model.state;
        let scope = Scope::of(state.trail.iter().map(|step| &step.subject), &scene);
        state.listing.rebuild(&scene, &state.filter, &scope);
    }
}

/// The report of the incident, in the format that the letter stands for.
fn export(model: &mut Model, letter: char) -> Vec<Effect> {
    let scene = model.scene();
    let format = takeaway::export::FORMATS.iter().find(|(c, _)| *c == letter).map(|(_, format)| *format);
    let id = takeaway::export::incident(&scene, &model.state);
    let made = format.zip(id).and_then(|(format, id)| {
        let text = takeaway::export::report(&scene, &id, format)?;
        Some(Effect::Save { stem: format!("lanner-{id}"), ending: format.ending(), text })
    });
    if made.is_none() {
        model.state.notice =
            Some(if format.is_some() { "there is no incident to export" } else { "nothing is exported" }.to_owned());
    }
    made.into_iter().collect()
}

/// Begins to record, or ends that.
fn record(model: &mut Model) -> Vec<Effect> {
    if let Source::Recording(..) = model.world.reception.source {
        model.state.notice = Some("this is a recording already".to_owned());
        return Vec::new();
    }
    vec![Effect::Record(model.state.recording.is_none())]
}

fn copy(model: &mut Model) -> Vec<Effect> {
    let scene = model.scene();
    let subject = model.state.details().map(|step| step.subject.clone());
    let subject = subject.or_else(|| screens::selected(&scene, &model.state));
    let copied = subject.and_then(|subject| takeaway::copy::text(&scene, &subject));
    if copied.is_none() {
        model.state.notice = Some("there is nothing to copy".to_owned());
    }
    copied.map(|(text, what)| Effect::Copy { text, what }).into_iter().collect()
}

/// Sets a mark, or goes to one.
fn mark(model: &mut Model, pending: Pending, letter: char) {
    let state = &mut model.state;
    if !letter.is_ascii_alphanumeric() {
        state.notice = Some("marks are named by letters and digits".to_owned());
        return;
    }
    match pending {
        Pending::SetMark => {
            let place = Mark {
                screen: state.screen,
                selection: state.selection.clone(),
                trail: state.trail.clone(),
                pane: state.pane,
                cursor: state.cursor,
            };
            state.marks.insert(letter, place);
            state.notice =
                Some(format!("marked {letter}: {}{letter} comes back here", state.keymap.key_of(Command::GoToMark)));
        }
        Pending::GoToMark => match state.marks.get(&letter).cloned() {
            Some(Mark { screen, selection, trail, pane, cursor }) => {
                (state.screen, state.selection, state.trail) = (screen, selection, trail);
                (state.pane, state.cursor, state.zoomed) = (pane, cursor, false);
            }
            None => state.notice = Some(format!("there is no mark {letter}")),
        },
        Pending::Export => {}
    }
}

/// Looks at the moment of the nearest signal before or after the moment that is looked at; in a scope or behind a filter, of
/// those that stand in it.
fn signal(model: &mut Model, forward: bool) {
    let scene = model.scene();
    let at = model.state.cursor.map_or(scene.until.end, |cursor| cursor.end - 1);
    let scope = model.state.scope(&scene);
    let latest = model.world.latest();
    let fits = |number: &u64| {
        scene
            .event(*number)
            .is_some_and(|entry| scope.event(&entry.event, &latest) && model.state.filter.event(&entry.event, &latest))
    };
    let found = if forward {
        scene.history.signals().map(|(n, _)| n).filter(|n| *n > at).find(fits)
    } else {
        scene.history.signals().map(|(n, _)| n).rev().filter(|n| *n < at).find(fits)
    };
    match found {
        Some(number) if forward || model.state.cursor.is_some() || number < scene.until.end => go_to(model, number),
        _ => model.state.notice = Some(if forward { "no later signal" } else { "no earlier signal" }.to_owned()),
    }
}

/// One event earlier or later.
fn step(model: &mut Model, forward: bool) {
    let scene = model.scene();
    let state = &model.state;
    let len = state.listing.len(&scene);
    let at = state.cursor.map_or(len, |cursor| state.listing.rows_before(&scene, cursor.end - 1));
    let to = if forward { Some(at + 1).filter(|to| *to < len) } else { at.checked_sub(1) };
    match to.and_then(|row| state.listing.number(&scene, row)) {
        Some(number) => go_to(model, number),
        None if forward => model.state.follow(),
        None => model.state.notice = Some("nothing earlier is kept".to_owned()),
    }
}

fn go_to(model: &mut Model, number: u64) {
    let scene = model.world.scene(model.state.then(), model.state.held);
    model.state.go_to(&scene, number);
    let seq = scene.event(number).map(|entry| entry.event.header.seq);
    if let Some(step) = model.state.trail.last_mut().filter(|_| model.state.pane)
        && let Subject::Event(shown) = &mut step.subject
    {
        (*shown, step.line) = (number, 0);
    }
    settle(model);
    let scene = model.world.scene(model.state.then(), model.state.held);
    if let Some(seq) = seq {
        incidents::turn_to_event(&scene, &mut model.state, seq);
    }
    match model.state.screen {
        Screen::Tree => tree::reveal(&scene, &mut model.state),
        Screen::Graph => graph::turn_to_process(&scene, &mut model.state),
        _ => {}
    }
}

fn navigate(model: &mut Model, command: Command) {
    let scene = model.world.scene(model.state.then(), model.state.held);
    let context = model.state.context(&scene);
    let state = &mut model.state;
    let Some(regions) = Regions::of(state.size, state) else { return };
    if let Some(from) = state.help {
        let last = help::last(state, &context, regions.body);
        let page = usize::from(regions.body.height);
        if let Some(to) = screens::moved(command, from, last + 1, page) {
            state.help = Some(to);
        }
        return;
    }
    if state.pane {
        let columns = usize::from(regions.details.width).saturating_sub(1);
        details::act(&scene, state, command, columns, usize::from(regions.details.height));
        return;
    }
    // Where all rows match, the next match is the next row.
    let shows_others = matches!(state.screen, Screen::Tree | Screen::Graph);
    let command = match command {
        Command::NextMatch if !shows_others => Command::Down,
        Command::PreviousMatch if !shows_others => Command::Up,
        other => other,
    };
    let page = usize::from(regions.main.height);
    match state.screen {
        Screen::Incidents => incidents::act(&scene, state, command, page),
        Screen::Tree => tree::act(&scene, state, command, page.saturating_sub(1)),
        Screen::Graph => graph::act(&scene, state, command),
        Screen::Flows => flows::act(&scene, state, command, page.saturating_sub(1)),
        Screen::Files => files::act(&scene, state, command, page.saturating_sub(1)),
        Screen::Timeline => timeline::act(&scene, state, command, page.saturating_sub(timeline::HEAD)),
        Screen::Sensor => {
            let columns = usize::from(regions.main.width).saturating_sub(1);
            sensor::act(&scene, state, command, columns, page);
        }
    }
}
