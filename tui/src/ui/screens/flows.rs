//! Connections, datagrams, listening sockets and questions to name servers; or, who talks to whom.

use std::cell::RefMut;
use std::net::SocketAddr;
use std::sync::Arc;

use lanner_core::event::{End, ProcessKey, ResponseCode};
use lanner_core::persistent::Place;
use ratatui::buffer::Buffer;
use ratatui::layout::Rect;
use ratatui::style::Style;
use ratatui::text::Line as Text;

use super::super::command::Command;
use super::super::known::flows::{FlowKey, FlowState, Line};
use super::super::look::Look;
use super::super::rows::{Group, Grouped, Rank, Row, Rows, Stamp, falling};
use super::super::scene::Scene;
use super::super::sort::Sort;
use super::super::state::{Screen, State, Subject};
use super::super::text::{cell, cell_right, clip, clip_middle, count, grouped, short, shown, width};
use super::super::view::ViewState;
use super::super::{when, words};
use super::{Focus, moved, paint_empty, paint_row, scroll, span, waiting, way_out};

/// How the flows are shown.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Default)]
pub(crate) enum FlowsView {
    /// One a line, in the order that was chosen.
    #[default]
    Plain,
    /// Those of one peer together.
    ByPeer,
    /// Those of one process together.
    ByProcess,
    /// Who talks to whom: containers, services and what lies outside.
    Map,
}

impl FlowsView {
    pub(crate) fn next(self) -> FlowsView {
        match self {
            FlowsView::Plain => FlowsView::ByPeer,
            FlowsView::ByPeer => FlowsView::ByProcess,
            FlowsView::ByProcess => FlowsView::Map,
            FlowsView::Map => FlowsView::Plain,
        }
    }

    pub(crate) fn words(self) -> &'static str {
        match self {
            FlowsView::Plain => "one by one",
            FlowsView::ByPeer => "by peer",
            FlowsView::ByProcess => "by process",
            FlowsView::Map => "who talks to whom",
        }
    }
}

/// What several flows have in common.
struct Sum<'a> {
    title: Arc<str>,
    flows: usize,
    failures: u64,
    sent: u64,
    received: u64,
    /// The latest of them.
    latest: &'a Line,
}

/// The rows that were shown last.
pub(crate) type FlowRows = Rows<FlowsView>;

/// The flows that filter and scope let through, in their order. Marked are those that are open, and those that failed.
fn listed<'s>(scene: &Scene<'_>, state: &'s State) -> RefMut<'s, FlowRows> {
    let scope = state.scope(scene);
    let passes = |line: &&Line| {
        scope.flow(line, scene)
            && (state.filter.is_empty()
                || state.listing.has_flow(&line.key) == Some(true)
                || state.filter.line(&in_words(scene, line)))
    };
    let sort = state.sorts.of(Screen::Flows);
    let row = |place: Place| {
        let line = scene.flows.at(place).filter(passes)?;
        let title = match state.flows {
            FlowsView::Plain => None,
            FlowsView::ByPeer => Some(peer_title(scene, line)),
            FlowsView::ByProcess => Some(words::who(line.process, scene)),
            FlowsView::Map => edge(scene, line),
        };
        let marks = [line.is_open(), line.is_failure()];
        Some(Row { rank: rank(scene, line, sort), processes: vec![line.process], marks, title: title.map(Arc::from) })
    };
    let stamp = Stamp::of(scene, state, &scope, Screen::Flows, state.flows);
    let mut rows = state.flow_rows.borrow_mut();
    rows.follow(scene, stamp, &scene.changes.flows, scene.flows.places(), row);
    rows
}

fn in_words(scene: &Scene<'_>, line: &Line) -> String {
    let (state, _) = state_words(line, Look::PLAIN);
    format!("{state} {} {} {}", kind(line), words::who(line.process, scene), peer(scene, line))
}

fn rank(scene: &Scene<'_>, line: &Line, sort: Sort) -> Rank {
    let (since, start) = (line.since.0, line.process.start.0);
    match sort.by {
        1 => Rank::by([falling(line.sent.saturating_add(line.received)), since, 0]),
        2 => {
            let rtt = line.quality.map_or(0, |q| 1 + u64::try_from(q.rtt.as_nanos()).unwrap_or(u64::MAX - 1));
            Rank::by([falling(rtt), since, 0])
        }
        3 => {
            // Those that failed first, whatever came of those before.
            let failures = line.failures.min(u64::MAX >> 1) | u64::from(line.is_failure()) << 63;
            Rank::by([falling(failures), falling(line.last.0), since])
        }
        4 => {
            let name = Some(scene.name(line.process).unwrap_or_default().into());
            Rank { name, numbers: [line.process.pid.into(), start, since] }
        }
        5 => Rank { name: Some(address_bytes(line.remote)), numbers: [since, 0, 0] },
        _ => Rank::by([falling(line.last.0), falling(line.seq), 0]),
    }
}

/// An address in bytes that are ordered as addresses are.
fn address_bytes(address: SocketAddr) -> Box<[u8]> {
    let port = address.port().to_be_bytes();
    match address {
        SocketAddr::V4(v4) => [&[4][..], &v4.ip().octets(), &port].concat().into(),
        SocketAddr::V6(v6) => [&[6][..], &v6.ip().octets(), &port].concat().into(),
    }
}

/// What stands in the rows of the screen.
enum Entries<'s, 'a> {
    /// A flow a row.
    Plain(RefMut<'s, FlowRows>),
    /// Those of a kind together.
    Groups(RefMut<'s, FlowRows>),
    /// Who talks to whom.
    Map(RefMut<'s, FlowRows>, Vec<Sum<'a>>),
}

impl<'s, 'a> Entries<'s, 'a> {
    fn of(scene: &Scene<'a>, state: &'s State) -> Entries<'s, 'a> {
        let rows = listed(scene, state);
        match state.flows {
            FlowsView::Plain => Entries::Plain(rows),
            FlowsView::ByPeer | FlowsView::ByProcess => Entries::Groups(rows),
            FlowsView::Map => {
                let map = map(scene, &rows);
                Entries::Map(rows, map)
            }
        }
    }

    fn rows(&self) -> &FlowRows {
        let (Entries::Plain(rows) | Entries::Groups(rows) | Entries::Map(rows, _)) = self;
        rows
    }

    fn len(&self) -> usize {
        match self {
            Entries::Plain(rows) => rows.len(),
            Entries::Groups(rows) => rows.len_grouped(),
            Entries::Map(_, sums) => sums.len(),
        }
    }

    fn counts(&self) -> Counts {
        let [open, failed] = self.rows().marked();
        Counts { all: self.rows().len(), open, failed }
    }

    /// The flow of a row; `None`: it is a head, and not to be selected.
    fn key<'k>(&'k self, scene: &'k Scene<'_>, at: usize) -> Option<&'k FlowKey> {
        let place = match self {
            Entries::Plain(rows) => rows.places().nth(at)?,
            Entries::Groups(rows) => match rows.grouped(at).next()? {
                Grouped::Head(..) => return None,
                Grouped::Row(place) => place,
            },
            Entries::Map(_, sums) => return Some(&sums.get(at)?.latest.key),
        };
        Some(&scene.flows.at(place)?.key)
    }

    /// The row of the selected flow: the one that was chosen, else the first of the selected process, else the first.
    fn position(&self, scene: &Scene<'_>, state: &State) -> Option<usize> {
        let chosen = state.selection.flow.as_ref();
        if let Entries::Map(_, sums) = self {
            let chosen = chosen.and_then(|key| sums.iter().position(|sum| sum.latest.key == *key));
            return chosen.or((!sums.is_empty()).then_some(0));
        }
        let index = |place| match self {
            Entries::Groups(rows) => rows.index_grouped(place),
            _ => self.rows().index(place),
        };
        let of_process = || index(self.rows().first_of(state.selection.process()?)?);
        let first = usize::from(matches!(self, Entries::Groups(_)));
        let chosen = chosen.and_then(|key| index(scene.flows.place(key)?));
        chosen.or_else(of_process).or((self.len() > 0).then_some(first))
    }

    /// So many rows from one on.
    fn lines(
        &self,
        scene: &Scene<'a>,
        from: usize,
        height: usize,
        columns: &Columns,
        look: Look,
    ) -> Vec<Text<'static>> {
        let flow = |place, indented| Some(flow_line(scene, scene.flows.at(place)?, indented, columns, look));
        match self {
            Entries::Plain(rows) => {
                rows.places().skip(from).take(height).filter_map(|place| flow(place, false)).collect()
            }
            Entries::Groups(rows) => {
                let line = |entry| match entry {
                    Grouped::Head(title, group) => {
                        Some(sum_line(scene, &sum(scene, title, group)?, columns, look, true))
                    }
                    Grouped::Row(place) => flow(place, true),
                };
                rows.grouped(from).take(height).filter_map(line).collect()
            }
            Entries::Map(_, sums) => {
                let line = |sum| sum_line(scene, sum, columns, look, false);
                sums.iter().skip(from).take(height).map(line).collect()
            }
        }
    }
}

/// What the flows of a group have in common.
fn sum<'a>(scene: &Scene<'a>, title: &Arc<str>, group: &Group) -> Option<Sum<'a>> {
    let flows = scene.flows;
    let mut lines = group.iter().filter_map(|(_, place)| flows.at(*place)).peekable();
    let first = *lines.peek()?;
    Some(lines.fold(Sum::of(Arc::clone(title), first), |sum, line| sum.and(line)))
}

/// Who talks to whom, those who said most first.
fn map<'a>(scene: &Scene<'a>, rows: &FlowRows) -> Vec<Sum<'a>> {
    let mut sums: Vec<Sum<'a>> = rows.groups().filter_map(|(title, group)| sum(scene, title, group)).collect();
    sums.sort_by(|a, b| {
        (b.sent.saturating_add(b.received), b.flows)
            .cmp(&(a.sent.saturating_add(a.received), a.flows))
            .then(a.title.cmp(&b.title))
    });
    sums
}

impl<'a> Sum<'a> {
    fn of(title: Arc<str>, latest: &'a Line) -> Sum<'a> {
        Sum { title, flows: 0, failures: 0, sent: 0, received: 0, latest }
    }

    fn and(self, line: &'a Line) -> Sum<'a> {
        Sum {
            flows: self.flows + 1,
            failures: self.failures + u64::from(line.is_failure()),
            sent: self.sent.saturating_add(line.sent),
            received: self.received.saturating_add(line.received),
            latest: if line.last > self.latest.last { line } else { self.latest },
            ..self
        }
    }
}

/// From where to where a flow leads. One of which both ends are here is told by the end that opened it.
fn edge(scene: &Scene<'_>, line: &Line) -> Option<String> {
    let here = place(scene, line.process);
    let other = scene.graph.other_end(&line.as_flow());
    match (&line.key, line.outgoing, other) {
        (FlowKey::Listen(..), ..) | (FlowKey::Tcp(_), Some(false), Some(_)) => None,
        (FlowKey::Dns(..), ..) => Some(format!("{here} → names at {}", line.remote)),
        (_, Some(false), None) => Some(format!("{} → {here} :{}", line.remote.ip(), line.local.port())),
        (_, _, Some(server)) => Some(format!("{here} → {} :{}", place(scene, server), line.remote.port())),
        (_, _, None) => Some(format!("{here} → {}", words::address(line.remote, line.netns, scene.graph))),
    }
}

/// Where a process runs, as one calls it from outside: its container, its service, else its own name.
fn place(scene: &Scene<'_>, key: ProcessKey) -> String {
    let Some(process) = scene.graph.process(key) else { return "unknown".to_owned() };
    if let Some(id) = &process.task.context.container {
        return words::container_label(id, scene.graph);
    }
    match process.task.context.cgroup.file_name() {
        unit if unit.ends_with(b".service") => shown(lanner_core::event::Text::from(unit), 40),
        _ => format!(
            "host {}",
            scene.name(key).map_or_else(String::new, |n| shown(lanner_core::event::Text::from(n), 24))
        ),
    }
}

/// The selected flow: the one that was chosen, else one of the selected process, else the first.
pub(crate) fn selected(scene: &Scene<'_>, state: &State) -> Option<Subject> {
    let entries = Entries::of(scene, state);
    let at = entries.position(scene, state)?;
    entries.key(scene, at).map(|key| Subject::Flow(key.clone()))
}

pub(crate) fn draw(scene: &Scene<'_>, state: &State, view: &mut ViewState, area: Rect, buffer: &mut Buffer) {
    let look = state.look;
    let entries = Entries::of(scene, state);
    let Some(at) = entries.position(scene, state) else {
        let narrowed = !state.filter.is_empty() || state.listed.0.is_some();
        let (title, sentence) = match waiting(scene) {
            Some(waiting) => waiting,
            None if narrowed => ("No flow here".to_owned(), way_out(state).to_owned()),
            None => (
                "No connection so far".to_owned(),
                "Connections, datagrams and questions to name servers appear as they are made. 6 shows all events."
                    .to_owned(),
            ),
        };
        paint_empty(buffer, area, &title, &[&sentence], look);
        return;
    };
    let columns = Columns::of(usize::from(area.width));
    head(scene, state, &entries.counts(), &columns, area, buffer);
    let list = Rect { y: area.y + 2, height: area.height.saturating_sub(2), ..area };
    let height = usize::from(list.height);
    view.flows = scroll(view.flows, at, height, entries.len());
    for (row, line) in entries.lines(scene, view.flows, height, &columns, look).iter().enumerate() {
        paint_row(buffer, list, row, line, if view.flows + row == at { Focus::Here } else { Focus::No }, look);
    }
}

/// The columns for which there is room.
struct Columns {
    all: usize,
    kind: bool,
    container: bool,
    volume: bool,
    quality: bool,
    process: usize,
}

impl Columns {
    fn of(all: usize) -> Columns {
        Columns {
            all: all.saturating_sub(1),
            kind: all >= 96,
            container: all >= 120,
            volume: all >= 64,
            quality: all >= 76,
            process: if all >= 60 { 17 } else { 10 },
        }
    }

    /// On the narrowest screens the peer matters more.
    fn age(&self) -> bool {
        self.all >= 50
    }

    /// What stands to the left of the peer, and to the right of it.
    fn left(&self, state: &str, kind: &str, process: &str, container: &str) -> [String; 4] {
        let part =
            |on: bool, text: &str, columns: usize| if on { format!("{} ", cell(text, columns)) } else { String::new() };
        [
            format!("{} ", cell(state, if self.age() { 10 } else { 8 })),
            part(self.kind, kind, 6),
            format!("{} ", cell(process, self.process)),
            part(self.container, container, 13),
        ]
    }

    fn right(&self, sent: &str, received: &str, rtt: &str, again: &str, age: &str) -> String {
        let mut right = String::new();
        if self.volume {
            right.push_str(&format!("{}{}", cell_right(sent, 6), cell_right(received, 6)));
        }
        if self.quality {
            right.push_str(&format!("{}{}", cell_right(rtt, 6), cell_right(again, 5)));
        }
        if self.age() {
            right.push_str(&cell_right(age, 5));
        }
        right
    }
}

/// How many flows there are.
struct Counts {
    all: usize,
    open: usize,
    failed: usize,
}

fn head(scene: &Scene<'_>, state: &State, counts: &Counts, columns: &Columns, area: Rect, buffer: &mut Buffer) {
    let look = state.look;
    let Counts { all, open, failed } = counts;
    let order = match state.flows {
        FlowsView::Map => String::new(),
        _ => format!(", {}", state.sorts.words(Screen::Flows)),
    };
    let mut spans = vec![
        span(format!("{}{order}   ", state.flows.words()), look.accent()),
        span(format!("{}, {open} open", count(*all, "flow", "flows")), look.dim()),
        span(if *failed > 0 { format!(", {failed} failed") } else { String::new() }, look.warn()),
    ];
    if scene.flows.let_go() > 0 {
        spans.push(span(format!(", {} let go", grouped(scene.flows.let_go())), look.warn()));
    }
    paint_row(buffer, area, 0, &Text::from(spans), Focus::No, look);
    let below = Rect { y: area.y + 1, height: area.height.saturating_sub(1), ..area };
    let map = state.flows == FlowsView::Map;
    let left = if map {
        "FROM AND TO".to_owned()
    } else {
        columns.left("STATE", "KIND", "PROCESS", "CONTAINER").concat() + "  PEER"
    };
    let again = if map { "FAIL" } else { "RETR" };
    let rtt = if map { "FLOWS" } else { "RTT" };
    let right = columns.right("SENT", "RECV", rtt, again, "LAST");
    let titles = format!("{}{right}", cell(&left, columns.all.saturating_sub(width(&right))));
    paint_row(buffer, below, 0, &Text::from(span(titles, look.dim())), Focus::No, look);
}

fn sum_line(scene: &Scene<'_>, sum: &Sum<'_>, columns: &Columns, look: Look, head: bool) -> Text<'static> {
    let age = words::age(sum.latest.last, scene.now());
    let failures = if sum.failures > 0 { short(sum.failures) } else { String::new() };
    let (sent, received) = (short(sum.sent), short(sum.received));
    let style = if sum.failures > 0 { look.warn() } else { look.dim() };
    if head {
        // Above its flows stand their columns, none of which tells how many there are.
        let right = columns.right(&sent, &received, "", "", &age);
        let failed = if sum.failures > 0 { format!(", {failures} failed") } else { String::new() };
        let flows = format!("  {}{failed}", count(sum.flows, "flow", "flows"));
        let room = columns.all.saturating_sub(width(&right) + width(&flows));
        let title = clip(&sum.title, room);
        let blank = " ".repeat(room - width(&title));
        return Text::from(vec![
            span(title, look.strong()),
            span(flows, style),
            span(blank, Style::new()),
            span(right, look.dim()),
        ]);
    }
    let right = columns.right(&sent, &received, &short(sum.flows as u64), &failures, &age);
    let room = columns.all.saturating_sub(width(&right));
    Text::from(vec![span(cell(&sum.title, room), Style::new()), span(right, style)])
}

fn flow_line(scene: &Scene<'_>, line: &Line, indented: bool, columns: &Columns, look: Look) -> Text<'static> {
    let (state, style) = state_words(line, look);
    let container =
        scene.container_of(line.process).map(|id| words::container_label(id, scene.graph)).unwrap_or_default();
    let who = words::who_within(line.process, scene, columns.process);
    let [state, kind, process, container] = columns.left(&state, kind(line), &who, &container);
    let rtt = line.quality.map(|q| q.rtt).or(line.waited).filter(|rtt| !rtt.is_zero());
    let again = line.quality.map(|q| q.retransmits).filter(|n| *n > 0).map(|n| short(n.into())).unwrap_or_default();
    let bytes = |n: u64| if n == 0 { String::new() } else { short(n) };
    let right = columns.right(
        &bytes(line.sent),
        &bytes(line.received),
        &rtt.map(when::latency).unwrap_or_default(),
        &again,
        &words::age(line.last, scene.now()),
    );
    let arrow = match line.outgoing {
        _ if line.state == FlowState::Listening => "",
        Some(true) => "→ ",
        Some(false) => "← ",
        None => "- ",
    };
    let left = [&state, &kind, &process, &container].iter().map(|s| width(s)).sum::<usize>() + usize::from(indented);
    let room = columns.all.saturating_sub(left + width(&right) + width(arrow));
    let mut spans = vec![
        span(if indented { " " } else { "" }, Style::new()),
        span(state, style),
        span(kind, look.dim()),
        span(process, look.strong()),
        span(container, look.dim()),
        span(arrow, look.accent()),
        span(cell(&peer_within(scene, line, room), room), Style::new()),
        span(right, look.dim()),
    ];
    if !line.is_open() && !line.is_failure() {
        spans.iter_mut().for_each(|s| s.style = look.dim());
    }
    Text::from(spans)
}

fn peer_title(scene: &Scene<'_>, line: &Line) -> String {
    match &line.key {
        FlowKey::Listen(..) => "listening".to_owned(),
        FlowKey::Dns(..) => format!("names at {}", line.remote),
        _ if line.outgoing == Some(false) => peer(scene, line),
        _ => words::address(SocketAddr::new(line.remote.ip(), line.remote.port()), line.netns, scene.graph),
    }
}

/// Whom or what it is about.
pub(crate) fn peer(scene: &Scene<'_>, line: &Line) -> String {
    match &line.key {
        FlowKey::Listen(..) => format!("on {}", line.local),
        FlowKey::Dns(_, record_type, name) => {
            let times = if line.times > 1 { format!(" x{}", line.times) } else { String::new() };
            let answer = line.reply.iter().flat_map(|reply| &reply.addresses).next();
            let answer = answer.map(|a| format!(" = {a}")).unwrap_or_default();
            format!("{} {}{answer}{times}", record_type.name(), shown(name, 120))
        }
        FlowKey::Tcp(_) | FlowKey::Udp(..) if line.outgoing == Some(false) => {
            // Of who calls in the port says nothing; of where, it says what for.
            let name = scene.graph.name_of(line.netns, line.remote.ip()).map(|n| format!(" ({})", shown(&n.name, 120)));
            format!("{}{} to :{}", line.remote.ip(), name.unwrap_or_default(), line.local.port())
        }
        _ => words::address(line.remote, line.netns, scene.graph),
    }
}

/// As [`peer`], in so many columns: a port stays whole, for half of one is another.
fn peer_within(scene: &Scene<'_>, line: &Line, columns: usize) -> String {
    let all = peer(scene, line);
    match &line.key {
        FlowKey::Dns(..) => all,
        FlowKey::Tcp(_) | FlowKey::Udp(..) if line.outgoing != Some(false) => {
            let address = line.remote.to_string();
            if width(&address) < columns { all } else { clip_middle(&address, columns) }
        }
        _ => clip_middle(&all, columns),
    }
}

/// Of which kind it is.
pub(crate) fn kind(line: &Line) -> &'static str {
    match line.key {
        FlowKey::Tcp(_) => "tcp",
        FlowKey::Udp(..) => "udp",
        FlowKey::Listen(..) => "listen",
        FlowKey::Dns(..) => "dns",
    }
}

/// How far it has come, in a word or two.
pub(crate) fn state_words(line: &Line, look: Look) -> (String, Style) {
    match line.state {
        FlowState::Trying => ("trying".to_owned(), look.warn()),
        FlowState::Open => ("open".to_owned(), look.good()),
        FlowState::Listening => ("listens".to_owned(), look.link()),
        FlowState::Failed(errno) => (words::errno_words(errno), look.bad()),
        FlowState::Ended(End::Finished) => ("closed".to_owned(), look.dim()),
        FlowState::Ended(End::Reset) => ("reset".to_owned(), look.bad()),
        FlowState::Ended(End::Aborted) => ("broken off".to_owned(), look.dim()),
        FlowState::Ended(End::TimedOut) => ("timed out".to_owned(), look.bad()),
        FlowState::Ended(End::Broken(errno)) => (words::errno_words(errno), look.bad()),
        FlowState::Silent => ("silent".to_owned(), look.dim()),
        FlowState::Answered(None) => ("no answer".to_owned(), look.bad()),
        FlowState::Answered(Some(ResponseCode::NOERROR)) => ("answered".to_owned(), look.good()),
        FlowState::Answered(Some(rcode)) => (rcode.name().into_owned(), look.bad()),
    }
}

/// Carries out a command.
pub(crate) fn act(scene: &Scene<'_>, state: &mut State, command: Command, page: usize) {
    if command == Command::Group {
        state.flows = state.flows.next();
        return;
    }
    let entries = Entries::of(scene, state);
    let Some(at) = entries.position(scene, state) else { return };
    let chosen = match command {
        Command::Open => Some(at),
        _ => moved(command, at, entries.len(), page.saturating_sub(1)).and_then(|to| {
            // A head is passed over: on the way down to what follows it, on the way up to what stands before it.
            let down = to >= at;
            let selectable = |i: &usize| entries.key(scene, *i).is_some();
            let onward = if down { (to..entries.len()).find(selectable) } else { (0..=to).rev().find(selectable) };
            onward.or_else(|| (0..entries.len()).find(selectable))
        }),
    };
    let chosen = chosen.and_then(|i| entries.key(scene, i)).cloned();
    drop(entries);
    if let Some(key) = chosen {
        let subject = Subject::Flow(key);
        state.select(scene, &subject);
        if command == Command::Open {
            state.open(subject);
        }
    }
}
