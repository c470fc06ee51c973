//! What really ran: environment, layers, what files give, clone's flags, files without names, loaders.

use std::ffi::CString;
use std::fs;
use std::os::fd::AsRawFd;
use std::os::unix::fs::{OpenOptionsExt, PermissionsExt, chown};
use std::os::unix::process::CommandExt;
use std::path::Path;
use std::process::{Command, Stdio};

use lanner_core::event::{CloneFlags, Environment, Event, Fork, Gain, Image, Layer, Payload, Text};

use lanner_tests::executable;

use super::stage::{born, expect, file_id, helper, life_of, namespace, perform, shell, stage};

const NOBODY: u32 = 65_534;
const CAP_NET_RAW: u64 = 1 << 13;

fn images(life: &[Event]) -> Vec<&Image> {
    life.iter().filter_map(|e| if let Payload::Exec(exec) = &e.payload { Some(&exec.image) } else { None }).collect()
}

fn image(life: &[Event]) -> &Image {
    images(life).pop().unwrap_or_else(|| panic!("an exec: {life:?}"))
}

/// A folder that everybody may look into, and a copy of a program in it.
fn program(name: &str) -> (tempfile::TempDir, std::path::PathBuf) {
    let dir = tempfile::tempdir().expect("a folder");
    fs::set_permissions(dir.path(), fs::Permissions::from_mode(0o755)).expect("open to all");
    let path = dir.path().join(name);
    executable(&path, &fs::read("/bin/true").expect("a program"));
    (dir, path)
}

#[test]
fn of_the_environment_only_what_was_asked_for_is_told() {
    let Some(stage) = stage() else { return };
    let mut command = Command::new("/bin/true");
    command.env_clear().env("HISTFILE", "/dev/null").env("HISTFILESIZE", "0").env("HISTFILES", "no");
    command.env("AWS_SECRET_ACCESS_KEY", "secret").env("ENV", "/tmp/x\u{1b}").env("KUBERNETES_PORT", "1");
    let (_, life) = perform(stage, &mut command);
    let mut env = image(&life).env.clone();
    env.list.sort_by_key(|v| v.as_bytes().to_vec());
    let list = ["ENV=/tmp/x\u{1b}", "HISTFILE=/dev/null", "HISTFILESIZE=0"].map(Text::from).to_vec();
    assert_eq!(env, Environment { list, truncated: false });
}

#[test]
fn long_variables_and_long_environments_are_cut_and_say_so() {
    let Some(stage) = stage() else { return };
    let long = format!("{}LD_AUDIT=x", "y".repeat(5000));
    let (_, life) = perform(stage, Command::new("/bin/true").env_clear().env("LD_PRELOAD", &long).env("ZZ", &long));
    let env = &image(&life).env;
    assert_eq!((env.list.len(), env.truncated), (1, true));
    assert_eq!(env.list[0].as_bytes(), format!("LD_PRELOAD={}", "y".repeat(1023 - 11)).as_bytes());

    // The last of 500 variables is found, the last of 600 is not.
    for (count, found, truncated) in [(500, 1, false), (600, 0, true)] {
        let mut command = Command::new("/bin/true");
        command.env_clear().env("zz", &long).env("zzHISTFILE", "y");
        let filler = (0..count - 8).map(|i| (format!("A{i:04}"), "1"));
        command.envs(filler).env("KUBECONFIG", "last");
        let (_, life) = perform(stage, &mut command);
        let env = &image(&life).env;
        assert_eq!((env.list.len(), env.truncated), (found, truncated), "{count}: {env:?}");
    }
}

#[test]
fn a_file_in_the_upper_layer_is_not_in_the_image() {
    let Some(stage) = stage() else { return };
    let dir = tempfile::tempdir().expect("a folder");
    let at = dir.path().display();
    let script = format!(
        "cd {at} && mkdir lower upper work merged && cp /bin/true lower/ours && \
         mount -t overlay overlay -o lowerdir=lower,upperdir=upper,workdir=work merged && \
         cp /bin/true merged/theirs && merged/ours; merged/theirs; chmod 700 merged/ours && merged/ours; /bin/true"
    );
    let (pid, life) = perform(stage, Command::new("unshare").args(["-m", "sh", "-c", &script]));
    assert!(life.iter().any(|e| matches!(&e.payload, Payload::Exit(exit) if exit.code == 0)), "{life:?}");
    let layer = |name: &str, nth: usize| {
        let path = format!("{at}/merged/{name}");
        let runs: Vec<Image> = forks(&life)
            .iter()
            .flat_map(|fork| images(&life_of(stage, fork.child)).into_iter().cloned().collect::<Vec<_>>())
            .filter(|image| image.exe.path == path.as_str())
            .collect();
        runs.get(nth).unwrap_or_else(|| panic!("{pid} ran {path}: {runs:?}")).layer
    };
    assert_eq!(layer("ours", 0), Some(Layer::Lower));
    assert_eq!(layer("theirs", 0), Some(Layer::Upper));
    assert_eq!(layer("ours", 1), Some(Layer::Upper), "changed, it was copied up");
    assert_eq!(image(&life).layer, None, "outside of overlays");
}

fn forks(life: &[Event]) -> Vec<&Fork> {
    life.iter().filter_map(|e| if let Payload::Fork(fork) = &e.payload { Some(fork.as_ref()) } else { None }).collect()
}

#[test]
fn what_a_file_gives_is_told_with_what_was_before() {
    let Some(stage) = stage() else { return };
    let (_, life) = perform(stage, &mut Command::new("/bin/true"));
    assert_eq!(image(&life).gain, Some(Gain::default()), "nothing");

    let (_dir, path) = program("setuid");
    chown(&path, Some(0), Some(0)).expect("owned by root");
    fs::set_permissions(&path, fs::Permissions::from_mode(0o6755)).expect("set-user-id");
    let mut as_nobody = Command::new(&path);
    let (_, life) = perform(stage, as_nobody.uid(NOBODY).gid(NOBODY));
    let gain = image(&life).gain.expect("known");
    assert_eq!((gain.user_before, gain.group_before), (Some(NOBODY), Some(NOBODY)));
    assert_ne!(gain.capabilities & CAP_NET_RAW, 0, "root may");

    let (_dir, path) = program("capable");
    give_capability(&path, CAP_NET_RAW);
    let (_, life) = perform(stage, Command::new(&path).uid(NOBODY).gid(NOBODY));
    let gain = image(&life).gain.expect("known");
    assert_eq!(gain, Gain { user_before: None, group_before: None, capabilities: CAP_NET_RAW });
}

/// `struct vfs_cap_data`, revision 2, with the bit that makes them effective.
fn give_capability(path: &Path, bits: u64) {
    let words = [0x0200_0001u32, bits as u32, 0, (bits >> 32) as u32, 0];
    let value: Vec<u8> = words.iter().flat_map(|w| w.to_le_bytes()).collect();
    let path = CString::new(path.as_os_str().as_encoded_bytes()).expect("a path");
    // SAFETY: NUL-terminated strings, and as many bytes as said.
    let failed = unsafe {
        libc::setxattr(path.as_ptr(), c"security.capability".as_ptr(), value.as_ptr().cast(), value.len(), 0)
    };
    assert_eq!(failed, 0, "{}", std::io::Error::last_os_error());
}

#[test]
fn the_flags_of_clone_are_told() {
    let Some(stage) = stage() else { return };
    let mut child = Command::new("/bin/true").spawn().expect("it runs");
    child.wait().expect("it ends");
    let how = expect(stage, "the spawn", |e| match &e.payload {
        Payload::Fork(fork) if fork.child.pid == child.id() => Some(fork.how),
        _ => None,
    });
    assert!(how.has(CloneFlags::VFORK) && how.has(CloneFlags::VM), "posix_spawn: {how:?}");
    assert_eq!(how.names().collect::<Vec<_>>(), ["vfork"]);

    let (_, life) = perform(stage, &mut shell("(exit 1); exit 0"));
    assert_eq!(forks(&life)[0].how.names().count(), 0, "a plain fork");

    let (_, life) = perform(stage, &mut helper("images::clones_into_new_namespaces"));
    let [.., fork] = forks(&life)[..] else { panic!("a fork: {life:?}") };
    assert_eq!(fork.how.names().collect::<Vec<_>>(), ["newuts", "newipc"]);
    assert_ne!(fork.task.context.namespaces.uts, namespace("self", "uts"));
}

#[test]
#[ignore = "what another test runs as a process of its own"]
fn clones_into_new_namespaces() {
    // clone3(2): flags first, the signal fifth.
    let mut args = [0u64; 8];
    args[0] = (libc::CLONE_NEWUTS | libc::CLONE_NEWIPC) as u64;
    args[4] = libc::SIGCHLD as u64;
    // SAFETY: a plain fork of this process: the child does nothing but end.
    unsafe {
        match libc::syscall(libc::SYS_clone3, args.as_ptr(), size_of_val(&args)) {
            0 => libc::_exit(0),
            pid => assert!(pid > 0 && libc::waitpid(pid as i32, std::ptr::null_mut(), 0) > 0),
        }
    }
}

#[test]
fn a_file_that_never_had_a_name_is_told_as_such_when_run() {
    let Some(stage) = stage() else { return };
    let (_, life) = perform(stage, &mut helper("images::runs_a_file_without_a_name"));
    let exe = &image(&life).exe;
    assert!(exe.deleted && exe.id.is_known() && !exe.is_memfd(), "{exe:?}");
    assert!(exe.path.to_string().starts_with("/dev/shm/#"), "{exe:?}");
}

#[test]
#[ignore = "what another test runs as a process of its own"]
fn runs_a_file_without_a_name() {
    use std::io::Write;
    let mut file = fs::File::options()
        .write(true)
        .custom_flags(libc::O_TMPFILE)
        .mode(0o700)
        .open("/dev/shm")
        .expect("a file without a name");
    file.write_all(&fs::read("/bin/true").expect("a program")).expect("written");
    let again = fs::File::open(format!("/proc/self/fd/{}", file.as_raw_fd())).expect("opened to read");
    drop(file);
    panic!("{}", exec_fd(again.as_raw_fd()));
}

/// As fexecve(3): by descriptor alone.
pub(crate) fn exec_fd(fd: i32) -> std::io::Error {
    let argv = [c"x".as_ptr(), std::ptr::null()];
    let envp = [std::ptr::null::<libc::c_char>()];
    // SAFETY: NUL-terminated strings and arrays.
    unsafe { libc::syscall(libc::SYS_execveat, fd, c"".as_ptr(), argv.as_ptr(), envp.as_ptr(), libc::AT_EMPTY_PATH) };
    std::io::Error::last_os_error()
}

#[test]
fn by_descriptor_and_from_shared_memory_the_file_is_named_as_any_other() {
    let Some(stage) = stage() else { return };
    let (_, life) = perform(stage, &mut helper("images::runs_by_descriptor"));
    let image = image(&life);
    assert_eq!(image.exe.id, file_id("/bin/true"));
    assert_eq!(image.exe.path.to_string(), fs::canonicalize("/bin/true").expect("true").display().to_string());
    assert_eq!((image.script.as_ref(), image.args.list[0].to_string()), (None, "x".to_owned()));

    let copy = format!("/dev/shm/lanner-test-{}", std::process::id());
    executable(copy.as_ref(), &fs::read("/bin/true").expect("a program"));
    let id = file_id(&copy);
    let (_, life) = perform(stage, &mut Command::new(&copy));
    fs::remove_file(&copy).expect("removed");
    let exe = &self::image(&life).exe;
    assert_eq!((exe.path.to_string(), exe.id, exe.deleted), (copy, id, false));
}

#[test]
#[ignore = "what another test runs as a process of its own"]
fn runs_by_descriptor() {
    let file = fs::File::open("/bin/true").expect("a program");
    panic!("{}", exec_fd(file.as_raw_fd()));
}

#[test]
fn what_runs_from_a_file_that_is_gone_is_told_as_such() {
    let Some(stage) = stage() else { return };
    let (_dir, path) = program("gone");
    let id = file_id(&path);
    let name = path.display().to_string();
    let (_, life) = perform(stage, &mut shell(&format!("exec 7< {name}; rm {name}; exec /proc/self/fd/7")));
    let exe = &image(&life).exe;
    assert_eq!((exe.path.to_string(), exe.id, exe.deleted), (name, id, true));
}

#[test]
fn a_loader_that_is_run_itself_is_the_image_and_its_arguments_name_the_program() {
    let Some(stage) = stage() else { return };
    let loader = "/lib64/ld-linux-x86-64.so.2";
    if !Path::new(loader).exists() {
        return lanner_tests::not_run("this machine has another loader");
    }
    let (_, life) = perform(stage, Command::new(loader).arg("/bin/true"));
    let image = image(&life);
    assert_eq!(image.exe.id, file_id(loader));
    assert_eq!(image.args.list, [loader, "/bin/true"].map(Text::from));
}

#[test]
fn arguments_that_are_overwritten_later_are_told_as_they_were() {
    let Some(stage) = stage() else { return };
    let mut child =
        helper("images::overwrites_its_arguments").arg("--skip=secret").stdin(Stdio::null()).spawn().expect("it runs");
    assert!(child.wait().expect("it ends").success(), "it could overwrite them");
    let life = life_of(stage, born(stage, child.id()));
    assert_eq!(image(&life).args.list.last(), Some(&Text::from("--skip=secret")));
}

#[test]
#[ignore = "what another test runs as a process of its own"]
fn overwrites_its_arguments() {
    let stat = fs::read_to_string("/proc/self/stat").expect("own stat");
    let field = |n: usize| {
        stat.rsplit(')').next().and_then(|s| s.split_ascii_whitespace().nth(n)?.parse::<usize>().ok()).expect("a field")
    };
    let (start, end) = (field(45), field(46));
    // SAFETY: this process's own arguments, which nothing reads meanwhile.
    unsafe { std::ptr::write_bytes(start as *mut u8, b'x', end - start - 1) };
    let told = fs::read("/proc/self/cmdline").expect("own arguments");
    assert!(told[..end - start - 1].iter().all(|b| *b == b'x'), "{told:?}");
    // SAFETY: ends the process; nothing may look at the arguments any more.
    unsafe { libc::_exit(0) };
}

#[test]
fn a_process_tells_its_group() {
    let Some(stage) = stage() else { return };
    let (pid, life) = perform(stage, Command::new("/bin/true").process_group(0));
    let Some(Payload::Exec(exec)) = life.iter().map(|e| &e.payload).find(|p| matches!(p, Payload::Exec(_))) else {
        panic!("an exec: {life:?}")
    };
    assert_eq!(exec.task.group, pid);
    // SAFETY: no pointers.
    let session = unsafe { libc::getsid(0) };
    assert_eq!(i64::from(exec.task.session), i64::from(session));
}
