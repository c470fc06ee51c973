//! Podman with crun where version 2 is all there is: with a control group each, in one that is divided, and with none.

use std::fs;

use lanner_core::event::{ContainerId, ContainerInfo, Exec, ImageName, Payload, ToldBy};

use super::host::{Groups, Host};
use super::runtimes::{LIMITS, TRIES, expected};
use super::watch::Watch;

/// Podman on a host, and the image `localhost/bb:1` there.
pub(crate) struct Podman<'a> {
    host: &'a Host,
    /// What stands before the arguments of one command.
    command: Vec<String>,
    image: String,
}

impl<'a> Podman<'a> {
    /// `before` are commands that run others.
    pub(crate) fn new(host: &'a Host, before: &[&str], runtime: &str) -> Podman<'a> {
        let mut podman = Podman { host, command: Self::command(before, runtime), image: String::new() };
        let archive = host.dir().join("rootfs.tar").display().to_string();
        host.run(&["tar", "-C", &host.dir().join("rootfs").display().to_string(), "-cf", &archive, "."]);
        let said = podman.run(&["import", &archive, "localhost/bb:1"]);
        podman.image = said.lines().last().and_then(|line| line.rsplit(':').next()).expect("an id").to_owned();
        podman
    }

    /// The same storage, with another runtime.
    pub(crate) fn with(self, runtime: &str, before: &[&str]) -> Podman<'a> {
        Podman { command: Self::command(before, runtime), ..self }
    }

    fn command(before: &[&str], runtime: &str) -> Vec<String> {
        let global = ["--runtime", runtime, "--cgroup-manager", "cgroupfs", "--storage-driver", "vfs"];
        let all = before.iter().copied().chain(["podman"]).chain(global).chain(["--events-backend", "none"]);
        all.map(str::to_owned).collect()
    }

    pub(crate) fn run(&self, args: &[&str]) -> String {
        let all: Vec<&str> = self.command.iter().map(String::as_str).chain(args.iter().copied()).collect();
        self.host.run(&all)
    }

    /// Starts a container that sleeps for so long, and gives its id.
    pub(crate) fn start(&self, name: &str, options: &[&str], seconds: &str) -> String {
        let start = ["run", "-d", "--network", "none", "--name", name];
        self.run(&[&start[..], &LIMITS, options, &["localhost/bb:1", "sleep", seconds]].concat())
    }

    /// What is to be told of a container.
    pub(crate) fn told(&self, id: &str, name: &str, privileged: bool) -> ContainerInfo {
        ContainerInfo {
            id: ContainerId(id.into()),
            told_by: ToldBy::Files,
            runtime: "podman".into(),
            name: name.into(),
            image: ImageName {
                reference: "localhost/bb:1".into(),
                id: self.image.as_str().into(),
                ..ImageName::default()
            },
            privileged: Some(privileged),
            ..ContainerInfo::default()
        }
    }
}

/// Where the program with this argument runs, once it is sure that it is in this container and that the container is named.
pub(crate) fn attributed(watch: &mut Watch, argument: &str, wanted: ContainerInfo) -> Exec {
    let (_, program) = watch.exec(argument);
    assert_eq!(program.task.context.container.as_ref(), Some(&wanted.id), "{argument}");
    let (_, info) = watch.named("podman's container", |info| info.id == wanted.id);
    assert_eq!(info, expected(&info, wanted));
    program
}

#[test]
fn podmans_containers_are_known_with_a_control_group_and_without() {
    let Some(host) = Host::start(Groups::Version2, &["podman", "crun"]) else { return };
    let Some(mut watch) = Watch::start() else { return };
    let podman = Podman::new(&host, &[], "crun");
    // Without limits of any kind: some hosts' root may neither count processes nor load what guards devices.
    let free = ["--pids-limit", "0", "--privileged"];

    let id = podman.start("own", &free, "7441");
    let program = attributed(&mut watch, "7441", podman.told(&id, "own", true));
    assert_eq!(program.task.context.cgroup, host.group(&format!("libpod_parent/libpod-{id}")).as_str());

    let id = podman.start("split", &[&free[..], &["--cgroups=split"]].concat(), "7442");
    let program = attributed(&mut watch, "7442", podman.told(&id, "split", true));
    assert_eq!(program.task.context.cgroup, host.group(&format!("session/libpod-payload-{id}")).as_str());

    let id = podman.start("none", &[&free[..], &["--cgroups=disabled"]].concat(), "7443");
    let program = attributed(&mut watch, "7443", podman.told(&id, "none", true));
    assert!(!program.task.context.cgroup.to_string().contains(&id), "{}", program.task.context.cgroup);
    goes_in_and_out(&mut watch, &podman, &id);

    leaves_its_group(&mut watch, &podman, &free);
    brief(&mut watch, &podman, &free);
    brief(&mut watch, &podman, &[&free[..], &["--cgroups=disabled"]].concat());
}

/// Who goes into a container without a control group, and out of it.
fn goes_in_and_out(watch: &mut Watch, podman: &Podman<'_>, id: &str) {
    podman.run(&["exec", "none", "true", "7444"]);
    watch.meets(&format!("lanner.container.entered = true and container.id = {} and proc.args = 7444", &id[..12]));

    // From outside, past its supervisor: nobody's process of its own.
    let root = watch.graph.container(&ContainerId(id.into())).expect("it was seen").root;
    let entered =
        std::process::Command::new("nsenter").args(["-t", &root.pid.to_string(), "-m", "true", "7445"]).status();
    assert!(entered.expect("nsenter starts").success());
    watch.meets(&format!("lanner.ns.entered_container = {} and container.id = host", &id[..12]));

    // Out of one, into the mounts of who started it.
    let options = ["--pids-limit", "0", "--privileged", "--cgroups=disabled", "-v", "/proc:/mnt"];
    let id = podman.start("out", &options, "7446");
    podman.run(&["exec", "out", "nsenter", "-m/mnt/1/ns/mnt", "true", "7447"]);
    let container = format!("container.id = {}", &id[..12]);
    watch.meets(&format!("lanner.ns.entered_host intersects (mnt) and {container}"));
    watch.meets(&format!("{container} and proc.args = 7447 and lanner.ns.mnt.host = true"));
}

/// Who has the host's control groups at hand moves itself out of its own, and is the container's still.
fn leaves_its_group(watch: &mut Watch, podman: &Podman<'_>, free: &[&str]) {
    let id = podman.start("leaving", &[free, &["-v", "/sys/fs/cgroup:/mnt"]].concat(), "7471");
    let script = "echo $$ >/mnt/session/cgroup.procs && /bin/true 7472 && exec /bin/true 7473";
    podman.run(&["exec", "leaving", "sh", "-c", script]);
    for argument in ["7472", "7473"] {
        let left = format!("lanner.container.left = true and container.name = leaving and proc.args = {argument}");
        let event = watch.meets(&left);
        let Payload::Exec(exec) = &event.payload else { panic!("{event:?}") };
        assert_eq!(
            (&exec.task.context.container, exec.task.context.cgroup.to_string()),
            (&None, podman.host.group("session"))
        );
        assert_eq!(watch.graph.container_of(event.header.process).map(|c| c.id.to_string()), Some(id.clone()));
    }
    watch.meets("lanner.container.left = false and container.name = leaving and proc.args = 7471");
}

/// A container that is over at once, and that nobody remembers.
fn brief(watch: &mut Watch, podman: &Podman<'_>, options: &[&str]) {
    let cid = podman.host.dir().join("cid");
    let cidfile = format!("--cidfile={}", cid.display());
    let run = ["run", "--rm", "--network", "none", "--name", "brief", &cidfile];
    let is_told = (1..=TRIES).any(|_| {
        let _ = fs::remove_file(&cid);
        podman.run(&[&run[..], &LIMITS, options, &["localhost/bb:1", "true", "7448"]].concat());
        let id = ContainerId(fs::read_to_string(&cid).expect("podman tells").trim().into());
        watch.expect("its program", |event, graph| {
            let ended = matches!(event.payload, Payload::Exit(_)).then(|| graph.process(event.header.process))??;
            (ended.task.context.container.as_ref() == Some(&id) && ended.task.comm == "true").then_some(())
        });
        let wanted = podman.told(&id.to_string(), "brief", true);
        let (_, info) = watch.named("a brief container of podman's", |info| info.id == id);
        // It may have gone before anybody could look.
        let is_told = info.told_by == wanted.told_by;
        assert!(!is_told || info == expected(&info, wanted), "{info:?}");
        is_told
    });
    assert!(is_told, "podman's files tell of one");
}
