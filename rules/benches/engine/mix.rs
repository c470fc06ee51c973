//! What a node does, over and over: recorded everyday business, and now and then a recorded attack. Each round is done by
//! other processes, in other containers, to other files and over other connections than the one before; what was there
//! before the recording (the init system, runtimes, daemons) and what is only read or run stays the same.

use std::collections::HashSet;

use lanner_core::event::{
    BootTime, ContainerId, Event, Exit, File, FileId, Flow, Header, Image, Namespaces, Origin, Payload, ProcessKey,
    StdioKind, Task, Text, UnixName,
};
use lanner_recording::Reader;

/// Rounds of everyday business to one attack.
pub(crate) const PEACE: u64 = 16;

/// A recording, ready to be told again and again.
pub(crate) struct Recorded {
    /// Tells the recording's own from those of others.
    number: u64,
    events: Vec<Event>,
    /// Each round tells of what was there before, as new.
    alone: bool,
    /// What was there before.
    processes: HashSet<ProcessKey>,
    containers: HashSet<ContainerId>,
    namespaces: HashSet<u32>,
    /// Files that come to be, or are written.
    files: HashSet<FileId>,
}

impl Recorded {
    /// `alone`: even what was there before is nobody else's.
    pub(crate) fn new(number: u64, bytes: &[u8], alone: bool) -> Recorded {
        let events: Vec<Event> = Reader::new(bytes).unwrap().flat_map(|batch| batch.events).collect();
        let mut new = Recorded {
            number,
            alone,
            processes: HashSet::new(),
            containers: HashSet::new(),
            namespaces: HashSet::new(),
            files: HashSet::new(),
            events: Vec::new(),
        };
        for event in &events {
            let backfill = event.header.origin == Origin::Backfill && !alone;
            match &event.payload {
                Payload::Alive(exec) if backfill => {
                    new.processes.insert(event.header.process);
                    new.processes.extend(exec.task.parent);
                    new.containers.extend(exec.task.context.container.clone());
                    new.namespaces.extend(all(&exec.task.context.namespaces));
                }
                Payload::Open(open) if open.access.write => drop(new.files.insert(open.file.id)),
                Payload::MemFd(memfd) => drop(new.files.insert(memfd.file.id)),
                Payload::Make(make) => drop(new.files.insert(make.file.id)),
                Payload::Rename(rename) => drop(new.files.insert(rename.file.id)),
                _ => {}
            }
        }
        new.events = events;
        new
    }

    fn length(&self) -> u64 {
        self.events.iter().map(|e| e.header.time.0).max().unwrap() - self.events[0].header.time.0
    }
}

/// Tells recordings round after round, as one stream.
pub(crate) struct Mix {
    everyday: Vec<Recorded>,
    attack: Recorded,
    peace: u64,
    round: u64,
    seq: u64,
    now: u64,
    told_before: HashSet<u64>,
}

impl Mix {
    pub(crate) fn new(peace: u64) -> Mix {
        let everyday = [
            include_bytes!("../../tests/recordings/everyday.lanner").as_slice(),
            include_bytes!("../../tests/recordings/everyday-inside.lanner"),
        ];
        let scenario = lanner_scenarios::scenario("container-escape").unwrap();
        Mix {
            everyday: (1..).zip(everyday).map(|(n, bytes)| Recorded::new(n, bytes, false)).collect(),
            attack: Recorded::new(0, scenario.recording, true),
            peace,
            round: 0,
            seq: 0,
            now: 3_600_000_000_000,
            told_before: HashSet::new(),
        }
    }

    /// The next rounds, until they are at least `events`.
    pub(crate) fn next(&mut self, events: usize) -> Vec<Event> {
        let mut told = Vec::with_capacity(events + 4096);
        while told.len() < events {
            let is_attack = self.round % (self.peace + 1) == self.peace;
            self.tell(is_attack, true, &mut told);
        }
        told
    }

    /// An attack; `ends`: its processes do.
    pub(crate) fn attack(&mut self, ends: bool) -> Vec<Event> {
        let mut told = Vec::new();
        self.tell(true, ends, &mut told);
        told
    }

    fn tell(&mut self, is_attack: bool, ends: bool, told: &mut Vec<Event>) {
        let round = self.round;
        self.round += 1;
        let recorded = match is_attack {
            true => &self.attack,
            false => &self.everyday[(round % self.everyday.len() as u64) as usize],
        };
        let first = recorded.alone || self.told_before.insert(recorded.number);
        let from = recorded.events[0].header.time.0;
        let fresh = Fresh { recorded, round, later: self.now.wrapping_sub(from) };
        let mut living = Vec::new();
        for event in &recorded.events {
            let old = event.header.origin == Origin::Backfill;
            let is_exit = matches!(event.payload, Payload::Exit(_));
            if (old && !first) || (is_exit && !ends) {
                continue;
            }
            self.seq += 1;
            let event = fresh.event(event, self.seq);
            match &event.payload {
                Payload::Fork(fork) => living.push(fork.child),
                Payload::Alive(_) if recorded.alone => living.push(event.header.process),
                Payload::Exit(_) => living.retain(|key| *key != event.header.process),
                _ => {}
            }
            told.push(event);
        }
        self.now += recorded.length() + 1_000_000_000;
        if !ends {
            return;
        }
        for process in living {
            self.seq += 1;
            let time = BootTime(self.now);
            let header =
                Header { seq: self.seq, time, cpu: 0, process, tid: process.pid, origin: Origin::Live, compat: false };
            told.push(Event { header, payload: Payload::Exit(Exit { code: 0, signal: 15 }) });
        }
    }
}

/// Who and what is new in a round.
struct Fresh<'a> {
    recorded: &'a Recorded,
    round: u64,
    /// By how much times are moved, wrapping.
    later: u64,
}

impl Fresh<'_> {
    fn event(&self, event: &Event, seq: u64) -> Event {
        let mut event = event.clone();
        let own = event.header.tid == event.header.process.pid;
        event.header.seq = seq;
        event.header.time = self.time(event.header.time);
        self.key(&mut event.header.process);
        if own {
            event.header.tid = event.header.process.pid;
        }
        self.payload(&mut event.payload);
        event
    }

    fn payload(&self, payload: &mut Payload) {
        match payload {
            Payload::Exec(exec) | Payload::Alive(exec) => {
                self.task(&mut exec.task);
                self.image(&mut exec.image);
            }
            Payload::Fork(fork) => {
                self.key(&mut fork.child);
                self.task(&mut fork.task);
            }
            Payload::Open(open) => self.file(&mut open.file, open.created),
            Payload::MemFd(memfd) => self.file(&mut memfd.file, false),
            Payload::Rename(rename) => {
                self.file(&mut rename.file, false);
                self.file(&mut rename.from, false);
            }
            Payload::Link(link) => {
                self.file(&mut link.file, false);
                self.file(&mut link.target, false);
            }
            Payload::Unlink(unlink) => self.file(&mut unlink.file, false),
            Payload::Make(make) => self.file(&mut make.file, true),
            Payload::Attribute(attribute) => self.file(&mut attribute.file, false),
            Payload::Seal(seal) => self.file(&mut seal.file, false),
            Payload::Unix(unix) => {
                if let UnixName::Path(file) = &mut unix.name {
                    self.file(file, false);
                }
                unix.peer.iter_mut().for_each(|peer| self.key(peer));
            }
            Payload::Connect(connect) => self.flow(&mut connect.flow),
            Payload::Accept(accept) => self.flow(&mut accept.flow),
            Payload::Close(close) => self.flow(&mut close.flow),
            Payload::Traffic(traffic) => self.flow(&mut traffic.flow),
            Payload::Udp(udp) => self.flow(&mut udp.flow),
            Payload::Dns(dns) => self.flow(&mut dns.flow),
            Payload::Trace(trace) => self.key(&mut trace.target),
            Payload::Signal(signal) => self.key(&mut signal.target),
            Payload::Namespace(change) => {
                self.namespaces(&mut change.now);
                self.namespaces(&mut change.before);
            }
            Payload::Container(info) => self.container(&mut info.id),
            _ => {}
        }
    }

    fn time(&self, time: BootTime) -> BootTime {
        BootTime(time.0.wrapping_add(self.later))
    }

    fn key(&self, key: &mut ProcessKey) {
        if key.is_unknown() {
            return;
        }
        if self.recorded.processes.contains(key) {
            key.start.0 += self.recorded.number;
            return;
        }
        let pid = (u64::from(key.pid) + self.round * 977) % 4_194_000 + 300;
        *key = ProcessKey { pid: pid as u32, start: self.time(key.start) };
    }

    fn task(&self, task: &mut Task) {
        task.parent.iter_mut().for_each(|parent| self.key(parent));
        self.namespaces(&mut task.context_mut().namespaces);
        let context = task.context_mut();
        let Some(id) = &mut context.container else { return };
        let before = id.0.to_str_lossy().into_owned();
        self.container(id);
        if context.cgroup.to_str_lossy().contains(&before) {
            context.cgroup = Text::from(context.cgroup.to_str_lossy().replace(&before, &id.0.to_str_lossy()));
        }
    }

    fn container(&self, id: &mut ContainerId) {
        if !self.recorded.containers.contains(id) && !id.0.is_empty() {
            let text = id.0.to_str_lossy();
            let tail: String = text.chars().skip(8).collect();
            *id = ContainerId(Text::from(format!("{:08x}{tail}", self.round)));
        }
    }

    fn namespaces(&self, namespaces: &mut Namespaces) {
        let Namespaces { mnt, pid, net, uts, ipc, cgroup, user } = namespaces;
        for one in [mnt, pid, net, uts, ipc, cgroup, user] {
            if *one != 0 && !self.recorded.namespaces.contains(one) {
                *one = one.wrapping_add((self.round as u32).wrapping_mul(64));
            }
        }
    }

    fn image(&self, image: &mut Image) {
        self.file(&mut image.exe, false);
        for stdio in &mut image.stdio {
            if matches!(stdio.kind, StdioKind::Pipe | StdioKind::Socket) {
                stdio.ino += self.round << 32;
            }
        }
    }

    fn file(&self, file: &mut File, created: bool) {
        if !self.recorded.files.contains(&file.id) || !file.id.is_known() {
            return;
        }
        file.id.ino += self.round << 32;
        // As names of temporary files are: the same texts again and again would make memory look cheaper than it is.
        let path = file.path.to_str_lossy();
        if created && let Some((folder, name)) = path.rsplit_once('/').filter(|(folder, _)| folder.starts_with("/tmp"))
        {
            file.path = Text::from(format!("{folder}/{}-{name}", self.round));
        }
    }

    fn flow(&self, flow: &mut Flow) {
        flow.id.0 += self.round << 32;
    }
}

fn all(namespaces: &Namespaces) -> [u32; 7] {
    let Namespaces { mnt, pid, net, uts, ipc, cgroup, user } = *namespaces;
    [mnt, pid, net, uts, ipc, cgroup, user]
}
