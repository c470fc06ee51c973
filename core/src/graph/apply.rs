//! Events into the graph.

use super::context::{change_namespaces, change_root};
use super::nodes::Spot;
use super::retain::weight;
use super::take::Take;
use super::{Ended, Graph, Node, Process, Relation};
use crate::event::{
    AttributeChange, Event, Exec, Exit, File, Fork, Header, Open, Origin, Payload, ProcessKey, StdioKind, Trace, Udp,
    UdpStage,
};
use crate::hash::IndexMap;
use crate::persistent::{Place, Table};

/// Pipes that are kept.
const MAX_PIPES: usize = 16_384;
/// How deep lineage may become. What is forked below begins a lineage of its own: a process that forks and ends, again and
/// again, must not make each step cost more than the one before.
const MAX_DEPTH: usize = 1_024;
/// Children that are listed of one process.
const MAX_CHILDREN: usize = 16_384;

/// Parents that are kept in mind though nothing but their children is known of them, and how many of those.
const MAX_AWAITED: usize = 1_024;
const MAX_AWAITED_CHILDREN: usize = 64;

/// Where name servers listen.
const DNS_PORT: u16 = 53;

impl Graph {
    /// Takes in what an event says.
    pub fn apply(&mut self, event: &Event) {
        let header = &event.header;
        // What nobody in particular does makes no process, or all such would be one.
        let about_itself = matches!(
            event.payload,
            Payload::Exec(_)
                | Payload::Alive(_)
                | Payload::Exit(_)
                | Payload::Namespace(_)
                | Payload::Root(_)
                | Payload::Credentials(_)
                | Payload::Trace(_)
                | Payload::Comm(_)
        );
        if about_itself && header.process.is_unknown() {
            return;
        }
        match &event.payload {
            Payload::Exec(exec) => self.exec(header, exec),
            Payload::Alive(exec) => self.alive(header, exec),
            Payload::Fork(fork) => self.fork(header, fork),
            Payload::Exit(exit) => self.exit(header, *exit),
            Payload::Open(open) => self.open(header, open),
            Payload::Connect(connect) => self.connect(header, connect),
            Payload::Accept(accept) => self.accept(header, accept),
            Payload::Unix(unix) => self.unix(header, unix),
            Payload::Close(close) => self.ends.close(&close.flow),
            Payload::Namespace(change) => {
                self.change_context(header, |context| change_namespaces(context, change));
                self.note_home(header.process);
            }
            Payload::Root(change) => self.change_context(header, |context| change_root(context, change)),
            Payload::MemFd(memfd) => self.did_to_file(header, Relation::Wrote, &memfd.file),
            Payload::Rename(rename) => self.rename(header, rename),
            Payload::Link(link) => self.link(header, link),
            Payload::Unlink(unlink) => self.unlink(&unlink.file),
            Payload::Make(make) => drop(self.name_file(&make.file)),
            Payload::Attribute(attribute) if matches!(attribute.change, AttributeChange::Size { .. }) => {
                self.digests.written(attribute.file.id, header.time);
                self.did_to_file(header, Relation::Wrote, &attribute.file);
            }
            Payload::Attribute(attribute) => drop(self.name_file(&attribute.file)),
            Payload::Udp(udp) => self.datagrams(header, udp),
            Payload::Dns(dns) => self.names.learn(header, dns),
            Payload::Credentials(change) => {
                // A thread that is not the first may differ from its process.
                if header.tid == header.process.pid {
                    self.change_context(header, |context| {
                        context.creds = change.now.credentials(context.creds.login_uid);
                    });
                }
            }
            Payload::Trace(trace) => self.trace(header, trace),
            Payload::Container(info) => self.name_container(header, info),
            Payload::Accounts(accounts) => self.accounts.learn(accounts),
            Payload::Digest(digest) => self.digests.learn(digest),
            Payload::Comm(comm) => self.actor(header).task.comm = comm.new.clone(),
            Payload::Seal(seal) => drop(self.name_file(&seal.file)),
            Payload::Listen(_)
            | Payload::Traffic(_)
            | Payload::Socket(_)
            | Payload::Bind(_)
            | Payload::Mount(_)
            | Payload::Signal(_)
            | Payload::Kernel(_)
            | Payload::Bpf(_)
            | Payload::Stdio(_)
            | Payload::UringSetup(_)
            | Payload::UringOp(_)
            | Payload::Compat(_) => {}
        }
        self.make_room();
    }

    fn exec(&mut self, header: &Header, exec: &Exec) {
        if self.process(header.process).is_some_and(|p| p.images.iter().any(|image| image.seq == header.seq)) {
            // Told twice.
            return;
        }
        let entered = self.enters(header, exec);
        let process = self.begin_image(header, exec);
        if entered && process.entered.is_none() {
            process.entered = Some(header.seq);
        }
        self.adopt(header.process, exec.task.parent);
        self.note_pid(header.process);
        self.note_image(header, exec);
        self.note_container(header, &exec.task, true);
        self.note_home(header.process);
    }

    fn begin_image(&mut self, header: &Header, exec: &Exec) -> &mut Process {
        let before = self.actor(header).task.context.clone();
        let (task, left) = self.circumstances(&exec.task, Some(&before));
        let mut image = exec.image.clone();
        let File { path, .. } = &mut image.exe;
        let script = image.script.as_mut().map(|script| &mut script.path);
        let texts = [path, &mut image.cwd].into_iter().chain(script);
        texts.chain(&mut image.args.list).chain(&mut image.env.list).for_each(|text| self.texts.share(text));
        let process = self.actor(header);
        let before = weight(process);
        if left {
            process.left = process.left.or(Some(header.seq));
        }
        process.exec(task, image, header.time, header.seq);
        let after = weight(process);
        self.processes_bytes = self.processes_bytes + after - before;
        self.actor(header)
    }

    fn alive(&mut self, header: &Header, exec: &Exec) {
        if self.process(header.process).is_some_and(|p| !p.images.is_empty()) {
            return;
        }
        self.begin_image(header, exec);
        self.adopt(header.process, exec.task.parent);
        self.note_pid(header.process);
        self.note_image(header, exec);
        self.note_container(header, &exec.task, false);
        self.note_home(header.process);
    }

    fn fork(&mut self, header: &Header, fork: &Fork) {
        if fork.child.is_unknown() || self.process(fork.child).is_some_and(|known| known.made.is_some()) {
            return;
        }
        let parent = self.process(header.process);
        let inherited = parent.and_then(Process::shared_image).cloned();
        let (context, left) = (parent.map(|p| p.task.context.clone()), parent.and_then(|p| p.left));
        let (task, is_out) = self.circumstances(&fork.task, context.as_ref());
        let left = left.or(Some(header.seq)).filter(|_| is_out);
        let named = fork.task.parent.filter(|parent| !parent.is_unknown());
        let maker = named.or(Some(header.process));
        match self.nodes.processes.get_mut(&fork.child) {
            // What it did was told first. Its maker is its parent, whoever has adopted it since.
            Some(known) => {
                known.made = Some(header.seq);
                if known.images.is_empty() {
                    (known.task, known.inherited) = (task, inherited);
                    known.left = left;
                }
                self.disown(fork.child, maker);
            }
            None => {
                let child = Process {
                    task,
                    inherited,
                    left,
                    origin: header.origin,
                    made: Some(header.seq),
                    ..Process::unknown(fork.child)
                };
                self.insert(child);
            }
        }
        self.adopt(fork.child, maker);
        self.note_pid(fork.child);
        self.note_container(&Header { process: fork.child, ..*header }, &fork.task, false);
        self.note_home(fork.child);
    }

    /// Takes a process from a parent that is not its maker, if the maker may be its parent.
    fn disown(&mut self, child: ProcessKey, maker: Option<ProcessKey>) {
        let Some(maker) = maker.filter(|maker| !maker.is_unknown() && self.may_adopt(*maker, child)) else { return };
        let Some(process) = self.nodes.processes.get_mut(&child).filter(|process| process.parent != Some(maker)) else {
            return;
        };
        if let Some(before) = process.parent.take() {
            self.unlist(before, child);
        }
    }

    /// The latest process with a pid has it.
    fn note_pid(&mut self, key: ProcessKey) {
        let holder = self.by_pid.or_insert_with(key.pid, || key);
        if holder.start <= key.start {
            *holder = key;
        }
    }

    fn exit(&mut self, header: &Header, exit: Exit) {
        let process = self.actor(header);
        if process.ended.is_none() {
            process.ended = Some(Ended { time: header.time, exit });
            self.ended.push_back(header.process);
            self.living -= 1;
        }
    }

    fn open(&mut self, header: &Header, open: &Open) {
        let file = self.name_file(&open.file);
        if open.access.write {
            self.digests.written(open.file.id, header.time);
            if let Some(file) = file {
                self.relate_to(header, Relation::Wrote, file);
            }
            return;
        }
        let written = file.and_then(|file| self.nodes.file_at(file)?.last_write());
        if let Some((writer, written)) = written.filter(|(writer, _)| *writer != header.process) {
            self.takes.push(Take {
                file: open.file.id,
                path: open.file.path.clone(),
                writer,
                written,
                reader: header.process,
                read: header.seq,
                time: header.time,
                used: false,
            });
        }
        let processes = &mut self.nodes.processes;
        if let Some(place) = processes.place(&header.process)
            && let Some(process) = processes.at_mut_if(place, |process| process.looks_for(&open.file))
        {
            process.found(&open.file);
        }
        if let Some(file) = file {
            self.relate_to(header, Relation::Read, file);
        }
    }

    fn datagrams(&mut self, header: &Header, udp: &Udp) {
        if udp.stage != UdpStage::Started || header.process.is_unknown() {
            return;
        }
        let peer = udp.flow.remote;
        if !udp.outgoing {
            self.relate(header, Relation::Accepted, Node::Peer(peer));
            return;
        }
        // A name server is asked on the way to others: how regularly says nothing of it.
        if peer.port() != DNS_PORT {
            let caller = self.caller(header.process);
            self.contacts.called(caller, peer, header.time, header.seq);
        }
        self.relate(header, Relation::Connected, Node::Peer(peer));
    }

    /// What a process did inside another is both's doing. Who only looks has no part in it, and a parent traces its child
    /// when the child asks: lineage says so.
    fn trace(&mut self, header: &Header, trace: &Trace) {
        let takes_part = trace.errno == 0 && (trace.write || trace.file.is_some());
        if takes_part && trace.target != header.process && self.process(trace.target).is_some() {
            self.reaches.note(header.process, trace.target, header.seq);
            self.relate(header, Relation::Traced, Node::Process(trace.target));
        }
    }

    /// The event's process, to be changed.
    fn actor(&mut self, header: &Header) -> &mut Process {
        let place = self.meet(header);
        self.nodes.processes.value_mut(place)
    }

    /// Where the event's process stands; one that is not known yet begins here, with all but its key unknown.
    pub(super) fn meet(&mut self, header: &Header) -> Place {
        self.nodes.processes.place(&header.process).unwrap_or_else(|| {
            let mut process = Process::unknown(header.process);
            process.origin = header.origin;
            self.note_pid(header.process);
            self.insert(process)
        })
    }

    fn insert(&mut self, mut process: Process) -> Place {
        self.processes_bytes += weight(&process);
        self.living += 1;
        // Its children may have become known before it.
        if let Some(children) = self.awaited.swap_remove(&process.key) {
            let own = |child: &ProcessKey| self.process(*child).is_some_and(|c| c.parent == Some(process.key));
            process.children = children.into_iter().filter(own).collect();
        }
        self.nodes.processes.insert(process.key, process)
    }

    /// Whether a process may become the parent of `child`: it is neither the child nor one of its descendants, and stands
    /// not too deep.
    fn may_adopt(&self, parent: ProcessKey, child: ProcessKey) -> bool {
        let mut above = Some(parent);
        for _ in 0..MAX_DEPTH {
            match above {
                None => return true,
                Some(key) if key == child => return false,
                Some(key) => above = self.process(key).and_then(|p| p.parent),
            }
        }
        false
    }

    /// Puts a process under its parent, once. A process is never put under one of its own descendants.
    fn adopt(&mut self, child: ProcessKey, parent: Option<ProcessKey>) {
        let Some(parent) = parent.filter(|p| !p.is_unknown()) else { return };
        let orphan = self.process(child).is_some_and(|p| p.parent.is_none());
        if !orphan || !self.may_adopt(parent, child) {
            return;
        }
        if let Some(process) = self.nodes.processes.get_mut(&child) {
            process.parent = Some(parent);
        }
        if let Some(parent) = self.nodes.processes.get_mut(&parent) {
            if parent.children.len() < MAX_CHILDREN {
                parent.children.push(child);
            }
            return;
        }
        bound(&mut self.awaited, MAX_AWAITED);
        let children = self.awaited.entry(parent).or_default();
        if children.len() < MAX_AWAITED_CHILDREN {
            children.push(child);
        }
    }

    fn note_image(&mut self, header: &Header, exec: &Exec) {
        self.did_to_file(header, Relation::Executed, &exec.image.exe);
        if let Some(script) = &exec.image.script {
            self.did_to_file(header, Relation::Executed, script);
        }
        for output in &exec.image.stdio[1..] {
            if output.kind == StdioKind::Pipe && output.ino != 0 {
                bound_table(&mut self.pipes, MAX_PIPES);
                self.pipes.insert(output.ino, header.process);
            }
        }
        let input = &exec.image.stdio[0];
        if input.kind == StdioKind::Pipe && input.ino != 0 {
            bound_table(&mut self.pipe_readers, MAX_PIPES);
            self.pipe_readers.insert(input.ino, header.process);
        }
    }

    /// A file has this name now. Gives where it stands, unless it is not known which one it is.
    pub(super) fn name_file(&mut self, file: &File) -> Option<Spot> {
        if !file.id.is_known() {
            return None;
        }
        self.units.note(file);
        let (spot, is_new) = self.nodes.name(file, |path| self.texts.share(path));
        if is_new {
            self.objects.add(spot);
        }
        Some(spot)
    }

    pub(super) fn did_to_file(&mut self, header: &Header, relation: Relation, file: &File) {
        if let Some(file) = self.name_file(file) {
            self.relate_to(header, relation, file);
        }
    }

    /// Whether this exec brings its process into a container that already runs, from outside. A runtime's own last
    /// steps on the way in run in the host's mount namespace still, and do not count.
    fn enters(&self, header: &Header, exec: &Exec) -> bool {
        let Some(container) = exec.task.context.container.as_ref().and_then(|id| self.container(id)) else {
            return false;
        };
        let from_outside = exec
            .task
            .parent
            .and_then(|p| self.process(p))
            .is_some_and(|parent| parent.task.context.container.as_ref() != Some(&container.id));
        header.origin == Origin::Live
            && container.began.is_some()
            && container.root != header.process
            && from_outside
            && !container.is_on_host(&exec.task.context.namespaces)
    }
}

/// Makes room for one more entry: a sixteenth of a full map goes at a time, oldest first.
fn bound<K, V>(map: &mut IndexMap<K, V>, most: usize) {
    if map.len() >= most {
        map.drain(..most / 16);
    }
}

/// Makes room for one more entry: the oldest goes.
fn bound_table<K: std::hash::Hash + Eq + Clone, V: Clone>(map: &mut Table<K, V>, most: usize) {
    if map.len() >= most {
        map.pop_first();
    }
}
