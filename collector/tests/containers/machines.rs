//! Containers that hold a whole machine: LXC's and systemd-nspawn's. Their groups are called after them, and nobody is asked.

use std::fs;
use std::process::{Child, Stdio};

use lanner_core::event::{ContainerId, ToldBy};

use super::host::{Groups, Host};
use super::watch::Watch;

/// Ends with its host at the latest.
struct Running(Child);

impl Drop for Running {
    fn drop(&mut self) {
        let _ = self.0.kill();
        let _ = self.0.wait();
    }
}

fn start(host: &Host, args: &[&str]) -> Running {
    let log = fs::File::create(host.dir().join("log")).expect("a file");
    let mut command = host.command(args);
    command.stdin(Stdio::null()).stdout(log.try_clone().expect("a file")).stderr(log);
    Running(command.spawn().expect("nsenter starts"))
}

/// The program with this argument runs in this group, and in the container of this name, which `runtime` looks after from
/// outside.
fn runs_in(watch: &mut Watch, argument: &str, name: &str, group: &str, runtime: &str) {
    let (_, program) = watch.exec(argument);
    let id = ContainerId(name.into());
    assert_eq!(program.task.context.container.as_ref(), Some(&id));
    assert_eq!(program.task.context.cgroup, group);
    let container = watch.graph.container(&id).expect("it was seen");
    let supervisor = container.runtime.and_then(|key| watch.graph.process(key)).expect("somebody made it");
    assert_eq!((supervisor.task.comm.to_string().as_str(), &supervisor.task.context.container), (runtime, &None));
    assert!(container.host.is_some_and(|host| host.mnt != program.task.context.namespaces.mnt));
    let (_, info) = watch.named(name, |info| info.id == id);
    assert_eq!(info.told_by, ToldBy::Nobody, "nobody has more to tell: {info:?}");
}

#[test]
fn containers_of_lxc_and_nspawn_are_known_by_their_groups() {
    let Some(host) = Host::start(Groups::Version2, &["lxc", "systemd-container"]) else { return };
    let Some(mut watch) = Watch::start() else { return };
    let dir = host.dir().display().to_string();
    let config = format!(
        "lxc.rootfs.path = dir:{dir}/rootfs\nlxc.net.0.type = empty\nlxc.mount.auto = proc:mixed\n\
         lxc.apparmor.profile = unconfined\nlxc.pty.max = 0\nlxc.tty.max = 0\nlxc.cap.keep = setuid\n"
    );
    fs::create_dir(host.dir().join("box")).expect("a folder");
    fs::write(host.dir().join("box/config"), config).expect("written");
    let lxc = start(&host, &["lxc-execute", "-P", &dir, "-n", "box", "--", "/bin/sleep", "7461"]);
    runs_in(&mut watch, "7461", "box", &host.group("lxc.payload.box"), "lxc-execute");
    host.run(&["lxc-attach", "-P", &dir, "-n", "box", "--", "/bin/true", "7462"]);
    watch.meets("lanner.container.entered = true and container.id = box and proc.args = 7462");
    drop(lxc);

    // As systemd would have placed it.
    let unit = r"machine.slice/systemd-nspawn@my\x2dbox.service";
    let place =
        format!("mkdir -p '/sys/fs/cgroup/{unit}'; echo $$ >'/sys/fs/cgroup/{unit}/cgroup.procs'; exec \"$0\" \"$@\"");
    let nspawn = ["systemd-nspawn", "--register=no", "--keep-unit", "-q", "--pipe", "-M", "my-box", "-D"];
    let rootfs = format!("{dir}/rootfs");
    let args = [&["sh", "-c", &place][..], &nspawn, &[&rootfs, "/bin/sleep", "7463"]].concat();
    let _nspawn = start(&host, &args);
    runs_in(&mut watch, "7463", "my-box", &host.group(&format!("{unit}/payload")), "systemd-nspawn");
}
