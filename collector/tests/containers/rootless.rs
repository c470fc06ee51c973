//! An ordinary user's containers: podman without root, whose containers mostly have no control group of their own.

use lanner_core::event::ContainerId;

use super::host::{Groups, Host};
use super::podman::{Podman, attributed};
use super::runtimes::LIMITS;
use super::watch::Watch;

/// The user, who is known on the test's host alone, and those that are the user's to give away.
const USER: &str = "61001";
const OTHERS: &str = "300000:65536";

/// What stands before the user's commands.
fn user(host: &Host, session: Option<&str>) -> Vec<String> {
    let dir = host.dir().display();
    let make = format!(
        "for list in passwd group subuid subgid; do
             cat /etc/$list >{dir}/$list && chmod 644 {dir}/$list && mount --bind {dir}/$list /etc/$list
         done
         echo somebody:x:{USER}:{USER}::{dir}/home:/bin/sh >>/etc/passwd && echo somebody:x:{USER}: >>/etc/group
         echo somebody:{OTHERS} >>/etc/subuid && echo somebody:{OTHERS} >>/etc/subgid
         mkdir -m 700 {dir}/home /run/user && chmod 755 /run/user && mkdir -m 700 /run/user/{USER}
         chown {USER}:{USER} {dir}/home /run/user/{USER}"
    );
    host.run(&["sh", "-e", "-c", &make]);
    let become_user = format!(
        "exec setpriv --reuid {USER} --regid {USER} --clear-groups env -i PATH=/usr/sbin:/usr/bin:/sbin:/bin HOME={dir}/home \
         XDG_RUNTIME_DIR=/run/user/{USER} \"$0\" \"$@\""
    );
    let Some(session) = session else { return ["sh", "-c", &become_user].map(str::to_owned).to_vec() };
    let (slice, _) = session.rsplit_once('/').expect("it lies in the user's slice");
    host.run(&["sh", "-c", &format!("mkdir -p {session} && chown -R {USER} {slice}")]);
    ["sh", "-c", &format!("echo $$ >{session}/cgroup.procs && {become_user}")].map(str::to_owned).to_vec()
}

#[test]
fn a_users_containers_are_known_where_version_2_is_all_there_is() {
    let Some(host) = Host::start(Groups::Version2, &["docker.io", "podman", "crun", "uidmap"]) else { return };
    let Some(mut watch) = Watch::start() else { return };
    let slice = format!("user.slice/user-{USER}.slice");
    let session = format!("/sys/fs/cgroup/{slice}/session-2.scope");
    let before = user(&host, Some(&session));
    let before: Vec<&str> = before.iter().map(String::as_str).collect();

    let podman = Podman::new(&host, &before, "crun");
    let id = podman.start("crun", &[], "7451");
    let program = attributed(&mut watch, "7451", podman.told(&id, "crun", false));
    assert_eq!(program.task.context.cgroup, host.group(&format!("{slice}/session-2.scope")).as_str());
    assert_eq!(program.task.context.creds.uid.to_string(), USER);

    let podman = podman.with("runc", &before);
    let id = podman.start("runc", &[], "7452");
    let program = attributed(&mut watch, "7452", podman.told(&id, "runc", false));
    assert_eq!(program.task.context.cgroup, host.group(&format!("{slice}/{id}")).as_str());
}

#[test]
fn a_users_containers_are_known_without_control_groups() {
    let Some(host) = Host::start(Groups::Machines, &["docker.io", "podman", "uidmap"]) else { return };
    let Some(mut watch) = Watch::start() else { return };
    let before = user(&host, None);
    let podman = Podman::new(&host, &before.iter().map(String::as_str).collect::<Vec<_>>(), "runc");
    let id = podman.start("shop", &["-v", "/usr:/mnt:ro"], "7453");
    let mut wanted = podman.told(&id, "shop", false);
    wanted.mounts =
        vec![lanner_core::event::HostMount { host: "/usr".into(), container: "/mnt".into(), read_only: true }];
    attributed(&mut watch, "7453", wanted);
    podman.run(&["exec", "shop", "true", "7454"]);
    watch.meets("lanner.container.entered = true and container.name = shop and proc.args = 7454");

    // Two of a pod: the one that holds its namespaces, and a member.
    let pod =
        ["pod", "create", "--name", "pod", "--infra-image", "localhost/bb:1", "--infra-command", "/bin/sleep 7455"];
    podman.run(&[&pod[..], &["--infra-name", "holder", "--network", "none"]].concat());
    let member = ["run", "-d", "--pod", "pod", "--name", "member"];
    let member = podman.run(&[&member[..], &LIMITS, &["localhost/bb:1", "sleep", "7456"]].concat());
    attributed(&mut watch, "7456", podman.told(&member, "member", false));
    let (_, holder) = watch.exec("7455");
    let (_, info) = watch.named("the pod's holder", |info| info.name == "holder");
    assert_eq!(holder.task.context.container, Some(info.id));

    // It was there before another one looks.
    let mut late = Watch::start().expect("it did before");
    let (event, info) = late.named("a container that was there", |info| info.id == ContainerId(id.as_str().into()));
    assert_eq!((info.name.to_string().as_str(), event.header.origin), ("shop", lanner_core::event::Origin::Backfill));
}
