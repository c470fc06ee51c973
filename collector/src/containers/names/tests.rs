use super::*;
use lanner_core::event::{Args, CloneFlags, Context, Exit, File, Fork, Image, ToldBy};
use std::sync::mpsc::Receiver;

/// What a thread would have at its end.
struct Thread {
    told: Receiver<Tell>,
    answers: SyncSender<Box<ContainerInfo>>,
}

impl Thread {
    fn asked(&self) -> Vec<String> {
        let who = |tell| match tell {
            Tell::Who(question) => {
                Some(format!("{} {}", question.id, if question.seen { "seen" } else { "announced" }))
            }
            Tell::Runtime(..) => None,
        };
        self.told.try_iter().filter_map(who).collect()
    }

    fn answer(&self, id: &str, name: &str) {
        let told_by = if name.is_empty() { ToldBy::Nobody } else { ToldBy::Runtime };
        let id = ContainerId(id.into());
        let info = ContainerInfo { id, told_by, name: name.into(), ..ContainerInfo::default() };
        self.answers.send(Box::new(info)).expect("there is room");
    }
}

fn names(room: usize) -> (Names, Thread) {
    let (tells, told) = sync_channel(room);
    let (answers, answered) = sync_channel(16);
    (Names::between(tells, answered), Thread { told, answers })
}

fn event(time: u64, payload: Payload) -> Event {
    let process = ProcessKey::new(7, 7);
    let header = Header { seq: 0, time: BootTime(time), cpu: 0, process, tid: 7, origin: Origin::Live, compat: false };
    Event { header, payload }
}

fn fork(time: u64, cgroup: &str, container: Option<&str>) -> Event {
    let container = container.map(|id| ContainerId(id.into()));
    let task =
        Task { context: Context { cgroup: cgroup.into(), container, ..Context::default() }.into(), ..Task::default() };
    event(time, Payload::Fork(Box::new(Fork { child: ProcessKey::new(8, 8), how: CloneFlags::default(), task })))
}

fn exec(time: u64, line: &str) -> Event {
    let list: Vec<Text> = line.split(' ').map(Text::from).collect();
    let exe = File::new(format!("/usr/bin/{}", list[0]).as_str(), 1, 1);
    let image = Image { exe, args: Args { list, truncated: false }, ..Image::default() };
    let mut task = Task::default();
    task.context_mut().namespaces.mnt = Names::between(sync_channel(1).0, sync_channel(1).1).own_mnt;
    event(time, Payload::Exec(Box::new(Exec { task, image })))
}

fn begin(time: u64, container: &str) -> Event {
    let task = Task {
        context: Context { container: Some(ContainerId(container.into())), ..Context::default() }.into(),
        ..Task::default()
    };
    event(time, Payload::Exec(Box::new(Exec { task, image: Image::default() })))
}

/// The names that events tell, and the events' places and times.
fn told(events: &[Event]) -> Vec<(usize, u64, String)> {
    let one = |(i, event): (usize, &Event)| match &event.payload {
        Payload::Container(info) => Some((i, event.header.time.0, info.name.to_string())),
        _ => None,
    };
    events.iter().enumerate().filter_map(one).collect()
}

#[test]
fn each_container_is_asked_about_once() {
    let (mut names, thread) = names(16);
    let mut events = vec![fork(1, "/docker/a", Some("a")), fork(2, "/docker/a", Some("a"))];
    names.look(&mut events, BootTime(2));
    assert_eq!(thread.asked(), ["a seen"]);
    thread.answer("a", "web");
    names.look(&mut vec![fork(3, "/docker/a", Some("a"))], BootTime(3));
    assert!(thread.asked().is_empty());
}

#[test]
fn an_answer_that_comes_late_stands_at_the_end() {
    let (mut names, thread) = names(16);
    names.look(&mut vec![begin(1, "a")], BootTime(1));
    thread.answer("a", "web");
    let mut events = vec![event(5, Payload::Exit(Exit { code: 0, signal: 0 }))];
    names.look(&mut events, BootTime(9));
    assert_eq!(told(&events), [(1, 9, "web".to_owned())]);
    assert_eq!(events[1].header.process, ProcessKey::new(7, 7), "as whose program was seen in it first");
}

#[test]
fn a_container_is_named_as_its_first_program_begins_and_not_as_its_runtime_makes_it() {
    let (mut names, thread) = names(16);
    let mut events = vec![fork(1, "/docker/a", Some("a"))];
    names.look(&mut events, BootTime(1));
    thread.answer("a", "web");
    names.look(&mut events, BootTime(2));
    assert!(told(&events).is_empty());
    let mut events = vec![begin(3, "a"), fork(4, "/docker/a", Some("a"))];
    names.look(&mut events, BootTime(4));
    assert_eq!(told(&events), [(1, 3, "web".to_owned())]);
    assert_eq!(events[1].header.process, ProcessKey::new(7, 7));
    let mut nothing = Vec::new();
    names.look(&mut nothing, BootTime(3 + BEGINS_WITHIN));
    assert!(nothing.is_empty());
}

#[test]
fn a_container_that_runs_no_program_is_named_in_the_end() {
    let (mut names, thread) = names(16);
    names.look(&mut vec![fork(1, "/docker/a", Some("a")), fork(1, "/docker/b", Some("b"))], BootTime(1));
    thread.answer("a", "web");
    let mut events = Vec::new();
    names.look(&mut events, BootTime(BEGINS_WITHIN));
    assert!(events.is_empty());
    names.look(&mut events, BootTime(1 + BEGINS_WITHIN));
    assert_eq!(told(&events), [(0, 1 + BEGINS_WITHIN, "web".to_owned())]);
    assert_eq!(events[0].header.process, ProcessKey::new(8, 8));
    thread.answer("b", "slow");
    names.look(&mut events, BootTime(2 + BEGINS_WITHIN));
    assert_eq!(told(&events)[1], (1, 2 + BEGINS_WITHIN, "slow".to_owned()));
}

#[test]
fn what_a_runtime_announces_is_known_from_the_first_event_on() {
    let (mut names, thread) = names(16);
    names.look(&mut vec![exec(1, "runc create --bundle /b own-name")], BootTime(1));
    assert_eq!(thread.asked(), ["own-name announced"]);
    thread.answer("own-name", "web");
    let mut nothing = Vec::new();
    names.look(&mut nothing, BootTime(2));
    assert!(nothing.is_empty(), "nothing of it was seen");
    let other = || event(3, Payload::Exit(Exit { code: 0, signal: 0 }));
    let mut events = vec![other(), fork(3, "/own-name", None), begin(3, "own-name"), fork(4, "/another", None)];
    names.look(&mut events, BootTime(9));
    assert_eq!(told(&events), [(3, 3, "web".to_owned())]);
    let of = |event: &Event| match &event.payload {
        Payload::Fork(fork) => fork.task.context.container.clone(),
        _ => None,
    };
    assert_eq!(of(&events[1]), Some(ContainerId("own-name".into())), "its group is known by the announcement");
    assert_eq!(of(&events[4]), None);
}

#[test]
fn a_runtimes_own_program_on_its_way_into_a_container_is_none_of_the_containers() {
    let (mut names, thread) = names(16);
    let at = |time, mnt, container: Option<&str>| {
        let mut event = exec(time, "runc create --bundle /b a");
        let Payload::Exec(exec) = &mut event.payload else { unreachable!() };
        exec.task.context_mut().namespaces.mnt = mnt;
        exec.task.context_mut().container = container.map(|id| ContainerId(id.into()));
        event
    };
    names.look(&mut vec![at(1, 5, None)], BootTime(1));
    thread.answer("a", "web");
    let mut events = vec![at(2, 5, Some("a")), at(3, 6, Some("a"))];
    names.look(&mut events, BootTime(3));
    assert_eq!(told(&events), [(2, 3, "web".to_owned())]);
    // One that is given its host's file system has no other program.
    names.look(&mut vec![exec(4, "runc create --bundle /b b")], BootTime(4));
    thread.answer("b", "agent");
    let own = names.own_mnt;
    let mut events = vec![at(5, own, Some("b"))];
    names.look(&mut events, BootTime(5));
    assert!(told(&events).is_empty());
    names.look(&mut events, BootTime(5 + BEGINS_WITHIN));
    assert_eq!(told(&events), [(1, 5 + BEGINS_WITHIN, "agent".to_owned())]);
}

#[test]
fn what_is_asked_about_twice_is_told_once_unless_more_is_known() {
    let (mut names, thread) = names(16);
    names.look(&mut vec![exec(1, "runc create --bundle /b web")], BootTime(1));
    thread.answer("web", "web");
    // The answer is under way when the container begins.
    let begun = Task {
        context: Context { container: Some(ContainerId("web".into())), ..Context::default() }.into(),
        ..Task::default()
    };
    assert!(names.meet(ProcessKey::new(8, 8), &begun, None, Origin::Live).is_none());
    assert_eq!(thread.asked(), ["web announced", "web seen"]);
    thread.answer("web", "web");
    thread.answer("web", "web, and in which pod");
    let mut events = Vec::new();
    names.look(&mut events, BootTime(2));
    assert_eq!(told(&events), [(0, 2, "web".to_owned()), (1, 2, "web, and in which pod".to_owned())]);
}

#[test]
fn without_room_the_next_event_asks_again() {
    let (mut names, thread) = names(1);
    let mut events = vec![fork(1, "/docker/a", Some("a")), fork(1, "/docker/b", Some("b"))];
    names.look(&mut events, BootTime(1));
    assert_eq!(thread.asked(), ["a seen"]);
    names.look(&mut vec![fork(2, "/docker/b", Some("b"))], BootTime(2));
    assert_eq!(thread.asked(), ["b seen"]);
}

#[test]
fn a_users_word_about_anothers_container_is_not_taken() {
    let (mut names, thread) = names(16);
    let Payload::Exec(mut conmon) = exec(1, "conmon -c web -b /b").payload else { unreachable!() };
    conmon.task.context_mut().creds.euid = 1000;
    names.look(&mut vec![event(1, Payload::Exec(conmon))], BootTime(1));
    assert_eq!(thread.asked(), ["web announced"]);
    thread.answer("web", "trustworthy");
    let mut events = vec![begin(2, "web")];
    names.look(&mut events, BootTime(2));
    assert_eq!(told(&events), []);
    assert_eq!(thread.asked(), ["web seen"], "its own runtime is asked");
}

#[test]
fn what_a_supervisor_starts_is_its_containers_without_any_group() {
    let (mut names, thread) = names(16);
    let conmon = exec(1, "conmon -c web -b /b");
    let supervisor = conmon.header.process;
    let mut inside = fork(2, "/", None);
    inside.header.process = supervisor;
    let Payload::Fork(task) = &mut inside.payload else { unreachable!() };
    task.task.context_mut().namespaces.mnt = 1;
    let mut events = vec![conmon, inside];
    names.look(&mut events, BootTime(2));
    let Payload::Fork(fork) = &events[1].payload else { panic!("{events:?}") };
    assert_eq!(fork.task.context.container, Some(ContainerId("web".into())));
    assert_eq!(thread.asked(), ["web announced"]);
}
