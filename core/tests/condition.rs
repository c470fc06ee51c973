//! What conditions mean, one line each: the condition, and whether the event meets it.
#![allow(clippy::unwrap_used)]

mod world;

use lanner_core::condition::{Condition, Filter, Names, View, parse};
use lanner_core::event::*;
use lanner_core::graph::Graph;
use world::{Actor, World};

/// An event, and the graph after it.
struct Scene {
    graph: Graph,
    event: Event,
}

impl Scene {
    /// The last event of a story.
    fn last(world: &World) -> Scene {
        let mut graph = Graph::default();
        world.events.iter().for_each(|event| graph.apply(event));
        Scene { graph, event: world.events.last().unwrap().clone() }
    }

    fn view(&self) -> View<'_> {
        View::new(&self.event, &self.graph)
    }

    fn meets(&self, condition: &str) -> bool {
        let compiled = Condition::parse(condition, &names()).unwrap_or_else(|e| panic!("{}", e.render("condition")));
        let met = compiled.matches(&self.view());
        // What the index says must never contradict the condition.
        assert!(!met || compiled.families().has(Family::of(&self.event.payload)), "{condition}");
        met
    }

    fn check(&self, lines: &[(&str, bool)]) {
        for (condition, expected) in lines {
            assert_eq!(self.meets(condition), *expected, "{condition}");
        }
    }
}

fn names() -> Names {
    let mut names = Names::default();
    names.define_list("shells", vec!["sh".into(), "bash".into(), "'odd name'".into()]);
    names.define_list("programs", vec!["cat".into(), "shells".into()]);
    names.define_list("nothing", vec![]);
    names.define_macro("container", parse("container.id != host").unwrap());
    names.define_macro("spawned", parse("evt.type in (execve, execveat)").unwrap());
    names.define_macro("shell_spawned", parse("spawned and proc.name in (shells)").unwrap());
    names
}

const ID: &str = "0123456789abcdef0123456789abcdef0123456789abcdef0123456789abcdef";

fn init_and_container(world: &mut World) -> (Actor, Actor) {
    let init = world.found(None, "/usr/lib/systemd/systemd");
    let shim = world.spawn(&init, "/usr/bin/containerd-shim", "containerd-shim -id x");
    let container = world.start_container(&shim, &format!("/kubepods/podx/{ID}"), ID, "/bin/sh");
    (shim, container)
}

fn exec() -> Scene {
    let mut world = World::new();
    let (_, mut container) = init_and_container(&mut world);
    container.task.context_mut().tty = Some(Text::from("pts3"));
    container.task.context_mut().creds =
        Credentials { uid: 1000, gid: 100, cap_effective: 1 << 21 | 1, login_uid: None, ..Credentials::default() };
    container.stdio[0] = Stdio { kind: StdioKind::Pipe, ino: 99, peer: None };
    let pipe = world.spawn(&container, "/usr/bin/Python3", "python3 -u /srv/a=b.py 'x y'");
    world.exec(&pipe, "/usr/bin/Python3", "python3 -u /srv/a=b.py 'x y'");
    Scene::last(&world)
}

fn open() -> Scene {
    let mut world = World::new();
    let (_, container) = init_and_container(&mut world);
    world.write(&container, "/etc/kubernetes/manifests/x.yaml", 4711);
    Scene::last(&world)
}

fn close() -> Scene {
    let mut world = World::new();
    let (_, container) = init_and_container(&mut world);
    let flow = world.connect(&container, "10.2.3.4:443");
    world.close(&container, flow, 70_000, 10);
    Scene::last(&world)
}

#[test]
fn texts() {
    exec().check(&[
        ("proc.name = Python3", true),
        ("proc.name=Python3", true),
        ("proc.name == \"Python3\"", true),
        ("proc.name='Python3'", true),
        ("proc.name = python3", false),
        ("proc.name != python3", true),
        ("proc.name contains yth", true),
        ("proc.name contains YTH", false),
        ("proc.name icontains YTH", true),
        ("proc.name icontains \"\"", true),
        ("proc.name icontains python33", false),
        ("proc.name startswith Pyt", true),
        ("proc.name endswith on3", true),
        ("proc.name endswith Python33", false),
        ("proc.name < Q", true),
        ("proc.name >= Q", false),
        ("proc.name bcontains 7974", true),
        ("proc.name bstartswith 5079", true),
        ("proc.exepath glob /usr/*", true),
        ("proc.exepath glob /usr/*/?ython[0-9]", true),
        ("proc.exepath glob /usr/*/?ython[!3]", false),
        ("proc.exepath glob python", false),
        ("proc.exepath iglob *PYTHON3", true),
        ("proc.exepath regex \"/usr/bin/[A-Z]ython[0-9]+\"", true),
        ("proc.exepath regex ython", false),
        ("proc.exepath pmatch (/usr, /bin)", true),
        ("proc.exepath pmatch (/us)", false),
        ("proc.exepath pmatch (/usr/bin/Python3/x)", false),
        ("proc.exepath pmatch (/*/bin)", true),
        ("proc.exepath pmatch ()", false),
        ("proc.cmdline = \"Python3 -u /srv/a=b.py 'x y'\"", true),
        ("proc.args contains \"a=b.py 'x\"", true),
        ("proc.exeline startswith \"python3 -u\"", true),
        ("proc.exe = python3", true),
    ]);
}

#[test]
fn lists_and_macros() {
    exec().check(&[
        ("proc.name in (sh, Python3)", true),
        ("proc.name in (sh,bash)", false),
        ("proc.name in ()", false),
        ("not proc.name in ()", true),
        ("proc.name in (nothing)", false),
        ("proc.pname in (programs)", true),
        ("proc.pname in programs", true),
        ("proc.pname in (x, \"programs\")", false),
        ("'x' in (x) or proc.name = Python3".trim_start_matches("'x' in (x) or "), true),
        ("container", true),
        ("spawned and container", true),
        ("not container", false),
        ("shell_spawned", false),
        ("proc.pname intersects (sh)", true),
    ]);
}

#[test]
fn precedence() {
    let (t, f) = ("evt.num > 0", "evt.num = 0");
    let scene = exec();
    for (text, expected) in [
        (format!("{t} or {f} and {f}"), true),
        (format!("({t} or {f}) and {f}"), false),
        (format!("{f} and {f} or {t}"), true),
        (format!("not {f} and {t}"), true),
        (format!("not {t} or {t}"), true),
        (format!("not ({t} or {t})"), false),
        (format!("not({t})"), false),
        (format!("not not {t}"), true),
        (format!("not not not {t}"), false),
        (format!("{t} and({t})or({f})"), true),
        (format!("\n\t( {t}\r\n and not\n{f} )"), true),
    ] {
        assert_eq!(scene.meets(&text), expected, "{text}");
    }
}

#[test]
fn numbers_flags_and_absent_fields() {
    exec().check(&[
        ("user.uid = 1000", true),
        ("user.uid = 0x3e8", true),
        ("user.uid in (1, 0x3E8)", true),
        ("user.uid > 999 and user.uid <= 1000", true),
        ("user.loginuid = -1", true),
        ("user.name != root", true),
        ("proc.tty = 34819", true),
        ("proc.is_exe_from_memfd = false", true),
        ("proc.is_exe_from_memfd != true", true),
        ("proc.is_exe_from_memfd in (true, false)", true),
        ("thread.cap_effective = \"CAP_CHOWN CAP_SYS_ADMIN\"", true),
        ("thread.cap_effective icontains sys_admin", true),
        ("proc.stdin.type = pipe", true),
        ("proc.stdin.name = pipe:[99]", true),
        ("evt.type = execve and evt.dir = <", true),
        // One event stands for the call's beginning and for its end.
        ("evt.dir=>", true),
        ("evt.dir != >", false),
        // One call has several names.
        ("evt.type = execveat", true),
        ("evt.type != execveat", false),
        ("evt.type = openat", false),
        ("evt.arg[1] = python3", true),
        ("evt.arg[31] exists", false),
        ("evt.arg.exe = python3", true),
        ("evt.arg[exe] = python3", true),
        // A file's fields are absent here: every comparison is false, and so is `!=`.
        ("fd.name = x", false),
        ("fd.name != x", false),
        ("fd.name exists", false),
        ("not fd.name exists", true),
        ("not fd.name = x", true),
        ("fd.sport < 1", false),
        ("evt.is_open_write = false", false),
        ("proc.name exists", true),
        ("user.uid exists", true),
    ]);
}

#[test]
fn lineage() {
    exec().check(&[
        ("proc.aname = containerd-shim", true),
        ("proc.aname = Python3", false),
        ("proc.aname in (bash, containerd-shim)", true),
        ("proc.aname startswith containerd", true),
        ("proc.aname != sh", true),
        ("proc.aname[0] = Python3", true),
        ("proc.aname[1] = sh", true),
        ("proc.aname[2] = containerd-shim", true),
        ("proc.aname[60] exists", false),
        ("proc.pname = sh", true),
        ("proc.pcmdline = sh", true),
        ("proc.aexepath[2] = /usr/bin/containerd-shim", true),
        ("proc.acmdline[2] contains \"-id x\"", true),
        ("proc.apid[1] = val(proc.ppid)", true),
        ("len(proc.aname) = 3", true),
    ]);
}

#[test]
fn transformers_and_other_fields() {
    exec().check(&[
        ("tolower(proc.name) = python3", true),
        ("toupper(proc.name) = PYTHON3", true),
        ("basename(proc.exepath) = Python3", true),
        ("tolower(basename(proc.exepath)) = python3", true),
        ("len(proc.name) = 7", true),
        ("len(lanner.images) = 2", true),
        ("b64(proc.cmdline) exists", false),
        ("proc.name = val(proc.pname)", false),
        ("proc.name != val(proc.pname)", true),
        ("proc.name = basename(proc.exepath)", true),
        ("proc.name startswith val(proc.aname[0])", true),
        ("proc.pid > val(proc.ppid)", true),
        ("proc.name in val(lanner.images)", true),
        ("proc.pname in val(lanner.images)", false),
        ("proc.name = val(fd.name)", false),
    ]);
}

#[test]
fn files() {
    open().check(&[
        ("evt.type in (open, openat, openat2)", true),
        ("evt.is_open_write = true", true),
        ("evt.is_open_read = true", false),
        ("evt.is_open_create = true", true),
        ("evt.arg.flags contains O_CREAT", true),
        ("evt.rawres >= 0", true),
        ("evt.res = SUCCESS", true),
        ("evt.failed = false", true),
        ("fd.name = /etc/kubernetes/manifests/x.yaml", true),
        ("fd.directory = /etc/kubernetes/manifests", true),
        ("fd.filename = x.yaml", true),
        ("fd.typechar='f' and fd.num>=0", true),
        ("fd.type = file", true),
        ("fd.ino = 4711", true),
        ("fs.path.name startswith /etc", true),
        ("fd.ip exists", false),
        ("lanner.event = open", true),
        ("lanner.file.created = true", true),
    ]);
}

fn does(payload: Payload) -> Scene {
    let mut world = World::new();
    let (_, container) = init_and_container(&mut world);
    world.say(&container, payload);
    Scene::last(&world)
}

#[test]
fn names_of_files() {
    let file = File::new("/etc/kubernetes/manifests/x.yaml", 1, 4711);
    let from = File { path: Text::from("/tmp/../x"), as_passed: true, ..File::default() };
    let rename = Rename { file: file.clone(), from: from.clone(), exchanged: false };
    does(Payload::Rename(Box::new(rename))).check(&[
        ("evt.type in (rename, renameat, renameat2)", true),
        ("evt.type = renameat2", true),
        ("evt.category = file", true),
        ("evt.failed = false", true),
        ("fs.path.source = /tmp/../x", true),
        ("fs.path.target startswith /etc/kubernetes", true),
        ("fs.path.name exists", false),
        ("evt.arg.oldpath = /tmp/../x and evt.arg.newpath endswith x.yaml", true),
        ("fd.name exists", false),
        ("lanner.file.ino = 4711 and lanner.file.as_passed = false", true),
        ("lanner.file.path = /etc/kubernetes/manifests/x.yaml", true),
        ("lanner.file.directory = /etc/kubernetes/manifests", true),
    ]);
    let link = Link { file: file.clone(), target: from.clone(), symbolic: true };
    does(Payload::Link(Box::new(link))).check(&[
        ("evt.type in (symlink, symlinkat)", true),
        ("evt.type in (link, linkat)", false),
        ("evt.arg.target = /tmp/../x and evt.arg.linkpath endswith x.yaml", true),
        ("evt.arg.oldpath exists", false),
        ("fs.path.source endswith x.yaml and fs.path.target = /tmp/../x", true),
    ]);
    let link = Link { file: file.clone(), target: from, symbolic: false };
    does(Payload::Link(Box::new(link))).check(&[
        ("evt.type in (link, linkat)", true),
        ("evt.arg.oldpath = /tmp/../x and evt.arg.newpath endswith x.yaml", true),
    ]);
    let unlink = Unlink { file: file.clone(), links: None, directory: Some(true) };
    does(Payload::Unlink(Box::new(unlink))).check(&[
        ("evt.type = rmdir", true),
        ("evt.type in (unlink, unlinkat)", false),
        ("fs.path.name endswith x.yaml and evt.arg.path = val(fs.path.name)", true),
    ]);
    let make = Make { file: file.clone(), kind: MadeKind::BlockDevice, mode: Some(0o600), device: Some((8, 0)) };
    does(Payload::Make(Box::new(make))).check(&[
        ("evt.type in (mknod, mknodat) and not evt.type = mkdir", true),
        ("evt.arg.mode = \"S_IWUSR|S_IRUSR\"", true),
    ]);
    let change = AttributeChange::Mode { before: Some(0o755), now: Some(0o4755) };
    does(Payload::Attribute(Box::new(Attribute { file: file.clone(), change }))).check(&[
        ("evt.type in (chmod, fchmod, fchmodat)", true),
        ("evt.arg.mode contains S_ISUID", true),
        ("evt.arg.mode contains S_ISGID", false),
        ("evt.arg.filename = val(lanner.file.path)", true),
    ]);
    let change = AttributeChange::Owner { before: None, now: Some(Owner { uid: 0, gid: 5 }) };
    does(Payload::Attribute(Box::new(Attribute { file, change }))).check(&[
        ("evt.type in (chown, fchown, fchownat, lchown)", true),
        ("evt.arg.uid = 0 and evt.arg.gid = 5", true),
        ("evt.arg.mode exists", false),
    ]);
}

#[test]
fn connections() {
    close().check(&[
        ("fd.ip = 10.2.3.4", true),
        ("fd.ip = \"10.2.3.4\"", true),
        ("fd.ip = 10.0.0.1", true),
        ("fd.ip != 10.2.3.4", false),
        ("fd.ip != 10.9.9.9", true),
        ("fd.ip in (10.9.9.9, 10.2.3.4)", true),
        ("fd.net = 10.0.0.0/8", true),
        ("fd.net in (\"192.168.0.0/16\")", false),
        ("fd.snet in (10.2.0.0/16)", true),
        ("fd.snet in (10.2.3.4/0)", true),
        ("fd.snet in (::/0)", false),
        ("fd.cip = 10.0.0.1", true),
        ("fd.sip = 10.2.3.4", true),
        ("fd.rip = 10.2.3.4", true),
        ("fd.lip = 10.0.0.1", true),
        ("fd.sport = 443", true),
        ("fd.cport = 40000", true),
        ("fd.port = 443", true),
        ("fd.port != 443", false),
        ("fd.port in (1, 40000)", true),
        ("fd.l4proto = tcp", true),
        ("fd.typechar = 4", true),
        ("fd.type in (ipv4, ipv6)", true),
        ("fd.name = \"10.0.0.1:40000->10.2.3.4:443\"", true),
        ("fd.is_server = false", true),
        ("fd.sip = val(fd.rip)", true),
        ("lanner.net.sent >= 65536 and lanner.net.mostly_sent = true", true),
        ("lanner.net.outgoing = true", true),
        ("container.id = 0123456789ab", true),
    ]);
}

#[test]
fn the_index_knows_which_events_can_meet_a_condition() {
    for (condition, families) in [
        ("evt.type = execve", "{\"exec\"}"),
        ("evt.type in (open, openat, connect)", "{\"open\", \"connect\", \"unix\", \"udp\"}"),
        ("spawned or lanner.event = open", "{\"exec\", \"open\"}"),
        ("spawned and proc.name = x", "{\"exec\"}"),
        ("not spawned and evt.type in (execve, connect)", "{\"connect\", \"unix\", \"udp\"}"),
        ("not not spawned", "{\"exec\"}"),
        ("evt.type = userfaultfd", "{}"),
        ("evt.type = execve and evt.dir = >", "{\"exec\"}"),
        ("evt.type = creat", "{\"open\"}"),
        ("not evt.type = creat and evt.type in (execve, openat2)", "{\"exec\"}"),
        ("evt.type startswith mem", "{\"memfd\"}"),
        ("evt.type = setns", "{\"namespace\"}"),
        ("fd.sport = 22", "{\"connect\", \"accept\", \"listen\", \"close\", \"traffic\", \"bind\", \"udp\", \"dns\"}"),
        (
            "evt.is_open_write = true or proc.name = x and evt.type = connect",
            "{\"open\", \"connect\", \"unix\", \"udp\"}",
        ),
    ] {
        let families_of = Condition::parse(condition, &names()).unwrap().families();
        assert_eq!(format!("{families_of:?}"), families, "{condition}");
    }
    let all = Condition::parse("proc.name = x", &names()).unwrap().families();
    assert_eq!(all.iter().count(), Family::ALL.len());
    // Not every namespace event is a setns, so its negation leaves the family in.
    let rest = Condition::parse("not evt.type = setns", &names()).unwrap().families();
    assert!(rest.has(Family::Namespace));
}

#[test]
fn a_filter_is_a_condition_or_words() {
    let passes = |scene: &Scene, text: &str| {
        Filter::parse(text).unwrap_or_else(|e| panic!("{text}: {e}")).matches(&scene.view())
    };
    let (exec, close, open) = (exec(), close(), open());
    for (scene, text, expected) in [
        (&exec, "", true),
        (&exec, "  ", true),
        (&exec, "PYTHON3", true),
        (&exec, "python3 a=b.py", true),
        (&exec, "python3 nothing", false),
        (&exec, "\"-u /srv\"", true),
        (&exec, "\"/srv -u\"", false),
        (&exec, "0123456789abcdef", true),
        (&exec, "proc.name = Python3", true),
        (&exec, "proc.name=sh", false),
        (&exec, "(not proc.name=sh)", true),
        (&exec, "tolower(proc.name) = python3", true),
        (&exec, "exec", true),
        (&exec, "sh in python3", false),
        (&exec, "proc.name", false),
        (&close, "10.2.3.4:443", true),
        (&close, "10.2.3.5", false),
        (&open, "manifests x.yaml", true),
    ] {
        assert_eq!(passes(scene, text), expected, "{text}");
    }
    assert!(Filter::parse("proc.name = sh and").is_err(), "a field with an operator makes it a condition");
    assert!(Filter::parse("proc.nmae = sh").is_err(), "also when the name is wrong");
    assert!(Filter::parse("nginx.conf = 1").unwrap().words().len() == 3, "but not when it is no field's class");
}

#[test]
fn texts_are_joined() {
    let mut world = World::new();
    let (_, container) = init_and_container(&mut world);
    let tool = world.spawn(&container, "/usr/bin/Tool", "tool -v");
    world.write(&tool, "/etc/x.yaml", 9);
    Scene::last(&world).check(&[
        ("join(\"-\", (proc.name, proc.pname)) = Tool-sh", true),
        ("join(\"\", (proc.name, \":\", user.uid)) = \"Tool:0\"", true),
        ("join(\">\", proc.aname) startswith \"sh>\"", true),
        ("join(\">\", (proc.name, proc.aname)) startswith \"Tool>sh>\"", true),
        ("toupper(join(\"/\", (\"a\", basename(fd.name)))) = A/X.YAML", true),
        ("len(join(\", \", (\"a\", \"b\"))) = 4", true),
        ("proc.name = join(\"\", (\"To\", \"ol\"))", true),
        ("proc.name in join(\"\", (\"To\", \"ol\"))", true),
        ("tolower(proc.name) = tolower(\"TOOL\")", true),
        ("toupper(\"x\") = X", true),
        ("len(\"abc\") = 3 and len(proc.name) = len(\"four\")", true),
        // What is not there joins nothing.
        ("join(\"-\", (proc.name, fd.sip)) exists", false),
        ("join(\"-\", (proc.name, fd.sip)) != x", false),
        ("join(\"-\", lanner.env) exists", false),
        ("join(\"\", (\"a\\\"b\")) = 'a\"b'", true),
        ("\t join ( \"-\" , ( proc.name , \"x\" ) ) = Tool-x", true),
    ]);
    let field = Condition::parse("join(\"-\", (proc.name, tolower(proc.pname))) = x", &Names::default()).unwrap();
    assert_eq!(field.fields(), ["proc.name", "tolower(proc.pname)"]);
}

#[test]
fn bytes_may_be_written_by_their_numbers() {
    let mut world = World::new();
    let init = world.found(None, "/sbin/init");
    world.spawn(&init, "/bin/x", "x a\tb \u{fc}");
    Scene::last(&world).check(&[
        (r#"proc.args contains "a\x09b""#, true),
        (r#"proc.args contains "a\x0Ab""#, false),
        (r#"proc.args endswith "\xc3\xbc""#, true),
        (r#"proc.args = "\x61\tb \xC3\xBC""#, true),
    ]);
    for wrong in [r#"proc.args = "\xff""#, r#"proc.args = "\x0""#, r#"proc.args = "\x00""#, r#"proc.args = "\xc3x""#] {
        assert!(parse(wrong).is_err(), "{wrong}");
    }
}

#[test]
fn users_have_the_names_of_where_they_are() {
    let mut world = World::new();
    let (init, container) = init_and_container(&mut world);
    let list = |of: Option<&str>, user: &str, group: &str| {
        let account = |name: &str| vec![Account { id: 0, name: "root".into() }, Account { id: 7, name: name.into() }];
        let container = of.map(|id| ContainerId(id.into()));
        Payload::Accounts(Box::new(Accounts { container, users: account(user), groups: account(group), cut: false }))
    };
    let nobody = Actor { key: ProcessKey::UNKNOWN, ..init.clone() };
    world.say(&nobody, list(None, "lp", "printers"));
    world.say(&nobody, list(Some(ID), "app", "apps"));
    let as_seven = |actor: &Actor| {
        let mut actor = actor.clone();
        actor.task.context_mut().creds = Credentials { uid: 7, gid: 7, login_uid: Some(7), ..actor.task.context.creds };
        actor
    };
    let mut outside = world.clone();
    outside.exec(&as_seven(&init), "/bin/x", "x");
    Scene::last(&outside).check(&[
        ("user.name = lp and group.name = printers and user.loginname = lp", true),
        ("user.name in (app, root)", false),
    ]);
    world.exec(&as_seven(&container), "/bin/x", "x");
    Scene::last(&world).check(&[("user.name = app and group.name = apps", true), ("user.loginname = lp", true)]);
    let mut other = as_seven(&container);
    other.task.context_mut().creds.uid = 8;
    world.exec(&other, "/bin/x", "x");
    Scene::last(&world).check(&[("user.name = \"<NA>\" and user.name != root", true)]);
}

#[test]
fn what_was_passed_to_an_open_is_told() {
    let mut world = World::new();
    let init = world.found(None, "/sbin/init");
    let open = |passed: Option<Passed>| {
        Payload::Open(Box::new(Open {
            file: File::new("/etc/shadow", 1, 9),
            fd: 3,
            access: Access { read: false, write: true },
            created: true,
            written_before: false,
            directory: false,
            through: Through::Call,
            passed,
        }))
    };
    let flags = OpenFlags(0o2_001_101);
    world.say(&init, open(Some(Passed { name: Some("../../etc/shadow".into()), flags, mode: 0o755 })));
    Scene::last(&world).check(&[
        ("fd.nameraw glob \"*../*../*\" and fd.name = /etc/shadow", true),
        ("fs.path.nameraw = ../../etc/shadow", true),
        ("evt.is_open_exec = true", true),
        ("evt.arg.flags = \"O_WRONLY|O_CREAT|O_TRUNC|O_CLOEXEC|O_F_CREATED\"", true),
        ("evt.arg.mode contains S_IXUSR", true),
    ]);
    world.say(&init, open(Some(Passed { name: None, flags: OpenFlags(0o101), mode: 0o644 })));
    Scene::last(&world).check(&[("fd.nameraw = /etc/shadow", true), ("evt.is_open_exec = false", true)]);
    world.say(&init, open(None));
    Scene::last(&world).check(&[
        ("fd.nameraw exists", false),
        ("evt.is_open_exec exists", false),
        ("evt.arg.flags = \"O_WRONLY|O_CREAT|O_F_CREATED\"", true),
    ]);
}

#[test]
fn variables_mounts_and_groups_are_asked_for() {
    let mut world = World::new();
    let (_, mut container) = init_and_container(&mut world);
    container.task.group = container.key.pid;
    container.task.session = container.key.pid;
    container.task.ns_pid = 1;
    container.task.context_mut().pid_namespaces = vec![9, 2];
    world.exec(&container, "/bin/y", "y");
    let mount = |host: &str, at: &str, read_only| HostMount { host: host.into(), container: at.into(), read_only };
    let info = ContainerInfo {
        id: ContainerId(ID.into()),
        told_by: ToldBy::Runtime,
        name: "x".into(),
        mounts: vec![mount("/proc", "/host/proc", true), mount("/srv/data", "/data", false)],
        ..ContainerInfo::default()
    };
    world.say(&container, Payload::Container(Box::new(info)));
    world.exec(&container, "/bin/x", "x");
    let mut scene = Scene::last(&world);
    let Payload::Exec(exec) = &mut scene.event.payload else { panic!("an exec") };
    exec.image.env.list = vec!["HTTP_PROXY=http://p".into(), "LD_PRELOAD=".into()];
    scene.check(&[
        ("proc.env icontains http_proxy", true),
        ("proc.env = \"HTTP_PROXY=http://p LD_PRELOAD=\"", true),
        ("proc.env[HTTP_PROXY] = \"http://p\" and proc.env[LD_PRELOAD] = \"\"", true),
        ("proc.env[HTTP] exists", false),
        ("container.mount.dest[/proc*] = /host/proc", true),
        ("container.mount.dest[/etc] != \"N/A\"", false),
        ("container.mount.source[/data] = /srv/data and container.mount.source[0] = /proc", true),
        ("container.mount[1] = \"/srv/data:/data::true:\"", true),
        ("container.mount.rdwr[/host/proc] = false", true),
        ("proc.is_vpgid_leader = true and proc.is_vsid_leader = true", true),
        ("proc.vpgid = 1 and proc.vsid = 1 and proc.pgid > 1 and proc.vpgid.name = x", true),
    ]);
    let mut child = world.spawn(&container, "/bin/z", "z");
    child.task.group = container.key.pid;
    child.task.context_mut().pid_namespaces = vec![9, 2];
    world.exec(&child, "/bin/z", "z");
    Scene::last(&world).check(&[("proc.is_vpgid_leader = false and proc.vpgid = 1 and proc.vpgid.exe = x", true)]);
    // Its group's leader lives outside of its pid namespace.
    child.task.context_mut().pid_namespaces = vec![10, 9, 2];
    world.exec(&child, "/bin/z", "z");
    Scene::last(&world).check(&[("proc.vpgid = 0", true)]);
}
