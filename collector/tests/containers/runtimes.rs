//! Runtimes that no kubelet drives.

use std::fs;
use std::time::Duration;

use lanner_core::event::{ContainerId, ContainerInfo, HostMount, HostNamespace, ImageName, Label, Role, ToldBy};

use super::host::{Groups, Host};
use super::watch::Watch;

pub(crate) const LIMITS: [&str; 4] = ["--ulimit", "nofile=4096:4096", "--ulimit", "nproc=4096:4096"];

/// As a runtime made it: what cannot be known beforehand is taken over.
pub(crate) fn expected(info: &ContainerInfo, expected: ContainerInfo) -> ContainerInfo {
    let Some(created) = info.created else { panic!("runtimes know when they made a container: {info:#?}") };
    let wall = std::time::SystemTime::now().duration_since(std::time::UNIX_EPOCH).expect("it is after 1970");
    let age = u64::try_from(wall.as_nanos()).expect("it is before 2554").saturating_sub(created);
    assert!(age < Duration::from_secs(600).as_nanos() as u64, "made {age} ns ago");
    ContainerInfo { created: Some(created), ..expected }
}

#[test]
fn each_runtimes_containers_are_attributed_and_named() {
    let Some(mut host) = Host::start(Groups::Machines, &["docker.io", "podman"]) else { return };
    let Some(mut watch) = Watch::start() else { return };
    docker(&mut host, &mut watch);
    containerd(&host, &mut watch);
    podman(&host, &mut watch);
    runc(&host, &mut watch);
    late(&host);
}

fn docker(host: &mut Host, watch: &mut Watch) {
    host.daemon(&["containerd"], &["ctr", "version"]);
    let daemon = ["dockerd", "--bridge", "none", "--iptables=false", "--ip6tables=false"];
    let limits = ["--default-ulimit", "nofile=4096:4096", "--containerd", "/run/containerd/containerd.sock"];
    host.daemon(&[&daemon[..], &limits].concat(), &["docker", "version"]);
    let rootfs = host.dir().join("rootfs");
    host.run(&["sh", "-c", &format!("tar -C {} -c . | docker import - local/bb:1", rootfs.display())]);
    let image = host.run(&["docker", "images", "-q", "--no-trunc", "local/bb:1"]);
    let options = ["--network", "host", "--pid", "host", "-v", "/usr:/mnt:ro", "-l", "app=shop", "--name", "web"];
    let id = host.run(&[&["docker", "run", "-d"], &options[..], &["local/bb:1", "sleep", "7411"]].concat());

    let (exec, program) = watch.exec("7411");
    assert_eq!(program.task.context.container, Some(ContainerId(id.as_str().into())));
    assert_eq!(program.task.context.cgroup, format!("/docker/{id}").as_str());
    let (event, info) = watch.named("docker's container", |info| info.id.0 == id.as_str());
    let wanted = ContainerInfo {
        id: ContainerId(id.as_str().into()),
        told_by: ToldBy::Runtime,
        runtime: "docker".into(),
        name: "web".into(),
        image: ImageName { reference: "local/bb:1".into(), id: image.as_str().into(), ..ImageName::default() },
        role: Role::Container,
        privileged: Some(false),
        host_namespaces: vec![HostNamespace::Pid, HostNamespace::Net],
        mounts: vec![HostMount { host: "/usr".into(), container: "/mnt".into(), read_only: true }],
        labels: vec![Label { key: "app".into(), value: "shop".into() }],
        ..ContainerInfo::default()
    };
    assert_eq!(info, expected(&info, wanted));
    assert!(event.header.time <= exec.header.time || info.is_known(), "{event:?}");
    watch.meets("container.name = web and container.image.repository = local/bb and container.label[app] = shop");
    host.run(&["docker", "exec", "web", "true", "7416"]);
    watch.meets("lanner.container.entered = true and container.name = web and proc.args = 7416");
    host.run(&["docker", "rm", "-f", "web"]);

    let id = host.run(&[
        "sh",
        "-c",
        "docker run --network none --name brief local/bb:1 true; docker inspect -f '{{.Id}}' brief",
    ]);
    let (_, info) = watch.named("a brief container of docker's", |info| info.id.0 == id.as_str());
    assert_eq!((info.name.to_string().as_str(), info.told_by), ("brief", ToldBy::Runtime));
    host.run(&["docker", "rm", "brief"]);
}

/// Of so many containers that are gone at once, one at least is told of by its runtime before it forgets it, on a busy machine
/// too.
pub(crate) const TRIES: u32 = 4;

fn containerd(host: &Host, watch: &mut Watch) {
    let rootfs = host.dir().join("rootfs").display().to_string();
    let quick = |n: u32| {
        let (name, argument) = (format!("quick{n}"), format!("{}", 74_120 + n));
        host.run(&["ctr", "run", "--rm", "--rootfs", &rootfs, &name, "/bin/busybox", "true", &argument]);
        let (_, program) = watch.exec(&argument);
        assert_eq!(program.task.context.cgroup, format!("/default/{name}").as_str());
        let id = ContainerId(name.as_str().into());
        assert_eq!(program.task.context.container.as_ref(), Some(&id));
        let (_, info) = watch.named("containerd's container", |info| info.id == id);
        (info.told_by == ToldBy::Runtime).then_some((name, info))
    };
    let (name, info) = (1..=TRIES).find_map(quick).expect("containerd tells of one");
    let wanted = ContainerInfo {
        id: ContainerId(name.as_str().into()),
        told_by: ToldBy::Runtime,
        runtime: "containerd".into(),
        name: name.as_str().into(),
        ..ContainerInfo::default()
    };
    assert_eq!(info, expected(&info, wanted));
}

fn podman(host: &Host, watch: &mut Watch) {
    let podman = |args: &[&str]| {
        let global = ["podman", "--runtime", "runc", "--cgroup-manager", "cgroupfs", "--storage-driver", "vfs"];
        host.run(&[&global[..], args].concat())
    };
    let archive = host.dir().join("rootfs.tar").display().to_string();
    host.run(&["tar", "-C", &host.dir().join("rootfs").display().to_string(), "-cf", &archive, "."]);
    let image = podman(&["import", &archive, "localhost/bb:1"]);
    let image = image.lines().last().and_then(|line| line.rsplit(':').next()).expect("an id").to_owned();
    let options = ["--network", "none", "-v", "/usr:/mnt:ro", "--name", "shop"];
    let id = podman(&[&["run", "-d"], &LIMITS[..], &options, &["localhost/bb:1", "sleep", "7413"]].concat());

    let (_, program) = watch.exec("7413");
    assert_eq!(program.task.context.container, Some(ContainerId(id.as_str().into())));
    assert_eq!(program.task.context.cgroup, format!("/libpod_parent/libpod-{id}").as_str());
    let (_, info) = watch.named("podman's container", |info| info.id.0 == id.as_str());
    let wanted = ContainerInfo {
        id: ContainerId(id.as_str().into()),
        told_by: ToldBy::Files,
        runtime: "podman".into(),
        name: "shop".into(),
        image: ImageName { reference: "localhost/bb:1".into(), id: image.as_str().into(), ..ImageName::default() },
        privileged: Some(false),
        mounts: vec![HostMount { host: "/usr".into(), container: "/mnt".into(), read_only: true }],
        ..ContainerInfo::default()
    };
    assert_eq!(info, expected(&info, wanted));
    podman(&["rm", "-f", "-t", "0", "shop"]);
}

/// Nobody keeps what runc alone is asked to run; its bundle says little, and the control group nothing of its kind.
fn runc(host: &Host, watch: &mut Watch) {
    let bundle = host.dir().join("bundle");
    fs::create_dir(&bundle).expect("a folder");
    host.run(&["sh", "-c", &format!("cd {0} && runc spec", bundle.display())]);
    let path = bundle.join("config.json");
    let mut spec: serde_json::Value = serde_json::from_slice(&fs::read(&path).expect("made")).expect("JSON");
    spec["process"]["terminal"] = false.into();
    spec["process"]["args"] = ["/bin/busybox", "true", "7414"].as_slice().into();
    spec["root"]["path"] = host.dir().join("rootfs").display().to_string().into();
    // Some hosts do not allow to raise them.
    spec["process"]["rlimits"] = serde_json::Value::Array(Vec::new());
    fs::write(&path, spec.to_string()).expect("written");
    host.run(&["runc", "run", "--bundle", &bundle.display().to_string(), "bare"]);

    let (_, program) = watch.exec("7414");
    assert_eq!(program.task.context.container, Some(ContainerId("bare".into())));
    assert_eq!(program.task.context.cgroup, "/bare");
    let (_, info) = watch.named("runc's container", |info| info.id.0 == "bare");
    let wanted = ContainerInfo { id: ContainerId("bare".into()), told_by: ToldBy::Files, ..ContainerInfo::default() };
    assert_eq!(info, wanted);
}

/// What ran before the sensor did is named too.
fn late(host: &Host) {
    let options = ["--network", "none", "--name", "early"];
    let id = host.run(&[&["docker", "run", "-d"], &options[..], &["local/bb:1", "sleep", "7415"]].concat());
    let mut watch = Watch::start().expect("it did before");
    assert_eq!(watch.degraded(), None);
    let (event, info) = watch.named("a container that was there", |info| info.id.0 == id.as_str());
    assert_eq!(info.name, "early");
    assert_eq!(event.header.origin, lanner_core::event::Origin::Backfill);
    host.run(&["docker", "rm", "-f", "early"]);
}
