//! A busy node: what lives on it, what has ended, and what goes on. The same each time.

use std::collections::VecDeque;
use std::net::SocketAddr;
use std::time::Duration;

use lanner_core::event::{
    Access, Args, Attempt, Batch, BootTime, CloneFlags, Close, Connect, ContainerId, Context, Credentials, End, Event,
    Exec, Exit, File, FileId, Flow, FlowId, Fork, Gain, Header, Image, Namespaces, NodeInfo, Open, Origin, Payload,
    ProcessKey, Quality, Stdio, StdioKind, Task, Text, Through, Traffic,
};

/// How much there is on a node.
#[derive(Clone, Copy)]
pub(crate) struct Much {
    /// Processes that live all the time.
    living: usize,
    /// Processes that have ended before anything is measured.
    ended: usize,
    /// Connections by then.
    flows: usize,
}

/// What the screens are measured with.
pub(crate) const BUSY: Much = Much { living: 10_000, ended: 50_000, flows: 20_000 };
/// A node as most are.
pub(crate) const USUAL: Much = Much { living: 1_000, ended: 5_000, flows: 2_000 };

/// Events a second from then on.
pub(crate) const RATE: u64 = 5_000;

/// The host's namespaces.
const HOST: Namespaces = Namespaces { mnt: 1, pid: 2, net: 3, uts: 4, ipc: 5, cgroup: 6, user: 7 };
/// Jobs that run at a time.
const JOBS: usize = 200;
const CONTAINERS: u64 = 80;
const SERVICES: u64 = 40;
const PROGRAMS: [&str; 8] = ["worker", "gateway", "ledger", "indexer", "planner", "mailer", "cached", "proxyd"];
const TASKS: [&str; 6] = ["job-runner", "healthcheck", "sed", "rotate", "render", "compile"];

/// Where a process runs.
#[derive(Clone)]
struct Place {
    cgroup: Text,
    container: Option<ContainerId>,
    tty: Option<Text>,
    namespaces: Namespaces,
    uid: u32,
    /// Who lives there.
    members: Vec<ProcessKey>,
}

/// Something short: a program that is started, opens files, connects, and ends.
struct Job {
    process: ProcessKey,
    step: u32,
    flow: Option<Flow>,
}

/// The node.
pub(crate) struct Load {
    node: NodeInfo,
    much: Much,
    random: u64,
    now: BootTime,
    seq: u64,
    pid: u32,
    flow: u64,
    file: u64,
    places: Vec<Place>,
    jobs: VecDeque<Job>,
    /// Connections that stay.
    open: Vec<(ProcessKey, Flow, u64)>,
    told: Vec<Event>,
}

impl Load {
    /// The node, and all that has been before anything is measured, in batches. It begins with the reference attack, so that
    /// there is an incident too.
    pub(crate) fn new(much: Much) -> (Load, Vec<Batch>) {
        let scenario = lanner_scenarios::scenario("container-escape").unwrap();
        let reader = lanner_recording::Reader::new(scenario.recording).unwrap();
        let node = reader.header().node.clone();
        let mut batches: Vec<Batch> = reader.collect();
        let events = || batches.iter().flat_map(|batch| &batch.events);
        let last = events().map(|event| event.header.time.0).max().unwrap();
        let seq = events().map(|event| event.header.seq).max().unwrap();
        let mut load = Load {
            node,
            much,
            random: 0x9e37_79b9_7f4a_7c15,
            now: BootTime(last + 1_000_000_000),
            seq,
            pid: 100_000,
            flow: 1 << 40,
            file: 1 << 40,
            places: places(),
            jobs: VecDeque::new(),
            open: Vec::new(),
            told: Vec::new(),
        };
        load.begin();
        // At its beginning a recording says what lives: all of it is told at once.
        batches.extend(load.batches());
        load.before();
        batches.extend(load.batches());
        (load, batches)
    }

    pub(crate) fn node(&self) -> &NodeInfo {
        &self.node
    }

    pub(crate) fn now(&self) -> BootTime {
        self.now
    }

    /// What happens next, for so long.
    pub(crate) fn next(&mut self, time: Duration) -> Batch {
        let events = RATE * u64::try_from(time.as_nanos()).unwrap() / 1_000_000_000;
        for _ in 0..events {
            self.go_on();
            self.now = self.now.after(Duration::from_nanos(1_000_000_000 / RATE));
        }
        let events = std::mem::take(&mut self.told);
        Batch { now: self.now, first_seq: events[0].header.seq, events, ..Batch::default() }
    }

    fn batches(&mut self) -> Vec<Batch> {
        let told = std::mem::take(&mut self.told);
        let batch = |events: &[Event]| Batch {
            now: events[events.len() - 1].header.time,
            first_seq: events[0].header.seq,
            events: events.to_vec(),
            ..Batch::default()
        };
        told.chunks(500).map(batch).collect()
    }

    /// xorshift64.
    fn below(&mut self, n: usize) -> usize {
        self.random ^= self.random << 13;
        self.random ^= self.random >> 7;
        self.random ^= self.random << 17;
        usize::try_from(self.random % n as u64).unwrap()
    }

    fn tell(&mut self, process: ProcessKey, origin: Origin, payload: Payload) {
        self.seq += 1;
        let header = Header { seq: self.seq, time: self.now, cpu: 0, process, tid: process.pid, origin, compat: false };
        self.told.push(Event { header, payload });
    }

    /// What lives.
    fn begin(&mut self) {
        for n in 0..self.much.living {
            // A tenth of them in each place stands directly below its first, the others somewhere.
            let at = n % self.places.len();
            let members = self.places[at].members.len();
            let above = if members == 0 || n % 10 == 0 { 0 } else { self.below(members) };
            let parent = self.places[at].members.get(above).copied();
            self.pid += 1;
            let key =
                ProcessKey { pid: self.pid, start: BootTime(self.now.0 - 600_000_000_000 + n as u64 * 1_000_000) };
            let program = PROGRAMS[self.below(PROGRAMS.len())];
            let exec = Exec { task: task(&self.places[at], key.pid, parent, program), image: image(program, n as u64) };
            self.tell(key, Origin::Backfill, Payload::Alive(Box::new(exec)));
            self.places[at].members.push(key);
        }
    }

    /// What has ended, and who spoke to whom.
    fn before(&mut self) {
        let step = Duration::from_micros(1_000);
        for n in 0..self.much.ended {
            let process = self.start();
            self.now = self.now.after(step);
            if n < self.much.flows {
                let flow = self.connect(process);
                if n % 10 == 0 {
                    let owner = self.one_of_a_place();
                    let kept = self.connect(owner);
                    self.open.push((owner, kept, 0));
                } else {
                    self.close(process, flow);
                }
                self.now = self.now.after(step);
            }
            self.tell(process, Origin::Live, Payload::Exit(Exit { code: 0, signal: 0 }));
            self.now = self.now.after(step);
        }
    }

    /// One of the first fifty of a place.
    fn one_of_a_place(&mut self) -> ProcessKey {
        let at = self.below(self.places.len());
        let member = self.below(self.places[at].members.len().min(50));
        self.places[at].members[member]
    }

    /// Who lives somewhere starts a program.
    fn start(&mut self) -> ProcessKey {
        let at = self.below(self.places.len());
        let parent = self.below(self.places[at].members.len());
        let parent = self.places[at].members[parent];
        self.pid = if self.pid > 4_000_000 { 100_000 } else { self.pid + 1 };
        let key = ProcessKey { pid: self.pid, start: self.now };
        let program = TASKS[self.below(TASKS.len())];
        let task = task(&self.places[at], key.pid, Some(parent), program);
        let fork = Fork { child: key, how: CloneFlags::default(), task: task.clone() };
        self.tell(parent, Origin::Live, Payload::Fork(Box::new(fork)));
        let image = image(program, self.seq);
        self.tell(key, Origin::Live, Payload::Exec(Box::new(Exec { task, image })));
        key
    }

    fn connect(&mut self, process: ProcessKey) -> Flow {
        self.flow += 1;
        let port = u16::try_from(20_000 + self.flow % 40_000).unwrap();
        let remote = [10, 2, u8::try_from(self.below(20)).unwrap(), u8::try_from(self.below(100)).unwrap()];
        let flow = Flow {
            id: FlowId(self.flow),
            local: SocketAddr::from(([10, 1, 0, 7], port)),
            remote: SocketAddr::from((remote, 5432)),
            netns: HOST.net,
        };
        for attempt in [Attempt::Started, Attempt::Established] {
            self.tell(process, Origin::Live, Payload::Connect(Connect { flow, attempt, asked: false }));
        }
        flow
    }

    fn close(&mut self, process: ProcessKey, flow: Flow) {
        let close = Close {
            flow,
            outgoing: Some(true),
            sent: 1_000 + flow.id.0 % 977,
            received: 64_000 + flow.id.0 % 9_973,
            quality: Quality::default(),
            end: End::Finished,
            lasted: Duration::from_millis(20),
        };
        self.tell(process, Origin::Live, Payload::Close(close));
    }

    fn open(&mut self, process: ProcessKey, write: bool) {
        self.file += 1;
        let n = if write { self.file % 8_000 } else { self.file % 500 };
        let path = if write { format!("/var/lib/data/part-{n:05}") } else { format!("/srv/shared/config-{n}") };
        let open = Open {
            file: File::new(path.as_str(), 64_769, (1 << 30) + n + u64::from(write) * 100_000),
            fd: 3,
            access: Access { read: !write, write },
            created: false,
            written_before: !write,
            directory: false,
            through: Through::Call,
            passed: None,
        };
        self.tell(process, Origin::Live, Payload::Open(Box::new(open)));
    }

    /// One event more.
    fn go_on(&mut self) {
        match self.below(10) {
            0 | 1 => {
                let process = self.one_of_a_place();
                self.open(process, true);
            }
            2 => {
                let n = self.below(self.open.len());
                let (process, flow, sent) = &mut self.open[n];
                *sent += 1_400;
                let (process, flow, sent) = (*process, *flow, *sent);
                let quality = Quality { rtt: Duration::from_micros(400 + sent % 97), ..Quality::default() };
                let lasted = Duration::from_secs(1);
                let traffic = Traffic { flow, outgoing: Some(true), sent, received: sent * 3, quality, lasted };
                self.tell(process, Origin::Live, Payload::Traffic(traffic));
            }
            _ => self.work(),
        }
    }

    /// A step of one of the jobs: start, files, a connection, the end.
    fn work(&mut self) {
        if self.jobs.len() < JOBS {
            let process = self.start();
            self.jobs.push_back(Job { process, step: 0, flow: None });
            return;
        }
        let n = self.below(JOBS);
        let Job { process, step, flow } = self.jobs[n];
        self.jobs[n].step += 1;
        match (step, flow) {
            (5, None) => self.jobs[n].flow = Some(self.connect(process)),
            (8, Some(flow)) => self.close(process, flow),
            (9.., _) => {
                self.tell(process, Origin::Live, Payload::Exit(Exit { code: 0, signal: 0 }));
                self.jobs.swap_remove_back(n);
            }
            _ => self.open(process, step % 3 == 0),
        }
    }
}

fn places() -> Vec<Place> {
    let place = |cgroup: String, container: Option<String>, tty: Option<String>, n: u64| {
        let own = u32::try_from(1_000 + n * 10).unwrap();
        let inside = Namespaces { mnt: own, pid: own + 1, net: own + 2, uts: own + 3, ipc: own + 4, ..HOST };
        Place {
            cgroup: Text::from(cgroup),
            namespaces: if container.is_some() { inside } else { HOST },
            container: container.map(|id| ContainerId(Text::from(id))),
            tty: tty.map(Text::from),
            uid: if n.is_multiple_of(3) { 0 } else { 1_000 },
            members: Vec::new(),
        }
    };
    let container = |n: u64| {
        let id = format!("{:064x}", n.wrapping_mul(0x9e37_79b9_7f4a_7c15));
        place(format!("/kubepods/besteffort/pod{n}/{id}"), Some(id), None, n)
    };
    let service = |n: u64| place(format!("/system.slice/unit-{n}.service"), None, None, n);
    (0..CONTAINERS).map(container).chain((0..SERVICES).map(service)).collect()
}

fn task(place: &Place, pid: u32, parent: Option<ProcessKey>, program: &str) -> Task {
    Task {
        parent,
        comm: Text::from(program),
        ns_pid: pid,
        session: pid,
        group: pid,
        context: Context {
            pid_namespaces: vec![place.namespaces.pid],
            creds: Credentials {
                uid: place.uid,
                euid: place.uid,
                gid: place.uid,
                egid: place.uid,
                ..Credentials::default()
            },
            tty: place.tty.clone(),
            root_path: None,
            namespaces: place.namespaces,
            root: FileId::default(),
            cgroup: place.cgroup.clone(),
            container: place.container.clone(),
        }
        .into(),
    }
}

fn image(program: &str, n: u64) -> Image {
    let arguments =
        [program.to_owned(), "--config".to_owned(), format!("/etc/{program}/{}.conf", n % 50), format!("--shard={n}")];
    let ino = program.bytes().fold(7u64, |n, b| n * 31 + u64::from(b)) % 900_000 + 1;
    Image {
        exe: File::new(format!("/usr/bin/{program}").as_str(), 64_769, ino),
        args: Args { list: arguments.iter().map(|a| Text::from(a.as_str())).collect(), truncated: false },
        cwd: Text::from("/"),
        stdio: [Stdio { kind: StdioKind::Device, ino: 5, peer: None }; 3],
        gain: Some(Gain::default()),
        ..Image::default()
    }
}
